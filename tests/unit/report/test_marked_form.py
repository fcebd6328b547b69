"""The form that goes back: faults coloured and explained, sums computed, and nothing in it that could run."""

from __future__ import annotations

import re
import subprocess
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pdfplumber
import pytest
from openpyxl import Workbook, load_workbook

from mailbot.model import Assessment, Code, Finding, ItemReading, ReadBy, finding
from mailbot.report.marked_form import blank_form, marked_form
from mailbot.rubric import load
from tests.conftest import ROOT, require

RUBRIC = load(ROOT / "rubric/2020.toml")
ROWS = {item.no: row for row, item in enumerate(RUBRIC.items, 4)}


def assessment(changes: dict[int, tuple[str, str]]) -> Assessment:
    """Every item at one point, but for `changes`: (score as written, evidence)."""
    items = []
    for item in RUBRIC.items:
        text, evidence = changes.get(item.no, ("1", "开展活动"))
        score = Decimal(text) if text.replace(".", "", 1).isdecimal() and text.isascii() else None
        items.append(ItemReading(no=item.no, score=score, score_text=text, evidence=evidence))
    return Assessment(
        organization="浙江省示例学会",
        year=2020,
        read_by=ReadBy.CELLS,
        items=tuple(items),
        stated_total=Decimal(90),
        total=sum((i.score for i in items if i.score is not None), Decimal()),
    )


def opened(changes: dict[int, tuple[str, str]], *findings: Finding) -> Workbook:
    return load_workbook(BytesIO(marked_form(assessment(changes), findings, RUBRIC)))


def test_a_faulty_cell_is_coloured_and_says_what_is_wanted() -> None:
    book = opened(
        {8: ("3", "")},
        finding(Code.SCORE_OVER_MAX, item=8, found="3", wanted="2"),
        finding(Code.EVIDENCE_MISSING, item=8),
        finding(Code.TOTAL_MISMATCH, found="90", wanted="27"),
        finding(Code.EVIDENCE_UNSUPPORTED, item=46, found="正在申报"),
    )
    sheet = book["自评表"]
    marked = {cell.coordinate: cell.comment.text for row in sheet.iter_rows() for cell in row if cell.comment}
    assert marked == {
        f"F{ROWS[8]}": "填的是“3”，超过本项分值2分。请在分值以内重新填写。",
        f"G{ROWS[8]}": "有自评分而未填自评依据。请补填工作实效。",
        "F29": "填的是“90”，各项自评分之和为27分。请先更正上述自评分，再将“总计”改为更正后的各项自评分之和。",
    }
    assert {sheet[place].fill.fgColor.rgb for place in marked} == {"FFFFC7CE"}
    assert sheet[f"F{ROWS[4]}"].fill.fgColor.rgb != "FFFFC7CE"
    assert (sheet[f"F{ROWS[8]}"].value, sheet["F29"].value) == (3, 90)


def test_where_a_score_is_to_be_mended_the_total_says_that_it_changes_too() -> None:
    sheet = opened({8: ("3", "三期")}, finding(Code.SCORE_OVER_MAX, item=8, found="3", wanted="2"))["自评表"]
    assert sheet["F29"].comment.text == "自评分改动后，总计请相应改为各项自评分之和。"
    assert sheet["F29"].fill.fgColor.rgb != "FFFFC7CE"
    untouched = opened({8: ("1", "")}, finding(Code.EVIDENCE_MISSING, item=8))["自评表"]
    assert untouched["F29"].comment is None


