"""The 汇总表, opened again: by openpyxl, and after LibreOffice has opened and saved it."""

from __future__ import annotations

import io
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from mailbot.model import Code, Outcome, Role, Status, Track, doubt, finding
from mailbot.records import MessageRecord, OrganizationRecord
from mailbot.report.summary import columns, what_lacks
from mailbot.report.workbook import summary_workbook
from tests.conftest import require
from tests.unit.report.sample import (
    CONFIG,
    HOSTILE_NAME,
    MESSAGES,
    NOW,
    ORGANIZATIONS,
    RUBRIC,
    at,
    organization,
    version,
)

SHEETS = ["汇总表", "待核对", "逐项得分", "问题清单", "接收登记", "统计"]
LISTS = SHEETS[:-1]


def octets(
    organizations: tuple[OrganizationRecord, ...] = ORGANIZATIONS,
    messages: tuple[MessageRecord, ...] = MESSAGES,
    left_out: int = 0,
) -> bytes:
    return summary_workbook(
        config=CONFIG,
        rubric=RUBRIC,
        organizations=organizations,
        messages=iter(messages),
        now=NOW,
        left_out=left_out,
    )


@pytest.fixture(scope="module")
def book() -> Workbook:
    return load_workbook(io.BytesIO(octets()))


@pytest.fixture(scope="module")
def summary(book: Workbook) -> Worksheet:
    sheet = book["汇总表"]
    assert isinstance(sheet, Worksheet)
    return sheet


def clock(day: int, hour: int, minute: int, second: int = 0) -> datetime:
    """A time as sheets hold it: the campaign's, without offset."""
    return at(day, hour, minute, second).replace(tzinfo=None)


def row_of(sheet: Worksheet, name: str) -> dict[str, object]:
    heads = [cell.value for cell in sheet[1]]
    for row in sheet.iter_rows(min_row=2, values_only=True):
        if name in row:
            return dict(zip(map(str, heads), row, strict=True))
    raise AssertionError(f"{name} is not in {sheet.title}")


def strings(book: Workbook) -> Iterator[str]:
    for sheet in book.worksheets:
        for row in sheet.iter_rows(values_only=True):
            yield from (value for value in row if isinstance(value, str))


def test_the_columns_are_those_that_offices_keep(summary: Worksheet) -> None:
    heads = [cell.value for cell in summary[1]]
    assert heads == list(columns(RUBRIC))
    assert heads == [
        "序号", "单位名称", "类别", "首次接收时间", "末次有效接收时间", "是否按时", "版本数",
        "工作总结", "工作计划", "自评表", "纸质件",
        "一、为科技工作者服务（35分）", "二、为创新驱动发展服务（15分）", "三、为提高全民素质服务（12分）",
        "四、为党和政府决策咨询服务（10分）", "五、加强自身建设（28分）",
        "填报总分", "核算总分", "差额", "考核分", "问题", "来件邮箱", "备注",
    ]  # fmt: skip


def test_a_complete_organization(summary: Worksheet) -> None:
    row = row_of(summary, "浙江省示例甲学会")
    assert row["首次接收时间"] == clock(12, 9, 12, 3)
    assert row["是否按时"] == "按时"
    assert (row["工作总结"], row["工作计划"], row["自评表"]) == ("已收", "已收", "已收")
    assert row["纸质件"] in (clock(13, 0, 0), date(2021, 1, 13))
    assert row["一、为科技工作者服务（35分）"] == 33
    assert (row["填报总分"], row["核算总分"], row["差额"]) == (91.5, 91.5, 0)
    assert row["考核分"] == 90.5
    assert row["问题"] is None
    assert row["备注"] == "纸质件已盖章"


def test_an_organization_with_faults(summary: Worksheet) -> None:
    row = row_of(summary, "浙江省示例乙学会")
    assert row["工作计划"] == "缺"
    assert (row["填报总分"], row["核算总分"], row["差额"]) == (99, 101, -2)
    assert row["考核分"] is None
    problems = str(row["问题"])
    assert "未填自评依据（第4、14项）" in problems
    assert "自评分“3”超过分值2" in problems
    assert row["备注"] == "已电话提醒"


def test_the_version_that_counts_is_shown_and_a_late_correction_marked(summary: Worksheet) -> None:
    row = row_of(summary, "浙江省示例丙研究会")
    assert row["末次有效接收时间"] == clock(14, 10, 0)
    assert row["是否按时"] == "按时"
    assert row["版本数"] == 2
    assert row["问题"] == "逾期更正"
    assert row["备注"] == "逾期更正：2021年1月15日20:15:07收到第2版，未计入"


def test_a_late_completion_says_what_came_in_time(summary: Worksheet) -> None:
    row = row_of(summary, "浙江省示例丁协会")
    assert row["是否按时"] == "逾期"
    assert row["首次接收时间"] == clock(15, 9, 0)
    assert row["末次有效接收时间"] == clock(15, 17, 30, 1)
    assert row["备注"] == "2021年1月15日9:00按时收到第1版，当时尚不齐全"


