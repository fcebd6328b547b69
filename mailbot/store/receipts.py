"""What came in: rows for mails, how far each folder is read, and how each round went."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from mailbot.records import Anew, FolderHealth, PutOff, Receipt, StoredMessage
from mailbot.store.database import LONGEST_PAUSE, Chain, Database
from mailbot.store.ledger import utc_text
from mailbot.store.tables import folders, messages, skipped


class Receipts(Database):
    """The part of the store that the watchers write."""

    def position(self, mailbox: str, folder: str) -> tuple[int | None, int]:
        """UIDVALIDITY and the last UID taken in; (None, 0) for a folder not seen yet."""
        with self.reading() as connection:
            row = connection.execute(
                sa.select(folders.c.uidvalidity, folders.c.last_uid).where(_is(mailbox, folder))
            ).first()
        return (row.uidvalidity, row.last_uid) if row else (None, 0)

    def record_receipts(
        self,
        mailbox: str,
        folder: str,
        uidvalidity: int,
        last_uid: int,
        receipts: Sequence[Receipt],
        *,
        at: datetime,
        skipped_uids: Sequence[tuple[int, str]] = (),
    ) -> tuple[int, ...]:
        """In one transaction: the rows, their ledger entries, and how far the folder is read.

        Returns the rows' numbers. A mail known by its place is passed over. One known by its octets under another
        UIDVALIDITY of the same folder is the same row at a new place. One known elsewhere in the mailbox keeps the
        receipt time of its first sighting. `skipped_uids` are (uid, reason) of mails that gave no octets.
        """
        with self.writing() as connection:
            numbers = _take(connection, (mailbox, folder, uidvalidity), receipts, at)
            _note_skipped(
                connection, (mailbox, folder, uidvalidity), skipped_uids, [r.uid for r in receipts], at
            )
            _move_on(connection, mailbox, folder, uidvalidity, last_uid)
        return numbers

    def refused_uids(self, mailbox: str, folder: str, uidvalidity: int) -> tuple[int, ...]:
        """Mails that the server would not give so far."""
        with self.reading() as connection:
            rows = connection.execute(
                sa.select(skipped.c.uid).where(
                    skipped.c.mailbox == mailbox,
                    skipped.c.folder == folder,
                    skipped.c.uidvalidity == uidvalidity,
                    skipped.c.reason == "refused",
                )
            )
            return tuple(sorted(rows.scalars()))

    def record_ingested(self, mailbox: str, receipts: Sequence[Receipt], *, at: datetime) -> tuple[int, ...]:
        """Mails from files of one folder: each gets its next number; octets known in the mailbox are passed over."""
        if not receipts:
            return ()
        folder, uidvalidity = receipts[0].folder, receipts[0].uidvalidity
        fresh: dict[str, Receipt] = {}
        for receipt in receipts:
            fresh.setdefault(receipt.sha256, receipt)
        with self.writing() as connection:
            known = set(
                connection.execute(
                    sa.select(messages.c.sha256).where(
                        messages.c.mailbox == mailbox, messages.c.sha256.in_(list(fresh))
                    )
                ).scalars()
            )
            last = connection.execute(sa.select(folders.c.last_uid).where(_is(mailbox, folder))).scalar() or 0
            new = [receipt for sha256, receipt in fresh.items() if sha256 not in known]
            numbered = [replace(receipt, uid=uid) for uid, receipt in enumerate(new, last + 1)]
            numbers = _take(connection, (mailbox, folder, uidvalidity), numbered, at)
            _move_on(connection, mailbox, folder, uidvalidity, last + len(new))
        return numbers

    def record_round(
        self, mailbox: str, folder: str, *, at: datetime, good: bool, error: str, on_server: int | None
    ) -> None:
        """How looking into a folder went."""
        if good:
            values: dict[str, object] = {"last_good_round": at, "last_error": "", "on_server": on_server}
        else:
            values = {"last_error": error[:1000], "last_error_at": at}
        with self.writing() as connection:
            _upsert_folder(connection, mailbox, folder, values)

    def folders(self) -> tuple[FolderHealth, ...]:
        """Every folder looked into so far."""
        with self.reading() as connection:
            rows = connection.execute(sa.select(folders).order_by(folders.c.mailbox, folders.c.folder))
            return tuple(FolderHealth(**row._mapping) for row in rows)

    def waiting(self, limit: int, *, now: datetime) -> tuple[StoredMessage, ...]:
        """Undecided messages whose time has come, in the order of their receipt."""
        return self._waiting(sa.and_(messages.c.outcome.is_(None), is_due(now)), limit)

    def waiting_message(self, message: int) -> StoredMessage | None:
        """That message, if it still waits for its decision."""
        found = self._waiting(sa.and_(messages.c.id == message, messages.c.outcome.is_(None)), 1)
        return found[0] if found else None

    def stored_message(self, message: int) -> StoredMessage:
        """That message, whether it is decided or not."""
        (found,) = self._waiting(messages.c.id == message, 1)
        return found

    def _waiting(self, which: sa.ColumnElement[bool], limit: int) -> tuple[StoredMessage, ...]:
        with self.reading() as connection:
            rows = connection.execute(
                sa.select(*(messages.c[name] for name in _STORED))
                .where(which)
                .order_by(messages.c.received_at, messages.c.id)
                .limit(limit)
            )
            return tuple(StoredMessage(**row._mapping) for row in rows)

    def count_failure(self, message: int, error: str, *, at: datetime, retry_at: datetime) -> int:
        """Count one failed attempt in the database, where a new process finds it; returns how many there were."""
        with self.writing() as connection:
            connection.execute(
                sa.update(messages)
                .where(messages.c.id == message)
                .values(attempts=messages.c.attempts + 1, last_error=error, retry_at=retry_at)
            )
            attempts = connection.execute(
                sa.select(messages.c.attempts).where(messages.c.id == message)
            ).scalar_one()
            chain = Chain(connection, at)
            chain.append("failed", {"message": message, "attempt": attempts, "error": error})
            chain.write()
            return int(attempts)

    def put_off(self, message: int, why: PutOff, fault: str, *, retry_at: datetime) -> None:
        """Let a message wait until `retry_at` for what it needs (`why`; `fault` says what is wrong with that). It counts
        no attempt."""
        with self.writing() as connection:
            connection.execute(
                sa.update(messages)
                .where(messages.c.id == message)
                .values(last_error=f"{_mark(why)}{fault}"[:1000], retry_at=retry_at)
            )

    def waiting_for(self, why: PutOff) -> tuple[int, str, datetime | None]:
        """Of the messages that `why` puts off: their number, what was wrong last, and when the first of them was recorded."""
        undecided = sa.or_(messages.c.outcome.is_(None), messages.c.anew.in_([each.value for each in Anew]))
        waits = sa.and_(undecided, messages.c.last_error.startswith(_mark(why)))
        with self.reading() as connection:
            rows = connection.execute(
                sa.select(messages.c.last_error, messages.c.recorded_at).where(waits).order_by(messages.c.id)
            ).all()
        if not rows:
            return 0, "", None
        fault = str(rows[-1].last_error).removeprefix(_mark(why))
        return len(rows), fault, min(row.recorded_at for row in rows)


def is_due(now: datetime) -> sa.ColumnElement[bool]:
    """Messages that may be tried now: they were not put off, or that time has come, or it is so far ahead that a clock
    which was wrong has set it."""
    retry_at = messages.c.retry_at
    return sa.or_(retry_at.is_(None), retry_at <= now, retry_at > now + LONGEST_PAUSE)


def _mark(why: PutOff) -> str:
    return f"{why.value}: "


_STORED = (
    "id",
    "mailbox",
    "folder",
    "uid",
    "sha256",
    "size",
    "received_at",
    "junk",
    "attempts",
    "receipt_hash",
)


def _take(
    connection: Connection, place: tuple[str, str, int], receipts: Sequence[Receipt], at: datetime
) -> tuple[int, ...]:
    """Rows and ledger entries for what is new; the numbers of rows that are new or moved."""
    chain = Chain(connection, at)
    new = _Newcomers(connection, place, receipts)
    numbers = [number for receipt in receipts if (number := new.take(receipt, chain, at))]
    new.write()
    chain.write()
    return tuple(numbers)


_Known = Row[int, str, int, str, datetime, str | None]
_IN_MAILBOX = (
    sa.select(
        messages.c.id,
        messages.c.folder,
        messages.c.uidvalidity,
        messages.c.sha256,
        messages.c.received_at,
        messages.c.outcome,
    )
    .where(messages.c.mailbox == sa.bindparam("mailbox"))
    .order_by(messages.c.id)
)
_SAME = _IN_MAILBOX.where(messages.c.sha256.in_(sa.bindparam("hashes", expanding=True)))
_LEFT_THERE = _IN_MAILBOX.where(
    messages.c.sha256 == "",
    messages.c.size == sa.bindparam("size"),
    messages.c.received_at == sa.bindparam("received_at"),
)
_TAKEN = sa.select(messages.c.uid).where(
    messages.c.mailbox == sa.bindparam("mailbox"),
    messages.c.folder == sa.bindparam("folder"),
    messages.c.uidvalidity == sa.bindparam("uidvalidity"),
    messages.c.uid.in_(sa.bindparam("uids", expanding=True)),
)


def _here(place: tuple[str, str, int], receipts: Sequence[Receipt]) -> dict[str, object]:
    mailbox, folder, uidvalidity = place
    uids = [receipt.uid for receipt in receipts]
    return {"mailbox": mailbox, "folder": folder, "uidvalidity": uidvalidity, "uids": uids}


class _Newcomers:
    """Tells which mails of one batch are new, and which are known at another place, and gathers the new rows."""

    def __init__(
        self, connection: Connection, place: tuple[str, str, int], receipts: Sequence[Receipt]
    ) -> None:
        self._connection = connection
        self._taken = set(connection.execute(_TAKEN, _here(place, receipts)).scalars())
        self._same = defaultdict[str, list[_Known]](list)
        hashes = {"mailbox": place[0], "hashes": [r.sha256 for r in receipts if r.sha256]}
        for row in connection.execute(_SAME, hashes) if hashes["hashes"] else ():
            self._same[row.sha256].append(row)
        self._rows: list[dict[str, object]] = []
        self._next = (connection.execute(sa.select(sa.func.max(messages.c.id))).scalar() or 0) + 1
        self._relocated: set[int] = set()
        self._seen: dict[str, datetime] = {}

    def take(self, receipt: Receipt, chain: Chain, at: datetime) -> int | None:
        """The number of the row for this mail, new or moved; None where its place is known."""
        if receipt.uid in self._taken:
            return None
        same = self._copies(receipt)
        stale = [
            row
            for row in same
            if row.folder == receipt.folder
            and row.uidvalidity != receipt.uidvalidity
            and row.id not in self._relocated
        ]
        if stale:
            return self._relocate(stale[0].id, receipt)
        return self._add(receipt, self._first_seen(receipt, same), chain, at)

    def _first_seen(self, receipt: Receipt, same: Sequence[_Known]) -> datetime:
        """The receipt time of a mail that may have been seen before in this mailbox, under another UID or in another folder.

        That of the earlier row with the same octets, once it is decided: a second time must not change the judgement.
        Before that the earliest of all, this batch included.
        """
        judged: list[datetime] = [row.received_at for row in same if row.outcome is not None]
        if judged:
            return judged[0]
        seen: list[datetime] = [row.received_at for row in same]
        first = min([receipt.received_at, *seen])
        if receipt.sha256:
            first = self._seen[receipt.sha256] = min(first, self._seen.get(receipt.sha256, first))
        return first

    def _copies(self, receipt: Receipt) -> Sequence[_Known]:
        """The rows of the same mail in this mailbox: with the same octets or, of a mail too large to be fetched, with the
        same size and receipt time."""
        if receipt.sha256:
            return self._same[receipt.sha256]
        left = {"mailbox": receipt.mailbox, "size": receipt.size, "received_at": receipt.received_at}
        return self._connection.execute(_LEFT_THERE, left).all()

    def _relocate(self, number: int, receipt: Receipt) -> int:
        self._relocated.add(number)
        self._connection.execute(
            sa.update(messages)
            .where(messages.c.id == number)
            .values(uidvalidity=receipt.uidvalidity, uid=receipt.uid)
        )
        return number

    def _add(self, receipt: Receipt, received_at: datetime, chain: Chain, at: datetime) -> int:
        number, self._next = self._next, self._next + 1
        payload = {
            "message": number,
            "mailbox": receipt.mailbox,
            "folder": receipt.folder,
            "uidvalidity": receipt.uidvalidity,
            "uid": receipt.uid,
            "sha256": receipt.sha256,
            "size": receipt.size,
            "received_at": utc_text(received_at),
            "junk": receipt.junk,
        }
        self._rows.append(
            {
                "id": number,
                "mailbox": receipt.mailbox,
                "folder": receipt.folder,
                "uidvalidity": receipt.uidvalidity,
                "uid": receipt.uid,
                "sha256": receipt.sha256,
                "size": receipt.size,
                "received_at": received_at,
                "recorded_at": at,
                "receipt_hash": chain.append("received", payload),
                "junk": receipt.junk,
            }
        )
        return number

    def write(self) -> None:
        if self._rows:
            self._connection.execute(sa.insert(messages), self._rows)


def _is(mailbox: str, folder: str) -> sa.ColumnElement[bool]:
    return sa.and_(folders.c.mailbox == mailbox, folders.c.folder == folder)


def _upsert_folder(connection: Connection, mailbox: str, folder: str, values: dict[str, object]) -> None:
    updated = connection.execute(sa.update(folders).where(_is(mailbox, folder)).values(**values))
    if not updated.rowcount:
        connection.execute(sa.insert(folders).values(mailbox=mailbox, folder=folder, **values))


def _move_on(connection: Connection, mailbox: str, folder: str, uidvalidity: int, last_uid: int) -> None:
    """Note how far a folder has been read; within one UIDVALIDITY never less far than before."""
    row = connection.execute(
        sa.select(folders.c.uidvalidity, folders.c.last_uid).where(_is(mailbox, folder))
    ).first()
    if row and row.uidvalidity == uidvalidity:
        last_uid = max(last_uid, row.last_uid)
    _upsert_folder(connection, mailbox, folder, {"uidvalidity": uidvalidity, "last_uid": last_uid})


def _note_skipped(
    connection: Connection,
    place: tuple[str, str, int],
    uids: Sequence[tuple[int, str]],
    received: Sequence[int],
    at: datetime,
) -> None:
    """Note which UIDs gave no octets, and why; forget those that were received after all."""
    mailbox, folder, uidvalidity = place
    here = (skipped.c.mailbox == mailbox, skipped.c.folder == folder, skipped.c.uidvalidity == uidvalidity)
    gone = [*received, *(uid for uid, _ in uids)]
    if gone:
        connection.execute(sa.delete(skipped).where(*here, skipped.c.uid.in_(gone)))
    for uid, reason in uids:
        connection.execute(
            sa.insert(skipped).values(
                mailbox=mailbox, folder=folder, uidvalidity=uidvalidity, uid=uid, reason=reason[:20], at=at
            )
        )
