"""What goes to the staff by the clock: the daily digest, and word when a mailbox is silent and when it works again."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mailbot.breaker import Breaker
from mailbot.config import Config
from mailbot.errors import MailbotError, TemporaryError, UsageError
from mailbot.log import log
from mailbot.mail.compose import Attachment, OutgoingMail, compose
from mailbot.mail.smtp import Submission
from mailbot.model import ReplyState
from mailbot.reading import Address
from mailbot.records import FolderHealth, OrganizationRecord, PutOff
from mailbot.registry import Registry
from mailbot.report import watch
from mailbot.report.digest import Digest, DigestFacts, digest
from mailbot.report.letters import TEMPLATE_FAULTS
from mailbot.report.rendering import template_fault
from mailbot.report.roster import roster
from mailbot.report.workbook import summary_workbook
from mailbot.rubric import Rubric
from mailbot.store.store import Store

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_SENT = "digest:sent"
_WAITS = {
    PutOff.TEMPLATE: ("template:broken", timedelta(0), watch.broken_template, watch.template_alarm),
    PutOff.SCANNER: ("scanner:away", timedelta(minutes=30), watch.scanner_away, watch.scanner_alarm),
}
"""The flag that staff were told, for how long messages may wait before, the word to them, and the digest's."""
_STOPPED_TOLD = "breaker:told"
_REMINDERS_SHOWN = timedelta(days=2)
_REACHED = (ReplyState.SENT, ReplyState.DRAFTED)
_MOST_LISTED = 2000
"""How many mails the 汇总表 lists whether they count or not; a campaign has hardly ever more."""
_SILENT_AFTER = timedelta(minutes=30)
_TRY_AGAIN_AFTER = timedelta(minutes=10)


