"""The corpus' workbooks that hold more than they show, and numbers that show as something else."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from html import escape
from typing import Any

from tests.forms.case import Case, form_case
from tests.forms.office_cases import by_office
from tests.forms.paper import Paper, draw
from tests.forms.sheets import Sheet, form_sheet, html_table, ods, repeatable, value, xlsx

_FIRST = 4
"""The row of the first item."""
_SCORE = 6


def cases() -> Iterator[Case]:
    """All of them."""
    for name, about, touch in (
        ("dates", "scores that show as 1900-01-05", partial(_shown_as, "yyyy-mm-dd")),
        ("times", "scores that show as times", partial(_shown_as, "h:mm")),
        ("struck-out", "the old score struck out in the same cell", _strike),
        ("hidden-item-row", "an item's old row, hidden above the new one", partial(_old_row, 4)),
        ("hidden-item-row-below", "an item's old row, hidden below the new one", partial(_old_row, 5)),
        ("filtered-rows", "rows hidden by a filter that was left on", _filter),
        ("hidden-scores", "old scores in a hidden column before the new ones", partial(_old_column, 6)),
        (
            "hidden-scores-behind",
            "old scores in a hidden column behind the new ones",
            partial(_old_column, 7),
        ),
    ):
        paper = draw(f"xlsx {name}")
        sheet = form_sheet(paper, merged=False)
        make = partial(xlsx, sheet, touch=touch)
        yield form_case(f"{name}.xlsx", about, paper, make, writer="openpyxl")
    yield from _shares()
    yield from _pictures()
    yield from _pages()
    yield from _totals()
    paper = draw("xlsx phonetic")
    yield form_case(
        "phonetic.xlsx", "phonetic guides", paper, partial(_guides, paper), writer="openpyxl", read_by="cells"
    )
    paper = draw("xls far")
    yield form_case("far-corner.xls", "a value in IV65536", paper, partial(_far, paper), writer="xlwt")


def _shares() -> Iterator[Case]:
    paper = _doubted_up_to_one(draw("xlsx percents"))
    make = partial(xlsx, form_sheet(paper, merged=False), touch=partial(_shown_as, "0%"))
    yield form_case("percents.xlsx", "scores that show as percents", paper, make, writer="openpyxl")
    paper = _doubted_up_to_one(draw("xlsx percents of its own"))
    make = partial(xlsx, form_sheet(paper, merged=False), touch=partial(_shown_as, "0.0%;[Red]-0.0%"))
    yield form_case(
        "percents-own.xlsx", "percents by a format of the workbook's own", paper, make, writer="openpyxl"
    )
    paper = draw("xlsx percent sign")
    make = partial(xlsx, form_sheet(paper, merged=False), touch=partial(_shown_as, '0.0"%"'))
    yield form_case(
        "percent-sign.xlsx", "scores with a percent sign written behind", paper, make, writer="openpyxl"
    )
    paper = _doubted_up_to_one(draw("ods percents"))
    make = partial(_ods_as, paper, "percentage", lambda score: score)
    yield form_case("percents.ods", "scores that show as percents", paper, make, writer="odfpy")
    paper = draw("ods dates")
    make = partial(_ods_as, paper, "date", lambda score: _moment(score).isoformat())
    yield form_case("dates.ods", "scores that show as 1900-01-04", paper, make, writer="odfpy")
    paper = draw("ods times")
    make = partial(_ods_as, paper, "time", _duration)
    yield form_case("times.ods", "scores that show as times", paper, make, writer="odfpy")


def _doubted_up_to_one(paper: Paper) -> Paper:
    """Up to 100% nobody knows what is meant; 900% is nine points."""
    for no, claim in paper.claims.items():
        if claim is not None and 0 < claim <= 1:
            paper = paper.scored(no, paper.written[no], None, "form.low_confidence")
    return paper


def _ods_as(paper: Paper, kind: str, shown: Callable[[str], str]) -> bytes:
    """Scores and total that OpenDocument stores as another kind of value."""
    attribute = {"percentage": "value"}.get(kind, f"{kind}-value")
    before = rb'(>\d+\xe5\x88\x86</text:p></table:table-cell><table:table-cell )office:value-type="float" office:value="([^"]*)"'

    def after(found: re.Match[bytes]) -> bytes:
        return (
            found[1] + f'office:value-type="{kind}" office:{attribute}="{shown(found[2].decode())}"'.encode()
        )

    return repeatable(ods(form_sheet(paper, merged=False)), {"content.xml": (before, after)})


def _moment(score: str) -> datetime:
    return datetime(1899, 12, 30) + timedelta(days=float(score))  # noqa: DTZ001 - a workbook knows no zone


def _duration(score: str) -> str:
    hours, rest = divmod(round(float(score) * 86400), 3600)
    return f"PT{hours:02}H{rest // 60:02}M{rest % 60:02}S"


def _pictures() -> Iterator[Case]:
    paper = draw("xlsx picture").because(8, "[图片]", "evidence.unsupported")
    make = partial(xlsx, form_sheet(paper), touch=_certificate)
    yield form_case("picture-evidence.xlsx", "a picture for evidence", paper, make, writer="openpyxl")
    for ending in ("xls", "ods"):
        name = f"picture-evidence.{ending}"
        convert = partial(by_office, make, "xlsx", ending)
        yield form_case(name, "the same of LibreOffice", paper, convert, writer="LibreOffice", once=True)


def _certificate(book: Any) -> None:
    from openpyxl.drawing.image import Image
    from PIL import Image as Picture

    octets = io.BytesIO()
    Picture.new("RGB", (90, 60), "red").save(octets, "PNG")
    page = book.active
    cell = next(row[_SCORE] for row in page.iter_rows(min_row=_FIRST) if row[0].value == 8)
    cell.value = None
    page.add_image(Image(octets), cell.coordinate)


def _pages() -> Iterator[Case]:
    for name, about, old in (
        ("struck-out", "the old score struck out in the same cell", "<s>1</s>"),
        ("struck-by-style", "the same by a style", '<span style="text-decoration:line-through">1</span>'),
        ("hidden-text", "the old score hidden", '<span style="display:none;mso-hide:all">1</span>'),
    ):
        paper = draw(f"html {name}")
        make = partial(_page, paper, old)
        yield form_case(f"{name}.html", about, paper, make, writer="HTML")


def _page(paper: Paper, old: str) -> bytes:
    page = html_table(paper).decode("gb18030")
    for no in paper.items:
        said = f"<td>{paper.written[no]}</td><td>{escape(paper.evidence[no]).replace(chr(10), '<br>')}</td>"
        page = page.replace(said, said.replace("<td>", f"<td>{old}", 1))
    return page.encode("gb18030")


def _totals() -> Iterator[Case]:
    for name, about, row in (
        ("total-in-a-line", "the total in a line below the table", "合计得分：{}分"),
        ("total-in-a-sentence", "the total in a sentence below the table", "本学会自评总分为{}分。"),
    ):
        paper = draw(name)
        rows = [[paper.title], [paper.filler], *paper.grid()[:-1], [], [row.format(paper.total)]]
        yield form_case(f"{name}.xlsx", about, paper, partial(xlsx, Sheet(rows=rows)), writer="openpyxl")


def _rows(book: Any) -> Iterator[Any]:
    for row in range(_FIRST, book.active.max_row):
        yield book.active.cell(row=row, column=_SCORE)


def _shown_as(form: str, book: Any) -> None:
    for cell in _rows(book):
        cell.number_format = form


def _strike(book: Any) -> None:
    from openpyxl.cell.rich_text import CellRichText, TextBlock
    from openpyxl.cell.text import InlineFont

    for cell in _rows(book):
        cell.value = CellRichText(
            TextBlock(InlineFont(strike=True), "1"), TextBlock(InlineFont(), f"{cell.value}")
        )


def _old_row(place: int, book: Any) -> None:
    page = book.active
    now = [cell.value for cell in page[_FIRST]]
    page.insert_rows(place)
    for column, text in enumerate(now, start=1):
        page.cell(row=place, column=column, value=0.1 if column == _SCORE else text)
    page.row_dimensions[place].hidden = True


def _filter(book: Any) -> None:
    page = book.active
    page.auto_filter.ref = f"A3:H{page.max_row}"
    for row in range(_FIRST + 2, _FIRST + 9):
        page.row_dimensions[row].hidden = True


def _old_column(place: int, book: Any) -> None:
    page = book.active
    page.insert_cols(place)
    page.cell(row=_FIRST - 1, column=place, value="自评分")
    for row in range(_FIRST, page.max_row + 1):
        page.cell(row=row, column=place, value=1)
    page.column_dimensions["ABCDEFGH"[place - 1]].hidden = True


def _guides(paper: Paper) -> bytes:
    """Strings with phonetic guides, as input methods leave them."""
    guide = rb'<si>\1<rPh sb="0" eb="1"><t>GUIDE 7</t></rPh><phoneticPr fontId="1"/></si>'
    return repeatable(
        xlsx(form_sheet(paper, numbers=False)),
        {"xl/sharedStrings.xml": (rb"<si>(<t[^>]*>[^<]*</t>)</si>", guide)},
    )


def _far(paper: Paper) -> bytes:
    import xlwt

    book = xlwt.Workbook(encoding="utf-8")
    page = book.add_sheet("Sheet1")
    for r, row in enumerate(form_sheet(paper).rows):
        for c, text in enumerate(row):
            if text:
                page.write(r, c, value(text, numbers=True))
    page.write(65535, 255, "x")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
