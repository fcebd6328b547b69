"""The contract's JSON key by key, and the 汇总表 as csv."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from mailbot.model import Assessment, Code, finding
from mailbot.records import MessageRecord
from mailbot.report.export import write_csv, write_json
from mailbot.report.summary import columns
from mailbot.report.wording import detail
from tests.unit.report.sample import CONFIG, HOSTILE_NAME, HOSTILE_SUBJECT, MESSAGES, ORGANIZATIONS, RUBRIC


def exported(messages: Iterator[MessageRecord] | tuple[MessageRecord, ...] = MESSAGES) -> bytes:
    stream = io.BytesIO()
    write_json(stream, config=CONFIG, rubric=RUBRIC, messages=messages, organizations=ORGANIZATIONS)
    return stream.getvalue()


@pytest.fixture(scope="module")
def everything() -> dict[str, Any]:
    value = json.loads(exported(), parse_float=Decimal)
    assert isinstance(value, dict)
    return value


def test_the_whole(everything: dict[str, Any]) -> None:
    assert everything["campaign"] == "2020"
    assert everything["deadline"] == "2021-01-15T17:30:00+08:00"
    assert len(everything["messages"]) == len(MESSAGES)
    assert len(everything["organizations"]) == len(ORGANIZATIONS)


def test_a_message_has_the_contracts_keys(everything: dict[str, Any]) -> None:
    one = everything["messages"][1]
    assert (
        one.items()
        >= {
            "message_id": "<2@example.com>",
            "mailbox": "societies",
            "folder": "INBOX",
            "uid": 2,
            "sha256": "02" * 32,
            "received_at": "2021-01-15T16:02:40+08:00",
            "on_time": True,
            "sender": "yi@example.com",
            "subject": "报送2020年度工作总结",
            "organization": "浙江省示例乙学会",
            "outcome": "correction",
        }.items()
    )
    assert one["documents"][0] == {
        "filename": "自评表.xlsx",
        "format": "xlsx",
        "role": "form",
        "sha256": "ab" * 32,
        "container": None,
    }
    assert one["replies"] == [
        {
            "kind": "correction",
            "message_id": "<mailbot.2@example.org>",
            "to": "yi@example.com",
            "state": "failed",
            "dropped": None,
        }
    ]


def test_an_assessment_has_the_contracts_keys_and_exact_numbers(everything: dict[str, Any]) -> None:
    form = everything["messages"][0]["assessment"]
    assert form["organization"] == "浙江省示例甲学会"
    assert form["year"] == 2020
    assert form["read_by"] == "cells"
    assert form["stated_total"] == form["total"] == Decimal("91.5")
    assert [item["no"] for item in form["items"]] == [item.no for item in RUBRIC.items]
    assert form["items"][0] == {
        "no": 1,
        "score": 8,
        "evidence": "学术引领：全年开展活动3次，详见佐证材料。",
    }
    unread = everything["messages"][6]["assessment"]["items"]
    assert next(item for item in unread if item["no"] == 20)["score"] is None
    assert everything["messages"][4]["assessment"] is None


@pytest.mark.parametrize("number", ["0.1", "89", "4.50", "0.30", "100"])
def test_a_number_is_written_as_it_stands(number: str) -> None:
    given = MESSAGES[0].assessment
    assert isinstance(given, Assessment)
    changed = replace(MESSAGES[0], assessment=replace(given, total=Decimal(number)))
    value = json.loads(exported((changed,)), parse_float=Decimal)
    assert value["messages"][0]["assessment"]["total"] == Decimal(number)


def test_a_finding_has_the_contracts_keys_and_words(everything: dict[str, Any]) -> None:
    found = everything["messages"][1]["findings"]
    given = finding(Code.SCORE_OVER_MAX, item=8, found="3", wanted="2", document="自评表.xlsx")
    assert (
        found[1].items()
        >= {
            "code": "score.over_max",
            "severity": "error",
            "item": 8,
            "detail": detail(given, RUBRIC),
        }.items()
    )
    assert found[0]["item"] is None


def test_organizations_of_every_standing(everything: dict[str, Any]) -> None:
    by_name = {each["name"]: each for each in everything["organizations"]}
    assert (
        by_name["浙江省示例甲学会"].items()
        >= {
            "track": "society",
            "status": "complete",
            "on_time": True,
            "completed_at": "2021-01-12T09:12:03+08:00",
            "total": Decimal("91.5"),
            "documents": {
                "form": "自评表.xlsx",
                "summary": "2020年工作总结.docx",
                "plan": "2021年工作计划.docx",
            },
        }.items()
    )
    incomplete = by_name["浙江省示例乙学会"]
    assert (incomplete["status"], incomplete["completed_at"], incomplete["total"]) == (
        "incomplete",
        None,
        101,
    )
    assert incomplete["documents"]["plan"] is None
    assert by_name["浙江省示例丙研究会"]["completed_at"] == "2021-01-14T10:00:00+08:00"
    assert by_name["浙江省示例丁协会"]["on_time"] is False
    assert by_name[HOSTILE_NAME]["status"] == "review"
    assert (
        by_name["浙江省示例庚学会"].items()
        >= {
            "status": "not_received",
            "on_time": None,
            "completed_at": None,
            "total": None,
            "documents": {"form": None, "summary": None, "plan": None},
        }.items()
    )


def test_a_message_that_waits_has_no_outcome_and_times_have_the_campaigns_offset() -> None:
    waiting = replace(
        MESSAGES[0],
        outcome=None,
        organization=None,
        received_at=datetime(2021, 1, 15, 9, 30, 1, 999, tzinfo=UTC),
        assessment=None,
    )
    one = json.loads(exported((waiting,)))["messages"][0]
    assert one["outcome"] is None
    assert one["organization"] is None
    assert one["received_at"] == "2021-01-15T17:30:01+08:00"
    assert one["on_time"] is False


def test_a_fraction_of_the_last_second_is_in_time() -> None:
    last = replace(MESSAGES[0], received_at=datetime(2021, 1, 15, 9, 30, 0, 999, tzinfo=UTC))
    assert json.loads(exported((last,)))["messages"][0]["on_time"] is True


def test_messages_are_written_while_they_come() -> None:
    stream = io.BytesIO()
    written: list[int] = []

    def come() -> Iterator[MessageRecord]:
        for each in MESSAGES:
            written.append(len(stream.getvalue()))
            yield each

    write_json(stream, config=CONFIG, rubric=RUBRIC, messages=come(), organizations=())
    assert written == sorted(set(written))
    assert json.loads(stream.getvalue())["organizations"] == []


def rows() -> list[list[str]]:
    stream = io.BytesIO()
    write_csv(stream, config=CONFIG, rubric=RUBRIC, organizations=ORGANIZATIONS, messages=MESSAGES)
    assert stream.getvalue().startswith(b"\xef\xbb\xbf")
    assert not stream.closed
    return list(csv.reader(io.StringIO(stream.getvalue().decode("utf-8-sig"), newline="")))


def test_csv_has_the_columns_and_a_row_for_each_organization() -> None:
    head, *body = rows()
    assert head == list(columns(RUBRIC))
    assert [row[1] for row in body] == [record.name for record in ORGANIZATIONS]
    first = dict(zip(head, body[0], strict=True))
    assert first["首次接收时间"] == "2021-01-12 09:12:03"
    assert first["核算总分"] == "91.5"
    assert first["纸质件"] == "2021-01-13"
    assert dict(zip(head, body[1], strict=True))["差额"] == "-2"


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t=", "\r=", "＝", "＋", "－", "＠"])
def test_csv_holds_no_formula(sign: str) -> None:
    record = replace(ORGANIZATIONS[0], senders=(f"{sign}1+1",), name=f"{sign}甲", note=HOSTILE_SUBJECT)
    stream = io.BytesIO()
    write_csv(stream, config=CONFIG, rubric=RUBRIC, organizations=(record,))
    row = list(csv.reader(io.StringIO(stream.getvalue().decode("utf-8-sig"), newline="")))[1]
    texts = [row[1], row[21], row[22]]
    assert all(text[0] == "'" for text in texts), texts
