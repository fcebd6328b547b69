"""Takes every message that waits through all steps: read → identify → decide → compose → commit.

Mails are read side by side in bounded children and decided one after the other, in the order of their receipt.
Several decisions share one commit as long as none depends on another. Here everything is caught, whatever it is:
whatever a mail breaks, the mail is kept, the failure counted, and the next mail taken.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mailbot.config import Config
from mailbot.errors import ScannerError, TemporaryError
from mailbot.log import log
from mailbot.reader import Reader
from mailbot.reading import MailReading
from mailbot.records import Anew, PutOff, StoredMessage
from mailbot.report.letters import BrokenTemplateError
from mailbot.settle import Settler, Step, reason_of
from mailbot.store.store import Settled, Store

_GROUP = 50
"""Most decisions in one commit."""
_AHEAD = 4
"""How many mails for each child are read ahead of the decision."""
_MOMENT_SECONDS, _LONGEST_MOMENT_SECONDS = 0.1, 2.0
"""How long a decision waits for others to share its commit, at first and at most: the first answers of a rush go out
soon, and none comes later than in twice the time that the run has taken by then."""
_MOST_ATTEMPTS = 3
_RETRY_AFTER = timedelta(minutes=2)
_TEMPLATE_AFTER = timedelta(minutes=5)
_SCANNER_AFTER = timedelta(minutes=2)
_ANEW_AFTER = timedelta(minutes=10)


@dataclass(slots=True)
class _Group:
    """Decisions that wait for one commit."""

    settled: list[Settled] = field(default_factory=list)
    concerned: set[str] = field(default_factory=set)
    """What they depend on and change: sha256 and fingerprints of mails, senders, names of organizations."""
    begun: float = 0.0
    """Monotonic time of the first of them."""
    moment: float = _MOMENT_SECONDS
    """For how many seconds the first of them may wait."""

    def add(self, settled: Settled) -> None:
        """One more decision for this commit."""
        if not self.settled:
            self.begun = time.monotonic()
        self.settled.append(settled)

    def can_wait(self, reading: Future[MailReading]) -> bool:
        """Wait for the next reading, but no longer than the group's first decision may wait; whether it has come."""
        left = self.begun + self.moment - time.monotonic() if self.settled else None
        try:
            reading.exception(left)
        except TimeoutError:
            return False
        return True


