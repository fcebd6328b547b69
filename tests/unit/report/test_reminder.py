"""The reminders as a society reads them. Golden texts: MAILBOT_GOLDEN=write writes them anew, for review."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mailbot.model import Code, Role, finding
from mailbot.report.letters import BrokenTemplateError, Contact
from mailbot.report.reminder import ReminderFacts, write_reminder
from tests.conftest import ROOT
from tests.unit.report.test_letters import ALL, DEADLINE, FAULTS, RUBRIC, ZONE, words

GOLDEN = ROOT / "tests/golden/reminders"
SILENT = ReminderFacts(
    campaign_title="2020年度省级学会和省属企业科协工作总结",
    notice="浙科协学发〔2020〕27号",
    organization="浙江省示例学会",
    deadline=DEADLINE,
    now=datetime(2021, 1, 12, 9, 0, tzinfo=ZONE),
    owed=ALL,
    rubric=RUBRIC,
    blank_form="2020年度省级学会工作自评表",
    mailbox="societies@example.org",
    contact=Contact(name="章伟", phone="0571-00000000", address="杭州市示例路8号2105室，邮编310003"),
)
CASES = {
    "nothing-came": SILENT,
    "enterprise": replace(
        SILENT,
        organization="浙江省能源集团有限公司科学技术协会",
        owed=ALL[1:],
        blank_form="",
        mailbox="enterprises@example.org",
    ),
    "plan-missing": replace(
        SILENT,
        held=(Role.FORM, Role.SUMMARY),
        received_at=datetime(2021, 1, 8, 15, 2, 11, tzinfo=ZONE),
        findings=(finding(Code.PLAN_MISSING),),
        blank_form="",
    ),
    "faults": replace(
        SILENT,
        held=ALL,
        received_at=datetime(2021, 1, 8, 15, 2, 11, tzinfo=ZONE),
        findings=FAULTS,
        blank_form="",
    ),
    "last-hours": replace(SILENT, now=DEADLINE - timedelta(hours=8, minutes=30), contact=Contact()),
}


@pytest.mark.parametrize("name", CASES)
def test_the_reminder_reads_as_it_was_approved(name: str) -> None:
    letter = write_reminder(CASES[name])
    text = f"主题：{letter.subject}\n\n{letter.text}"
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("MAILBOT_GOLDEN") == "write":
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_no_golden_reminder_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_text_and_html_say_the_same(name: str) -> None:
    letter = write_reminder(CASES[name])
    shown = words(letter.html)
    for sentence in re.split(r"[\n。：]", letter.text):
        said = "".join(sentence.split()).removeprefix("·")
        assert re.sub(r"^(\d+\.|纸质版)", "", said) in shown, sentence


def test_nothing_becomes_markup_and_no_line_a_header() -> None:
    letter = write_reminder(replace(SILENT, organization="浙江<b>省</b>\r\nBcc: x学会"))
    assert "<b>" not in letter.html
    assert "\n" not in letter.subject
    assert len(letter.subject) < 80


def test_a_broken_template_of_the_offices_is_named(tmp_path: Path) -> None:
    (tmp_path / "reminder.html").write_text("{{ oops }}", encoding="utf-8")
    with pytest.raises(BrokenTemplateError, match=r"reminder\.html"):
        write_reminder(SILENT, tmp_path)
