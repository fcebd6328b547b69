"""An xls as Excel 97 to 2003 saves it where the workbook's structure is protected: encrypted, and opened without asking."""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Iterator

from mailbot.documents.rc4 import key, rc4

_BOF, _FILEPASS, _BOUNDSHEET = 0x809, 0x2F, 0x85
_LEFT_PLAIN = (_BOF, _FILEPASS, 0xE1)
"""MS-XLS 2.2.10; 0xE1 is InterfaceHdr."""
_BLOCK = 1024
_SALT, _VERIFIER = bytes(range(16)), bytes(range(100, 116))


def protected(xls: bytes) -> bytes:
    """The same workbook under the password that stands for none (MS-OFFCRYPTO 2.3.6)."""
    import olefile
    from xlwt.CompoundDoc import XlsDoc

    with olefile.OleFileIO(io.BytesIO(xls)) as ole:
        plain = ole.openstream("Workbook").read()
    out = io.BytesIO()
    XlsDoc().save(out, _encrypted(list(_records(plain))))
    return out.getvalue()


def _records(stream: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, at)
        if kind == 0:
            return
        yield kind, stream[at + 4 : at + 4 + size]
        at += 4 + size


def _encrypted(records: list[tuple[int, bytes]]) -> bytes:
    told = rc4(key(_SALT, block=0), _VERIFIER + hashlib.md5(_VERIFIER, usedforsecurity=False).digest())
    filepass = struct.pack("<HHH", 1, 1, 1) + _SALT + told
    further = 4 + len(filepass)
    out = bytearray()
    for kind, content in (records[0], (_FILEPASS, filepass), *records[1:]):
        out += struct.pack("<HH", kind, len(content))
        if kind in _LEFT_PLAIN:
            out += content
        elif kind == _BOUNDSHEET:
            place = struct.unpack_from("<I", content)[0] + further
            out += struct.pack("<I", place)
            out += _part(content[4:], at=len(out))
        else:
            out += _part(content, at=len(out))
    return bytes(out)


def _part(content: bytes, *, at: int) -> bytes:
    """Encrypted where it stands in the stream."""
    whole = bytearray()
    while content:
        block, skipped = divmod(at, _BLOCK)
        piece, content = content[: _BLOCK - skipped], content[_BLOCK - skipped :]
        whole += rc4(key(_SALT, block=block), bytes(skipped) + piece)[skipped:]
        at += len(piece)
    return bytes(whole)
