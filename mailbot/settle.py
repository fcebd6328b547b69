"""What one message comes to: read → identify → decide → compose. Nothing is recorded here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from mailbot.answer import Answerer
from mailbot.config import Config
from mailbot.decide import Arrival, decide, unprocessable
from mailbot.errors import DocumentError, TemporaryError
from mailbot.mail.receipt import disputed
from mailbot.model import (
    Code,
    Contribution,
    Decision,
    Organization,
    ReplyKind,
    Role,
    Ruling,
    Track,
    assignment,
    finding,
)
from mailbot.reader import Reader
from mailbot.reading import DocumentReading, MailHead, MailReading
from mailbot.records import Anew, MessageRecord, ReplyRecord, StoredMessage
from mailbot.registry import Identity, Registry, identify
from mailbot.store.archive import Archive, ArchiveError
from mailbot.store.store import Copy, DecidedAnew, Left, Settled, Store
from mailbot.submission import Terms, fold

NOBODY = MailHead(message_id="", subject="", from_=(), reply_to=())


class Step(StrEnum):
    """The borders between the steps, as an observer sees them."""

    TAKEN = "taken"
    READ = "read"
    DECIDED = "decided"
    COMMITTED = "committed"


Observer = Callable[[Step, int], None]
"""Is told of each border that a message passes, with the message's number."""


