"""A campaign that has gone on for long: the store filled at once with the rows that its writers leave behind.

Of ten mails two are submissions, one is a question that a person has settled (the newest 30 still wait), five are
automatic and two are copies. So 100,000 mails are 40 versions from each of 500 organizations, every one with a form of
25 items and their evidence, and 80,000 others. They were decided evenly over the last 60 days, and the last digest went
out a day ago.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import sqlalchemy as sa

from bench import load
from mailbot.model import (
    Assessment,
    Code,
    Contribution,
    Finding,
    Format,
    ItemReading,
    Outcome,
    Piece,
    ReadBy,
    ReplyKind,
    ReplyState,
    Role,
    RulingKind,
    Track,
    finding,
)
from mailbot.records import DocumentRecord
from mailbot.rubric import Rubric
from mailbot.rubric import load as load_rubric
from mailbot.store import tables
from mailbot.store.database import Database
from mailbot.submission import Terms, fold

_ORGANIZATIONS = 500
_WAITING = 30
_DAYS = timedelta(days=60)
_PLACE = 999
"""UIDVALIDITY of these messages; the folder that is read in the rounds has another."""
_AT_ONCE = 5_000
_DEADLINE = datetime(2021, 1, 15, 9, 30, tzinfo=UTC)
_TERMS = Terms(
    opens=_DEADLINE - timedelta(days=90),
    deadline=_DEADLINE,
    requires={Track.SOCIETY: (Role.FORM, Role.SUMMARY, Role.PLAN)},
)
_Row = dict[str, object]


def fill(path: Path, size: int) -> None:
    """Put so many messages into an empty store, each with its decision and what was answered."""
    made = _Campaign(size, load_rubric(load.ROOT / "rubric" / "2020.toml"))
    with Database(f"sqlite:///{path}") as store, store.writing() as connection:
        for first in range(1, size + 1, _AT_ONCE):
            numbers = range(first, min(first + _AT_ONCE, size + 1))
            connection.execute(sa.insert(tables.messages), [made.message(n) for n in numbers])
            for table, rows in (
                (tables.replies, [made.reply(n) for n in numbers if n % 10 < 3]),
                (tables.rulings, [made.ruling(n) for n in numbers if made.is_settled(n)]),
            ):
                if rows:
                    connection.execute(sa.insert(table), rows)
        connection.execute(sa.insert(tables.organizations), made.organizations())
        yesterday = (made.now - timedelta(days=1)).isoformat()
        connection.execute(sa.insert(tables.flags), [{"name": "digest:sent", "value": yesterday}])


class _Campaign:
    """The rows of each message, by its number."""

    def __init__(self, size: int, rubric: Rubric) -> None:
        self.now = datetime.now(UTC)
        self._size = size
        self._findings = _json(
            (finding(Code.EVIDENCE_UNSUPPORTED, item=4, found="学术会议", document="自评表.xlsx"),)
        )
        self._assessment = _json(_assessment(rubric))
        self._contributions: dict[str, list[Contribution]] = {}

    def is_settled(self, number: int) -> bool:
        """Whether it is a question that a person has settled."""
        return number % 10 == 2 and number <= self._size - 10 * _WAITING

    def _decided(self, number: int) -> datetime:
        return self.now - _DAYS * (1 - number / self._size)

    def message(self, number: int) -> _Row:
        received = _DEADLINE - timedelta(days=17) * (1 - number / self._size)
        return {
            "id": number,
            "mailbox": "societies",
            "folder": "INBOX",
            "uidvalidity": _PLACE,
            "uid": number,
            "sha256": _hash(number),
            "size": 60_000,
            "received_at": received,
            "recorded_at": self._decided(number),
            "receipt_hash": _hash(-number),
            "junk": False,
            "attempts": 0,
            "last_error": "",
            "decided_at": self._decided(number),
            "fingerprint": _hash(number + 10**9),
            "message_id": f"<old.{number}@example.com>",
            "subject": "2020年度工作总结及自评表报送",
            "text": "各位老师：现报送我会2020年度工作总结、2021年工作计划及自评表，请查收。" * 3,
            "header_received": received,
            "header_date": received,
            **self._judgement(number, received),
        }

    def _judgement(self, number: int, received: datetime) -> _Row:
        nothing: _Row = {"organization": None, "assessment": None, "contribution": None, "documents": "[]"}
        match number % 10:
            case 0 | 1:
                return self._submission(number, received)
            case 2:
                noticed = finding(Code.MESSAGE_INQUIRY)
                return {
                    **nothing,
                    "outcome": Outcome.REVIEW.value,
                    "sender": _sender(number),
                    "findings": _json((noticed,)),
                }
            case 3 | 4:
                noticed = finding(Code.MESSAGE_DUPLICATE, found=str(number - 3))
            case _:
                noticed = finding(Code.MESSAGE_AUTOMATIC, found="Auto-Submitted: auto-generated")
        return {
            **nothing,
            "outcome": Outcome.IGNORED.value,
            "sender": "robot@example.net",
            "findings": _json((noticed,)),
        }

    def _submission(self, number: int, received: datetime) -> _Row:
        pieces = {
            role: Piece(filename=f"{role}.xlsx", sha256=_hash(number), message=number)
            for role in (Role.FORM, Role.SUMMARY, Role.PLAN)
        }
        brought = Contribution(
            message=number,
            received_at=received,
            form=pieces[Role.FORM],
            summary=pieces[Role.SUMMARY],
            plan=pieces[Role.PLAN],
            form_findings=msgspec.json.decode(self._findings, type=tuple[Finding, ...]),
            total=Decimal(75),
        )
        self._contributions.setdefault(_organization(number), []).append(brought)
        return {
            "outcome": Outcome.ACKNOWLEDGED.value,
            "sender": _sender(number),
            "organization": _organization(number),
            "assessment": self._assessment,
            "contribution": _json(brought),
            "findings": self._findings,
            "documents": _json([_document(piece, role) for role, piece in pieces.items()]),
        }

    def organizations(self) -> list[_Row]:
        """Each with its versions; after the messages."""
        return [
            {
                "name": name,
                "track": Track.SOCIETY.value,
                "versions": _json(fold(brought, Track.SOCIETY, _TERMS)),
                "note": "",
            }
            for name, brought in self._contributions.items()
        ]

    def reply(self, number: int) -> _Row:
        submitted = number % 10 < 2
        return {
            "message": number,
            "mailbox": "societies",
            "kind": (ReplyKind.ACKNOWLEDGEMENT if submitted else ReplyKind.RECEIPT).value,
            "recipient": _sender(number),
            "organization": _organization(number) if submitted else None,
            "message_id": f"<reply.{number}@example.org>",
            "subject": "收到：2020年度工作总结 2020-000001-00000000",
            "octets": b"a letter of five thousand octets " * 150,
            "state": ReplyState.SENT.value,
            "queued_at": self._decided(number),
            "attempts": 1,
            "sent_at": self._decided(number),
            "error": "",
        }

    def ruling(self, number: int) -> _Row:
        return {
            "message": number,
            "kind": RulingKind.NO_SUBMISSION.value,
            "ruled_by": "章",
            "why": "已电话答复",
            "at": self._decided(number),
            "sentence": "",
        }


def _assessment(rubric: Rubric) -> Assessment:
    return Assessment(
        organization="浙江省旧学会",
        year=2020,
        read_by=ReadBy.CELLS,
        items=tuple(
            ItemReading(
                no=item.no,
                score=Decimal(3),
                score_text="3",
                evidence=f"本年度{item.group}工作有序开展，详见总结第{item.no}部分及所附材料。",
                score_place=f"Sheet1!F{item.no + 4}",
                evidence_place=f"Sheet1!G{item.no + 4}",
            )
            for item in rubric.items
        ),
        stated_total=Decimal(75),
        total=Decimal(75),
        document="自评表.xlsx",
    )


def _document(piece: Piece, role: Role) -> DocumentRecord:
    return DocumentRecord(
        filename=piece.filename, format=Format.XLSX, role=role, sha256=piece.sha256, size=9000, container=None
    )


def _organization(number: int) -> str:
    return f"浙江省旧{(number // 10 * 2 + number % 10) % _ORGANIZATIONS}学会"


def _sender(number: int) -> str:
    return f"old{(number // 10 * 2 + number % 10) % _ORGANIZATIONS}@example.com"


def _hash(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def _json(value: object | Sequence[object]) -> str:
    return msgspec.json.encode(value).decode()
