"""The corpus' workbooks: tidy, as WPS and online offices leave them, and as secretaries rearrange them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

from tests.forms.case import Case, form_case, other_case
from tests.forms.faults import FAULTS, NEAR_MISSES
from tests.forms.paper import Grid, Paper, draw, plain
from tests.forms.sheets import (
    Sheet,
    columns_in_order,
    csv_file,
    form_sheet,
    html_table,
    ods,
    repeatable,
    unmerged,
    xls,
    xlsx,
)

_NOTES = Sheet(name="填表说明", rows=[["填表说明"], ["1.自评分不超过分值。"], ["2.自评依据请简要填写。"]])
_MEMBERS = Sheet(
    name="会员情况",
    rows=[
        ["序号", "姓名", "单位", "职称"],
        *([str(n), f"会员{n}", "某研究院", "高工"] for n in range(1, 30)),
    ],
)


def cases() -> Iterator[Case]:
    """All of them."""
    yield from _formats()
    yield from _several_sheets()
    yield from _rearranged()
    yield from _quirks()
    yield from _not_filled()


def _xlsx(name: str, about: str, paper: Paper, make: Callable[[], bytes]) -> Case:
    return form_case(f"{name}.xlsx", about, paper, make, writer="openpyxl")


def _formats() -> Iterator[Case]:
    for kind, changes in (("fault", FAULTS), ("near", NEAR_MISSES)):
        for what, change in changes.items():
            paper = change(draw(f"xlsx {what}"))
            numbers = what not in ("numbers-in-every-way", "zeros")
            sheet = form_sheet(paper, numbers=numbers)
            yield _xlsx(f"{kind}-{what}", f"{kind}: {what}", paper, partial(xlsx, sheet))
    for what in ("score-missing", "score-over-max", "total-mismatch", "altered-points", "many-faults"):
        paper = FAULTS[what](draw(f"xls {what}"))
        yield form_case(f"fault-{what}.xls", what, paper, partial(xls, form_sheet(paper)), writer="xlwt")
        paper = FAULTS[what](draw(f"ods {what}"))
        yield form_case(f"fault-{what}.ods", what, paper, partial(ods, form_sheet(paper)), writer="odfpy")
        paper = FAULTS[what](draw(f"csv {what}"))
        yield form_case(f"fault-{what}.csv", what, paper, partial(csv_file, paper), writer="csv")
    paper = draw("xlsx")
    yield _xlsx("plain", "the form, 类别 and 项目 merged", paper, partial(xlsx, form_sheet(paper)))
    paper = draw("xlsx unmerged")
    yield _xlsx("unmerged", "nothing merged", paper, partial(xlsx, form_sheet(paper, merged=False)))
    paper = draw("xls")
    yield form_case("plain.xls", "the form", paper, partial(xls, form_sheet(paper)), writer="xlwt")
    paper = draw("et")
    yield form_case(
        "plain.et",
        "an .et that is an .xls inside",
        paper,
        partial(xls, form_sheet(paper)),
        writer="xlwt",
        format="xls",
    )
    paper = draw("xls text")
    yield form_case(
        "numbers-as-text.xls",
        "numbers as text",
        paper,
        partial(xls, form_sheet(paper, numbers=False)),
        writer="xlwt",
    )
    paper = draw("ods")
    yield form_case("plain.ods", "the form", paper, partial(ods, form_sheet(paper)), writer="odfpy")
    paper = draw("ods text")
    sheet = form_sheet(paper, numbers=False, merged=False)
    yield form_case("numbers-as-text.ods", "numbers as text", paper, partial(ods, sheet), writer="odfpy")
    yield from _texts()


def _texts() -> Iterator[Case]:
    for name, encoding, separator in (
        ("gbk", "gb18030", ","),
        ("utf-8-bom", "utf-8-sig", ","),
        ("utf-16-tabs", "utf-16", "\t"),
        ("semicolons", "utf-8", ";"),
    ):
        paper = draw(f"csv {name}")
        make = partial(csv_file, paper, encoding=encoding, separator=separator)
        yield form_case(f"{name}.csv", f"{encoding}, separated by {separator!r}", paper, make, writer="csv")
    for name, about, options in (
        ("html-gb2312.xls", "an HTML table saved as .xls", {}),
        ("html-utf-8.xls", "the same in UTF-8", {"charset": "utf-8"}),
        ("html-bare.xls", "a bare fragment in GBK, nothing said of the charset", {"plain": True}),
        ("html-unmerged.html", "a web page", {"merged": False}),
    ):
        paper = draw(name)
        make = partial(html_table, paper, **options)
        yield form_case(name, about, paper, make, writer="HTML", format="html")
    for what in ("score-over-max", "evidence-missing", "altered-number"):
        paper = FAULTS[what](draw(f"html {what}"))
        yield form_case(
            f"fault-{what}.html.xls", what, paper, partial(html_table, paper), writer="HTML", format="html"
        )


def _several_sheets() -> Iterator[Case]:
    paper = draw("third sheet")
    third = form_sheet(paper, name="自评表")
    yield _xlsx("third-sheet", "the form on the third sheet", paper, partial(xlsx, _NOTES, _MEMBERS, third))
    paper = draw("xls third sheet")
    third = form_sheet(paper, name="自评表")
    yield form_case(
        "third-sheet.xls", "the same as xls", paper, partial(xls, _NOTES, _MEMBERS, third), writer="xlwt"
    )
    older = FAULTS["wrong-year"](draw("older"))
    for state in ("hidden", "veryHidden"):
        paper = draw(state)
        hidden = replace(form_sheet(older, name="2019"), state=state)
        make = partial(xlsx, hidden, form_sheet(paper, name="2020"))
        yield _xlsx(f"beside-{state.lower()}", f"last year's form on a {state} sheet", paper, make)
    paper = draw("other hidden")
    draft = replace(form_sheet(draw("draft"), name="草稿"), state="hidden")
    make = partial(xlsx, form_sheet(paper, name="2020"), draft)
    yield _xlsx("draft-hidden", "a draft with other points on a hidden sheet", paper, make)
    paper = draw("only hidden")
    only = replace(form_sheet(paper, name="自评表"), state="hidden")
    yield _xlsx("only-hidden", "the only form on a hidden sheet", paper, partial(xlsx, _NOTES, only))
    paper = draw("ods hidden")
    hidden = replace(form_sheet(draw("ods draft"), name="draft"), state="hidden")
    make = partial(ods, form_sheet(paper, name="2020"), hidden)
    yield form_case("draft-hidden.ods", "a draft on a hidden sheet", paper, make, writer="odfpy")
    paper = draw("twice")
    make = partial(xlsx, form_sheet(paper, name="正本"), form_sheet(paper, name="副本"))
    yield _xlsx("two-copies", "the same form on two sheets", paper, make)
    paper = draw("two forms").found("form.conflicting")
    other = draw("two forms, the other")
    other = replace(other, organization=paper.organization)
    make = partial(xlsx, form_sheet(paper, name="自评表"), form_sheet(other, name="自评表 (2)"))
    yield _xlsx("two-forms", "two sheets with forms that differ", paper, make)
    paper = draw("beside template")
    make = partial(xlsx, form_sheet(_blank(paper), name="样表"), form_sheet(paper, name="自评表"))
    yield _xlsx("beside-template", "the empty template on the first sheet", paper, make)
    paper = draw("beside last year").found()
    older = replace(FAULTS["wrong-year"](draw("ly")), organization=paper.organization)
    make = partial(xlsx, form_sheet(older, name="2019年"), form_sheet(paper, name="2020年"))
    yield _xlsx("beside-last-year", "last year's form on a visible sheet too", paper, make)


def _blank(paper: Paper) -> Paper:
    empty = dict.fromkeys(paper.items, "")
    return replace(
        paper, organization=None, claims=dict.fromkeys(paper.items), written=empty, evidence=empty, total=""
    )


def _rearranged() -> Iterator[Case]:
    def moved(name: str, about: str, change: Callable[[Grid], Grid]) -> Case:
        paper = draw(name)
        sheet = form_sheet(paper, merged=False)
        rows = [[paper.title], [paper.filler], *change(paper.grid())]
        return _xlsx(name, about, paper, partial(xlsx, unmerged(sheet, rows)))

    yield moved(
        "other-order", "the columns in another order", lambda g: columns_in_order(g, (0, 3, 4, 6, 5, 7, 2, 1))
    )
    yield moved("fewer-columns", "no 类别, 项目 and 备注", lambda g: columns_in_order(g, (0, 3, 4, 5, 6)))
    yield moved("more-columns", "the office's own columns beside ours", _more_columns)
    yield moved(
        "no-numbers-column",
        "no column 序号",
        lambda g: [*columns_in_order(g[:-1], range(1, 8)), ["总计", *g[-1][2:]]],
    )
    yield moved("header-two-rows", "自评 over 自评分 and 自评依据", _two_header_rows)
    yield moved("header-repeated", "the header again in the middle", lambda g: [*g[:12], [], g[0], *g[12:]])
    yield moved("rows-shuffled", "the rows in another order", lambda g: [g[0], *reversed(g[1:-1]), g[-1]])
    yield moved("blank-rows", "an empty row below each item", lambda g: [r for row in g for r in (row, [])])
    yield moved("category-rows", "each category on a row of its own", _category_rows)
    yield moved("notes-below", "notes, date and signature below the total", _with_notes)
    yield moved("example-kept", "the row that shows how to fill in left above the items", _with_example)
    yield moved("evidence-otherwise", "自评依据 as 工作实绩", partial(_headed, label="工作实绩"))
    yield moved("criteria-numbered", "each criterion with its number in front", _numbered_criteria)
    yield moved(
        "far-inside", "the form begins at D6", lambda g: [[], [], [], *(["", "", "", *row] for row in g)]
    )
    yield moved("labels-otherwise", "the header's labels in other words", _other_labels)
    paper = _with_bonus(draw("bonus"))
    yield _xlsx(
        "bonus-in-total", "附加分 below the items, in the total too", paper, partial(xlsx, form_sheet(paper))
    )
    for name, label in (("of-scores", "自评得分合计"), ("with-its-most", "总计（满分100分）")):
        paper = replace(FAULTS["total-mismatch"](draw(label)), total_label=label)
        about = f"a wrong total under {label}"
        yield _xlsx(f"fault-total-{name}", about, paper, partial(xlsx, form_sheet(paper)))
    paper = draw("evidence-unnamed").found("form.low_confidence")
    rows = [[paper.title], [paper.filler], *_headed(paper.grid(), "2020年度所做的事")]
    yield _xlsx(
        "evidence-unnamed",
        "自评依据 under a label that tells nothing",
        paper,
        partial(xlsx, Sheet(rows=rows)),
    )
    paper = draw("filler apart")
    rows = [
        ["", paper.title],
        ["填报单位（盖章）：", "", paper.organization or "", "", "填报日期：", "2021年1月8日"],
    ]
    make = partial(xlsx, Sheet(rows=[*rows, *paper.grid()]))
    yield _xlsx("filler-apart", "填报单位 and the name in cells of their own", paper, make)
    paper = draw("shared evidence")
    paper = paper.because(45, "2019年获评4A级社会组织，列入推荐性目录，证书见附件")
    shared = paper.because(46, paper.evidence[45]).because(47, paper.evidence[45])
    grid = replace(shared, evidence={**shared.evidence, 46: "", 47: ""}).grid()
    at = next(i for i, row in enumerate(grid) if row[0] == "45") + 2
    sheet = Sheet(rows=[[paper.title], [paper.filler], *grid], merged=((at, 6, at + 2, 6),))
    yield _xlsx(
        "shared-evidence", "one merged cell of evidence for three items", shared, partial(xlsx, sheet)
    )


def _more_columns(grid: Grid) -> Grid:
    added = (["评审得分", "评审意见"], *(["", ""] for _ in grid[1:]))
    return [[row[0], *row[1:5], row[5], *more, *row[6:]] for row, more in zip(grid, added, strict=True)]


def _two_header_rows(grid: Grid) -> Grid:
    return [
        ["序号", "类别", "项目", "评价内容", "分值", "自评情况", "", "备注"],
        ["", "", "", "", "", "自评分", "自评依据(工作实效)", ""],
        *grid[1:],
    ]


def _category_rows(grid: Grid) -> Grid:
    rows: Grid = [grid[0]]
    for row in grid[1:]:
        if row[1]:
            rows.append([row[1]])
        rows.append([row[0], "", *row[2:]])
    return rows


def _with_notes(grid: Grid) -> Grid:
    return [
        *grid,
        [],
        ["说明：1.自评分请对照分值填写，最高不超过10分。"],
        ["", "", "填表人：李四", "", "联系电话：0571-87000000", "日期：2021年1月8日"],
    ]


def _with_example(grid: Grid) -> Grid:
    example = ["例", "示例", "示例", grid[1][3], grid[1][4], "8", "2020年5月举办全国性学术年会1次", ""]
    return [grid[0], example, *grid[1:]]


def _numbered_criteria(grid: Grid) -> Grid:
    return [
        grid[0],
        *([*r[:3], f"{n}.{r[3]}" if r[3] else "", *r[4:]] for n, r in enumerate(grid[1:], start=1)),
    ]


def _other_labels(grid: Grid) -> Grid:
    return [
        ["编号", "一级指标", "二级指标", "评价标准", "满分", "自评\n得分", "自评依据\n（工作实效）", "备 注"],
        *grid[1:],
    ]


def _with_bonus(paper: Paper) -> Paper:
    """Points beside the 25 items, in the total too."""
    with_them = (paper.sum or Decimal()) + 2
    row = ("附加分", "", "", "", "5分", "2", "获国家级表彰1次", "")
    return replace(paper, added=(row,)).totalled(plain(with_them), with_them, "form.low_confidence")


def _headed(grid: Grid, label: str) -> Grid:
    """The evidence under another label."""
    return [[*grid[0][:6], label, *grid[0][7:]], *grid[1:]]


def _quirks() -> Iterator[Case]:
    paper = draw("wps dimension")
    wrong = {"xl/worksheets/sheet1.xml": (rb'<dimension ref="[^"]*"', b'<dimension ref="A1"')}
    make = partial(_changed, partial(xlsx, form_sheet(paper)), wrong)
    yield _xlsx("wps-dimension", "WPS: <dimension> says A1", paper, make)
    paper = draw("wps fill")
    empty = {"xl/styles.xml": (rb"<fill><patternFill */></fill>", b"<fill/>")}
    make = partial(_changed, partial(xlsx, form_sheet(paper)), empty)
    yield _xlsx("wps-fill", "WPS: an empty <fill/>, on which openpyxl raises", paper, make)
    paper = draw("xlsm")
    macros = {
        "[Content_Types].xml": (rb"spreadsheetml\.sheet\.main\+xml", b"ms-excel.sheet.macroEnabled.main+xml")
    }
    make = partial(_changed, partial(xlsx, form_sheet(paper)), macros)
    yield form_case("macros.xlsm", "a workbook with macros", paper, make, writer="openpyxl", format="xlsx")
    paper = draw("formulas")
    yield _xlsx(
        "total-formula", "=SUM() without a cached value", paper, partial(_formulas, paper, items=False)
    )
    paper = draw("item formulas")
    yield _xlsx(
        "item-formulas",
        "scores as =1+0.5 without cached values",
        paper,
        partial(_formulas, paper, items=True),
    )
    paper = draw("as text")
    yield _xlsx("numbers-as-text", "numbers as text", paper, partial(xlsx, form_sheet(paper, numbers=False)))
    paper = draw("long tail")
    yield _xlsx("long-tail", "formatted, empty rows down to row 3000", paper, partial(_tail, paper))
    paper = draw("number format")
    yield _xlsx("number-format", 'numbers shown with 0.0"分"', paper, partial(_number_format, paper))
    paper = draw("rich text")
    yield _xlsx("rich-text", "text in several fonts, comments and links", paper, partial(_rich, paper))
    paper = draw("floats")
    paper = paper.scored(1, "9.100000000000001", "9.1")
    paper = replace(paper, written={**paper.written, 1: "9.1"})
    make = partial(xlsx, form_sheet(paper), touch=partial(_float_noise))
    yield _xlsx("float-noise", "9.1 stored as 9.100000000000001", paper, make)
    paper = draw("mislabelled")
    yield form_case(
        "named-otherwise.doc",
        "an xlsx named .doc",
        paper,
        partial(xlsx, form_sheet(paper)),
        writer="openpyxl",
        format="xlsx",
    )


def _changed(make: Callable[[], bytes], changes: dict[str, tuple[bytes, bytes]]) -> bytes:
    return repeatable(make(), changes)


def _formulas(paper: Paper, *, items: bool) -> bytes:
    def touch(book: Any) -> None:
        page = book.active
        last = 3 + len(paper.items)
        page.cell(row=last + 1, column=6, value=f"=SUM(F4:F{last})")
        for row, no in enumerate(paper.items, start=4):
            claim = paper.claims[no] or Decimal()
            if items and claim > 1:
                page.cell(row=row, column=6, value=f"={plain(claim - 1)}+1")

    return xlsx(form_sheet(paper), touch=touch)


def _tail(paper: Paper) -> bytes:
    def touch(book: Any) -> None:
        from openpyxl.styles import Border, Side

        line = Border(bottom=Side(style="thin"))
        for row in range(4, 3000):
            book.active.cell(row=row, column=8).border = line

    return xlsx(form_sheet(paper), touch=touch)


def _number_format(paper: Paper) -> bytes:
    def touch(book: Any) -> None:
        for row in range(4, 4 + len(paper.items) + 1):
            book.active.cell(row=row, column=6).number_format = '0.0"分"'

    return xlsx(form_sheet(paper), touch=touch)


def _float_noise(book: Any) -> None:
    book.active.cell(row=4, column=6).value = 9.100000000000001


def _rich(paper: Paper) -> bytes:
    def touch(book: Any) -> None:
        from openpyxl.cell.rich_text import CellRichText, TextBlock
        from openpyxl.cell.text import InlineFont
        from openpyxl.comments import Comment

        page = book.active
        bold = InlineFont(b=True)
        for row, no in enumerate(paper.items, start=4):
            said = paper.evidence[no]
            page.cell(row=row, column=7).value = CellRichText(TextBlock(bold, said[:3]), said[3:])
        page.cell(row=4, column=6).comment = Comment("审核：待定 3分", "王五")
        page.cell(row=5, column=7).hyperlink = "https://www.example.org/"

    return xlsx(form_sheet(paper), touch=touch)


def _not_filled() -> Iterator[Case]:
    paper = draw("blank")
    for maker, writer, ending in ((xlsx, "openpyxl", "xlsx"), (xls, "xlwt", "xls"), (ods, "odfpy", "ods")):
        yield other_case(
            f"blank.{ending}",
            "the template came back without scores",
            partial(maker, form_sheet(_blank(paper))),
            writer=writer,
            role="form",
            findings=("form.blank",),
        )
    named = replace(_blank(paper), organization=paper.organization)
    yield other_case(
        "blank-named.xlsx",
        "only 填报单位 was filled in",
        partial(xlsx, form_sheet(named)),
        writer="openpyxl",
        role="form",
        findings=("form.blank",),
    )
    yield other_case(
        "other-offices-form.xlsx",
        "the form of another office: other items",
        partial(xlsx, Sheet(rows=_other_office())),
        writer="openpyxl",
    )
    yield other_case(
        "members.xlsx", "a list of members", partial(xlsx, _MEMBERS), writer="openpyxl", codes=()
    )
    yield other_case(
        "budget.xlsx",
        "a budget with numbers and 备注",
        partial(xlsx, Sheet(rows=_budget())),
        writer="openpyxl",
    )


def _other_office() -> Grid:
    criteria = (
        "机关党组织建设规范，“三会一课”制度落实到位。",
        "安全生产责任制健全，全年无责任事故。",
        "信访件按期办结率达到100%。",
        "政务信息报送及时，被市委办采用10篇以上。",
        "机关干部年度培训学时达标。",
        "公文办理规范，档案归档及时。",
    )
    rows = [["2020年度市直机关工作目标考核自评表"], ["填报单位：某市档案局（盖章）"]]
    rows.append(["序号", "考核内容", "分值", "自评分", "自评依据", "备注"])
    rows += [[str(n), text, "10", "9", "已完成", ""] for n, text in enumerate(criteria, start=1)]
    return [*rows, ["合计", "", "60", "54", "", ""]]


def _budget() -> Grid:
    rows = [["2020年度学会经费预算表"], ["序号", "项目", "内容", "金额（元）", "备注"]]
    return [*rows, *([str(n), "学术活动", f"第{n}次会议", str(n * 5000), ""] for n in range(1, 12))]


def sheet_of(paper: Paper) -> bytes:
    """The plain workbook, for what is made out of it."""
    return xlsx(form_sheet(paper))
