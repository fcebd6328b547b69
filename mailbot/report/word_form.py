"""The official form as a Word file without scores, made from the rubric. Values in, octets out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from itertools import groupby
from typing import TYPE_CHECKING

from mailbot.report.marked_form import HEADER, with_fixed_times
from mailbot.report.wording import points
from mailbot.rubric import Item, Rubric

if TYPE_CHECKING:
    from docx.document import Document
    from docx.table import Table, _Cell

_FONT = "SimSun"
_WIDTHS_MM = (12, 26, 22, 80, 14, 16, 82, 17)
_CATEGORY, _GROUP, _CRITERION, _EVIDENCE = 1, 2, 3, 6
_MADE = datetime(2000, 1, 1, tzinfo=UTC)


def blank_word_form(rubric: Rubric) -> bytes:
    """The official form without scores."""
    from docx import Document

    document = Document()
    _page(document)
    _heading(document, rubric)
    table = document.add_table(rows=len(rubric.items) + 2, cols=len(HEADER))
    table.style = "Table Grid"
    table.autofit = False
    rows = [HEADER, *(_item(item, rubric) for item in rubric.items), _total(rubric)]
    cells = list(table._cells)  # each access by row and column builds the whole grid anew
    for number, row in enumerate(rows):
        for column, text in enumerate(row):
            _fill(
                cells[number * len(HEADER) + column],
                text,
                bold=number == 0,
                left=number > 0 and column == _CRITERION,
            )
    _merge(table, rubric)
    _repeat_header(table)
    document.core_properties.created = document.core_properties.modified = _MADE
    written = BytesIO()
    document.save(written)
    return with_fixed_times(written)


def _page(document: Document) -> None:
    from docx.enum.section import WD_ORIENT
    from docx.oxml.ns import qn
    from docx.shared import Mm, Pt

    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Mm(297), Mm(210)
    section.left_margin = section.right_margin = Mm(15)
    section.top_margin = section.bottom_margin = Mm(15)
    style = document.styles["Normal"]
    style.font.name, style.font.size = _FONT, Pt(10.5)
    style.element.rPr.rFonts.set(qn("w:eastAsia"), _FONT)


def _heading(document: Document, rubric: Rubric) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    title = document.add_paragraph()
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run = title.add_run(rubric.title)
    run.bold, run.font.size = True, Pt(16)
    document.add_paragraph("填报单位：____________________（盖章）")


def _item(item: Item, rubric: Rubric) -> tuple[str, ...]:
    category = next(c for c in rubric.categories if c.name == item.category)
    return (
        str(item.no),
        f"{category.name}（{points(category.points)}分）",
        item.group,
        item.criterion,
        f"{points(item.points)}分",
        "",
        "",
        "",
    )


def _total(rubric: Rubric) -> tuple[str, ...]:
    return ("总计", "", "", "", f"{points(rubric.total)}分", "", "", "")


def _fill(cell: _Cell, text: str, *, bold: bool, left: bool) -> None:
    from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
    paragraph = cell.paragraphs[0]
    paragraph.alignment = WD_ALIGN_PARAGRAPH.LEFT if left else WD_ALIGN_PARAGRAPH.CENTER
    paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(2)
    paragraph.add_run(text).bold = bold


def _merge(table: Table, rubric: Rubric) -> None:
    """One cell for each category and group, as in the notice; widths afterwards, for all that is left."""
    from docx.shared import Mm

    for column, width in enumerate(_WIDTHS_MM):
        table.columns[column].width = Mm(width)
        for cell in table.columns[column].cells:
            cell.width = Mm(width)
    for column, names in (
        (_CATEGORY, [i.category for i in rubric.items]),
        (_GROUP, [f"{i.category}{i.group}" for i in rubric.items]),
    ):
        for first, last in _runs(names):
            _join(table, column, first + 1, last + 1)
    row = table.rows[len(rubric.items) + 1].cells
    row[1].text = row[2].text = row[3].text = ""
    _without_empty_paragraphs(row[0].merge(row[_CRITERION]))


def _join(table: Table, column: int, first: int, last: int) -> None:
    if last > first:
        for row in range(first + 1, last + 1):
            table.cell(row, column).text = ""
        _without_empty_paragraphs(table.cell(first, column).merge(table.cell(last, column)))


def _without_empty_paragraphs(cell: _Cell) -> None:
    for paragraph in cell.paragraphs[1:]:
        paragraph._element.getparent().remove(paragraph._element)


def _runs(names: Sequence[str]) -> list[tuple[int, int]]:
    """First and last index of each run of equal names."""
    runs, start = [], 0
    for _, run in groupby(names):
        end = start + len(list(run))
        runs.append((start, end - 1))
        start = end
    return runs


def _repeat_header(table: Table) -> None:
    """The head on every page, and no row torn by a page break."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    for number, row in enumerate(table.rows):
        for name in ("w:cantSplit", "w:tblHeader") if number == 0 else ("w:cantSplit",):
            mark = OxmlElement(name)
            mark.set(qn("w:val"), "true")
            row._tr.get_or_add_trPr().append(mark)
