"""The contract's words as types: what a finding, an assessment, a version and a decision are. Values only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Track(StrEnum):
    """What an organization owes: 省级学会 a form, a summary and a plan; 省属企业科协 summary and plan."""

    SOCIETY = "society"
    ENTERPRISE = "enterprise"


class Role(StrEnum):
    """What a document is, by what it says."""

    FORM = "form"
    SUMMARY = "summary"
    PLAN = "plan"
    SUMMARY_AND_PLAN = "summary_and_plan"
    EVIDENCE = "evidence"
    OTHER = "other"


class Format(StrEnum):
    """What the bytes of a document are, whatever its name says."""

    XLSX = "xlsx"
    XLS = "xls"
    ODS = "ods"
    DOCX = "docx"
    DOC = "doc"
    ODT = "odt"
    RTF = "rtf"
    ET = "et"
    WPS = "wps"
    PDF = "pdf"
    HTML = "html"
    CSV = "csv"
    TEXT = "text"
    IMAGE = "image"
    OFD = "ofd"
    ZIP = "zip"
    RAR = "rar"
    SEVEN_ZIP = "7z"
    TAR = "tar"
    TNEF = "tnef"
    EML = "eml"
    UNKNOWN = "unknown"


ZIP_START, OLE_START, PDF_START = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"%PDF-"
"""How files begin: xlsx, docx, ods and other ZIP archives (APPNOTE 4.3.7); xls, doc, et and Outlook's .msg (MS-CFB 2.2); PDF."""


class ReadBy(StrEnum):
    """How the numbers of a form were read."""

    CELLS = "cells"
    TABLE = "table"
    TEXT = "text"
    OCR = "ocr"


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Code(StrEnum):
    """The finding codes of the contract."""

    FORM_MISSING = "form.missing"
    SUMMARY_MISSING = "summary.missing"
    PLAN_MISSING = "plan.missing"
    FORM_BLANK = "form.blank"
    FORM_WRONG_YEAR = "form.wrong_year"
    FORM_ALTERED = "form.altered"
    FORM_CONFLICTING = "form.conflicting"
    FORM_LOW_CONFIDENCE = "form.low_confidence"
    ORGANIZATION_MISSING = "organization.missing"
    ORGANIZATION_UNKNOWN = "organization.unknown"
    ORGANIZATION_MISMATCH = "organization.mismatch"
    SCORE_MISSING = "score.missing"
    SCORE_NOT_A_NUMBER = "score.not_a_number"
    SCORE_OVER_MAX = "score.over_max"
    SCORE_NEGATIVE = "score.negative"
    TOTAL_MISSING = "total.missing"
    TOTAL_MISMATCH = "total.mismatch"
    EVIDENCE_MISSING = "evidence.missing"
    EVIDENCE_UNSUPPORTED = "evidence.unsupported"
    DOCUMENT_UNREADABLE = "document.unreadable"
    DOCUMENT_ENCRYPTED = "document.encrypted"
    DOCUMENT_UNSUPPORTED = "document.unsupported"
    DOCUMENT_EMPTY = "document.empty"
    DOCUMENT_TOO_LARGE = "document.too_large"
    DOCUMENT_DANGEROUS = "document.dangerous"
    DELIVERY_LINK_ONLY = "delivery.link_only"
    DELIVERY_LATE = "delivery.late"
    DELIVERY_WRONG_MAILBOX = "delivery.wrong_mailbox"
    DELIVERY_TIME_DISPUTED = "delivery.time_disputed"
    DELIVERY_IN_JUNK = "delivery.in_junk"
    SENDER_UNAUTHENTICATED = "sender.unauthenticated"
    MESSAGE_AUTOMATIC = "message.automatic"
    MESSAGE_DUPLICATE = "message.duplicate"
    MESSAGE_OUT_OF_CAMPAIGN = "message.out_of_campaign"
    MESSAGE_INQUIRY = "message.inquiry"
    MESSAGE_UNPROCESSABLE = "message.unprocessable"

    @property
    def severity(self) -> Severity:
        """The severity that the contract gives this code where nothing else is said."""
        if self in _WARNINGS:
            return Severity.WARNING
        return Severity.INFO if self in _INFOS else Severity.ERROR

    @property
    def asks_a_person(self) -> bool:
        """Whether the contract marks this code `review`: only a person can decide."""
        return self in _REVIEWS

    @property
    def is_about_the_form(self) -> bool:
        """Whether it is noticed of a self-assessment form alone."""
        return self.value.startswith(("form.", "score.", "total.", "evidence."))


