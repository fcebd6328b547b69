"""The mails of the benchmark: a form and a second file each, every tenth form a PDF, every fiftieth mail 5 MB more."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from email.message import EmailMessage
from functools import cache
from pathlib import Path

from mailbot import rubric as rubrics
from tests.forms import writers

CHINA = timezone(timedelta(hours=8))
FIRST = datetime(2021, 1, 14, 9, 0, tzinfo=CHINA)
_NOBODY = "浙江省某某学会"
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
    as_pdf = number % 10 == 0 if pdf is None else pdf
    filename, form = ("自评表.pdf", _pdf(organization)) if as_pdf else ("自评表.xlsx", _xlsx(organization))
    if faulty:
        filename, form = "自评表.xlsx", _xlsx(organization, scores=_FAULTY_SCORES, evidence={4: "", 14: ""})
    message.add_attachment(form, maintype="application", subtype="octet-stream", filename=filename)
    message.add_attachment(
        _report(organization), maintype="application", subtype="octet-stream", filename="总结和计划.docx"
    )
    if number % 50 == 0 or more_mb:
        more = random.Random(number).randbytes((more_mb or 5) * 2**20)
        message.add_attachment(more, maintype="application", subtype="octet-stream", filename="附件.bin")
    return message.as_bytes()


_FAULTY_SCORES = {8: "3", 11: "优秀", 20: ""}


def _xlsx(
    organization: str, scores: Mapping[int, str] | None = None, evidence: Mapping[int, str] | None = None
) -> bytes:
    return writers.xlsx_form(
        RUBRIC,
        writers.full_scores(RUBRIC) | dict(scores or {}),
        writers.some_evidence(RUBRIC) | dict(evidence or {}),
        organization=organization,
    )


def _pdf(organization: str) -> bytes:
    """Four pages."""
    return writers.pdf_form(
        RUBRIC,
        writers.full_scores(RUBRIC),
        writers.some_evidence(RUBRIC),
        organization=organization,
        font_size=12,
    )


def _report(organization: str) -> bytes:
    """A Word file of about 40 KB with summary and plan."""
    octets = io.BytesIO()
    with zipfile.ZipFile(octets, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in _report_of_nobody():
            file.writestr(name, data.replace(_NOBODY.encode(), organization.encode()))
    return octets.getvalue()


@cache
def _report_of_nobody() -> tuple[tuple[str, bytes], ...]:
    """The files within it, as python-docx writes them."""
    import docx

    document = docx.Document()
    document.add_heading(f"{_NOBODY}2020年工作总结和2021年工作计划", level=1)
    for paragraph in range(40):
        document.add_paragraph(
            f"{paragraph + 1}. 学会围绕中心工作组织学术交流与科学普及，各项任务按计划推进。" * 3
        )
    octets = io.BytesIO()
    document.save(octets)
    with zipfile.ZipFile(octets) as file:
        return tuple((name, file.read(name)) for name in file.namelist())
