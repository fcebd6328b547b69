"""The chain of hashes: whatever is changed, taken out, put in or moved afterwards shows, and is named."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from mailbot.store.ledger import GENESIS, Entry, canonical, first_broken, link
from mailbot.store.store import Store
from mailbot.store.tables import ledger
from tests.unit.store.mails import NOON, receipt, reply, settled, take


def chain(length: int) -> list[Entry]:
    entries: list[Entry] = []
    for seq in range(1, length + 1):
        previous = entries[-1].hash if entries else GENESIS
        entries.append(link(seq, NOON, "received", canonical({"message": seq}), previous))
    return entries


def test_the_hash_can_be_computed_by_anybody() -> None:
    entry = link(1, NOON, "received", canonical({"b": "学会", "a": 1}), GENESIS)
    said = '1\n2021-01-15T04:00:00Z\nreceived\n{"a":1,"b":"学会"}\n' + "0" * 64
    assert entry.hash == hashlib.sha256(said.encode()).hexdigest()


def test_the_offset_of_a_clock_does_not_matter() -> None:
    china = NOON.astimezone(timezone(timedelta(hours=8)))
    assert link(1, china, "k", "{}", GENESIS).hash == link(1, NOON, "k", "{}", GENESIS).hash
    entry = replace(link(1, china, "k", "{}", GENESIS), at=NOON)
    assert first_broken([entry]) is None


def test_a_whole_chain_is_whole() -> None:
    assert first_broken([]) is None
    assert first_broken(chain(5)) is None


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        (lambda e: [*e[:2], replace(e[2], payload='{"message":9}'), *e[3:]], 3),
        (lambda e: [*e[:2], replace(e[2], kind="decided"), *e[3:]], 3),
        (lambda e: [*e[:2], replace(e[2], at=datetime(2021, 1, 16, tzinfo=UTC)), *e[3:]], 3),
        (lambda e: [*e[:2], replace(e[2], hash="0" * 64), *e[3:]], 3),
        (lambda e: [*e[:2], replace(e[2], previous="0" * 64), *e[3:]], 3),
        (lambda e: [*e[:2], link(3, NOON, "received", "{}", e[1].hash), *e[3:]], 4),
        (lambda e: [*e[:2], *e[3:]], 3),
        (lambda e: e[1:], 1),
        (lambda e: [e[1], e[0], *e[2:]], 1),
        (lambda e: [*e[:2], e[1], *e[2:]], 3),
    ],
)
def test_the_first_link_that_does_not_hold_is_named(
    change: Callable[[list[Entry]], list[Entry]], broken: int
) -> None:
    assert first_broken(change(chain(5))) == broken


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.none()))
def test_anything_can_be_said(values: dict[str, object]) -> None:
    payload = canonical(values)
    assert first_broken([link(1, NOON, "k", payload, GENESIS)]) is None
    assert "\x00" not in payload


def test_a_row_that_somebody_changed_is_named(store: Store) -> None:
    take(store, receipt(1), receipt(2))
    store.record_decisions([settled(1, reply("<r1@x>")), settled(2, reply("<r2@x>"))])
    store.begin_sending([1], at=NOON)
    assert first_broken(store.ledger()) is None
    with store.writing() as connection:
        changed = connection.execute(sa.select(ledger.c.payload).where(ledger.c.seq == 4)).scalar_one()
        forged = changed.replace("queued", "sent").replace("r1@x", "r9@x")
        assert forged != changed
        connection.execute(sa.update(ledger).where(ledger.c.seq == 4).values(payload=forged))
    assert first_broken(store.ledger()) == 4


def test_a_clock_with_an_offset_keeps_the_chain_whole(store: Store) -> None:
    china = NOON.astimezone(timezone(timedelta(hours=8))).replace(microsecond=5)
    take(store, receipt(1), at=china)
    store.record_decisions([settled(1, reply(), decided_at=china)])
    assert first_broken(store.ledger()) is None
    assert {entry.at for entry in store.ledger()} == {NOON}
