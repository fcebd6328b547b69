"""Within the transaction of a decision that takes the place of an earlier one: what else changes on account of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from mailbot.model import Outcome, ReplyKind, ReplyState, Version
from mailbot.records import SUPERSEDED, Anew
from mailbot.store.database import Chain
from mailbot.store.history import DROPPED
from mailbot.store.replies import TO_THE_MAIL
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
    """Take the message out of the organization that it belonged to; one that only it had named is deleted."""
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
    """Give the organization other versions (and other `values`); returns how many rows that changed, 0 or 1.

    Where the versions differ from those before, its other mails that wait for a person are marked to be decided anew:
    what they waited for may be settled by this one.
    """
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


Letter = Row[int, str, str]
"""Number, Message-ID and state of a reply."""
_LETTERS = sa.select(replies.c.id, replies.c.message_id, replies.c.state).where(TO_THE_MAIL)
_OF_THE_KIND = _LETTERS.where(replies.c.kind == sa.bindparam("kind"))
_WAITING = _LETTERS.where(
    replies.c.state.in_((ReplyState.QUEUED.value, ReplyState.HELD.value)),
    replies.c.kind != sa.bindparam("kind"),
    replies.c.dropped == "",
)
_DROP = (
    sa.update(replies)
    .where(replies.c.id == sa.bindparam("reply"), replies.c.dropped == "")
    .values(
        state=sa.case(
            (replies.c.state == ReplyState.QUEUED.value, ReplyState.HELD.value), else_=replies.c.state
        ),
        dropped=SUPERSEDED,
    )
)


def letters_of_the_kind(connection: Connection, message: int, kind: ReplyKind) -> Sequence[Letter]:
    """The letters of one kind on a mail, to whichever of its copies."""
    return connection.execute(_OF_THE_KIND, {"this": message, "kind": kind.value}).all()


def drop_superseded(connection: Connection, chain: Chain, message: int, kind: ReplyKind | None) -> None:
    """Drop the letters on the earlier decision that have not left yet."""
    others = {"this": message, "kind": kind.value if kind else ""}
    drop_letters(connection, chain, connection.execute(_WAITING, others).all())


def drop_letters(connection: Connection, chain: Chain, letters: Iterable[Letter]) -> None:
    """Mark these letters, which have not left, as superseded: they are not sent any more."""
    for letter in letters:
        if connection.execute(_DROP, {"reply": letter.id}).rowcount:
            chain.append(DROPPED, {"reply": letter.message_id, "why": SUPERSEDED})
