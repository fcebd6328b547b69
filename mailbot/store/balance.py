"""The books of a folder: what the server shows against the rows and what was passed over for a named reason."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import sqlalchemy as sa

from mailbot.store.database import Database
from mailbot.store.tables import flags, messages, skipped

_PREFIX = "books:"
_NAME_LENGTH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """How the books of one folder were closed last."""

    mailbox: str
    folder: str
    uidvalidity: int
    gone: int = 0
    """How many mails that were taken people have moved or deleted since."""
    missing: tuple[int, ...] = ()
    """UIDs that the server shows and that are neither taken nor passed over for a reason."""


_balance = msgspec.json.Decoder(Balance)


class Balances(Database):
    """The part of the store by which each round closes its books."""

    def accounted(self, mailbox: str, folder: str, uidvalidity: int) -> int:
        """How many mails of that folder are accounted for: those with a row, and those that the server refuses so far."""
        refused = sa.and_(skipped.c.reason == "refused", *_place(skipped, mailbox, folder, uidvalidity))
        with self.reading() as connection:
            return sum(
                connection.execute(sa.select(sa.func.count()).select_from(table).where(which)).scalar_one()
                for table, which in (
                    (messages, sa.and_(*_place(messages, mailbox, folder, uidvalidity))),
                    (skipped, refused),
                )
            )

    def accounted_uids(
        self, mailbox: str, folder: str, uidvalidity: int, *, vanished: bool = True
    ) -> frozenset[int]:
        """The UIDs accounted for: with a row, or passed over as refused or (if wanted) as `vanished` during the fetch."""
        passed = _place(skipped, mailbox, folder, uidvalidity)
        if not vanished:
            passed.append(skipped.c.reason != "vanished")
        with self.reading() as connection:
            return frozenset(
                uid
                for table, which in (
                    (messages, _place(messages, mailbox, folder, uidvalidity)),
                    (skipped, passed),
                )
                for uid in connection.execute(sa.select(table.c.uid).where(*which)).scalars()
            )

    def balance(self, mailbox: str, folder: str, uidvalidity: int) -> Balance:
        """How the books were closed last; of another UIDVALIDITY they are of no use."""
        fresh = Balance(mailbox=mailbox, folder=folder, uidvalidity=uidvalidity)
        with self.reading() as connection:
            text = connection.execute(
                sa.select(flags.c.value).where(flags.c.name == _name(mailbox, folder))
            ).scalar()
        known = _balance.decode(text) if text else fresh
        return known if known.uidvalidity == uidvalidity else fresh

    def record_balance(self, balance: Balance) -> None:
        """Close the books of a folder."""
        name, value = _name(balance.mailbox, balance.folder), msgspec.json.encode(balance).decode()
        with self.writing() as connection:
            updated = connection.execute(sa.update(flags).where(flags.c.name == name).values(value=value))
            if not updated.rowcount:
                connection.execute(sa.insert(flags).values(name=name, value=value))

    def open_books(self) -> tuple[Balance, ...]:
        """The folders whose books do not balance."""
        query = sa.select(flags.c.value).where(flags.c.name.startswith(_PREFIX)).order_by(flags.c.name)
        with self.reading() as connection:
            known = [_balance.decode(text) for text in connection.execute(query).scalars()]
        return tuple(balance for balance in known if balance.missing)


def _place(table: sa.Table, mailbox: str, folder: str, uidvalidity: int) -> list[sa.ColumnElement[bool]]:
    return [table.c.mailbox == mailbox, table.c.folder == folder, table.c.uidvalidity == uidvalidity]


def _name(mailbox: str, folder: str) -> str:
    return f"{_PREFIX}{mailbox}/{folder}"[:_NAME_LENGTH]
