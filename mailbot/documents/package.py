"""XML parts of a ZIP package (docx, OFD), read without trusting what it declares of itself."""

from __future__ import annotations

import io
import re
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
_ENTITIES = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_ENTITIES_WIDE = tuple("<!DOCTYPE".encode(code) for code in ("utf-16-le", "utf-16-be"))


class Package:
    """A ZIP file whose members are XML. Raises UnreadableError and DangerousError only."""

    def __init__(self, data: bytes) -> None:
        try:
            self.archive = zipfile.ZipFile(io.BytesIO(data))
            members = self.archive.infolist()
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise UnreadableError(f"no whole ZIP file: {error}") from error
        if len(members) > _MOST_PARTS:
            raise DangerousError(f"{len(members)} parts in one document")
        self._members = {member.filename.lstrip("/").lower(): member for member in members}
        self._left = _LARGEST_ALTOGETHER
        self._last: tuple[zipfile.ZipInfo, bytes] | None = None

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
        if _ENTITIES.search(octets) or any(sign in octets for sign in _ENTITIES_WIDE):
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
        """A part unpacked; None where there is no such part. What was unpacked last is kept."""
        member = self.member(name)
        if member is None:
            return None
        if self._last is None or self._last[0] is not member:
            self._last = (member, self._read(member))
        return self._last[1]

    def _read(self, member: zipfile.ZipInfo) -> bytes:
        if member.file_size > _LARGEST_PART or member.file_size > self._left:
            raise DangerousError(f"{member.filename} declares {member.file_size} octets")
        self._left -= member.file_size
        try:
            return self.archive.read(member)
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            OSError,
            NotImplementedError,
            RuntimeError,
        ) as error:
            raise UnreadableError(f"{member.filename} cannot be unpacked: {error}") from error


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
