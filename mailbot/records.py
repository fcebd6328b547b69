"""Rows of the store as values, for reports and for the worker. Times are aware; values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from mailbot.model import (
    Assessment,
    Code,
    Finding,
    Format,
    Outcome,
    Outline,
    ReplyKind,
    ReplyState,
    Role,
    Ruling,
    RulingKind,
    Status,
    Track,
    Version,
    verdict,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One mail as the mailbox edge or a file handed it over, its octets already durable in the archive."""

    mailbox: str
    folder: str
    uidvalidity: int
    uid: int
    sha256: str
    """Of the octets; '' where the mail stayed on the server because it is larger than limits.message_mb."""
    size: int
    """Octets (RFC822.SIZE)."""
    received_at: datetime
    """INTERNALDATE (RFC 3501 §2.3.3): when the mail entered the mailbox."""
    junk: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMessage:
    """A message that waits for its decision."""

    id: int
    mailbox: str
    folder: str
    uid: int
    sha256: str
    size: int
    received_at: datetime
    junk: bool
    attempts: int
    """How often processing has failed already."""
    receipt_hash: str = ""
    """Hash of its entry in the ledger."""


class Anew(StrEnum):
    """Why a decided message is to be decided once more."""

    RULED = "ruled"
    """A person has decided on it."""
    FOLLOWS = "follows"
    """A person has decided on another message of its organization."""


class PutOff(StrEnum):
    """Why a message waits through no fault of its own; it is taken up again by itself."""

    TEMPLATE = "template"
    """A template of the office's cannot be filled in."""
    SCANNER = "scanner"
    """Nobody can look it through for malware."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRecord:
    filename: str
    format: Format
    role: Role
    sha256: str
    size: int
    container: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyRecord:
    """A reply and where it stands."""

    id: int
    message: int
    mailbox: str
    kind: ReplyKind
    to: str
    message_id: str
    """Our own Message-ID, deterministic."""
    subject: str
    state: ReplyState
    queued_at: datetime
    attempts: int = 0
    sent_at: datetime | None = None
    error: str = ""
    dropped: str = ""
    """Why it is not to go any more: who decided so and why, or `SUPERSEDED`. The state stays what it was."""

    @property
    def is_stuck(self) -> bool:
        """Whether it does not go on without a person."""
        return self.state in STUCK and not self.dropped

    @property
    def is_looked_for_first(self) -> bool:
        """Whether it goes only where the Sent folder does not show it (`LOOK_FIRST`)."""
        return self.state is ReplyState.QUEUED and self.error.startswith(LOOK_FIRST)

    @property
    def was_put_off(self) -> bool:
        """Whether it is queued after an attempt that was in vain."""
        return self.state is ReplyState.QUEUED and self.error not in ("", LOOK_FIRST)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRecord:
    """Everything about one message, as the export and the digest show it."""

    id: int
    message_id: str
    mailbox: str
    folder: str
    uid: int
    sha256: str
    size: int
    received_at: datetime
    header_received: datetime | None
    """The receiving server's own Received header."""
    header_date: datetime | None
    """The sender's Date."""
    sender: str
    subject: str
    organization: str | None
    outcome: Outcome | None
    """None while it waits."""
    decided_at: datetime | None
    receipt_hash: str = ""
    """Hash of its entry in the ledger."""
    documents: tuple[DocumentRecord, ...] = ()
    assessment: Assessment | None = None
    findings: tuple[Finding, ...] = ()
    replies: tuple[ReplyRecord, ...] = ()
    copy_answered: bool = False
    """Whether it has no reply of its own because one is kept with a copy, which was decided first and counted till then."""
    text: str = ""
    """The beginning of what its writer wrote."""
    question: str = ""
    """What it asks beside the papers that it brings."""
    rulings: tuple[Ruling, ...] = ()
    """What persons decided on it, oldest first."""

    @property
    def waits_for_a_person(self) -> bool:
        """Whether only a person can decide it, and none has."""
        return self.outcome is Outcome.REVIEW and verdict(self.rulings) is None

    @property
    def stayed_on_the_server(self) -> bool:
        """Whether it was too large to be fetched: only its size and receipt time are known."""
        return self.sha256 == ""

    @property
    def was_passed_over(self) -> bool:
        """Whether it was ignored for what a person may know better: a robot's sign, or that it came too early."""
        return self.outcome is Outcome.IGNORED and any(f.code in PASSED_OVER for f in self.findings)

    @property
    def stuck_replies(self) -> tuple[ReplyRecord, ...]:
        """Its replies that did not go out, or of which nobody knows."""
        return tuple(reply for reply in self.replies if reply.is_stuck)


