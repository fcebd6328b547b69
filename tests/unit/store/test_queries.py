"""What reports ask: everything, in order and in bounded memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from mailbot.model import Code, Organization, Outcome, ReplyState, Ruling, RulingKind, Status, Track, finding
from mailbot.store import database, queries
from mailbot.store.ledger import first_broken
from mailbot.store.store import Store
from mailbot.store.tables import organizations
from mailbot.submission import fold
from tests.unit.store.mails import (
    DEADLINE,
    NOON,
    SOCIETY,
    TERMS,
    assessment,
    contribution,
    digest,
    head,
    ignored,
    receipt,
    reply,
    settled,
    take,
)

HOUR = timedelta(hours=1)


def test_messages_stream_over_the_batches_with_their_replies(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (queries, database):
        monkeypatch.setattr(module, "BATCH", 3)
    take(store, *(receipt(n) for n in range(1, 9)))
    store.record_decisions([settled(n, reply(f"<r{n}@x>")) for n in range(1, 8)])
    assert [m.id for m in store.messages()] == list(range(1, 9))
    assert [[r.message_id for r in m.replies] for m in store.messages()] == [
        *([f"<r{n}@x>"] for n in range(1, 8)),
        [],
    ]
    assert len(list(store.ledger())) == 8 + 7 * 2
    assert first_broken(store.ledger()) is None
    assert [(m.id, m.sha256) for m in store.messages()] == [(n, digest(f"mail {n}")) for n in range(1, 9)]


def test_a_stream_left_in_the_middle_holds_nothing_up(store: Store) -> None:
    take(store, receipt(1), receipt(2))
    stream = store.messages()
    next(stream)
    store.set_flag("written", "meanwhile")
    stream.close()
    assert store.flag("written") == "meanwhile"


def test_messages_by_what_is_asked(store: Store) -> None:
    take(store, *(receipt(n) for n in range(1, 5)))
    store.record_decisions([settled(1)])
    store.record_decisions([settled(2, outcome=Outcome.REVIEW, decided_at=NOON + HOUR)])
    store.record_decisions([ignored(3, finding(Code.MESSAGE_AUTOMATIC), decided_at=NOON + HOUR)])

    def ids(**which: object) -> list[int]:
        return [m.id for m in store.messages(**which)]  # type: ignore[arg-type]

    assert ids(decided_since=NOON) == [2, 3]
    assert ids(decided_since=NOON - HOUR) == [1, 2, 3]
    assert ids(organization=SOCIETY.name) == [1, 2]
    assert ids(numbers=(4, 2)) == [2, 4]
    assert ids(organization=SOCIETY.name, decided_since=NOON) == [2]


def test_the_figures(store: Store) -> None:
    take(store, *(receipt(n) for n in range(1, 5)))
    store.record_decisions(
        [settled(1, reply("<r1@x>")), settled(2, reply("<r2@x>", state=ReplyState.HELD)), ignored(3)]
    )
    counts = store.counts()
    assert (counts.messages, counts.waiting) == (4, 1)
    assert counts.by_outcome == {Outcome.ACKNOWLEDGED: 2, Outcome.IGNORED: 1}
    assert counts.replies == {ReplyState.QUEUED: 1, ReplyState.HELD: 1}


def test_an_organization_stands_where_the_version_that_counts_stands(store: Store) -> None:
    take(store, receipt(1), receipt(2, received_at=DEADLINE + HOUR), receipt(3, "copy"))
    over = finding(Code.SCORE_OVER_MAX, item=8)
    good, late = contribution(1, NOON + timedelta(minutes=1)), contribution(2, DEADLINE + HOUR, over)
    store.record_decisions(
        [settled(1, contribution=good, versions=fold((good,), Track.SOCIETY, TERMS)), ignored(3)]
    )
    worse = assessment("120")
    store.record_decisions(
        [
            settled(
                2,
                outcome=Outcome.CORRECTION,
                contribution=late,
                versions=fold((good, late), Track.SOCIETY, TERMS),
                assessment=worse,
                head=head(message_id="<2@x>"),
            )
        ]
    )
    record = store.organization(SOCIETY.name)
    assert record is not None
    assert (record.name, record.track, record.status) == (SOCIETY.name, Track.SOCIETY, Status.COMPLETE)
    assert [v.state for v in record.versions] == [Status.COMPLETE, Status.INCOMPLETE]
    assert record.counts is not None
    assert (record.counts.message, record.counts.on_time, record.counts.total) == (1, True, Decimal("89.5"))
    assert record.assessment == assessment()
    assert record.senders == ("office@example.org",)
    assert record.first_received_at == NOON + timedelta(minutes=1)
    assert store.organizations() == (record,)
    assert store.organizations(forms=False) == (replace(record, assessment=None),)
    assert store.organization("浙江省") is None
    whole = fold((good, late), Track.SOCIETY, TERMS)
    assert store.versions(SOCIETY.name) == whole
    assert record.counts == whole[0]
    assert [(v.number, v.message, v.received_at, v.on_time) for v in record.versions] == [
        (v.number, v.message, v.received_at, v.on_time) for v in whole
    ]
    assert store.versions("浙江省") == ()


def test_organizations_come_by_name(store: Store) -> None:
    take(store, receipt(1), receipt(2))
    other = Organization(name="A", track=Track.ENTERPRISE)
    store.record_decisions([settled(1), settled(2, organization=other)])
    assert [(o.name, o.track) for o in store.organizations()] == [
        ("A", Track.ENTERPRISE),
        (SOCIETY.name, Track.SOCIETY),
    ]


@pytest.mark.parametrize(
    ("changes", "status"),
    [({}, Status.REVIEW), ({"documents": (), "assessment": None}, Status.NOT_RECEIVED)],
    ids=["documents that were not trusted", "a mere question"],
)
def test_without_a_version_a_person_is_asked_only_where_something_came(
    store: Store, changes: dict[str, object], status: Status
) -> None:
    take(store, receipt(1))
    store.record_decisions([settled(1, outcome=Outcome.REVIEW, contribution=None, versions=(), **changes)])
    record = store.organization(SOCIETY.name)
    assert record is not None
    assert (record.status, record.counts, record.assessment) == (status, None, None)


def test_what_the_staff_noted_comes_back(store: Store) -> None:
    take(store, receipt(1))
    store.record_decisions([settled(1)])
    noted = {
        "paper_received": date(2021, 1, 14),
        "paper_sealed": True,
        "staff_points": "88.5",
        "note": "已核",
    }
    with store.writing() as connection:
        connection.execute(sa.update(organizations).values(**noted))
    record = store.organization(SOCIETY.name)
    assert record is not None
    assert (record.paper_received, record.paper_sealed) == (date(2021, 1, 14), True)
    assert (record.staff_points, record.note) == (Decimal("88.5"), "已核")


def test_small_values_are_remembered(store: Store) -> None:
    assert store.flag("digest:sent") is None
    store.set_flag("digest:sent", "1")
    store.set_flag("digest:sent", "2")
    store.set_flag("other", "3")
    assert (store.flag("digest:sent"), store.flag("other")) == ("2", "3")


def test_an_empty_store_answers_everything(store: Store) -> None:
    assert list(store.messages()) == []
    assert store.organizations() == ()
    assert store.counts().messages == 0
    assert list(store.ledger()) == []
    assert store.replies_in(*ReplyState) == ()


def test_the_newest_and_what_waits_for_a_person_by_their_numbers(store: Store) -> None:
    take(store, *(receipt(n) for n in range(1, 7)))
    store.record_decisions(
        [settled(1), settled(2, outcome=Outcome.REVIEW), settled(3, outcome=Outcome.REVIEW)]
    )
    store.record_decisions([settled(4, reply("<r4@x>", state=ReplyState.HELD))])
    store.record_rulings([ruling(3, RulingKind.NO_SUBMISSION)])
    assert store.newest(2) == (6, 5)
    assert set(store.numbers_for_a_person()) == {2, 4}
    store.record_rulings([ruling(2, RulingKind.ASSIGN)])
    assert [m.id for m in store.for_a_person()] == [2, 4]
    assert [m.id for m in store.messages(numbers=(5, 4, 1), organization=SOCIETY.name)] == [1, 4]


def ruling(message: int, kind: RulingKind) -> Ruling:
    return Ruling(message=message, kind=kind, by="章", why="已核对", at=NOON)
