"""What the commands show and write: status, an organization's file, digest, export, ledger, the report's pages."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING
from zoneinfo import ZoneInfo

from mailbot.breaker import Breaker, Stopped
from mailbot.errors import ConfigError, UsageError
from mailbot.model import Outcome, ReplyState
from mailbot.opened import Opened
from mailbot.report.export import write_csv, write_json
from mailbot.report.status import organization_view, status_view
from mailbot.store.history import write_lines

if TYPE_CHECKING:
    from rich.console import Group

    from mailbot.report.digest import Digest
    from mailbot.staff import StaffMail

_LAST_SECOND = time(23, 59, 59)


class Reports:
    """Reads what is kept; a digest that is sent is the only thing that it changes."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._config = opened.config
        self._store = opened.store
        self._clock = opened.clock

    @cached_property
    def _staff(self) -> StaffMail:
        from mailbot.alarms import Alarms
        from mailbot.staff import StaffMail

        alarms = Alarms(
            self._config, self._store, self._clock, judges_otherwise=self._opened.judges_otherwise
        )
        return StaffMail(self._opened, alarms)

    def export(self, form: str, target: Path | IO[bytes]) -> None:
        """Everything as `json`, or the 汇总表 as `xlsx` or `csv`; a file appears whole or not at all."""
        with _writing(target) as stream:
            self._export(form, stream)

    def _export(self, form: str, stream: IO[bytes]) -> None:
        if form == "xlsx":
            stream.write(self._staff.workbook(self._clock()))
        elif form == "csv":
            write_csv(
                stream,
                config=self._config,
                rubric=self._opened.rubric,
                organizations=self._opened.organizations(),
                messages=self._store.for_a_person(),
            )
        else:
            write_json(
                stream,
                config=self._config,
                rubric=self._opened.rubric,
                messages=self._store.messages(),
                organizations=self._opened.organizations(forms=False),
            )

    def digest(
        self, day: date | None = None, *, send: bool = False, directory: Path | None = None
    ) -> tuple[Digest, tuple[Path, ...]]:
        """The digest since the last one, or of one day: to its end, from the hour of the day before's.

        It is mailed, written as files (which are returned), or just made. Raises ConfigError where nobody is to get it.
        """
        if send and not self._config.staff.digest_to:
            raise ConfigError(str(self._config.file), "staff.digest_to", "is empty: nobody gets the digest")
        now = self._clock()
        since = None
        if day is not None:
            at, zone = self._config.staff.digest_at, self._config.campaign.timezone
            since = datetime.combine(day - timedelta(days=1), at, tzinfo=zone)
            now = min(datetime.combine(day, _LAST_SECOND, tzinfo=zone), now)
        made = self._staff.digest(now, since)
        if send:
            self._staff.send_digest(made, now, of_a_day=day is not None)
        return made, self._staff.write_digest(made, now, directory) if directory else ()

    def export_ledger(self, target: Path | IO[bytes]) -> None:
        """The ledger as JSON lines; a file appears whole or not at all."""
        with _writing(target) as stream:
            write_lines(self._store.ledger(), stream)

    def report(self, directory: Path) -> Path:
        """Write the report's pages into a directory, over those of an earlier one; returns the overview's file.

        Raises UsageError.
        """
        from mailbot.report.site import INDEX, Site, pages
        from mailbot.report.summary import Doubts

        received, nobodys, reasons = [], [], Doubts()
        for message in self._store.messages():
            if message.outcome is not Outcome.IGNORED:
                received.append(message.received_at)
            if message.organization is None:
                nobodys.append(message)
            reasons.add(message)
        site = Site(
            config=self._config,
            rubric=self._opened.rubric,
            organizations=self._opened.organizations(),
            versions=self._store.versions,
            mails=lambda name: nobodys if name is None else self._store.messages(organization=name),
            reminders=self._store.reminders(),
            doubts=reasons,
            received=received,
            now=self._clock(),
        )
        try:
            directory.mkdir(parents=True, exist_ok=True)
            written = {name for name, html in pages(site) if _write_page(directory / name, html)}
            for old in directory.glob("organization-[0-9]*.html"):
                if old.name not in written:
                    old.unlink()
        except OSError as error:
            raise UsageError(f"{directory}: cannot be written: {error.strerror}") from error
        return directory / INDEX

    def status(self) -> Group:
        """Where the campaign stands, for the terminal."""
        stopped = Breaker(self._config, self._store, self._clock).stopped()
        return status_view(
            stopped=_nothing_is_sent(stopped, self._config.campaign.timezone) if stopped else "",
            config=self._config,
            organizations=self._opened.organizations(forms=False),
            counts=self._store.counts(),
            folders=self._opened.folders(),
            put_off=[r for r in self._store.replies_in(ReplyState.QUEUED) if r.was_put_off],
            now=self._clock(),
        )

    def file_of(self, organization: str) -> Group:
        """One organization's whole file, for the terminal. Raises UsageError."""
        record = self._opened.organization(organization)
        return organization_view(
            record,
            self._store.versions(record.name),
            self._store.messages(organization=record.name),
            self._opened.rubric,
            self._config.campaign.timezone,
        )


def _nothing_is_sent(stopped: Stopped, zone: ZoneInfo) -> str:
    return (
        f"ALL SENDING HAS STOPPED at {stopped.at.astimezone(zone):%Y-%m-%d %H:%M:%S}: {stopped.letters} letters within "
        "an hour answer mails that carry nothing; mailbot review --resume lets them go"
    )


def _write_page(path: Path, html: str) -> bool:
    return path.write_text(html, encoding="utf-8", errors="replace") > 0


@contextmanager
def _writing(target: Path | IO[bytes]) -> Iterator[IO[bytes]]:
    """A stream as it is, or a file that takes its name when it is written to the end."""
    if not isinstance(target, Path):
        yield target
        return
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as stream:
            yield stream
        temporary.replace(target)
    except OSError as error:
        raise UsageError(f"{target}: cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
