"""How things are said: every finding for staff, times, points, quotations, what was mended."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from mailbot.model import Code, Finding, Role, doubt, finding
from mailbot.report.faults import for_sender
from mailbot.report.problems import problems
from mailbot.report.wording import (
    criterion,
    detail,
    mended,
    minute,
    numbers,
    plain,
    points,
    quoted,
    second,
    span,
)
from mailbot.rubric import load
from tests.conftest import ROOT

RUBRIC = load(ROOT / "rubric/2020.toml")


@pytest.mark.parametrize("code", Code)
def test_every_finding_has_a_short_chinese_sentence(code: Code) -> None:
    for one in (
        finding(code),
        finding(code, item=8, found="3", wanted="2", document="表.xlsx", place="Sheet1!F7"),
    ):
        sentence = detail(one, RUBRIC)
        assert 3 <= len(sentence) <= 60
        assert "（空）" not in sentence
        assert "未注明" not in sentence
        assert not re.search(r"[{}]|None|[a-z]+\.[a-z_]{5,}", sentence)


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("自评表.xlsx", "", "的内容无法识别，可能已损坏或经加密软件加密"),
        ("自评表.xlsx", "exe", "的格式无法读取，请另存为docx、xlsx或pdf格式"),
        ("总结.pages", "", "的格式无法读取，请另存为docx、xlsx或pdf格式"),
    ],
)
def test_nobody_is_asked_to_save_a_file_as_what_it_is_called(name: str, kind: str, words: str) -> None:
    """A file that an encrypting program had locked was to be saved as docx, which its name said that it was."""
    lacks = (finding(Code.FORM_MISSING), finding(Code.DOCUMENT_UNSUPPORTED, document=name, found=kind))
    (point,) = for_sender(lacks, RUBRIC, form_came=False)
    assert point.text.startswith(f"尚缺自评表。来件中的文件“{name}”{words}")


@pytest.mark.parametrize(
    ("fault", "follows"),
    [
        (finding(Code.FORM_ALTERED, item=47, wanted="列入目录。"), True),
        (finding(Code.FORM_ALTERED, found="特色加分 5分"), True),
        (finding(Code.FORM_ALTERED, item=5, found="5", wanted="3"), False),
    ],
)
def test_who_restores_rows_is_told_that_the_total_changes(fault: Finding, follows: bool) -> None:
    """Else the mended form asked for a second letter."""
    step = "项目恢复后，请将“总计”相应改为各项自评分之和。"
    said = [point.text for point in for_sender((fault,), RUBRIC, form_came=True)]
    assert (step in said) is follows
    score = finding(Code.SCORE_MISSING, item=8)
    said = [point.text for point in for_sender((fault, score), RUBRIC, form_came=True)]
    assert said[-1] == step.replace("项目恢复", "自评分改动")


def test_what_lacks_is_one_phrase_and_items_stand_in_their_order() -> None:
    lacks = [finding(code) for code in (Code.PLAN_MISSING, Code.FORM_MISSING, Code.SUMMARY_MISSING)]
    altered = [finding(Code.FORM_ALTERED, item=no, found="x", wanted="y") for no in (47, 8)]
    assert problems(altered, RUBRIC) == ("自评表被改动（第8、47项）",)
    said = ("缺可读取的自评表、工作总结、下一年度工作计划", "文件“a.docx”设有密码")
    assert problems((*lacks, finding(Code.DOCUMENT_ENCRYPTED, document="a.docx")), RUBRIC) == said


@pytest.mark.parametrize(
    ("one", "sentence"),
    [
        (
            finding(Code.SCORE_OVER_MAX, item=8, found="3", wanted="2"),
            "第8项（举办会员继续教育培训）自评分“3”超过分值2",
        ),
        (finding(Code.TOTAL_MISMATCH, found="90", wanted="89"), "总计填“90”，各项之和为89"),
        (finding(Code.DOCUMENT_ENCRYPTED, document="表.xlsx", found="office"), "文件“表.xlsx”设有密码"),
        (finding(Code.FORM_MISSING), "缺可读取的自评表"),
        (
            finding(Code.FORM_ALTERED, item=52, wanted="按时报送年检材料。"),
            "表中缺少第52项（按时报送年检材料）",
        ),
        (finding(Code.FORM_ALTERED, found="特色加分"), "表中多出一行“特色加分”"),
        (
            finding(Code.FORM_LOW_CONFIDENCE, item=8, found="2"),
            "第8项（举办会员继续教育培训）识读没有把握，读作“2”",
        ),
        (finding(Code.FORM_LOW_CONFIDENCE), "自评表识读没有把握"),
        (
            finding(Code.FORM_LOW_CONFIDENCE, found="浙江省数学会"),
            "表上有一处识读没有把握，读作“浙江省数学会”",
        ),
        (
            finding(Code.FORM_CONFLICTING, found="甲.xlsx Sheet1!F5 / 乙.xlsx Sheet1!F5", document="甲.xlsx"),
            "来件含多份内容不同的自评表：“甲.xlsx Sheet1!F5 / 乙.xlsx Sheet1!F5”",
        ),
        (doubt("安排.docx", "?", (Role.PLAN,)), "文件“安排.docx”是否为应报的下一年度工作计划，程序不能确定"),
        (doubt("", "?", (Role.PLAN,)), "邮件正文是否写有下一年度工作计划或其所在，程序不能确定"),
        (doubt("述职.docx", "?"), "文件“述职.docx”是否为应报的工作总结或下一年度工作计划，程序不能确定"),
        (
            finding(Code.DOCUMENT_DANGEROUS, document="a.zip", found="archives in archives, deeper than 3"),
            "文件“a.zip”因安全原因未打开：压缩包里套压缩包超过3层",
        ),
        (
            finding(Code.DOCUMENT_DANGEROUS, document="a.zip", found="more than 500 files"),
            "文件“a.zip”因安全原因未打开：里面的文件超过500个",
        ),
        (
            finding(Code.DOCUMENT_DANGEROUS, document="a.zip", found="9 octets unpack to more than 99"),
            "文件“a.zip”因安全原因未打开：解压后的体积大得异常",
        ),
        (
            finding(Code.DOCUMENT_DANGEROUS, document="a.xlsx", found="{x} declares a document type"),
            "文件“a.xlsx”因安全原因未打开",
        ),
        (
            finding(Code.DOCUMENT_DANGEROUS, document="a.doc", found="Win.Test.EICAR_HDB-1"),
            "文件“a.doc”因安全原因未打开：“Win.Test.EICAR_HDB-1”",
        ),
        (finding(Code.MESSAGE_UNPROCESSABLE, found="KeyError: 'x'"), "多次处理失败，原件已保存"),
        (
            finding(
                Code.MESSAGE_UNPROCESSABLE, document="总结.doc", found="its conversion took more than 60 s"
            ),
            "文件“总结.doc”程序未能读取，原件已保存",
        ),
    ],
)
def test_it_says_what_was_found_and_what_is_due(one, sentence: str) -> None:  # type: ignore[no-untyped-def]
    assert detail(one, RUBRIC) == sentence


def test_times_have_no_padding_and_receipts_have_seconds() -> None:
    when = datetime(2021, 1, 14, 1, 2, 3, tzinfo=UTC).astimezone(ZoneInfo("Asia/Shanghai"))
    assert minute(when) == "2021年1月14日9:02"
    assert second(when) == "2021年1月14日9:02:03"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (86400 + 8 * 3600 + 59, "1天8小时"),
        (86400 + 59, "1天"),
        (5 * 3600 + 20 * 60, "5小时20分钟"),
        (3600, "1小时"),
        (61, "1分钟"),
        (5, "不到1分钟"),
        (-5, "不到1分钟"),
    ],
)
def test_the_time_left_is_never_more_than_there_is(seconds: int, words: str) -> None:
    assert span(timedelta(seconds=seconds)) == words


def test_points_and_numbers() -> None:
    assert [points(Decimal(text)) for text in ("9.0", "9.50", "10", "0", "-1")] == [
        "9",
        "9.5",
        "10",
        "0",
        "-1",
    ]
    assert numbers([14, 4, 8, 4]) == "第4、8、14项"


def test_every_criterion_has_a_short_name() -> None:
    names = [criterion(RUBRIC, item.no) for item in RUBRIC.items]
    assert all(0 < len(name) <= 16 for name in names)
    assert len(set(names)) == len(names)
    assert criterion(RUBRIC, 999) == ""


def test_a_quotation_is_one_harmless_line() -> None:
    assert quoted("a\r\nb“c”「d」") == "“a b‘c’‘d’”"
    assert quoted(" \u200b ") == ""
    assert quoted("长" * 99) == "“" + "长" * 39 + "…”"
    assert plain("见 https://example.com/a?b=c，谢谢") == "见 （网址略），谢谢"


def test_what_was_mended_is_named_and_what_is_left_is_not() -> None:
    before = (
        finding(Code.PLAN_MISSING),
        finding(Code.SCORE_OVER_MAX, item=8, found="3"),
        finding(Code.EVIDENCE_MISSING, item=4),
        finding(Code.EVIDENCE_MISSING, item=14),
        finding(Code.DELIVERY_LATE),
    )
    now = (finding(Code.SCORE_OVER_MAX, item=8, found="4"), finding(Code.EVIDENCE_MISSING, item=14))
    assert mended(before, now) == ("已补报下一年度工作计划", "第4项自评依据已补填")


def test_a_form_that_came_back_blank_is_not_handed_in() -> None:
    before = (finding(Code.FORM_MISSING), finding(Code.PLAN_MISSING))
    now = (finding(Code.FORM_BLANK, document="空表.xlsx"),)
    assert mended(before, now) == ("已补报下一年度工作计划",)
    assert mended(now, ()) == ("自评表已填写",)


def test_only_errors_reach_an_organization() -> None:
    codes = [code for code in Code if code.severity != "error"]
    assert for_sender([finding(code, item=8) for code in codes], RUBRIC, form_came=True) == ()


def test_a_file_that_could_not_be_read_is_joined_with_what_lacks() -> None:
    found = (
        finding(Code.FORM_MISSING),
        finding(Code.DELIVERY_LINK_ONLY, found="总结.rar"),
        finding(Code.DOCUMENT_EMPTY, document="表.xlsx"),
    )
    (point,) = for_sender(found, RUBRIC, form_came=False)
    assert point.text.startswith("尚缺自评表。")
    assert [line[: line.index("”") + 1] for line in point.lines] == ["文件“表.xlsx”", "文件“总结.rar”"]
