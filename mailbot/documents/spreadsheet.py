"""Reads spreadsheets (xlsx and xlsm, xls, ods): values as a person sees them, sheet by sheet.

calamine reads the values. What it does not tell (formulas without a value, merged cells of ods) is taken from the
file's own XML.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from mailbot.documents import biff, ods, workbook
from mailbot.documents.dimensions import could_be_page
from mailbot.documents.needs import NeedsHelp
from mailbot.documents.package import Package
from mailbot.documents.struck import without_struck
from mailbot.documents.text import first_lines
from mailbot.documents.word import says_little
from mailbot.documents.workbook import MOST_COLUMNS, MOST_ROWS, Inside, Place
from mailbot.errors import EncryptedError, UnreadableError
from mailbot.model import Format, ReadBy
from mailbot.reading import PICTURE, Cell, Extract, Need, Table

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

Value = int | float | str | bool | time | date | datetime | timedelta

_MOST_SHEETS = 100
_MEDIA = b"xl/media/"
_NO_DATE, _FALSE_LEAP_DAY = 1900, 60
"""Up to this year a date is a number that somebody's format shows as one: 1900-01-05 for 5."""
_DURATION = re.compile(r"PT(\d{1,6})H(\d{1,2})M(\d{1,2}(?:\.\d{1,9})?)S")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_SIGNIFICANT = 10
"""Digits beyond these are the machine's, not the writer's: 0.1 + 0.2."""
_MOST_DECIMALS = 2
"""Decimals of points that somebody writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """A sheet's values from A1 on."""

    values: Sequence[Sequence[Value]]
    covered: Mapping[Place, bool]
    truncated: bool


def read(data: bytes, format_: Format) -> Extract:
    """Read an xlsx, xls or ods.

    Raises EncryptedError, UnreadableError, DangerousError; NeedsHelp where nobody has calculated the formulas of an xls,
    and where an xlsx is little else than scans pasted in.
    """
    extract, calculated = _read(data, format_)
    if not calculated:
        raise NeedsHelp(Need.OFFICE, extract)
    if _MEDIA in data and says_little(extract.text) and next(pictures(data), None) is not None:
        raise NeedsHelp(Need.OCR)
    return extract


def typed(data: bytes) -> Extract:
    """What is written in an xlsx, whatever its pictures show. Raises as `read` does, but for no help."""
    return _read(data, Format.XLSX)[0]


def pictures(data: bytes) -> Iterator[bytes]:
    """The pictures in an xlsx that may be pages, sheet by sheet. Raises UnreadableError, DangerousError."""
    with Package(data) as package:
        for part in workbook.pictures(package):
            octets = package.octets(part)
            if octets and could_be_page(octets):
                yield octets


def _read(data: bytes, format_: Format) -> tuple[Extract, bool]:
    """What is in a workbook, and whether its values are results."""
    from python_calamine import SheetTypeEnum, SheetVisibleEnum

    shown, insides = _prepared(data, format_)
    book = _open(shown)
    if not book.sheets_metadata:
        raise UnreadableError("a workbook without sheets")
    tables: list[Table] = []
    truncated = len(book.sheets_metadata) > _MOST_SHEETS or (format_ is Format.XLS and shown is not data)
    for index, about in enumerate(book.sheets_metadata[:_MOST_SHEETS]):
        if about.typ != SheetTypeEnum.WorkSheet:
            continue
        inside = insides.get(about.name, Inside())
        sheet = _vast_sheet(data, about.name) if inside.vast else _sheet(book, index)
        values = [list(map(_counted, row)) for row in sheet.values] if format_ is Format.ODS else sheet.values
        rows = _cells(about.name, values, inside, {**sheet.covered, **inside.covered})
        tables.append(Table(rows=rows, name=about.name, hidden=about.visible != SheetVisibleEnum.Visible))
        truncated = truncated or sheet.truncated
    lines = _lines(tables)
    extract = Extract(
        format=format_,
        read_by=ReadBy.CELLS,
        text="\n".join(lines),
        tables=tuple(tables),
        headings=first_lines(lines),
        truncated=truncated,
    )
    unsettled = format_ is Format.XLS and any(inside.uncalculated for inside in insides.values())
    return extract, not unsettled


