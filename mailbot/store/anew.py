"""Within the transaction of a decision that takes the place of an earlier one: what else changes on account of it."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mailbot.model import Outcome, ReplyKind, ReplyState, Version
from mailbot.records import SUPERSEDED, Anew
from mailbot.store.database import Chain
from mailbot.store.history import DROPPED
from mailbot.store.tables import messages, organizations, replies, rulings


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """The organization that a message no longer belongs to, as it stands without it."""

    organization: str
    versions: tuple[Version, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedAnew:
    """What comes with a decision that takes the place of an earlier one."""

    rulings: int
    """How many rulings it knows of: a newer one asks for another decision."""
    ordered: bool
    """Whether a person spoke on this very message."""
    left: Left | None = None


def ruled_since(connection: Connection, message: int, anew: DecidedAnew) -> str | None:
    """Whether a person has spoken since the decision was made: then it is to be made anew once more."""
    given = connection.execute(sa.select(sa.func.count()).where(rulings.c.message == message)).scalar_one()
    return Anew.RULED.value if given > anew.rulings else None


def leave(connection: Connection, message: int, left: Left) -> None:
    """The organization without the message; one that only this message had named is forgotten."""
    this = organizations.c.name == left.organization
    others = connection.execute(
        sa.select(sa.func.count()).where(
            messages.c.organization == left.organization, messages.c.outcome != Outcome.IGNORED.value
        )
    ).scalar_one()
    from_staff = sa.or_(
        organizations.c.paper_received.is_not(None),
        organizations.c.staff_points.is_not(None),
        organizations.c.note != "",
    )
    if not others:
        connection.execute(sa.delete(organizations).where(this, sa.not_(from_staff)))
    change_versions(
        connection, message, left.organization, versions=msgspec.json.encode(left.versions).decode()
    )


def change_versions(connection: Connection, message: int, name: str, **values: object) -> int:
    """Put another state; what waits for a person only because of the state before is decided anew."""
    this = organizations.c.name == name
    before = connection.execute(sa.select(organizations.c.versions).where(this)).scalar()
    if before != values["versions"]:
        connection.execute(
            sa.update(messages)
            .where(
                messages.c.organization == name,
                messages.c.id != message,
                messages.c.outcome == Outcome.REVIEW.value,
                messages.c.contribution.is_not(None),
                messages.c.anew.is_(None),
            )
            .values(anew=Anew.FOLLOWS.value)
        )
    return connection.execute(sa.update(organizations).where(this).values(**values)).rowcount


def drop_superseded(connection: Connection, chain: Chain, message: int, kind: ReplyKind | None) -> None:
    """Letters on the earlier decision that have not left yet are not to go any more."""
    waiting = connection.execute(
        sa.select(replies.c.id, replies.c.message_id).where(
            replies.c.message == message,
            replies.c.state.in_((ReplyState.QUEUED.value, ReplyState.HELD.value)),
            replies.c.kind != (kind.value if kind else ""),
            replies.c.dropped == "",
        )
    ).all()
    for reply in waiting:
        connection.execute(
            sa.update(replies)
            .where(replies.c.id == reply.id)
            .values(state=ReplyState.HELD.value, dropped=SUPERSEDED)
        )
        chain.append(DROPPED, {"reply": reply.message_id, "why": SUPERSEDED})
