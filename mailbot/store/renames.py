"""Organizations as the registry has them: one that it has under another name, or in another track, is kept so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mailbot.model import Organization, Track, Version
from mailbot.store.anew import change_versions
from mailbot.store.database import Chain, Database
from mailbot.store.history import RENAMED
from mailbot.store.tables import messages, organizations, reminders, replies

_BY_STAFF = ("paper_received", "paper_sealed", "staff_points", "note")


class Renames(Database):
    """The part of the store that follows the registry."""

    def tracks(self) -> dict[str, Track]:
        """Every organization by its name, with the track in which it is kept."""
        with self.reading() as connection:
            rows = connection.execute(sa.select(organizations.c.name, organizations.c.track))
            return {row.name: Track(row.track) for row in rows}

    def keep_as(
        self, known: str, organization: Organization, versions: Sequence[Version], at: datetime
    ) -> None:
        """Move all that is kept under the name `known` to that organization, with its name and track, and give it these
        versions, which are those of both."""
        with self.writing() as connection:
            if known != organization.name:
                _move(connection, known, organization)
                chain = Chain(connection, at)
                chain.append(RENAMED, {"organization": known, "name": organization.name})
                chain.write()
            standing = msgspec.json.encode(tuple(versions)).decode()
            change_versions(
                connection, 0, organization.name, track=organization.track.value, versions=standing
            )


def _move(connection: Connection, known: str, organization: Organization) -> None:
    """Move mails, letters, reminders and the staff's notes. Where both names have a note, that of the newer name stands."""
    name = organization.name
    for table in (messages, replies):
        this = table.c.organization == known
        connection.execute(sa.update(table).where(this).values(organization=name))
    _move_reminders(connection, known, name)
    rows = {
        row.name: row._mapping
        for row in connection.execute(sa.select(organizations).where(organizations.c.name.in_((known, name))))
    }
    old = rows[known]
    connection.execute(sa.delete(organizations).where(organizations.c.name == known))
    if name not in rows:
        connection.execute(sa.insert(organizations).values({**old, "name": name}))
        return
    noted = {column: rows[name][column] or old[column] for column in _BY_STAFF}
    connection.execute(sa.update(organizations).where(organizations.c.name == name).values(**noted))


def _move_reminders(connection: Connection, known: str, name: str) -> None:
    """To the other name; where that address was written to on that day under both, one stays."""
    there = reminders.alias()
    twice = (
        sa.exists()
        .where(
            there.c.organization == name,
            there.c.recipient == reminders.c.recipient,
            there.c.day == reminders.c.day,
        )
        .correlate(reminders)
    )
    connection.execute(sa.delete(reminders).where(reminders.c.organization == known, twice))
    connection.execute(
        sa.update(reminders).where(reminders.c.organization == known).values(organization=name)
    )
