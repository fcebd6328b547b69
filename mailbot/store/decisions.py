"""What was decided: one transaction for decisions, the replies they queue, and their ledger entries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mailbot.errors import MailbotError
from mailbot.model import (
    Assessment,
    Code,
    Decision,
    Organization,
    Outcome,
    ReplyKind,
    ReplyState,
    finding,
)
from mailbot.reading import DocumentReading, MailHead
from mailbot.records import DocumentRecord
from mailbot.store.anew import (
    DecidedAnew,
    change_versions,
    drop_letters,
    drop_superseded,
    leave,
    letters_of_the_kind,
    ruled_since,
)
from mailbot.store.database import Chain, Database
from mailbot.store.tables import FINDINGS, messages, organizations, replies, rulings

_NOT_LEFT = (ReplyState.QUEUED.value, ReplyState.HELD.value, ReplyState.FAILED.value)
_LONGEST_TEXT = 500
"""How much of a mail's own words is kept beside it; the rest is in the archive."""


class AlreadyDecidedError(MailbotError):
    """The message has its decision; it gets no second one."""


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
    takes_in: tuple[int, ...] = ()
    """Messages of the same sender that belonged to nobody until this one named the organization."""
    supersedes: int | None = None
    """A copy decided before and received later: it becomes the duplicate, its replies stay."""
    anew: DecidedAnew | None = None
    """Set where the message has been decided before."""


class Decisions(Database):
    """The part of the store that the intake writes."""

    def record_decisions(self, batch: Sequence[Settled]) -> None:
        """All of these decisions in one transaction. Raises AlreadyDecidedError, and then none is recorded."""
        if not batch:
            return
        with self.writing() as connection:
            chain = Chain(connection, batch[-1].decided_at)
            for anew, some in groupby(batch, lambda settled: settled.anew):
                if anew is None:
                    _record(connection, chain, [*some])
                else:
                    for settled in some:
                        _record_anew(connection, chain, settled, anew)
            chain.write()


_TAKE_IN = sa.update(messages).where(messages.c.id == sa.bindparam("this"))
_DECIDE = sa.update(messages).where(messages.c.id == sa.bindparam("this"), messages.c.outcome.is_(None))
_DECIDE_ANEW = sa.update(messages).where(messages.c.id == sa.bindparam("this"), messages.c.anew.is_not(None))
_PUT_VERSIONS = sa.update(organizations).where(organizations.c.name == sa.bindparam("this"))
_KNOWN = sa.select(organizations.c.name).where(
    organizations.c.name.in_(sa.bindparam("names", expanding=True))
)
_LETTERS = sa.select(replies.c.message, replies.c.kind).where(
    replies.c.message.in_(sa.bindparam("messages", expanding=True))
)
_INSERT_ORGANIZATION, _INSERT_REPLY = sa.insert(organizations), sa.insert(replies)
_WRITE_ANEW = sa.update(replies).where(replies.c.message_id == sa.bindparam("letter"))


def _record(connection: Connection, chain: Chain, batch: Sequence[Settled]) -> None:
    """First decisions, by one statement of each kind for all of them."""
    rows = [{**_values(settled), "anew": None, "this": settled.message} for settled in batch]
    if connection.execute(_DECIDE, rows).rowcount != len(rows):
        raise AlreadyDecidedError(f"one of the messages {[s.message for s in batch]} has its decision")
    _put_versions(connection, batch)
    superseded = [settled.supersedes for settled in batch if settled.supersedes is not None]
    had = {tuple(row) for row in connection.execute(_LETTERS, {"messages": superseded})} if superseded else ()
    new: list[dict[str, object]] = []
    for settled in batch:
        _settle_copies(connection, chain, settled)
        chain.append("decided", _decided(settled))
        _take_in(connection, chain, settled)
        for reply in settled.replies:
            if (settled.supersedes, reply.kind.value) not in had:
                new.append(_letter(settled, reply))
                chain.append(reply.state.value, _queued(settled, reply))
    if new:
        connection.execute(_INSERT_REPLY, new)


def _take_in(connection: Connection, chain: Chain, settled: Settled) -> None:
    if settled.takes_in and settled.decision.organization is not None:
        name = settled.decision.organization.name
        rows = [{"this": number, "organization": name} for number in settled.takes_in]
        connection.execute(_TAKE_IN, rows)
        for number in settled.takes_in:
            chain.append("taken_in", {"message": number, "organization": name, "by": settled.message})


def _settle_copies(connection: Connection, chain: Chain, settled: Settled) -> None:
    if settled.supersedes is not None:
        _supersede(connection, chain, settled.supersedes, settled.message)
    for other in _copies(settled):
        _forget_wrong_mailbox(connection, settled.message, other)


def _put_versions(connection: Connection, batch: Sequence[Settled]) -> None:
    """Write the organizations' new versions. A mail that contributes nothing leaves a known organization as it is."""
    named = [(s.decision.organization, s) for s in batch if s.decision.organization is not None]
    if not named:
        return
    names = [organization.name for organization, _ in named]
    known = set(connection.execute(_KNOWN, {"names": names}).scalars())
    new: dict[str, dict[str, object]] = {}
    changed: list[dict[str, object]] = []
    for organization, settled in named:
        changes = settled.decision.contribution is not None or settled.supersedes is not None
        values = _standing(organization, settled)
        if organization.name in known:
            changed += [{**values, "this": organization.name}] if changes else []
        elif changes or organization.name not in new:
            new[organization.name] = {**values, "name": organization.name, "note": ""}
    if new:
        connection.execute(_INSERT_ORGANIZATION, list(new.values()))
    if changed:
        connection.execute(_PUT_VERSIONS, changed)


