"""What persons decide and note: kept with who and why, carried out once, and never lost between two writers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config as AlembicConfig

from mailbot.model import (
    Code,
    Organization,
    Outcome,
    ReplyKind,
    ReplyState,
    Ruling,
    RulingKind,
    Status,
    Track,
    finding,
    verdict,
)
from mailbot.records import Anew
from mailbot.store import database
from mailbot.store.history import History, ReplyFact
from mailbot.store.ledger import first_broken
from mailbot.store.store import (
    AlreadyDecidedError,
    DecidedAnew,
    Left,
    NewReply,
    Settled,
    Settlement,
    StaffEntry,
    Store,
)
from mailbot.submission import fold
from tests.unit.store.mails import (
    NOON,
    SOCIETY,
    TERMS,
    composed,
    contribution,
    head,
    receipt,
    reply,
    settled,
    take,
)

HOUR = timedelta(hours=1)
OTHER = Organization(name="浙江省其他学会", track=Track.SOCIETY)
UNKNOWN = finding(Code.ORGANIZATION_UNKNOWN, found="某学会")


def ruling(message: int = 1, kind: RulingKind = RulingKind.ACCEPT, **changes: object) -> Ruling:
    given: dict[str, object] = {"message": message, "kind": kind, "by": "章伟", "why": "电话核实", "at": NOON}
    return Ruling(**{**given, **changes})  # type: ignore[arg-type]


def waiting(message: int, *replies: NewReply, organization: Organization = SOCIETY) -> Settled:
    own = contribution(message, NOON, UNKNOWN)
    return settled(
        message,
        *replies,
        outcome=Outcome.REVIEW,
        findings=(UNKNOWN,),
        contribution=own,
        versions=fold((own,), Track.SOCIETY, TERMS),
        organization=organization,
    )


def receipt_letter(name: str = "<r1@x>", **changes: object) -> NewReply:
    return reply(name, kind=ReplyKind.RECEIPT, **changes)


def again(
    message: int, *replies: NewReply, rulings: int = 1, ordered: bool = True, **changes: object
) -> Settled:
    left = changes.pop("left", None)
    one = settled(
        message,
        *replies,
        decided_at=NOON + HOUR,
        anew=DecidedAnew(rulings=rulings, ordered=ordered, left=left),  # type: ignore[arg-type]
        **changes,
    )
    return replace(one, decision=replace(one.decision, reply=ReplyKind.ACKNOWLEDGEMENT))


def states(store: Store) -> dict[str, str]:
    """The replies' states, and why they were dropped."""
    return {r.message_id: f"{r.state.value} {r.dropped}".strip() for m in store.messages() for r in m.replies}


def anew(store: Store) -> list[tuple[int, Anew]]:
    return [(message.id, why) for message, why in store.to_decide_anew(now=NOON + 9 * HOUR)]


def test_a_ruling_is_kept_whole_and_marks_its_message(store: Store) -> None:
    take(store, receipt(1), receipt(2))
    store.record_decisions([waiting(1, receipt_letter()), settled(2)])
    one = ruling(kind=RulingKind.ASSIGN, organization=OTHER.name, track=Track.SOCIETY)
    two = ruling(kind=RulingKind.CORRECT, sentence="请盖章。")
    store.record_rulings((one, two))
    assert store.rulings(1) == (one, two)
    assert [m.rulings for m in store.messages()] == [(one, two), ()]
    assert anew(store) == [(1, Anew.RULED)]
    assert store.waits_to_be_decided_anew(1)
    assert not store.waits_to_be_decided_anew(2)
    said = [json.loads(e.payload) for e in store.ledger() if e.kind == "ruled"]
    assert [
        (s["message"], s["ruling"], s["by"], s["why"], s["organization"], s["sentence"]) for s in said
    ] == [
        (1, "assign", "章伟", "电话核实", OTHER.name, ""),
        (1, "correct", "章伟", "电话核实", None, "请盖章。"),
    ]
    assert first_broken(store.ledger()) is None


def test_a_decision_made_anew_takes_the_place_of_the_first_and_its_letter_goes(store: Store) -> None:
    take(store, receipt(1))
    store.record_decisions([waiting(1, receipt_letter())])
    store.record_rulings((ruling(),))
    store.record_decisions([again(1, reply("<a1@x>"))])
    (message,) = store.messages()
    assert (message.outcome, message.decided_at) == (Outcome.ACKNOWLEDGED, NOON + HOUR)
    assert states(store) == {"<r1@x>": "held superseded", "<a1@x>": "queued"}
    record = store.organization(SOCIETY.name)
    assert record is not None
    assert record.status is Status.COMPLETE
    assert anew(store) == []


