"""The outbox's rows: each reply's state, changed only from the state it was known to be in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Row

from mailbot.model import ReplyKind, ReplyState
from mailbot.records import ReplyRecord
from mailbot.store.database import Chain, Database
from mailbot.store.tables import messages, replies


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How an attempt to send one reply ended."""

    reply: int
    state: ReplyState
    error: str = ""
    next_attempt_at: datetime | None = None


class Replies(Database):
    """The part of the store that the outboxes read and write."""

    def due_replies(self, mailbox: str, *, now: datetime, limit: int) -> tuple[ReplyRecord, ...]:
        """Queued replies of that mailbox whose time has come, in the order in which their mails were received."""
        due = sa.or_(replies.c.next_attempt_at.is_(None), replies.c.next_attempt_at <= now)
        return self._replies(
            sa.and_(replies.c.mailbox == mailbox, replies.c.state == ReplyState.QUEUED.value, due), limit
        )

    def replies_in(self, *states: ReplyState) -> tuple[ReplyRecord, ...]:
        """All replies in these states."""
        return self._replies(replies.c.state.in_([state.value for state in states]), None)

    def _replies(self, which: sa.ColumnElement[bool], limit: int | None) -> tuple[ReplyRecord, ...]:
        with self.reading() as connection:
            rows = connection.execute(
                sa.select(*REPLY_COLUMNS)
                .join(messages, messages.c.id == replies.c.message)
                .where(which)
                .order_by(messages.c.received_at, replies.c.id)
                .limit(limit)
            )
            return tuple(reply_record(row) for row in rows)

    def reply_octets(self, reply: int) -> bytes:
        """The composed mail."""
        with self.reading() as connection:
            return bytes(
                connection.execute(sa.select(replies.c.octets).where(replies.c.id == reply)).scalar_one()
            )

    def begin_sending(self, ids: Sequence[int], *, at: datetime) -> tuple[int, ...]:
        """Mark queued replies as being sent; returns those that were still queued. Before the first byte leaves."""
        claimed: list[int] = []
        with self.writing() as connection:
            chain = Chain(connection, at)
            for number in ids:
                updated = connection.execute(
                    sa.update(replies)
                    .where(replies.c.id == number, replies.c.state == ReplyState.QUEUED.value)
                    .values(state=ReplyState.SENDING.value)
                )
                if updated.rowcount:
                    claimed.append(number)
                    chain.append(ReplyState.SENDING.value, {"reply": self._message_id(connection, number)})
            chain.write()
        return tuple(claimed)

    def settle_replies(self, settlements: Sequence[Settlement], *, at: datetime) -> None:
        """Write down how attempts ended."""
        if not settlements:
            return
        with self.writing() as connection:
            chain = Chain(connection, at)
            for one in settlements:
                delivered = one.state in (ReplyState.SENT, ReplyState.DRAFTED)
                connection.execute(
                    sa.update(replies)
                    .where(replies.c.id == one.reply)
                    .values(
                        state=one.state.value,
                        error=one.error[:1000],
                        next_attempt_at=one.next_attempt_at,
                        attempts=replies.c.attempts + 1,
                        sent_at=at if delivered else None,
                    )
                )
                payload = {"reply": self._message_id(connection, one.reply), "error": one.error[:1000]}
                chain.append(one.state.value, payload)
            chain.write()

    @staticmethod
    def _message_id(connection: sa.Connection, number: int) -> str:
        return str(
            connection.execute(sa.select(replies.c.message_id).where(replies.c.id == number)).scalar_one()
        )

    def earlier_replies(self, organization: str) -> tuple[ReplyRecord, ...]:
        """All replies to that organization, oldest first."""
        return self._replies(replies.c.organization == organization, None)


REPLY_COLUMNS = tuple(column for column in replies.c if column.name != "octets")


def reply_record(row: Row[tuple[object, ...]]) -> ReplyRecord:
    """A row of `REPLY_COLUMNS` as a value."""
    values = row._mapping
    return ReplyRecord(
        id=values["id"],
        message=values["message"],
        mailbox=values["mailbox"],
        kind=ReplyKind(values["kind"]),
        to=values["recipient"],
        message_id=values["message_id"],
        subject=values["subject"],
        state=ReplyState(values["state"]),
        queued_at=values["queued_at"],
        attempts=values["attempts"],
        sent_at=values["sent_at"],
        error=values["error"],
    )
