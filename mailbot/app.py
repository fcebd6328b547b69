"""The composition root: from a configuration to everything that works together, opened and closed as one."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

from mailbot import rubric as rubrics
from mailbot.answer import Answerer
from mailbot.breaker import Breaker, Stopped
from mailbot.config import Config, Limits
from mailbot.desk import Desk
from mailbot.documents.scanner import Scanner
from mailbot.errors import AnotherWorkerError, ConfigError, ConfigurationError, TemporaryError, UsageError
from mailbot.intake import Intake, Step, unobserved
from mailbot.log import log
from mailbot.mail.files import FileMail, read_files
from mailbot.model import Outcome, Track
from mailbot.organizations import read_organizations
from mailbot.outbox import Outbox
from mailbot.reader import Reader
from mailbot.reading import MailReading
from mailbot.records import MessageRecord, OrganizationRecord, Receipt
from mailbot.registry import Registry, identify
from mailbot.reminders import Reminders, is_a_day, next_day
from mailbot.report.digest import Digest
from mailbot.report.export import write_csv, write_json
from mailbot.report.letters import Letter
from mailbot.report.site import INDEX, Site, pages
from mailbot.report.status import organization_view, status_view
from mailbot.staff import StaffMail
from mailbot.store.archive import Archive
from mailbot.store.history import write_lines
from mailbot.store.store import Store
from mailbot.watcher import Watcher
from mailbot.worker import Worker, only_worker

if TYPE_CHECKING:
    from rich.console import Group

INGESTED = "ingest"
"""The folder under which mails from files are kept."""
_MOST_CHILDREN = 4
_INGEST_BATCH = 50


def utc_now() -> datetime:
    """The clock of a running service."""
    return datetime.now(UTC)


class App:
    """Everything that one configuration needs, opened when it is first used. A context manager."""

    def __init__(self, config: Config, *, clock: Callable[[], datetime] = utc_now) -> None:
        self.config = config
        self.clock = clock
        self.observe: Callable[[Step, int], None] = unobserved
        self._stack = ExitStack()

    @classmethod
    def open(cls, config: Config, *, clock: Callable[[], datetime] = utc_now) -> Self:
        """Make the storage directory and open the database.

        Raises ConfigurationError where the rubric or the registry is faulty, TemporaryError where the database does
        not answer.
        """
        app = cls(config, clock=clock)
        _ = (app.rubric, app.registry)
        try:
            config.storage.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            reason = f"cannot be made: {error.strerror}"
            raise ConfigurationError([ConfigError(str(config.file), "storage.directory", reason)]) from error
        _ = app.store
        return app

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @cached_property
    def rubric(self) -> rubrics.Rubric:
        """The campaign's form."""
        return rubrics.load(self.config.campaign.rubric)

    @cached_property
    def registry(self) -> Registry | None:
        """The organizations that are to report, where a list of them is configured."""
        path = self.config.campaign.organizations
        return Registry(read_organizations(path)) if path else None

    @cached_property
    def store(self) -> Store:
        """The database."""
        return self._stack.enter_context(Store.open(self.config.storage.database))

    @cached_property
    def archive(self) -> Archive:
        """The raw mails."""
        return Archive(self.config.storage.directory / "archive")

    @cached_property
    def reader(self) -> Reader:
        """The pool of bounded children."""
        return self._stack.enter_context(
            Reader(
                self.config.campaign.rubric,
                self.config.limits,
                children=min(os.cpu_count() or 1, _MOST_CHILDREN),
                scanner=Scanner(self.config.scanner.clamd) if self.config.scanner else None,
            )
        )

    @cached_property
    def staff(self) -> StaffMail:
        """The digest and the 汇总表."""
        return StaffMail(
            config=self.config,
            rubric=self.rubric,
            registry=self.registry,
            store=self.store,
            clock=self.clock,
        )

    @cached_property
    def desk(self) -> Desk:
        """Where persons decide on what waits."""
        return Desk(
            config=self.config,
            rubric=self.rubric,
            store=self.store,
            organizations=self.staff.organizations,
            named=self.organization,
            decide=self._decide_if_alone,
            clock=self.clock,
        )

    @contextmanager
    def alone(self) -> Iterator[None]:
        """As the one worker on this storage directory and this database. Raises AnotherWorkerError."""
        with only_worker(self.config.storage.directory), self.store.alone():
            yield

    def run(self, *, once: bool) -> bool:
        """One round, or round after round until told to stop. False where something could not be reached.

        Raises TemporaryError where another worker is at work on the same storage.
        """
        with self.alone():
            if not once:
                return self.worker().stay()
            reached = self.worker(reminding=False).once()
            self.staff.watch_mailboxes()
            self.staff.watch_waiting()
            self.staff.watch_breaker()
            return reached

    def worker(self, *, reminding: bool = True) -> Worker:
        """Watchers, intake and outboxes, wired to wake each other."""
        arrived = threading.Event()
        outboxes = [self._outbox(m.name, reminding=reminding) for m in self.config.mailboxes]

        def committed(step: Step, message: int) -> None:
            self.observe(step, message)
            if step is Step.COMMITTED:
                for outbox in outboxes:
                    outbox.wake.set()

        watchers = [
            Watcher(
                mailbox,
                store=self.store,
                archive=self.archive,
                message_octets=self.config.limits.message_mb * 2**20,
                clock=self.clock,
                arrived=arrived.set,
            )
            for mailbox in self.config.mailboxes
        ]
        for close in (*(w.close for w in watchers), *(o.close for o in outboxes)):
            self._stack.callback(close)
        return Worker(
            watchers=watchers,
            intake=self._intake(committed),
            outboxes=outboxes,
            arrived=arrived,
            by_the_clock=self.staff.by_the_clock,
            still_alone=self.store.still_alone,
        )

    def _outbox(self, mailbox: str, *, reminding: bool) -> Outbox:
        return Outbox(
            self.config.mailbox(mailbox),
            self.config,
            self.store,
            self.clock,
            self._reminders(mailbox) if reminding else None,
        )

    def _reminders(self, mailbox: str) -> Reminders:
        return Reminders(
            self.config.mailbox(mailbox),
            config=self.config,
            rubric=self.rubric,
            registry=self.registry,
            store=self.store,
            clock=self.clock,
        )

    def reminder_letters(self) -> Iterator[tuple[tuple[str, ...], Letter]]:
        """The reminders as they would go out now, each with its addresses; none after the deadline."""
        for mailbox in self.config.mailboxes if self.clock() <= self.config.campaign.deadline else ():
            yield from self._reminders(mailbox.name).preview()

    def remind(self) -> tuple[int, date | None]:
        """Send the reminders of today, if it is a day for them; returns how many went out, and the next such day.

        Raises UsageError where none are configured, TemporaryError where not all could be sent.
        """
        now = self.clock()
        if not self.config.reminders.days:
            raise UsageError("reminders.days is empty: no reminders are configured")
        if not is_a_day(self.config, now):
            return 0, next_day(self.config, now)
        day = now.astimezone(self.config.campaign.timezone).date()
        before = len(self.store.reminders(day=day))
        for mailbox in self.config.mailboxes:
            with closing(self._outbox(mailbox.name, reminding=True)) as outbox:
                if not outbox.remind(threading.Event()):
                    raise TemporaryError(f"{mailbox.name}: not all reminders could be sent")
        return len(self.store.reminders(day=day)) - before, day

    def _intake(self, observe: Callable[[Step, int], None]) -> Intake:
        return Intake(
            config=self.config,
            store=self.store,
            archive=self.archive,
            reader=self.reader,
            registry=self.registry,
            answerer=Answerer(self.config, self.rubric, self.store, self.clock),
            clock=self.clock,
            observe=observe,
        )

    def replaying_intake(self) -> Intake:
        """An intake for who replays a ledger into this app's fresh database."""
        return self._intake(unobserved)

    def ingest(self, mailbox: str, paths: Sequence[Path]) -> tuple[int, int]:
        """Take in mails from files and decide them; their replies are queued for the next round.

        Returns how many mails the files held and how many of them were new. Raises UsageError.
        """
        name = self.config.mailbox(mailbox).name
        seen = new = 0
        batch: list[FileMail] = []
        for mail in read_files(paths):
            batch.append(mail)
            seen += 1
            if len(batch) >= _INGEST_BATCH:
                new += self._keep(name, batch)
                batch = []
        new += self._keep(name, batch)
        self._decide_if_alone()
        return seen, new

    def _decide_if_alone(self) -> None:
        """Decide what waits, unless a worker is running: then it does."""
        try:
            with self.alone():
                self._intake(self.observe).run()
        except AnotherWorkerError:
            log.info("a worker is running; it decides what came in")

    def _keep(self, mailbox: str, mails: Sequence[FileMail]) -> int:
        if not mails:
            return 0
        hashes = self.archive.put_many([mail.octets for mail in mails])
        receipts = [
            Receipt(
                mailbox=mailbox,
                folder=INGESTED,
                uidvalidity=1,
                uid=0,
                sha256=sha256,
                size=len(mail.octets),
                received_at=mail.received_at,
            )
            for mail, sha256 in zip(mails, hashes, strict=True)
        ]
        return len(self.store.record_ingested(mailbox, receipts, at=self.clock()))

    def messages(self) -> Iterator[MessageRecord]:
        """Everything that came in, in the order of its numbers."""
        return self.store.messages()

    def export(self, form: str, target: Path | IO[bytes]) -> None:
        """Everything as `json`, or the 汇总表 as `xlsx` or `csv`; a file appears whole or not at all."""
        with _writing(target) as stream:
            self._export(form, stream)

    def _export(self, form: str, stream: IO[bytes]) -> None:
        if form == "xlsx":
            stream.write(self.staff.workbook(self.clock()))
        elif form == "csv":
            write_csv(
                stream,
                config=self.config,
                rubric=self.rubric,
                organizations=self.staff.organizations(),
                messages=self.store.for_a_person(),
            )
        else:
            write_json(
                stream,
                config=self.config,
                rubric=self.rubric,
                messages=self.messages(),
                organizations=self.staff.organizations(),
            )

    def digest(
        self, day: date | None = None, *, send: bool = False, directory: Path | None = None
    ) -> tuple[Digest, tuple[Path, ...]]:
        """The digest since the last one, or of one day; mailed, written as files (which are returned), or just made."""
        now = self.clock()
        since = None
        if day is not None:
            hour = datetime.combine(day, self.config.staff.digest_at, tzinfo=self.config.campaign.timezone)
            since, now = hour - timedelta(days=1), min(hour, now)
        made = self.staff.digest(now, since)
        if send:
            self.staff.send_digest(made, now, of_a_day=day is not None)
        return made, self.staff.write_digest(made, now, directory) if directory else ()

    def export_ledger(self, target: Path | IO[bytes]) -> None:
        """The ledger as JSON lines; a file appears whole or not at all."""
        with _writing(target) as stream:
            write_lines(self.store.ledger(), stream)

    def report(self, directory: Path) -> Path:
        """Write the report's pages into a directory, over those of an earlier one; returns the overview's file.

        Raises UsageError.
        """
        received, nobodys = [], []
        for message in self.messages():
            if message.outcome is not Outcome.IGNORED:
                received.append(message.received_at)
            if message.organization is None:
                nobodys.append(message)
        site = Site(
            config=self.config,
            rubric=self.rubric,
            organizations=self.staff.organizations(),
            mails=lambda name: nobodys if name is None else self.store.messages(organization=name),
            reminders=self.store.reminders(),
            received=received,
            now=self.clock(),
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
        stopped = Breaker(self.config, self.store, self.clock).stopped()
        return status_view(
            stopped=_nothing_is_sent(stopped, self.config.campaign.timezone) if stopped else "",
            config=self.config,
            organizations=self.staff.organizations(),
            counts=self.store.counts(),
            folders=self.store.folders(),
            now=self.clock(),
        )

    def file_of(self, organization: str) -> Group:
        """One organization's whole file, for the terminal. Raises UsageError."""
        record = self.organization(organization)
        return organization_view(
            record,
            self.store.messages(organization=record.name),
            self.rubric,
            self.config.campaign.timezone,
        )

    def organization(self, name: str) -> OrganizationRecord:
        """One organization, by its name or anything that clearly means it. Raises UsageError."""
        known = {o.name: o for o in self.staff.organizations()}
        if name in known:
            return known[name]
        registered = self.registry.named(name) if self.registry else None
        if registered and registered.name in known:
            return known[registered.name]
        like = [each for each in known if name in each]
        if len(like) == 1:
            return known[like[0]]
        hint = f"; did you mean one of: {', '.join(like[:10])}?" if like else ""
        raise UsageError(f"no organization {name!r} in this campaign{hint}")


def read_document(
    path: Path, rubric: Path, limits: Limits | None = None, registry: Registry | None = None
) -> MailReading:
    """Read one document as if it had come alone; nothing is stored or sent.

    Raises UsageError where there is no such file, DocumentError where it cannot be read at all.
    """
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file")
    with Reader(rubric, limits or Limits(), children=1) as reader:
        try:
            reading = reader.read_document(path)
        except OSError as error:
            raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    if reading.assessment is None:
        return reading
    identity = identify(
        registry,
        form_name=reading.assessment.organization,
        senders=(),
        hints=[("title", name) for document in reading.documents for name in document.organizations],
        learned=None,
        default_track=Track.SOCIETY,
        has_form=True,
    )
    return replace(reading, findings=(*reading.findings, *identity.findings))


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