def _prepared(data: bytes, format_: Format) -> tuple[bytes, dict[str, Inside]]:
    """What calamine is to read, and what the XML says beyond that."""
    if format_ is Format.XLS:
        return biff.prepared(data)
    with Package(data) as package:
        if format_ is Format.ODS:
            return data, ods.insides(package)
        insides = workbook.insides(package)
        return without_struck(data, package), insides


def _open(data: bytes) -> CalamineWorkbook:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    try:
        return CalamineWorkbook.from_filelike(io.BytesIO(data))
    except PasswordError as error:
        raise EncryptedError("the workbook needs a password") from error
    except (CalamineError, OSError, ValueError) as error:
        raise UnreadableError(f"no workbook: {error}") from error


def _sheet(book: CalamineWorkbook, index: int) -> _Sheet:
    from python_calamine import CalamineError

    try:
        sheet = book.get_sheet_by_index(index)
        values = sheet.to_python(skip_empty_area=False, nrows=MOST_ROWS) if sheet.start else []
    except (CalamineError, OSError, ValueError) as error:
        raise UnreadableError(f"a sheet cannot be read: {error}") from error
    last_row, last_column = sheet.end or (0, 0)
    return _Sheet(
        values=values,
        covered=_covered(sheet.merged_cell_ranges or ()),
        truncated=last_row >= MOST_ROWS or last_column >= MOST_COLUMNS,
    )


def _vast_sheet(data: bytes, name: str) -> _Sheet:
    """The near part of an xlsx sheet that has a value far out, read row by row."""
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheet = book[name]
        sheet.reset_dimensions()
        rows = sheet.iter_rows(max_row=MOST_ROWS, max_col=MOST_COLUMNS, values_only=True)
        values = [[_vast_value(value) for value in row] for row in rows]
    except (KeyError, ValueError, TypeError, AttributeError, OSError) as error:
        raise UnreadableError(f"a sheet cannot be read: {error}") from error
    while values and not any(value != "" for value in values[-1]):
        values.pop()
    return _Sheet(values=values, covered={}, truncated=True)


def _vast_value(value: object) -> Value:
    known = (bool, int, float, str, datetime, date, time, timedelta)
    return value if isinstance(value, known) else ""


def _cells(
    name: str, values: Sequence[Sequence[Value]], inside: Inside, covered: Mapping[Place, bool]
) -> tuple[tuple[Cell, ...], ...]:
    """The sheet from A1, as wide and high as there is something in it."""
    beyond = (*inside.formulas, *inside.errors)
    width = max((*(len(row) for row in values), *(column + 1 for _, column in beyond)), default=0)
    width = min(width, MOST_COLUMNS)
    height = max((len(values), *(row + 1 for row, _ in beyond)))
    columns = [f"{name}!{column_name(column)}" for column in range(width)]
    rows = []
    for row in range(height):
        line = values[row] if row < len(values) else ()
        rows.append(
            [
                _cell(
                    line[column] if column < len(line) else "",
                    f"{columns[column]}{row + 1}",
                    (row, column),
                    inside,
                    covered,
                )
                for column in range(width)
            ]
        )
    odd = (*inside.percents, *inside.concealed, *inside.shown, *inside.uncalculated, *inside.pictures)
    for row, column in odd:
        if row < height and column < width:
            rows[row][column] = _as_shown(rows[row][column], (row, column), inside)
    return tuple(map(tuple, rows))


def _as_shown(cell: Cell, place: Place, inside: Inside) -> Cell:
    """A cell that shows something else than its value."""
    if place in inside.uncalculated:
        return replace(cell, text="", formula=inside.formulas.get(place, "="))
    if place in inside.shown:
        return replace(cell, text=inside.shown[place])
    if place in inside.percents:
        return _as_percent(cell)
    if place in inside.concealed:
        return replace(cell, several=cell.several or bool(cell.text))
    covered = cell.text.strip() or cell.formula or cell.merged
    return cell if covered else replace(cell, text=PICTURE)


