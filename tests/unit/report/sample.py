"""A campaign on the morning before its deadline: an organization in every state, and mails of every outcome."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from PIL import Image, ImageDraw

from mailbot import rubric as rubrics
from mailbot.config import Config
from mailbot.model import (
    Assessment,
    Code,
    Finding,
    Format,
    ItemReading,
    Organization,
    Outcome,
    Piece,
    ReadBy,
    ReplyKind,
    ReplyState,
    Role,
    Severity,
    Status,
    Track,
    Version,
    finding,
)
from mailbot.records import (
    Counts,
    DocumentRecord,
    FolderHealth,
    MessageRecord,
    OrganizationRecord,
    ReplyRecord,
)
from mailbot.report.roster import roster
from mailbot.submission import counting, status
from tests.conftest import ROOT

ZONE = ZoneInfo("Asia/Shanghai")
RUBRIC = rubrics.load(ROOT / "rubric" / "2020.toml")
DEADLINE = datetime(2021, 1, 15, 17, 30, tzinfo=ZONE)
NOW = datetime(2021, 1, 16, 8, 30, tzinfo=ZONE)
HOSTILE_NAME = "浙江省示例<b>己</b>学会"
HOSTILE_SUBJECT = '=HYPERLINK("https://example.com/","点此")<script>alert(1)</script>\r\nBcc: x'


def mailbox(name: str, track: str, requires: list[str]) -> dict[str, object]:
    address = f"{name}@example.org"
    server = {"host": "mail.example.org", "username": address, "password_env": "MAILBOT_PASSWORD"}
    return {
        "name": name,
        "track": track,
        "address": address,
        "requires": requires,
        "imap": {**server, "junk_folder": "Junk"},
        "smtp": server,
    }


CONFIG = Config.model_validate(
    {
        "campaign": {
            "name": "2020",
            "title": "2020年度省级学会和省属企业科协工作总结",
            "opens": datetime(2020, 12, 29, tzinfo=ZONE),
            "deadline": DEADLINE,
            "timezone": "Asia/Shanghai",
            "rubric": str(ROOT / "rubric" / "2020.toml"),
        },
        "mailbox": [
            mailbox("societies", "society", ["form", "summary", "plan"]),
            mailbox("enterprises", "enterprise", ["summary", "plan"]),
        ],
        "file": "config.toml",
    }
)


def at(day: int, hour: int, minute: int, second: int = 0) -> datetime:
    return datetime(2021, 1, day, hour, minute, second, tzinfo=ZONE)


def picture(text: str) -> bytes:
    image = Image.new("RGB", (72, 28), "white")
    ImageDraw.Draw(image).text((24, 8), text, fill="black")
    octets = io.BytesIO()
    image.save(octets, "PNG")
    return octets.getvalue()


def assessment(
    name: str,
    *,
    lost: dict[int, str] | None = None,
    stated: str | None = None,
    read_by: ReadBy = ReadBy.CELLS,
    texts: dict[int, str | None] | None = None,
    doubtful: int | None = None,
) -> Assessment:
    """A form that claims all points but `lost`; `texts` are scores that could not be read."""
    items = []
    for item in RUBRIC.items:
        score: Decimal | None = item.points - Decimal((lost or {}).get(item.no, "0"))
        text = f"{score}"
        if item.no in (texts or {}):
            score, text = None, (texts or {})[item.no] or ""
        items.append(
            ItemReading(
                no=item.no,
                score=score,
                score_text=text,
                evidence=f"{item.group}：全年开展活动3次，详见佐证材料。",
                score_place=f"Sheet1!F{item.no + 3}",
                confidence=0.62 if item.no == doubtful else None,
                picture=picture("4.5") if item.no == doubtful else None,
            )
        )
    total = sum((item.score for item in items if item.score is not None), Decimal())
    return Assessment(
        organization=name,
        year=2020,
        read_by=read_by,
        items=tuple(items),
        stated_total=total if stated is None else Decimal(stated),
        total=total,
        document="自评表.xlsx",
    )


def piece(filename: str, message: int) -> Piece:
    return Piece(filename=filename, sha256=f"{message:02x}" * 32, message=message)


def version(
    number: int,
    message: int,
    received_at: datetime,
    state: Status,
    *lacking: Role,
    findings: Sequence[Finding] = (),
    form: bool = True,
    total: Decimal | None = None,
) -> Version:
    held = {
        role.value: piece(f"{filename}", message)
        for role, filename in (
            (Role.FORM, "自评表.xlsx"),
            (Role.SUMMARY, "2020年工作总结.docx"),
            (Role.PLAN, "2021年工作计划.docx"),
        )
        if role not in lacking and (form or role is not Role.FORM)
    }
    return Version(
        number=number,
        message=message,
        received_at=received_at,
        on_time=received_at <= DEADLINE,
        state=state,
        total=total,
        findings=tuple(findings),
        **held,
    )


def organization(
    name: str, track: Track, *versions: Version, sender: str, read: Assessment | None = None, **more: object
) -> OrganizationRecord:
    given: dict[str, object] = {
        "status": status(versions),
        "first_received_at": versions[0].received_at if versions else None,
        **more,
    }
    return OrganizationRecord(
        name=name,
        track=track,
        versions=versions,
        counts=counting(versions),
        senders=(sender,),
        assessment=read,
        **given,  # type: ignore[arg-type]
    )


def documents(*roles: Role) -> tuple[DocumentRecord, ...]:
    names = {
        Role.FORM: ("自评表.xlsx", Format.XLSX),
        Role.SUMMARY: ("2020年工作总结.docx", Format.DOCX),
        Role.PLAN: ("2021年工作计划.docx", Format.DOCX),
    }
    return tuple(
        DocumentRecord(
            filename=names[role][0],
            format=names[role][1],
            role=role,
            sha256="ab" * 32,
            size=23456,
            container=None,
        )
        for role in roles
    )


def message(
    number: int,
    received_at: datetime,
    outcome: Outcome | None,
    *findings: Finding,
    sender: str,
    name: str | None = None,
    subject: str = "报送2020年度工作总结",
    reply: tuple[ReplyKind, ReplyState] | None = None,
    carried: tuple[DocumentRecord, ...] = (),
    **more: object,
) -> MessageRecord:
    given: dict[str, object] = {
        "mailbox": "societies",
        "folder": "INBOX",
        "header_received": received_at,
        "header_date": received_at - timedelta(seconds=9),
        **more,
    }
    replies = (
        ()
        if reply is None
        else (
            ReplyRecord(
                id=number,
                message=number,
                mailbox="societies",
                kind=reply[0],
                to=sender,
                message_id=f"<mailbot.{number}@example.org>",
                subject=f"【接收回执】{name}",
                state=reply[1],
                queued_at=received_at,
                error="550 mailbox unavailable" if reply[1] is ReplyState.FAILED else "",
            ),
        )
    )
    return MessageRecord(
        id=number,
        message_id=f"<{number}@example.com>",
        uid=number,
        sha256=f"{number:02x}" * 32,
        size=34567,
        received_at=received_at,
        sender=sender,
        subject=subject,
        organization=name,
        outcome=outcome,
        decided_at=received_at + timedelta(seconds=20) if outcome else None,
        documents=carried,
        findings=findings,
        replies=replies,
        **given,  # type: ignore[arg-type]
    )


ALL = (Role.FORM, Role.SUMMARY, Role.PLAN)
SENT_ACK = (ReplyKind.ACKNOWLEDGEMENT, ReplyState.SENT)
SENT_RECEIPT = (ReplyKind.RECEIPT, ReplyState.SENT)
LATE = finding(Code.DELIVERY_LATE)

FAULTS = (
    finding(Code.PLAN_MISSING),
    finding(Code.SCORE_OVER_MAX, item=8, found="3", wanted="2", document="自评表.xlsx", place="Sheet1!F11"),
    finding(Code.EVIDENCE_MISSING, item=4, document="自评表.xlsx", place="Sheet1!G7"),
    finding(Code.EVIDENCE_MISSING, item=14, document="自评表.xlsx", place="Sheet1!G17"),
    finding(Code.TOTAL_MISMATCH, found="99", wanted="101", document="自评表.xlsx", place="Sheet1!F28"),
)
READ_A = assessment("浙江省示例甲学会", lost={1: "2", 29: "1.5", 46: "5"})
READ_B = assessment("浙江省示例乙学会", lost={8: "-1"}, stated="99")
READ_C = assessment("浙江省示例丙研究会", lost={1: "4", 13: "2", 33: "1", 49: "2.5"})
READ_D = assessment("浙江省示例丁协会", lost={1: "7", 11: "5", 14: "5", 35: "5", 46: "5", 49: "5", 24: "3"})
READ_E = assessment("浙江省示例戊学会", read_by=ReadBy.OCR, doubtful=14, texts={20: "了"})
READ_F = assessment(HOSTILE_NAME, lost={1: "10", 47: "1"}, texts={52: None})

WRITTEN = (
    organization(
        "浙江省示例甲学会",
        Track.SOCIETY,
        version(1, 1, at(12, 9, 12, 3), Status.COMPLETE, total=READ_A.total),
        sender="jia@example.com",
        read=READ_A,
        paper_received=date(2021, 1, 13),
        paper_sealed=True,
        staff_points=Decimal("90.5"),
    ),
    organization(
        "浙江省示例乙学会",
        Track.SOCIETY,
        version(1, 2, at(15, 16, 2, 40), Status.INCOMPLETE, Role.PLAN, findings=FAULTS, total=READ_B.total),
        sender="yi@example.com",
        read=READ_B,
        note="已电话提醒",
    ),
    organization(
        "浙江省示例丙研究会",
        Track.SOCIETY,
        version(1, 3, at(14, 10, 0), Status.COMPLETE, total=READ_C.total),
        version(2, 4, at(15, 20, 15, 7), Status.COMPLETE, total=READ_C.total),
        sender="bing@example.com",
        read=READ_C,
    ),
    organization(
        "浙江省示例丁协会",
        Track.SOCIETY,
        version(
            1,
            5,
            at(15, 9, 0),
            Status.INCOMPLETE,
            Role.FORM,
            findings=(finding(Code.FORM_MISSING),),
        ),
        version(2, 6, at(15, 17, 30, 1), Status.COMPLETE, total=READ_D.total),
        sender="ding@example.com",
        read=READ_D,
    ),
    organization(
        "浙江省示例戊学会",
        Track.SOCIETY,
        version(1, 7, at(15, 11, 20), Status.REVIEW, total=READ_E.total),
        sender="wu@example.com",
        read=READ_E,
    ),
    organization(
        HOSTILE_NAME,
        Track.SOCIETY,
        version(
            1,
            8,
            at(15, 12, 0),
            Status.REVIEW,
            findings=(finding(Code.SCORE_MISSING, item=52),),
            total=READ_F.total,
        ),
        sender="=cmd|' /C calc'!A0@example.com",
        read=READ_F,
    ),
    organization(
        "示例能源集团科协",
        Track.ENTERPRISE,
        version(1, 9, at(13, 15, 45), Status.COMPLETE, form=False),
        sender="kexie@example.com",
    ),
)
REGISTERED = (
    *(Organization(name=record.name, track=record.track, emails=record.senders) for record in WRITTEN[:5]),
    Organization(
        name="浙江省示例庚学会",
        track=Track.SOCIETY,
        emails=("geng@example.com", "mishu@example.com"),
    ),
    Organization(name="示例能源集团科协", track=Track.ENTERPRISE, emails=("kexie@example.com",)),
    Organization(name="示例港口集团科协", track=Track.ENTERPRISE),
)
ORGANIZATIONS = roster(WRITTEN, REGISTERED)

MESSAGES = (
    message(1, at(12, 9, 12, 3), Outcome.ACKNOWLEDGED, sender="jia@example.com", name="浙江省示例甲学会",
            reply=SENT_ACK, carried=documents(*ALL), assessment=READ_A),
    message(2, at(15, 16, 2, 40), Outcome.CORRECTION, *FAULTS, sender="yi@example.com",
            name="浙江省示例乙学会", reply=(ReplyKind.CORRECTION, ReplyState.FAILED),
            carried=documents(Role.FORM, Role.SUMMARY), assessment=READ_B),
    message(3, at(14, 10, 0), Outcome.ACKNOWLEDGED, sender="bing@example.com", name="浙江省示例丙研究会",
            reply=SENT_ACK, carried=documents(*ALL), assessment=READ_C),
    message(4, at(15, 20, 15, 7), Outcome.ACKNOWLEDGED, LATE, sender="bing@example.com",
            name="浙江省示例丙研究会", reply=(ReplyKind.ACKNOWLEDGEMENT, ReplyState.HELD),
            carried=documents(Role.FORM), assessment=READ_C),
    message(5, at(15, 9, 0), Outcome.CORRECTION, finding(Code.FORM_MISSING), sender="ding@example.com",
            name="浙江省示例丁协会", reply=(ReplyKind.CORRECTION, ReplyState.SENT),
            carried=documents(Role.SUMMARY, Role.PLAN)),
    message(6, at(15, 17, 30, 1), Outcome.ACKNOWLEDGED, LATE,
            finding(Code.DELIVERY_TIME_DISPUTED, found="2021-01-15T17:29:40+08:00"),
            sender="ding@example.com", name="浙江省示例丁协会",
            reply=(ReplyKind.ACKNOWLEDGEMENT, ReplyState.UNCERTAIN), carried=documents(*ALL),
            assessment=READ_D, header_received=at(15, 17, 29, 40)),
    message(7, at(15, 11, 20), Outcome.REVIEW,
            finding(Code.FORM_LOW_CONFIDENCE, item=14, found="4.5", document="扫描全能王 2021-01-15.pdf", place="第2页"),
            finding(Code.FORM_LOW_CONFIDENCE, item=20, found="了", document="扫描全能王 2021-01-15.pdf", place="第2页"),
            finding(Code.SCORE_NOT_A_NUMBER, item=20, found="了", severity=Severity.ERROR),
            sender="wu@example.com", name="浙江省示例戊学会", reply=SENT_RECEIPT,
            carried=documents(*ALL), assessment=READ_E),
    message(8, at(15, 12, 0), Outcome.REVIEW, finding(Code.ORGANIZATION_UNKNOWN, found=HOSTILE_NAME),
            finding(Code.SCORE_MISSING, item=52), sender="=cmd|' /C calc'!A0@example.com",
            name=HOSTILE_NAME, subject=HOSTILE_SUBJECT, reply=SENT_RECEIPT, carried=documents(*ALL),
            assessment=READ_F),
    message(9, at(13, 15, 45), Outcome.ACKNOWLEDGED, sender="kexie@example.com", name="示例能源集团科协",
            reply=SENT_ACK, carried=documents(Role.SUMMARY, Role.PLAN), mailbox="enterprises"),
    message(10, at(15, 13, 5), Outcome.REVIEW, finding(Code.MESSAGE_INQUIRY), sender="wen@example.com",
            subject="请问自评表盖章是单位公章吗？", reply=SENT_RECEIPT, text="章老师：\n请问盖学会公章还是秘书处章？<b>急</b>"),
    message(11, at(15, 13, 6), Outcome.REVIEW, finding(Code.DELIVERY_IN_JUNK), sender="promo@example.com",
            subject="年会场地\x08优惠", folder="Junk"),
    message(12, at(15, 13, 7), Outcome.IGNORED, finding(Code.MESSAGE_DUPLICATE, found="1"),
            sender="jia@example.com", mailbox="enterprises"),
    message(13, at(15, 13, 8), Outcome.IGNORED, finding(Code.MESSAGE_AUTOMATIC, found="Auto-Submitted: auto-replied"),
            sender="geng@example.com", subject="自动回复:请补正"),
    message(14, at(15, 13, 9), Outcome.REVIEW, finding(Code.MESSAGE_UNPROCESSABLE, found="ValueError: bad"),
            sender="huai@example.com", subject=""),
)  # fmt: skip

COUNTS = Counts(
    messages=15,
    waiting=1,
    by_outcome={
        Outcome.ACKNOWLEDGED: 5,
        Outcome.CORRECTION: 2,
        Outcome.REVIEW: 5,
        Outcome.IGNORED: 2,
    },
    replies={
        ReplyState.SENT: 7,
        ReplyState.QUEUED: 0,
        ReplyState.HELD: 1,
        ReplyState.FAILED: 1,
        ReplyState.UNCERTAIN: 1,
    },
)


def folder(name: str, **changes: object) -> FolderHealth:
    given: dict[str, object] = {
        "folder": "INBOX",
        "uidvalidity": 1,
        "last_uid": 14,
        "last_good_round": NOW - timedelta(minutes=3),
        "last_error": "",
        "last_error_at": None,
        "on_server": 12,
        **changes,
    }
    return FolderHealth(mailbox=name, **given)  # type: ignore[arg-type]


FOLDERS = (
    folder("enterprises", on_server=2, last_uid=2),
    folder("societies"),
    folder("societies", folder="Junk", on_server=1, last_uid=1),
)
