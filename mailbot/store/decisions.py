"""What was decided: one transaction for decisions, the replies they queue, and their ledger entries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mailbot.errors import MailbotError
from mailbot.model import (
    Assessment,
    Code,
    Contribution,
    Decision,
    Finding,
    Organization,
    Outcome,
    ReplyKind,
    ReplyState,
    Track,
    finding,
)
from mailbot.reading import DocumentReading, MailHead
from mailbot.records import DocumentRecord, StoredMessage
from mailbot.store.anew import DecidedAnew, change_versions, drop_superseded, leave, ruled_since
from mailbot.store.database import Chain, Database
from mailbot.store.tables import UtcTime, messages, organizations, replies, rulings

_contribution = msgspec.json.Decoder(Contribution)
_findings = msgspec.json.Decoder(tuple[Finding, ...])
_NOT_LEFT = (ReplyState.QUEUED.value, ReplyState.HELD.value, ReplyState.FAILED.value)
_LONGEST_TEXT = 500
"""How much of a mail's own words is kept beside it; the rest is in the archive."""


class AlreadyDecidedError(MailbotError):
    """The message has its decision; it gets no second one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """An earlier row of the same mail that has been decided and counts."""

    id: int
    received_at: datetime
    junk: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReply:
    """A reply that goes into the outbox with its decision."""

    mailbox: str
    kind: ReplyKind
    to: str
    message_id: str
    subject: str
    octets: bytes
    state: ReplyState
    note: str = ""
    """Why it is held, for whoever decides on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A message with everything that its decision puts into the store."""

    message: int
    head: MailHead
    documents: tuple[DocumentReading, ...]
    assessment: Assessment | None
    decision: Decision
    decided_at: datetime
    replies: tuple[NewReply, ...] = ()
    supersedes: int | None = None
    """A copy decided before and received later: it becomes the duplicate, its replies stay."""
    anew: DecidedAnew | None = None
    """Set where the message has been decided before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepliesQueued:
    """How many replies there are that count against the limits."""

    newest: int
    """Number of the newest reply: while it is the same, nothing was queued."""
    to_reader: int
    to_organization: int
    in_the_hour: int


_COPY = (
    sa.select(messages.c.id, messages.c.received_at, messages.c.junk)
    .where(
        sa.or_(
            messages.c.sha256 == sa.bindparam("sha256"),
            messages.c.fingerprint == sa.bindparam("fingerprint"),
        ),
        messages.c.id != sa.bindparam("this"),
        messages.c.outcome.is_not(None),
        messages.c.outcome != Outcome.IGNORED.value,
    )
    .order_by(messages.c.junk, messages.c.received_at, messages.c.id)
    .limit(1)
)
_CONTRIBUTIONS = sa.select(messages.c.contribution).where(
    messages.c.organization == sa.bindparam("organization"), messages.c.contribution.is_not(None)
)


def _of(which: sa.ColumnElement[bool]) -> sa.Select[tuple[str, str]]:
    return (
        sa.select(organizations.c.name, organizations.c.track)
        .distinct()
        .join(messages, messages.c.organization == organizations.c.name)
        .where(which, messages.c.contribution.is_not(None))
        .limit(2)
    )


_VALUES: sa.BindParameter[list[str]] = sa.bindparam("values", expanding=True)
_OF_THREAD = _of(messages.c.id.in_(sa.select(replies.c.message).where(replies.c.message_id.in_(_VALUES))))
_OF_SENDERS = _of(messages.c.sender.in_(_VALUES))


