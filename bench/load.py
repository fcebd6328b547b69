"""The mails of the benchmark: a form and a second file each, every tenth form a PDF, every fiftieth mail 5 MB more."""

from __future__ import annotations

import io
import random
import zipfile
from datetime import datetime, timedelta, timezone
from email.message import EmailMessage
from functools import cache
from pathlib import Path

from mailbot import rubric as rubrics
from tests.forms import writers

CHINA = timezone(timedelta(hours=8))
FIRST = datetime(2021, 1, 14, 9, 0, tzinfo=CHINA)
_NOBODY = "浙江省某某学会"
_WORDS = (
    "组织学术交流科学普及会员服务专家论坛技术咨询人才举荐标准制定期刊建设"
    "党建引领换届改革承接职能调研报告培训基层企业青年奖励合作国际"
)
FONT = Path("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc")
"""Of the package fonts-wqy-zenhei; a form in PDF is written with it."""
Files = tuple[tuple[str, bytes], ...]
ROOT = Path(__file__).resolve().parent.parent
RUBRIC = rubrics.load(ROOT / "rubric" / "2020.toml")


def name(number: int) -> str:
    """The society that a mail of that number comes from."""
    return f"浙江省第{number}示例学会"


def mail(
    number: int, *, pdf: bool | None = None, more_mb: int = 0, faulty: bool = False, version: int = 0
) -> bytes:
    """The mail of that number, from a society of its own; `faulty` with some of the faults that forms have."""
    organization = name(number)
    message = EmailMessage()
    message["From"] = f"office{number}@example.com"
    message["To"] = "societies@example.org"
    message["Subject"] = f"{organization}2020年度材料"
    message["Date"] = "Thu, 14 Jan 2021 09:00:00 +0800"
    message["Message-ID"] = (
        f"<bench.{number}.{version}@example.com>" if version else f"<bench.{number}@example.com>"
    )
    message.set_content("您好，材料见附件，请查收。")
    as_pdf = not faulty and (number % 10 == 0 if pdf is None else pdf)
    filename, form = (
        ("自评表.pdf", _pdf(organization)) if as_pdf else ("自评表.xlsx", _xlsx(organization, faulty=faulty))
    )
    message.add_attachment(form, maintype="application", subtype="octet-stream", filename=filename)
    message.add_attachment(
        _report(organization), maintype="application", subtype="octet-stream", filename="总结和计划.docx"
    )
    if number % 50 == 0 or more_mb:
        more = random.Random(number).randbytes((more_mb or 5) * 2**20)
        message.add_attachment(more, maintype="application", subtype="octet-stream", filename="附件.bin")
    return message.as_bytes()


_FAULTY_SCORES = {8: "3", 11: "优秀", 20: ""}
_FAULTY_EVIDENCE = {4: "", 14: ""}


def _xlsx(organization: str, *, faulty: bool) -> bytes:
    return _of(organization, _xlsx_of_nobody(faulty))


@cache
def _xlsx_of_nobody(faulty: bool) -> Files:
    """A form of about 10 KB, ruled and wrapped as Excel's users leave it."""
    import openpyxl
    from openpyxl.styles import Alignment, Border, Font, Side

    scores = writers.full_scores(RUBRIC) | (_FAULTY_SCORES if faulty else {})
    evidence = _evidence(_NOBODY) | (_FAULTY_EVIDENCE if faulty else {})
    workbook = openpyxl.load_workbook(
        io.BytesIO(writers.xlsx_form(RUBRIC, scores, evidence, organization=_NOBODY))
    )
    line = Side(style="thin")
    for row in workbook.worksheets[0].iter_rows():
        for cell in row:
            cell.border = Border(line, line, line, line)
            cell.alignment = Alignment(vertical="center", wrap_text=True)
            cell.font = Font("宋体", 11)
    octets = io.BytesIO()
    workbook.save(octets)
    return _files(octets)


def _pdf(organization: str) -> bytes:
    """Four pages, the font's used characters in the file as programs put them there."""
    return writers.pdf_form(
        RUBRIC,
        writers.full_scores(RUBRIC),
        _evidence(organization),
        organization=organization,
        font_size=12,
        font=FONT,
    )


def _evidence(organization: str) -> dict[int, str]:
    """A line of the society's own for each item."""
    return {no: f"{text}({organization})" for no, text in writers.some_evidence(RUBRIC).items()}


def _report(organization: str) -> bytes:
    return _of(organization, _report_of_nobody())


@cache
def _report_of_nobody() -> Files:
    """A Word file of about 50 KB with summary and plan, as python-docx writes it."""
    import docx

    chance = random.Random("report")
    document = docx.Document()
    document.add_heading(f"{_NOBODY}2020年工作总结和2021年工作计划", level=1)
    for paragraph in range(180):
        words = "".join(chance.choices(_WORDS, k=50))
        document.add_paragraph(f"{paragraph + 1}. {_NOBODY}{words}。")
    octets = io.BytesIO()
    document.save(octets)
    return _files(octets)


def _files(octets: io.BytesIO) -> Files:
    with zipfile.ZipFile(octets) as file:
        return tuple((name, file.read(name)) for name in file.namelist())


def _of(organization: str, files: Files) -> bytes:
    """The same file of another society, whose name stands there in UTF-8 or in numbered characters."""
    octets = io.BytesIO()
    with zipfile.ZipFile(octets, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in files:
            named = data.replace(_NOBODY.encode(), organization.encode())
            file.writestr(name, named.replace(_numbered(_NOBODY), _numbered(organization)))
    return octets.getvalue()


def _numbered(text: str) -> bytes:
    return text.encode("ascii", "xmlcharrefreplace")
