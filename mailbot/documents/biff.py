"""Workbooks of 1997 (xls): what their records say beyond what calamine tells, sheet by sheet.

Values far out are taken away before the file is read, or the rectangle up to them is built.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mailbot.documents.biffstrings import Rich, strings, without_struck
from mailbot.documents.workbook import (
    MOST_COLUMNS,
    MOST_ROWS,
    PERCENTS,
    Inside,
    Place,
    conceals,
    is_percent,
    under_picture,
)

_CELLS = frozenset({0x06, 0x0203, 0x027E, 0xBD, 0xBE, 0xFD, 0x0204, 0x0205, 0x0201, 0xD6})
"""FORMULA, NUMBER, RK, MULRK, MULBLANK, LABELSST, LABEL, BOOLERR, BLANK, RSTRING (MS-XLS 2.3.1)."""
_SEVERAL = frozenset({0xBD, 0xBE})
_NOTHING = 0x0000
_HEAD, _PLACE, _STYLED = struct.Struct("<HH"), struct.Struct("<HH"), struct.Struct("<HHH")
_VERSION, _BIFF8 = slice(4, 6), b"\x00\x06"
_FOURTH_FONT = 4
"""No font has this number (MS-XLS 2.5.129)."""
_STRUCK, _ZERO_HEIGHT, _HIDDEN, _ALWAYS = 0x08, 0x20, 0x01, 0x01
_PICTURE = 8
_ANCHOR, _EDGES = b"\x00\x00\x10\xf0\x12\x00\x00\x00", struct.Struct("<9H")
"""The head of an OfficeArtClientAnchorSheet (MS-XLS 2.5.193), and what follows it."""
_NO_NUMBER, _BLANK = b"\xff\xff", 3
_Record = tuple[int, int, int]
"""Where it begins, its kind and the size of its body."""


def prepared(data: bytes) -> tuple[bytes, dict[str, Inside]]:
    """The workbook without the cells beyond `MOST_ROWS` and `MOST_COLUMNS`, and what is said of its sheets, by name.

    One that cannot be opened is given back as it is.
    """
    import olefile

    out = io.BytesIO(data)
    try:
        with olefile.OleFileIO(out, write_mode=True) as ole:
            name = "Workbook" if ole.exists("Workbook") else "Book"
            stream = bytearray(ole.openstream(name).read())
            records = list(_records(stream))
            far = [record for record in records if record[1] in _CELLS and _is_far(stream, *record)]
            for at, _, size in far:
                _HEAD.pack_into(stream, at, _NOTHING, size)
            if far:
                ole.write_stream(name, bytes(stream))
    except (OSError, ValueError, TypeError, IndexError, AttributeError, LookupError, RecursionError):
        return data, {}
    return out.getvalue() if far else data, _insides(bytes(stream), records)


def _records(stream: bytearray) -> Iterator[_Record]:
    """The records that are there whole."""
    at = 0
    while at + _HEAD.size <= len(stream):
        kind, size = _HEAD.unpack_from(stream, at)
        if kind and at + _HEAD.size + size <= len(stream):
            yield at, kind, size
        at += _HEAD.size + size


def _is_far(stream: bytearray, at: int, kind: int, size: int) -> bool:
    if size < _PLACE.size:
        return False
    row, column = _PLACE.unpack_from(stream, at + _HEAD.size)
    if kind in _SEVERAL:
        (column,) = struct.unpack_from("<H", stream, at + _HEAD.size + size - 2)
    return bool(row >= MOST_ROWS or column >= MOST_COLUMNS)


def _insides(stream: bytes, records: Sequence[_Record]) -> dict[str, Inside]:
    """What is said of each sheet; nothing where the workbook is older than 1997, or damaged."""
    if stream[_VERSION] != _BIFF8:
        return {}
    book = _Book()
    try:
        for at, kind, size in records:
            if kind in _READERS:
                start = at + _HEAD.size
                _READERS[kind](book, stream[start : start + size], at)
        return book.insides()
    except (struct.error, IndexError, ValueError):
        return {}


@dataclass(slots=True)
class _Page:
    """What is said of one sheet."""

    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    percents: set[Place] = field(default_factory=set)
    concealed: set[Place] = field(default_factory=set)
    pictures: set[Place] = field(default_factory=set)
    unfinished: bool = False
    """Whether it was saved before its formulas were calculated."""
    uncalculated: set[Place] = field(default_factory=set)
    strings: list[tuple[Place, int, int]] = field(default_factory=list)
    """Of each text its place, its number and the font of its cell; where nothing is struck out none are kept."""


@dataclass(slots=True)
class _Book:
    """Reads the records of a workbook in their order. Of one before 1997 nothing is said."""

    fonts: int = 0
    struck: set[int] = field(default_factory=set)
    """The numbers of the fonts that are struck out."""
    percents: set[int] = field(default_factory=lambda: set(PERCENTS))
    """The numbers of the formats of percentages."""
    concealing: set[int] = field(default_factory=set)
    """The numbers of the formats that show nothing."""
    styles: list[tuple[int, int]] = field(default_factory=list)
    """The font and the format of each style."""
    names: dict[int, str] = field(default_factory=dict)
    """Sheets' names by the place of their first record."""
    table: list[bytes] = field(default_factory=list)
    """The table of strings, and what continues it."""
    calculated: bool = False
    pages: dict[str, _Page] = field(default_factory=dict)
    anchored: tuple[int, ...] = ()
    page: _Page = field(default_factory=_Page)
    """The sheet to which a record belongs; before the first one, and in a chart, none that anybody asks for."""

    def insides(self) -> dict[str, Inside]:
        """By sheet name."""
        told = strings(self.table) if any(page.strings for page in self.pages.values()) else []
        return {name: self._inside(page, told) for name, page in self.pages.items()}

    def _inside(self, page: _Page, told: Sequence[Rich]) -> Inside:
        unstruck = (
            (place, without_struck(told[number], self.struck.__contains__, font))
            for place, number, font in page.strings
        )
        return Inside(
            hidden_rows=frozenset(page.hidden_rows),
            hidden_columns=frozenset(page.hidden_columns),
            percents=frozenset(page.percents),
            concealed=frozenset(page.concealed),
            pictures=frozenset(page.pictures),
            uncalculated=frozenset(page.uncalculated),
            shown={place: text for place, text in unstruck if text is not None},
        )

    def begin(self, _body: bytes, at: int) -> None:
        """BOF. After a chart within a sheet no cell follows."""
        self.page = _Page()
        if at in self.names:
            self.pages[self.names[at]] = self.page

    def sheet(self, body: bytes, _at: int) -> None:
        """BOUNDSHEET."""
        (at,) = struct.unpack_from("<I", body)
        self.names[at] = _text(body[7:], body[6])

    def font(self, body: bytes, _at: int) -> None:
        """FONT."""
        number = self.fonts if self.fonts < _FOURTH_FONT else self.fonts + 1
        self.fonts += 1
        if body[2] & _STRUCK:
            self.struck.add(number)

    def format(self, body: bytes, _at: int) -> None:
        """FORMAT."""
        number, length = struct.unpack_from("<HH", body)
        code = _text(body[4:], length)
        if is_percent(code):
            self.percents.add(number)
        elif conceals(code):
            self.concealing.add(number)

    def style(self, body: bytes, _at: int) -> None:
        """XF."""
        self.styles.append(struct.unpack_from("<HH", body))

    def string_table(self, body: bytes, _at: int) -> None:
        """SST."""
        self.table = [body]

    def more(self, body: bytes, _at: int) -> None:
        """CONTINUE: before the first sheet most likely of the strings."""
        if self.table and not self.pages:
            self.table.append(body)

    def row(self, body: bytes, _at: int) -> None:
        """ROW."""
        if body[12] & _ZERO_HEIGHT:
            self.page.hidden_rows.add(*struct.unpack_from("<H", body))

    def columns(self, body: bytes, _at: int) -> None:
        """COLINFO."""
        if body[8] & _HIDDEN:
            first, last = struct.unpack_from("<HH", body)
            self.page.hidden_columns.update(range(first, min(last + 1, MOST_COLUMNS)))

    def recalculated(self, _body: bytes, _at: int) -> None:
        """RECALCID, which every Excel writes that has calculated; without it all is calculated when the file is opened."""
        self.calculated = True

    def anchor(self, body: bytes, _at: int) -> None:
        """MSODRAWING: of the object that follows."""
        begun = body.find(_ANCHOR)
        self.anchored = _EDGES.unpack_from(body, begun + len(_ANCHOR)) if begun >= 0 else ()

    def object(self, body: bytes, _at: int) -> None:
        """OBJ."""
        if self.anchored and struct.unpack_from("<H", body, 4) == (_PICTURE,):
            _, left, _, top, _, right, _, bottom, _ = self.anchored
            self.page.pictures.update(under_picture(top, left, bottom, right))

    def uncalculated(self, _body: bytes, _at: int) -> None:
        """UNCALCED."""
        self.page.unfinished = True

    def formula(self, body: bytes, at: int) -> None:
        """FORMULA. Nothing or zero that Excel would calculate anew is what a program wrote for want of a result."""
        self.number(body, at)
        row, column, _ = _STYLED.unpack_from(body)
        nothing = body[12:14] == _NO_NUMBER and body[6] == _BLANK
        if (nothing or not any(body[6:14])) and (
            body[14] & _ALWAYS or self.page.unfinished or not self.calculated
        ):
            self.page.uncalculated.add((row, column))

    def number(self, body: bytes, _at: int) -> None:
        """NUMBER and RK."""
        row, column, style = _STYLED.unpack_from(body)
        self._styled(row, column, style)

    def numbers(self, body: bytes, _at: int) -> None:
        """MULRK."""
        row, first = _PLACE.unpack_from(body)
        for offset, (style, _) in enumerate(struct.iter_unpack("<HI", body[4:-2])):
            self._styled(row, first + offset, style)

    def _styled(self, row: int, column: int, style: int) -> None:
        format_ = self.styles[style][1]
        if format_ in self.percents:
            self.page.percents.add((row, column))
        elif format_ in self.concealing:
            self.page.concealed.add((row, column))

    def string(self, body: bytes, _at: int) -> None:
        """LABELSST."""
        if self.struck:
            row, column, style, number = struct.unpack_from("<HHHI", body)
            self.page.strings.append(((row, column), number, self.styles[style][0]))


def _text(body: bytes, length: int) -> str:
    """Characters after the octet that says how wide they are (MS-XLS 2.5.294)."""
    return (
        body[1 : 1 + 2 * length].decode("utf-16-le")
        if body[0] & 1
        else body[1 : 1 + length].decode("latin-1")
    )


_READERS: Mapping[int, Callable[[_Book, bytes, int], None]] = {
    0x0809: _Book.begin,
    0x85: _Book.sheet,
    0x31: _Book.font,
    0x041E: _Book.format,
    0xE0: _Book.style,
    0xFC: _Book.string_table,
    0x3C: _Book.more,
    0x0208: _Book.row,
    0x7D: _Book.columns,
    0x01C1: _Book.recalculated,
    0xEC: _Book.anchor,
    0x5D: _Book.object,
    0x5E: _Book.uncalculated,
    0x06: _Book.formula,
    0x0203: _Book.number,
    0x027E: _Book.number,
    0xBD: _Book.numbers,
    0xFD: _Book.string,
}
