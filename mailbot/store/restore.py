"""Puts into a fresh database what the ledger alone knows: receipts, failures, how letters ended, persons' words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from mailbot.errors import MailbotError
from mailbot.model import ReplyState, Ruling, RulingKind, Track
from mailbot.records import PERHAPS_SENT, Anew, StoredMessage
from mailbot.store.database import Chain
from mailbot.store.history import REBUILT, RENAMED, ReceivedFact, ReplyFact
from mailbot.store.ledger import Entry
from mailbot.store.store import StaffEntry, Store
from mailbot.store.tables import folders, ledger, messages, organizations, reminders, replies

_DELIVERED = (ReplyState.SENT.value, ReplyState.DRAFTED.value)


class Restorer:
    """Writes into a store that nobody else uses yet."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def received(self, fact: ReceivedFact, *, junk: bool) -> None:
        """The row of a receipt, and how far its folder was read then."""
        values = {name: getattr(fact, name) for name in _PLACE}
        with self._store.writing() as connection:
            connection.execute(
                sa.insert(messages).values(
                    **values,
                    id=fact.message,
                    sha256=fact.sha256,
                    size=fact.size,
                    received_at=fact.received_at,
                    recorded_at=fact.recorded_at,
                    receipt_hash=fact.hash,
                    junk=junk,
                )
            )
            this = (folders.c.mailbox == fact.mailbox, folders.c.folder == fact.folder)
            row = connection.execute(sa.select(folders).where(*this)).first()
            if row is None:
                connection.execute(
                    sa.insert(folders).values(
                        mailbox=fact.mailbox,
                        folder=fact.folder,
                        uidvalidity=fact.uidvalidity,
                        last_uid=fact.uid,
                    )
                )
            elif row.uidvalidity != fact.uidvalidity or row.last_uid < fact.uid:
                connection.execute(
                    sa.update(folders).where(*this).values(uidvalidity=fact.uidvalidity, last_uid=fact.uid)
                )

    def failed(self, message: int, attempts: int, error: str) -> None:
        """How often processing has failed."""
        with self._store.writing() as connection:
            connection.execute(
                sa.update(messages)
                .where(messages.c.id == message)
                .values(attempts=attempts, last_error=error)
            )

    def stored(self, number: int) -> tuple[StoredMessage, Anew | None]:
        """A row as the intake takes it; with the reason where it has been decided before."""
        names = StoredMessage.__dataclass_fields__
        query = sa.select(*(messages.c[name] for name in names), messages.c.outcome, messages.c.anew).where(
            messages.c.id == number
        )
        with self._store.reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise MailbotError(f"the ledger decides on message {number} before its receipt")
        message = StoredMessage(**{name: row._mapping[name] for name in names})
        if row.outcome is None:
            return message, None
        return message, Anew(row.anew) if row.anew else self._marked(number)

    def _marked(self, number: int) -> Anew:
        with self._store.writing() as connection:
            connection.execute(
                sa.update(messages).where(messages.c.id == number).values(anew=Anew.FOLLOWS.value)
            )
        return Anew.FOLLOWS

    def ruled(self, said: Mapping[str, Any], at: datetime) -> None:
        """A person's decision."""
        ruling = Ruling(
            message=said["message"],
            kind=RulingKind(said["ruling"]),
            by=said["by"],
            why=said["why"],
            at=at,
            organization=said["organization"],
            track=Track(said["track"]) if said["track"] else None,
            sentence=said["sentence"],
        )
        self._store.record_rulings((ruling,))

    def noted(self, said: Mapping[str, Any], at: datetime, track: Track) -> None:
        """What staff noted of an organization; `track` is for one that has not written."""
        received, points = said["paper_received"], said["staff_points"]
        entry = StaffEntry(
            organization=said["organization"],
            track=track,
            paper_received=date.fromisoformat(received) if received else None,
            paper_sealed=said["paper_sealed"],
            staff_points=Decimal(points) if points else None,
            note=said["note"],
        )
        self._store.record_by_staff((entry,), at=at)

    def reminded(self, said: Mapping[str, Any], at: datetime, mailbox: str) -> None:
        """How a reminder ended; one of which nothing was taken is forgotten. `mailbox`: where an old ledger names none."""
        key = {
            "organization": said["organization"],
            "recipient": said["to"],
            "day": date.fromisoformat(said["day"]),
        }
        with self._store.writing() as connection:
            connection.execute(
                sa.delete(reminders).where(*(reminders.c[name] == value for name, value in key.items()))
            )
            if said["state"] != ReplyState.QUEUED.value:
                values = {
                    **key,
                    "mailbox": said.get("mailbox", mailbox),
                    "subject": said.get("subject", ""),
                    "state": said["state"],
                    "at": at,
                    "error": said["error"],
                }
                connection.execute(sa.insert(reminders).values(values))

    def letters(self, facts: Mapping[str, ReplyFact]) -> None:
        """Make the letters those of the ledger, in the states that it tells; delete others, which judging anew wrote."""
        with self._store.writing() as connection:
            known = set(connection.execute(sa.select(replies.c.message_id)).scalars())
            for name in known - facts.keys():
                connection.execute(sa.delete(replies).where(replies.c.message_id == name))
            for name, fact in facts.items():
                values = _letter(fact)
                if name in known:
                    connection.execute(
                        sa.update(replies).where(replies.c.message_id == name).values(**values)
                    )
                    continue
                row = connection.execute(
                    sa.select(messages.c.mailbox, messages.c.organization).where(
                        messages.c.id == fact.message
                    )
                ).one()
                connection.execute(
                    sa.insert(replies).values(
                        **values,
                        mailbox=row.mailbox,
                        organization=row.organization,
                        message_id=name,
                        subject="",
                        octets=b"",
                    )
                )

    def outcome(self, number: int, outcome: str, organization: str | None) -> None:
        """Give a message the outcome that the ledger tells, where judging it today came to another."""
        with self._store.writing() as connection:
            connection.execute(
                sa.update(messages)
                .where(messages.c.id == number)
                .values(outcome=outcome, organization=organization)
            )

    def close(self, entries: Sequence[Entry], at: datetime, renamed: Mapping[str, str]) -> tuple[str, ...]:
        """End the restoration: put the ledger's own entries in place of those that restoring has written, note who was
        `renamed` since, and hold every letter that is queued.

        Whether such a letter has left since the ledger was exported nobody knows: a person decides on it. Returns
        their Message-IDs.
        """
        with self._store.writing() as connection:
            connection.execute(sa.delete(ledger))
            names = ledger.c.keys()
            for start in range(0, len(entries), _AT_ONCE):
                some = entries[start : start + _AT_ONCE]
                connection.execute(
                    sa.insert(ledger), [{name: getattr(e, name) for name in names} for e in some]
                )
            waiting = tuple(
                connection.execute(
                    sa.select(replies.c.message_id).where(replies.c.state == ReplyState.QUEUED.value)
                ).scalars()
            )
            chain = Chain(connection, at)
            for known, name in renamed.items():
                chain.append(RENAMED, {"organization": known, "name": name})
            for name in waiting:
                connection.execute(
                    sa.update(replies)
                    .where(replies.c.message_id == name)
                    .values(state=ReplyState.HELD.value, error=PERHAPS_SENT)
                )
                chain.append(ReplyState.HELD.value, {"reply": name, "error": PERHAPS_SENT})
            chain.write()
        self._store.set_flag(REBUILT, at.isoformat())
        return waiting


