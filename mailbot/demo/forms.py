"""The documents of the demo: forms, summaries and plans of invented societies, the same bytes at every run."""

from __future__ import annotations

import io
import re
import tomllib
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from mailbot.rubric import Rubric

DATA = Path(__file__).parent / "data"
HEADER = ("序号", "类别", "项目", "评价内容", "分值", "自评分", "自评依据(工作实效)", "备注")
_WIDTHS = (6, 14, 10, 46, 8, 8, 44, 8)
"""Of the columns, in characters."""
_ZIP_TIME = (2021, 1, 10, 9, 0, 0)
_MODIFIED = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(?=<)")
_SPACE_BETWEEN = Decimal("0.5")


@dataclass(frozen=True, slots=True, kw_only=True)
class Society:
    """One invented organization."""

    key: str
    name: str
    email: str
    person: str
    field: str
    track: str = "society"
    aliases: tuple[str, ...] = ()


@cache
def societies() -> dict[str, Society]:
    """All organizations of the demo by their keys."""
    rows = tomllib.loads((DATA / "societies.toml").read_text(encoding="utf-8"))["organization"]
    return {row["key"]: Society(**{**row, "aliases": tuple(row.get("aliases", ()))}) for row in rows}


@cache
def texts() -> dict[str, Any]:
    """What the societies write."""
    return tomllib.loads((DATA / "texts.toml").read_text(encoding="utf-8"))


def filled(text: str, society: Society, about: str = "") -> str:
    """A text with the society's name and numbers in it; `about` draws other numbers for another matter."""
    numbers = Random(f"{society.key} {about}")  # noqa: S311
    return text.format(
        name=society.name,
        field=society.field,
        person=society.person,
        a=numbers.randint(2, 4),
        b=numbers.randint(8, 30),
        c=numbers.randint(12, 60) * 10,
    )


def scores(society: Society, rubric: Rubric) -> dict[int, str]:
    """A plausible self-assessment: full points in most items, a little less in some."""
    draw = Random(society.key)  # noqa: S311
    return {
        item.no: f"{item.points - _SPACE_BETWEEN * draw.choice((0, 0, 0, 1, 2)):f}"
        if item.points >= 3
        else f"{item.points:f}"
        for item in rubric.items
    }


def evidence(society: Society, rubric: Rubric) -> dict[int, str]:
    """The evidence for each item."""
    told = texts()["evidence"]
    return {item.no: filled(told[str(item.no)], society, f"item {item.no}") for item in rubric.items}


def total(of: Mapping[int, str]) -> str:
    """The sum of scores, as a person writes it."""
    return f"{sum(map(Decimal, of.values()), Decimal(0)).normalize():f}"


def grid(rubric: Rubric, of: Mapping[int, str], why: Mapping[int, str], stated: str) -> list[tuple[str, ...]]:
    """The form's rows below its header; 类别 and 项目 are repeated in each."""
    points = {category.name: category.points for category in rubric.categories}
    rows = [
        (
            str(item.no),
            f"{item.category}（{points[item.category]:f}分）",
            item.group,
            item.criterion,
            f"{item.points:f}分",
            of.get(item.no, ""),
            why.get(item.no, ""),
            "",
        )
        for item in rubric.items
    ]
    return [*rows, ("总计", "", "", "", f"{rubric.total:f}分", stated, "", "")]