def test_it_is_decided_anew_only_where_that_is_due(store: Store) -> None:
    take(store, receipt(1))
    store.record_decisions([settled(1)])
    with pytest.raises(AlreadyDecidedError):
        store.record_decisions([again(1, reply("<a1@x>"))])
    assert states(store) == {}


def test_a_ruling_given_while_the_message_was_decided_is_not_lost(store: Store) -> None:
    take(store, receipt(1))
    store.record_decisions([waiting(1)])
    store.record_rulings((ruling(),))
    store.record_rulings((ruling(kind=RulingKind.NO_SUBMISSION),))
    store.record_decisions([again(1, rulings=1)])
    assert anew(store) == [(1, Anew.RULED)]
    store.record_decisions([again(1, rulings=2)])
    assert anew(store) == []


@pytest.mark.parametrize("ordered", [True, False])
def test_a_mail_that_had_no_letter_gets_one(store: Store, ordered: bool) -> None:
    take(store, receipt(1))
    store.record_decisions([waiting(1)])
    store.record_rulings([ruling()])
    store.record_decisions([again(1, reply("<a1@x>"), ordered=ordered)])
    assert states(store) == {"<a1@x>": "queued"}


def test_mails_that_stayed_on_the_server_are_no_copies_of_each_other(store: Store) -> None:
    take(store, receipt(1, None), receipt(2, None))
    store.record_decisions([waiting(1, receipt_letter()), settled(2, head=head(fingerprint=""))])
    assert [letter.message for letter in store.letters_on(1)] == [1]
    assert store.letters_on(2) == ()


@pytest.mark.parametrize(
    ("state", "ordered", "after"),
    [
        (ReplyState.HELD, True, "queued"),
        (ReplyState.FAILED, True, "queued"),
        (ReplyState.HELD, False, "held"),
        (ReplyState.SENT, True, "sent"),
        (ReplyState.DRAFTED, True, "drafted"),
        (ReplyState.UNCERTAIN, True, "uncertain"),
        (ReplyState.SENDING, True, "sending"),
    ],
)
def test_there_is_one_letter_of_a_kind_and_what_has_left_never_goes_again(
    store: Store, state: ReplyState, ordered: bool, after: str
) -> None:
    take(store, receipt(1))
    store.record_decisions([settled(1, reply("<a1@x>", state=state))])
    store.record_rulings((ruling(),))
    store.record_decisions([again(1, reply("<a1@x>", octets=b"anew"), ordered=ordered)])
    assert states(store) == {"<a1@x>": after}
    assert composed(store, 1) == (b"anew" if after == "queued" else reply().octets)
    assert first_broken(store.ledger()) is None


def test_what_waits_only_for_the_organization_is_decided_anew_too(store: Store) -> None:
    take(store, receipt(1), receipt(2), receipt(3))
    both = [waiting(1), waiting(2)]
    store.record_decisions([*both, waiting(3, organization=OTHER)])
    store.record_rulings((ruling(),))
    store.record_decisions([again(1)])
    assert anew(store) == [(2, Anew.FOLLOWS)]


def test_an_organization_that_only_a_moved_mail_had_named_is_forgotten_unless_staff_noted_something(
    store: Store,
) -> None:
    take(store, receipt(1), receipt(2))
    store.record_decisions([waiting(1, organization=OTHER), waiting(2, organization=OTHER)])
    gone = Left(organization=OTHER.name, versions=())
    store.record_rulings((ruling(1), ruling(2)))
    store.record_decisions([again(1, left=gone)])
    left = store.organization(OTHER.name)
    assert left is not None
    assert left.versions == ()
    store.record_by_staff((entry(OTHER.name, note="已电话联系"),), at=NOON)
    store.record_decisions([again(2, left=gone)])
    kept = store.organization(OTHER.name)
    assert kept is not None
    assert (kept.status, kept.note) == (Status.NOT_RECEIVED, "已电话联系")
    store.record_by_staff((entry(OTHER.name),), at=NOON)
    store.record_rulings((ruling(2),))
    store.record_decisions([again(2, left=gone, rulings=2)])
    assert store.organization(OTHER.name) is None


