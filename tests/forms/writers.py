"""Writes the self-assessment form as societies send it: docx, xlsx and PDF, by real writers.

The scores and the evidence are mappings from 序号 to what stands in the cell; an item without an entry is left empty.
"""

from __future__ import annotations

import io
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from mailbot.rubric import Rubric

HEADER = ("序号", "类别", "项目", "评价内容", "分值", "自评分", "自评依据(工作实效)", "备注")
ORGANIZATION = "浙江省示例学会"
_WIDTHS = (9, 22, 18, 66, 13, 14, 54, 12)
"""Of the columns, in millimetres."""


def full_scores(rubric: Rubric) -> dict[int, str]:
    """Every item with its points in full."""
    return {item.no: f"{item.points.normalize():f}" for item in rubric.items}


def some_evidence(rubric: Rubric) -> dict[int, str]:
    """A distinct line of evidence for each item, which bears out its thresholds."""
    known = {
        8: "举办继续教育培训3期,参加人数260人",
        13: "开展“科技工作者之家”服务会员特色活动3项",
        14: "新增会员128人,年内新增会员4.2%",
        46: "2019年被评为4A级社会组织",
        49: "全年在《浙江科协》等发表信息12次,编发会讯6期",
    }
    return {item.no: known.get(item.no, f"第{item.no}项按要求完成,详见材料") for item in rubric.items}


def rows(
    rubric: Rubric, scores: Mapping[int, str], evidence: Mapping[int, str], *, total: str | None = None
) -> list[list[str]]:
    """The whole grid of 8 columns: the header, one row for each item, and 总计.

    类别 and 项目 stand in their first row only, as in merged cells. Without `total` it is the sum of the scores.
    """
    points = {category.name: category.points for category in rubric.categories}
    grid = [list(HEADER)]
    category, group = "", ""
    for item in rubric.items:
        name = f"{item.category} ({points[item.category]:f}分)"
        grid.append(
            [
                str(item.no),
                "" if name == category else name,
                "" if (name, item.group) == (category, group) else item.group,
                item.criterion,
                f"{item.points:f}分",
                scores.get(item.no, ""),
                evidence.get(item.no, ""),
                "",
            ]
        )
        category, group = name, item.group
    stated = _sum(scores.values()) if total is None else total
    grid.append(["总计", "", "", "", f"{rubric.total:f}分", stated, "", ""])
    return grid


def docx_form(
    rubric: Rubric,
    scores: Mapping[int, str],
    evidence: Mapping[int, str],
    *,
    organization: str = ORGANIZATION,
    title: str | None = None,
    total: str | None = None,
    merged: bool = True,
    before: Sequence[str] = (),
) -> bytes:
    """A Word file with the form, 类别 and 项目 merged downwards. `before` are paragraphs that stand above it."""
    import docx

    document = docx.Document()
    for paragraph in before:
        document.add_paragraph(paragraph)
    document.add_heading(title or rubric.title, level=1)
    document.add_paragraph(f"填报单位：{organization}（盖章）")
    grid = rows(rubric, scores, evidence, total=total)
    table = document.add_table(rows=len(grid), cols=len(HEADER), style="Table Grid")
    for cells, values in zip(table.rows, grid, strict=True):
        for cell, value in zip(cells.cells, values, strict=True):
            cell.text = value
    for first_row, first_column, last_row, last_column in spans(grid) if merged else ():
        text = grid[first_row][first_column]
        one = table.cell(first_row, first_column).merge(table.cell(last_row, last_column))
        one.text = text
    return _saved(document)


def xlsx_form(
    rubric: Rubric,
    scores: Mapping[int, str],
    evidence: Mapping[int, str],
    *,
    organization: str = ORGANIZATION,
    title: str | None = None,
    total: str | None = None,
    merged: bool = True,
    sheet: str = "Sheet1",
    total_formula: bool = False,
) -> bytes:
    """A workbook with the form: title in row 1, 填报单位 in row 2, the header in row 3.

    Scores that are numbers are written as numbers. `total_formula` writes the total as =SUM without a cached value.
    """
    import openpyxl

    workbook = openpyxl.Workbook()
    page: Any = workbook.active
    page.title = sheet
    page.append([title or rubric.title])
    page.append([f"填报单位：{organization}（盖章）"])
    grid = rows(rubric, scores, evidence, total=total)
    for values in grid:
        page.append([_number(value) if column in (0, 5) else value for column, value in enumerate(values)])
    if total_formula:
        page.cell(row=len(grid) + 2, column=6, value=f"=SUM(F4:F{len(grid) + 1})")
    if merged:
        page.merge_cells(start_row=1, end_row=1, start_column=1, end_column=len(HEADER))
    for first_row, first_column, last_row, last_column in spans(grid) if merged else ():
        page.merge_cells(
            start_row=first_row + 3,
            start_column=first_column + 1,
            end_row=last_row + 3,
            end_column=last_column + 1,
        )
    return _saved(workbook)


