"""Reads all files of a mail, those in archives and forwarded mails too. A new format is one line in `_READERS`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mailbot.documents import detect, html, spreadsheet, text, unpack, word
from mailbot.documents.locked import is_locked, opens_unasked
from mailbot.documents.needs import NeedsHelp, Supplied
from mailbot.errors import (
    DangerousError,
    DocumentError,
    EmptyError,
    EncryptedError,
    TooLargeError,
    UnreadableError,
    UnsupportedError,
)
from mailbot.model import Code, Format
from mailbot.reading import Bounds, Extract, Need, Part

_MEGABYTE = 2**20
_EMBEDDED = frozenset({Format.XLSX, Format.XLS, Format.ODS, Format.DOCX, Format.DOC})
_MOST_TO_PASS_ON = 32 * _MEGABYTE
"""Octets of documents in need that are handed back at once; the others get their turn in a later round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPart:
    """One file, and what became of it: an extract, a code that says why not, or a need, with an extract where some of it
    is read without; none where it is a container or not worth reading."""

    key: str
    filename: str
    format: Format
    sha256: str
    size: int
    container: str | None
    folder: str
    extract: Extract | None
    code: Code | None
    reason: str
    needs: Need | None
    data: bytes | None
    """Set only with `needs`, and not for all at once."""


def read_parts(
    parts: Sequence[Part],
    *,
    limits: Bounds,
    supplied: Mapping[str, Supplied],
    begin: Callable[[str], None],
    open_mail: Callable[[bytes], tuple[Part, ...]],
    found_in: Callable[[bytes], str] | None = None,
) -> tuple[ReadPart, ...]:
    """Read the files of a mail in order; a container stands before its members, whose keys begin with its own.

    `begin` is told each file's key before its octets are touched, and '' at the end. A key in `supplied` is not
    read but given that result; what was converted is read under the key with a `+`. `found_in` names the malware in
    a file, '' where there is none.
    """
    reading = _Reading(limits, supplied, begin, open_mail, found_in or (lambda _data: ""))
    read = tuple(found for part in parts for found in reading.part(part, depth=0))
    begin("")
    return read


class _Reading:
    """The reading of one mail: its bounds and how much of them is used."""

    def __init__(
        self,
        limits: Bounds,
        supplied: Mapping[str, Supplied],
        begin: Callable[[str], None],
        open_mail: Callable[[bytes], tuple[Part, ...]],
        found_in: Callable[[bytes], str],
    ) -> None:
        self._limits = limits
        self._supplied = supplied
        self._begin = begin
        self._open_mail = open_mail
        self._found_in = found_in
        self._budget = unpack.Budget(octets=limits.archive_mb * _MEGABYTE)
        self._to_pass_on = _MOST_TO_PASS_ON

    def part(self, part: Part, depth: int) -> Iterator[ReadPart]:
        """The file, and after it the files that it holds."""
        given = self._supplied.get(part.key)
        if found := self._found_in(part.data):
            yield _failed(_bare(part, Format.UNKNOWN), DangerousError(found))
            return
        if given is None:
            self._begin(part.key)
        format_ = _format(part)
        bare = _bare(part, format_)
        if given is not None:
            yield self._given(bare, part, given)
        elif format_ in unpack.CONTAINERS and part.data:
            yield from self._container(bare, part, depth)
        else:
            yield self._document(bare, part)
        refused = given is not None and given.code is not None and given.extract is None
        if format_ is Format.DOCX and not refused and depth < self._limits.archive_depth:
            yield from self._embedded(part, depth)

    def _embedded(self, part: Part, depth: int) -> Iterator[ReadPart]:
        """What lies in a Word file as objects, of the kinds that a form comes in."""
        try:
            found = unpack.counted(
                (unpack.Member(filename=name, data=data) for name, data in word.embedded(part.data)),
                self._budget,
            )
            members = [member for member in found if detect.detect(member.data) in _EMBEDDED]
        except DocumentError:
            return
        for number, member in enumerate(members, start=1):
            yield from self.part(_part(part, number, member), depth + 1)

    def _container(self, bare: ReadPart, part: Part, depth: int) -> Iterator[ReadPart]:
        inside: list[ReadPart] = []
        fault: DocumentError | None = None
        try:
            for member in self._members(part, bare.format, depth):
                inside.extend(self.part(member, depth + 1))
        except DocumentError as error:
            fault = error
        yield _failed(bare, fault) if fault else bare
        yield from inside

    def _members(self, part: Part, format_: Format, depth: int) -> Iterator[Part]:
        if depth >= self._limits.archive_depth:
            raise DangerousError(f"archives in archives, deeper than {self._limits.archive_depth}")
        members = unpack.members(part.data, format_, budget=self._budget, open_mail=self._open_mail)
        for number, member in enumerate(members, start=1):
            yield _part(part, number, member)

    def _document(self, bare: ReadPart, part: Part) -> ReadPart:
        try:
            return replace(bare, extract=self._extract(part.data, bare.format, part.filename))
        except NeedsHelp as wanted:
            return self._needing(replace(bare, extract=wanted.otherwise), part, wanted.need)
        except DocumentError as error:
            return _failed(bare, error)

    def _needing(self, bare: ReadPart, part: Part, need: Need) -> ReadPart:
        self._to_pass_on -= bare.size
        first = self._to_pass_on + bare.size == _MOST_TO_PASS_ON
        return replace(bare, needs=need, data=part.data if first or self._to_pass_on >= 0 else None)

    def _given(self, bare: ReadPart, part: Part, given: Supplied) -> ReadPart:
        if given.code is not None:
            return replace(bare, extract=given.extract, code=given.code, reason=given.reason)
        if given.extract is not None:
            return replace(bare, extract=given.extract)
        if given.converted is None:
            return bare
        return self._converted(bare, part, given.converted)

    def _converted(self, bare: ReadPart, part: Part, data: bytes) -> ReadPart:
        """What the office program made of it. Where that kills its reader too, or is scans, what became of it is given
        under a key of its own."""
        key = f"{part.key}+"
        again = self._supplied.get(key)
        if again is not None:
            return _of_format(self._given(bare, part, again), bare.format)
        self._begin(key)
        read = self._document(replace(bare, format=detect.detect(data)), replace(part, data=data))
        if read.needs is Need.OCR:
            return replace(read, key=key)
        if read.needs is not None:
            return _failed(bare, UnreadableError("it could not be converted to a format that is read"))
        return _of_format(read, bare.format)

    def _extract(self, data: bytes, format_: Format, filename: str) -> Extract:
        if not data:
            raise EmptyError("zero bytes")
        if len(data) > self._limits.document_mb * _MEGABYTE:
            raise TooLargeError(f"{len(data)} octets")
        if is_locked(data, format_):
            if format_ is Format.XLS and opens_unasked(data):
                raise NeedsHelp(Need.OFFICE)
            raise EncryptedError("the document needs a password")
        reader = _READERS.get(format_)
        if reader is None:
            raise _unread(data, format_, filename)
        try:
            return reader(data)
        except (NeedsHelp, DocumentError, MemoryError):
            raise
        except Exception as error:
            raise UnreadableError(f"{type(error).__name__}: {error}"[:300]) from error


