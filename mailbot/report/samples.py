"""Facts that never were, for trying templates: each kind of letter with much and with little to say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal

from mailbot.model import Assessment, Code, ItemReading, ReadBy, ReplyKind, Role, finding
from mailbot.report.letters import Contact, EarlierRequest, Facts, Held, SentDocument
from mailbot.report.reminder import ReminderFacts
from mailbot.rubric import Category, Item, Rubric

_CHINA = timezone(timedelta(hours=8))
_DEADLINE = datetime(2021, 1, 15, 17, 30, tzinfo=_CHINA)
_RUBRIC = Rubric(
    year=2020,
    title="2020年度自评表",
    total=Decimal(7),
    categories=(Category(name="一、示例类别", points=Decimal(7)),),
    items=tuple(
        Item(
            no=no,
            category="一、示例类别",
            group="示例",
            criterion="举办示例活动，每年2次以上。",
            points=points,
        )
        for no, points in ((1, Decimal(5)), (2, Decimal(2)))
    ),
)
_ASSESSMENT = Assessment(
    organization="示例学会",
    year=2020,
    read_by=ReadBy.CELLS,
    items=(
        ItemReading(no=1, score=Decimal(5), score_text="5", evidence="举办三次"),
        ItemReading(no=2, score=Decimal(3), score_text="3", evidence=""),
    ),
    stated_total=Decimal(9),
    total=Decimal(8),
)
_ALL = (Role.FORM, Role.SUMMARY, Role.PLAN)


def sample_letters() -> Iterator[tuple[ReplyKind, Facts]]:
    """Each kind of letter, full and bare."""
    for kind in ReplyKind:
        yield kind, _full()
        yield kind, _bare()


def sample_reminders() -> Iterator[ReminderFacts]:
    """A reminder to one who has sent nothing, and to one whose submission has faults."""
    full, bare = _full(), _bare()
    for facts, held in ((full, (Role.FORM, Role.SUMMARY)), (bare, ())):
        yield ReminderFacts(
            campaign_title=facts.campaign_title,
            notice=facts.notice,
            organization="示例学会",
            deadline=_DEADLINE,
            now=_DEADLINE - timedelta(days=3),
            owed=facts.owed,
            held=held,
            received_at=full.received_at if held else None,
            findings=facts.findings,
            rubric=_RUBRIC,
            blank_form="" if held else "示例自评表",
            mailbox=facts.mailbox,
            contact=facts.contact,
        )


def _bare() -> Facts:
    received = _DEADLINE + timedelta(seconds=1)
    return Facts(
        campaign_title="示例年度工作总结",
        notice="",
        organization=None,
        number="0000-000001-00000000",
        received_at=received,
        on_time=False,
        deadline=_DEADLINE,
        now=received + timedelta(minutes=1),
        owed=(Role.SUMMARY, Role.PLAN),
        rubric=_RUBRIC,
        mailbox="office@example.org",
    )


def _full() -> Facts:
    received = _DEADLINE - timedelta(days=1, hours=8)
    return Facts(
        campaign_title="示例年度工作总结",
        notice="示例〔2020〕1号",
        organization="示例学会",
        number="0000-000002-00000000",
        received_at=received,
        on_time=True,
        deadline=_DEADLINE,
        now=received + timedelta(minutes=1),
        owed=_ALL,
        documents=(
            SentDocument(filename="自评表.xlsx", taken_for="自评表"),
            SentDocument(filename="说明.txt", taken_for="其他材料"),
        ),
        held=(
            Held(role=Role.FORM, filename="自评表.xlsx"),
            Held(role=Role.SUMMARY, filename="总结.docx", received_at=received - timedelta(days=1)),
            Held(role=Role.PLAN, received_at=received - timedelta(days=1)),
        ),
        findings=(
            finding(Code.SCORE_OVER_MAX, item=2, found="3", wanted="2"),
            finding(Code.TOTAL_MISMATCH, found="9", wanted="8"),
            finding(Code.EVIDENCE_MISSING, item=2),
        ),
        withheld=1,
        assessment=_ASSESSMENT,
        rubric=_RUBRIC,
        earlier=EarlierRequest(
            number="0000-000001-00000000",
            sent_at=received - timedelta(days=1),
            count=1,
            findings=(finding(Code.PLAN_MISSING), finding(Code.EVIDENCE_MISSING, item=2)),
        ),
        counts_from=received - timedelta(days=2),
        marked_form="示例自评表（标注）.xlsx",
        blank_form="示例自评表.xlsx",
        mailbox="office@example.org",
        contact=Contact(name="示例", phone="000-00000000", address="示例路1号"),
    )
