"""What came before a mail, asked before its decision: its copies, what its organization and senders sent, the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import sqlalchemy as sa

from mailbot.model import Contribution, Organization, Outcome, Track
from mailbot.records import StoredMessage
from mailbot.store.database import Database
from mailbot.store.tables import UtcTime, messages, organizations, replies, rulings

_contribution = msgspec.json.Decoder(Contribution)
_MOST_LEARNED = 9
"""Organizations that are looked up for one thread or sender: two are one too many to tell who writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """An earlier row of the same mail that has been decided and counts."""

    id: int
    received_at: datetime
    junk: bool


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
        sa.or_(
            messages.c.outcome != Outcome.IGNORED.value,
            sa.exists().where(rulings.c.message == messages.c.id),
        ),
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
        .limit(_MOST_LEARNED)
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


_NAMELESS = sa.select(messages.c.contribution).where(
    messages.c.sender.in_(_VALUES),
    messages.c.organization.is_(None),
    messages.c.contribution.is_not(None),
    messages.c.outcome == Outcome.CORRECTION.value,
)


class Earlier(Database):
    """The part of the store that the intake reads."""

    def find_copy(self, message: StoredMessage, fingerprint: str) -> Copy | None:
        """The decided row of the same mail: the same octets, or the same words with other servers' marks on them; also one
        that was ignored by a person's word, which holds for every copy."""
        same = {"sha256": message.sha256 or None, "fingerprint": fingerprint or None}
        with self.reading() as connection:
            row = connection.execute(_COPY, {**same, "this": message.id}).first()
        return Copy(**row._mapping) if row else None

    def contributions(self, organization: str) -> tuple[Contribution, ...]:
        """What the organization's mails have contributed so far."""
        with self.reading() as connection:
            rows = connection.execute(_CONTRIBUTIONS, {"organization": organization})
            return tuple(_contribution.decode(text) for text in rows.scalars())

    def nameless_contributions(self, senders: Sequence[str]) -> tuple[Contribution, ...]:
        """What these senders' mails brought that named no organization: they were asked by letter for the name."""
        with self.reading() as connection:
            rows = connection.execute(_NAMELESS, {"values": list(senders)})
            return tuple(_contribution.decode(text) for text in rows.scalars())

    def learned_organization(self, senders: Sequence[str], references: Sequence[str]) -> Organization | None:
        """The organization that the thread belongs to, or else all earlier mails of these senders; None where it is
        not exactly one."""
        for which, values in ((_OF_THREAD, [r for r in references if r]), (_OF_SENDERS, list(senders))):
            found = self._organizations(which, values) if values else []
            if found:
                return found[0] if len(found) == 1 else None
        return None

    def organizations_of(self, senders: Sequence[str]) -> tuple[Organization, ...]:
        """The organizations that earlier mails of these senders counted for, at most `_MOST_LEARNED` of them."""
        return tuple(self._organizations(_OF_SENDERS, senders)) if senders else ()

    def _organizations(self, which: sa.Select[tuple[str, str]], values: Sequence[str]) -> list[Organization]:
        with self.reading() as connection:
            rows = connection.execute(which, {"values": list(values)})
            return [Organization(name=row.name, track=Track(row.track)) for row in rows]

    def replies_queued(
        self, recipient: str, organization: str | None, *, day: datetime, hour: datetime
    ) -> RepliesQueued:
        """How far the outbox is filled, in one look: `day` and `hour` are when these begin."""
        rows = {"recipient": recipient, "organization": organization, "day": day, "hour": hour}
        with self.reading() as connection:
            return RepliesQueued(**connection.execute(_QUEUED, rows).one()._mapping)