class StaffMail:
    """Builds and sends what the staff get. For one thread."""

    def __init__(
        self,
        *,
        config: Config,
        rubric: Rubric,
        registry: Registry | None,
        store: Store,
        clock: Callable[[], datetime],
    ) -> None:
        self._config = config
        self._rubric = rubric
        self._registry = registry
        self._store = store
        self._clock = clock
        self._not_before = self._since = clock()
        self._breaker = Breaker(config, store, clock)

    def by_the_clock(self) -> None:
        """Send what is due: the digest after its hour, once a day, and alarms.

        Raises TemporaryError where that failed; it is tried again some minutes later.
        """
        now = self._clock()
        if not self._config.staff.digest_to or now < self._not_before:
            return
        self._not_before = now + _TRY_AGAIN_AFTER
        self.watch_mailboxes()
        self.watch_waiting()
        self.watch_breaker()
        if self._last_digest() < digest_hour(self._config, now) <= now:
            self.send_digest(self.digest(now), now)
        self._not_before = now

    def _last_digest(self) -> datetime:
        sent = self._store.flag(_SENT)
        return datetime.fromisoformat(sent) if sent else datetime.min.replace(tzinfo=UTC)

    def send_digest(self, made: Digest, now: datetime, *, of_a_day: bool = False) -> None:
        """Send a digest; the next one begins where it ends, unless it was made of one day.

        Raises TemporaryError, and then it is not marked as sent.
        """
        self._send(
            f"digest.{now:%Y%m%d%H%M%S}",
            made.subject,
            made.text,
            made.html,
            (
                Attachment(filename=self._workbook_name, content_type=_XLSX, data=self.workbook(now)),
                *(
                    Attachment(
                        filename=picture.filename,
                        content_type="image/png",
                        data=picture.data,
                        content_id=picture.content_id,
                    )
                    for picture in made.pictures
                ),
            ),
        )
        if not of_a_day:
            self._store.set_flag(_SENT, now.isoformat())

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
        """The digest on what was decided after `since` and up to `now`; without `since`, after the last one sent."""
        after = since or self._last_digest()
        news = [
            record
            for record in self._store.messages(decided_since=after)
            if (record.decided_at or now) <= now
        ]
        return self._written(
            DigestFacts(
                config=self._config,
                rubric=self._rubric,
                organizations=self.organizations(),
                news=news,
                for_a_person=tuple(self._store.for_a_person()),
                counts=self._store.counts(),
                folders=self._store.folders(),
                now=now,
                since=after if after.year > 1 else None,
                alarms=tuple(self._alarms(now)),
                disk_free_octets=shutil.disk_usage(self._config.storage.directory).free,
            )
        )

    def _written(self, facts: DigestFacts) -> Digest:
        """By the office's template; where that is broken by our own, which says so."""
        try:
            return digest(facts)
        except TEMPLATE_FAULTS as error:
            if self._config.templates is None:
                raise
            log.exception("the digest's template is broken and our own is used instead")
            said = watch.digest_template_alarm(template_fault(error))
            ours = self._config.model_copy(update={"templates": None})
            return digest(replace(facts, config=ours, alarms=(said, *facts.alarms)))

    def _alarms(self, now: datetime) -> Iterator[str]:
        if stopped := self._breaker.stopped():
            yield watch.stopped_alarm(stopped.at, stopped.letters, self._config.campaign.timezone)
        for book in self._store.open_books():
            yield watch.books_open(book.mailbox, book.folder, book.missing)
        for why, (*_, alarm) in _WAITS.items():
            waiting, fault, _since = self._store.waiting_for(why)
            if waiting:
                yield alarm(fault, waiting)
        for reminder in self._store.reminders():
            if reminder.state not in _REACHED and now - reminder.at < _REMINDERS_SHOWN:
                yield watch.reminder_alarm(reminder)
        for folder in self._silent(now):
            yield watch.alarm(folder, self._config.campaign.timezone)

    def organizations(self) -> tuple[OrganizationRecord, ...]:
        """Who has written, and who of the registry has not."""
        registered = self._registry.organizations if self._registry else ()
        return roster(self._store.organizations(), registered)

    def workbook(self, now: datetime) -> bytes:
        """The 汇总表; of very many mails it lists the newest, those that count and those that wait."""
        organizations = self.organizations()
        listed = {
            *self._store.newest(_MOST_LISTED),
            *self._store.numbers_for_a_person(),
            *(record.counts.message for record in organizations if record.counts),
        }
        return summary_workbook(
            config=self._config,
            rubric=self._rubric,
            organizations=organizations,
            messages=self._store.messages(numbers=tuple(listed)),
            left_out=self._store.counts().messages - len(listed),
            now=now,
        )

    def watch_waiting(self) -> None:
        """Tell the staff once when messages wait for something that somebody has to mend.

        Raises TemporaryError where the word could not be sent; it goes with the next call.
        """
        if not self._config.staff.digest_to:
            return
        now = self._clock()
        for why, (flag, patience, words, _) in _WAITS.items():
            number, fault, since = self._store.waiting_for(why)
            told = self._store.flag(flag) == "told"
            if since is not None and not told and now - since >= patience:
                word = words(fault, number)
                self._send(f"watch.{now:%Y%m%d%H%M%S}.{why.value}", word.subject, word.text, word.html)
                self._store.set_flag(flag, "told")
            elif told and since is None:
                self._store.set_flag(flag, "")

    def watch_breaker(self) -> None:
        """Tell the staff once that all sending has stopped.

        Raises TemporaryError where the word could not be sent; it goes with the next call.
        """
        stopped = self._breaker.stopped()
        told = self._store.flag(_STOPPED_TOLD) or ""
        since = stopped.at.isoformat() if stopped else ""
        if since == told or not self._config.staff.digest_to:
            return
        if stopped:
            word = watch.stopped(stopped.at, stopped.letters, self._config.campaign.timezone)
            self._send(f"watch.{self._clock():%Y%m%d%H%M%S}.stopped", word.subject, word.text, word.html)
        self._store.set_flag(_STOPPED_TOLD, since)

    def watch_mailboxes(self) -> None:
        """Tell the staff once when a mailbox has been silent too long, and once when it works again.

        Raises TemporaryError where the word could not be sent; it goes with the next call.
        """
        if not self._config.staff.digest_to:
            return
        now, zone = self._clock(), self._config.campaign.timezone
        silent = {folder.mailbox: folder for folder in self._silent(now)}
        inboxes = {(m.name, m.imap.folder) for m in self._config.mailboxes}
        for inbox in self._store.folders():
            name = f"silent:{inbox.mailbox}"
            if (inbox.mailbox, inbox.folder) not in inboxes:
                continue
            folder, told = silent.get(inbox.mailbox), self._store.flag(name) == "told"
            if (folder is not None) == told:
                continue
            word = watch.silent(folder, zone) if folder else watch.works_again(inbox, zone)
            told_as = f"watch.{now:%Y%m%d%H%M%S}.{inbox.mailbox}.{'silent' if folder else 'again'}"
            self._send(told_as, word.subject, word.text, word.html)
            self._store.set_flag(name, "told" if folder else "")

    def _silent(self, now: datetime) -> tuple[FolderHealth, ...]:
        """One folder of each mailbox that cannot be read, or that nobody has looked into for too long."""
        watched = {
            (m.name, name)
            for m in self._config.mailboxes
            for name in (m.imap.folder, m.imap.junk_folder)
            if name
        }
        found: dict[str, FolderHealth] = {}
        for folder in self._store.folders():
            if (folder.mailbox, folder.folder) in watched and self._is_silent(folder, now):
                found.setdefault(folder.mailbox, folder)
        return tuple(found.values())

    def _is_silent(self, folder: FolderHealth, now: datetime) -> bool:
        good = folder.last_good_round
        if folder.last_error:
            return good is None or now - good > _SILENT_AFTER
        return now - max(good or self._since, self._since) > _SILENT_AFTER

    def _send(
        self, name: str, subject: str, text: str, html: str, attachments: tuple[Attachment, ...] = ()
    ) -> None:
        mailbox = self._config.mailboxes[0]
        octets = compose(
            OutgoingMail(
                sender=Address(name="mailbot", address=mailbox.address),
                to=self._config.staff.digest_to,
                subject=subject,
                text=text,
                html=html,
                message_id=f"<mailbot.{name}@{mailbox.address.rpartition('@')[2]}>",
                date=self._clock(),
                attachments=attachments,
                auto_submitted="auto-generated",
            )
        )
        submission = Submission(mailbox.smtp)
        try:
            for address in self._config.staff.digest_to:
                submission.send(octets, mailbox.address, address)
        except TemporaryError:
            raise
        except MailbotError as error:
            raise TemporaryError(f"the staff's mail was not taken: {error}") from error
        finally:
            submission.close()
        log.info("told the staff", name=name)


def digest_hour(config: Config, now: datetime) -> datetime:
    """When the newest digest was due: at its hour of this day; on the last day every hour, and once after the deadline."""
    zone = config.campaign.timezone
    local, deadline = now.astimezone(zone), config.campaign.deadline.astimezone(zone)
    first = datetime.combine(local.date(), config.staff.digest_at, tzinfo=zone)
    if not config.staff.hourly_on_last_day or local.date() != deadline.date() or local < first:
        return first
    hours = (min(local, deadline + timedelta(hours=1)) - first) // timedelta(hours=1)
    return first + timedelta(hours=hours)