def test_who_has_not_sent_and_who_owes_no_form(summary: Worksheet) -> None:
    silent = row_of(summary, "示例港口集团科协")
    assert (silent["问题"], silent["版本数"], silent["是否按时"]) == ("未报送", 0, None)
    assert (silent["工作总结"], silent["自评表"]) == ("缺", "免报")
    assert row_of(summary, "示例能源集团科协")["自评表"] == "免报"


def test_why_one_waits_is_named(summary: Worksheet) -> None:
    assert row_of(summary, "浙江省示例戊学会")["问题"] == "待人工核对（识读存疑）"


def test_why_one_waits_is_said_once_and_a_paper_in_doubt_is_not_called_unprocessable() -> None:
    doubtful = finding(Code.FORM_LOW_CONFIDENCE, item=14, found="4")
    waiting = replace(
        organization(
            "浙江省示例戊学会",
            Track.SOCIETY,
            version(1, 7, at(15, 11, 20), Status.REVIEW, findings=(doubtful,)),
            sender="wu@example.com",
        ),
        status=Status.REVIEW,
    )
    told = "第14项（以发展个人会员为重点）识读没有把握，读作“4”"
    assert list(what_lacks(waiting, RUBRIC, (doubtful,))) == ["待人工核对", told]
    in_doubt = doubt("2021年行事历.docx", "?", (Role.PLAN,))
    assert list(what_lacks(waiting, RUBRIC, (doubtful, in_doubt))) == ["待人工核对（材料存疑）", told]


def test_the_items_are_the_rubrics(book: Workbook) -> None:
    sheet = book["逐项得分"]
    assert sheet.max_column == 1 + len(RUBRIC.items)
    assert [str(cell.value).split("\n")[0] for cell in sheet[1]][1:] == [str(i.no) for i in RUBRIC.items]
    rows = {row[0]: row[1:] for row in sheet.iter_rows(min_row=2, values_only=True)}
    at = [item.no for item in RUBRIC.items].index
    assert rows["浙江省示例乙学会"][at(8)] == 3
    assert rows["浙江省示例戊学会"][at(20)] == "了"
    assert rows[HOSTILE_NAME][at(52)] is None
    assert len(rows) == 6


def test_every_mail_is_in_the_register_and_findings_of_ignored_ones_are_not_listed(book: Workbook) -> None:
    register = list(book["接收登记"].iter_rows(min_row=2, values_only=True))
    assert [row[0] for row in register] == [message.id for message in MESSAGES]
    assert register[11][9] == "不处理（重复邮件）"
    expected = sum(len(m.findings) for m in MESSAGES if m.outcome is not Outcome.IGNORED)
    assert book["问题清单"].max_row == 1 + expected


def test_nothing_from_a_mail_is_a_formula(book: Workbook) -> None:
    cells = [c for sheet in book.worksheets for row in sheet.iter_rows() for c in row if c.value is not None]
    assert all(cell.data_type in ("s", "n", "d") for cell in cells)
    dangerous = [c for c in cells if str(c.value).startswith(("=", "@"))]
    assert len(dangerous) >= 3
    assert all(cell.data_type == "s" and cell.quotePrefix for cell in dangerous)
    with zipfile.ZipFile(io.BytesIO(octets())) as archive:
        parts = [archive.read(name) for name in archive.namelist() if "worksheets/sheet" in name]
    assert not any(b"<f>" in part or b"<f " in part for part in parts)


def test_characters_that_no_sheet_may_hold_are_left_out() -> None:
    bad = replace(MESSAGES[0], subject="坏\x00\x0b\ud83d字\ufffe\u202e末" + "长" * 40_000)
    book = load_workbook(io.BytesIO(octets(messages=(bad,))))
    subject = str(book["接收登记"]["G2"].value)
    assert subject.startswith("坏字末长")
    assert len(subject) <= 32_767


@pytest.mark.parametrize("name", LISTS)
def test_each_list_has_a_frozen_head_a_filter_and_a_page_to_print(book: Workbook, name: str) -> None:
    sheet = book[name]
    assert isinstance(sheet, Worksheet)
    assert str(sheet.freeze_panes).endswith("2")
    below = 4 if name == "待核对" else 0
    assert sheet.auto_filter.ref == f"A1:{get_column_letter(sheet.max_column)}{sheet.max_row - below}"
    assert sheet.print_title_rows == "$1:$1"
    assert sheet.page_setup.orientation == "landscape"
    assert int(sheet.page_setup.paperSize or 0) == 9
    assert sheet.sheet_properties.pageSetUpPr is not None
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    wide = {"汇总表": (2, "$A:$B"), "接收登记": (2, "$A:$A"), "待核对": (2, "$A:$A")}
    pages, repeated = wide.get(name, (1, None))
    assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (pages, 0)
    assert sheet.print_title_cols == repeated
    assert all(sheet.column_dimensions[cell.column_letter].width > 4 for cell in sheet[1])