def pdf_form(
    rubric: Rubric,
    scores: Mapping[int, str],
    evidence: Mapping[int, str],
    *,
    organization: str = ORGANIZATION,
    title: str | None = None,
    total: str | None = None,
    ruled: bool = True,
    merged: bool = False,
    landscape: bool = True,
    repeat_header: bool = True,
    font_size: float = 9,
    split_rows: bool = False,
    rotation: int = 0,
    sideways: bool = False,
    password: str | None = None,
    font: Path | None = None,
) -> bytes:
    """A PDF with text: the form over as many pages as it takes.

    Its Chinese font is named and not in it, unless a `font` file is given to embed.

    `ruled` draws the lines; `merged` joins 类别 and 项目 downwards (only sensible where they fit on a page);
    `split_rows` lets a row be cut by the end of a page. `rotation` is the pages' /Rotate, the content being turned
    against it so that it shows upright, unless it is to show `sideways`. `password` encrypts it.
    """
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.pagesizes import landscape as turned
    from reportlab.lib.pdfencrypt import StandardEncryption
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer

    out = io.BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=turned(A4) if landscape else A4,
        leftMargin=28,
        rightMargin=28,
        topMargin=36,
        bottomMargin=36,
        title=title or rubric.title,
        encrypt=StandardEncryption(password, canPrint=1) if password else None,
    )
    body, heading = _styles(font_size, chinese_font(font))
    grid = rows(rubric, scores, evidence, total=total)
    story = [
        Paragraph(title or rubric.title, heading),
        Paragraph(f"填报单位：{organization}（盖章）", body),
        Spacer(1, 6),
        _pdf_table(
            grid,
            body,
            document.width,
            ruled=ruled,
            merged=merged,
            repeat_header=repeat_header,
            split_rows=split_rows,
        ),
    ]

    def on_page(canvas: Any, _: Any) -> None:
        if not sideways:
            turn(canvas, document.pagesize, rotation)

    document.build(story, onFirstPage=on_page, onLaterPages=on_page)
    return rotated(out.getvalue(), rotation) if rotation else out.getvalue()


def by_libreoffice(program: str, data: bytes, *endings: str) -> bytes:
    """A file as LibreOffice writes it: from the first ending to each of the next ones in turn.

    To come to doc from docx, go through odt: straight on, LibreOffice 7.4 loses the tables of python-docx.
    """
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        source = directory / f"document.{endings[0]}"
        source.write_bytes(data)
        for ending in endings[1:]:
            profile = f"-env:UserInstallation={(directory / 'profile').as_uri()}"
            subprocess.run(
                [program, profile, "--headless", "--convert-to", ending, "--outdir", place, str(source)],
                check=True,
                capture_output=True,
                timeout=120,
            )
            source = source.with_suffix(f".{ending}")
        return source.read_bytes()


def spans(grid: Sequence[Sequence[str]]) -> Iterator[tuple[int, int, int, int]]:
    """The merged cells of `rows`: first row, first column, last row, last column, counted from 0."""
    for column in (1, 2):
        start = 1
        for row in range(2, len(grid)):
            if row == len(grid) - 1 or grid[row][column]:
                if row - 1 > start:
                    yield start, column, row - 1, column
                start = row
    yield len(grid) - 1, 0, len(grid) - 1, 3


def turn(canvas: Any, size: tuple[float, float], rotation: int) -> None:
    """Turn what is drawn on a page against its /Rotate."""
    width, height = size
    if rotation in (90, 270):
        canvas.setPageSize((height, width))
    canvas.translate(*{0: (0, 0), 90: (height, 0), 180: (width, height), 270: (0, width)}[rotation])
    canvas.rotate(rotation)


def rotated(data: bytes, rotation: int) -> bytes:
    """The file with /Rotate on every page."""
    import pypdfium2

    out = io.BytesIO()
    with pypdfium2.PdfDocument(data) as document:
        for page in document:
            page.set_rotation(rotation)
        document.save(out)
    return out.getvalue()


def chinese_font(file: Path | None = None) -> str:
    """The name of a font for reportlab: one that is named only, or a file's, of which what is used is embedded."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfbase.ttfonts import TTFont

    font = TTFont(file.stem, str(file)) if file else UnicodeCIDFont("STSong-Light")
    pdfmetrics.registerFont(font)
    return str(font.fontName)


def _styles(font_size: float, font: str) -> tuple[Any, Any]:
    from reportlab.lib.enums import TA_CENTER
    from reportlab.lib.styles import ParagraphStyle

    body = ParagraphStyle("body", fontName=font, fontSize=font_size, leading=font_size * 1.3, wordWrap="CJK")
    return body, ParagraphStyle("heading", parent=body, fontSize=16, leading=24, alignment=TA_CENTER)


def _pdf_table(
    grid: Sequence[Sequence[str]],
    body: Any,
    width: float,
    *,
    ruled: bool,
    merged: bool,
    repeat_header: bool,
    split_rows: bool,
) -> Any:
    from xml.sax.saxutils import escape

    from reportlab.platypus import Paragraph, Table

    cells = [[Paragraph(escape(value), body) for value in row] for row in grid]
    style: list[tuple[Any, ...]] = [("VALIGN", (0, 0), (-1, -1), "TOP" if not ruled else "MIDDLE")]
    if ruled:
        style.append(("GRID", (0, 0), (-1, -1), 0.5, "black"))
    if merged:
        style += [("SPAN", (c0, r0), (c1, r1)) for r0, c0, r1, c1 in spans(grid)]
    return Table(
        cells,
        colWidths=[width * part / sum(_WIDTHS) for part in _WIDTHS],
        repeatRows=1 if repeat_header else 0,
        splitInRow=1 if split_rows else 0,
        style=style,
    )


def _sum(values: Any) -> str:
    known = [number for number in map(_decimal, values) if number is not None]
    return f"{sum(known, Decimal()):f}" if known else ""


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _number(text: str) -> int | float | str | None:
    number = _decimal(text)
    if number is None or not number.is_finite():
        return text or None
    return int(number) if number == number.to_integral_value() else float(number)


def _saved(document: Any) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()
