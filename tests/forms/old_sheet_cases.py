"""The corpus' workbooks of Excel 97 and OpenDocument that hold more than they show, and formulas that nobody calculated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from tests.forms.case import Case, form_case
from tests.forms.paper import Paper, draw
from tests.forms.protected import protected
from tests.forms.sheets import Sheet, form_sheet, ods, repeatable, xls, xlsx

_FIRST, _SCORE = 3, 5
"""Row and column of the first score, from 0."""
_SCORE_OF_ODS = (
    r'(分</text:p></table:table-cell><table:table-cell )office:value-type="float" office:value="[^"]*"><text:p>'
).encode()
_STRUCK = (
    b'<office:automatic-styles><style:style style:name="struck" style:family="text"><style:text-properties '
    b'style:text-line-through-type="single"/></style:style></office:automatic-styles>'
)


def cases() -> Iterator[Case]:
    """All of them."""
    yield from _xls()
    yield from _ods()
    yield from _uncalculated()
    yield from _protected()


def _xls() -> Iterator[Case]:
    for name, about, touch in (
        ("struck-out", "the old score struck out in the same cell", _strike),
        ("hidden-item-row", "an item's old row, hidden above the new one", partial(_hide, row=_FIRST)),
        ("hidden-scores", "old scores in a hidden column before the new ones", partial(_hide, column=_SCORE)),
    ):
        paper = draw(f"xls {name}")
        make = partial(xls, _with_old(paper, name), touch=partial(touch, paper))
        yield form_case(f"{name}.xls", about, paper, make, writer="xlwt")
    paper = draw("xls percents").scored(8, "0.9", None, "form.low_confidence")
    make = partial(xls, form_sheet(paper, merged=False), touch=partial(_share, paper))
    yield form_case("percents.xls", "a score that shows as 90%", paper, make, writer="xlwt")


def _ods() -> Iterator[Case]:
    paper = draw("ods struck-out")
    yield form_case(
        "struck-out.ods",
        "the old score struck out in the same cell",
        paper,
        partial(_struck_ods, paper),
        writer="odfpy",
    )
    paper = draw("ods hidden-scores")
    yield form_case(
        "hidden-scores.ods",
        "old scores in a hidden column before the new ones",
        paper,
        partial(_hidden_column_ods, paper),
        writer="odfpy",
    )


def _uncalculated() -> Iterator[Case]:
    paper = draw("xls uncalculated")
    yield form_case(
        "uncalculated.xls",
        "formulas without a result, as programs write them",
        paper,
        partial(xls, form_sheet(paper), touch=partial(_formulas, paper)),
        writer="xlwt",
        needs="office",
    )
    paper = draw("xlsx uncalculated")
    yield form_case(
        "uncalculated.xlsx",
        "formulas with a zero for a result, to be calculated when the file is opened",
        paper,
        partial(_zeros, paper),
        writer="openpyxl",
    )


def _protected() -> Iterator[Case]:
    paper = draw("xls protected")
    yield form_case(
        "protected.xls",
        "the workbook's structure protected: encrypted, and opened without a password",
        paper,
        lambda: protected(xls(form_sheet(paper))),
        writer="xlwt",
        needs="office",
    )


def _with_old(paper: Paper, name: str) -> Sheet:
    """The form with what somebody hid in it."""
    sheet = form_sheet(paper, merged=False)
    rows = [[*row, *[""] * (8 - len(row))] for row in sheet.rows]
    if name == "hidden-item-row":
        old = [*rows[_FIRST][:_SCORE], "0.1", *rows[_FIRST][_SCORE + 1 :]]
        rows.insert(_FIRST, old)
    if name == "hidden-scores":
        old = ["", "", "自评分", *["1"] * (len(rows) - _FIRST)]
        rows = [[*row[:_SCORE], score, *row[_SCORE:]] for row, score in zip(rows, old, strict=True)]
    return replace(sheet, rows=rows)


def _strike(paper: Paper, book: Any) -> None:
    import xlwt

    struck = xlwt.Font()
    struck.struck_out = True
    page = book.get_sheet(0)
    for row, no in enumerate(paper.items, start=_FIRST):
        page.write_rich_text(row, _SCORE, [("1", struck), paper.written[no]])


def _hide(_paper: Paper, book: Any, row: int | None = None, column: int | None = None) -> None:
    page = book.get_sheet(0)
    if row is not None:
        page.row(row).hidden = True
    if column is not None:
        page.col(column).hidden = True


def _share(paper: Paper, book: Any) -> None:
    import xlwt

    style = xlwt.easyxf(num_format_str="0.0%")
    book.get_sheet(0).write(_FIRST + paper.items.index(8), _SCORE, 0.9, style)


def _formulas(paper: Paper, book: Any) -> None:
    import xlwt

    page = book.get_sheet(0)
    for row, no in enumerate(paper.items, start=_FIRST):
        page.write(row, _SCORE, xlwt.Formula(f"0+{paper.written[no]}"))
    last = _FIRST + len(paper.items)
    page.write(last, _SCORE, xlwt.Formula(f"SUM(F{_FIRST + 1}:F{last})"))


def _zeros(paper: Paper) -> bytes:
    def touch(book: Any) -> None:
        page, last = book.active, _FIRST + len(paper.items)
        page.cell(row=_FIRST + 1, column=_SCORE + 1).value = f"={paper.written[paper.items[0]]}+0"
        page.cell(row=last + 1, column=_SCORE + 1).value = f"=SUM(F{_FIRST + 1}:F{last})"
        book.calculation.fullCalcOnLoad = True

    empty = {"xl/worksheets/sheet1.xml": (rb"</f><v ?/>|</f><v></v>", b"</f><v>0</v>")}
    return repeatable(xlsx(form_sheet(paper), touch=touch), empty)


def _struck_ods(paper: Paper) -> bytes:
    struck = rb'\1office:value-type="string"><text:p><text:span text:style-name="struck">1</text:span>'
    package = repeatable(
        ods(form_sheet(paper, merged=False)), {"content.xml": (b"<office:automatic-styles/>", _STRUCK)}
    )
    return repeatable(package, {"content.xml": (_SCORE_OF_ODS, struck)})


def _hidden_column_ods(paper: Paper) -> bytes:
    columns = (
        rb'\1<table:table-column table:number-columns-repeated="5"/>'
        rb'<table:table-column table:visibility="collapse"/>'
    )
    package = ods(_with_old(paper, "hidden-scores"))
    return repeatable(package, {"content.xml": (rb"(<table:table [^>]*>)", columns)})
