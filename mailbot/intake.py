"""Takes every message that waits through all steps: read → identify → decide → compose → commit.

Mails are read side by side in bounded children and decided one after the other, in the order of their receipt.
Several decisions share one commit as long as none depends on another. Here is the only broad `except` of the
program: whatever a mail breaks, the mail is kept, the failure counted, and the next mail taken.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

import structlog

from mailbot.answer import Answerer
from mailbot.config import Config
from mailbot.decide import Arrival, Terms, decide, unprocessable
from mailbot.errors import DocumentError, TemporaryError
from mailbot.mail.receipt import disputed
from mailbot.model import Code, Role, Track, finding
from mailbot.reader import Reader
from mailbot.reading import MailHead, MailReading
from mailbot.records import StoredMessage
from mailbot.registry import Identity, Registry, identify
from mailbot.store.archive import Archive
from mailbot.store.store import Copy, Settled, Store

log = structlog.get_logger()

_GROUP = 50
"""Most decisions in one commit."""
_AHEAD = 4
"""How many mails for each child are read ahead of the decision."""
_MOST_ATTEMPTS = 3
_RETRY_AFTER = timedelta(minutes=2)
NOBODY = MailHead(message_id="", subject="", from_=(), reply_to=())


class Step(StrEnum):
    """The borders between the steps, as an observer sees them."""

    TAKEN = "taken"
    READ = "read"
    DECIDED = "decided"
    COMMITTED = "committed"


@dataclass(slots=True)
class _Group:
    """Decisions that wait for one commit, and whom they concern."""

    settled: list[Settled] = field(default_factory=list)
    concerned: set[str] = field(default_factory=set)


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
        observe: Callable[[Step, int], None] = lambda step, message: None,
    ) -> None:
        self._config = config
        self._store = store
        self._archive = archive
        self._reader = reader
        self._registry = registry
        self._answerer = answerer
        self._clock = clock
        self._observe = observe
        self._terms = terms_of(config)
        self._own = frozenset(mailbox.address.lower() for mailbox in config.mailboxes)
        self._group = _Group()

    def run(self, stop: Callable[[], bool] = lambda: False) -> int:
        """Decide all that waits and is due; returns how many messages were taken.

        Raises TemporaryError where the database or the disk does not let us go on.
        """
        taken = 0
        with ThreadPoolExecutor(self._reader.children, thread_name_prefix="read") as readers:
            while not stop() and (waiting := self._store.waiting(_GROUP * 4, now=self._clock())):
                for message, reading in self._read_ahead(waiting, readers):
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

    def _take(self, message: StoredMessage, reading: Future[MailReading]) -> None:
        if not reading.done():
            self._commit()
        try:
            self._group.settled.append(self._settle(message, reading.result()))
        except TemporaryError:
            raise
        except Exception as error:
            self._failed(message, error)
        if len(self._group.settled) >= _GROUP:
            self._commit()

    def _settle(self, message: StoredMessage, reading: MailReading) -> Settled:
        self._observe(Step.READ, message.id)
        self._part_from({message.sha256, reading.head.fingerprint, *_senders(reading.head)})
        copy = self._store.find_copy(message, reading.head.fingerprint)
        identity = self._identify(message, reading)
        organization = identity.organization
        if organization:
            self._part_from({organization.name})
        earlier = self._store.contributions(organization.name) if organization else ()
        superseded = copy if copy and _comes_before(message, copy) else None
        decision = decide(
            self._arrival(message, reading.head, copy if superseded is None else None),
            reading,
            identity,
            tuple(c for c in earlier if superseded is None or c.message != superseded.id),
            self._terms,
        )
        self._observe(Step.DECIDED, message.id)
        answered = superseded is not None and not superseded.junk
        return Settled(
            message=message.id,
            head=reading.head,
            documents=reading.documents,
            assessment=reading.assessment,
            decision=decision,
            decided_at=self._clock(),
            replies=() if answered else self._answerer.answer(message, reading, decision),
            supersedes=superseded.id if superseded else None,
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

    def _part_from(self, concerned: set[str]) -> None:
        """Commit first what the next decision has to know of."""
        concerned.discard("")
        if self._group.concerned & concerned:
            self._commit()
        self._group.concerned |= concerned

    def _commit(self) -> None:
        group, self._group = self._group, _Group()
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

    def _failed(self, message: StoredMessage, error: Exception) -> None:
        """Count the failure in the database; after the last attempt a person is asked."""
        log.error("processing failed", message=message.id, attempt=message.attempts + 1, exc_info=error)
        self._commit()
        now = self._clock()
        reason = f"{type(error).__name__}: {error}"[:500]
        attempts = self._store.count_failure(message.id, reason, at=now, retry_at=now + _RETRY_AFTER)
        if attempts >= _MOST_ATTEMPTS:
            self._store.record_decisions(
                (
                    Settled(
                        message=message.id,
                        head=NOBODY,
                        documents=(),
                        assessment=None,
                        decision=unprocessable(reason),
                        decided_at=now,
                        replies=(),
                        supersedes=None,
                    ),
                )
            )


def terms_of(config: Config) -> Terms:
    """What the campaign asks for, by track; a mailbox's `requires` goes before the notice's own."""
    notice = {
        Track.SOCIETY: (Role.FORM, Role.SUMMARY, Role.PLAN),
        Track.ENTERPRISE: (Role.SUMMARY, Role.PLAN),
    }
    return Terms(
        opens=config.campaign.opens,
        deadline=config.campaign.deadline,
        requires=notice | {mailbox.track: mailbox.requires for mailbox in config.mailboxes},
    )


def _senders(head: MailHead) -> tuple[str, ...]:
    return tuple(address.address.lower() for address in head.from_)


def _comes_before(message: StoredMessage, copy: Copy) -> bool:
    """Whether this copy counts in place of one decided earlier: it was received first, or that lay in Junk."""
    if copy.junk != message.junk:
        return copy.junk
    return message.received_at < copy.received_at