def test_the_sums_are_values_on_a_sheet_of_their_own() -> None:
    sheet = opened({1: ("9.5", "三次")})["分数核算"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    assert rows[0] == ["一、为科技工作者服务", 35, 15.5]
    assert [row[1] for row in rows[:6]] == [35, 15, 12, 10, 28, 100]
    assert rows[5][2] == 33.5
    assert rows[6] == ["表上总计", None, 90]


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1+1", "-1+2", "@SUM(A1)", "=cmd|'/C calc'!A0"])
def test_text_from_a_mail_never_becomes_a_formula(text: str) -> None:
    sheet = opened({8: (text, text)})["自评表"]
    for column in "FG":
        cell = sheet[f"{column}{ROWS[8]}"]
        assert (cell.value, cell.data_type, cell.quotePrefix) == (text, "s", True)


def test_characters_that_no_workbook_can_hold_are_left_out() -> None:
    sheet = opened({8: ("2\x00", "培训\x0b两期\ud800\uffff")})["自评表"]
    assert sheet[f"G{ROWS[8]}"].value == "培训两期"


def test_the_blank_form_is_the_notices_own() -> None:
    sheet = load_workbook(BytesIO(blank_form(RUBRIC))).active
    assert sheet is not None
    assert sheet["A1"].value == "2020年度省级学会工作自评表"
    assert str(sheet["A2"].value).startswith("填报单位：")
    assert [cell.value for cell in sheet[3]] == [
        "序号",
        "类别",
        "项目",
        "评价内容",
        "分值",
        "自评分",
        "自评依据(工作实效)",
        "备注",
    ]
    assert [sheet.cell(row, 1).value for row in ROWS.values()] == [item.no for item in RUBRIC.items]
    assert [sheet.cell(row, 4).value for row in ROWS.values()] == [item.criterion for item in RUBRIC.items]
    assert not any(sheet.cell(row, column).value for row in ROWS.values() for column in (6, 7, 8))
    assert (sheet["A29"].value, sheet["E29"].value) == ("总计", "100分")


def test_the_same_form_is_the_same_file() -> None:
    assert blank_form(RUBRIC) == blank_form(RUBRIC)
    assert marked_form(assessment({}), (), RUBRIC) == marked_form(assessment({}), (), RUBRIC)


def test_both_forms_are_read_again_as_what_they_are() -> None:
    from mailbot.config import Limits
    from mailbot.documents.read import read_parts
    from mailbot.form.examine import Readable, examine
    from mailbot.reading import Part

    def read(data: bytes):  # type: ignore[no-untyped-def]
        part = Part(key="1", filename="表.xlsx", content_type="", data=data)
        parts = read_parts(
            (part,), limits=Limits(), supplied={}, begin=lambda _: None, open_mail=lambda _: ()
        )
        return examine(
            [Readable(key=p.key, filename=p.filename, extract=p.extract) for p in parts if p.extract], RUBRIC
        )

    assert [f.code for f in read(blank_form(RUBRIC)).findings] == [Code.FORM_BLANK]
    over = finding(Code.SCORE_OVER_MAX, item=8, found="3", wanted="2")
    again = read(marked_form(assessment({8: ("3", "两期")}), (over,), RUBRIC))
    assert again.assessment.organization == "浙江省示例学会"
    assert {(f.code, f.item) for f in again.findings if f.severity == "error"} == {
        (Code.SCORE_OVER_MAX, 8),
        (Code.TOTAL_MISMATCH, None),
    }


def converted(data: bytes, kind: str, directory: Path) -> Path:
    """What LibreOffice makes of a workbook."""
    source = directory / "form.xlsx"
    source.write_bytes(data)
    subprocess.run(
        [
            require("soffice"), f"-env:UserInstallation={(directory / 'profile').as_uri()}", "--headless",
            "--convert-to", kind, "--outdir", str(directory / "made"), str(source),
        ],
        check=True, timeout=120, capture_output=True,
    )  # fmt: skip
    return directory / "made" / f"form.{kind}"


@pytest.mark.parametrize("evidence", ["开展活动", "开展学术交流活动，参会人数众多。" * 20])
def test_no_cell_is_cut_by_the_edge_of_a_printed_page(evidence: str, tmp_path: Path) -> None:
    data = marked_form(assessment({item.no: ("1", evidence) for item in RUBRIC.items}), (), RUBRIC)
    sheet = load_workbook(BytesIO(data))["自评表"]
    starts = [each.id + 1 for each in sheet.row_breaks.brk]
    assert starts
    for start in starts:
        assert not [m for m in sheet.merged_cells.ranges if m.min_row < start <= m.max_row]
        assert sheet.cell(start, 2).value
        assert sheet.cell(start, 3).value
    with pdfplumber.open(converted(data, "pdf", tmp_path)) as printed:
        pages = [page.extract_text() for page in printed.pages]
    bounds = [4, *starts, 29]
    assert len(pages) == len(starts) + 2  # and the sums
    for text, first, end in zip(pages, bounds[:-1], bounds[1:], strict=False):
        for item in RUBRIC.items[first - 4 : end - 4]:
            assert re.search(rf"(?m)\b{item.no} ", text), item.no


def test_libreoffice_opens_and_saves_it_without_loss(tmp_path: Path) -> None:
    faults = (
        finding(Code.SCORE_OVER_MAX, item=8, found="3", wanted="2"),
        finding(Code.EVIDENCE_MISSING, item=14),
    )
    data = marked_form(assessment({8: ("3", "两期"), 14: ("1", "")}), faults, RUBRIC)
    before = load_workbook(BytesIO(data))["自评表"]
    after = load_workbook(converted(data, "xlsx", tmp_path))["自评表"]
    for place in (f"F{ROWS[8]}", f"G{ROWS[14]}"):
        assert after[place].comment is not None
        assert "".join(after[place].comment.text.split()).endswith(
            "".join(before[place].comment.text.split())
        )
        assert after[place].fill.fgColor.rgb == before[place].fill.fgColor.rgb
    values = [[cell.value for cell in row] for row in before.iter_rows()]
    assert [[cell.value for cell in row] for row in after.iter_rows(max_col=8)] == values
    assert {str(each) for each in after.merged_cells.ranges} == {str(m) for m in before.merged_cells.ranges}
    assert after.print_title_rows == before.print_title_rows
    assert (after.page_setup.orientation, int(after.page_setup.paperSize or 0)) == ("landscape", 9)
    assert [each.id for each in after.row_breaks.brk] == [each.id for each in before.row_breaks.brk]
    for column in "ABCDEFGH":
        width = before.column_dimensions[column].width
        assert after.column_dimensions[column].width == pytest.approx(width, abs=0.6)
