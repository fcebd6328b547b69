"""Workbooks (xlsx) in whose cells a part is struck out: that part is taken away before the file is read."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping

from mailbot.documents.package import Package
from mailbot.errors import UnreadableError

_PARTS = re.compile(r"/?xl/(?:sharedStrings|worksheets/[^/]+)\.xml", re.IGNORECASE)
_LARGEST = 64 * 2**20
_STRING = re.compile(rb"<(?:\w+:)?(?P<kind>si|is)>.*?</(?:\w+:)?(?P=kind)>", re.DOTALL)
_RUN = re.compile(rb"<(?:\w+:)?r>.*?</(?:\w+:)?r>", re.DOTALL)
_STRUCK = re.compile(rb"<(?:\w+:)?strike(?:\s+val=\"(?:1|true)\")?\s*/>")
_TEXT = re.compile(rb"<(?:\w+:)?t\b[^>]*>[^<]*\S[^<]*</")


def without_struck(data: bytes, package: Package) -> bytes:
    """The workbook without what is struck out beside other text in its cell; one that cannot be unpacked as it is."""
    try:
        changed = dict(_changed(package))
        return _with(package.archive, changed) if changed else data
    except (
        UnreadableError,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        ValueError,
        NotImplementedError,
        RuntimeError,
    ):
        return data


def _changed(package: Package) -> Iterator[tuple[str, bytes]]:
    for member in package.archive.infolist():
        if _PARTS.fullmatch(member.filename) and member.file_size <= _LARGEST:
            octets = package.unpacked(member)
            if b"strike" in octets and _STRUCK.search(octets):
                yield member.filename, _STRING.sub(_shown, octets)


def _shown(string: re.Match[bytes]) -> bytes:
    """A string's runs (ECMA-376 part 1, 18.4.8) that are not struck out; all where there are no others."""
    if not any(_TEXT.search(run) and not _STRUCK.search(run) for run in _RUN.findall(string[0])):
        return string[0]
    return _RUN.sub(lambda run: b"" if _STRUCK.search(run[0]) else run[0], string[0])


def _with(archive: zipfile.ZipFile, changed: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as written:
        for member in archive.infolist():
            written.writestr(member.filename, changed.get(member.filename) or archive.read(member))
    return out.getvalue()
