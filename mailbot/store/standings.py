"""Where organizations stand: the version that counts of each, its form as read, its senders."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
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
    Severity,
    Status,
    Track,
    Version,
)
from mailbot.records import OrganizationRecord
from mailbot.store.database import BATCH, Database
from mailbot.store.tables import ASSESSMENT, FINDINGS, messages, organizations
from mailbot.submission import counting, status

_versions = msgspec.json.Decoder(tuple[Version, ...])
_outlines = msgspec.json.Decoder(tuple[Outline, ...])
_undecoded = msgspec.json.Decoder(tuple[msgspec.Raw, ...])
_version = msgspec.json.Decoder(Version)
_NOT_TAKEN = UNREAD | {Code.DELIVERY_LINK_ONLY}
_FEW = 50
"""Organizations of which all versions are held at once, as they stand in the row."""


class Standings(Database):
    """The part of the store that knows the organizations."""

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
    """By message the errors for which documents of it could not be taken, and are to be sent again."""
    found: dict[int, tuple[Finding, ...]] = {}
    for start in range(0, len(numbers), BATCH):
        wanted = messages.c.id.in_(numbers[start : start + BATCH])
        for row in connection.execute(sa.select(messages.c.id, messages.c.findings).where(wanted)):
            noticed = FINDINGS.decode(row.findings or "[]")
            found[row.id] = tuple(f for f in noticed if f.severity is Severity.ERROR and f.code in _NOT_TAKEN)
    return found


def _opened(connection: Connection, names: Sequence[str]) -> frozenset[str]:
    """Those of these organizations from which mails with documents wait for a person."""
    found: set[str] = set()
    for start in range(0, len(names), BATCH):
        query = (
            sa.select(messages.c.organization)
            .distinct()
            .where(
                messages.c.organization.in_(names[start : start + BATCH]),
                messages.c.outcome == Outcome.REVIEW.value,
                messages.c.documents != "[]",
            )
        )
        found.update(connection.execute(query).scalars())
    return frozenset(found)


def _mails_by_organization(connection: Connection, which: sa.ColumnElement[bool]) -> dict[str, list[Any]]:
    """By organization its senders, and when each wrote first. An index of the database holds all that is asked."""
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
    for start in range(0, len(numbers), BATCH):
        wanted = messages.c.id.in_(numbers[start : start + BATCH])
        query = sa.select(messages.c.id, messages.c.assessment).where(
            wanted, messages.c.assessment.is_not(None)
        )
        found |= {row.id: ASSESSMENT.decode(row.assessment) for row in connection.execute(query)}
    return found
