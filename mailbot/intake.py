"""Takes every message that waits through all steps: read → identify → decide → compose → commit.

Mails are read side by side in bounded children and decided one after the other, in the order of their receipt.
Several decisions share one commit as long as none depends on another. Here is the only broad `except` of the
program: whatever a mail breaks, the mail is kept, the failure counted, and the next mail taken.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from mailbot.answer import Answerer
from mailbot.config import Config
from mailbot.decide import Arrival, Terms, decide, fold, unprocessable
from mailbot.errors import DocumentError, ScannerError, TemporaryError
from mailbot.log import log
from mailbot.mail.receipt import disputed
from mailbot.model import (
    Code,
    Contribution,
    Decision,
    Organization,
    Role,
    Ruling,
    Track,
    assignment,
    finding,
)
from mailbot.reader import Reader
from mailbot.reading import MailHead, MailReading
from mailbot.records import Anew, MessageRecord, PutOff, StoredMessage
from mailbot.registry import Identity, Registry, identify
from mailbot.report.letters import BrokenTemplateError
from mailbot.store.archive import Archive
from mailbot.store.store import Copy, DecidedAnew, Left, Settled, Store

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
NOBODY = MailHead(message_id="", subject="", from_=(), reply_to=())


class Step(StrEnum):
    """The borders between the steps, as an observer sees them."""

    TAKEN = "taken"
    READ = "read"
    DECIDED = "decided"
    COMMITTED = "committed"


Observer = Callable[[Step, int], None]
"""Is told of each border that a message passes, with the message's number."""


@dataclass(slots=True)
class _Group:
    """Decisions that wait for one commit, and whom they concern."""

    settled: list[Settled] = field(default_factory=list)
    concerned: set[str] = field(default_factory=set)
    begun: float = 0.0
    moment: float = _MOMENT_SECONDS
    """How long the first of them may wait."""

    def add(self, settled: Settled) -> None:
        """One more decision for this commit."""
        if not self.settled:
            self.begun = time.monotonic()
        self.settled.append(settled)

    def can_wait(self, reading: Future[MailReading]) -> bool:
        """Wait for the next reading while it delays nobody's answer by more than a moment; whether it came."""
        left = self.begun + self.moment - time.monotonic() if self.settled else None
        try:
            reading.exception(left)
        except TimeoutError:
            return False
        return True


