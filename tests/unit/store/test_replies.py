"""The outbox's rows: each reply is claimed once, and goes on only from where it stands."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from mailbot.model import ReplyKind, ReplyState
from mailbot.store.ledger import first_broken
from mailbot.store.store import Settlement, Store
from tests.unit.store.mails import NOON, SOCIETY, composed, receipt, reply, settled, take

HOUR = timedelta(hours=1)
QUEUED, SENDING, SENT = ReplyState.QUEUED, ReplyState.SENDING, ReplyState.SENT


@pytest.fixture
def queue(store: Store) -> Store:
    """Three replies to mails that were decided in another order than they were received."""
    take(store, *(receipt(n, received_at=NOON - n * HOUR) for n in (1, 2, 3)))
    store.record_decisions([settled(n, reply(f"<r{n}@x>")) for n in (1, 2, 3)])
    return store


def states(store: Store) -> dict[int, ReplyState]:
    return {r.id: r.state for r in store.replies_in(*ReplyState)}


def kinds(store: Store) -> list[str]:
    return [entry.kind for entry in store.ledger() if entry.kind not in ("received", "decided", "queued")]


def settle(store: Store, number: int, state: ReplyState, **changes: object) -> None:
    store.settle_replies([Settlement(reply=number, state=state, **changes)], at=NOON + HOUR)  # type: ignore[arg-type]


def test_what_is_due_comes_in_the_order_in_which_the_mails_came(queue: Store) -> None:
    due = queue.due_replies("societies", now=NOON, limit=9)
    assert [r.message for r in due] == [3, 2, 1]
    assert [r.message for r in queue.due_replies("societies", now=NOON, limit=1)] == [3]
    assert queue.due_replies("enterprises", now=NOON, limit=9) == ()
    first = due[0]
    assert (first.kind, first.to, first.message_id) == (
        ReplyKind.ACKNOWLEDGEMENT,
        "office@example.org",
        "<r3@x>",
    )


def test_a_reply_is_sending_before_it_goes_and_sent_after(queue: Store) -> None:
    assert list(queue.begin_sending([3, 1], at=NOON)) == [3, 1]
    assert states(queue) == {3: SENDING, 2: QUEUED, 1: SENDING}
    assert [r.id for r in queue.replies_in(SENDING)] == [3, 1]
    settle(queue, 3, SENT)
    (sent,) = queue.replies_in(SENT)
    assert (sent.id, sent.sent_at, sent.attempts, sent.error) == (3, NOON + HOUR, 1, "")
    assert list(queue.begin_sending([3, 2], at=NOON)) == [2]
    assert kinds(queue) == ["sending", "sending", "sent", "sending"]
    assert '"reply":"<r3@x>"' in list(queue.ledger())[-2].payload
    assert first_broken(queue.ledger()) is None


def test_how_some_ended_is_written_down_with_the_claim_of_the_next(queue: Store) -> None:
    queue.begin_sending([3, 2], at=NOON)
    ended = [Settlement(reply=3, state=SENT), Settlement(reply=2, state=QUEUED)]
    assert queue.begin_sending([2, 1], at=NOON, ended=ended) == {2: composed(queue, 2), 1: composed(queue, 1)}
    assert states(queue) == {3: SENT, 2: SENDING, 1: SENDING}
    assert kinds(queue) == ["sending", "sending", "sent", "sending", "sending"]
    assert first_broken(queue.ledger()) is None


def test_two_threads_never_claim_the_same_reply(queue: Store) -> None:
    claimed: list[int] = []
    ready = threading.Barrier(4)

    def claim() -> None:
        ready.wait()
        for number in (1, 2, 3):
            claimed.extend(queue.begin_sending([number], at=NOON))

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == [1, 2, 3]


def test_a_reply_put_off_is_due_again_at_its_time(queue: Store) -> None:
    queue.begin_sending([3], at=NOON)
    settle(queue, 3, QUEUED, error="451 later" + "." * 2000, next_attempt_at=NOON + 2 * HOUR)
    assert [r.id for r in queue.due_replies("societies", now=NOON + HOUR, limit=9)] == [2, 1]
    due = queue.due_replies("societies", now=NOON + 2 * HOUR, limit=9)
    assert [r.id for r in due] == [3, 2, 1]
    assert (due[0].attempts, due[0].sent_at, len(due[0].error)) == (1, None, 1000)
    queue.begin_sending([3], at=NOON)
    settle(queue, 3, SENT)
    (sent,) = queue.replies_in(SENT)
    assert (sent.attempts, sent.error) == (2, "")


def test_what_goes_back_untried_counts_no_attempt(queue: Store) -> None:
    queue.begin_sending([3, 2], at=NOON)
    settle(queue, 2, QUEUED)
    assert [(r.id, r.attempts) for r in queue.due_replies("societies", now=NOON, limit=9)] == [(2, 0), (1, 0)]


@pytest.mark.parametrize("state", [ReplyState.FAILED, ReplyState.UNCERTAIN, ReplyState.DRAFTED])
def test_how_an_attempt_ended_is_kept_and_it_is_not_due_again(queue: Store, state: ReplyState) -> None:
    queue.begin_sending([3], at=NOON)
    settle(queue, 3, state, error="550 no")
    (ended,) = queue.replies_in(state)
    assert (ended.id, ended.error, ended.attempts) == (3, "550 no", 1)
    assert (ended.sent_at is not None) is (state is ReplyState.DRAFTED)
    assert [r.id for r in queue.due_replies("societies", now=NOON + 99 * HOUR, limit=9)] == [2, 1]
    assert kinds(queue)[-1] == state.value


def test_what_was_sent_stays_sent(queue: Store) -> None:
    queue.begin_sending([3], at=NOON)
    settle(queue, 3, SENT)
    links = len(list(queue.ledger()))
    settle(queue, 3, ReplyState.UNCERTAIN, error="late word")
    settle(queue, 3, QUEUED)
    assert states(queue)[3] is SENT
    assert len(list(queue.ledger())) == links
    queue.settle_replies([], at=NOON)


def test_a_reply_may_be_held_from_the_beginning(store: Store) -> None:
    take(store, receipt(1))
    store.record_decisions([settled(1, reply(state=ReplyState.HELD))])
    assert store.due_replies("societies", now=NOON + 99 * HOUR, limit=9) == ()
    assert store.begin_sending([1], at=NOON) == {}
    assert states(store) == {1: ReplyState.HELD}


def test_the_octets_come_back_as_they_were(store: Store) -> None:
    octets = bytes(range(256)) * 100
    take(store, receipt(1))
    store.record_decisions([settled(1, reply(octets=octets))])
    assert composed(store, 1) == octets


def test_what_an_organization_was_told_before(queue: Store) -> None:
    assert [r.message for r in queue.earlier_replies(SOCIETY.name)] == [3, 2, 1]
    assert queue.earlier_replies("浙江省其他学会") == ()