def _as_percent(cell: Cell) -> Cell:
    """A share as it shows. Of how many points, or whether points are meant, a person decides; above 100% they are."""
    if not _NUMBER.fullmatch(cell.text) or not 0 < Decimal(cell.text) <= 1:
        return cell
    return replace(cell, text=f"{_number(float(cell.text) * 100)}%", several=True)


def _cell(value: Value, name: str, place: Place, inside: Inside, covered: Mapping[Place, bool]) -> Cell:
    hidden = place[0] in inside.hidden_rows or place[1] in inside.hidden_columns
    if place in covered:
        return Cell(text="", place=name, merged=True, across=covered[place], hidden=hidden)
    text = plain(value) or inside.errors.get(place, "")
    return Cell(text=text, place=name, formula="" if text else inside.formulas.get(place, ""), hidden=hidden)


def _covered(ranges: Sequence[tuple[Place, Place]]) -> dict[Place, bool]:
    """All places of merged cells but the first of each, and whether they stand right of its first column."""
    return {
        (row, column): column > left
        for (top, left), (bottom, right) in ranges
        for row in range(top, min(bottom, MOST_ROWS - 1) + 1)
        for column in range(left, min(right, MOST_COLUMNS - 1) + 1)
        if (row, column) != (top, left)
    }


def _lines(tables: Sequence[Table]) -> list[str]:
    """What a person sees who opens the file: hidden sheets only where there is nothing else."""
    shown = [table for table in tables if not table.hidden and table.rows] or tables
    return [
        line
        for table in shown
        for row in table.rows
        if (line := "\t".join(cell.text for cell in row).rstrip("\t"))
    ]


def column_name(column: int) -> str:
    """A, B … Z, AA … for 0, 1 …"""
    name = ""
    column += 1
    while column:
        column, letter = divmod(column - 1, 26)
        name = chr(65 + letter) + name
    return name


def plain(value: Value) -> str:
    """A cell's value as text: numbers in plain notation, without trailing zeros and the machine's last digits."""
    match value:
        case str():
            return value.replace("_x000D_", "").replace("\r\n", "\n").replace("\r", "\n")
        case bool():
            return "TRUE" if value else "FALSE"
        case int():
            return str(value)
        case float():
            return _number(value)
        case date() if value.year <= _NO_DATE:
            return _number(_serial(value))
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case datetime():
            return value.isoformat(" ", "seconds")
        case date():
            return value.isoformat()
        case time():
            return _span(timedelta(hours=value.hour, minutes=value.minute, seconds=value.second))
        case timedelta():
            return _span(value)


def _span(value: timedelta) -> str:
    """A time of day as the number that it is, where somebody may have written that number and the cell's format shows it
    as a time; else the time: nobody writes 0.1875 for 4:30."""
    number = _number(value / timedelta(days=1))
    if value >= timedelta(days=1) or len(number.partition(".")[2]) <= _MOST_DECIMALS:
        return number
    hours, minutes = divmod(round(value / timedelta(minutes=1)), 60)
    return f"{hours}:{minutes:02}"


def _serial(value: date) -> float:
    """The number of which a cell's format made a date; 1900 has a 29 February there (ECMA-376 part 1, 18.17.4.1)."""
    days = _days(value)
    return days if days > _FALSE_LEAP_DAY else days - 1


def _days(value: date) -> float:
    moment = value if isinstance(value, datetime) else datetime.combine(value, time())
    return (moment - datetime(1899, 12, 30)) / timedelta(days=1)  # noqa: DTZ001 - a workbook knows no zone


def _counted(value: Value) -> Value:
    """A value of an ods: numbers that show as dates or times, which OpenDocument stores as these, without a false day."""
    if isinstance(value, date) and value.year <= _NO_DATE:
        return _days(value)
    hours = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if hours is None:
        return value
    return timedelta(hours=int(hours[1]), minutes=int(hours[2]), seconds=float(hours[3]))


def _number(value: float) -> str:
    if not math.isfinite(value):
        return str(value)
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    rounded = Decimal(f"{value:.{_SIGNIFICANT}g}").normalize()
    return f"{rounded:f}"
