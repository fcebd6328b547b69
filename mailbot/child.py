"""What runs in the bounded children: a mail is parsed, its documents are unpacked and read, the form is examined.

The messages between child and parent are MessagePack.
"""

from __future__ import annotations

from functools import lru_cache
from typing import IO, TYPE_CHECKING

import msgspec

from mailbot.documents.needs import Supplied
from mailbot.documents.sandbox import Parent
from mailbot.errors import DocumentError
from mailbot.model import PAPERS, Code, Finding, Format, ReadBy, Role, doubt, finding
from mailbot.reading import Bounds, DocumentReading, Extract, MailHead, MailReading, Need, Part
from mailbot.rubric import Rubric

if TYPE_CHECKING:
    from mailbot.documents.read import ReadPart
    from mailbot.form.examine import Examined

_OF_OFFICE = frozenset({Format.DOCX, Format.DOC, Format.WPS, Format.ODT, Format.RTF, Format.XLSX})
_OF_PAGES = frozenset({Format.PDF, Format.OFD})


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What the parent wants read of the file that it hands over."""

    document: str | None
    """File name of a single document; None where the file is a mail."""
    authserv_id: str | None
    own_addresses: tuple[str, ...]
    rubric: bytes
    """MessagePack of a Rubric."""
    limits: Bounds
    scanned: bool
    """Whether the parent is to be asked about each file before it is read."""
    supplied: dict[str, Supplied]


class Want(msgspec.Struct, frozen=True, kw_only=True):
    """What a child may not do itself with one of the files."""

    key: str
    need: Need
    format: Format
    data: bytes
    otherwise: Extract | None
    """What was read of it without."""


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """What was read, as far as that goes without what is wanted."""

    reading: MailReading
    wants: tuple[Want, ...]


class OcrRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One scan or photograph."""

    format: Format
    data: bytes


_requests = msgspec.msgpack.Decoder(Request)
_ocr_requests = msgspec.msgpack.Decoder(OcrRequest)


def serve(request: bytes, parent: Parent) -> bytes:
    """Child: read the mail or document that the file holds."""
    wanted = _requests.decode(request)
    head, parts = _open(parent.file, wanted)
    return msgspec.msgpack.encode(_read(head, parts, wanted, parent))


def serve_ocr(request: bytes, parent: Parent) -> bytes:
    """Child of its own: recognize the characters of one scan or photograph."""
    from mailbot.documents import ocr

    wanted = _ocr_requests.decode(request)
    parent.progress("ocr")
    try:
        supplied = Supplied(extract=ocr.read(wanted.data, wanted.format, parent.progress))
    except DocumentError as error:
        supplied = Supplied(code=Code(error.code), reason=str(error))
    return msgspec.msgpack.encode(supplied)


@lru_cache(maxsize=4)
def _rubric(packed: bytes) -> Rubric:
    return msgspec.msgpack.decode(packed, type=Rubric)


def _open(file: IO[bytes] | None, wanted: Request) -> tuple[MailHead, tuple[Part, ...]]:
    octets = file.read() if file else b""
    if wanted.document is not None:
        part = Part(key="1", filename=wanted.document, content_type="", data=octets)
        return MailHead(message_id="", subject="", from_=(), reply_to=()), (part,)
    from mailbot.mail.parse import parse

    parsed = parse(octets, authserv_id=wanted.authserv_id, own_addresses=frozenset(wanted.own_addresses))
    return parsed.head, _without_logos(parsed.parts)


def _parts_of(octets: bytes) -> tuple[Part, ...]:
    from mailbot.mail.parse import parse

    return _without_logos(parse(octets, authserv_id=None, own_addresses=frozenset()).parts)


def _without_logos(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Without the pictures that the words show and that are too small to be a page, however many octets they have."""
    if not any(part.shown for part in parts):
        return parts
    from mailbot.documents.dimensions import worth_recognizing

    return tuple(part for part in parts if not part.shown or worth_recognizing(part.data))


def _read(head: MailHead, parts: tuple[Part, ...], wanted: Request, parent: Parent) -> Response:
    from mailbot.documents.read import read_parts
    from mailbot.form.doubts import with_words
    from mailbot.form.examine import Readable, examine

    read = read_parts(
        parts,
        limits=wanted.limits,
        supplied=wanted.supplied,
        begin=parent.progress,
        open_mail=_parts_of,
        found_in=(lambda data: parent.ask(data).decode()) if wanted.scanned else None,
    )
    examined = examine(
        [Readable(key=p.key, filename=p.filename, extract=p.extract) for p in read if p.extract],
        _rubric(wanted.rubric),
    )
    documents = (
        DocumentReading(
            key=p.key,
            filename=p.filename,
            format=p.format,
            role=examined.roles.get(p.key, Role.OTHER),
            sha256=p.sha256,
            size=p.size,
            container=p.container,
            folder=p.folder,
            findings=_against(p, examined),
            year=examined.years.get(p.key),
            covers=tuple(sorted(examined.covers.get(p.key, ()))),
            organizations=examined.organizations.get(p.key, ()),
            title=_title(p, examined),
            seal=p.extract.seal if p.extract else None,
        )
        for p in read
    )
    return Response(
        reading=MailReading(
            head=head,
            documents=with_words(head, documents, _rubric(wanted.rubric).year),
            assessment=examined.assessment,
            findings=examined.findings,
            form_key=examined.form_key,
        ),
        wants=tuple(
            Want(key=p.key, need=p.needs, format=p.format, data=p.data, otherwise=p.extract)
            for p in read
            if p.needs and p.data is not None
        ),
    )


def _title(part: ReadPart, examined: Examined) -> str:
    """Of a summary or plan; one that by its name or place is evidence may bear another's."""
    from mailbot.form.roles import entitling_lines, is_named_evidence

    is_report = any(role in PAPERS for role in examined.covers.get(part.key, ()))
    if part.extract is None or not is_report or is_named_evidence(part.container, part.folder, part.filename):
        return ""
    return entitling_lines(part.extract)


def _against(part: ReadPart, examined: Examined) -> tuple[Finding, ...]:
    """The findings on what kept a file from being read or placed.

    A scan within an office file or PDF of which nothing could be made out may be a missing paper: that is for a person.
    A photograph by itself most likely shows an activity, and gets no finding.
    """
    from mailbot.documents.word import says_little

    if part.code:
        return (finding(part.code, document=part.filename, found=part.reason),)
    if may_be := examined.may_be.get(part.key):
        reason = "nothing tells of which year it is, or whether it is one of the papers"
        return (doubt(part.filename, reason, may_be),)
    placed = examined.covers.get(part.key) or examined.years.get(part.key)
    placed = placed or examined.roles.get(part.key) in (Role.FORM, Role.EVIDENCE)
    if part.extract is None or part.extract.read_by is not ReadBy.OCR or placed:
        return ()
    reason = "nothing could be made out in its pictures"
    if part.format in _OF_OFFICE:
        return (finding(Code.MESSAGE_UNPROCESSABLE, document=part.filename, found=reason),)
    if part.format in _OF_PAGES and says_little(part.extract.text):
        return (doubt(part.filename, reason),)
    return ()