def xlsx_form(rubric: Rubric, name: str, of: Mapping[int, str], why: Mapping[int, str], stated: str) -> bytes:
    """The form as a workbook, laid out as an office does."""
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Border, Font, NamedStyle, Side
    from openpyxl.utils import get_column_letter

    workbook = Workbook()
    sheet: Any = workbook.active
    sheet.title = "自评表"
    sheet.append([rubric.title])
    sheet.append([f"填报单位：{name}（盖章）"])
    sheet.append(HEADER)
    rows = grid(rubric, of, why, stated)
    for row in rows:
        sheet.append([_number(value) if column in (0, 5) else value for column, value in enumerate(row)])
    side = Side(style="thin")
    ruled = NamedStyle(
        "ruled",
        border=Border(left=side, right=side, top=side, bottom=side),
        alignment=Alignment(wrap_text=True, vertical="center"),
    )
    for cells in sheet.iter_rows(min_row=3):
        for cell in cells:
            cell.style = ruled
    for column, width in enumerate(_WIDTHS, 1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet["A1"].font = Font(size=16, bold=True)
    sheet["A1"].alignment = Alignment(horizontal="center")
    for area in ("A1:H1", "A2:H2"):
        sheet.merge_cells(area)
    for first, last, column in _spans(rows):
        sheet.merge_cells(
            start_row=first + 4, end_row=last + 4, start_column=column + 1, end_column=column + 1
        )
    return _saved(workbook)


def docx_form(rubric: Rubric, name: str, of: Mapping[int, str], why: Mapping[int, str], stated: str) -> bytes:
    """The form as the Word file that was handed out with the notice, filled in."""
    from docx import Document
    from docx.enum.section import WD_ORIENT
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    document = Document()
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = section.page_height, section.page_width
    title = document.add_paragraph()
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run = title.add_run(rubric.title)
    run.bold, run.font.size = True, Pt(18)
    document.add_paragraph(f"填报单位：{name}（盖章）")
    rows = [HEADER, *grid(rubric, of, why, stated)]
    table = document.add_table(rows=len(rows), cols=len(HEADER), style="Table Grid")
    cells = table._cells  # all at once: each `row.cells` walks the whole table
    for cell, value in zip(cells, (value for row in rows for value in row), strict=True):
        cell.text = value
    for first, last, column in _spans(rows[1:]):
        top, bottom = (cells[(row + 1) * len(HEADER) + column] for row in (first, last))
        top.merge(bottom).text = rows[first + 1][column]
    return _saved(document)


def docx_text(title: str, paragraphs: Sequence[str], signature: str, date: str) -> bytes:
    """A summary or plan as a Word file."""
    from docx import Document
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    document = Document()
    document.add_heading(title, level=1).alignment = WD_ALIGN_PARAGRAPH.CENTER
    for paragraph in paragraphs:
        document.add_paragraph(f"　　{paragraph}")
    for line in (signature, date):
        document.add_paragraph(line).alignment = WD_ALIGN_PARAGRAPH.RIGHT
    return _saved(document)


def zipped(files: Mapping[str, bytes], *, names_in: str = "gb18030") -> bytes:
    """A zip as Windows tools make it: names in the system's encoding, without the flag that says UTF-8."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, data in enumerate(files.values()):
            archive.writestr(zipfile.ZipInfo(_place_holder(number, files, names_in), _ZIP_TIME), data)
    octets = out.getvalue()
    for number, name in enumerate(files):
        holder = _place_holder(number, files, names_in).encode()
        octets = octets.replace(holder, name.encode(names_in))
    return octets


def _place_holder(number: int, files: Mapping[str, bytes], names_in: str) -> str:
    """An ASCII name of the same length in octets, unlike anything else in the archive."""
    length = len(list(files)[number].encode(names_in))
    return f"@{number}@".ljust(length, "@")


def _spans(rows: Sequence[Sequence[str]]) -> list[tuple[int, int, int]]:
    """First row, last row and column of the runs of one 类别 and of one 项目 within it."""
    spans = []
    for column in (1, 2):
        start = 0
        for row in range(1, len(rows)):
            if row == len(rows) - 1 or rows[row][1 : column + 1] != rows[start][1 : column + 1]:
                if row - 1 > start:
                    spans.append((start, row - 1, column))
                start = row
    return spans


def _number(text: str) -> str | int | float:
    """A number as a spreadsheet keeps it; any other text as it is."""
    try:
        value = Decimal(text)
    except ArithmeticError:
        return text
    return int(value) if value == value.to_integral_value() else float(value)


def _saved(document: Any) -> bytes:
    """An Office file with the times of its writing taken out."""
    out = io.BytesIO()
    document.save(out)
    again = io.BytesIO()
    with zipfile.ZipFile(out) as source, zipfile.ZipFile(again, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            data = source.read(name)
            if name == "docProps/core.xml":
                data = _MODIFIED.sub(rb"\g<1>2021-01-10T01:00:00Z", data)
            target.writestr(zipfile.ZipInfo(name, _ZIP_TIME), data, zipfile.ZIP_DEFLATED)
    return again.getvalue()
