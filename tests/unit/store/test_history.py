"""The ledger as JSON lines, and as facts."""

from __future__ import annotations

import io

import pytest

from mailbot.errors import UsageError
from mailbot.model import ReplyKind, ReplyState
from mailbot.store.history import History, read_lines, write_lines
from mailbot.store.ledger import first_broken
from mailbot.store.store import NewReply, Settlement, Store
from tests.unit.store.mails import NOON, receipt, settled, take


def lived(store: Store) -> None:
    """One mail received, decided and answered at the second attempt."""
    take(store, receipt(1), receipt(2))
    letter = NewReply(
        mailbox="societies",
        kind=ReplyKind.RECEIPT,
        to="a@example.com",
        message_id="<r1@example.org>",
        subject="收到",
        octets=b"",
        state=ReplyState.QUEUED,
    )
    store.record_decisions((settled(1, letter),))
    store.begin_sending([1], at=NOON)
    later = Settlement(reply=1, state=ReplyState.QUEUED, error="451 later", next_attempt_at=NOON)
    store.settle_replies((later,), at=NOON)
    store.begin_sending([1], at=NOON)
    store.settle_replies((Settlement(reply=1, state=ReplyState.QUEUED, error="no connection"),), at=NOON)
    store.begin_sending([1], at=NOON)
    store.settle_replies((Settlement(reply=1, state=ReplyState.SENT),), at=NOON)


def test_what_is_exported_is_the_same_chain(store: Store) -> None:
    lived(store)
    out = io.BytesIO()
    assert write_lines(store.ledger(), out) == len(list(store.ledger()))
    out.seek(0)
    again = list(read_lines(out, "ledger.jsonl"))
    assert again == list(store.ledger())
    assert first_broken(again) is None


def test_the_facts_are_those_of_the_rows(store: Store) -> None:
    lived(store)
    facts = History()
    for entry in store.ledger():
        facts.take(entry)
    first, second = store.messages()
    assert [facts.received[m.id].hash for m in (first, second)] == [first.receipt_hash, second.receipt_hash]
    assert facts.decided[1].outcome == first.outcome
    assert 2 not in facts.decided
    [letter] = first.replies
    fact = facts.replies[letter.message_id]
    assert (fact.state, fact.attempts, fact.to, fact.message) == ("sent", letter.attempts, letter.to, 1)
    assert letter.attempts == 2
    assert facts.head == store.newest_link().hash


@pytest.mark.parametrize("line", [b"", b"[]", b"{}", b'{"seq": 1}', b"\xff"])
def test_a_line_that_is_no_link_is_named(line: bytes) -> None:
    with pytest.raises(UsageError, match=r"a\.jsonl: line 1"):
        list(read_lines(io.BytesIO(line + b"\n"), "a.jsonl"))