PASSED_OVER = (Code.MESSAGE_AUTOMATIC, Code.MESSAGE_OUT_OF_CAMPAIGN)
"""Why a mail is ignored, unless a person's ruling takes it in."""
NAMES_OTHERS = (Code.ORGANIZATION_MISMATCH, Code.FORM_CONFLICTING)
"""Findings that name another organization than the one for which the mail counts: it may hold papers of that one."""
STUCK = (ReplyState.HELD, ReplyState.FAILED, ReplyState.UNCERTAIN)
"""States of a reply that does not go on without a person."""
OUR_MESSAGE_ID = "<mailbot."
"""How the Message-ID of each mail begins that we write."""
SUPERSEDED = "superseded"
"""A later decision took a reply's place before it left."""
PERHAPS_SENT = "rebuilt"
"""Why a reply is held: it may have left before the database was made again."""
LOOK_FIRST = "looked for in the Sent folder first"
"""The note on a queued reply whose mail came before this database was begun: it may have been sent out of a database that
is lost, and goes only where the Sent folder does not show it. Why that could not be asked follows after a colon."""
NOT_IN_SENT = "rebuilt, and not in the Sent folder"
"""Why a reply is held: as before, and the newest mails of the Sent folder do not show it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationRecord:
    """Where one organization stands."""

    name: str
    track: Track
    status: Status
    versions: tuple[Outline, ...] = ()
    counts: Version | None = None
    """The version that counts: the last complete one by the deadline, else the newest."""
    aliases: tuple[str, ...] = ()
    """Its other names in the registry, those of before a rename or a merger among them."""
    emails: tuple[str, ...] = ()
    """Registered addresses."""
    senders: tuple[str, ...] = ()
    """Addresses it has written from."""
    assessment: Assessment | None = None
    """Of the version that counts."""
    unread: tuple[Finding, ...] = ()
    """Why documents that came with it, and while something lacks, were not taken."""
    registered: bool = False
    first_received_at: datetime | None = None
    paper_received: date | None = None
    paper_sealed: bool | None = None
    staff_points: Decimal | None = None
    """考核分, the staff's own; never set by the program."""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person wants of one message; at least one thing, and one verdict at most."""

    organization: str | None = None
    accept: bool = False
    correct: str | None = None
    no_submission: bool = False

    @property
    def kinds(self) -> tuple[RulingKind, ...]:
        """What it comes to, the assignment first."""
        wanted = {
            RulingKind.ASSIGN: self.organization is not None,
            RulingKind.ACCEPT: self.accept,
            RulingKind.CORRECT: self.correct is not None,
            RulingKind.NO_SUBMISSION: self.no_submission,
        }
        return tuple(kind for kind, yes in wanted.items() if yes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderRecord:
    """A reminder to one address of an organization, and where it stands."""

    organization: str
    recipient: str
    day: date
    """In the campaign's time zone; one a day at most."""
    mailbox: str
    subject: str
    state: ReplyState
    at: datetime
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderHealth:
    """How one folder of one mailbox is doing."""

    mailbox: str
    folder: str
    uidvalidity: int | None
    last_uid: int
    last_good_round: datetime | None
    last_error: str
    last_error_at: datetime | None
    on_server: int | None = None
    """How many mails the server showed in the last good round; None where it had no such folder."""

    @property
    def is_missing(self) -> bool:
        """Whether the server was reached and has no such folder."""
        return self.last_good_round is not None and self.on_server is None and not self.last_error


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Figures that need no walk over the messages."""

    messages: int
    waiting: int
    """Received and not yet decided."""
    by_outcome: dict[Outcome, int]
    replies: dict[ReplyState, int]
    """Without those that were dropped."""
