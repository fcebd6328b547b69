"""Entries of ZIP, tar, RAR and 7z archives, straight from memory; nothing is written anywhere.

ZIP and tar are read by the standard library, which gives the names' raw octets; RAR, 7z and what the standard
library cannot read of ZIP, by libarchive.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import locale
import lzma
import os
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from mailbot.documents.detect import is_last_volume
from mailbot.documents.locked import rar_is_locked
from mailbot.errors import EncryptedError, UnreadableError, UnsupportedError
from mailbot.model import Format
from mailbot.reading import LAST_VOLUME

_BLOCK = 256 * 1024
_UTF8_NAME = 0x800
_ENCRYPTED = 0x1
_UNICODE_PATH = 0x7075
_REGULAR = 0o100000
_BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, RuntimeError)
_FORMATS = {Format.ZIP: ("zip",), Format.RAR: ("rar", "rar5"), Format.SEVEN_ZIP: ("7zip",)}


@dataclass(frozen=True, slots=True)
class Entry:
    """A regular file in an archive."""

    name: bytes | str
    """With its folders; octets where the archive does not say in which charset."""
    blocks: Iterator[bytes]
    """Its contents; to be taken before the next entry is asked for."""


def zip_entries(data: bytes) -> Iterator[Entry]:
    """Of an archive cut short, what is there. Raises EncryptedError, UnreadableError, UnsupportedError."""
    if is_last_volume(data):
        raise UnsupportedError(LAST_VOLUME)
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except UnicodeDecodeError:
        yield from packed_entries(data, Format.ZIP)
        return
    except _BROKEN as error:
        if reads_packed():
            yield from packed_entries(data, Format.ZIP)
        raise UnreadableError(f"the archive is damaged: {error}") from error
    with archive:
        files = [info for info in archive.infolist() if _is_file(info)]
        if any(info.flag_bits & _ENCRYPTED for info in files):
            raise EncryptedError("the archive needs a password")
        if any(info.compress_type not in (0, 8, 12, 14) for info in files):
            yield from packed_entries(data, Format.ZIP)
            return
        for info in files:
            yield Entry(_zip_name(info), _zip_blocks(archive, info))


def _is_file(info: zipfile.ZipInfo) -> bool:
    """Neither a folder nor a symbolic link."""
    kind = (info.external_attr >> 16) & 0o170000
    return not info.filename.endswith(("/", "\\")) and kind in (0, _REGULAR)


def _zip_name(info: zipfile.ZipInfo) -> bytes | str:
    """The name as it stands in the archive, or in the field that says it in UTF-8 (APPNOTE 4.6.9)."""
    extra = info.extra
    while len(extra) >= 4:
        kind, length = int.from_bytes(extra[:2], "little"), int.from_bytes(extra[2:4], "little")
        if kind == _UNICODE_PATH and length > 5 and extra[4] == 1:
            return extra[9 : 4 + length]
        extra = extra[4 + length :]
    if info.flag_bits & _UTF8_NAME:
        return info.orig_filename
    return info.orig_filename.encode("cp437", "replace")


def _zip_blocks(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    try:
        with archive.open(info) as member:
            while block := member.read(_BLOCK):
                yield block
    except _BROKEN as error:
        raise UnreadableError(f"the archive is damaged: {error}") from error


def tar_entries(data: bytes) -> Iterator[Entry]:
    """A tar archive, also one packed with gzip, bzip2 or xz. Raises UnreadableError."""
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r|*", encoding="utf-8") as archive:
            for info in archive:
                if info.isreg() and (content := archive.extractfile(info)) is not None:
                    yield Entry(info.name.encode("utf-8", "surrogateescape"), _tar_blocks(content))
    except (tarfile.TarError, *_BROKEN) as error:
        raise UnreadableError(f"the archive is damaged: {error}") from error


def _tar_blocks(content: IO[bytes]) -> Iterator[bytes]:
    try:
        while block := content.read(_BLOCK):
            yield block
    except (tarfile.TarError, *_BROKEN) as error:
        raise UnreadableError(f"the archive is damaged: {error}") from error


def reads_packed() -> bool:
    """Whether `packed_entries` can: libarchive is installed."""
    return _libarchive() is not None


def packed_entries(data: bytes, format_: Format) -> Iterator[Entry]:
    """By libarchive. Raises EncryptedError, UnreadableError, UnsupportedError where it is not installed."""
    if format_ is Format.RAR and rar_is_locked(data):
        raise EncryptedError("the archive needs a password")
    libarchive = _libarchive()
    if libarchive is None:
        raise UnsupportedError(f"{format_} is not read here: libarchive is not installed")
    native = libarchive.ffi
    archive = native.read_new()
    try:
        native.get_read_filter_function("none")(archive)
        for name in _FORMATS[format_]:
            native.get_read_format_function(name)(archive)
        native.read_open_memory(archive, ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p), len(data))
        for entry in libarchive.read.ArchiveRead(archive):
            if native.libarchive.archive_entry_is_encrypted(ctypes.c_void_p(entry._entry_p)):
                raise EncryptedError("the archive needs a password")
            if entry.isreg and not entry.islnk:
                yield Entry(entry.pathname or "", _packed_blocks(libarchive, entry))
    except libarchive.ArchiveError as error:
        if native.libarchive.archive_read_has_encrypted_entries(ctypes.c_void_p(archive)) > 0:
            raise EncryptedError("the archive needs a password") from error
        raise UnreadableError(f"the archive is damaged: {error.msg}") from error
    finally:
        native.read_free(archive)


def _packed_blocks(libarchive: Any, entry: Any) -> Iterator[bytes]:
    try:
        yield from entry.get_blocks(_BLOCK)
    except libarchive.ArchiveError as error:
        raise UnreadableError(f"the archive is damaged: {error.msg}") from error


def _libarchive() -> Any:
    """The library's binding, which by itself would start programs to find the shared library.

    It gives names by the locale's charset, whatever theirs is.
    """
    if sys.platform == "linux":
        os.environ.setdefault("LIBARCHIVE", "libarchive.so.13")
    if locale.nl_langinfo(locale.CODESET).upper() != "UTF-8":
        with contextlib.suppress(locale.Error):
            locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    try:
        import libarchive
        import libarchive.read
    except (ImportError, OSError, AttributeError, TypeError):
        return None
    return libarchive