def test_a_superseded_copy_hands_its_rulings_on(store: Store) -> None:
    take(store, receipt(1), receipt(2))
    store.record_decisions([waiting(1)])
    store.record_rulings((ruling(),))
    store.record_decisions([again(1)])
    store.record_decisions([settled(2, supersedes=1)])
    assert store.rulings(1) == ()
    assert [r.kind for r in store.rulings(2)] == [RulingKind.ACCEPT]
    assert anew(store) == []


def test_a_ruling_that_was_not_carried_out_yet_is_carried_out_on_the_copy_that_counts(store: Store) -> None:
    take(store, receipt(1), receipt(2))
    store.record_decisions([waiting(1)])
    store.record_rulings((ruling(),))
    store.record_decisions([settled(2, supersedes=1)])
    assert anew(store) == [(2, Anew.RULED)]


def copies(store: Store, octets: str, *letters: NewReply) -> None:
    """A mail in both mailboxes; the copy that was answered gave way, and a person has spoken on the other."""
    take(store, receipt(1, "one"))
    take(store, receipt(1, octets, mailbox="enterprises"))
    words = head(fingerprint="f" * 64)
    store.record_decisions([settled(1, *letters, head=words)])
    store.record_decisions([settled(2, supersedes=1, head=words)])
    store.record_rulings((ruling(2),))


@pytest.mark.parametrize("octets", ["one", "with other marks"])
def test_what_a_superseded_copy_was_answered_is_not_answered_again(store: Store, octets: str) -> None:
    copies(store, octets, reply("<a1@x>", state=ReplyState.SENT))
    name = "<a1@x>" if octets == "one" else "<a2@x>"
    store.record_decisions([again(2, reply(name), head=head(fingerprint="f" * 64))])
    assert states(store) == {"<a1@x>": "sent"}
    assert [r.message_id for r in store.letters_on(2)] == ["<a1@x>"]
    assert anew(store) == []


@pytest.mark.parametrize(
    ("name", "after"),
    [
        ("<a1@x>", {"<r1@x>": "held superseded", "<a1@x>": "queued"}),
        ("<a2@x>", {"<r1@x>": "held superseded", "<a1@x>": "held superseded", "<a2@x>": "queued"}),
    ],
)
def test_a_letter_to_a_superseded_copy_that_has_not_left_gives_way(
    store: Store, name: str, after: dict[str, str]
) -> None:
    copies(store, "one", receipt_letter(state=ReplyState.HELD), reply("<a1@x>"))
    store.record_decisions([again(2, reply(name, octets=b"anew"), head=head(fingerprint="f" * 64))])
    assert states(store) == after
    facts = letters_told(store)
    assert {n: f"{f.state} {f.dropped}".strip() for n, f in facts.items()} == after
    assert {r.message_id: r.message for r in store.letters_on(2)} == {n: f.message for n, f in facts.items()}


def test_for_a_person_is_what_has_no_verdict_and_what_has_a_stuck_reply(store: Store) -> None:
    take(store, *(receipt(n) for n in range(1, 6)))
    store.record_decisions(
        [
            waiting(1),
            waiting(2),
            settled(3, reply("<a3@x>")),
            settled(4, reply("<a4@x>", state=ReplyState.HELD)),
            waiting(5),
        ]
    )
    store.record_rulings((ruling(2), ruling(5, RulingKind.ASSIGN, organization=OTHER.name)))
    assert [m.id for m in store.for_a_person()] == [1, 4, 5]
    assert [m.id for m in store.messages(numbers=(5, 3, 99))] == [3, 5]
    (third,) = store.messages(numbers=(3,))
    store.begin_sending([third.replies[0].id], at=NOON)
    store.settle_replies(
        (Settlement(reply=third.replies[0].id, state=ReplyState.UNCERTAIN, error="cut"),), at=NOON
    )
    assert [m.id for m in store.for_a_person()] == [1, 3, 4, 5]


