"""What operators see on the terminal."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mailbot.model import Format, Role
from mailbot.reading import DocumentReading, MailHead, MailReading
from mailbot.report.status import (
    new_table,
    organization_view,
    read_json,
    read_json_text,
    reading_text,
    reading_view,
    status_view,
    to_text,
)
from tests.unit.report.sample import (
    CONFIG,
    COUNTS,
    FOLDERS,
    MESSAGES,
    NOW,
    ORGANIZATIONS,
    READ_E,
    RUBRIC,
    ZONE,
    at,
    folder,
)

READING = MailReading(
    head=MailHead(message_id="", subject="", from_=(), reply_to=()),
    documents=(
        DocumentReading(
            key="1", filename="说明.docx", format=Format.DOCX, role=Role.OTHER, sha256="aa", size=1
        ),
        DocumentReading(
            key="2", filename="自评表[red].pdf", format=Format.PDF, role=Role.FORM, sha256="bb", size=1
        ),
    ),
    assessment=READ_E,
    findings=MESSAGES[6].findings,
    form_key="2",
)


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "140")


def row(text: str, name: str) -> list[str]:
    return next(line.split() for line in text.splitlines() if line.strip().startswith(name))


def test_status_counts_everything() -> None:
    text = to_text(
        status_view(config=CONFIG, organizations=ORGANIZATIONS, counts=COUNTS, folders=FOLDERS, now=NOW)
    )
    assert row(text, "society") == ["society", "3", "1", "2", "1", "1", "7"]
    assert row(text, "enterprise ") == ["enterprise", "1", "0", "0", "1", "0", "2"]
    assert row(text, "deadline")[1] == "2021-01-15T17:30:00+08:00"
    assert "over for 15:00:00" in text
    assert "2021-01-16T08:27:00+08:00" in text


def test_status_shows_a_mailbox_that_fails() -> None:
    broken = folder("societies", last_good_round=None, last_error="授权码错误 [bold]\x1b[31m", on_server=None)
    text = to_text(
        status_view(config=CONFIG, organizations=(), counts=COUNTS, folders=(broken,), now=at(14, 17, 30))
    )
    assert "never" in text
    assert "授权码错误 [bold][31m" in text
    assert "\x1b" not in text
    assert "1 day, 0:00:00 left" in text


def test_an_organizations_whole_file() -> None:
    record = next(r for r in ORGANIZATIONS if r.name == "浙江省示例丙研究会")
    mails = [m for m in MESSAGES if m.organization == record.name]
    text = to_text(organization_view(record, record.versions, mails, RUBRIC, ZONE))
    assert row(text, "status") == ["status", "complete"]
    assert "1 of 2" in text
    assert (
        " ".join(row(text, "1 *")) == "1 * received 2021-01-14T10:00:00+08:00, on time, complete, total 90.5"
    )
    assert " ".join(row(text, "2  ")[:4]) == "2 received 2021-01-15T20:15:07+08:00, late,"
    assert "stated total 90.5, computed total 90.5" in text
    assert "delivery.late" in text
    assert "acknowledgement held" in text


def test_in_the_history_a_code_stands_once_with_the_items_concerned() -> None:
    record = next(r for r in ORGANIZATIONS if r.name == "浙江省示例乙学会")
    (mail,) = (m for m in MESSAGES if m.organization == record.name)
    text = to_text(organization_view(record, record.versions, (mail,), RUBRIC, ZONE))
    history = text[text.index("\n mail") :]
    assert history.count("evidence.missing") == 1
    assert "evidence.missing 4, 14" in " ".join(history.split())


def test_beside_long_names_times_and_states_stay_whole() -> None:
    table = new_table("version", "received", "state", "form", "summary", "plan")
    table.add_row(
        "1", "2021-01-12T11:02:19+08:00", "incomplete", *("浙江省示例丙研究会工作总结.docx" * 3,) * 3
    )
    assert row(to_text(table), "1 ")[1:3] == ["2021-01-12T11:02:19+08:00", "incomplete"]


def test_an_organization_that_has_not_written() -> None:
    record = next(r for r in ORGANIZATIONS if r.name == "浙江省示例庚学会")
    text = to_text(organization_view(record, record.versions, (), RUBRIC, ZONE))
    assert row(text, "status") == ["status", "not_received"]
    assert "geng@example.com; mishu@example.com" in text


def test_a_document_as_read_with_its_findings_beneath() -> None:
    text = reading_text(READING, RUBRIC)
    assert text == to_text(reading_view(READING, RUBRIC))
    assert "自评表[red].pdf" in text
    assert "red seal" in text
    assert row(text, "14 ")[:4] == ["14", "建家交友", "5", "5"]
    assert row(text, "14 ")[-1] == "62%"
    assert text.index("computed total 97") < text.index("form.low_confidence")
    form = READING.assessment
    assert form is not None
    written = tuple(replace(item, score_text=f"{item.score}分") for item in form.items)
    otherwise = reading_text(replace(READING, assessment=replace(form, items=written)), RUBRIC)
    assert row(otherwise, "14 ")[3:5] == ["5", "“5分”"]
    clean = reading_text(replace(READING, findings=()), RUBRIC)
    assert "findings: none" in clean


def test_a_document_as_json_is_about_the_form() -> None:
    value = json.loads(read_json_text(READING, RUBRIC))
    assert list(value) == ["filename", "format", "role", "assessment", "findings"]
    assert (value["filename"], value["format"], value["role"]) == ("自评表[red].pdf", "pdf", "form")
    assert value["assessment"]["total"] == 97
    assert [each["code"] for each in value["findings"]][-1] == "score.not_a_number"


def test_a_document_without_a_form_as_json() -> None:
    value = read_json(replace(READING, form_key=None, assessment=None, findings=()), RUBRIC)
    assert (value["filename"], value["assessment"], value["findings"]) == ("说明.docx", None, [])
    nothing = read_json(replace(READING, form_key=None, documents=()), RUBRIC)
    assert (nothing["format"], nothing["role"]) == ("unknown", "other")
