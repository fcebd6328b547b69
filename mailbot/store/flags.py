"""Small values that are remembered by name."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mailbot.store.database import Database
from mailbot.store.tables import flags


class Flags(Database):
    """The part of the store that remembers small values."""

    def flag(self, name: str) -> str | None:
        """A small remembered value."""
        with self.reading() as connection:
            return _flag(connection, name)

    def set_flag(self, name: str, value: str) -> None:
        """Remember a small value."""
        with self.writing() as connection:
            updated = connection.execute(sa.update(flags).where(flags.c.name == name).values(value=value))
            if not updated.rowcount:
                connection.execute(sa.insert(flags).values(name=name, value=value))

    def first_flag(self, name: str, value: str) -> str:
        """The value that was remembered first under that name; `value`, which then is remembered, where there is none."""
        remembered = self.flag(name)
        if remembered is not None:
            return remembered
        with self.writing() as connection:
            remembered = _flag(connection, name)
            if remembered is None:
                connection.execute(sa.insert(flags).values(name=name, value=value))
        return value if remembered is None else remembered


def _flag(connection: Connection, name: str) -> str | None:
    return connection.execute(sa.select(flags.c.value).where(flags.c.name == name)).scalar()
