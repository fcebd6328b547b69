from __future__ import annotations

from mailbot.model import Organization, Status, Track
from mailbot.report.roster import roster
from tests.unit.report.sample import REGISTERED, WRITTEN


def test_the_registrys_order_comes_first_and_strangers_last() -> None:
    names = [record.name for record in roster(WRITTEN, REGISTERED)]
    assert names[: len(REGISTERED)] == [organization.name for organization in REGISTERED]
    assert names[len(REGISTERED) :] == [WRITTEN[5].name]


def test_who_has_not_written_is_there_with_the_addresses() -> None:
    silent = next(r for r in roster(WRITTEN, REGISTERED) if r.name == "浙江省示例庚学会")
    assert silent.status is Status.NOT_RECEIVED
    assert silent.emails == ("geng@example.com", "mishu@example.com")
    assert silent.registered
    assert silent.counts is None
    assert silent.senders == ()


def test_who_has_written_keeps_everything_and_gets_the_registered_addresses() -> None:
    registered = Organization(name=WRITTEN[0].name, track=Track.SOCIETY, emails=("office@example.org",))
    record = roster(WRITTEN, (registered,))[0]
    assert record.emails == ("office@example.org",)
    assert record.senders == ("jia@example.com",)
    assert record.versions == WRITTEN[0].versions
    assert record.staff_points == WRITTEN[0].staff_points
    assert record.registered


def test_without_a_registry_those_who_wrote_by_track_and_name() -> None:
    records = roster(WRITTEN, ())
    assert len(records) == len(WRITTEN)
    assert records[-1].track is Track.ENTERPRISE
    assert not any(record.registered for record in records)
    societies = [record.name for record in records[:-1]]
    assert societies == sorted(societies)