def test_numbers_and_times_have_their_formats(summary: Worksheet) -> None:
    formats = {str(head.value): cell.number_format for head, cell in zip(summary[1], summary[2], strict=True)}
    assert formats["首次接收时间"] == "yyyy-mm-dd hh:mm:ss"
    assert formats["纸质件"] == "yyyy-mm-dd"
    assert formats["核算总分"] == "0.0#"
    assert formats["序号"] == "0"


def test_the_lists_are_coloured_by_what_stands_there(summary: Worksheet) -> None:
    formulas = [rule.formula[0] for each in summary.conditional_formatting for rule in each.rules]
    assert 'F2="逾期"' in formulas
    assert "N(S2)<>0" in formulas


def test_the_statistics_have_native_charts(book: Workbook) -> None:
    sheet = book["统计"]
    with zipfile.ZipFile(io.BytesIO(octets())) as archive:
        charts = [name for name in archive.namelist() if name.startswith("xl/charts/chart")]
    assert len(charts) == 4
    figures = {row[0]: row[1:6] for row in sheet.iter_rows(values_only=True)}
    assert figures["省级学会"] == (3, 1, 2, 1, 7)
    assert figures["省属企业科协"] == (1, 0, 0, 1, 2)
    assert figures["一、为科技工作者服务"][1:4] == (35, 18, 36)
    assert figures["90分以上"][0] == 3
    assert figures["1月15日"][0] == 4
    assert "得分按4家统计；另有2家自评表未填全或年度不符，未计入" in figures


def test_nothing_at_all_is_a_workbook_too() -> None:
    book = load_workbook(io.BytesIO(octets(organizations=(), messages=())))
    assert book.sheetnames == SHEETS
    assert book["汇总表"].max_row == 1


def test_libreoffice_opens_and_saves_it_without_loss(book: Workbook, tmp_path: Path) -> None:
    soffice = require("soffice")
    source = tmp_path / "汇总表.xlsx"
    source.write_bytes(octets())
    subprocess.run(
        [
            soffice, f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--headless",
            "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(tmp_path / "saved"), str(source),
        ],
        check=True, timeout=120, capture_output=True,
    )  # fmt: skip
    saved = load_workbook(tmp_path / "saved" / "汇总表.xlsx")
    assert saved.sheetnames == SHEETS
    for name in SHEETS:
        before = [[_comparable(v) for v in row] for row in book[name].iter_rows(values_only=True)]
        after = [[_comparable(v) for v in row] for row in saved[name].iter_rows(values_only=True)]
        assert [_filled(row) for row in after if any(row)] == [_filled(row) for row in before if any(row)]
    for name in LISTS:
        for say in (_laid_out, _formats, _colours):
            assert say(saved[name]) == say(book[name]), (name, say)
        assert _widths(saved[name]) == pytest.approx(_widths(book[name]), abs=0.6)
    with zipfile.ZipFile(tmp_path / "saved" / "汇总表.xlsx") as archive:
        assert sum(n.startswith("xl/charts/chart") for n in archive.namelist()) == 4


def _laid_out(sheet: Worksheet) -> object:
    """Filter, titles and page. LibreOffice keeps what belongs to its window (frozen panes) only where it has one."""
    page = sheet.page_setup
    return (
        sheet.auto_filter.ref,
        sheet.print_title_rows,
        sheet.print_title_cols,
        (page.orientation, int(page.paperSize or 0), page.fitToWidth, page.fitToHeight),
        sheet.sheet_properties.pageSetUpPr and sheet.sheet_properties.pageSetUpPr.fitToPage,
        (sheet.oddHeader.center.text, sheet.oddFooter.center.text),
    )


def _formats(sheet: Worksheet) -> object:
    """Without the marks that a plain character needs none of: `yyyy\\-mm` is `yyyy-mm`."""
    return [[c.number_format.lower().replace("\\", "") for c in row] for row in sheet.iter_rows(min_row=2)]


def _widths(sheet: Worksheet) -> list[float]:
    found = {
        number: column.width
        for column in sheet.column_dimensions.values()
        for number in range(column.min, column.max + 1)
    }
    return [found[number] for number in range(1, sheet.max_column + 1)]


def _colours(sheet: Worksheet) -> object:
    return sorted(
        (str(each.sqref), rule.formula[0], rule.dxf.fill.bgColor.rgb[-6:])
        for each in sheet.conditional_formatting
        for rule in each.rules
    )


def _comparable(value: object) -> object:
    if isinstance(value, float):
        return Decimal(f"{value:.6f}").normalize()
    return Decimal(value) if isinstance(value, int) else value


def _filled(row: list[object]) -> list[object]:
    while row and row[-1] is None:
        row = row[:-1]
    return row


def test_long_sheets_say_what_they_leave_out_below_their_filter() -> None:
    whole, cut = load_workbook(io.BytesIO(octets())), load_workbook(io.BytesIO(octets(left_out=97_000)))
    for name in ("问题清单", "接收登记"):
        rows = whole[name].max_row
        assert "97000封" in str(cut[name].cell(rows + 2, 1).value)
        assert cut[name].auto_filter.ref == whole[name].auto_filter.ref
    for name in ("汇总表", "逐项得分", "统计"):
        assert cut[name].max_row == whole[name].max_row