_REVIEWS = frozenset(
    {
        Code.FORM_CONFLICTING,
        Code.FORM_LOW_CONFIDENCE,
        Code.ORGANIZATION_UNKNOWN,
        Code.ORGANIZATION_MISMATCH,
        Code.DOCUMENT_DANGEROUS,
        Code.SENDER_UNAUTHENTICATED,
        Code.DELIVERY_IN_JUNK,
        Code.MESSAGE_INQUIRY,
        Code.MESSAGE_UNPROCESSABLE,
    }
)
_INFOS = frozenset(
    {
        Code.EVIDENCE_UNSUPPORTED,
        Code.DELIVERY_WRONG_MAILBOX,
        Code.MESSAGE_AUTOMATIC,
        Code.MESSAGE_DUPLICATE,
        Code.MESSAGE_OUT_OF_CAMPAIGN,
        Code.MESSAGE_INQUIRY,
    }
)
_WARNINGS = (_REVIEWS - _INFOS) | {Code.TOTAL_MISSING, Code.DELIVERY_LATE, Code.DELIVERY_TIME_DISPUTED}


UNREAD = frozenset(code for code in Code if code.value.startswith("document."))
"""Why a document was not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was noticed. The words for people are made from it by `report.wording`."""

    code: Code
    severity: Severity
    item: int | None = None
    """序号 of the item concerned; None for what concerns the whole form or mail."""
    found: str = ""
    """What stood there, quoted from the mail or document; never trusted as markup."""
    wanted: str = ""
    """What should stand there, where that is a plain value: a maximum, a sum, a year, a name."""
    document: str | None = None
    """File name of the document concerned."""
    place: str = ""
    """Where in the document: `Sheet1!F7`, `第2页`."""


def finding(
    code: Code,
    *,
    item: int | None = None,
    found: str = "",
    wanted: str = "",
    document: str | None = None,
    place: str = "",
    severity: Severity | None = None,
) -> Finding:
    """A finding with the contract's severity for its code, unless another is given."""
    return Finding(
        code=code,
        severity=severity or code.severity,
        item=item,
        found=found,
        wanted=wanted,
        document=document,
        place=place,
    )


PAPERS = (Role.SUMMARY, Role.PLAN)


def doubt(document: str, reason: str, may_be: Iterable[Role] = PAPERS) -> Finding:
    """That a document may be a summary or plan that lacks, which only a person can tell."""
    wanted = " or ".join(role for role in PAPERS if role in set(may_be))
    return finding(Code.MESSAGE_UNPROCESSABLE, document=document, found=reason, wanted=wanted)


def doubted(each: Finding) -> tuple[Role, ...]:
    """What a document may be by such a doubt, which is nothing to look at unless that lacks; () for other findings."""
    if each.code is not Code.MESSAGE_UNPROCESSABLE:
        return ()
    said = each.wanted.split(" or ")
    return tuple(role for role in PAPERS if role in said)


SURE = 0.9
"""Below this confidence a recognized cell is in doubt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemReading:
    """One scored row of a form as it was read."""

    no: int
    """序号 by the rubric, whatever number stood in the row."""
    score: Decimal | None
    """The self-assessed points as claimed (not capped); None where none could be read."""
    score_text: str
    """What stood in the 自评分 cell."""
    evidence: str
    """What stood in the 自评依据 cell."""
    score_place: str = ""
    evidence_place: str = ""
    confidence: float | None = None
    """0..1 for OCR; None where the characters were given."""
    picture: bytes | None = None
    """PNG of the score cell where OCR was in doubt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What was read from a form."""

    organization: str | None
    """填报单位 as written, cleaned of blanks and (盖章)."""
    year: int | None
    read_by: ReadBy
    items: tuple[ItemReading, ...]
    """One for each of the rubric's items that has a row in the form, in the rubric's order."""
    stated_total: Decimal | None
    total: Decimal | None
    """Sum of the scores as claimed; None where no score could be read."""
    document: str | None = None
    """File name of the document it was read from."""


class Outcome(StrEnum):
    """What became of a message."""

    ACKNOWLEDGED = "acknowledged"
    CORRECTION = "correction"
    REVIEW = "review"
    IGNORED = "ignored"


class ReplyKind(StrEnum):
    ACKNOWLEDGEMENT = "acknowledgement"
    CORRECTION = "correction"
    RECEIPT = "receipt"


class ReplyState(StrEnum):
    """Where a reply stands; `sending` is written before the first byte leaves."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DRAFTED = "drafted"
    HELD = "held"
    FAILED = "failed"
    UNCERTAIN = "uncertain"


