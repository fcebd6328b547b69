"""Small values for the store's tests."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import sqlalchemy as sa

from mailbot.model import (
    Assessment,
    Contribution,
    Decision,
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
    Track,
)
from mailbot.reading import Address, DocumentReading, MailHead
from mailbot.records import Receipt
from mailbot.store.store import NewReply, Settled, Store
from mailbot.store.tables import replies
from mailbot.submission import Terms, fold

NOON = datetime(2021, 1, 15, 4, tzinfo=UTC)
DEADLINE = datetime(2021, 1, 15, 9, 30, tzinfo=UTC)
SOCIETY = Organization(name="浙江省示例学会", track=Track.SOCIETY)
TERMS = Terms(
    opens=datetime(2020, 12, 28, 16, tzinfo=UTC),
    deadline=DEADLINE,
    requires={
        Track.SOCIETY: (Role.FORM, Role.SUMMARY, Role.PLAN),
        Track.ENTERPRISE: (Role.SUMMARY, Role.PLAN),
    },
)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def receipt(uid: int, text: str | None = "", **changes: object) -> Receipt:
    """A mail at that UID; its octets stand for `text`, by default another for each UID. None: left on the server."""
    given: dict[str, object] = {
        "mailbox": "societies",
        "folder": "INBOX",
        "uidvalidity": 7,
        "uid": uid,
        "sha256": "" if text is None else digest(text or f"mail {uid}"),
        "size": 100,
        "received_at": NOON + timedelta(minutes=uid),
    }
    return Receipt(**{**given, **changes})  # type: ignore[arg-type]


def take(store: Store, *receipts: Receipt, at: datetime = NOON) -> tuple[int, ...]:
    """Record receipts of one folder."""
    first = receipts[0]
    last = max(r.uid for r in receipts)
    return store.record_receipts(first.mailbox, first.folder, first.uidvalidity, last, receipts, at=at)


def head(**changes: object) -> MailHead:
    given: dict[str, object] = {
        "message_id": "<1@example.org>",
        "subject": "材料报送",
        "from_": (Address(name="", address="Office@example.org"),),
        "reply_to": (),
    }
    return MailHead(**{**given, **changes})  # type: ignore[arg-type]


def document(filename: str = "自评表.xlsx", role: Role = Role.FORM) -> DocumentReading:
    return DocumentReading(
        key="1",
        filename=filename,
        format=Format.XLSX,
        role=role,
        sha256=digest(filename),
        size=10,
        container="资料.zip",
        covers=(role,),
    )


def assessment(total: str = "89.5") -> Assessment:
    return Assessment(
        organization=SOCIETY.name,
        year=2020,
        read_by=ReadBy.CELLS,
        items=(
            ItemReading(
                no=1, score=Decimal("9.5"), score_text="9.5", evidence="举办学术会议", picture=b"\x89PNG"
            ),
        ),
        stated_total=None,
        total=Decimal(total),
    )


def contribution(message: int, received_at: datetime = NOON, *errors: Finding) -> Contribution:
    piece = Piece(filename="自评表.xlsx", sha256="a" * 64, message=message)
    return Contribution(
        message=message,
        received_at=received_at,
        form=piece,
        summary=piece,
        plan=piece,
        form_findings=errors,
        total=Decimal("89.5"),
    )


def reply(message_id: str = "<r1@example.org>", **changes: object) -> NewReply:
    given: dict[str, object] = {
        "mailbox": "societies",
        "kind": ReplyKind.ACKNOWLEDGEMENT,
        "to": "office@example.org",
        "message_id": message_id,
        "subject": "回执",
        "octets": b"From: in@example.org\r\n\r\n",
        "state": ReplyState.QUEUED,
    }
    return NewReply(**{**given, **changes})  # type: ignore[arg-type]


def settled(message: int, *replies: NewReply, **changes: object) -> Settled:
    """A whole submission of SOCIETY, acknowledged; `changes` go to the decision or to what is settled."""
    own = contribution(message)
    decision: dict[str, object] = {
        "outcome": Outcome.ACKNOWLEDGED,
        "findings": (),
        "organization": SOCIETY,
        "contribution": own,
        "versions": fold((own,), Track.SOCIETY, TERMS),
    }
    given: dict[str, object] = {
        "head": head(fingerprint=digest(f"fingerprint {message}")),
        "documents": (document(),),
        "assessment": assessment(),
        "decided_at": NOON,
        "supersedes": None,
    }
    for name, value in changes.items():
        (decision if name in decision else given)[name] = value
    return Settled(
        message=message,
        replies=replies,
        decision=Decision(**decision),  # type: ignore[arg-type]
        **given,  # type: ignore[arg-type]
    )


def ignored(message: int, *findings: Finding, **changes: object) -> Settled:
    """A mail that came to nothing."""
    return settled(
        message,
        outcome=Outcome.IGNORED,
        findings=findings,
        organization=None,
        contribution=None,
        versions=(),
        assessment=None,
        documents=(),
        **changes,
    )


def composed(store: Store, number: int) -> bytes:
    """The octets of that reply."""
    with store.reading() as connection:
        return bytes(
            connection.execute(sa.select(replies.c.octets).where(replies.c.id == number)).scalar_one()
        )