def _part(container: Part, number: int, member: unpack.Member) -> Part:
    return Part(
        key=f"{container.key}.{number}",
        filename=member.filename,
        content_type=member.content_type,
        data=member.data,
        container=container.filename,
        folder=member.folder,
    )


def _format(part: Part) -> Format:
    """By its octets; a forwarded mail is known by its declared type too, since its head may be poor."""
    format_ = detect.detect(part.data)
    poor = format_ in (Format.TEXT, Format.CSV, Format.HTML, Format.UNKNOWN)
    return Format.EML if poor and part.data and part.content_type == "message/rfc822" else format_


def _bare(part: Part, format_: Format) -> ReadPart:
    return ReadPart(
        key=part.key,
        filename=part.filename,
        format=format_,
        sha256=part.sha256.hex(),
        size=len(part.data),
        container=part.container,
        folder=part.folder,
        extract=None,
        code=None,
        reason="",
        needs=None,
        data=None,
    )


def _of_format(read: ReadPart, format_: Format) -> ReadPart:
    """As the format in which it came."""
    extract = replace(read.extract, format=format_) if read.extract else None
    return replace(read, format=format_, extract=extract)


def _failed(bare: ReadPart, error: DocumentError) -> ReadPart:
    return replace(bare, code=Code(error.code), reason=str(error))


def _unread(data: bytes, format_: Format, filename: str) -> DocumentError:
    if format_ is not Format.UNKNOWN:
        return UnsupportedError(format_.value)
    return UnsupportedError(detect.unread_kind(data, filename))


def _need(need: Need) -> Extract:
    raise NeedsHelp(need)


def _workbook(data: bytes, format_: Format) -> Extract:
    return _need(Need.OFFICE) if detect.is_flat(data) else spreadsheet.read(data, format_)


def _pdf(data: bytes) -> Extract:
    from mailbot.documents import pdf

    return pdf.read(data)


def _ofd(data: bytes) -> Extract:
    from mailbot.documents import ofd

    return ofd.read(data)


_READERS: Mapping[Format, Callable[[bytes], Extract]] = {
    Format.XLSX: lambda data: spreadsheet.read(data, Format.XLSX),
    Format.XLS: lambda data: _workbook(data, Format.XLS),
    Format.ODS: lambda data: _workbook(data, Format.ODS),
    Format.DOCX: word.read,
    Format.PDF: _pdf,
    Format.OFD: _ofd,
    Format.HTML: html.read,
    Format.CSV: text.read_csv,
    Format.TEXT: text.read,
    Format.IMAGE: lambda _: _need(Need.OCR),
    Format.DOC: lambda _: _need(Need.OFFICE),
    Format.WPS: lambda _: _need(Need.OFFICE),
    Format.ET: lambda _: _need(Need.OFFICE),
    Format.ODT: lambda _: _need(Need.OFFICE),
    Format.RTF: lambda _: _need(Need.OFFICE),
}
