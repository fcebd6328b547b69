"""The form as xlsx: filled with what was read and its faults marked, or blank. Values in, octets out.

Nothing from a mail becomes a formula, and the same values give the same octets.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from io import BytesIO
from itertools import groupby
from typing import TYPE_CHECKING

from mailbot.model import Assessment, Code, Finding, ItemReading, Severity
from mailbot.report.faults import SCORES, wanted_of_total
from mailbot.report.letters import sums_in_words
from mailbot.report.wording import plain, points, quoted, shortened, why_no_score
from mailbot.rubric import Item, Rubric

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.cell import Cell
    from openpyxl.worksheet.worksheet import Worksheet

HEADER = ("序号", "类别", "项目", "评价内容", "分值", "自评分", "自评依据(工作实效)", "备注")
_WIDTHS = (6, 14, 11, 44, 8, 9, 44, 10)
_NO, _CATEGORY, _GROUP, _CRITERION, _POINTS, _SCORE, _EVIDENCE, _REMARK = range(1, 9)
_FIRST_ROW = 4
_SCALE = 72
"""Per cent: the columns fit an A4 page on its side also where the program has a wide font for its unit of width."""
_PAGE_HEIGHT = 705.0
"""Points of row height on such a page at that scale."""
_PLAIN_NUMBER = re.compile(r"-?\d{1,6}(?:\.\d{1,4})?")
_LONGEST_CELL = 32_000
_FAULTY = "FFFFC7CE"
_HEAD = "FFDDE6F0"
_EPOCH = (2000, 1, 1, 0, 0, 0)
_WHERE = {
    Code.SCORE_MISSING: _SCORE,
    Code.SCORE_NOT_A_NUMBER: _SCORE,
    Code.SCORE_OVER_MAX: _SCORE,
    Code.SCORE_NEGATIVE: _SCORE,
    Code.EVIDENCE_MISSING: _EVIDENCE,
    Code.FORM_ALTERED: _CRITERION,
}


def blank_form(rubric: Rubric) -> bytes:
    """The official form without scores."""
    return _octets(_form(rubric, None))


def marked_form(assessment: Assessment, findings: Iterable[Finding], rubric: Rubric) -> bytes:
    """The form as it was read, faulty cells coloured with a comment, the sums on a second sheet."""
    book = _form(rubric, assessment)
    sheet = book.worksheets[0]
    errors = [f for f in dict.fromkeys(findings) if f.severity is Severity.ERROR]
    rows = {item.no: row for row, item in enumerate(rubric.items, _FIRST_ROW)}
    remarks: dict[tuple[int, int], list[str]] = {}
    for one in errors:
        place = _place(one, rows)
        if place:
            remarks.setdefault(place, []).append(_remark(one, rubric, errors))
    for (row, column), texts in sorted(remarks.items()):
        _mark(sheet, row, column, texts)
    total = _total_place(rows)
    if assessment.stated_total is not None and total not in remarks and any(f.code in SCORES for f in errors):
        _comment(sheet, *total, "自评分改动后，总计请相应改为各项自评分之和。")
    _sums(book, assessment, rubric)
    return _octets(book)


def _place(one: Finding, rows: dict[int, int]) -> tuple[int, int] | None:
    match one.code:
        case Code.TOTAL_MISMATCH:
            return _total_place(rows)
        case Code.ORGANIZATION_MISSING:
            return 2, 1
        case Code.FORM_WRONG_YEAR:
            return 1, 1
        case Code.FORM_ALTERED if one.item is None:
            return 3, _CRITERION
        case _ if one.item in rows and one.code in _WHERE:
            column = _POINTS if _of_points(one) else _WHERE[one.code]
            return rows[one.item], column
        case _:
            return None


def _total_place(rows: Mapping[int, int]) -> tuple[int, int]:
    return _FIRST_ROW + len(rows), _SCORE


def _of_points(one: Finding) -> bool:
    return one.code is Code.FORM_ALTERED and bool(_PLAIN_NUMBER.fullmatch(one.wanted.removesuffix("分")))


def _remark(one: Finding, rubric: Rubric, errors: Sequence[Finding]) -> str:
    """What was found and what is wanted, for the comment in the cell; `errors` are all of the form."""
    found = quoted(one.found)
    item = rubric.by_no.get(one.item or 0)
    most = points(item.points) if item else one.wanted
    match one.code:
        case Code.SCORE_MISSING:
            return "未填自评分。请补填；没有得分的请填0。"
        case Code.SCORE_NOT_A_NUMBER:
            return f"填的是{found}，{why_no_score(one.found)}。请填一个数字。"
        case Code.SCORE_OVER_MAX:
            return f"填的是{found}，超过本项分值{most}分。请在分值以内重新填写。"
        case Code.SCORE_NEGATIVE:
            return f"填的是{found}，小于0。没有得分的请填0。"
        case Code.EVIDENCE_MISSING:
            return "有自评分而未填自评依据。请补填工作实效。"
        case Code.TOTAL_MISMATCH:
            return f"填的是{found}，各项自评分之和为{one.wanted}分。{wanted_of_total(errors)}"
        case Code.FORM_WRONG_YEAR:
            return f"发来的表不是{rubric.year}年度的表。请按本表填报。"
        case Code.ORGANIZATION_MISSING:
            return "未填填报单位。请填写单位全称。"
        case Code.FORM_ALTERED if one.item is None:
            return (
                f"发来的表中多出一行{found}，" if found else "发来的表中的行有增减，"
            ) + "请以本表为准，不要增减。"
        case _:
            return (f"发来的表中此处为{found}，" if found else "发来的表中此处有改动，") + "请以本表为准。"


def _form(rubric: Rubric, assessment: Assessment | None) -> Workbook:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "自评表"
    for column, width in enumerate(_WIDTHS, 1):
        sheet.column_dimensions[_letter(column)].width = width
    _text(sheet, 1, 1, rubric.title)
    organization = plain((assessment.organization if assessment else None) or "")
    _text(sheet, 2, 1, f"填报单位：{organization or '____________________'}（盖章）")
    for column, name in enumerate(HEADER, 1):
        _text(sheet, 3, column, name)
    read = {item.no: item for item in assessment.items} if assessment else {}
    for row, item in enumerate(rubric.items, _FIRST_ROW):
        _item_row(sheet, row, item, rubric, read.get(item.no))
    _total_row(sheet, rubric, assessment)
    _style(sheet, rubric)
    starts = _page(sheet, _FIRST_ROW + len(rubric.items))
    _merge(sheet, rubric, starts)
    return book


def _item_row(sheet: Worksheet, row: int, item: Item, rubric: Rubric, read: ItemReading | None) -> None:
    category = next(c for c in rubric.categories if c.name == item.category)
    sheet.cell(row, _NO).value = item.no
    _text(sheet, row, _CATEGORY, f"{category.name}\n({points(category.points)}分)")
    _text(sheet, row, _GROUP, item.group)
    _text(sheet, row, _CRITERION, item.criterion)
    _text(sheet, row, _POINTS, f"{points(item.points)}分")
    if read is not None:
        _number_or_text(sheet, row, _SCORE, read.score_text)
        _text(sheet, row, _EVIDENCE, read.evidence)


def _total_row(sheet: Worksheet, rubric: Rubric, assessment: Assessment | None) -> None:
    row = _FIRST_ROW + len(rubric.items)
    _text(sheet, row, 1, "总计")
    _text(sheet, row, _POINTS, f"{points(rubric.total)}分")
    if assessment is not None and assessment.stated_total is not None:
        _number(sheet, row, _SCORE, assessment.stated_total)


def _merge(sheet: Worksheet, rubric: Rubric, starts: Sequence[int]) -> None:
    """Cells of one category or project are one, on each page: a printed cell is whole, and says again what it is."""
    page_of = {
        item.no: sum(start <= row for start in starts) for row, item in enumerate(rubric.items, _FIRST_ROW)
    }
    last = _FIRST_ROW + len(rubric.items)
    sheet.merge_cells(start_row=1, end_row=1, start_column=1, end_column=len(HEADER))
    sheet.merge_cells(start_row=2, end_row=2, start_column=1, end_column=len(HEADER))
    sheet.merge_cells(start_row=last, end_row=last, start_column=1, end_column=_CRITERION)
    for column, key in (
        (_CATEGORY, lambda i: (page_of[i.no], i.category)),
        (_GROUP, lambda i: (page_of[i.no], i.category, i.group)),
    ):
        for first, end in _runs(rubric.items, key):
            if end > first:
                sheet.merge_cells(
                    start_row=_FIRST_ROW + first,
                    end_row=_FIRST_ROW + end,
                    start_column=column,
                    end_column=column,
                )


def _runs(items: Sequence[Item], key: Callable[[Item], object]) -> Iterator[tuple[int, int]]:
    """First and last index of each run of items with the same key."""
    start = 0
    for _, run in groupby(items, key):
        length = len(list(run))
        yield start, start + length - 1
        start += length


def _style(sheet: Worksheet, rubric: Rubric) -> None:
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

    line = Side(style="thin", color="FF808080")
    box = Border(left=line, right=line, top=line, bottom=line)
    last = _FIRST_ROW + len(rubric.items)
    for row in range(3, last + 1):
        for column in range(1, len(HEADER) + 1):
            cell = sheet.cell(row, column)
            cell.border = box
            left = column in (_CRITERION, _EVIDENCE, _REMARK) and _FIRST_ROW <= row < last
            cell.alignment = Alignment(
                horizontal="left" if left else "center", vertical="center", wrap_text=True
            )
            if row in (3, last):
                cell.font = Font(bold=True)
                cell.fill = PatternFill("solid", fgColor=_HEAD)
    sheet.cell(1, 1).font = Font(bold=True, size=16)
    sheet.cell(1, 1).alignment = Alignment(horizontal="center", vertical="center")
    sheet.cell(2, 1).alignment = Alignment(vertical="center")
    sheet.row_dimensions[1].height = 30
    sheet.row_dimensions[2].height = 22
    for row, item in enumerate(rubric.items, _FIRST_ROW):
        sheet.row_dimensions[row].height = _height(item, str(sheet.cell(row, _EVIDENCE).value or ""))
    sheet.row_dimensions[3].height = sheet.row_dimensions[last].height = 22


def _height(item: Item, evidence: str) -> float:
    """Row height for wrapped text: a Chinese character takes two units of column width."""
    lines = (_lines(item.criterion, _WIDTHS[_CRITERION - 1]), _lines(evidence, _WIDTHS[_EVIDENCE - 1]))
    return min(max(*lines, 2) * 16.0 + 4.0, 400.0)


def _lines(text: str, width: int) -> int:
    return sum(
        -(-max(sum(1 if c.isascii() else 2 for c in line), 1) // (width - 2)) for line in text.split("\n")
    )


def _page(sheet: Worksheet, last: int) -> tuple[int, ...]:
    """The sheet as it is printed; returns the rows with which its later pages begin.

    Breaks of our own, and so a fixed scale: where Excel fits a sheet to the page, it passes them over.
    """
    from openpyxl.worksheet.pagebreak import Break

    starts, used = [], 0.0
    for row in range(1, last + 1):
        height = sheet.row_dimensions[row].height or 0.0
        if used + height > _PAGE_HEIGHT and row > _FIRST_ROW:
            starts.append(row)
            used = sheet.row_dimensions[3].height or 0.0
        used += height
    for row in starts:
        sheet.row_breaks.append(Break(id=row - 1))
    sheet.freeze_panes = "A4"
    sheet.print_title_rows = "3:3"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9
    sheet.page_setup.scale = _SCALE
    sheet.print_options.horizontalCentered = True
    sheet.page_margins.left = sheet.page_margins.right = 0.4
    sheet.page_margins.top = sheet.page_margins.bottom = 0.5
    return tuple(starts)


def _mark(sheet: Worksheet, row: int, column: int, remarks: Sequence[str]) -> None:
    from openpyxl.styles import PatternFill

    sheet.cell(row, column).fill = PatternFill("solid", fgColor=_FAULTY)
    _comment(sheet, row, column, "\n".join(dict.fromkeys(remarks)))


def _comment(sheet: Worksheet, row: int, column: int, text: str) -> None:
    from openpyxl.comments import Comment

    cell = sheet.cell(row, column)
    cell.comment = Comment(text, "核对说明", width=260, height=30 + 20 * _lines(text, 34))


def _sums(book: Workbook, assessment: Assessment, rubric: Rubric) -> None:
    """The computed sums on a sheet of their own: the form itself stays as the society filled it in."""
    from openpyxl.styles import Font

    sheet = book.create_sheet("分数核算")
    for column, width in enumerate((36, 12, 14), 1):
        sheet.column_dimensions[_letter(column)].width = width
    for column, name in enumerate(("类别", "满分", "自评分之和"), 1):
        _text(sheet, 1, column, name)
        sheet.cell(1, column).font = Font(bold=True)
    row = 2
    for row, category in enumerate(sums_in_words(assessment, rubric), 2):
        _text(sheet, row, 1, category.name)
        _number_or_text(sheet, row, 2, category.points)
        _number_or_text(sheet, row, 3, category.score)
    _text(sheet, row + 1, 1, "合计（按各项自评分计算）")
    _number(sheet, row + 1, 2, rubric.total)
    if assessment.total is not None:
        _number(sheet, row + 1, 3, assessment.total)
    _text(sheet, row + 2, 1, "表上总计")
    if assessment.stated_total is None:
        _text(sheet, row + 2, 3, "未填")
    else:
        _number(sheet, row + 2, 3, assessment.stated_total)


def _number_or_text(sheet: Worksheet, row: int, column: int, text: str) -> None:
    if _PLAIN_NUMBER.fullmatch(text):
        _number(sheet, row, column, Decimal(text))
    else:
        _text(sheet, row, column, text)


def _number(sheet: Worksheet, row: int, column: int, value: Decimal) -> None:
    sheet.cell(row, column).value = int(value) if value == value.to_integral_value() else float(value)


def _text(sheet: Worksheet, row: int, column: int, text: str) -> None:
    """A text that stays a text, whatever it begins with."""
    cleaned = shortened(_legal(text), _LONGEST_CELL)
    if not cleaned:
        return
    cell: Cell = sheet.cell(row, column)  # type: ignore[assignment]
    cell.value = cleaned
    cell.data_type = "s"
    if cleaned[0] in "=+-@":
        cell.quotePrefix = True


def _legal(text: str) -> str:
    """Without what XML 1.0 cannot carry."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    return re.sub("[\ud800-\udfff\ufffe\uffff]", "", ILLEGAL_CHARACTERS_RE.sub("", text)).strip()


def _letter(column: int) -> str:
    return "ABCDEFGH"[column - 1]


def _octets(book: Workbook) -> bytes:
    """The workbook with fixed times, so that the same form is the same file."""
    written = BytesIO()
    book.save(written)
    return with_fixed_times(written)


def with_fixed_times(written: BytesIO) -> bytes:
    """An Office file with the same times in it whenever it was made."""
    fixed = BytesIO()
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            data = source.read(name)
            if name == "docProps/core.xml":
                data = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2000-01-01T00:00:00Z", data)
            target.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
    return fixed.getvalue()