_PLACE = ("mailbox", "folder", "uidvalidity", "uid")
_AT_ONCE = 500


def _letter(fact: ReplyFact) -> dict[str, object]:
    return {
        "message": fact.message,
        "kind": fact.kind,
        "recipient": fact.to,
        "state": fact.state,
        "queued_at": fact.queued_at,
        "sent_at": fact.changed_at if fact.state in _DELIVERED else None,
        "attempts": fact.attempts,
        "error": fact.error,
        "dropped": fact.dropped,
    }


def take_over(store: Store, scratch: Store, numbers: Iterable[int], *, at: datetime) -> None:
    """Take the judgement on these messages, and every organization's standing, from another store; no letter is written."""
    columns = [messages.c[name] for name in _JUDGEMENT]
    with scratch.reading() as connection:
        rows = connection.execute(
            sa.select(messages.c.id, *columns).where(messages.c.id.in_(list(numbers))).order_by(messages.c.id)
        ).all()
        standing = connection.execute(
            sa.select(organizations.c.name, organizations.c.track, organizations.c.versions)
        ).all()
    with store.writing() as connection:
        chain = Chain(connection, at)
        for row in rows:
            values = {name: row._mapping[name] for name in _JUDGEMENT}
            connection.execute(
                sa.update(messages).where(messages.c.id == row.id).values(**values, decided_at=at)
            )
            payload = {"message": row.id, "outcome": row.outcome, "organization": row.organization}
            chain.append("rescored", payload)
        for row in standing:
            this = organizations.c.name == row.name
            values = {"track": row.track, "versions": row.versions}
            if not connection.execute(sa.update(organizations).where(this).values(**values)).rowcount:
                connection.execute(sa.insert(organizations).values(name=row.name, note="", **values))
        chain.write()


_JUDGEMENT = ("outcome", "organization", "assessment", "contribution", "findings", "documents", "question")