class Intake:
    """Decides what waits in the store. One at a time: the decisions of one organization build on each other."""

    def __init__(
        self,
        *,
        config: Config,
        store: Store,
        archive: Archive,
        reader: Reader,
        registry: Registry | None,
        answerer: Answerer,
        clock: Callable[[], datetime],
        observe: Observer | None = None,
    ) -> None:
        self._config = config
        self._store = store
        self._archive = archive
        self._reader = reader
        self._registry = registry
        self._answerer = answerer
        self._clock = clock
        self._observe: Observer = observe or (lambda _step, _message: None)
        self._terms = Terms(
            opens=config.campaign.opens, deadline=config.campaign.deadline, requires=config.owed
        )
        self._own = frozenset(mailbox.address.lower() for mailbox in config.mailboxes)
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
                self._decide_anew(message, why)
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
            ahead.append((message, readers.submit(self._read, message)))
            if len(ahead) > self._reader.children * _AHEAD:
                yield ahead.popleft()
        yield from ahead

    def _read(self, message: StoredMessage) -> MailReading:
        self._observe(Step.TAKEN, message.id)
        if not message.sha256:
            return MailReading(head=NOBODY, documents=())
        mailbox = self._config.mailbox(message.mailbox)
        try:
            return self._reader.read_mail(
                self._archive.path(message.sha256),
                authserv_id=mailbox.authserv_id,
                own_addresses=self._own,
                required=frozenset(mailbox.requires),
            )
        except DocumentError as error:
            broken = finding(Code(error.code), found=str(error))
            return MailReading(
                head=NOBODY,
                documents=(),
                findings=(broken, finding(Code.MESSAGE_UNPROCESSABLE, found=str(error))),
            )

    def _wait_for(self, reading: Future[MailReading]) -> None:
        """Until it is there, or has failed; what is decided already is not kept waiting for long."""
        if not reading.done() and not self._group.can_wait(reading):
            self._commit()
            wait((reading,))

    def _take(self, message: StoredMessage, reading: Future[MailReading]) -> None:
        try:
            self._group.add(self._settle(message, reading.result()))
        except Exception as error:
            if not self._is_put_off(message, error):
                if isinstance(error, TemporaryError):
                    raise
                self._failed(message, error)
        if len(self._group.settled) >= _GROUP:
            self._commit()

    def _settle(self, message: StoredMessage, reading: MailReading) -> Settled:
        self._observe(Step.READ, message.id)
        self._part_from({message.sha256, reading.head.fingerprint, *_senders(reading.head)})
        copy = self._store.find_copy(message, reading.head.fingerprint)
        superseded = copy if copy and _comes_before(message, copy) else None
        rulings = self._store.rulings(superseded.id) if superseded else ()
        identity = self._as_assigned(rulings, self._identify(message, reading))
        organization = identity.organization
        if organization:
            self._part_from({organization.name})
        earlier = self._store.contributions(organization.name) if organization else ()
        decision = decide(
            self._arrival(message, reading.head, copy if superseded is None else None),
            reading,
            identity,
            tuple(c for c in earlier if superseded is None or c.message != superseded.id),
            self._terms,
            rulings=rulings,
        )
        self._observe(Step.DECIDED, message.id)
        answered = superseded is not None and not superseded.junk
        return replace(
            self._settled(message, reading, decision),
            replies=() if answered else self._answerer.answer(message, reading, decision),
            supersedes=superseded.id if superseded else None,
        )

    def _settled(self, message: StoredMessage, reading: MailReading, decision: Decision) -> Settled:
        return Settled(
            message=message.id,
            head=reading.head,
            documents=reading.documents,
            assessment=reading.assessment,
            decision=decision,
            decided_at=self._clock(),
        )

    def _arrival(self, message: StoredMessage, head: MailHead, copy: Copy | None) -> Arrival:
        return Arrival(
            message=message.id,
            received_at=message.received_at,
            mailbox_track=self._config.mailbox(message.mailbox).track,
            junk=message.junk,
            duplicate_of=copy.id if copy else None,
            time_disputed=disputed(message.received_at, head.received, self._terms.deadline),
            oversized=not message.sha256,
        )

    def _identify(self, message: StoredMessage, reading: MailReading) -> Identity:
        head = reading.head
        senders = _senders(head)
        form_name = reading.assessment.organization if reading.assessment else None
        return identify(
            self._registry,
            form_name=form_name,
            senders=senders,
            hints=(
                *(("title", name) for document in reading.documents for name in document.organizations),
                ("subject", head.subject),
                *(("filename", document.filename) for document in reading.documents if document.filename),
            ),
            learned=self._store.learned_organization(senders, (head.in_reply_to, *head.references)),
            default_track=self._config.mailbox(message.mailbox).track,
            has_form=any(document.role is Role.FORM for document in reading.documents),
        )

    def _decide_anew(self, message: StoredMessage, why: Anew) -> None:
        """Decide once more what a person has spoken on; what fails is tried again later, and all stays as it was."""
        try:
            settled = self._settle_anew(message, why)
            self._store.record_decisions((settled,))
        except Exception as error:
            if self._is_put_off(message, error):
                return
            if isinstance(error, TemporaryError):
                raise
            log.exception("deciding anew failed", message=message.id)
            now = self._clock()
            reason = _reason(error)
            self._store.count_failure(message.id, reason, at=now, retry_at=now + _ANEW_AFTER)
            return
        log.info("decided anew", message=message.id, outcome=settled.decision.outcome.value)
        self._observe(Step.COMMITTED, message.id)

    def settled(self, message: StoredMessage, why: Anew | None) -> Settled:
        """What would be recorded of a message; `why` where it has been decided before. For who replays a ledger."""
        if why is not None:
            return self._settle_anew(message, why)
        return self._settle(message, self._read(message))

    def _settle_anew(self, message: StoredMessage, why: Anew) -> Settled:
        known = next(self._store.messages(numbers=(message.id,)))
        rulings = self._store.rulings(message.id)
        reading = self._read_anew(message, known)
        identity = self._as_decided(known, self._identify(message, reading))
        identity = self._as_assigned(rulings, identity)
        decision = decide(
            self._arrival(message, reading.head, None),
            reading,
            identity,
            self._others(message, identity.organization),
            self._terms,
            rulings=rulings,
        )
        return replace(
            self._settled(message, reading, decision),
            replies=self._answerer.answer(
                message,
                reading,
                decision,
                ordered=why is Anew.RULED,
                untold_since=known.decided_at if why is Anew.FOLLOWS else None,
            ),
            anew=DecidedAnew(
                rulings=len(rulings),
                ordered=why is Anew.RULED,
                left=self._left(message, known, decision),
            ),
        )

    def _read_anew(self, message: StoredMessage, known: MessageRecord) -> MailReading:
        """The reading; where processing failed for good before, it may fail again: then a person alone has read it."""
        if all(f.code is not Code.MESSAGE_UNPROCESSABLE for f in known.findings):
            return self._read(message)
        try:
            return self._read(message)
        except TemporaryError:
            raise
        except Exception as error:
            reason = _reason(error)
            broken = finding(Code.MESSAGE_UNPROCESSABLE, found=reason)
            return MailReading(head=NOBODY, documents=(), findings=(broken,))

    def _others(self, message: StoredMessage, organization: Organization | None) -> tuple[Contribution, ...]:
        if organization is None:
            return ()
        return tuple(c for c in self._store.contributions(organization.name) if c.message != message.id)

    def _left(self, message: StoredMessage, known: MessageRecord, decision: Decision) -> Left | None:
        """The organization that the message no longer belongs to, as it stands without it."""
        now = decision.organization.name if decision.organization else None
        if known.organization is None or known.organization == now:
            return None
        left = self._organization(known.organization)
        return Left(
            organization=left.name,
            versions=fold(self._others(message, left), left.track, self._terms),
        )

    def _as_decided(self, known: MessageRecord, identity: Identity) -> Identity:
        """What is decided anew stays whose it was: mails that came since must not move it."""
        if known.organization is None or (
            identity.organization and identity.organization.name == known.organization
        ):
            return identity
        return replace(identity, organization=self._organization(known.organization))

    def _as_assigned(self, rulings: Sequence[Ruling], identity: Identity) -> Identity:
        assigned = assignment(rulings)
        if assigned is None or assigned.organization is None:
            return identity
        return Identity(organization=self._organization(assigned.organization, assigned.track), how="person")

    def _organization(self, name: str, track: Track | None = None) -> Organization:
        """By its exact name: as registered, else as it is known."""
        registered = self._registry.organizations if self._registry else ()
        for organization in registered:
            if organization.name == name:
                return organization
        record = None if track else self._store.organization(name)
        return Organization(name=name, track=track or (record.track if record else Track.SOCIETY))

    def _part_from(self, concerned: set[str]) -> None:
        """Commit first what the next decision has to know of."""
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
            self._observe(Step.COMMITTED, settled.message)

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
        """What fails for want of something that somebody mends meanwhile waits for that, and staff are told."""
        if isinstance(error, ScannerError):
            why, after = PutOff.SCANNER, _SCANNER_AFTER
        elif isinstance(error, BrokenTemplateError) and self._config.templates is not None:
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
        reason = _reason(error)
        attempts = self._store.count_failure(message.id, reason, at=now, retry_at=now + _RETRY_AFTER)
        if attempts >= _MOST_ATTEMPTS:
            unread = MailReading(head=NOBODY, documents=())
            self._store.record_decisions((self._settled(message, unread, unprocessable(reason)),))


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:500]


def _senders(head: MailHead) -> tuple[str, ...]:
    return tuple(address.address.lower() for address in head.from_)


def _comes_before(message: StoredMessage, copy: Copy) -> bool:
    """Whether this copy counts in place of one decided earlier: it was received first, or that lay in Junk."""
    if copy.junk != message.junk:
        return copy.junk
    return message.received_at < copy.received_at