@pytest.mark.parametrize(
    ("words", "last"),
    [
        ("no_submission assign", None),
        ("assign no_submission", "no_submission"),
        ("accept no_submission assign", None),
        ("no_submission assign accept", "accept"),
        ("no_submission accept assign", "accept"),
        ("accept assign assign", "accept"),
        ("assign", None),
    ],
)
def test_the_last_word_counts_and_what_has_none_waits(store: Store, words: str, last: str | None) -> None:
    take(store, receipt(1))
    store.record_decisions([waiting(1)])
    for word in words.split():
        store.record_rulings((ruling(kind=RulingKind(word)),))
    found = verdict(store.rulings(1))
    assert (found and found.kind.value) == last
    (message,) = store.messages()
    waits = [1] if last is None else []
    assert [m.id for m in store.for_a_person()] == waits
    assert message.waits_for_a_person == bool(waits)
    assert bool(store.senders_waiting()) == bool(waits)


@pytest.mark.parametrize("state", [ReplyState.HELD, ReplyState.FAILED, ReplyState.UNCERTAIN])
def test_a_stuck_reply_is_sent_on_or_dropped_once(store: Store, state: ReplyState) -> None:
    take(store, receipt(1), receipt(2))
    store.record_decisions(
        [settled(1, reply("<a1@x>", state=state)), settled(2, reply("<a2@x>", state=state))]
    )
    first, second = store.replies_in(state)
    later = NOON + 240 * HOUR
    assert store.send_stuck_reply(first.id, by="章伟", why="可以发", at=later)
    assert store.drop_reply(second.id, by="章伟", why="已电话", at=later)
    assert not store.send_stuck_reply(first.id, by="章伟", why="再发", at=later)
    assert not store.send_stuck_reply(second.id, by="章伟", why="再发", at=later)
    assert not store.drop_reply(second.id, by="章伟", why="不发", at=later)
    assert states(store) == {"<a1@x>": "queued", "<a2@x>": f"{state.value} 章伟：已电话"}
    assert store.counts().replies == {ReplyState.QUEUED: 1}
    assert [m.id for m in store.for_a_person()] == []
    (due,) = store.due_replies("societies", now=later, limit=9)
    assert (due.message_id, due.queued_at, due.attempts) == ("<a1@x>", later, 0)
    said = {e.kind: json.loads(e.payload) for e in store.ledger()}
    assert said["dropped"] == {"reply": "<a2@x>", "by": "章伟", "why": "已电话"}


def test_a_queued_reply_is_dropped_and_goes_no_more(store: Store) -> None:
    take(store, receipt(1))
    store.record_decisions([settled(1, reply("<a1@x>"))])
    assert store.drop_reply(1, by="章伟", why="已电话", at=NOON)
    assert not store.drop_reply(1, by="章伟", why="已电话", at=NOON)
    assert states(store) == {"<a1@x>": "held 章伟：已电话"}
    assert store.due_replies("societies", now=NOON, limit=9) == ()
    assert letters_told(store)["<a1@x>"].state == "held"


@pytest.mark.parametrize("state", [s for s in ReplyState if s is not ReplyState.QUEUED])
def test_only_a_letter_that_is_queued_still_is_written_anew(store: Store, state: ReplyState) -> None:
    take(store, receipt(1), receipt(2))
    store.record_decisions([settled(1, reply("<a1@x>")), settled(2, reply("<a2@x>", state=state))])
    for letter in (1, 2):
        store.write_anew(letter, b"anew", at=NOON + HOUR)
    assert states(store) == {"<a1@x>": "queued", "<a2@x>": state.value}
    assert [composed(store, letter) for letter in (1, 2)] == [b"anew", reply().octets]


def test_a_reply_whose_text_is_lost_can_only_be_dropped(store: Store) -> None:
    take(store, receipt(1))
    store.record_decisions([settled(1, reply("<a1@x>", state=ReplyState.HELD, octets=b""))])
    assert not store.send_stuck_reply(1, by="a", why="b", at=NOON)
    assert store.drop_reply(1, by="a", why="b", at=NOON)


@pytest.mark.parametrize(
    ("state", "after"), [(ReplyState.HELD, "queued"), (ReplyState.UNCERTAIN, "uncertain 章伟：已电话")]
)
def test_a_dropped_letter_is_written_anew_only_where_it_cannot_have_left(
    store: Store, state: ReplyState, after: str
) -> None:
    take(store, receipt(1))
    store.record_decisions([settled(1, reply("<a1@x>", state=state))])
    assert store.drop_reply(1, by="章伟", why="已电话", at=NOON)
    store.record_rulings((ruling(),))
    store.record_decisions([again(1, reply("<a1@x>", octets=b"anew"))])
    assert states(store) == {"<a1@x>": after}