class Intake:
    """Decides what waits in the store. One at a time: the decisions of one organization build on each other."""

    def __init__(
        self, *, config: Config, store: Store, reader: Reader, settler: Settler, clock: Callable[[], datetime]
    ) -> None:
        self._own_templates = config.templates is not None
        self._store = store
        self._reader = reader
        self._settler = settler
        self._clock = clock
        self._group = _Group()
        self._begun = 0.0

    def prepare(self) -> None:
        """Start the reading children ahead of the first mail, which then need not wait for them."""
        self._reader.warm()

    def run(self, stop: Callable[[], bool] = lambda: False) -> int:
        """Decide all that waits and is due; returns how many messages were taken.

        What was still being read when `stop` began to say so waits for the next run: the stop may have ended its reader.
        Raises TemporaryError where the database or the disk does not let us go on.
        """
        with self._store.looking():
            return self._run(stop)

    def _run(self, stop: Callable[[], bool]) -> int:
        taken = 0
        self._begun = time.monotonic()
        self._group = _Group()
        while not stop() and (again := self._store.to_decide_anew(now=self._clock())):
            for message, why in again:
                if stop():
                    break
                self._decide_anew(message, why, stop)
                taken += 1
        with ThreadPoolExecutor(self._reader.children, thread_name_prefix="read") as readers:
            while not stop() and (waiting := self._store.waiting(_GROUP * 4, now=self._clock())):
                for message, reading in self._read_ahead(waiting, readers):
                    self._wait_for(reading)
                    if stop():
                        break
                    self._take(message, reading)
                    taken += 1
                self._commit()
        return taken

    def _read_ahead(
        self, waiting: Iterable[StoredMessage], readers: ThreadPoolExecutor
    ) -> Iterator[tuple[StoredMessage, Future[MailReading]]]:
        """Each message with its reading under way, a bounded number ahead."""
        ahead: deque[tuple[StoredMessage, Future[MailReading]]] = deque()
        for message in waiting:
            ahead.append((message, readers.submit(self._settler.read, message)))
            if len(ahead) > self._reader.children * _AHEAD:
                yield ahead.popleft()
        yield from ahead

    def _wait_for(self, reading: Future[MailReading]) -> None:
        """Until it is there, or has failed; what is decided already is not kept waiting for long."""
        if not reading.done() and not self._group.can_wait(reading):
            self._commit()
            wait((reading,))

    def _take(self, message: StoredMessage, reading: Future[MailReading]) -> None:
        try:
            settled = self._settler.settle(message, reading.result(), self._commit_concerned)
            self._group.add(settled)
        except Exception as error:
            if not self._is_put_off(message, error):
                if isinstance(error, TemporaryError):
                    raise
                self._failed(message, error)
        if len(self._group.settled) >= _GROUP:
            self._commit()

    def _decide_anew(self, message: StoredMessage, why: Anew, stop: Callable[[], bool]) -> None:
        """Decide a message once more because of a person's ruling. Where that fails the old decision stays, and it is
        tried again after `_ANEW_AFTER`."""
        try:
            settled = self._settler.settle_anew(message, why)
            if stop():
                return
            self._store.record_decisions((settled,))
        except Exception as error:
            if self._is_put_off(message, error):
                return
            if isinstance(error, TemporaryError):
                raise
            log.exception("deciding anew failed", message=message.id)
            now = self._clock()
            reason = reason_of(error)
            self._store.count_failure(message.id, reason, at=now, retry_at=now + _ANEW_AFTER)
            return
        log.info("decided anew", message=message.id, outcome=settled.decision.outcome.value)
        self._settler.observe(Step.COMMITTED, message.id)

    def _commit_concerned(self, concerned: set[str]) -> None:
        """Commit the group first, if it holds decisions on anything that the next decision depends on."""
        concerned.discard("")
        if self._group.concerned & concerned:
            self._commit()
        self._group.concerned |= concerned

    def _commit(self) -> None:
        lasted = time.monotonic() - self._begun
        moment = min(max(lasted, _MOMENT_SECONDS), _LONGEST_MOMENT_SECONDS)
        group, self._group = self._group, _Group(moment=moment)
        if not group.settled:
            return
        try:
            self._store.record_decisions(group.settled)
        except TemporaryError:
            raise
        except Exception:
            log.exception("a group of decisions could not be recorded; each is tried alone")
            for settled in group.settled:
                self._commit_alone(settled)
        for settled in group.settled:
            log.info("decided", message=settled.message, outcome=settled.decision.outcome.value)
            self._settler.observe(Step.COMMITTED, settled.message)

    def _commit_alone(self, settled: Settled) -> None:
        message = self._store.waiting_message(settled.message)
        if message is None:
            return
        try:
            self._store.record_decisions((settled,))
        except TemporaryError:
            raise
        except Exception as error:
            self._failed(message, error)

    def _is_put_off(self, message: StoredMessage, error: Exception) -> bool:
        """Put a message off that failed only because the scanner is away or a template of the office's is broken.

        That is no failure of the message's: it waits, uncounted, until somebody has mended it, and staff are told.
        False for every other error.
        """
        if isinstance(error, ScannerError):
            why, after = PutOff.SCANNER, _SCANNER_AFTER
        elif isinstance(error, BrokenTemplateError) and self._own_templates:
            why, after = PutOff.TEMPLATE, _TEMPLATE_AFTER
        else:
            return False
        log.error("a message waits", message=message.id, what_for=why.value, reason=str(error))
        self._commit()
        self._store.put_off(message.id, why, str(error), retry_at=self._clock() + after)
        return True

    def _failed(self, message: StoredMessage, error: Exception) -> None:
        """Count the failure in the database; after the last attempt a person is asked."""
        log.exception("processing failed", message=message.id, attempt=message.attempts + 1)
        self._commit()
        now = self._clock()
        reason = reason_of(error)
        attempts = self._store.count_failure(message.id, reason, at=now, retry_at=now + _RETRY_AFTER)
        if attempts >= _MOST_ATTEMPTS:
            self._store.record_decisions((self._settler.given_up(message, reason),))
