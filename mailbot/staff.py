"""What goes to the staff: the daily digest by the clock, and the 汇总表."""

from __future__ import annotations

import base64
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mailbot.alarms import Alarms
from mailbot.config import Config
from mailbot.errors import UsageError
from mailbot.log import log
from mailbot.mail.compose import Attachment, workbook_file
from mailbot.opened import Opened
from mailbot.post import tell_staff
from mailbot.records import MessageRecord
from mailbot.report import watch
from mailbot.report.digest import Digest, DigestFacts, digest
from mailbot.report.letters import TEMPLATE_FAULTS
from mailbot.report.rendering import template_fault
from mailbot.report.workbook import summary_workbook

_SENT = "digest:sent"
"""The flag that keeps the end of the last digest's time, and which decisions of its last minute it told."""
_UNDER_WAY = timedelta(minutes=1)
"""A decision reaches the database within this time: so long before its end a digest may have missed some."""
_MOST_LISTED = 2000
"""How many mails the 汇总表 lists whether they count or not; a campaign has hardly ever more."""
_TRY_AGAIN_AFTER = timedelta(minutes=10)
_NEVER = datetime.min.replace(tzinfo=UTC)
_A_DAY = timedelta(days=1)
"""The end of a last digest that is further ahead of now than this was kept by a clock that was wrong."""