def entry(name: str, **changes: object) -> StaffEntry:
    given: dict[str, object] = {
        "organization": name,
        "track": Track.SOCIETY,
        "paper_received": None,
        "paper_sealed": None,
        "staff_points": None,
        "note": "",
    }
    return StaffEntry(**{**given, **changes})  # type: ignore[arg-type]


def test_what_staff_note_is_kept_also_of_who_has_not_written(store: Store) -> None:
    noted = {
        "paper_received": date(2021, 1, 18),
        "paper_sealed": True,
        "staff_points": Decimal("92.5"),
        "note": "好",
    }
    store.record_by_staff((entry(OTHER.name, **noted),), at=NOON)
    take(store, receipt(1))
    store.record_decisions([settled(1, organization=OTHER)])
    record = store.organization(OTHER.name)
    assert record is not None
    assert {name: getattr(record, name) for name in noted} == noted
    assert record.status is Status.COMPLETE
    said = [json.loads(e.payload) for e in store.ledger() if e.kind == "noted"]
    assert said == [
        {"organization": OTHER.name, **noted, "paper_received": "2021-01-18", "staff_points": "92.5"}
    ]


def old_database(path: Path, schema: str, *statements: str) -> None:
    """A database as an earlier program left it."""
    engine = sa.create_engine(f"sqlite:///{path}")
    alembic = AlembicConfig()
    alembic.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    with engine.begin() as connection:
        alembic.attributes["connection"] = connection
        command.upgrade(alembic, schema)
        for statement in statements:
            connection.execute(sa.text(statement))
    engine.dispose()


def test_replies_that_an_earlier_program_dropped_are_so_still_and_bear_the_ledger_out(tmp_path: Path) -> None:
    path = tmp_path / "mailbot.db"
    with Store.open(f"sqlite:///{path}") as store:
        take(store, receipt(1), receipt(2), receipt(3))
        store.record_decisions(
            [
                settled(1, reply("<a1@x>", state=ReplyState.UNCERTAIN)),
                waiting(2, receipt_letter("<r2@x>")),
                settled(3, reply("<a3@x>")),
            ]
        )
        store.drop_reply(1, by="章伟", why="已电话", at=NOON)
        store.record_rulings((ruling(2),))
        store.record_decisions([again(2, reply("<a2@x>"))])
        with store.engine.begin() as connection:
            connection.execute(sa.text("UPDATE replies SET state = 'dropped' WHERE dropped != ''"))
            connection.execute(sa.text("ALTER TABLE replies DROP COLUMN dropped"))
            connection.execute(sa.text("ALTER TABLE messages DROP COLUMN question"))
            for index in ("messages_that_contribute", "messages_by_organization", "replies_by_state"):
                connection.execute(sa.text(f"DROP INDEX {index}"))
            for column in ("sender", "organization"):
                connection.execute(sa.text(f"CREATE INDEX ix_messages_{column} ON messages ({column})"))
            connection.execute(sa.text("UPDATE alembic_version SET version_num = '0003'"))
    with Store.open(f"sqlite:///{path}") as store:
        assert states(store) == {
            "<a1@x>": "uncertain 章伟：已电话",
            "<r2@x>": "held superseded",
            "<a2@x>": "queued",
            "<a3@x>": "queued",
        }
        facts = letters_told(store)
        for message in store.messages():
            for one in message.replies:
                fact = facts[one.message_id]
                assert (one.state.value, one.dropped) == (fact.state, fact.dropped)


def test_a_database_of_before_the_rulings_is_brought_up_to_date_and_keeps_all(tmp_path: Path) -> None:
    path = tmp_path / "mailbot.db"
    old_database(path, "0001", "INSERT INTO flags VALUES ('a', '1')")
    with Store.open(f"sqlite:///{path}") as store:
        assert store.flag("a") == "1"
        take(store, receipt(1))
        store.record_decisions([waiting(1)])
        store.record_rulings((ruling(),))
        assert anew(store) == [(1, Anew.RULED)]
    assert list(tmp_path.glob("mailbot.db.before-*"))


def letters_told(store: Store) -> Mapping[str, ReplyFact]:
    """The letters by Message-ID as the ledger alone tells of them."""
    told = History()
    for entry in store.ledger():
        told.take(entry)
    return told.replies