def _count(*which: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    return sa.select(sa.func.count()).select_from(replies).where(*which).scalar_subquery()


_TODAY = replies.c.queued_at >= sa.bindparam("day", type_=UtcTime)
_QUEUED = sa.select(
    sa.func.coalesce(sa.select(sa.func.max(replies.c.id)).scalar_subquery(), 0).label("newest"),
    _count(_TODAY, replies.c.recipient == sa.bindparam("recipient")).label("to_reader"),
    _count(_TODAY, replies.c.organization == sa.bindparam("organization")).label("to_organization"),
    _count(replies.c.queued_at >= sa.bindparam("hour", type_=UtcTime)).label("in_the_hour"),
)


class Decisions(Database):
    """The part of the store that the intake reads and writes."""

    def find_copy(self, message: StoredMessage, fingerprint: str) -> Copy | None:
        """The decided row of the same mail: the same octets, or the same words with other servers' marks on them."""
        same = {"sha256": message.sha256 or None, "fingerprint": fingerprint or None}
        with self.reading() as connection:
            row = connection.execute(_COPY, {**same, "this": message.id}).first()
        return Copy(**row._mapping) if row else None

    def contributions(self, organization: str) -> tuple[Contribution, ...]:
        """What the organization's mails have contributed so far."""
        with self.reading() as connection:
            rows = connection.execute(_CONTRIBUTIONS, {"organization": organization})
            return tuple(_contribution.decode(text) for text in rows.scalars())

    def learned_organization(self, senders: Sequence[str], references: Sequence[str]) -> Organization | None:
        """The one organization that the thread, or else all earlier mails of these senders, belong to."""
        for which, values in ((_OF_THREAD, [r for r in references if r]), (_OF_SENDERS, list(senders))):
            found = self._organizations(which, values) if values else []
            if found:
                return found[0] if len(found) == 1 else None
        return None

    def _organizations(self, which: sa.Select[tuple[str, str]], values: Sequence[str]) -> list[Organization]:
        with self.reading() as connection:
            rows = connection.execute(which, {"values": values})
            return [Organization(name=row.name, track=Track(row.track)) for row in rows]

    def replies_queued(
        self, recipient: str, organization: str | None, *, day: datetime, hour: datetime
    ) -> RepliesQueued:
        """How far the outbox is filled, in one look: `day` and `hour` are when these begin."""
        rows = {"recipient": recipient, "organization": organization, "day": day, "hour": hour}
        with self.reading() as connection:
            return RepliesQueued(**connection.execute(_QUEUED, rows).one()._mapping)

    def record_decisions(self, batch: Sequence[Settled]) -> None:
        """All of these decisions in one transaction. Raises AlreadyDecidedError, and then none is recorded."""
        if not batch:
            return
        with self.writing() as connection:
            chain = Chain(connection, batch[-1].decided_at)
            for settled in batch:
                _record(connection, chain, settled)
            chain.write()


_DECIDE = sa.update(messages).where(messages.c.id == sa.bindparam("this"), messages.c.outcome.is_(None))
_DECIDE_ANEW = sa.update(messages).where(messages.c.id == sa.bindparam("this"), messages.c.anew.is_not(None))
_PUT_VERSIONS = sa.update(organizations).where(organizations.c.name == sa.bindparam("this"))
_INSERT_ORGANIZATION, _INSERT_REPLY = sa.insert(organizations), sa.insert(replies)
_IS_THIS_LETTER = (
    replies.c.message_id == sa.bindparam("letter"),
    sa.or_(replies.c.message == sa.bindparam("this"), replies.c.message == sa.bindparam("old")),
)
_THIS_LETTER = sa.select(replies.c.id).where(*_IS_THIS_LETTER)
_WRITE_ANEW = sa.update(replies).where(*_IS_THIS_LETTER, replies.c.state.in_(_NOT_LEFT))


def _record(connection: Connection, chain: Chain, settled: Settled) -> None:
    decision, anew = settled.decision, settled.anew
    updated = connection.execute(
        _DECIDE if anew is None else _DECIDE_ANEW,
        {
            **_values(settled),
            "anew": ruled_since(connection, settled.message, anew),
            "this": settled.message,
        },
    )
    if updated.rowcount != 1:
        raise AlreadyDecidedError(f"message {settled.message} has its decision")
    if settled.supersedes is not None:
        _supersede(connection, chain, settled.supersedes, settled.message)
    for other in _copies(settled):
        _forget_wrong_mailbox(connection, settled.message, other)
    if anew is not None and anew.left is not None:
        leave(connection, settled.message, anew.left)
    if decision.organization is not None:
        _put_versions(connection, settled, decision.organization)
    chain.append(
        "decided",
        {
            "message": settled.message,
            "outcome": decision.outcome.value,
            "organization": decision.organization.name if decision.organization else None,
            "findings": [_ledger_finding(f.code, f.item) for f in decision.findings],
            "total": _plain(settled.assessment),
        },
    )
    if anew is not None:
        drop_superseded(connection, chain, settled.message, decision.reply)
    for reply in settled.replies:
        _queue(connection, chain, settled, reply)


def _gives_way(settled: Settled, reply: NewReply) -> bool:
    """Whether a letter of the same Message-ID that has not left is to be written anew: where a person decided so."""
    ordered = settled.anew is not None and settled.anew.ordered
    return ordered and reply.kind is not ReplyKind.RECEIPT


def _plain(assessment: Assessment | None) -> str | None:
    return None if assessment is None or assessment.total is None else str(assessment.total)


def _ledger_finding(code: Code, item: int | None) -> str:
    return code.value if item is None else f"{code.value}#{item}"


def _values(settled: Settled) -> dict[str, object]:
    head, decision = settled.head, settled.decision
    return {
        "outcome": decision.outcome.value,
        "decided_at": settled.decided_at,
        "retry_at": None,
        "fingerprint": head.fingerprint,
        "message_id": head.message_id,
        "sender": head.from_[0].address.lower() if head.from_ else "",
        "subject": head.subject,
        "text": head.text[:_LONGEST_TEXT],
        "header_received": head.received,
        "header_date": head.date,
        "organization": decision.organization.name if decision.organization else None,
        "assessment": _json(settled.assessment),
        "contribution": _json(decision.contribution),
        "findings": _json(decision.findings),
        "documents": _json([_document(document) for document in settled.documents]),
    }


def _document(document: DocumentReading) -> DocumentRecord:
    return DocumentRecord(
        filename=document.filename,
        format=document.format,
        role=document.role,
        sha256=document.sha256,
        size=document.size,
        container=document.container,
    )


def _json(value: object) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _copies(settled: Settled) -> Iterator[int]:
    """The other row of the same mail: the one it is a copy of, or the one that counts no longer."""
    yield from (int(f.found) for f in settled.decision.findings if f.code is Code.MESSAGE_DUPLICATE)
    if settled.supersedes is not None:
        yield settled.supersedes


def _forget_wrong_mailbox(connection: Connection, one: int, other: int) -> None:
    """The same mail in both mailboxes is in no wrong one."""
    rows = connection.execute(
        sa.select(messages.c.id, messages.c.mailbox, messages.c.findings).where(
            messages.c.id.in_((one, other))
        )
    ).all()
    if len({row.mailbox for row in rows}) < 2:
        return
    for row in rows:
        noticed = _findings.decode(row.findings or "[]")
        kept = tuple(f for f in noticed if f.code is not Code.DELIVERY_WRONG_MAILBOX)
        if kept != noticed:
            connection.execute(
                sa.update(messages).where(messages.c.id == row.id).values(findings=_json(kept))
            )


def _supersede(connection: Connection, chain: Chain, old: int, new: int) -> None:
    """The copy received later no longer counts; what was answered on its account stays with it."""
    connection.execute(sa.update(rulings).where(rulings.c.message == old).values(message=new))
    chain.append("superseded", {"message": old, "by": new})
    connection.execute(
        sa.update(messages)
        .where(messages.c.id == old)
        .values(
            outcome=Outcome.IGNORED.value,
            contribution=None,
            findings=_json((finding(Code.MESSAGE_DUPLICATE, found=str(new)),)),
        )
    )


def _put_versions(connection: Connection, settled: Settled, organization: Organization) -> None:
    """The organization as it stands; a mail that contributes nothing changes nothing of one that is known."""
    values = {"track": organization.track.value, "versions": _json(settled.decision.versions)}
    this = organizations.c.name == organization.name
    if settled.anew is not None:
        known = change_versions(connection, settled.message, organization.name, **values)
    elif settled.decision.contribution is None and settled.supersedes is None:
        known = connection.execute(sa.select(sa.func.count()).where(this)).scalar_one()
    else:
        known = connection.execute(_PUT_VERSIONS, {**values, "this": organization.name}).rowcount
    if not known:
        connection.execute(_INSERT_ORGANIZATION, {**values, "name": organization.name, "note": ""})


def _queue(connection: Connection, chain: Chain, settled: Settled, reply: NewReply) -> None:
    """Into the outbox, unless there is this letter already: it goes once."""
    organization = settled.decision.organization
    values = {
        "message": settled.message,
        "mailbox": reply.mailbox,
        "kind": reply.kind.value,
        "recipient": reply.to,
        "organization": organization.name if organization else None,
        "message_id": reply.message_id,
        "subject": reply.subject,
        "octets": reply.octets,
        "state": reply.state.value,
        "queued_at": settled.decided_at,
        "attempts": 0,
        "next_attempt_at": None,
        "error": reply.note,
        "dropped": "",
    }
    this = {"letter": reply.message_id, "this": settled.message, "old": settled.supersedes}
    if connection.execute(_THIS_LETTER, this).first() is None:
        connection.execute(_INSERT_REPLY, values)
    elif not _gives_way(settled, reply) or not connection.execute(_WRITE_ANEW, {**this, **values}).rowcount:
        return
    chain.append(
        reply.state.value,
        {"message": settled.message, "reply": reply.message_id, "kind": reply.kind.value, "to": reply.to},
    )
