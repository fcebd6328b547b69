"""The outbox's rows: each reply's state, changed only from the state it was known to be in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Row

from mailbot.model import Outcome, ReplyKind, ReplyState
from mailbot.records import STUCK, ReplyRecord
from mailbot.store.database import LONGEST_PAUSE, Chain, Database
from mailbot.store.tables import messages, replies


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How an attempt to send one reply ended."""

    reply: int
    state: ReplyState
    error: str = ""
    next_attempt_at: datetime | None = None
    """Of one that goes back into the queue: when it may be tried again; None where it was not tried."""

    @property
    def tried(self) -> bool:
        """Whether this was an attempt at the reply itself."""
        if self.state is ReplyState.QUEUED:
            return self.next_attempt_at is not None
        return self.state is not ReplyState.HELD


_ANSWERED = (Outcome.REVIEW, Outcome.CORRECTION)
"""What may become of a mail that carries nothing and is answered."""
_NOT_GOING = (ReplyState.HELD, ReplyState.FAILED)


class Replies(Database):
    """The part of the store that the outboxes read and write."""

    def due_replies(self, mailbox: str, *, now: datetime, limit: int) -> tuple[ReplyRecord, ...]:
        """Queued replies of that mailbox whose time has come, in the order in which their mails were received."""
        due = {"mailbox": mailbox, "now": now, "at_most": now + LONGEST_PAUSE, "most": limit}
        with self.reading() as connection:
            return tuple(reply_record(row) for row in connection.execute(_DUE, due))

    def replies_in(self, *states: ReplyState) -> tuple[ReplyRecord, ...]:
        """All replies in these states."""
        with self.reading() as connection:
            rows = connection.execute(_IN_STATES, {"states": [state.value for state in states]})
            return tuple(reply_record(row) for row in rows)

    def begin_sending(
        self, ids: Sequence[int], *, at: datetime, ended: Sequence[Settlement] = ()
    ) -> dict[int, bytes]:
        """Mark queued replies as being sent, before their first byte leaves; those that were still queued, composed.

        How the attempts before these `ended` is written down in the same commit.
        """
        with self.writing() as connection:
            chain = Chain(connection, at)
            _settle(connection, chain, ended, at)
            queued = {row.id: row for row in connection.execute(_QUEUED, {"replies": ids})}
            claimed = {number: bytes(queued[number].octets) for number in ids if number in queued}
            for number in claimed:
                chain.append(ReplyState.SENDING.value, {"reply": queued[number].message_id})
            if claimed:
                connection.execute(_CLAIM, {"replies": list(claimed)})
            chain.write()
        if claimed:
            self.letters_leave(chain)
        return claimed

    def settle_replies(self, settlements: Sequence[Settlement], *, at: datetime) -> None:
        """Write down how attempts ended. What was sent stays sent; what goes back untried counts no attempt."""
        if not settlements:
            return
        with self.writing() as connection:
            chain = Chain(connection, at)
            _settle(connection, chain, settlements, at)
            chain.write()

    def letters_to_words(self, reply: int, *, window: timedelta, after: datetime | None) -> int:
        """How many letters answer mails without a document that came within that time before the mail of this reply, and
        after that moment; what is held, dropped or failed apart."""
        with self.reading() as connection:
            last = connection.execute(
                sa.select(messages.c.received_at)
                .join(replies, replies.c.message == messages.c.id)
                .where(replies.c.id == reply)
            ).scalar_one()
            since = max(last - window, after) if after else last - window
            return connection.execute(
                sa.select(sa.func.count(replies.c.id))
                .join(messages, messages.c.id == replies.c.message)
                .where(
                    messages.c.outcome.in_([each.value for each in _ANSWERED]),
                    messages.c.received_at > since,
                    messages.c.received_at <= last,
                    messages.c.documents == "[]",
                    replies.c.state.not_in([each.value for each in _NOT_GOING]),
                    replies.c.dropped == "",
                )
            ).scalar_one()

    def letters_on(self, message: int) -> tuple[ReplyRecord, ...]:
        """All replies to that mail, to whichever of its copies, oldest first."""
        with self.reading() as connection:
            rows = connection.execute(_OF_THE_MAIL, {"this": message})
            return tuple(reply_record(row) for row in rows)

    def kind_of_letter(self, message_id: str) -> ReplyKind | None:
        """Which of our replies has that Message-ID; None where none has."""
        query = sa.select(replies.c.kind).where(replies.c.message_id == message_id)
        with self.reading() as connection:
            kind = connection.execute(query).scalar()
        return ReplyKind(kind) if kind else None

    def earlier_replies(self, organization: str) -> tuple[ReplyRecord, ...]:
        """All replies to that organization, oldest first."""
        with self.reading() as connection:
            rows = connection.execute(_EARLIER, {"organization": organization})
            return tuple(reply_record(row) for row in rows)


