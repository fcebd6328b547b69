"""The strings of a workbook of 1997 (xls) with the fonts of their pieces, for what is struck out in them."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

_WIDE, _EXTENDED, _FORMATTED = 0x01, 0x04, 0x08
_CODE = "utf-16-le"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rich:
    """One string."""

    units: bytes
    """Its text in UTF-16, which is what places in it are counted by."""
    runs: tuple[tuple[int, int], ...]
    """From which place on a font holds, and its number (MS-XLS 2.5.129)."""


def strings(pieces: Sequence[bytes]) -> list[Rich]:
    """The shared strings: the bodies of the SST record and of those that continue it (MS-XLS 2.4.265).

    Raises IndexError and struct.error where they are not whole.
    """
    octets = _Octets(pieces)
    _, count = struct.unpack("<II", octets.take(8))
    return [_string(octets) for _ in range(count)]


def _string(octets: _Octets) -> Rich:
    """An XLUnicodeRichExtendedString (MS-XLS 2.5.293)."""
    length, flags = struct.unpack("<HB", octets.take(3))
    (runs,) = struct.unpack("<H", octets.take(2)) if flags & _FORMATTED else (0,)
    (extra,) = struct.unpack("<I", octets.take(4)) if flags & _EXTENDED else (0,)
    units = octets.text(length, wide=bool(flags & _WIDE))
    formats = tuple(struct.iter_unpack("<HH", octets.take(4 * runs)))
    octets.take(extra)
    return Rich(units=units, runs=formats)


class _Octets:
    """The octets of a record and of those that continue it."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = pieces
        self._piece = 0
        self._at = 0

    def take(self, size: int) -> bytes:
        """So many of them."""
        taken = b""
        while len(taken) < size:
            part = self._pieces[self._piece][self._at : self._at + size - len(taken)]
            taken += part
            self._at += len(part)
            if len(taken) < size:
                self._piece, self._at = self._piece + 1, 0
        return taken

    def text(self, length: int, *, wide: bool) -> bytes:
        """So many characters in UTF-16; each record that continues them says anew how wide they are."""
        units = b""
        while True:
            size = 2 if wide else 1
            here = min(length, (len(self._pieces[self._piece]) - self._at) // size)
            part = self.take(size * here)
            units += part if wide else part.decode("latin-1").encode(_CODE)
            length -= here
            if not length:
                return units
            self._piece, self._at = self._piece + 1, 1
            wide = bool(self._pieces[self._piece][0] & _WIDE)


def without_struck(string: Rich, is_struck: Callable[[int], bool], cell: int) -> str | None:
    """What of a string is not struck out; None where that is all of it, or none. `cell` is the font of its cell."""
    kept = b"".join(units for units, font in _runs(string, cell) if not is_struck(font))
    text = kept.decode(_CODE, "replace")
    return text if text.strip() and kept != string.units else None


def _runs(string: Rich, cell: int) -> Iterator[tuple[bytes, int]]:
    starts = ((0, cell), *string.runs)
    ends = (*(start for start, _ in string.runs), len(string.units) // 2)
    for (start, font), end in zip(starts, ends, strict=True):
        yield string.units[2 * start : 2 * end], font