def _standing(organization: Organization, settled: Settled) -> dict[str, object]:
    return {"track": organization.track.value, "versions": _json(settled.decision.versions)}


def _record_anew(connection: Connection, chain: Chain, settled: Settled, anew: DecidedAnew) -> None:
    decision = settled.decision
    again = ruled_since(connection, settled.message, anew)
    values = {**_values(settled), "anew": again, "this": settled.message}
    if connection.execute(_DECIDE_ANEW, values).rowcount != 1:
        raise AlreadyDecidedError(f"message {settled.message} has its decision")
    _settle_copies(connection, chain, settled)
    if anew.left is not None:
        leave(connection, settled.message, anew.left)
    if decision.organization is not None:
        name, standing = decision.organization.name, _standing(decision.organization, settled)
        if not change_versions(connection, settled.message, name, **standing):
            connection.execute(_INSERT_ORGANIZATION, {**standing, "name": name, "note": ""})
    chain.append("decided", _decided(settled))
    drop_superseded(connection, chain, settled.message, decision.reply)
    for reply in settled.replies:
        _queue_anew(connection, chain, settled, reply, anew)


def _decided(settled: Settled) -> dict[str, object]:
    """What the ledger says of a decision."""
    decision = settled.decision
    return {
        "message": settled.message,
        "outcome": decision.outcome.value,
        "organization": decision.organization.name if decision.organization else None,
        "findings": [_ledger_finding(f.code, f.item) for f in decision.findings],
        "total": _plain(settled.assessment),
    }


def _queued(settled: Settled, reply: NewReply) -> dict[str, object]:
    """What the ledger says of a letter."""
    return {
        "message": settled.message,
        "reply": reply.message_id,
        "kind": reply.kind.value,
        "to": reply.to,
    }


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
        "question": head.question.words if head.question else "",
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
    """The rows of other copies of the mail: the one that it duplicates, and the one that it takes the place of."""
    yield from (int(f.found) for f in settled.decision.findings if f.code is Code.MESSAGE_DUPLICATE)
    if settled.supersedes is not None:
        yield settled.supersedes


def _forget_wrong_mailbox(connection: Connection, one: int, other: int) -> None:
    """Take the finding that a mail came to the wrong mailbox off both its copies, where it came to both mailboxes."""
    rows = connection.execute(
        sa.select(messages.c.id, messages.c.mailbox, messages.c.findings).where(
            messages.c.id.in_((one, other))
        )
    ).all()
    if len({row.mailbox for row in rows}) < 2:
        return
    for row in rows:
        noticed = FINDINGS.decode(row.findings or "[]")
        kept = tuple(f for f in noticed if f.code is not Code.DELIVERY_WRONG_MAILBOX)
        if kept != noticed:
            connection.execute(
                sa.update(messages).where(messages.c.id == row.id).values(findings=_json(kept))
            )


def _supersede(connection: Connection, chain: Chain, old: int, new: int) -> None:
    """Make the copy `old`, which was decided before but received later, the duplicate of `new`.

    Its replies stay with it. A person's rulings on it go over to the copy that counts, also one not yet carried out.
    """
    connection.execute(sa.update(rulings).where(rulings.c.message == old).values(message=new))
    anew = connection.execute(sa.select(messages.c.anew).where(messages.c.id == old)).scalar()
    connection.execute(sa.update(messages).where(messages.c.id == new).values(anew=anew))
    chain.append("superseded", {"message": old, "by": new})
    connection.execute(
        sa.update(messages)
        .where(messages.c.id == old)
        .values(
            outcome=Outcome.IGNORED.value,
            anew=None,
            contribution=None,
            findings=_json((finding(Code.MESSAGE_DUPLICATE, found=str(new)),)),
        )
    )


def _queue_anew(
    connection: Connection, chain: Chain, settled: Settled, reply: NewReply, anew: DecidedAnew
) -> None:
    """Queue the reply of a decision that was made anew, unless the mail has a letter of this kind already.

    A person's order replaces such a letter while it has not left: it is written anew under its Message-ID; one to
    another copy of the mail has another Message-ID, and is dropped.
    """
    earlier = letters_of_the_kind(connection, settled.message, reply.kind)
    rewritten = anew.ordered and reply.kind is not ReplyKind.RECEIPT
    if earlier and not (rewritten and all(letter.state in _NOT_LEFT for letter in earlier)):
        return
    drop_letters(connection, chain, [each for each in earlier if each.message_id != reply.message_id])
    values = _letter(settled, reply)
    if not connection.execute(_WRITE_ANEW, {"letter": reply.message_id, **values}).rowcount:
        connection.execute(_INSERT_REPLY, values)
    chain.append(reply.state.value, _queued(settled, reply))


def _letter(settled: Settled, reply: NewReply) -> dict[str, object]:
    organization = settled.decision.organization
    return {
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
