"""What reports ask of messages, streamed in bounded memory, and their counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from mailbot.model import (
    Outcome,
    ReplyState,
    Ruling,
    RulingKind,
)
from mailbot.records import (
    NAMES_OTHERS,
    PASSED_OVER,
    Counts,
    DocumentRecord,
    MessageRecord,
    ReplyRecord,
)
from mailbot.store.database import BATCH, Database
from mailbot.store.replies import REPLY_COLUMNS, is_stuck, reply_record
from mailbot.store.rulings import rulings_of
from mailbot.store.tables import ASSESSMENT, FINDINGS, messages, replies, rulings

_documents = msgspec.json.Decoder(tuple[DocumentRecord, ...])
_Rows = Sequence[Row[tuple[Any, ...]]]


class Queries(Database):
    """The part of the store that knows the messages."""

    def messages(
        self,
        *,
        decided_since: datetime | None = None,
        organization: str | None = None,
        numbers: Sequence[int] | None = None,
    ) -> Iterator[MessageRecord]:
        """Messages in the order of their numbers, in bounded memory: of those asked for, only the numbers are held."""
        which: list[sa.ColumnElement[bool]] = []
        if decided_since is not None:
            which.append(messages.c.decided_at > decided_since)
        if organization is not None:
            which.append(messages.c.organization == organization)
        with self.reading() as connection:
            if which:
                found = connection.execute(sa.select(messages.c.id).where(*which)).scalars()
                numbers = [*found] if numbers is None else [*set(found).intersection(numbers)]
            for rows in _all(connection) if numbers is None else _numbered(connection, sorted(numbers)):
                yield from _records(connection, rows)

    def newest(self, most: int) -> tuple[int, ...]:
        """Numbers of so many messages, the newest first."""
        query = sa.select(messages.c.id).order_by(messages.c.id.desc()).limit(most)
        with self.reading() as connection:
            return tuple(connection.execute(query).scalars())

    def for_a_person(self) -> Iterator[MessageRecord]:
        """What waits for a person: messages without a verdict, and those with a reply that does not go on."""
        yield from self.messages(numbers=self.numbers_for_a_person())

    def numbers_for_a_person(self) -> tuple[int, ...]:
        """Numbers of what waits for a person."""
        undecided = sa.select(messages.c.id).where(messages.c.outcome == Outcome.REVIEW.value, ~_settled())
        stuck = sa.select(replies.c.message).where(is_stuck())
        with self.reading() as connection:
            return tuple(connection.execute(sa.union(undecided, stuck)).scalars())

    def nameless(self) -> Iterator[MessageRecord]:
        """Mails whose senders were asked which organization they write for, and have not told it since.

        These are mails that were answered with a correction letter and belong to no organization: the newest of each
        sender who has sent nothing later that counts for one.
        """
        asked = sa.select(messages.c.id, messages.c.sender).where(
            messages.c.outcome == Outcome.CORRECTION.value, messages.c.organization.is_(None)
        )
        newest = sa.select(messages.c.sender, sa.func.max(messages.c.id).label("newest"))
        with self.reading() as connection:
            found = {row.sender: row.id for row in connection.execute(asked.order_by(messages.c.id))}
            contributed = newest.where(
                messages.c.sender.in_(found),
                messages.c.organization.is_not(None),
                messages.c.contribution.is_not(None),
            ).group_by(messages.c.sender)
            since = {row.sender: row.newest for row in connection.execute(contributed)}
        yield from self.messages(numbers=[n for sender, n in found.items() if n > since.get(sender, 0)])

    def senders_waiting(self) -> frozenset[str]:
        """Addresses from which mails with documents wait for a person."""
        query = sa.select(messages.c.sender).where(
            messages.c.outcome == Outcome.REVIEW.value, ~_settled(), messages.c.documents != "[]"
        )
        with self.reading() as connection:
            return frozenset(connection.execute(query).scalars())

    def named_waiting(self) -> tuple[str, ...]:
        """Names of the organizations whose papers may wait for a person, in a mail that counts for another one or none.

        As they stand in the findings (`NAMES_OTHERS`) of mails with documents that nobody has given a verdict on.
        """
        query = sa.select(messages.c.findings).where(
            messages.c.outcome == Outcome.REVIEW.value, ~_settled(), messages.c.documents != "[]"
        )
        with self.reading() as connection:
            noticed = [FINDINGS.decode(text or "[]") for text in connection.execute(query).scalars()]
        return tuple(f.found for findings in noticed for f in findings if f.code in NAMES_OTHERS)

    def passed_over(self) -> Iterator[MessageRecord]:
        """Mails with documents that were ignored for a robot's sign, or as too early, and that no person has judged."""
        reasons = [messages.c.findings.contains(f'"{code.value}"') for code in PASSED_OVER]
        query = (
            sa.select(messages.c.id)
            .where(
                messages.c.outcome == Outcome.IGNORED.value,
                messages.c.documents != "[]",
                sa.or_(*reasons),
                messages.c.id.not_in(sa.select(rulings.c.message)),
            )
            .order_by(messages.c.id)
        )
        with self.reading() as connection:
            numbers = connection.execute(query).scalars().all()
        for start in range(0, len(numbers), BATCH):
            yield from self.messages(numbers=numbers[start : start + BATCH])

    def counts(self) -> Counts:
        """The figures of `status`."""
        with self.reading() as connection:
            by_outcome = connection.execute(
                sa.select(messages.c.outcome, sa.func.count()).group_by(messages.c.outcome)
            ).all()
            by_state = connection.execute(
                sa.select(replies.c.state, sa.func.count())
                .where(replies.c.dropped == "")
                .group_by(replies.c.state)
            ).all()
        decided = {Outcome(value): count for value, count in by_outcome if value is not None}
        waiting = sum(count for value, count in by_outcome if value is None)
        return Counts(
            messages=waiting + sum(decided.values()),
            waiting=waiting,
            by_outcome=decided,
            replies={ReplyState(value): count for value, count in by_state},
        )


