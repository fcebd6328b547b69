"""Forms as workbooks: xlsx, xls, ods, csv and HTML tables, tidy and as they come."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from html import escape
from typing import Any

from tests.forms.paper import Grid, Paper, merges

_TIME = (2021, 1, 12, 9, 0, 0)
_STAMP = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(?=<)")
Span = tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One sheet: its rows, and which of its cells are merged (rows and columns from 0)."""

    rows: Sequence[Sequence[str]]
    name: str = "Sheet1"
    merged: tuple[Span, ...] = ()
    numbers: bool = True
    """Whether numbers are written as numbers rather than as text."""
    state: str = "visible"


def form_sheet(paper: Paper, *, name: str = "Sheet1", merged: bool = True, numbers: bool = True) -> Sheet:
    """Title, 填报单位 and the form below."""
    grid = paper.grid()
    spans = [(r0 + 2, c0, r1 + 2, c1) for r0, c0, r1, c1 in merges(grid)] if merged else []
    rows = [[paper.title], [paper.filler], *grid]
    return Sheet(rows=rows, name=name, merged=((0, 0, 0, 7), *spans) if merged else (), numbers=numbers)


def xlsx(*sheets: Sheet, touch: Callable[[Any], None] = lambda _: None) -> bytes:
    """A workbook by openpyxl; `touch` may change it before it is saved."""
    import openpyxl

    book = openpyxl.Workbook()
    for number, sheet in enumerate(sheets):
        page = book.worksheets[0] if number == 0 else book.create_sheet()
        page.title, page.sheet_state = sheet.name, sheet.state
        for row in sheet.rows:
            page.append([value(text, numbers=sheet.numbers) for text in row])
        for r0, c0, r1, c1 in sheet.merged:
            page.merge_cells(start_row=r0 + 1, end_row=r1 + 1, start_column=c0 + 1, end_column=c1 + 1)
    touch(book)
    out = io.BytesIO()
    book.save(out)
    return repeatable(out.getvalue())


def value(text: str, *, numbers: bool) -> Any:
    """A cell's value: a number where the text is one."""
    if not numbers:
        return text or None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text or None
    return int(number) if number == number.to_integral_value() else float(number)


Change = bytes | Callable[[re.Match[bytes]], bytes]


