"""What persons decide and note down: rulings on messages, replies sent on or dropped, paper copies and points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mailbot.model import ReplyState, Ruling, RulingKind, Track
from mailbot.records import Anew, StoredMessage
from mailbot.store.database import Chain
from mailbot.store.history import DROPPED, dropped_words
from mailbot.store.receipts import Receipts, is_due
from mailbot.store.replies import is_stuck
from mailbot.store.tables import messages, organizations, replies, rulings

_MOST_ANEW = 500
_BY_ITSELF = "mailbot"
"""Who did what no person did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffEntry:
    """What staff note of one organization: the whole of their own columns, as they are to be."""

    organization: str
    track: Track
    paper_received: date | None
    paper_sealed: bool | None
    staff_points: Decimal | None
    note: str


class Rulings(Receipts):
    """The part of the store in which persons write."""

    def record_rulings(self, given: Sequence[Ruling]) -> None:
        """Keep what a person decided, and mark the messages to be decided anew; in one transaction."""
        if not given:
            return
        with self.writing() as connection:
            chain = Chain(connection, given[-1].at)
            for one in given:
                connection.execute(sa.insert(rulings).values(**_columns(one)))
                connection.execute(
                    sa.update(messages)
                    .where(messages.c.id == one.message)
                    .values(anew=Anew.RULED.value, retry_at=None)
                )
                chain.append("ruled", _said(one))
            chain.write()

    def rulings(self, message: int) -> tuple[Ruling, ...]:
        """What persons decided on that message, oldest first."""
        with self.reading() as connection:
            return rulings_of(connection, [message]).get(message, ())

    def to_decide_anew(self, *, now: datetime) -> tuple[tuple[StoredMessage, Anew], ...]:
        """Decided messages that are to be decided once more and whose time has come, those first that were ruled on."""
        due = is_due(now)
        return tuple(
            (message, anew)
            for anew in (Anew.RULED, Anew.FOLLOWS)
            for message in self._waiting(sa.and_(messages.c.anew == anew.value, due), _MOST_ANEW)
        )

    def waits_to_be_decided_anew(self, message: int) -> bool:
        """Whether a person's decision on that message has not been carried out yet."""
        with self.reading() as connection:
            query = sa.select(messages.c.anew).where(messages.c.id == message)
            return connection.execute(query).scalar() is not None

    def send_stuck_reply(
        self, reply: int, *, by: str, why: str, at: datetime, octets: bytes | None = None
    ) -> bool:
        """Queue a stuck reply anew, perhaps with other `octets`; False where it is stuck no longer, or its octets are
        lost."""
        again = _queued_again(at) | ({} if octets is None else {"octets": octets})
        said = (reply, ReplyState.QUEUED.value, by, why)
        with self.writing() as connection:
            stuck = sa.and_(is_stuck(), sa.func.length(replies.c.octets) > 0)
            return _settle(connection, Chain(connection, at), said, stuck, again)

    def write_anew(self, reply: int, octets: bytes, *, at: datetime) -> None:
        """Put these octets in the place of a letter's that is queued still, as if it were queued now."""
        said = (reply, ReplyState.QUEUED.value, _BY_ITSELF, "written anew after the deadline")
        with self.writing() as connection:
            queued = replies.c.state == ReplyState.QUEUED.value
            again = _queued_again(at) | {"octets": octets}
            _settle(connection, Chain(connection, at), said, queued, again)

    def drop_reply(self, reply: int, *, by: str, why: str, at: datetime) -> bool:
        """A stuck reply is not to go any more, its state stays; nor one that is queued, which is held. False where it is
        neither."""
        queued = replies.c.state == ReplyState.QUEUED.value
        state = sa.case((queued, ReplyState.HELD.value), else_=replies.c.state)
        words = {"state": state, "dropped": dropped_words(by, why)}
        with self.writing() as connection:
            waits = sa.or_(is_stuck(), queued)
            return _settle(connection, Chain(connection, at), (reply, DROPPED, by, why), waits, words)

    def record_by_staff(self, entries: Sequence[StaffEntry], *, at: datetime) -> None:
        """Keep what staff note of some organizations, also of those that have not written; in one transaction."""
        if not entries:
            return
        with self.writing() as connection:
            chain = Chain(connection, at)
            for entry in entries:
                _note(connection, chain, entry)
            chain.write()


def _queued_again(at: datetime) -> dict[str, object]:
    queued = ReplyState.QUEUED.value
    return {"state": queued, "queued_at": at, "attempts": 0, "error": "", "next_attempt_at": None}


def _settle(
    connection: Connection,
    chain: Chain,
    said: tuple[int, str, str, str],
    which: sa.ColumnElement[bool],
    values: Mapping[str, object],
) -> bool:
    """Change a reply that is still such a one, and say in the ledger what, by whom and why."""
    reply, kind, by, why = said
    this = (replies.c.id == reply, which)
    name = connection.execute(sa.select(replies.c.message_id).where(*this)).scalar()
    if name is None:
        return False
    connection.execute(sa.update(replies).where(replies.c.id == reply).values(**values))
    chain.append(kind, {"reply": name, "by": by, "why": why})
    chain.write()
    return True


def rulings_of(connection: Connection, numbers: Sequence[int]) -> dict[int, tuple[Ruling, ...]]:
    """The rulings on some messages, oldest first."""
    found: dict[int, tuple[Ruling, ...]] = {}
    query = sa.select(rulings).where(rulings.c.message.in_(numbers)).order_by(rulings.c.id)
    for row in connection.execute(query):
        one = Ruling(
            message=row.message,
            kind=RulingKind(row.kind),
            by=row.ruled_by,
            why=row.why,
            at=row.at,
            organization=row.organization,
            track=Track(row.track) if row.track else None,
            sentence=row.sentence,
        )
        found[row.message] = (*found.get(row.message, ()), one)
    return found


def _columns(one: Ruling) -> dict[str, object]:
    return {
        "message": one.message,
        "kind": one.kind.value,
        "ruled_by": one.by,
        "why": one.why,
        "at": one.at,
        "organization": one.organization,
        "track": one.track.value if one.track else None,
        "sentence": one.sentence,
    }


def _said(one: Ruling) -> dict[str, object]:
    return {
        "message": one.message,
        "ruling": one.kind.value,
        "by": one.by,
        "why": one.why,
        "organization": one.organization,
        "track": one.track.value if one.track else None,
        "sentence": one.sentence,
    }


def _note(connection: Connection, chain: Chain, entry: StaffEntry) -> None:
    points = None if entry.staff_points is None else str(entry.staff_points)
    values = {
        "paper_received": entry.paper_received,
        "paper_sealed": entry.paper_sealed,
        "staff_points": points,
        "note": entry.note,
    }
    this = organizations.c.name == entry.organization
    if not connection.execute(sa.update(organizations).where(this).values(**values)).rowcount:
        connection.execute(
            sa.insert(organizations).values(name=entry.organization, track=entry.track.value, **values)
        )
    received = entry.paper_received.isoformat() if entry.paper_received else None
    chain.append("noted", {"organization": entry.organization, **values, "paper_received": received})
