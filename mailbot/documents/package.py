"""XML parts of a ZIP package (docx, OFD), read without trusting what it declares of itself."""

from __future__ import annotations

import hashlib
import io
import posixpath
import re
import struct
import zipfile
import zlib
from types import TracebackType
from typing import TYPE_CHECKING, Self

from mailbot.errors import DangerousError, UnreadableError

if TYPE_CHECKING:
    from lxml import etree

_LARGEST_PART = 40 * 2**20
_LARGEST_ALTOGETHER = 80 * 2**20
_MOST_PARTS = 20_000
_MOST_KEPT, _LARGEST_KEPT = 5, 2**20
_ENTITIES = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_ENTITIES_WIDE = tuple("<!DOCTYPE".encode(code) for code in ("utf-16-le", "utf-16-be"))
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)
_HEADER_SIZE, _NAMES_AT = 30, 26
"""Of a member's own header, and where it says how long the name and what else follows are (APPNOTE 4.3.7)."""


def declares_entities(octets: bytes) -> bool:
    """Whether XML says, in UTF-8 or UTF-16, that it has a document type or entities of its own."""
    if b"<!" in octets and _ENTITIES.search(octets) is not None:
        return True
    return any(sign in octets for sign in _ENTITIES_WIDE)


class Package:
    """A ZIP file whose members are XML. Raises UnreadableError and DangerousError only."""

    def __init__(self, data: bytes) -> None:
        try:
            self._data = data
            self.archive = zipfile.ZipFile(io.BytesIO(data))
            members = self.archive.infolist()
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise UnreadableError(f"no whole ZIP file: {error}") from error
        if len(members) > _MOST_PARTS:
            raise DangerousError(f"{len(members)} parts in one document")
        self._members = {member.filename.lstrip("/").lower(): member for member in members}
        self._left = _LARGEST_ALTOGETHER
        self._kept: dict[int, bytes] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.archive.close()

    def names(self) -> tuple[str, ...]:
        """The parts' names in lower case, as they lie in the file."""
        return tuple(self._members)

    def xml(self, name: str) -> etree._Element | None:
        """The root of a part; None where there is no such part. Names are compared without regard to case."""
        from lxml import etree

        octets = self.octets(name)
        if octets is None:
            return None
        if declares_entities(octets):
            raise DangerousError(f"{name} declares a document type or entities")
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
        try:
            return etree.fromstring(octets, parser)
        except (etree.XMLSyntaxError, ValueError) as error:
            raise UnreadableError(f"{name} is no XML: {error}") from error

    def member(self, name: str) -> zipfile.ZipInfo | None:
        """What the directory says of a part; None where there is no such part."""
        return self._members.get(name.lstrip("/").lower())

    def octets(self, name: str) -> bytes | None:
        """A part unpacked; None where there is no such part."""
        member = self.member(name)
        if member is None:
            return None
        if member.file_size > _LARGEST_PART or member.file_size > self._left:
            raise DangerousError(f"{member.filename} declares {member.file_size} octets")
        self._left -= member.file_size
        return self.unpacked(member)

    def related(self, name: str) -> dict[str, str]:
        """The parts that a part refers to, by the ids of its relations."""
        folder, file = posixpath.split(name)
        relations = self.xml(posixpath.join(folder, "_rels", f"{file}.rels"))
        return {
            attribute(one, "Id") or "": posixpath.normpath(
                posixpath.join("/", folder, attribute(one, "Target") or "")
            )
            for one in (relations if relations is not None else ())
            if attribute(one, "TargetMode") != "External"
        }

    def unpacked(self, member: zipfile.ZipInfo) -> bytes:
        """What a member holds, however large. The first small ones are kept for who asks again."""
        known = self._kept.get(member.header_offset)
        if known is not None:
            return known
        try:
            octets = self.archive.read(member)
        except _BROKEN as error:
            raise UnreadableError(f"{member.filename} cannot be unpacked: {error}") from error
        if len(self._kept) < _MOST_KEPT and len(octets) <= _LARGEST_KEPT:
            self._kept[member.header_offset] = octets
        return octets

    def fingerprint(self, name: str) -> bytes:
        """The same for two parts only if they unpack to the same; told without unpacking. b'' where there is no part."""
        member = self.member(name)
        if member is None:
            return b""
        try:
            with self.archive.open(member):
                names = struct.unpack_from("<HH", self._data, member.header_offset + _NAMES_AT)
        except _BROKEN as error:
            raise UnreadableError(f"{member.filename} cannot be unpacked: {error}") from error
        start = member.header_offset + _HEADER_SIZE + sum(names)
        told = f"{member.compress_type} {member.flag_bits} {member.CRC} {member.file_size} ".encode()
        return hashlib.sha256(told + self._data[start : start + member.compress_size]).digest()


def local(element: etree._Element) -> str:
    """An element's name without its namespace; '' for comments and the like."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def attribute(element: etree._Element, name: str) -> str | None:
    """An attribute by its name without namespace."""
    for key, value in element.attrib.items():
        if str(key).rpartition("}")[2] == name:
            return str(value)
    return None