class Settler:
    """Judges messages, each by what the store knows at that moment. `observe` is told of each step."""

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
        observe: Observer,
    ) -> None:
        self._config = config
        self._store = store
        self._archive = archive
        self._reader = reader
        self._registry = registry
        self._answerer = answerer
        self._clock = clock
        self.observe = observe
        self._terms = Terms(
            opens=config.campaign.opens, deadline=config.campaign.deadline, requires=config.owed
        )
        self._own = frozenset(mailbox.address.lower() for mailbox in config.mailboxes)

    def read(self, message: StoredMessage) -> MailReading:
        """The mail as a bounded child reads it. Thread-safe. Raises what `Reader.read_mail` does, and ArchiveError where
        the mail is not there any more."""
        self.observe(Step.TAKEN, message.id)
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
        except FileNotFoundError as error:
            raise ArchiveError(
                f"the mail itself is not there any more: {error.filename}; put the file back, the archive's backup has it"
            ) from error
        except DocumentError as error:
            broken = finding(Code(error.code), found=str(error))
            return MailReading(
                head=NOBODY,
                documents=(),
                findings=(broken, finding(Code.MESSAGE_UNPROCESSABLE, found=str(error))),
            )

    def settle(
        self,
        message: StoredMessage,
        reading: MailReading,
        commit_concerned: Callable[[set[str]], None] = lambda _concerned: None,
    ) -> Settled:
        """The first decision on a message.

        `commit_concerned` is called, before the store is asked, with the names of all that the decision depends on
        (octets, senders, organization): decisions on these that are not committed yet must be first.
        """
        self.observe(Step.READ, message.id)
        commit_concerned({message.sha256, reading.head.fingerprint, *_senders(reading.head)})
        copy = self._store.find_copy(message, reading.head.fingerprint)
        superseded = copy if copy and _comes_before(message, copy) else None
        rulings = self._store.rulings(superseded.id) if superseded else ()
        identity = self._as_assigned(rulings, self._identify(message, reading))
        organization = identity.organization
        if organization:
            commit_concerned({organization.name})
        earlier = self._store.contributions(organization.name) if organization else ()
        arrival = self._arrival(message, reading.head, copy if superseded is None else None)
        earlier = tuple(c for c in earlier if superseded is None or c.message != superseded.id)
        decision = decide(arrival, reading, identity, earlier, self._terms, rulings=rulings)
        nameless: tuple[Contribution, ...] = ()
        if organization and (decision.contribution or not reading.documents):
            nameless = self._store.nameless_contributions(self._senders_for_one(reading.head))
        if nameless:
            everything = (*earlier, *nameless)
            decision = decide(
                arrival, reading, identity, everything, self._terms, rulings=rulings, names_papers=True
            )
        self.observe(Step.DECIDED, message.id)
        answered = superseded is not None and not superseded.junk
        return replace(
            self._settled(message, reading, decision),
            replies=() if answered else self._answerer.answer(message, reading, decision),
            takes_in=tuple(c.message for c in nameless if decision.contribution),
            supersedes=superseded.id if superseded else None,
        )

    def given_up(self, message: StoredMessage, reason: str) -> Settled:
        """That processing has failed for good: a person is asked."""
        return self._settled(message, MailReading(head=NOBODY, documents=()), unprocessable(reason))

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
                *(("folder", document.folder) for document in reading.documents if _is_paper(document)),
            ),
            papers=[document for document in reading.documents if document.title],
            introductions=head.introductions,
            learned=self._store.learned_organization(
                self._senders_for_one(head), (head.in_reply_to, *head.references)
            ),
            default_track=self._config.mailbox(message.mailbox).track,
            has_form=any(document.role is Role.FORM for document in reading.documents),
            wrote_for=self._several(head),
        )

    def _senders_for_one(self, head: MailHead) -> tuple[str, ...]:
        """The senders, unless they write for several: then one mail of theirs says nothing of another."""
        return () if self._several(head) else _senders(head)

    def _several(self, head: MailHead) -> tuple[Organization, ...]:
        """The organizations that the senders are registered for, else have written for, where these are more than one."""
        senders = _senders(head)
        registered = self._registry.all_of_sender(senders) if self._registry else ()
        known = registered or self._store.organizations_of(senders)
        return known if len(known) > 1 else ()

    def foresee(self, message: StoredMessage, given: Sequence[Ruling]) -> Decision:
        """What the message would come to if a person gave these rulings on it. Raises what `read` does."""
        _, decision = self._decide_anew(
            message, self._known(message), (*self._store.rulings(message.id), *given)
        )
        return decision

    def as_of_now(self, reply: ReplyRecord) -> bytes | None:
        """A correction letter that has not left, as it reads now: it says how long there is still time. None where it
        stays as it is. Raises what `read` does, and BrokenTemplateError."""
        if reply.kind is not ReplyKind.CORRECTION:
            return None
        message = self._store.stored_message(reply.message)
        reading, decision = self._decide_anew(message, self._known(message), self._store.rulings(message.id))
        letters = self._answerer.answer(message, reading, decision, ordered=True)
        same = (one for one in letters if (one.message_id, one.to) == (reply.message_id, reply.to))
        return next((letter.octets for letter in same), None)

    def settle_anew(self, message: StoredMessage, why: Anew) -> Settled:
        """The decision once more, on a message that a person has spoken on or that follows from such a one."""
        known = self._known(message)
        rulings = self._store.rulings(message.id)
        reading, decision = self._decide_anew(message, known, rulings)
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

    def _known(self, message: StoredMessage) -> MessageRecord:
        return next(self._store.messages(numbers=(message.id,)))

    def _decide_anew(
        self, message: StoredMessage, known: MessageRecord, rulings: Sequence[Ruling]
    ) -> tuple[MailReading, Decision]:
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
        return reading, decision

    def _read_anew(self, message: StoredMessage, known: MessageRecord) -> MailReading:
        """The reading; where processing failed for good before, it may fail again: then a person alone has read it."""
        if all(f.code is not Code.MESSAGE_UNPROCESSABLE for f in known.findings):
            return self.read(message)
        try:
            return self.read(message)
        except TemporaryError:
            raise
        except Exception as error:
            reason = reason_of(error)
            broken = finding(Code.MESSAGE_UNPROCESSABLE, found=reason)
            return MailReading(head=NOBODY, documents=(), findings=(broken,))

    def _others(self, message: StoredMessage, organization: Organization | None) -> tuple[Contribution, ...]:
        if organization is None:
            return ()
        return tuple(c for c in self._store.contributions(organization.name) if c.message != message.id)

    def _left(self, message: StoredMessage, known: MessageRecord, decision: Decision) -> Left | None:
        """The organization that the message belonged to until now, with its versions without it; None where it stays."""
        now = decision.organization.name if decision.organization else None
        if known.organization is None or known.organization == now:
            return None
        left = self._organization(known.organization)
        return Left(
            organization=left.name,
            versions=fold(self._others(message, left), left.track, self._terms),
        )

    def _as_decided(self, known: MessageRecord, identity: Identity) -> Identity:
        """The identity, with the organization of the first decision: mails that came since must not change it."""
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
        """The organization of that name or alias: as the registry has it, else as the store does."""
        listed = self._registry.listed_as(name) if self._registry else None
        if listed is not None:
            return listed
        record = None if track else self._store.organization(name)
        return Organization(name=name, track=track or (record.track if record else Track.SOCIETY))


def reason_of(error: Exception) -> str:
    """What is written down of a failure."""
    return f"{type(error).__name__}: {error}"[:500]


def _is_paper(document: DocumentReading) -> bool:
    """Whether the folder in which a document lay may name its sender. Evidence lies in folders named after others."""
    return document.folder != "" and document.role is not Role.EVIDENCE


def _senders(head: MailHead) -> tuple[str, ...]:
    return tuple(address.address.lower() for address in head.from_)


def _comes_before(message: StoredMessage, copy: Copy) -> bool:
    """Whether this copy of a mail counts in place of one decided earlier: that one lay in Junk, or was received later."""
    if copy.junk != message.junk:
        return copy.junk
    return message.received_at < copy.received_at