class Status(StrEnum):
    """Where an organization stands; the first three are also the states of a version."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    REVIEW = "review"
    NOT_RECEIVED = "not_received"


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """Who reports. Without a registry it is known by its name alone."""

    name: str
    track: Track
    aliases: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


class RulingKind(StrEnum):
    """What a person decided on a message."""

    ASSIGN = "assign"
    """It is that organization's; all else is judged as ever."""
    ACCEPT = "accept"
    """What came is taken as it is: doubts and faults of it are settled. What never came is still asked for."""
    CORRECT = "correct"
    """The organization is asked for a correction, with a sentence of the person's own."""
    NO_SUBMISSION = "no_submission"
    """It is no submission: a question answered by hand, spam."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """A person's decision on one message."""

    message: int
    kind: RulingKind
    by: str
    why: str
    at: datetime
    organization: str | None = None
    track: Track | None = None
    sentence: str = ""
    """What the organization is asked for, in the person's words."""


def verdict(rulings: Sequence[Ruling]) -> Ruling | None:
    """The last word on what a message comes to. An assignment settles no doubt, but takes back that it was no submission."""
    last = next((r for r in reversed(rulings) if r.kind is not RulingKind.ASSIGN), None)
    if last is not None and last.kind is RulingKind.NO_SUBMISSION and last is not rulings[-1]:
        return None
    return last


def assignment(rulings: Sequence[Ruling]) -> Ruling | None:
    """The last word on whose message it is."""
    return next((r for r in reversed(rulings) if r.kind is RulingKind.ASSIGN), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a person asks of an organization on account of one message."""

    message: int
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One document that counts for a role of a submission."""

    filename: str
    sha256: str
    message: int
    """Row number of the message that carried it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What one decided message adds to its organization's submission."""

    message: int
    received_at: datetime
    form: Piece | None = None
    summary: Piece | None = None
    plan: Piece | None = None
    form_findings: tuple[Finding, ...] = ()
    """Findings on the form itself; they stand until a newer form replaces it."""
    total: Decimal | None = None
    review: tuple[Finding, ...] = ()
    """Findings on the message for which only a person can decide."""
    blank_form: str | None = None
    """File name of an official form that came back without scores, where no filled one came with it."""
    read_by_hand: Piece | None = None
    """What a person has read where the program could not: it counts for what nothing else is held for."""
    request: Request | None = None
    """What a person asks for; it stands until a document of this message is replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A version of an organization's submission without what it holds: when it came, and what it came to."""

    number: int
    message: int
    received_at: datetime
    on_time: bool
    state: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Version(Outline):
    """An organization's submission as it stood after one message."""

    form: Piece | None = None
    summary: Piece | None = None
    plan: Piece | None = None
    total: Decimal | None = None
    findings: tuple[Finding, ...] = ()
    """What stands against it: missing documents and the form's findings."""
    requests: tuple[Request, ...] = ()
    """What a person has asked for and has not got yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is to become of one message."""

    outcome: Outcome
    findings: tuple[Finding, ...]
    """Everything noticed, for staff and the export."""
    organization: Organization | None = None
    reply: ReplyKind | None = None
    """What goes back; None where nothing may."""
    contribution: Contribution | None = None
    versions: tuple[Version, ...] = field(default=())
    """All versions of the organization's submission, this message's included, oldest first."""
    requests: tuple[Request, ...] = ()
    """What a person asks for, beside the findings."""