def _settled() -> sa.ColumnElement[bool]:
    """Whether a person has given a verdict on the message that holds, as `model.verdict` has it."""
    later = rulings.alias("later")
    taken_back = sa.exists().where(
        later.c.message == rulings.c.message,
        later.c.id > rulings.c.id,
        sa.or_(later.c.kind != RulingKind.ASSIGN.value, rulings.c.kind == RulingKind.NO_SUBMISSION.value),
    )
    return sa.exists().where(
        rulings.c.message == messages.c.id, rulings.c.kind != RulingKind.ASSIGN.value, ~taken_back
    )


def _all(connection: Connection) -> Iterator[_Rows]:
    """Every message, in the order of the numbers."""
    last = 0
    query = (
        sa.select(messages).where(messages.c.id > sa.bindparam("last")).order_by(messages.c.id).limit(BATCH)
    )
    while rows := connection.execute(query, {"last": last}).all():
        last = rows[-1].id
        yield rows


def _numbered(connection: Connection, numbers: Sequence[int]) -> Iterator[_Rows]:
    """The messages of these numbers, which ascend."""
    for start in range(0, len(numbers), BATCH):
        wanted = messages.c.id.in_(numbers[start : start + BATCH])
        yield connection.execute(sa.select(messages).where(wanted).order_by(messages.c.id)).all()


def _records(connection: Connection, rows: _Rows) -> Iterator[MessageRecord]:
    answers: dict[int, list[ReplyRecord]] = {}
    numbers = [row._mapping["id"] for row in rows]
    for row in connection.execute(
        sa.select(*REPLY_COLUMNS).where(replies.c.message.in_(numbers)).order_by(replies.c.id)
    ):
        answers.setdefault(row.message, []).append(reply_record(row))
    ruled = rulings_of(connection, numbers)
    silent = [row.id for row in rows if row.id not in answers and row.outcome in _TOLD]
    as_copies = set(connection.execute(_COPY_ANSWERED, {"these": silent}).scalars()) if silent else ()
    for row in rows:
        record = _record(row, tuple(answers.get(row.id, ())), ruled.get(row.id, ()))
        yield replace(record, copy_answered=True) if row.id in as_copies else record


_TOLD = (Outcome.ACKNOWLEDGED.value, Outcome.CORRECTION.value)
_this, _copy = messages.alias("this_one"), messages.alias("copy")
_COPY_ANSWERED = (
    sa.select(_this.c.id)
    .distinct()
    .join(
        _copy,
        sa.or_(
            sa.and_(_copy.c.sha256 == _this.c.sha256, _this.c.sha256 != ""),
            sa.and_(_copy.c.fingerprint == _this.c.fingerprint, _this.c.fingerprint != ""),
        ),
    )
    .join(replies, replies.c.message == _copy.c.id)
    .where(_this.c.id.in_(sa.bindparam("these", expanding=True)))
)
"""Those of these messages whose letter stands with a copy of them."""


def _record(
    row: Row[tuple[object, ...]], answers: tuple[ReplyRecord, ...], ruled: tuple[Ruling, ...]
) -> MessageRecord:
    values = row._mapping
    return MessageRecord(
        **{name: values[name] for name in _PLAIN},
        outcome=Outcome(values["outcome"]) if values["outcome"] else None,
        documents=_documents.decode(values["documents"]) if values["documents"] else (),
        assessment=ASSESSMENT.decode(values["assessment"]) if values["assessment"] else None,
        findings=FINDINGS.decode(values["findings"]) if values["findings"] else (),
        replies=answers,
        rulings=ruled,
    )


_PLAIN = (
    "id",
    "message_id",
    "mailbox",
    "folder",
    "uid",
    "sha256",
    "size",
    "received_at",
    "header_received",
    "header_date",
    "sender",
    "subject",
    "text",
    "question",
    "organization",
    "decided_at",
    "receipt_hash",
)
