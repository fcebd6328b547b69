"""The corpus' Word files: forms and reports by python-docx, and what secretaries make of the handed-out form."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import Any

from tests.forms.case import Case, form_case, other_case
from tests.forms.faults import FAULTS, NEAR_MISSES
from tests.forms.paper import Grid, Paper, draw
from tests.forms.texts import add_form, add_report, add_table, docx, docx_report, new, report, saved, tabbed


def cases() -> Iterator[Case]:
    """All of them."""
    for kind, changes in (("fault", FAULTS), ("near", NEAR_MISSES)):
        for what, change in changes.items():
            paper = change(draw(f"docx {what}"))
            yield _docx(f"{kind}-{what}", f"{kind}: {what}", paper, partial(docx, paper))
    yield from _layouts()
    yield from _markup()
    yield from _with_reports()
    yield from _reports()


def _docx(
    name: str,
    about: str,
    paper: Paper,
    make: Callable[[], bytes],
    *,
    covers: tuple[str, ...] = ("form",),
) -> Case:
    return form_case(f"{name}.docx", about, paper, make, writer="python-docx", covers=covers)


def _made(build: Callable[[Any], None]) -> bytes:
    document = new()
    build(document)
    return saved(document)


def _layouts() -> Iterator[Case]:
    paper = draw("docx")
    yield _docx("plain", "the form, 类别 and 项目 merged", paper, partial(docx, paper))
    paper = draw("docx unmerged")
    yield _docx("unmerged", "nothing merged", paper, partial(docx, paper, merged=False))
    for name, about, layout in (
        ("nested", "the form in a cell of a layout table", _nested),
        ("title-in-table", "title and 填报单位 in merged rows of the table", _title_in_table),
        ("two-tables", "cut into two tables, the second without a header", partial(_cut, again=False)),
        ("two-tables-headed", "cut into two tables, the header again", partial(_cut, again=True)),
        ("table-for-each-category", "a table with a header for each category", _by_category),
        ("header-two-rows", "a header of two rows, merged", _two_header_rows),
        ("landscape", "landscape, narrow margins", _landscape),
        ("other-order", "自评依据 before 自评分", partial(_columns, order=(0, 1, 2, 3, 4, 6, 5, 7))),
        ("fewer-columns", "no 类别, 项目 and 备注", partial(_columns, order=(0, 3, 4, 5, 6))),
        ("text-boxes", "title and 填报单位 in text boxes", _text_boxes),
        ("filler-table", "填报单位 in a small table of its own", _filler_table),
        ("header-and-footer", "the title in the page's header too", _header_and_footer),
        ("blank-rows", "an empty row after each category", _blank_rows),
        ("picture-beside", "a seal as a picture below", _picture_beside),
        (
            "dragged-group",
            "项目 wide in the header, 评价内容 wide below",
            partial(_dragged, label=2, below=3),
        ),
        (
            "dragged-score",
            "自评分 wide in the header, 自评依据 wide below",
            partial(_dragged, label=5, below=6),
        ),
        ("dragged-far", "备注 wide in the header, 评价内容 wide below", partial(_dragged, label=7, below=3)),
    ):
        paper = draw(f"docx {name}")
        yield _docx(name, about, paper, partial(_made, partial(layout, paper)))
    paper = draw("docx tabbed")
    flat = {no: " ".join(text.split("\n")) for no, text in paper.evidence.items()}
    paper = replace(paper, evidence=flat)
    yield _docx("tabbed", "tabbed text without a table", paper, partial(_made, partial(_tabbed, paper)))
    paper = replace(draw("txt"), evidence=flat)
    make = partial(_text_file, paper)
    yield form_case("tabbed.txt", "tabbed text in GBK", paper, make, writer="text", format="text")
    named = replace(_blank(draw("docx blank")), organization="浙江省示例学会")
    yield other_case(
        "blank.docx", "the template came back", partial(docx, _blank(draw("docx blank"))), writer="python-docx", role="form",
        findings=("form.blank",),
    )  # fmt: skip
    yield other_case(
        "blank-named.docx", "only 填报单位 was filled in", partial(docx, named), writer="python-docx", role="form",
        findings=("form.blank",),
    )  # fmt: skip


def _blank(paper: Paper) -> Paper:
    empty = dict.fromkeys(paper.items, "")
    return replace(
        paper, organization=None, claims=dict.fromkeys(paper.items), written=empty, evidence=empty, total=""
    )


def _nested(paper: Paper, document: Any) -> None:
    outer = document.add_table(rows=2, cols=1, style="Table Grid")
    outer.cell(0, 0).text = paper.title
    inside = outer.cell(1, 0)
    inside.text = paper.filler
    add_table(inside, paper.grid())


def _title_in_table(paper: Paper, document: Any) -> None:
    grid = paper.grid()
    top = [[paper.title, *[""] * 7], [paper.filler, *[""] * 7]]
    table = add_table(document, [*top, *grid], merged=False)
    for row, text in ((0, paper.title), (1, paper.filler)):
        table.cell(row, 0).merge(table.cell(row, 7)).text = text


def _cut(paper: Paper, document: Any, *, again: bool) -> None:
    grid = paper.grid()
    document.add_heading(paper.title, level=1)
    document.add_paragraph(paper.filler)
    add_table(document, grid[:14], merged=False)
    document.add_page_break()
    add_table(document, [*([grid[0]] if again else []), *grid[14:]], merged=False)


def _by_category(paper: Paper, document: Any) -> None:
    grid = paper.grid()
    document.add_heading(paper.title, level=1)
    document.add_paragraph(paper.filler)
    starts = [i for i, row in enumerate(grid) if i and row[1]]
    for start, end in zip(starts, [*starts[1:], len(grid)], strict=True):
        document.add_paragraph(grid[start][1])
        add_table(document, [grid[0], *grid[start:end]], merged=False)


def _two_header_rows(paper: Paper, document: Any) -> None:
    grid = paper.grid()
    first = ["序号", "类别", "项目", "评价内容", "分值", "自评情况", "", "备注"]
    second = ["", "", "", "", "", "自评分", "自评依据(工作实效)", ""]
    document.add_heading(paper.title, level=1)
    document.add_paragraph(paper.filler)
    table = add_table(document, [first, second, *grid[1:]], merged=False)
    for column in (0, 1, 2, 3, 4, 7):
        text = first[column]
        table.cell(0, column).merge(table.cell(1, column)).text = text
    table.cell(0, 5).merge(table.cell(0, 6)).text = first[5]


def _landscape(paper: Paper, document: Any) -> None:
    from docx.enum.section import WD_ORIENT
    from docx.shared import Cm

    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = section.page_height, section.page_width
    section.left_margin = section.right_margin = Cm(1)
    add_form(document, paper)


def _columns(paper: Paper, document: Any, *, order: tuple[int, ...]) -> None:
    add_form(document, paper, merged=False, grid=[[row[c] for c in order] for row in paper.grid()])


def _text_boxes(paper: Paper, document: Any) -> None:
    for text in (paper.title, paper.filler):
        _text_box(document.add_paragraph(), text)
    add_table(document, paper.grid())


def _text_box(paragraph: Any, text: str) -> None:
    from docx.oxml import parse_xml

    main = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    paragraph._p.append(
        parse_xml(
            f'<w:r xmlns:w="{main}" xmlns:v="urn:schemas-microsoft-com:vml"><w:pict><v:shape style="width:300pt;height:30pt">'
            f"<v:textbox><w:txbxContent><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:txbxContent></v:textbox>"
            "</v:shape></w:pict></w:r>"
        )
    )


def _filler_table(paper: Paper, document: Any) -> None:
    document.add_heading(paper.title, level=1)
    add_table(
        document,
        [
            ["填报单位（盖章）", paper.organization or "", "填报日期", "2021年1月8日"],
            ["联系人", "李四", "电话", "0571-8700"],
        ],
        merged=False,
    )
    document.add_paragraph("")
    add_table(document, paper.grid())


def _header_and_footer(paper: Paper, document: Any) -> None:
    document.sections[0].header.paragraphs[0].text = paper.title
    document.sections[0].footer.paragraphs[0].text = "第 1 页 共 4 页"
    add_form(document, paper)


def _blank_rows(paper: Paper, document: Any) -> None:
    grid: Grid = []
    for row in paper.grid():
        grid += [[""] * 8, row] if row[1] and grid else [row]
    add_form(document, paper, merged=False, grid=grid)


def _picture_beside(paper: Paper, document: Any) -> None:
    import io

    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (160, 160), "white")
    ImageDraw.Draw(picture).ellipse((8, 8, 152, 152), outline="red", width=6)
    out = io.BytesIO()
    picture.save(out, "PNG")
    add_form(document, paper)
    document.add_picture(out)


def _dragged(paper: Paper, document: Any, *, label: int, below: int) -> None:
    """A border moved in all rows but the header: in the grid of one column more another cell takes two of them."""
    document.add_heading(paper.title, level=1)
    document.add_paragraph(paper.filler)
    grid = paper.grid()
    table = document.add_table(rows=len(grid), cols=len(grid[0]) + 1, style="Table Grid")
    for number, (row, values) in enumerate(zip(table.rows, grid, strict=True)):
        wide = below if number else label
        row.cells[wide].merge(row.cells[wide + 1])
        for column, value in enumerate(values):
            row.cells[column + (column > wide)].text = value


def _tabbed(paper: Paper, document: Any) -> None:
    for line in tabbed(paper):
        document.add_paragraph(line)


def _text_file(paper: Paper) -> bytes:
    return "\r\n".join(tabbed(paper)).encode("gb18030")


def _markup() -> Iterator[Case]:
    for name, about, touch in (
        ("revisions", "scores corrected with tracked changes", _revise),
        ("content-controls", "scores in content controls", _control),
        ("split-runs", "numbers cut into runs of several fonts", _split_runs),
        ("hidden-text", "the old score beside it as hidden text", _hide),
    ):
        paper = draw(f"docx {name}")
        yield _docx(name, about, paper, partial(docx, paper, touch=touch))


def _scores(document: Any) -> Iterator[Any]:
    """The paragraphs of the score cells."""
    for row in document.tables[0].rows[1:-1]:
        yield row.cells[5].paragraphs[0]


def _qualified(name: str) -> str:
    from docx.oxml.ns import qn

    return str(qn(name))


def _revise(document: Any) -> None:
    from docx.oxml import OxmlElement

    for paragraph in _scores(document):
        inserted, deleted = OxmlElement("w:ins"), OxmlElement("w:del")
        for change in (inserted, deleted):
            change.set(_qualified("w:id"), "1")
            change.set(_qualified("w:author"), "李四")
        run = paragraph.runs[0]._r
        old = deepcopy(run)
        text = old.find(_qualified("w:t"))
        text.tag, text.text = _qualified("w:delText"), "1"
        run.addprevious(deleted)
        deleted.append(old)
        run.addprevious(inserted)
        inserted.append(run)


def _control(document: Any) -> None:
    from docx.oxml import OxmlElement

    for paragraph in _scores(document):
        run = paragraph.runs[0]._r
        control, content = OxmlElement("w:sdt"), OxmlElement("w:sdtContent")
        run.addprevious(control)
        control.append(content)
        content.append(run)


def _split_runs(document: Any) -> None:
    for paragraph in _scores(document):
        text = paragraph.text
        paragraph.clear()
        for character in text:
            paragraph.add_run(character).bold = character.isdigit()


def _hide(document: Any) -> None:
    for paragraph in _scores(document):
        paragraph.add_run("3").font.hidden = True


def _with_reports() -> Iterator[Case]:
    paper = draw("all in one")
    covers = ("form", "summary", "plan")
    make = partial(all_in_one, paper)
    yield _docx("all-in-one", "summary, plan and form in one file", paper, make, covers=covers)
    first = draw("form first")

    def form_first(document: Any) -> None:
        add_form(document, first)
        document.add_page_break()
        add_report(document, *report("summary", first.organization or ""))

    make = partial(_made, form_first)
    yield _docx("form-then-summary", "the form, then the summary", first, make, covers=("form", "summary"))


def all_in_one(paper: Paper) -> bytes:
    """Summary, plan and form in one file."""

    def build(document: Any) -> None:
        for kind in ("summary", "plan"):
            add_report(document, *report(kind, paper.organization or ""))
            document.add_page_break()
        add_form(document, paper)

    return _made(build)


def _reports() -> Iterator[Case]:
    name = "浙江省营养学会"

    def of(file: str, about: str, make: Callable[[], bytes], role: str, *covers: str) -> Case:
        return other_case(file, about, make, writer="python-docx", format="docx", role=role, covers=covers)

    yield of("summary.docx", "a summary", partial(docx_report, "summary", name), "summary", "summary")
    yield of("plan.docx", "a plan", partial(docx_report, "plan", name), "plan", "plan")
    make = partial(docx_report, "summary", name, year=2019)
    yield of("summary-2019.docx", "last year's summary is not this year's", make, "summary")
    make = partial(docx_report, "plan", name, year=2019)
    yield of("plan-2020.docx", "this year's plan is not next year's", make, "plan")
    both = partial(_made, partial(_both, name))
    yield of("summary-and-plan.docx", "summary and plan", both, "summary_and_plan", "summary", "plan")
    misnamed = partial(docx_report, "plan", name)
    yield of("工作总结.docx", "a plan under the name of a summary", misnamed, "plan", "plan")


def _both(name: str, document: Any) -> None:
    add_report(document, *report("summary", name))
    add_report(document, *report("plan", name))