def repeatable(package: bytes, changes: Mapping[str, tuple[bytes, Change]] | None = None) -> bytes:
    """The same package at every run: without the time of its making, and with pieces of members replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(out, "w") as new:
        for member in old.infolist():
            data = _STAMP.sub(rb"\g<1>2021-01-12T01:00:00Z", old.read(member))
            if changes and member.filename in changes:
                before, after = changes[member.filename]
                if not re.search(before, data):
                    raise ValueError(f"{before!r} is not in {member.filename}")
                data = re.sub(before, after, data)
            info = zipfile.ZipInfo(member.filename, _TIME)
            info.compress_type = zipfile.ZIP_STORED if member.filename == "mimetype" else zipfile.ZIP_DEFLATED
            new.writestr(info, data)
    return out.getvalue()


def xls(*sheets: Sheet, touch: Callable[[Any], None] = lambda _: None) -> bytes:
    """A workbook of 1997 by xlwt; `touch` may change it before it is saved."""
    import xlwt

    book = xlwt.Workbook(encoding="utf-8")
    states = {"visible": 0, "hidden": 1, "veryHidden": 2}
    for sheet in sheets:
        page = book.add_sheet(sheet.name, cell_overwrite_ok=True)
        page.visibility = states[sheet.state]
        covered = {
            (r, c) for r0, c0, r1, c1 in sheet.merged for r in range(r0, r1 + 1) for c in range(c0, c1 + 1)
        }
        for r0, c0, r1, c1 in sheet.merged:
            page.write_merge(r0, r1, c0, c1, value(sheet.rows[r0][c0], numbers=sheet.numbers))
        for r, row in enumerate(sheet.rows):
            for c, text in enumerate(row):
                if (r, c) not in covered and text:
                    page.write(r, c, value(text, numbers=sheet.numbers))
    touch(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def ods(*sheets: Sheet) -> bytes:
    """A workbook by odfpy, its merged cells covered as LibreOffice does it."""
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.style import Style, TableProperties
    from odf.table import Table, TableRow

    document = OpenDocumentSpreadsheet()
    hidden = Style(name="hidden", family="table")
    hidden.addElement(TableProperties(display="false"))
    document.automaticstyles.addElement(hidden)
    for sheet in sheets:
        table = Table(name=sheet.name, **({} if sheet.state == "visible" else {"stylename": hidden}))
        starts = {(r0, c0): (r1 - r0 + 1, c1 - c0 + 1) for r0, c0, r1, c1 in sheet.merged}
        covered = {
            (r, c) for r0, c0, r1, c1 in sheet.merged for r in range(r0, r1 + 1) for c in range(c0, c1 + 1)
        } - set(starts)
        width = max(map(len, sheet.rows))
        for r, row in enumerate(sheet.rows):
            line = TableRow()
            for c in range(width):
                text = row[c] if c < len(row) else ""
                line.addElement(_ods_cell(text, starts.get((r, c)), (r, c) in covered, sheet.numbers))
            table.addElement(line)
        document.spreadsheet.addElement(table)
    out = io.BytesIO()
    document.write(out)
    return repeatable(out.getvalue())


def _ods_cell(text: str, span: tuple[int, int] | None, covered: bool, numbers: bool) -> Any:
    from odf.table import CoveredTableCell, TableCell
    from odf.text import P

    if covered:
        return CoveredTableCell()
    spans = {"numberrowsspanned": span[0], "numbercolumnsspanned": span[1]} if span else {}
    known = value(text, numbers=numbers)
    if known is None:
        return TableCell(**spans)
    if isinstance(known, str):
        cell = TableCell(valuetype="string", **spans)
    else:
        cell = TableCell(valuetype="float", value=str(known), **spans)
    for line in text.split("\n"):
        cell.addElement(P(text=line))
    return cell


def csv_file(paper: Paper, *, encoding: str = "gb18030", separator: str = ",") -> bytes:
    """The form as text with separators, as Excel saves it."""
    out = io.StringIO()
    written = csv.writer(out, delimiter=separator, lineterminator="\r\n")
    written.writerows([[paper.title], [paper.filler], *paper.grid()])
    return out.getvalue().encode(encoding)


def html_table(paper: Paper, *, charset: str = "gb2312", merged: bool = True, plain: bool = False) -> bytes:
    """A table in HTML, such as online office systems hand out as `.xls`."""
    grid = paper.grid()
    spans = {(r0, c0): (r1 - r0 + 1, c1 - c0 + 1) for r0, c0, r1, c1 in merges(grid)} if merged else {}
    covered = {
        (r, c)
        for (r0, c0), (high, wide) in spans.items()
        for r in range(r0, r0 + high)
        for c in range(c0, c0 + wide)
    } - set(spans)
    rows = []
    for r, row in enumerate(grid):
        cells = []
        for c, text in enumerate(row):
            if (r, c) in covered:
                continue
            high, wide = spans.get((r, c), (1, 1))
            span = (f" rowspan={high}" if high > 1 else "") + (f' colspan="{wide}"' if wide > 1 else "")
            said = escape(text).replace("\n", "<br>")
            cells.append(f"<td{span}>{said or '&nbsp;'}</td>")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    table = f'<table border="1" cellspacing="0">{"".join(rows)}</table>'
    body = f"<p align=center><b>{escape(paper.title)}</b></p><p>{escape(paper.filler)}</p>{table}"
    if plain:
        return body.encode("gb18030")
    style = '<style>td{mso-number-format:"\\@"}</style>'
    meta = f'<meta http-equiv="Content-Type" content="text/html; charset={charset}">'
    page = f'<html xmlns:x="urn:schemas-microsoft-com:office:excel"><head>{meta}{style}</head><body>{body}</body></html>'
    return page.encode("gb18030" if charset.startswith("gb") else charset)


def columns_in_order(grid: Grid, order: Sequence[int]) -> Grid:
    """The columns in another order, or fewer of them."""
    return [[row[column] for column in order] for row in grid]


def unmerged(sheet: Sheet, rows: Sequence[Sequence[str]]) -> Sheet:
    """Another sheet of the same name with these rows, nothing merged."""
    return replace(sheet, rows=rows, merged=())
