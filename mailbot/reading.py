"""What is read from mails and documents: the neutral values between readers and judgement. Values only."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from mailbot.model import Assessment, Finding, Format, ReadBy, Role

PICTURE = "[图片]"
"""The text of a cell that holds nothing but a picture or an embedded object: it is not empty, and a number in it is for a
person to read."""


@dataclass(slots=True, kw_only=True)
class Cell:
    """One cell of a table, wherever the table came from. Nobody changes it.

    It is not frozen: hundreds are made for a form, and a frozen one takes six times as long.
    """

    text: str
    """Its text, line breaks as `\\n`, numbers in plain notation without trailing zeros; '' for an empty cell
    and for the continuation of a merged one."""
    place: str = ""
    """Where a person finds it: `Sheet1!F7`, `表1 第3行第5列`, `第2页`."""
    box: tuple[float, float, float, float] | None = None
    """x0, top, x1, bottom on its page, in points; None where there are no pages."""
    formula: str = ""
    """A formula whose value could not be had (no cached value, and not computable here)."""
    confidence: float | None = None
    """0..1 from OCR; None where the characters were given."""
    picture: bytes | None = None
    """PNG of the cell, only where OCR was in doubt."""
    merged: bool = False
    """Whether it is the continuation of a merged cell (its text is then '')."""
    across: bool = False
    """Whether it is more of the cell to its left (a column span), not of the one above alone."""
    hidden: bool = False
    """Whether it stands in a hidden row or column: it counts only where nothing visible says the same."""
    several: bool = False
    """Whether a person has to say what is meant: its text may mean more than one number, as one that was joined from
    several cells or is a share does, or it is empty and its text may stand in the cell beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A rectangular grid of cells; a table that runs over pages is one table."""

    rows: tuple[tuple[Cell, ...], ...]
    name: str = ""
    """Sheet name, or '' """
    hidden: bool = False
    """A hidden sheet: its form counts only where it is the only one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """What a reader got out of one document."""

    format: Format
    read_by: ReadBy
    text: str
    """Running text in reading order, table cells included (tab between cells, newline between rows)."""
    tables: tuple[Table, ...] = ()
    headings: tuple[str, ...] = ()
    """Titles and headings where the format marks them, else the first lines."""
    header: tuple[str, ...] = ()
    """Lines of the page header, where it is apart from the text."""
    seal: bool | None = None
    """Whether a red round seal (公章) was seen; None where nobody looked."""
    truncated: bool = False
    """Whether reading stopped at a limit (pages, rows)."""
    unsure: tuple[str, ...] = ()
    """Lines of which recognition was not sure."""


LAST_VOLUME = "zip volume"
"""Why a file is not read that is the last of an archive in several volumes: it is named as if it were whole."""


class Need(StrEnum):
    """What a document still needs before it can be read, that the reading child may not do itself."""

    OFFICE = "office"
    """Conversion by an office program (doc, wps, rtf, odt …)."""
    OCR = "ocr"
    """Character recognition (scan, photograph, PDF without usable text)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A cloud link in place of a file; never fetched."""

    url: str
    filename: str = ""
    expires: str = ""
    """Until when the file can be had there, as it is written: `2021年2月1日`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A mailbox address as in RFC 5322 §3.4: decoded display name, and addr-spec in lower-cased domain."""

    name: str
    address: str


class Authentication(StrEnum):
    """What the receiving server's Authentication-Results says of DMARC (RFC 8601, RFC 7489)."""

    PASSED = "pass"
    FAILED = "fail"
    UNKNOWN = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a mail asks beside the papers that it brings."""

    words: str
    """The sentences that ask, as they were written."""
    plain: bool
    """Whether it is certain that they ask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailHead:
    """What a mail says of itself, decoded and repaired. None of it is trusted."""

    message_id: str
    """With its angle brackets; '' where there is none."""
    subject: str
    from_: tuple[Address, ...]
    reply_to: tuple[Address, ...]
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    date: datetime | None = None
    """The sender's clock; never the receipt time."""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    received: datetime | None = None
    """The time in the topmost Received header, the receiving server's own."""
    authentication: Authentication = Authentication.UNKNOWN
    automatic: str = ""
    """The sign by which the mail is automatic (`Auto-Submitted: auto-replied`); '' for a person's mail."""
    text: str = ""
    """The body a person reads, quoted history and signature cut off as far as they are marked."""
    links: tuple[Link, ...] = ()
    claims_attachment: bool = False
    """Whether the body or subject says that a file is attached (见附件)."""
    asks: bool = False
    """Whether body or subject ask something, or the body says that papers will come later."""
    question: Question | None = None
    """What it asks that a person has to answer, whatever else it brings; never what it only quotes."""
    introductions: tuple[tuple[str, str], ...] = ()
    """Where the body's own words say who writes, as (kind, text), the surest kind first."""
    fingerprint: str = ""
    """sha256 over what the sender wrote (Message-ID, From, Date, Subject, parts), without what servers added:
    two copies of one mail in two mailboxes have the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One file that a mail carries, before anybody looked into it."""

    key: str
    """Its place in the mail: `2`, `2.1` for the first member of the second; stable for the same bytes."""
    filename: str
    """'' where it has none."""
    content_type: str
    data: bytes
    container: str | None = None
    """File name of the archive or forwarded mail that held it."""
    folder: str = ""
    """The folders within that archive."""
    inline: bool = False
    """Shown within the body (referenced by cid) rather than attached."""
    shown: bool = False
    """Whether the body's HTML shows it at a place of its own (cid)."""
    sha256: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sha256", hashlib.sha256(self.data).digest())


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much of a mail's files is read. Megabytes are 2**20 octets."""

    document_mb: int
    archive_mb: int
    archive_depth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentReading:
    """One document, read and placed."""

    key: str
    filename: str
    format: Format
    role: Role
    sha256: str
    size: int
    """Octets."""
    container: str | None = None
    folder: str = ""
    """The folders within that archive; a hint, never shown."""
    findings: tuple[Finding, ...] = ()
    """What kept it from being read: the `document.*` codes, with the default severity."""
    year: int | None = None
    """The year it speaks of, where it says so."""
    covers: tuple[Role, ...] = ()
    """What it counts for: a summary with next year's plan in it counts for both."""
    organizations: tuple[str, ...] = ()
    """Names of organizations in its title and signature."""
    title: str = ""
    """The title of what counts for a summary or plan, and what stands above it."""
    seal: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MailReading:
    """One mail, read whole."""

    head: MailHead
    documents: tuple[DocumentReading, ...]
    assessment: Assessment | None = None
    findings: tuple[Finding, ...] = ()
    """On the form (form.*, score.*, total.*, evidence.*) and on links."""
    form_key: str | None = None
    """Key of the document the assessment was read from."""
