"""Everybody who reports or should: who has written, joined with who is registered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mailbot.model import Organization, Status, Track
from mailbot.records import OrganizationRecord

_TRACKS = tuple(Track)


def roster(
    stored: Sequence[OrganizationRecord], registered: Sequence[Organization]
) -> tuple[OrganizationRecord, ...]:
    """The registry's organizations in its order, each with where it stands, then those known by their mails alone."""
    written = {record.name: record for record in stored}
    known = [_registered(organization, written.pop(organization.name, None)) for organization in registered]
    others = sorted(written.values(), key=lambda record: (_TRACKS.index(record.track), record.name))
    return (*known, *others)


def _registered(organization: Organization, record: OrganizationRecord | None) -> OrganizationRecord:
    if record is None:
        return OrganizationRecord(
            name=organization.name,
            track=organization.track,
            status=Status.NOT_RECEIVED,
            aliases=organization.aliases,
            emails=organization.emails,
            registered=True,
        )
    return replace(
        record,
        track=organization.track,
        aliases=organization.aliases,
        emails=organization.emails,
        registered=True,
    )