class StaffMail:
    """Builds and sends what the staff get. For one thread."""

    def __init__(self, opened: Opened, alarms: Alarms) -> None:
        self._config = opened.config
        self._store = opened.store
        self._clock = opened.clock
        self._opened = opened
        self._alarms = alarms
        self._not_before = opened.clock()

    def by_the_clock(self) -> None:
        """Send what is due: the digest after its hour, once a day, and alarms.

        Raises TemporaryError where that failed; it is tried again some minutes later.
        """
        now = self._clock()
        if not self._config.staff.digest_to or timedelta(0) < self._not_before - now <= _TRY_AGAIN_AFTER:
            return
        self._not_before = now + _TRY_AGAIN_AFTER
        self._alarms.tell()
        if self._last_digest() < digest_hour(self._config, now) <= now:
            self.send_digest(self.digest(now), now)
        self._not_before = now

    def _last_digest(self) -> datetime:
        sent, _ = self._sent()
        last = datetime.fromisoformat(sent) if sent else _NEVER
        return last if last - self._clock() < _A_DAY else _NEVER

    def _sent(self) -> tuple[str, frozenset[str]]:
        """Up to when the last digest tells, '' where none was sent, and the marks of the decisions of its last moments."""
        until, _, marks = (self._store.flag(_SENT) or "").partition(" ")
        return until, frozenset(marks.split())

    def send_digest(self, made: Digest, now: datetime, *, of_a_day: bool = False) -> None:
        """Send a digest; the next one begins where it ends, unless it was made of one day.

        Raises TemporaryError, and then it is not marked as sent.
        """
        workbook = workbook_file(self._workbook_name, self.workbook(now))
        pictures = (
            Attachment(filename=p.filename, content_type="image/png", data=p.data, content_id=p.content_id)
            for p in made.pictures
        )
        tell_staff(
            self._config,
            f"digest.{now:%Y%m%d%H%M%S}",
            subject=made.subject,
            text=made.text,
            html=made.html,
            at=self._clock(),
            attachments=(workbook, *pictures),
        )
        if not of_a_day:
            _, shown = self._sent()
            told = {*shown, *map(_mark, made.news)}
            newest = {mark for mark in told if mark > _stamp(now - _UNDER_WAY)}
            self._store.set_flag(_SENT, " ".join((now.isoformat(), *sorted(newest))))

    def write_digest(self, made: Digest, now: datetime, directory: Path) -> tuple[Path, ...]:
        """Write a digest and the 汇总表 into a directory; returns the files. Raises UsageError."""
        html = made.html
        for picture in made.pictures:
            inline = base64.b64encode(picture.data).decode()
            html = html.replace(f"cid:{picture.content_id}", f"data:image/png;base64,{inline}")
        contents = {
            "digest.html": html.encode(),
            "digest.txt": made.text.encode(),
            self._workbook_name: self.workbook(now),
        }
        try:
            directory.mkdir(parents=True, exist_ok=True)
            for name, content in contents.items():
                (directory / name).write_bytes(content)
        except OSError as error:
            raise UsageError(f"{directory}: cannot be written: {error.strerror}") from error
        return tuple(directory / name for name in contents)

    @property
    def _workbook_name(self) -> str:
        return f"{self._config.campaign.name}汇总表.xlsx"

    def digest(self, now: datetime, since: datetime | None = None) -> Digest:
        """The digest up to `now`.

        With `since` it tells of the mails that were decided, or received, between that and now; without, of those decided
        since the last digest that was sent.
        """
        after = since or self._last_digest()
        return self._written(
            DigestFacts(
                config=self._config,
                rubric=self._opened.rubric,
                organizations=self._opened.organizations(),
                news=self._of_that_time(now, since) if since else self._untold(now, after),
                for_a_person=tuple(self._store.for_a_person()),
                nameless=tuple(self._store.nameless()),
                passed_over=tuple(self._store.passed_over()),
                counts=self._store.counts(),
                folders=self._opened.folders(),
                now=now,
                since=after if after.year > 1 else None,
                alarms=tuple(self._alarms.lines(now)),
                disk_free_octets=shutil.disk_usage(self._config.storage.directory).free,
            )
        )

    def _of_that_time(self, now: datetime, since: datetime) -> list[MessageRecord]:
        """The messages decided between `since` and `now`, or received then and decided later."""
        found = self._store.messages(decided_since=since)
        return [r for r in found if (r.decided_at or now) <= now or since < r.received_at <= now]

    def _untold(self, now: datetime, after: datetime) -> list[MessageRecord]:
        """The messages decided between `after` and `now`, and those decided just before it that the last digest missed."""
        _, shown = self._sent()
        begun = after - _UNDER_WAY if after > _NEVER else after
        found = self._store.messages(decided_since=begun)
        return [r for r in found if (r.decided_at or now) <= now and _mark(r) not in shown]

    def _written(self, facts: DigestFacts) -> Digest:
        """The digest by the office's template; where that is broken, by our own, with an alarm that says so."""
        try:
            return digest(facts)
        except TEMPLATE_FAULTS as error:
            if self._config.templates is None:
                raise
            log.exception("the digest's template is broken and our own is used instead")
            said = watch.digest_template_alarm(template_fault(error))
            ours = self._config.model_copy(update={"templates": None})
            return digest(replace(facts, config=ours, alarms=(said, *facts.alarms)))

    def workbook(self, now: datetime) -> bytes:
        """The 汇总表; of very many mails it lists the newest, those that count and those that wait."""
        organizations = self._opened.organizations()
        listed = {
            *self._store.newest(_MOST_LISTED),
            *self._store.numbers_for_a_person(),
            *(record.counts.message for record in organizations if record.counts),
        }
        return summary_workbook(
            config=self._config,
            rubric=self._opened.rubric,
            organizations=organizations,
            messages=self._store.messages(numbers=tuple(listed)),
            left_out=self._store.counts().messages - len(listed),
            now=now,
        )


def _mark(record: MessageRecord) -> str:
    """What tells one decision from another: its time and its message. One made anew has another time."""
    return f"{_stamp(record.decided_at or _NEVER)}/{record.id}"


def _stamp(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y%m%d%H%M%S}"


def digest_hour(config: Config, now: datetime) -> datetime:
    """When today's digest is or was due: at `staff.digest_at`; with `hourly_on_last_day`, on the day of the deadline, the
    last full hour after it, up to one hour after the deadline."""
    zone = config.campaign.timezone
    local, deadline = now.astimezone(zone), config.campaign.deadline.astimezone(zone)
    first = datetime.combine(local.date(), config.staff.digest_at, tzinfo=zone)
    if not config.staff.hourly_on_last_day or local.date() != deadline.date() or local < first:
        return first
    hours = (min(local, deadline + timedelta(hours=1)) - first) // timedelta(hours=1)
    return first + timedelta(hours=hours)
