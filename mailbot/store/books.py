"""What `mailbot verify` proves things from: the books of the folders, the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mailbot.store.database import BATCH, Database
from mailbot.store.ledger import Entry
from mailbot.store.tables import ledger, messages, skipped

_Place = tuple[str, str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """One folder under one UIDVALIDITY: each UID that was seen is a row, or was skipped for a named reason."""

    mailbox: str
    folder: str
    uidvalidity: int
    rows: dict[int, int]
    """Row number by UID."""
    skipped: dict[int, str]
    """Reason by UID."""


class Books(Database):
    """The part of the store that the proof reads."""

    def ledger(self) -> Iterator[Entry]:
        """The chain, from its first link."""
        last = 0
        with self.reading() as connection:
            while True:
                rows = connection.execute(
                    sa.select(ledger).where(ledger.c.seq > last).order_by(ledger.c.seq).limit(BATCH)
                ).all()
                if not rows:
                    return
                last = rows[-1].seq
                yield from (Entry(**row._mapping) for row in rows)

    def books(self) -> tuple[Book, ...]:
        """What became of every UID that the server has shown, folder by folder."""
        with self.reading() as connection:
            kept = _uids(connection, messages, messages.c.id)
            passed = _uids(connection, skipped, skipped.c.reason)
        return tuple(
            Book(
                mailbox=place[0],
                folder=place[1],
                uidvalidity=place[2],
                rows=dict(kept.get(place, ())),
                skipped=dict(passed.get(place, ())),
            )
            for place in sorted({*kept, *passed})
        )


def _uids(connection: Connection, table: sa.Table, column: sa.ColumnElement[Any]) -> dict[_Place, list[Any]]:
    found: dict[_Place, list[Any]] = {}
    place = (table.c.mailbox, table.c.folder, table.c.uidvalidity)
    for row in connection.execute(sa.select(*place, table.c.uid, column).order_by(*place, table.c.uid)):
        found.setdefault(tuple(row)[:3], []).append(tuple(row)[3:])
    return found
