"""The books of a folder: rows, what is refused, what vanished, and what people moved away."""

from __future__ import annotations

from mailbot.store.store import Balance, Store
from tests.unit.store.mails import NOON, receipt, take

HERE = ("societies", "INBOX", 7)


def test_rows_and_refused_mails_are_accounted_for(store: Store) -> None:
    take(store, receipt(1), receipt(2, None))
    store.record_receipts(*HERE, 9, (), at=NOON, skipped_uids=[(5, "refused"), (6, "vanished")])
    take(store, receipt(1, "elsewhere", folder="Junk"))
    assert store.accounted(*HERE) == 3
    assert store.accounted_uids(*HERE) == {1, 2, 5, 6}
    assert store.accounted_uids(*HERE, vanished=False) == {1, 2, 5}
    assert store.accounted("societies", "INBOX", 8) == 0


def test_a_balance_is_remembered_for_its_uidvalidity_alone(store: Store) -> None:
    fresh = Balance(mailbox="societies", folder="INBOX", uidvalidity=7)
    assert store.balance(*HERE) == fresh
    kept = Balance(mailbox="societies", folder="INBOX", uidvalidity=7, gone=2, missing=(4, 9))
    store.record_balance(fresh)
    store.record_balance(kept)
    assert store.balance(*HERE) == kept
    assert store.balance("societies", "INBOX", 8) == Balance(
        mailbox="societies", folder="INBOX", uidvalidity=8
    )
    assert store.balance("societies", "Junk", 7).missing == ()


def test_only_books_that_do_not_balance_are_open(store: Store) -> None:
    store.set_flag("bookshelf", "no books")
    store.record_balance(Balance(mailbox="societies", folder="INBOX", uidvalidity=7, missing=(4,)))
    store.record_balance(Balance(mailbox="enterprises", folder="INBOX", uidvalidity=7, gone=3))
    assert [(b.mailbox, b.missing) for b in store.open_books()] == [("societies", (4,))]
    store.record_balance(Balance(mailbox="societies", folder="INBOX", uidvalidity=7))
    assert store.open_books() == ()