_SETTLE = (
    sa.update(replies)
    .where(replies.c.id == sa.bindparam("reply"))
    .values(
        state=sa.bindparam("state"),
        error=sa.bindparam("error"),
        next_attempt_at=sa.bindparam("next_attempt_at"),
        attempts=replies.c.attempts + sa.bindparam("attempted"),
        sent_at=sa.bindparam("sent_at"),
    )
)
_THESE = replies.c.id.in_(sa.bindparam("replies", expanding=True))
_UNSENT = sa.select(replies.c.id, replies.c.message_id).where(
    _THESE, replies.c.state != ReplyState.SENT.value
)
_QUEUED = sa.select(replies.c.id, replies.c.message_id, replies.c.octets).where(
    _THESE, replies.c.state == ReplyState.QUEUED.value
)
_CLAIM = sa.update(replies).where(_THESE).values(state=ReplyState.SENDING.value)


def _settle(connection: sa.Connection, chain: Chain, ended: Sequence[Settlement], at: datetime) -> None:
    if not ended:
        return
    rows = connection.execute(_UNSENT, {"replies": [one.reply for one in ended]})
    unsent = {row.id: row.message_id for row in rows}
    ended = [one for one in ended if one.reply in unsent]
    for one in ended:
        told = {"reply": unsent[one.reply], "error": one.error[:1000]}
        chain.append(one.state.value, told if one.tried or not one.error else {**told, "tried": False})
    if ended:
        connection.execute(_SETTLE, [_ending(one, at) for one in ended])


def _ending(one: Settlement, at: datetime) -> dict[str, object]:
    return {
        "reply": one.reply,
        "state": one.state.value,
        "error": one.error[:1000],
        "next_attempt_at": one.next_attempt_at,
        "attempted": int(one.tried),
        "sent_at": at if one.state in (ReplyState.SENT, ReplyState.DRAFTED) else None,
    }


def is_stuck() -> sa.ColumnElement[bool]:
    """Replies that do not go on without a person."""
    return sa.and_(replies.c.state.in_([state.value for state in STUCK]), replies.c.dropped == "")


_this = messages.alias("this_one")
TO_THE_MAIL = replies.c.message.in_(
    sa.select(messages.c.id)
    .select_from(_this)
    .join(
        messages,
        sa.or_(
            messages.c.id == _this.c.id,
            sa.and_(messages.c.sha256 == _this.c.sha256, messages.c.sha256 != ""),
            sa.and_(messages.c.fingerprint == _this.c.fingerprint, messages.c.fingerprint != ""),
        ),
    )
    .where(_this.c.id == sa.bindparam("this"))
)
"""Replies to the mail `this`: also those to a copy that counted before, in whose place it was put."""
REPLY_COLUMNS = tuple(column for column in replies.c if column.name != "octets")
_IN_ORDER = (
    sa.select(*REPLY_COLUMNS)
    .join(messages, messages.c.id == replies.c.message)
    .order_by(messages.c.received_at, replies.c.id)
)
_EARLIER = _IN_ORDER.where(replies.c.organization == sa.bindparam("organization"))
_OF_THE_MAIL = sa.select(*REPLY_COLUMNS).where(TO_THE_MAIL).order_by(replies.c.id)
_DUE = _IN_ORDER.where(
    replies.c.mailbox == sa.bindparam("mailbox"),
    replies.c.state == ReplyState.QUEUED.value,
    sa.or_(
        replies.c.next_attempt_at.is_(None),
        replies.c.next_attempt_at <= sa.bindparam("now"),
        replies.c.next_attempt_at > sa.bindparam("at_most"),
    ),
).limit(sa.bindparam("most"))
_IN_STATES = _IN_ORDER.where(replies.c.state.in_(sa.bindparam("states", expanding=True)))


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
        dropped=values["dropped"],
    )
