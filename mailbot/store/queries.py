"""What reports ask: messages streamed in bounded memory, organizations, counts, and the check of it all."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from mailbot.model import (
    UNREAD,
    Assessment,
    Code,
    Finding,
    Outcome,
    Outline,
    ReplyState,
    Ruling,
    RulingKind,
    Severity,
    Status,
    Track,
    Version,
)
from mailbot.records import (
    NAMES_OTHERS,
    PASSED_OVER,
    Counts,
    DocumentRecord,
    MessageRecord,
    OrganizationRecord,
    ReplyRecord,
)
from mailbot.store.database import Database
from mailbot.store.ledger import Entry
from mailbot.store.replies import REPLY_COLUMNS, is_stuck, reply_record
from mailbot.store.rulings import rulings_of
from mailbot.store.tables import flags, ledger, messages, organizations, replies, rulings, skipped
from mailbot.submission import counting, status

_findings = msgspec.json.Decoder(tuple[Finding, ...])
_documents = msgspec.json.Decoder(tuple[DocumentRecord, ...])
_assessment = msgspec.json.Decoder(Assessment)
_versions = msgspec.json.Decoder(tuple[Version, ...])
_outlines = msgspec.json.Decoder(tuple[Outline, ...])
_undecoded = msgspec.json.Decoder(tuple[msgspec.Raw, ...])
_version = msgspec.json.Decoder(Version)
_NOT_TAKEN = UNREAD | {Code.DELIVERY_LINK_ONLY}
_BATCH = 500
_FEW = 50
"""Organizations of which all versions are held at once, as they stand in the row."""
_Place = tuple[str, str, int]
_Rows = Sequence[Row[tuple[Any, ...]]]


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


class Queries(Database):
    """The part of the store that reports read."""

    def messages(
        self,
        *,
        decided_since: datetime | None = None,
        outcome: Outcome | None = None,
        organization: str | None = None,
        waiting: bool = False,
        numbers: Sequence[int] | None = None,
    ) -> Iterator[MessageRecord]:
        """Messages in the order of their numbers, in bounded memory: of those asked for, only the numbers are held."""
        which: list[sa.ColumnElement[bool]] = []
        if decided_since is not None:
            which.append(messages.c.decided_at > decided_since)
        if outcome is not None:
            which.append(messages.c.outcome == outcome.value)
        if organization is not None:
            which.append(messages.c.organization == organization)
        if waiting:
            which.append(messages.c.outcome.is_(None))
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
        """Mails that were to be corrected and belong to no organization, but of whose senders nothing has come since
        that belongs to one."""
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
        """What mails with documents that wait for a person call those whom they may be of, beside whom they count for."""
        query = sa.select(messages.c.findings).where(
            messages.c.outcome == Outcome.REVIEW.value, ~_settled(), messages.c.documents != "[]"
        )
        with self.reading() as connection:
            noticed = [_findings.decode(text or "[]") for text in connection.execute(query).scalars()]
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
        for start in range(0, len(numbers), _BATCH):
            yield from self.messages(numbers=numbers[start : start + _BATCH])

    def organizations(self, *, forms: bool = True) -> tuple[OrganizationRecord, ...]:
        """Every organization that has written, with the version that counts; its form as read, unless without `forms`."""
        with self.reading() as connection:
            return _organization_records(connection, sa.true(), forms=forms)

    def organization(self, name: str) -> OrganizationRecord | None:
        """One organization by its exact name."""
        with self.reading() as connection:
            found = _organization_records(connection, organizations.c.name == name)
        return found[0] if found else None

    def versions(self, name: str) -> tuple[Version, ...]:
        """All versions of one organization's submission, the oldest first."""
        query = sa.select(organizations.c.versions).where(organizations.c.name == name)
        with self.reading() as connection:
            text = connection.execute(query).scalar()
        return _versions.decode(text) if text else ()

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
        """A small value that stays what it was first: what is remembered, from now on this one where nothing is."""
        remembered = self.flag(name)
        if remembered is not None:
            return remembered
        with self.writing() as connection:
            remembered = _flag(connection, name)
            if remembered is None:
                connection.execute(sa.insert(flags).values(name=name, value=value))
        return value if remembered is None else remembered

    def ledger(self) -> Iterator[Entry]:
        """The chain, from its first link."""
        last = 0
        with self.reading() as connection:
            while True:
                rows = connection.execute(
                    sa.select(ledger).where(ledger.c.seq > last).order_by(ledger.c.seq).limit(_BATCH)
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

    def archived_hashes(self) -> Iterator[tuple[int, str]]:
        """(message, sha256) of every message whose octets are in the archive."""
        with self.reading() as connection:
            query = (
                sa.select(messages.c.id, messages.c.sha256)
                .where(messages.c.sha256 != "")
                .order_by(messages.c.id)
            )
            for row in connection.execution_options(yield_per=_BATCH).execute(query):
                yield row.id, row.sha256


def _flag(connection: Connection, name: str) -> str | None:
    return connection.execute(sa.select(flags.c.value).where(flags.c.name == name)).scalar()


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


def _uids(connection: Connection, table: sa.Table, column: sa.ColumnElement[Any]) -> dict[_Place, list[Any]]:
    found: dict[_Place, list[Any]] = {}
    place = (table.c.mailbox, table.c.folder, table.c.uidvalidity)
    for row in connection.execute(sa.select(*place, table.c.uid, column).order_by(*place, table.c.uid)):
        found.setdefault(tuple(row)[:3], []).append(tuple(row)[3:])
    return found


def _all(connection: Connection) -> Iterator[_Rows]:
    """Every message, in the order of the numbers."""
    last = 0
    query = (
        sa.select(messages).where(messages.c.id > sa.bindparam("last")).order_by(messages.c.id).limit(_BATCH)
    )
    while rows := connection.execute(query, {"last": last}).all():
        last = rows[-1].id
        yield rows


def _numbered(connection: Connection, numbers: Sequence[int]) -> Iterator[_Rows]:
    """The messages of these numbers, which ascend."""
    for start in range(0, len(numbers), _BATCH):
        wanted = messages.c.id.in_(numbers[start : start + _BATCH])
        yield connection.execute(sa.select(messages).where(wanted).order_by(messages.c.id)).all()


def _records(connection: Connection, rows: _Rows) -> Iterator[MessageRecord]:
    answers: dict[int, list[ReplyRecord]] = {}
    numbers = [row._mapping["id"] for row in rows]
    for row in connection.execute(
        sa.select(*REPLY_COLUMNS).where(replies.c.message.in_(numbers)).order_by(replies.c.id)
    ):
        answers.setdefault(row.message, []).append(reply_record(row))
    ruled = rulings_of(connection, numbers)
    for row in rows:
        number = row._mapping["id"]
        yield _record(row, tuple(answers.get(number, ())), ruled.get(number, ()))


def _record(
    row: Row[tuple[object, ...]], answers: tuple[ReplyRecord, ...], ruled: tuple[Ruling, ...]
) -> MessageRecord:
    values = row._mapping
    return MessageRecord(
        **{name: values[name] for name in _PLAIN},
        outcome=Outcome(values["outcome"]) if values["outcome"] else None,
        documents=_documents.decode(values["documents"]) if values["documents"] else (),
        assessment=_assessment.decode(values["assessment"]) if values["assessment"] else None,
        findings=_findings.decode(values["findings"]) if values["findings"] else (),
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


def _organization_records(
    connection: Connection, which: sa.ColumnElement[bool], *, forms: bool = True
) -> tuple[OrganizationRecord, ...]:
    query = sa.select(organizations).where(which).order_by(organizations.c.name)
    rows = connection.execute(query).yield_per(_FEW)
    records = [_organization_record(row) for row in rows]
    assessments = _assessments(connection, [record.counts for record in records]) if forms else {}
    mails = _mails_by_organization(connection, which)
    opened = _opened(connection, [record.name for record in records if not record.versions])
    unread = _unread(
        connection, [r.counts.message for r in records if r.counts and r.status is Status.INCOMPLETE]
    )
    return tuple(
        _completed(record, mails.get(record.name, ()), assessments, opened, unread) for record in records
    )


def _unread(connection: Connection, numbers: Sequence[int]) -> dict[int, tuple[Finding, ...]]:
    """By message what the documents that were not taken are to be sent again for."""
    found: dict[int, tuple[Finding, ...]] = {}
    for start in range(0, len(numbers), _BATCH):
        wanted = messages.c.id.in_(numbers[start : start + _BATCH])
        for row in connection.execute(sa.select(messages.c.id, messages.c.findings).where(wanted)):
            noticed = _findings.decode(row.findings or "[]")
            found[row.id] = tuple(f for f in noticed if f.severity is Severity.ERROR and f.code in _NOT_TAKEN)
    return found


def _opened(connection: Connection, names: Sequence[str]) -> frozenset[str]:
    """Those of the organizations of which a person has to look at documents that came."""
    found: set[str] = set()
    for start in range(0, len(names), _BATCH):
        query = (
            sa.select(messages.c.organization)
            .distinct()
            .where(
                messages.c.organization.in_(names[start : start + _BATCH]),
                messages.c.outcome == Outcome.REVIEW.value,
                messages.c.documents != "[]",
            )
        )
        found.update(connection.execute(query).scalars())
    return frozenset(found)


def _mails_by_organization(connection: Connection, which: sa.ColumnElement[bool]) -> dict[str, list[Any]]:
    """By organization its senders, and when each wrote first. All of it stands in the index."""
    mails: dict[str, list[Any]] = {}
    first = sa.func.min(messages.c.received_at)
    query = (
        sa.select(messages.c.organization, messages.c.sender, first.label("received_at"))
        .join(organizations, organizations.c.name == messages.c.organization)
        .where(which, messages.c.outcome != Outcome.IGNORED.value)
        .group_by(messages.c.organization, messages.c.sender)
        .order_by(first, sa.func.min(messages.c.id))
    )
    for row in connection.execute(query):
        mails.setdefault(row.organization, []).append(row)
    return mails


def _organization_record(row: Row[tuple[Any, ...]]) -> OrganizationRecord:
    """What stands in its own row; of its versions only the one that counts is decoded whole."""
    values = row._mapping
    text = values["versions"] or "[]"
    versions = _outlines.decode(text)
    outline = counting(versions)
    return OrganizationRecord(
        name=values["name"],
        track=Track(values["track"]),
        status=status(versions),
        versions=versions,
        counts=_version.decode(_undecoded.decode(text)[versions.index(outline)]) if outline else None,
        paper_received=values["paper_received"],
        paper_sealed=values["paper_sealed"],
        staff_points=Decimal(values["staff_points"]) if values["staff_points"] else None,
        note=values["note"],
    )


def _completed(
    record: OrganizationRecord,
    mails: Sequence[Any],
    assessments: Mapping[int, Assessment],
    opened: Collection[str],
    unread: Mapping[int, tuple[Finding, ...]],
) -> OrganizationRecord:
    form = record.counts.form if record.counts else None
    return replace(
        record,
        status=Status.REVIEW if record.name in opened else record.status,
        senders=tuple(dict.fromkeys(str(mail.sender) for mail in mails)),
        assessment=assessments.get(form.message) if form else None,
        first_received_at=mails[0].received_at if mails else None,
        unread=unread.get(record.counts.message, ()) if record.counts else (),
    )


def _assessments(connection: Connection, versions: Sequence[Version | None]) -> dict[int, Assessment]:
    """What was read from the forms of these versions, by the number of the message that brought each."""
    numbers = [version.form.message for version in versions if version and version.form]
    found: dict[int, Assessment] = {}
    for start in range(0, len(numbers), _BATCH):
        wanted = messages.c.id.in_(numbers[start : start + _BATCH])
        query = sa.select(messages.c.id, messages.c.assessment).where(
            wanted, messages.c.assessment.is_not(None)
        )
        found |= {row.id: _assessment.decode(row.assessment) for row in connection.execute(query)}
    return found
