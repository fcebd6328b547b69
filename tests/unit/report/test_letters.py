"""The letters as a society reads them. Golden texts: MAILBOT_GOLDEN=write writes them anew, for review."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import lxml.html
import pdfplumber
import pytest

from mailbot.model import (
    Assessment,
    Code,
    Finding,
    ItemReading,
    ReadBy,
    ReplyKind,
    Role,
    Severity,
    finding,
)
from mailbot.reading import LAST_VOLUME
from mailbot.report.faults import OtherYear
from mailbot.report.letters import (
    BrokenTemplateError,
    Contact,
    EarlierRequest,
    Facts,
    Held,
    SentDocument,
    subject,
    write,
)
from mailbot.rubric import load
from tests.conftest import ROOT, require

GOLDEN = ROOT / "tests/golden/letters"
RUBRIC = load(ROOT / "rubric/2020.toml")
ZONE = ZoneInfo("Asia/Shanghai")
DEADLINE = datetime(2021, 1, 15, 17, 30, tzinfo=ZONE)
RECEIVED = datetime(2021, 1, 14, 9, 12, 3, tzinfo=ZONE)
ALL = (Role.FORM, Role.SUMMARY, Role.PLAN)


def assessment(
    scores: dict[int, str] | None = None, *, stated: str | None = None, read_by: ReadBy = ReadBy.CELLS
) -> Assessment:
    claimed = {item.no: str(item.points - (1 if item.no == 1 else 0)) for item in RUBRIC.items}
    claimed |= scores or {}
    values = {no: Decimal(text) if re.fullmatch(r"-?[\d.]+", text) else None for no, text in claimed.items()}
    total = sum((v for v in values.values() if v is not None), Decimal())
    return Assessment(
        organization="浙江省示例学会",
        year=2020,
        read_by=read_by,
        items=tuple(
            ItemReading(no=no, score=values[no], score_text=text, evidence="年内开展相关工作")
            for no, text in claimed.items()
        ),
        stated_total=total if stated is None else Decimal(stated) if stated else None,
        total=total,
    )


DOCUMENTS = (
    SentDocument(filename="2020年度省级学会工作自评表.xlsx", taken_for="自评表"),
    SentDocument(filename="2020年工作总结及2021年工作计划.docx", taken_for="工作总结及下一年度工作计划"),
)
WHOLE = Facts(
    campaign_title="2020年度省级学会和省属企业科协工作总结",
    notice="浙科协学发〔2020〕27号",
    organization="浙江省示例学会",
    number="2020-000017-3fa9c2d1",
    received_at=RECEIVED,
    on_time=True,
    deadline=DEADLINE,
    now=RECEIVED + timedelta(minutes=2),
    owed=ALL,
    documents=DOCUMENTS,
    held=tuple(Held(role=role, filename="x") for role in ALL),
    assessment=assessment(),
    rubric=RUBRIC,
    mailbox="societies@example.org",
    contact=Contact(name="章伟", phone="0571-00000000", address="杭州市示例路8号2105室，邮编310003"),
)
LATE = {
    "received_at": datetime(2021, 1, 15, 17, 30, 1, tzinfo=ZONE),
    "on_time": False,
    "now": datetime(2021, 1, 15, 17, 32, tzinfo=ZONE),
}
FAULTS = (
    finding(Code.SCORE_OVER_MAX, item=8, found="3", wanted="2"),
    finding(Code.SCORE_NOT_A_NUMBER, item=11, found="优秀"),
    finding(Code.SCORE_MISSING, item=16),
    finding(Code.EVIDENCE_MISSING, item=4),
    finding(Code.EVIDENCE_MISSING, item=8),
    finding(Code.EVIDENCE_MISSING, item=14),
    finding(Code.EVIDENCE_MISSING, item=30),
    finding(Code.EVIDENCE_UNSUPPORTED, item=46, found="正在申报"),
)
FAULTY = assessment({8: "3", 11: "优秀", 16: ""}, stated="98")
OVER = assessment({8: "3"})
ENTERPRISE = {
    "organization": "浙江省能源集团有限公司科学技术协会",
    "owed": (Role.SUMMARY, Role.PLAN),
    "documents": DOCUMENTS[1:],
    "held": WHOLE.held[1:],
    "assessment": None,
}


def every_fault() -> tuple[Finding, ...]:
    """The worst that can come: everything lacks or is wrong."""
    numbers = [item.no for item in RUBRIC.items]
    return (
        finding(Code.SUMMARY_MISSING),
        finding(Code.PLAN_MISSING),
        finding(Code.DOCUMENT_UNREADABLE, document="总结.docx"),
        finding(Code.DOCUMENT_ENCRYPTED, document="计划.docx"),
        finding(Code.DOCUMENT_UNSUPPORTED, document="总结.key"),
        finding(Code.DOCUMENT_EMPTY, document="说明.docx"),
        finding(Code.DOCUMENT_TOO_LARGE, document="照片.zip"),
        finding(Code.DELIVERY_LINK_ONLY, found="材料.rar", wanted="2021年2月1日"),
        finding(Code.FORM_WRONG_YEAR, found="2019", wanted="2020"),
        finding(Code.ORGANIZATION_MISSING),
        *(finding(Code.FORM_ALTERED, item=no, found="20", wanted="5") for no in numbers),
        *(finding(Code.SCORE_MISSING, item=no) for no in numbers[:6]),
        *(finding(Code.SCORE_NOT_A_NUMBER, item=no, found="见附件说明材料" * 9) for no in numbers[6:12]),
        *(finding(Code.SCORE_OVER_MAX, item=no, found="100", wanted="5") for no in numbers[12:19]),
        *(finding(Code.SCORE_NEGATIVE, item=no, found="-1") for no in numbers[19:]),
        finding(Code.TOTAL_MISMATCH, found="98", wanted="89"),
        *(finding(Code.EVIDENCE_MISSING, item=no) for no in numbers),
    )


CASES: dict[str, tuple[ReplyKind, Facts]] = {
    "acknowledgement": (ReplyKind.ACKNOWLEDGEMENT, WHOLE),
    "acknowledgement-late": (ReplyKind.ACKNOWLEDGEMENT, replace(WHOLE, **LATE)),
    "acknowledgement-late-after-a-good-one": (
        ReplyKind.ACKNOWLEDGEMENT,
        replace(WHOLE, **LATE, counts_from=RECEIVED),
    ),
    "acknowledgement-time-disputed": (
        ReplyKind.ACKNOWLEDGEMENT,
        replace(WHOLE, **LATE, time_disputed=True),
    ),
    "acknowledgement-without-a-stated-total": (
        ReplyKind.ACKNOWLEDGEMENT,
        replace(WHOLE, assessment=assessment(stated="")),
    ),
    "acknowledgement-of-a-scan": (
        ReplyKind.ACKNOWLEDGEMENT,
        replace(WHOLE, assessment=assessment(read_by=ReadBy.OCR)),
    ),
    "acknowledgement-in-parts": (
        ReplyKind.ACKNOWLEDGEMENT,
        replace(
            WHOLE,
            documents=DOCUMENTS[1:],
            held=(
                Held(
                    role=Role.FORM,
                    filename="2020年度省级学会工作自评表.xlsx",
                    received_at=RECEIVED - timedelta(days=2),
                ),
                *(Held(role=role, filename=DOCUMENTS[1].filename) for role in ALL[1:]),
            ),
        ),
    ),
    "acknowledgement-after-a-correction": (
        ReplyKind.ACKNOWLEDGEMENT,
        replace(
            WHOLE,
            earlier=EarlierRequest(
                number="2020-000009-77aa01ff",
                sent_at=RECEIVED - timedelta(days=1),
                count=1,
                findings=FAULTS,
            ),
        ),
    ),
    "acknowledgement-of-a-question": (ReplyKind.ACKNOWLEDGEMENT, replace(WHOLE, asks=True)),
    "acknowledgement-enterprise": (ReplyKind.ACKNOWLEDGEMENT, replace(WHOLE, **ENTERPRISE)),
    "acknowledgement-without-contact": (ReplyKind.ACKNOWLEDGEMENT, replace(WHOLE, contact=Contact())),
    "correction": (
        ReplyKind.CORRECTION,
        replace(
            WHOLE,
            findings=FAULTS,
            assessment=FAULTY,
            marked_form="2020年度省级学会工作自评表（标注）",
        ),
    ),
    "correction-total": (
        ReplyKind.CORRECTION,
        replace(
            WHOLE,
            findings=(finding(Code.TOTAL_MISMATCH, found="98", wanted="99"),),
            assessment=assessment(stated="98"),
        ),
    ),
    "correction-late": (
        ReplyKind.CORRECTION,
        replace(WHOLE, **LATE, findings=FAULTS[:1], assessment=OVER),
    ),
    "correction-late-after-a-good-one": (
        ReplyKind.CORRECTION,
        replace(WHOLE, **LATE, findings=FAULTS[:1], assessment=OVER, counts_from=RECEIVED),
    ),
    "correction-missing": (
        ReplyKind.CORRECTION,
        replace(
            WHOLE,
            documents=DOCUMENTS[1:],
            held=tuple(Held(role=role, filename=DOCUMENTS[1].filename) for role in ALL[1:]),
            findings=(finding(Code.FORM_MISSING),),
            assessment=None,
            blank_form="2020年度省级学会工作自评表",
        ),
    ),
    "correction-forgotten-attachment": (
        ReplyKind.CORRECTION,
        replace(
            WHOLE,
            documents=(),
            held=(),
            findings=tuple(map(finding, (Code.FORM_MISSING, Code.SUMMARY_MISSING, Code.PLAN_MISSING))),
            assessment=None,
            forgotten=True,
        ),
    ),
    "correction-unrecognized-photograph": (
        ReplyKind.CORRECTION,
        replace(
            WHOLE,
            documents=(
                SentDocument(filename="微信图片_20210114.jpg", taken_for="未能识读"),
                SentDocument(filename="总结和计划.docx", taken_for="工作总结及下一年度工作计划"),
            ),
            findings=(finding(Code.FORM_MISSING),),
            assessment=None,
            pictures=("微信图片_20210114.jpg",),
        ),
    ),
    "correction-other-years": (
        ReplyKind.CORRECTION,
        replace(
            WHOLE,
            documents=(
                SentDocument(filename="工作总结.docx", taken_for="2019年度工作总结"),
                SentDocument(filename="工作计划.docx", taken_for="2020年度工作计划"),
            ),
            findings=(finding(Code.SUMMARY_MISSING), finding(Code.PLAN_MISSING)),
            of_other_years=(
                OtherYear(filename="工作总结.docx", role=Role.SUMMARY, year=2019),
                OtherYear(filename="工作计划.docx", role=Role.PLAN, year=2020),
            ),
        ),
    ),
    "correction-encrypted": (
        ReplyKind.CORRECTION,
        replace(
            WHOLE,
            documents=(SentDocument(filename="自评表.xlsx", taken_for="未能读取"), DOCUMENTS[1]),
            held=tuple(Held(role=role, filename=DOCUMENTS[1].filename) for role in ALL[1:]),
            findings=(
                finding(Code.FORM_MISSING),
                finding(Code.DOCUMENT_ENCRYPTED, document="自评表.xlsx", found="EncryptedPackage"),
            ),
            assessment=None,
        ),
    ),
    "correction-link": (
        ReplyKind.CORRECTION,
        replace(
            WHOLE,
            documents=DOCUMENTS[:1],
            held=(Held(role=Role.FORM, filename="x"),),
            findings=(
                finding(Code.DELIVERY_LINK_ONLY, found="工作总结.pdf", wanted="2021年2月13日"),
                finding(Code.SUMMARY_MISSING),
                finding(Code.PLAN_MISSING),
            ),
        ),
    ),
    "correction-link-where-nothing-lacks": (
        ReplyKind.CORRECTION,
        replace(WHOLE, findings=(finding(Code.DELIVERY_LINK_ONLY, found="https://example.com/f?k=1"),)),
    ),
    "correction-blank": (
        ReplyKind.CORRECTION,
        replace(
            WHOLE,
            documents=(SentDocument(filename="自评表.xlsx", taken_for="自评表，空白"), DOCUMENTS[1]),
            held=tuple(Held(role=role, filename=DOCUMENTS[1].filename) for role in ALL[1:]),
            findings=(finding(Code.FORM_BLANK, document="自评表.xlsx"),),
            assessment=None,
        ),
    ),
    "correction-wrong-year": (
        ReplyKind.CORRECTION,
        replace(WHOLE, findings=(finding(Code.FORM_WRONG_YEAR, found="2019", wanted="2020"),)),
    ),
    "correction-altered": (
        ReplyKind.CORRECTION,
        replace(
            WHOLE,
            findings=(
                finding(Code.FORM_ALTERED, item=8, found="5", wanted="2"),
                finding(
                    Code.FORM_ALTERED,
                    item=46,
                    found="被评为3A级（含）以上。",
                    wanted="被评为4A级（含）以上。",
                ),
                finding(Code.FORM_ALTERED, item=52),
                finding(Code.FORM_ALTERED, found="特色加分 5分"),
            ),
        ),
    ),
    "correction-unknown-organization": (
        ReplyKind.CORRECTION,
        replace(
            WHOLE,
            organization=None,
            documents=DOCUMENTS[:1],
            held=(),
            findings=tuple(
                map(finding, (Code.ORGANIZATION_MISSING, Code.SUMMARY_MISSING, Code.PLAN_MISSING))
            ),
        ),
    ),
    "correction-second": (
        ReplyKind.CORRECTION,
        replace(
            WHOLE,
            findings=FAULTS[:1],
            assessment=OVER,
            earlier=EarlierRequest(
                number="2020-000009-77aa01ff",
                sent_at=RECEIVED - timedelta(days=1),
                count=1,
                findings=(finding(Code.PLAN_MISSING), *FAULTS),
            ),
        ),
    ),
    "correction-second-without-change": (
        ReplyKind.CORRECTION,
        replace(
            WHOLE,
            findings=FAULTS[:1],
            assessment=OVER,
            earlier=EarlierRequest(
                number="2020-000009-77aa01ff",
                sent_at=RECEIVED - timedelta(days=1),
                count=2,
                findings=FAULTS[:1],
            ),
        ),
    ),
    "correction-form-of-another-sender": (
        ReplyKind.CORRECTION,
        replace(
            WHOLE,
            documents=DOCUMENTS[1:],
            held=(
                Held(role=Role.FORM, received_at=RECEIVED - timedelta(days=2)),
                *(Held(role=role, filename=DOCUMENTS[1].filename) for role in ALL[1:]),
            ),
            assessment=None,
            withheld=3,
        ),
    ),
    "correction-enterprise": (
        ReplyKind.CORRECTION,
        replace(
            WHOLE,
            **ENTERPRISE
            | {
                "documents": (SentDocument(filename="2020年工作总结.docx", taken_for="工作总结"),),
                "held": (Held(role=Role.SUMMARY, filename="x"),),
            },
            findings=(finding(Code.PLAN_MISSING),),
        ),
    ),
    "correction-the-worst": (
        ReplyKind.CORRECTION,
        replace(
            WHOLE,
            findings=every_fault(),
            assessment=FAULTY,
            documents=tuple(SentDocument(filename=f"{n}.docx", taken_for="其他材料") for n in range(30)),
            held=(Held(role=Role.FORM, filename="x"),),
        ),
    ),
    "receipt": (ReplyKind.RECEIPT, WHOLE),
    "receipt-late": (ReplyKind.RECEIPT, replace(WHOLE, **LATE)),
    "receipt-forgotten-attachment": (
        ReplyKind.RECEIPT,
        replace(WHOLE, documents=(), assessment=None, inquiry=True, forgotten=True),
    ),
    "receipt-inquiry": (
        ReplyKind.RECEIPT,
        replace(WHOLE, organization=None, documents=(), held=(), assessment=None, inquiry=True),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_letter_reads_as_it_was_approved(name: str) -> None:
    kind, facts = CASES[name]
    letter = write(kind, facts)
    text = f"主题：{letter.subject}\n\n{letter.text}"
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("MAILBOT_GOLDEN") == "write":
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_no_golden_letter_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_no_internal_word_and_no_english_reaches_a_society(name: str) -> None:
    letter = write(*CASES[name])
    said = letter.text.replace(CASES[name][1].number, "").replace("77aa01ff", "")
    assert set(re.findall(r"[A-Za-z]{2,}", said)) <= {"xlsx", "docx", "pdf", "rar", "zip", "key", "jpg"}
    assert not re.search(
        r"(?:form|score|total|evidence|document|delivery|summary|plan)\.[a-z_]+", letter.html
    )


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self._hidden = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden = tag in ("style", "title", "head") or (self._hidden and tag != "body")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.text.append(data)


def words(html: str) -> str:
    parser = _Words()
    parser.feed(html)
    return "".join("".join(parser.text).split())


@pytest.mark.parametrize("name", CASES)
def test_text_and_html_ask_the_same(name: str) -> None:
    letter = write(*CASES[name])
    shown = words(letter.html)
    for line in letter.text.splitlines():
        if re.match(r"\d+\. |  （\d+）", line):
            said = re.sub(r"^\d+\. ", "", line.strip())
            assert "".join(said.split()) in shown
    assert CASES[name][1].number in shown


@pytest.mark.parametrize("name", CASES)
def test_it_fits_on_a_page_and_a_half(name: str) -> None:
    """A4 in 小四: 40 characters a line, 44 lines a page."""
    letter = write(*CASES[name])
    lines = sum(max(1, -(-len(line) // 40)) for line in letter.text.splitlines())
    assert lines <= 66


@pytest.mark.parametrize("name", sorted(CASES))
def test_no_letter_is_a_verdict_on_the_score(name: str) -> None:
    letter = write(*CASES[name])
    said = "来信已收到，工作人员将阅读并答复" if CASES[name][1].inquiry else "的认定。"
    assert letter.text.count(said) == 1
    assert words(letter.html).count(said) == 1


def test_identical_faults_are_grouped_and_the_missing_document_comes_first() -> None:
    findings = (*FAULTS, finding(Code.PLAN_MISSING))
    text = write(ReplyKind.CORRECTION, replace(WHOLE, findings=findings)).text
    assert "第4、8、14、30项未填自评依据" in text
    assert text.index("尚缺下一年度工作计划") < text.index(
        "第8项（举办会员继续教育培训）自评分填“3”，超过本项分值2分"
    )
    assert "正在申报" not in text


@pytest.mark.parametrize(
    "code", [Code.SCORE_MISSING, Code.SCORE_NOT_A_NUMBER, Code.SCORE_OVER_MAX, Code.SCORE_NEGATIVE]
)
def test_who_is_asked_for_a_score_is_told_that_the_total_changes(code: Code) -> None:
    step = "自评分改动后，请将“总计”相应改为各项自评分之和。"
    fault = finding(code, item=8, found="x")
    assert step in write(ReplyKind.CORRECTION, replace(WHOLE, findings=(fault,))).text
    both = (fault, finding(Code.TOTAL_MISMATCH, found="98", wanted="99"))
    said = write(ReplyKind.CORRECTION, replace(WHOLE, findings=both)).text
    assert step not in said
    assert "请先更正上述自评分，再将“总计”改为更正后的各项自评分之和。" in said
    alone = write(ReplyKind.CORRECTION, replace(WHOLE, findings=both[1:])).text
    assert "请核对各项自评分和总计，使两者一致。" in alone


def test_a_receipt_for_review_says_nothing_of_what_was_found() -> None:
    facts = replace(WHOLE, findings=FAULTS, withheld=2)
    letter = write(ReplyKind.RECEIPT, facts)
    for said in ("自评分", "补正", "超过", "分值", "总计"):
        assert said not in letter.text
        assert said not in letter.html


def test_volumes_of_an_archive_are_told_from_a_damaged_one() -> None:
    names = ("材料.zip.001", "材料.zip.002", "总结.part1.rar", "计划.z01", "附件.zip")
    last = finding(Code.DOCUMENT_UNSUPPORTED, document="计划.zip", found=LAST_VOLUME)
    faults = (
        finding(Code.FORM_MISSING),
        *(finding(Code.DOCUMENT_UNREADABLE, document=n) for n in names),
        last,
    )
    said = write(ReplyKind.CORRECTION, replace(WHOLE, findings=faults, assessment=None)).text
    assert "文件“材料.zip.001”“材料.zip.002”“总结.part1.rar”“计划.z01”“计划.zip”是分卷压缩包" in said
    assert "文件“附件.zip”无法打开" in said


def test_a_score_that_a_program_made_a_date_is_said_to_be_one() -> None:
    """The cell shows 1月2日, and what was typed was 1-2."""
    facts = replace(WHOLE, findings=(finding(Code.SCORE_NOT_A_NUMBER, item=1, found="2020-01-02"),))
    said = write(ReplyKind.CORRECTION, facts).text
    assert (
        "自评分填“2020-01-02”，是一个日期（表格软件会把“1-2”“1/2”自动改成“1月2日”）。请填写一个数字" in said
    )


def test_what_comes_from_a_mail_is_never_markup_nor_a_second_line_nor_a_link() -> None:
    nasty = "<script>alert(1)</script>\r\nBcc: x@example.org {{ 7*7 }} http://example.com/x \u202excod.exe"
    facts = replace(
        WHOLE,
        organization=nasty,
        documents=(SentDocument(filename=nasty, taken_for="自评表"),),
        findings=(finding(Code.SCORE_NOT_A_NUMBER, item=1, found=nasty),),
    )
    letter = write(ReplyKind.CORRECTION, facts)
    assert "<script" not in letter.html
    assert "http://example" not in letter.html + letter.text
    assert "\u202e" not in letter.html + letter.text
    assert "\n" not in letter.subject
    assert "\r" not in letter.subject
    assert "49" not in letter.subject


def test_the_subject_is_one_short_line() -> None:
    long = subject(ReplyKind.CORRECTION, replace(WHOLE, organization="浙江省" + "示例" * 40 + "学会"))
    assert len(long) < 60
    assert long.startswith("【请补正】浙江省示例")
    assert long.endswith(" 2020-000017-3fa9c2d1")


def test_every_error_has_its_words() -> None:
    for code in Code:
        if code.severity is not Severity.ERROR:
            continue
        one = finding(code, item=8, found="3", wanted="2", document="a.docx")
        assert "1. " in write(ReplyKind.CORRECTION, replace(WHOLE, findings=(one,))).text, code


def test_the_html_needs_nothing_from_elsewhere() -> None:
    html = write(*CASES["correction"]).html
    assert not re.search(r"<(?:img|script|link|svg|style)\b|https?://|url\(", html)
    assert 'style="' in html


def test_the_office_may_change_the_words(tmp_path: Path) -> None:
    (tmp_path / "receipt.txt").write_text("{{ organization }}，收到了。", encoding="utf-8")
    letter = write(ReplyKind.RECEIPT, WHOLE, tmp_path)
    assert letter.text == "浙江省示例学会，收到了。\n"
    assert "工作人员" in letter.html


@pytest.mark.parametrize(
    "template", ["{{ nothing }}", "{% if %}", "{{ number + 1 }}", "{{ documents[99].x }}"]
)
def test_a_broken_template_is_told_with_its_name(tmp_path: Path, template: str) -> None:
    (tmp_path / "receipt.html").write_text(template, encoding="utf-8")
    with pytest.raises(BrokenTemplateError, match=r"receipt\.html"):
        write(ReplyKind.RECEIPT, WHOLE, tmp_path)


@pytest.mark.parametrize("name", ["correction-the-worst", "correction-second", "acknowledgement"])
def test_printed_from_a_browser_it_takes_no_more_than_a_page_and_a_half(name: str, tmp_path: Path) -> None:
    page, target = tmp_path / "letter.html", tmp_path / "letter.pdf"
    a4 = "<style>@page { size: A4; margin: 10mm }</style></head>"
    page.write_text(write(*CASES[name]).html.replace("</head>", a4), encoding="utf-8")
    subprocess.run(
        [
            require("chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer",
            f"--user-data-dir={tmp_path / 'profile'}", f"--print-to-pdf={target}", page.as_uri(),
        ],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    with pdfplumber.open(target) as printed:
        ends = [max((word["bottom"] for word in sheet.extract_words()), default=0) for sheet in printed.pages]
        height = printed.pages[0].height
    assert len(ends) <= 2
    assert len(ends) == 1 or ends[1] <= height / 2


@pytest.mark.parametrize("name", CASES)
def test_word_as_a_mail_client_shows_the_boxes_and_widths(name: str) -> None:
    """Outlook knows no padding of paragraphs and takes widths and colours from attributes."""
    tree = lxml.html.fromstring(write(*CASES[name]).html)
    tables = list(tree.iter("table"))
    assert all(table.get("width") for table in tables)
    for paragraph in tree.iter("p", "div"):
        assert not re.search(r"padding|background|border|flex|grid", paragraph.get("style") or "")
    assert not list(tree.iter("style"))
    for cell in tree.iter("td"):
        if "background-color" in (cell.get("style") or ""):
            assert cell.get("bgcolor")


def test_a_deadline_within_a_minute_is_told_to_the_second() -> None:
    """Else what came in its last seconds would read as late, and what came after them as in time."""
    late = replace(
        WHOLE,
        deadline=DEADLINE.replace(second=30),
        received_at=DEADLINE.replace(second=31),
        on_time=False,
        now=DEADLINE + timedelta(days=1),
    )
    letter = write(ReplyKind.ACKNOWLEDGEMENT, late, None)
    for text in (letter.text, letter.html):
        assert "2021年1月15日17:30:31，晚于截止时间2021年1月15日17:30:30" in text
