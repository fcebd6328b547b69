"""Decisions: one transaction with their replies and ledger entries, or nothing; and what later mails learn from them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from mailbot.model import (
    Code,
    Decision,
    Organization,
    Outcome,
    ReplyKind,
    ReplyState,
    Status,
    Track,
    finding,
)
from mailbot.reading import Address
from mailbot.records import StoredMessage
from mailbot.store.ledger import first_broken
from mailbot.store.store import AlreadyDecidedError, Copy, Store
from mailbot.submission import fold
from tests.unit.store.mails import (
    NOON,
    SOCIETY,
    TERMS,
    assessment,
    composed,
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
OTHER = Organization(name="浙江省其他学会", track=Track.SOCIETY)


def stored(store: Store, number: int) -> StoredMessage:
    message = store.waiting_message(number)
    assert message is not None
    return message


def kinds(store: Store) -> list[str]:
    return [entry.kind for entry in store.ledger()]


def test_a_decision_is_kept_whole(store: Store) -> None:
    take(store, receipt(1))
    over = finding(Code.SCORE_OVER_MAX, item=8, found="3", wanted="2", document="自评表.xlsx", place="表!F4")
    late = NOON + 9 * HOUR
    who = head(
        fingerprint="f" * 64, subject="报送\x00材料", received=NOON - HOUR, date=NOON, message_id="<a@x>"
    )
    store.record_decisions(
        [
            settled(
                1,
                reply("<r1@x>"),
                outcome=Outcome.CORRECTION,
                findings=(over,),
                head=who,
                decided_at=late,
            )
        ]
    )
    (message,) = store.messages()
    assert (message.outcome, message.decided_at, message.organization) == (
        Outcome.CORRECTION,
        late,
        SOCIETY.name,
    )
    assert message.findings == (over,)
    assert message.assessment == assessment()
    assert (message.message_id, message.sender, message.subject) == (
        "<a@x>",
        "office@example.org",
        "报送\ufffd材料",
    )
    assert (message.header_received, message.header_date) == (NOON - HOUR, NOON)
    (document,) = message.documents
    assert (document.filename, document.container, document.sha256) == (
        "自评表.xlsx",
        "资料.zip",
        digest("自评表.xlsx"),
    )
    (answer,) = message.replies
    assert (answer.message_id, answer.to, answer.state) == ("<r1@x>", "office@example.org", ReplyState.QUEUED)
    assert (answer.queued_at, answer.attempts, answer.sent_at, answer.error) == (late, 0, None, "")
    assert composed(store, answer.id) == reply().octets
    assert store.waiting(9, now=late) == ()
    assert store.contributions(SOCIETY.name) == (contribution(1),)
    assert kinds(store) == ["received", "decided", "queued"]
    said = json.loads(list(store.ledger())[1].payload)
    assert said == {
        "message": 1,
        "outcome": "correction",
        "organization": SOCIETY.name,
        "findings": ["score.over_max#8"],
        "total": "89.5",
    }
    assert first_broken(store.ledger()) is None


def test_nobody_is_decided_twice_and_a_batch_is_all_or_nothing(store: Store) -> None:
    take(store, receipt(1), receipt(2), receipt(3))
    store.record_decisions([settled(2, reply("<r2@x>"))])
    before = kinds(store)
    with pytest.raises(AlreadyDecidedError):
        store.record_decisions(
            [settled(1, reply("<r1@x>")), settled(2, reply("<again@x>")), settled(3, reply("<r3@x>"))]
        )
    assert [m.outcome for m in store.messages()] == [None, Outcome.ACKNOWLEDGED, None]
    assert [r.message_id for r in store.replies_in(*ReplyState)] == ["<r2@x>"]
    assert kinds(store) == before
    with pytest.raises(AlreadyDecidedError):
        store.record_decisions([settled(99)])
    store.record_decisions([])
    store.record_decisions([settled(1, reply("<r1@x>")), settled(3, reply("<r3@x>"))])
    assert {m.outcome for m in store.messages()} == {Outcome.ACKNOWLEDGED}
    assert first_broken(store.ledger()) is None


def test_a_total_that_could_not_be_read_is_null_in_the_ledger(store: Store) -> None:
    take(store, receipt(1))
    store.record_decisions([settled(1, assessment=replace(assessment(), total=None))])
    assert json.loads(list(store.ledger())[1].payload)["total"] is None


def test_two_mails_with_one_message_id_are_both_kept(store: Store) -> None:
    take(store, receipt(1), receipt(2))
    one = head(message_id="<same@x>", fingerprint=digest("one"))
    other = head(message_id="<same@x>", fingerprint=digest("other"))
    store.record_decisions([settled(1, head=one)])
    assert store.find_copy(stored(store, 2), other.fingerprint) is None
    store.record_decisions([settled(2, head=other)])
    assert [m.message_id for m in store.messages()] == ["<same@x>"] * 2


class TestCopies:
    """The same mail, known again by its octets or by its words."""

    def test_by_octets_in_another_folder(self, store: Store) -> None:
        take(store, receipt(1, "same"))
        take(store, receipt(1, "same", folder="Junk", junk=True))
        assert store.find_copy(stored(store, 2), "") is None, "the other is not decided yet"
        store.record_decisions([settled(1)])
        first = NOON + timedelta(minutes=1)
        assert store.find_copy(stored(store, 2), "") == Copy(id=1, received_at=first, junk=False)

    def test_by_words_in_the_other_mailbox(self, store: Store) -> None:
        take(store, receipt(1))
        take(store, receipt(1, "other marks", mailbox="enterprises"))
        store.record_decisions([settled(1, head=head(fingerprint="f" * 64))])
        assert store.find_copy(stored(store, 2), "e" * 64) is None
        found = store.find_copy(stored(store, 2), "f" * 64)
        assert found is not None
        assert found.id == 1

    def test_what_has_neither_is_nobody_s_copy(self, store: Store) -> None:
        take(store, receipt(1, None), receipt(2, None))
        store.record_decisions([settled(1, head=head(fingerprint=""))])
        assert store.find_copy(stored(store, 2), "") is None

    def test_an_ignored_copy_does_not_count(self, store: Store) -> None:
        take(store, receipt(1, "same"), receipt(2, "same"))
        store.record_decisions([ignored(1, finding(Code.MESSAGE_AUTOMATIC))])
        assert store.find_copy(stored(store, 2), "") is None

    def test_the_first_received_goes_before_and_junk_comes_last(self, store: Store) -> None:
        take(store, receipt(1, "same", folder="Junk", junk=True))
        take(store, receipt(2, "same", mailbox="enterprises", received_at=NOON + 3 * HOUR))
        take(store, receipt(3, "same", mailbox="elsewhere", received_at=NOON + 2 * HOUR))
        take(store, receipt(9, "same", mailbox="more"))
        store.record_decisions([settled(1), settled(2), settled(3)])
        found = store.find_copy(stored(store, 4), "")
        assert found == Copy(id=3, received_at=NOON + 2 * HOUR, junk=False)

    def test_the_copy_received_later_gives_way_and_its_replies_stay(self, store: Store) -> None:
        take(store, receipt(1, received_at=NOON + HOUR))
        take(store, receipt(1, "earlier", mailbox="enterprises", received_at=NOON))
        store.record_decisions([settled(1, reply("<r1@x>"))])
        store.record_decisions([settled(2, supersedes=1)])
        later, earlier = store.messages()
        assert (later.outcome, [f.code for f in later.findings]) == (
            Outcome.IGNORED,
            [Code.MESSAGE_DUPLICATE],
        )
        assert later.findings[0].found == "2"
        assert [r.message_id for r in later.replies] == ["<r1@x>"]
        assert (earlier.outcome, earlier.replies) == (Outcome.ACKNOWLEDGED, ())
        assert [c.message for c in store.contributions(SOCIETY.name)] == [2]
        organization = store.organization(SOCIETY.name)
        assert organization is not None
        assert [v.message for v in organization.versions] == [2]
        assert kinds(store)[-2:] == ["superseded", "decided"]
        assert first_broken(store.ledger()) is None

    def test_what_its_other_copy_was_answered_is_not_answered_again(self, store: Store) -> None:
        take(store, receipt(1, folder="Junk", junk=True), receipt(2))
        store.record_decisions([settled(1, reply("<r1@x>", kind=ReplyKind.RECEIPT))])
        receipted, told = (
            reply(f"<{kind}@x>", kind=kind) for kind in (ReplyKind.RECEIPT, ReplyKind.CORRECTION)
        )
        store.record_decisions([settled(2, receipted, told, supersedes=1)])
        assert [(r.message, r.message_id) for m in store.messages() for r in m.replies] == [
            (1, "<r1@x>"),
            (2, told.message_id),
        ]
        assert kinds(store)[-1] == "queued"
        assert kinds(store).count("queued") == 2

    def test_one_that_counts_for_nothing_takes_away_what_the_other_brought(self, store: Store) -> None:
        """Received first, it came before the campaign was open."""
        take(store, receipt(1, received_at=NOON + HOUR), receipt(2))
        store.record_decisions([settled(1)])
        store.record_decisions([settled(2, supersedes=1, contribution=None, versions=())])
        assert store.versions(SOCIETY.name) == ()

    def test_the_same_mail_in_both_mailboxes_is_in_no_wrong_one(self, store: Store) -> None:
        wrong, late = finding(Code.DELIVERY_WRONG_MAILBOX), finding(Code.DELIVERY_LATE)
        take(store, receipt(1, mailbox="enterprises"))
        take(store, receipt(1, "copy"))
        store.record_decisions([settled(1, findings=(wrong, late))])
        store.record_decisions([ignored(2, finding(Code.MESSAGE_DUPLICATE, found="1"))])
        assert [m.findings for m in store.messages()] == [
            (late,),
            (finding(Code.MESSAGE_DUPLICATE, found="1"),),
        ]

    def test_two_copies_in_one_wrong_mailbox_are(self, store: Store) -> None:
        wrong = finding(Code.DELIVERY_WRONG_MAILBOX)
        take(store, receipt(1), receipt(2, "copy"))
        store.record_decisions([settled(1, findings=(wrong,))])
        store.record_decisions([ignored(2, finding(Code.MESSAGE_DUPLICATE, found="1"))])
        assert next(store.messages()).findings == (wrong,)

    def test_the_earlier_copy_in_the_wrong_mailbox_is_not_noted_either(self, store: Store) -> None:
        wrong = finding(Code.DELIVERY_WRONG_MAILBOX)
        take(store, receipt(1, received_at=NOON + HOUR))
        take(store, receipt(1, "earlier", mailbox="enterprises", received_at=NOON))
        store.record_decisions([settled(1)])
        store.record_decisions([settled(2, supersedes=1, findings=(wrong,))])
        assert [m.findings for m in store.messages()][1] == ()


class TestLearning:
    """Which organization earlier mails say."""

    def test_of_a_sender_that_always_wrote_for_one(self, store: Store) -> None:
        take(store, receipt(1), receipt(2))
        assert store.learned_organization(("office@example.org",), ()) is None
        store.record_decisions([settled(1)])
        assert store.learned_organization(("office@example.org",), ()) == SOCIETY
        assert store.learned_organization(("other@example.org",), ()) is None
        assert store.learned_organization((), ("", "<unknown@x>")) is None
        store.record_decisions([settled(2, organization=OTHER)])
        assert store.learned_organization(("office@example.org",), ()) is None

    def test_of_the_thread_before_the_sender(self, store: Store) -> None:
        take(store, receipt(1), receipt(2))
        another = head(from_=(Address(name="", address="other@example.org"),))
        store.record_decisions([settled(1, reply("<r1@x>")), settled(2, organization=OTHER, head=another)])
        assert store.learned_organization(("other@example.org",), ()) == OTHER
        assert store.learned_organization(("other@example.org",), ("", "<r1@x>")) == SOCIETY

    def test_never_of_a_mail_that_was_not_trusted(self, store: Store) -> None:
        take(store, receipt(1))
        store.record_decisions([settled(1, outcome=Outcome.REVIEW, contribution=None, versions=())])
        assert store.learned_organization(("office@example.org",), ()) is None


def test_a_mail_that_is_not_trusted_changes_nothing_of_the_organization(store: Store) -> None:
    take(store, receipt(1), receipt(2))
    store.record_decisions([settled(1)])
    before = store.organization(SOCIETY.name)
    assert before is not None
    forged = Organization(name=SOCIETY.name, track=Track.ENTERPRISE)
    store.record_decisions(
        [settled(2, outcome=Outcome.REVIEW, organization=forged, contribution=None, versions=())]
    )
    after = store.organization(SOCIETY.name)
    assert after is not None
    assert (after.track, after.versions, after.status) == (Track.SOCIETY, before.versions, Status.COMPLETE)


@pytest.mark.parametrize("trusted", [1, 2])
def test_of_two_mails_in_one_commit_the_trusted_one_says_what_the_organization_has(
    store: Store, trusted: int
) -> None:
    take(store, receipt(1), receipt(2))
    other = 3 - trusted
    doubtful = settled(other, outcome=Outcome.REVIEW, contribution=None, versions=())
    store.record_decisions(sorted((settled(trusted), doubtful), key=lambda one: one.message))
    assert [v.message for v in store.versions(SOCIETY.name)] == [trusted]


def test_the_contributions_of_an_organization_are_its_own(store: Store) -> None:
    take(store, receipt(1), receipt(2), receipt(3))
    over = finding(Code.SCORE_OVER_MAX, item=8)
    own = contribution(2, NOON + HOUR, over)
    both = fold((contribution(1), own), Track.SOCIETY, TERMS)
    store.record_decisions([settled(1), settled(3, organization=OTHER)])
    store.record_decisions([settled(2, contribution=own, versions=both)])
    assert sorted(store.contributions(SOCIETY.name), key=lambda c: c.message) == [contribution(1), own]
    assert [c.message for c in store.contributions(OTHER.name)] == [3]
    assert store.contributions("浙江省") == ()


def test_replies_are_counted_for_the_limits(store: Store) -> None:
    take(store, receipt(1), receipt(2), receipt(3))
    store.record_decisions([settled(1, reply("<r1@x>"))])
    store.record_decisions([settled(2, reply("<r2@x>", to="other@example.org"), decided_at=NOON + HOUR)])
    store.record_decisions([settled(3, reply("<r3@x>"), organization=OTHER, decided_at=NOON + HOUR)])
    queued = store.replies_queued(
        "office@example.org", SOCIETY.name, day=NOON, hour=NOON + timedelta(seconds=1)
    )
    assert (queued.newest, queued.to_reader, queued.to_organization, queued.in_the_hour) == (3, 2, 2, 2)
    later = store.replies_queued("office@example.org", None, day=NOON + HOUR, hour=NOON)
    assert (later.to_reader, later.to_organization, later.in_the_hour) == (1, 0, 3)


def test_an_empty_outbox_counts_nothing(store: Store) -> None:
    queued = store.replies_queued("office@example.org", SOCIETY.name, day=NOON, hour=NOON)
    assert (queued.newest, queued.to_reader, queued.to_organization, queued.in_the_hour) == (0, 0, 0, 0)


def test_a_reply_id_that_another_mail_s_letter_has_rolls_the_decision_back(store: Store) -> None:
    take(store, receipt(1), receipt(2))
    store.record_decisions([settled(1, reply("<r1@x>"))])
    with pytest.raises(Exception, match=r"(?i)unique"):
        store.record_decisions([settled(2, reply("<r1@x>"))])
    assert [m.outcome for m in store.messages()] == [Outcome.ACKNOWLEDGED, None]
    assert first_broken(store.ledger()) is None


def test_a_decision_on_nobody_is_kept_too(store: Store) -> None:
    take(store, receipt(1))
    nobody = replace(
        settled(1, head=head(from_=(), message_id="", subject="")),
        decision=Decision(
            outcome=Outcome.REVIEW, findings=(finding(Code.MESSAGE_UNPROCESSABLE, found="ValueError: \x00"),)
        ),
        assessment=None,
        documents=(),
    )
    store.record_decisions([nobody])
    (message,) = store.messages()
    assert (message.outcome, message.sender, message.assessment) == (Outcome.REVIEW, "", None)
    assert message.findings[0].found == "ValueError: \x00"
