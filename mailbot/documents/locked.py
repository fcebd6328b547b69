"""Whether a document is under a password: it is told by its structure, and no password is ever guessed."""

from __future__ import annotations

import io
import zipfile
import zlib

from mailbot.documents.detect import ole_streams
from mailbot.documents.rc4 import is_for_none
from mailbot.model import Format

_RAR5 = b"Rar!\x1a\x07\x01\x00"
_RAR5_FILE, _RAR5_ENCRYPTED_HEADERS, _RAR5_ENCRYPTION = 2, 4, 1
_FIB_FLAGS_AT, _FIB_ENCRYPTED = 11, 0x01
_FILEPASS = 0x2F
_MOST_RECORDS = 50
_LARGEST_MANIFEST = 4 * 2**20


def is_locked(data: bytes, format_: Format) -> bool:
    """Office files with an encrypted package (MS-OFFCRYPTO), encrypted doc and xls, encrypted OpenDocument."""
    match format_:
        case Format.UNKNOWN | Format.ET | Format.WPS:
            return not {"encryptedpackage", "encryptioninfo"}.isdisjoint(ole_streams(data))
        case Format.DOC:
            head = _stream(data, "WordDocument")
            return len(head) > _FIB_FLAGS_AT and bool(head[_FIB_FLAGS_AT] & _FIB_ENCRYPTED)
        case Format.XLS:
            return _filepass(data) is not None
        case Format.ODS | Format.ODT:
            return b"encryption-data" in _manifest(data)
        case _:
            return False


def opens_unasked(data: bytes) -> bool:
    """Whether an encrypted xls is one that nobody is asked a password for."""
    return is_for_none(_filepass(data) or b"")


def _stream(data: bytes, name: str) -> bytes:
    import olefile

    try:
        with olefile.OleFileIO(io.BytesIO(data)) as ole:
            return bytes(ole.openstream(name).read(65536)) if ole.exists(name) else b""
    except (OSError, ValueError, TypeError, IndexError, AttributeError, LookupError, RecursionError):
        return b""


def _filepass(data: bytes) -> bytes | None:
    """What the record FILEPASS of an xls holds. It stands near the beginning, before anything that is encrypted
    (MS-XLS 2.4.117)."""
    stream = _stream(data, "Workbook") or _stream(data, "Book")
    at = 0
    for _ in range(_MOST_RECORDS):
        kind, size = (int.from_bytes(stream[at + n : at + n + 2], "little") for n in (0, 2))
        if kind == _FILEPASS:
            return stream[at + 4 : at + 4 + size]
        at += 4 + size
        if at + 4 > len(stream):
            return None
    return None


def _manifest(data: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            manifest = archive.open("META-INF/manifest.xml")
            return manifest.read(_LARGEST_MANIFEST)
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, OSError, ValueError, RuntimeError):
        return b""


def rar_is_locked(data: bytes) -> bool:
    """Whether a RAR 5 archive, or a file in it, is encrypted (RAR 5.0 archive format); libarchive does not always tell."""
    at = len(_RAR5)
    while data.startswith(_RAR5) and at + 7 < len(data):
        size, start = _vint(data, at + 4)
        kind, field = _vint(data, start)
        flags, field = _vint(data, field)
        extra, field = _vint(data, field) if flags & 1 else (0, field)
        content = _vint(data, field)[0] if flags & 2 else 0
        end = start + size
        if kind == _RAR5_ENCRYPTED_HEADERS:
            return True
        if kind == _RAR5_FILE and _RAR5_ENCRYPTION in _extra_kinds(data, max(end - extra, start), end):
            return True
        at = end + content
    return False


def _extra_kinds(data: bytes, at: int, end: int) -> set[int]:
    kinds = set()
    while at < min(end, len(data)):
        size, start = _vint(data, at)
        kinds.add(_vint(data, start)[0])
        at = start + size
    return kinds


def _vint(data: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits an octet, and where the next thing begins."""
    number = 0
    for place, octet in enumerate(data[at : at + 10]):
        number |= (octet & 0x7F) << 7 * place
        if octet < 0x80:
            return number, at + place + 1
    return number, at + 10
