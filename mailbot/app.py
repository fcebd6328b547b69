"""The service: what fetches, decides and sends for one configuration, wired together."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from mailbot.alarms import Alarms, tell_of_standstill
from mailbot.changes import Changes
from mailbot.config import Config
from mailbot.errors import (
    AnotherWorkerError,
    ConfigurationError,
    TemporaryError,
    UsageError,
)
from mailbot.listed import keep_as_listed
from mailbot.log import log
from mailbot.opened import Opened, utc_now
from mailbot.outbox import Outbox
from mailbot.records import Receipt, ReplyRecord
from mailbot.watcher import Watcher
from mailbot.worker import Worker, only_worker

if TYPE_CHECKING:
    from mailbot.desk import Desk
    from mailbot.intake import Intake
    from mailbot.mail.files import FileMail
    from mailbot.reader import Reader
    from mailbot.reminders import Reminders
    from mailbot.report.letters import Letter
    from mailbot.settle import Observer, Settler
    from mailbot.staff import StaffMail

INGESTED = "ingest"
"""The folder under which mails from files are kept."""
_MOST_CHILDREN = 4
_INGEST_BATCH = 50


class App(Opened):
    """Works on what comes in. Each part is imported and made when it is first needed."""

    def __init__(self, config: Config, *, clock: Callable[[], datetime] = utc_now) -> None:
        super().__init__(config, clock=clock)
        self.observe: Observer | None = None
        self._changes = Changes(config)
        self._stayed: Worker | None = None
        self._holds_lock: Callable[[], bool] = lambda: True

    @classmethod
    def open(cls, config: Config, *, clock: Callable[[], datetime] = utc_now) -> Self:
        """As any that is opened. Raises ConfigError also where letters have left that the database does not know."""
        app = super().open(config, clock=clock)
        try:
            app.bear_witness()
        except BaseException:
            app.close()
            raise
        return app

    @classmethod
    def open_to_work(cls, config: Config, *, clock: Callable[[], datetime] = utc_now) -> Self:
        """The same, for rounds: staff are told of a fault in rubric or registry, which keeps them from beginning."""
        try:
            return cls.open(config, clock=clock)
        except ConfigurationError as error:
            tell_of_standstill(config, str(error), clock())
            raise

    @cached_property
    def reader(self) -> Reader:
        """The pool of bounded children."""
        from mailbot.documents.scanner import Scanner
        from mailbot.reader import Reader

        return self._stack.enter_context(
            Reader(
                self.config.campaign.rubric,
                self.config.limits,
                children=min(os.cpu_count() or 1, _MOST_CHILDREN),
                scanner=Scanner(self.config.scanner.clamd) if self.config.scanner else None,
            )
        )

    @cached_property
    def alarms(self) -> Alarms:
        """What tells the staff that something is wrong."""
        return Alarms(
            self.config,
            self.store,
            self.clock,
            judges_otherwise=self.judges_otherwise,
            not_taken_over=lambda: self._changes.fault,
        )

    @cached_property
    def staff(self) -> StaffMail:
        """The digest and the 汇总表."""
        from mailbot.staff import StaffMail

        return StaffMail(self, self.alarms)

    @cached_property
    def desk(self) -> Desk:
        """Where persons decide on what waits."""
        from mailbot.desk import Desk

        return Desk(
            config=self.config,
            rubric=self.rubric,
            store=self.store,
            organizations=self.organizations,
            named=self.organization,
            foresee=lambda message, given: self.settler().foresee(message, given),
            as_of_now=self._as_of_now,
            decide=self._decide_if_alone,
            clock=self.clock,
        )

    @contextmanager
    def alone(self) -> Iterator[None]:
        """As the one worker on this storage directory and this database, with the organizations as they are listed.

        Raises AnotherWorkerError.
        """
        with only_worker(self.config.storage.directory) as self._holds_lock, self.store.alone():
            keep_as_listed(self.store, self.registry, self.config, self.clock())
            yield

    def run(self, *, once: bool) -> bool:
        """One round, or round after round until told to stop. False where something could not be reached.

        Raises TemporaryError where another worker is at work on the same storage.
        """
        with self.alone():
            if self.judges_otherwise():
                log.warning(
                    "judged otherwise so far", what="deadline, papers owed or form", see="mailbot rescore"
                )
            if not once:
                self._stayed = self.worker()
                return self._stayed.stay()
            alarms = self.alarms
            reached = self.worker(reminding=False).once()
            alarms.tell()
            return reached

    @property
    def starts_anew(self) -> bool:
        """Whether the worker has ended because its files have changed: a new process is to work by them."""
        return self._stayed is not None and self._stayed.starts_anew

    def worker(self, *, reminding: bool = True) -> Worker:
        """Watchers, intake and outboxes, wired to wake each other."""
        arrived = threading.Event()
        outboxes = [self._outbox(m.name, reminding=reminding) for m in self.config.mailboxes]
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
            intake=lambda: self._waking_intake(outboxes),
            waits=self._something_waits,
            outboxes=outboxes,
            arrived=arrived,
            by_the_clock=self._by_the_clock,
            still_alone=lambda: self._holds_lock() and self.store.still_alone(),
            has_changed=self._changes.are_to_be_taken_over,
        )

    def _waking_intake(self, outboxes: Sequence[Outbox]) -> Intake:
        """An intake that tells the outboxes when something is committed."""
        from mailbot.settle import Step

        def committed(step: Step, message: int) -> None:
            if self.observe is not None:
                self.observe(step, message)
            if step is Step.COMMITTED:
                for outbox in outboxes:
                    outbox.wake.set()

        return self._intake(committed)

    def _something_waits(self) -> bool:
        """Whether there is anything to decide now."""
        now = self.clock()
        return bool(self.store.waiting(1, now=now) or self.store.to_decide_anew(now=now))

    def _by_the_clock(self) -> None:
        self.staff.by_the_clock()

    def _outbox(self, mailbox: str, *, reminding: bool) -> Outbox:
        return Outbox(
            self.config.mailbox(mailbox),
            self.config,
            self.store,
            self.clock,
            reminders=self._reminders(mailbox) if reminding else None,
            as_of_now=self._as_of_now,
        )

    def _as_of_now(self, reply: ReplyRecord) -> bytes | None:
        return self.settler().as_of_now(reply)

    def _reminders(self, mailbox: str) -> Reminders:
        from mailbot.reminders import Reminders

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
        from mailbot.reminders import is_a_day, next_day

        self._keep_as_listed()
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
        return len(self.store.reminders(day=day)) - before, next_day(self.config, now)

    def _keep_as_listed(self) -> None:
        """The organizations, unless a worker is running: it has done so when it started."""
        with suppress(AnotherWorkerError), self.alone():
            pass

    def _intake(self, observe: Observer | None) -> Intake:
        from mailbot.intake import Intake

        return Intake(
            config=self.config,
            store=self.store,
            reader=self.reader,
            settler=self.settler(observe),
            clock=self.clock,
        )

    def settler(self, observe: Observer | None = None) -> Settler:
        """What judges one message."""
        from mailbot.answer import Answerer
        from mailbot.settle import Settler

        return Settler(
            config=self.config,
            store=self.store,
            archive=self.archive,
            reader=self.reader,
            registry=self.registry,
            answerer=Answerer(self.config, self.rubric, self.store, self.clock),
            clock=self.clock,
            observe=observe or (lambda _step, _message: None),
        )

    def ingest(self, mailbox: str, paths: Sequence[Path]) -> tuple[int, int]:
        """Take in mails from files and decide them; their replies are queued for the next round.

        Returns how many mails the files held and how many of them were new. Raises UsageError.
        """
        from mailbot.mail.files import read_files

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
