"""What was decided: one transaction for decisions, the replies they queue, and their ledger entries."""

from __future__ import annotations

from collections.abc import Sequence
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
    Organization,
    Outcome,
    ReplyKind,
    ReplyState,
    Track,
    Version,
    finding,
)
from mailbot.reading import DocumentReading, MailHead
from mailbot.records import DocumentRecord, StoredMessage
from mailbot.store.database import Chain, Database
from mailbot.store.tables import messages, organizations, replies

_contribution = msgspec.json.Decoder(Contribution)


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


class Decisions(Database):
    """The part of the store that the intake reads and writes."""

    def find_copy(self, message: StoredMessage, fingerprint: str) -> Copy | None:
        """The decided row of the same mail: the same octets, or the same words with other servers' marks on them."""
        same = [messages.c.sha256 == message.sha256] if message.sha256 else []
        if fingerprint:
            same.append(messages.c.fingerprint == fingerprint)
        if not same:
            return None
        with self.reading() as connection:
            row = connection.execute(
                sa.select(messages.c.id, messages.c.received_at, messages.c.junk)
                .where(sa.or_(*same), messages.c.id != message.id)
                .where(messages.c.outcome.is_not(None), messages.c.outcome != Outcome.IGNORED)
                .order_by(messages.c.junk, messages.c.received_at, messages.c.id)
                .limit(1)
            ).first()
        return Copy(**row._mapping) if row else None

    def contributions(self, organization: str) -> tuple[Contribution, ...]:
        """What the organization's mails have contributed so far."""
        with self.reading() as connection:
            rows = connection.execute(
                sa.select(messages.c.contribution).where(
                    messages.c.organization == organization, messages.c.contribution.is_not(None)
                )
            )
            return tuple(_contribution.decode(text) for text in rows.scalars())

    def learned_organization(self, senders: Sequence[str], references: Sequence[str]) -> Organization | None:
        """The one organization that the thread, or else all earlier mails of these senders, belong to."""
        ours = sa.select(replies.c.message).where(replies.c.message_id.in_([r for r in references if r]))
        for which in (messages.c.id.in_(ours), messages.c.sender.in_(senders)):
            found = self._organizations_where(which)
            if found:
                return found[0] if len(found) == 1 else None
        return None

    def _organizations_where(self, which: sa.ColumnElement[bool]) -> list[Organization]:
        with self.reading() as connection:
            rows = connection.execute(
                sa.select(organizations.c.name, organizations.c.track)
                .distinct()
                .join(messages, messages.c.organization == organizations.c.name)
                .where(which, messages.c.contribution.is_not(None))
                .limit(2)
            )
            return [Organization(name=row.name, track=Track(row.track)) for row in rows]

    def replies_since(
        self, since: datetime, *, recipient: str | None = None, organization: str | None = None
    ) -> int:
        """How many replies were queued since then: to that address, to that organization, or altogether."""
        query = sa.select(sa.func.count()).select_from(replies).where(replies.c.queued_at >= since)
        if recipient is not None:
            query = query.where(replies.c.recipient == recipient)
        if organization is not None:
            query = query.where(replies.c.organization == organization)
        with self.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def record_decisions(self, batch: Sequence[Settled]) -> None:
        """All of these decisions in one transaction. Raises AlreadyDecidedError, and then none is recorded."""
        if not batch:
            return
        with self.writing() as connection:
            chain = Chain(connection, batch[-1].decided_at)
            for settled in batch:
                _record(connection, chain, settled)
            chain.write()


def _record(connection: Connection, chain: Chain, settled: Settled) -> None:
    decision = settled.decision
    updated = connection.execute(
        sa.update(messages)
        .where(messages.c.id == settled.message, messages.c.outcome.is_(None))
        .values(**_values(settled))
    )
    if updated.rowcount != 1:
        raise AlreadyDecidedError(f"message {settled.message} has its decision")
    if settled.supersedes is not None:
        _supersede(connection, settled.supersedes, settled.message)
    if decision.organization is not None:
        _put_versions(connection, decision.organization, decision.versions)
    chain.append(
        "decided",
        {
            "message": settled.message,
            "outcome": decision.outcome.value,
            "organization": decision.organization.name if decision.organization else None,
            "findings": [_ledger_finding(f.code, f.item) for f in decision.findings],
            "total": None if settled.assessment is None else str(settled.assessment.total),
        },
    )
    for reply in settled.replies:
        _queue(connection, chain, settled, reply)


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


def _supersede(connection: Connection, old: int, new: int) -> None:
    """The copy received later no longer counts; what was answered on its account stays with it."""
    connection.execute(
        sa.update(messages)
        .where(messages.c.id == old)
        .values(
            outcome=Outcome.IGNORED.value,
            contribution=None,
            findings=_json((finding(Code.MESSAGE_DUPLICATE, found=str(new)),)),
        )
    )


def _put_versions(connection: Connection, organization: Organization, versions: tuple[Version, ...]) -> None:
    values = {"track": organization.track.value, "versions": _json(versions)}
    updated = connection.execute(
        sa.update(organizations).where(organizations.c.name == organization.name).values(**values)
    )
    if not updated.rowcount:
        connection.execute(sa.insert(organizations).values(name=organization.name, note="", **values))


def _queue(connection: Connection, chain: Chain, settled: Settled, reply: NewReply) -> None:
    organization = settled.decision.organization
    connection.execute(
        sa.insert(replies).values(
            message=settled.message,
            mailbox=reply.mailbox,
            kind=reply.kind.value,
            recipient=reply.to,
            organization=organization.name if organization else None,
            message_id=reply.message_id,
            subject=reply.subject,
            octets=reply.octets,
            state=reply.state.value,
            queued_at=settled.decided_at,
            attempts=0,
            error="",
        )
    )
    chain.append(
        reply.state.value,
        {"message": settled.message, "reply": reply.message_id, "kind": reply.kind.value, "to": reply.to},
    )
