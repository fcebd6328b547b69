"""The 汇总表 as values: its columns and one row for each organization, for the workbook and for csv."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal

from mailbot.config import Config
from mailbot.model import Finding, Role, Status
from mailbot.records import MessageRecord, OrganizationRecord
from mailbot.report.figures import moment, plain_text, wall_clock
from mailbot.report.labels import TRACKS, short
from mailbot.report.problems import problems, requested
from mailbot.report.standing import (
    category_sums,
    doubts,
    first_in_time,
    is_all_scored,
    late_corrections,
    newer_incomplete,
    piece,
)
from mailbot.report.wording import points
from mailbot.rubric import Rubric

Value = str | int | Decimal | datetime | date | None

RECEIVED, LACKING, NOT_OWED = "已收", "缺", "免报"
ON_TIME, LATE = "按时", "逾期"
SEALED, NOT_SEALED = "纸质件已盖章", "纸质件未盖章"
_BETWEEN = "；"
_NOT_OWN = re.compile(
    rf"{SEALED}|{NOT_SEALED}|逾期更正：.{{1,40}}收到第\d+版，未计入"
    r"|.{1,40}收到的第\d+版尚不齐全，仍以第\d+版计|.{1,40}按时收到第\d+版，当时尚不齐全"
)
"""The remarks that the program makes itself."""
_BEFORE = (
    "序号",
    "单位名称",
    "类别",
    "首次接收时间",
    "末次有效接收时间",
    "是否按时",
    "版本数",
    "工作总结",
    "工作计划",
    "自评表",
    "纸质件",
)
_AFTER = ("填报总分", "核算总分", "差额", "考核分", "问题", "来件邮箱", "备注")


def columns(rubric: Rubric) -> tuple[str, ...]:
    """The head of the 汇总表."""
    return (*_BEFORE, *(f"{c.name}（{points(c.points)}分）" for c in rubric.categories), *_AFTER)


def rows(
    config: Config,
    rubric: Rubric,
    organizations: Sequence[OrganizationRecord],
    reasons: Doubts | None = None,
) -> Iterator[tuple[Value, ...]]:
    """One row for each organization, in the order given; times are in the campaign's time zone, without offset."""
    for number, record in enumerate(organizations, 1):
        yield _row(number, record, config, rubric, reasons.of(record.name) if reasons else ())


class Doubts:
    """For which reasons each organization's mails wait for a person, gathered while the messages stream by."""

    def __init__(self, messages: Iterable[MessageRecord] = ()) -> None:
        self._found: dict[str, dict[str, Finding]] = {}
        for message in messages:
            self.add(message)

    def add(self, message: MessageRecord) -> None:
        """Take note of one message."""
        if message.waits_for_a_person and message.organization:
            found = self._found.setdefault(message.organization, {})
            found.update({short(each): each for each in doubts(message)})

    def of(self, organization: str) -> Collection[Finding]:
        """The reasons, one of each kind."""
        return self._found.get(organization, {}).values()


def _row(
    number: int, record: OrganizationRecord, config: Config, rubric: Rubric, reasons: Collection[Finding]
) -> tuple[Value, ...]:
    counts, assessment = record.counts, record.assessment
    stated = assessment.stated_total if assessment else None
    total = assessment.total if assessment else None
    zone = config.campaign.timezone
    return (
        number,
        plain_text(record.name),
        TRACKS[record.track],
        wall_clock(_first(record), zone),
        wall_clock(counts.received_at if counts else None, zone),
        (ON_TIME if counts.on_time else LATE) if counts else None,
        len(record.versions),
        *(_received(record, role, config) for role in (Role.SUMMARY, Role.PLAN, Role.FORM)),
        record.paper_received,
        *category_sums(assessment, rubric),
        stated,
        total,
        None if stated is None or total is None or not is_all_scored(assessment) else stated - total,
        record.staff_points,
        "；".join(what_lacks(record, rubric, reasons)) or None,
        "; ".join(plain_text(sender) for sender in record.senders) or None,
        _BETWEEN.join(_remarks(record, lambda at: moment(at, zone))) or None,
    )


def _first(record: OrganizationRecord) -> datetime | None:
    """When its first papers came; a question alone is none."""
    if record.status is Status.NOT_RECEIVED:
        return None
    if record.first_received_at is not None:
        return record.first_received_at
    return min((version.received_at for version in record.versions), default=None)


def _received(record: OrganizationRecord, role: Role, config: Config) -> str:
    if piece(record.counts, role) is not None:
        return RECEIVED
    return LACKING if role in config.owed[record.track] else NOT_OWED


def what_lacks(record: OrganizationRecord, rubric: Rubric, reasons: Collection[Finding]) -> Iterator[str]:
    """Phrases on what an organization's submission lacks.

    `reasons` are the findings for which its mails wait for a person; each is named in short, unless it is also one of
    the submission's findings, which are told in full.
    """
    if record.status is Status.NOT_RECEIVED:
        yield "未报送"
    if record.status is Status.REVIEW:
        told = {each.code for each in record.counts.findings} if record.counts else set()
        named = "、".join(short(each) for each in reasons if each.code not in told)
        yield f"待人工核对（{named}）" if named else "待人工核对"
    if record.counts is not None:
        yield from problems((*record.counts.findings, *record.unread), rubric)
        yield from requested(record.counts)
    if late_corrections(record):
        yield "逾期更正"


def _remarks(record: OrganizationRecord, say: Callable[[datetime], str]) -> Iterator[str]:
    if record.note:
        yield plain_text(record.note)
    for version in late_corrections(record):
        yield f"逾期更正：{say(version.received_at)}收到第{version.number}版，未计入"
    for version in newer_incomplete(record):
        yield f"{say(version.received_at)}收到的第{version.number}版尚不齐全，仍以第{_number(record)}版计"
    if (first := first_in_time(record)) is not None:
        yield f"{say(first.received_at)}按时收到第{first.number}版，当时尚不齐全"
    if record.paper_sealed is not None:
        yield SEALED if record.paper_sealed else NOT_SEALED


def own_note(remarks: str) -> tuple[str, bool | None]:
    """What staff wrote themselves among the remarks of a row, and whether they say that the paper copy is sealed."""
    parts = remarks.split(_BETWEEN)
    sealed = next((part == SEALED for part in map(str.strip, parts) if part in (SEALED, NOT_SEALED)), None)
    own = (part for part in parts if not _NOT_OWN.fullmatch(part.strip()))
    return _BETWEEN.join(own).strip(), sealed


def _number(record: OrganizationRecord) -> int:
    return record.counts.number if record.counts else 0
