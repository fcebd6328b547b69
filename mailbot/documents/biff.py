"""Workbooks of 1997 (xls): values far out are taken away before the file is read, or the rectangle up to them is built."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

from mailbot.documents.workbook import MOST_COLUMNS, MOST_ROWS

_CELLS = frozenset({0x06, 0x0203, 0x027E, 0xBD, 0xBE, 0xFD, 0x0204, 0x0205, 0x0201, 0xD6})
"""FORMULA, NUMBER, RK, MULRK, MULBLANK, LABELSST, LABEL, BOOLERR, BLANK, RSTRING (MS-XLS 2.3.1)."""
_SEVERAL = frozenset({0xBD, 0xBE})
_NOTHING = 0x0000
_HEAD, _PLACE = struct.Struct("<HH"), struct.Struct("<HH")


def near(data: bytes) -> bytes:
    """The workbook without the cells beyond `MOST_ROWS` and `MOST_COLUMNS`; one that cannot be opened as it is."""
    import olefile

    out = io.BytesIO(data)
    try:
        with olefile.OleFileIO(out, write_mode=True) as ole:
            name = "Workbook" if ole.exists("Workbook") else "Book"
            stream = bytearray(ole.openstream(name).read())
            far = list(_far(stream))
            for at in far:
                _HEAD.pack_into(stream, at, _NOTHING, _HEAD.unpack_from(stream, at)[1])
            if far:
                ole.write_stream(name, bytes(stream))
    except (OSError, ValueError, TypeError, IndexError, AttributeError, LookupError, RecursionError):
        return data
    return out.getvalue() if far else data


def _far(stream: bytearray) -> Iterator[int]:
    """Where the records of such cells begin."""
    at = 0
    while at + _HEAD.size <= len(stream):
        kind, size = _HEAD.unpack_from(stream, at)
        if kind in _CELLS and size >= _PLACE.size and at + _HEAD.size + size <= len(stream):
            row, column = _PLACE.unpack_from(stream, at + _HEAD.size)
            if kind in _SEVERAL:
                (column,) = struct.unpack_from("<H", stream, at + _HEAD.size + size - 2)
            if row >= MOST_ROWS or column >= MOST_COLUMNS:
                yield at
        at += _HEAD.size + size
