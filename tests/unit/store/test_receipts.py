"""What came in: every mail has one row, and its receipt time is that of the first sighting."""

from __future__ import annotations

import threading
from datetime import timedelta, timezone

from mailbot.store.ledger import first_broken
from mailbot.store.store import Store
from tests.unit.store.mails import NOON, digest, receipt, take

HOUR = timedelta(hours=1)


def rows(store: Store) -> list[tuple[object, ...]]:
    return [(m.id, m.folder, m.uid, m.sha256, m.received_at) for m in store.messages()]


def test_a_mail_is_a_row_with_its_receipt_time_and_its_number(store: Store) -> None:
    china = NOON.astimezone(timezone(8 * HOUR))
    assert take(store, receipt(3, received_at=china)) == (1,)
    (message,) = store.messages()
    assert (message.id, message.mailbox, message.folder, message.uid) == (1, "societies", "INBOX", 3)
    assert (message.sha256, message.size, message.received_at) == (digest("mail 3"), 100, NOON)
    assert (message.outcome, message.decided_at, message.organization) == (None, None, None)
    (entry,) = store.ledger()
    assert message.receipt_hash == entry.hash
    assert '"received_at":"2021-01-15T04:00:00Z"' in entry.payload
    assert store.position("societies", "INBOX") == (7, 3)


def test_the_same_batch_again_changes_nothing(store: Store) -> None:
    batch = (receipt(1), receipt(2), receipt(5))
    assert take(store, *batch) == (1, 2, 3)
    before, links = rows(store), len(list(store.ledger()))
    assert take(store, *batch) == ()
    assert (rows(store), len(list(store.ledger()))) == (before, links)
    assert take(store, receipt(5), receipt(6)) == (4,)


def test_how_far_a_folder_is_read_never_goes_back(store: Store) -> None:
    assert store.position("societies", "INBOX") == (None, 0)
    take(store, receipt(9))
    store.record_receipts("societies", "INBOX", 7, 4, (), at=NOON)
    assert store.position("societies", "INBOX") == (7, 9)
    store.record_receipts("societies", "INBOX", 8, 2, (), at=NOON)
    assert store.position("societies", "INBOX") == (8, 2)
    assert store.position("enterprises", "INBOX") == (None, 0)


def test_another_uidvalidity_moves_the_rows_and_makes_none(store: Store) -> None:
    take(store, receipt(1), receipt(2), receipt(3, "same"), receipt(4, "same"))
    received = [m.received_at for m in store.messages()]
    links = len(list(store.ledger()))
    again = (
        receipt(11, "mail 2", uidvalidity=8, received_at=NOON + HOUR),
        receipt(12, "same", uidvalidity=8, received_at=NOON + HOUR),
        receipt(13, "same", uidvalidity=8, received_at=NOON + HOUR),
        receipt(14, "new", uidvalidity=8),
    )
    assert take(store, *again) == (2, 3, 4, 5)
    assert [(m.id, m.uid) for m in store.messages()] == [(1, 1), (2, 11), (3, 12), (4, 13), (5, 14)]
    assert [m.received_at for m in store.messages()][:4] == received
    assert len(list(store.ledger())) == links + 1
    assert take(store, *again) == ()


def test_a_copy_elsewhere_keeps_the_first_receipt_time(store: Store) -> None:
    take(store, receipt(1, "same", folder="Junk", junk=True))
    take(store, receipt(1, "same", received_at=NOON + 5 * HOUR))
    take(store, receipt(2, "same", received_at=NOON - HOUR))
    take(store, receipt(3, "same", received_at=NOON + 6 * HOUR))
    first = NOON + timedelta(minutes=1)
    assert [m.received_at for m in store.messages()] == [first, first, NOON - HOUR, NOON - HOUR]
    assert [m.junk for m in store.waiting(9, now=NOON + 9 * HOUR)] == [False, False, True, False]


def test_copies_within_one_batch_keep_the_first_receipt_time(store: Store) -> None:
    take(store, receipt(1, "same"), receipt(2, "same", received_at=NOON + 5 * HOUR))
    assert {m.received_at for m in store.messages()} == {NOON + timedelta(minutes=1)}


def test_another_mailbox_has_its_own_receipt_time(store: Store) -> None:
    take(store, receipt(1, "same"))
    take(store, receipt(1, "same", mailbox="enterprises", received_at=NOON + HOUR))
    assert [m.received_at for m in store.messages()] == [NOON + timedelta(minutes=1), NOON + HOUR]


def test_mails_left_on_the_server_are_rows_without_octets(store: Store) -> None:
    assert take(store, receipt(1, None), receipt(2, None)) == (1, 2)
    assert [m.sha256 for m in store.messages()] == ["", ""]
    moved = [receipt(n + 10, None, uidvalidity=8, received_at=NOON + timedelta(minutes=n)) for n in (1, 2)]
    assert take(store, *moved) == (1, 2)
    assert [m.uid for m in store.messages()] == [11, 12]


def test_two_folders_taken_in_at_once_lose_nothing(store: Store) -> None:
    def fill(mailbox: str) -> None:
        for uid in range(1, 30, 3):
            take(store, *(receipt(u, f"{mailbox} {u}", mailbox=mailbox) for u in range(uid, uid + 3)))

    threads = [threading.Thread(target=fill, args=(name,)) for name in ("societies", "enterprises")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [m.id for m in store.messages()] == list(range(1, 61))
    assert first_broken(store.ledger()) is None


def test_what_is_skipped_has_its_reason_until_it_comes_after_all(store: Store) -> None:
    skip = [(2, "refused"), (3, "vanished"), (5, "refused")]
    store.record_receipts("societies", "INBOX", 7, 5, [receipt(1)], at=NOON, skipped_uids=skip)
    assert store.refused_uids("societies", "INBOX", 7) == (2, 5)
    assert store.refused_uids("societies", "INBOX", 8) == ()
    assert store.accounted_uids("societies", "INBOX", 7) == {1, 2, 3, 5}
    assert store.accounted_uids("societies", "INBOX", 7, vanished=False) == {1, 2, 5}
    store.record_receipts("societies", "INBOX", 7, 5, [receipt(2)], at=NOON, skipped_uids=[(5, "vanished")])
    assert store.accounted_uids("societies", "INBOX", 7) == {1, 2, 3, 5}
    assert store.accounted_uids("societies", "INBOX", 7, vanished=False) == {1, 2}
    assert store.refused_uids("societies", "INBOX", 7) == ()


def test_the_books_are_kept_by_folder(store: Store) -> None:
    take(store, receipt(4), receipt(6))
    take(store, receipt(4, "junk", folder="Junk"))
    store.record_receipts("enterprises", "INBOX", 1, 3, (), at=NOON, skipped_uids=[(3, "refused")])
    assert store.accounted_uids("enterprises", "INBOX", 1) == {3}
    assert store.accounted_uids("societies", "INBOX", 7) == {4, 6}
    assert store.accounted_uids("societies", "Junk", 7) == {4}


def test_what_waits_is_taken_in_the_order_of_receipt_and_when_it_is_due(store: Store) -> None:
    take(
        store, receipt(1, received_at=NOON + HOUR), receipt(2, received_at=NOON), receipt(3, received_at=NOON)
    )
    assert [m.id for m in store.waiting(9, now=NOON)] == [2, 3, 1]
    assert [m.id for m in store.waiting(1, now=NOON)] == [2]
    store.count_failure(2, "ValueError: x", at=NOON, retry_at=NOON + HOUR)
    assert [m.id for m in store.waiting(9, now=NOON)] == [3, 1]
    assert [m.id for m in store.waiting(9, now=NOON + HOUR)] == [2, 3, 1]
    waiting = store.waiting_message(2)
    assert waiting is not None
    assert (waiting.attempts, waiting.uid, waiting.size) == (1, 2, 100)
    assert store.waiting_message(99) is None


def test_failures_are_counted_where_the_next_process_finds_them(url: str) -> None:
    with Store.open(url) as store:
        take(store, receipt(1))
        assert store.count_failure(1, "ValueError: \x00\ud800", at=NOON, retry_at=NOON) == 1
    with Store.open(url) as store:
        assert store.count_failure(1, "ValueError: y", at=NOON, retry_at=NOON) == 2
        assert [m.attempts for m in store.waiting(1, now=NOON)] == [2]
        assert [entry.kind for entry in store.ledger()] == ["received", "failed", "failed"]
        assert first_broken(store.ledger()) is None


def ingested(text: str, **changes: object):  # type: ignore[no-untyped-def]
    return receipt(0, text, folder="ingest", uidvalidity=1, **changes)


def test_mails_from_files_get_the_next_numbers_and_known_ones_are_passed_over(store: Store) -> None:
    take(store, receipt(1, "by mail"))
    batch = [ingested("a"), ingested("by mail"), ingested("b"), ingested("a", received_at=NOON + HOUR)]
    assert store.record_ingested("societies", batch, at=NOON) == (2, 3)
    assert [(m.uid, m.sha256, m.received_at) for m in store.messages()][1:] == [
        (1, digest("a"), NOON),
        (2, digest("b"), NOON),
    ]
    assert store.record_ingested("societies", batch, at=NOON) == ()
    assert store.record_ingested("societies", [], at=NOON) == ()
    assert store.record_ingested("societies", [ingested("c")], at=NOON) == (4,)
    assert store.position("societies", "ingest") == (1, 3)
    assert store.record_ingested("enterprises", [ingested("a", mailbox="enterprises")], at=NOON) == (5,)


def test_files_taken_in_by_two_at_once_lose_nothing(store: Store) -> None:
    def ingest(name: str) -> None:
        for number in range(10):
            store.record_ingested("societies", [ingested(f"{name} {number}")], at=NOON)

    threads = [threading.Thread(target=ingest, args=(name,)) for name in ("one", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(m.uid for m in store.messages()) == list(range(1, 21))


def test_how_a_folder_is_doing(store: Store) -> None:
    store.record_round("societies", "INBOX", at=NOON, good=True, error="", on_server=12)
    store.record_round("societies", "INBOX", at=NOON + HOUR, good=False, error="e" * 2000, on_server=None)
    take(store, receipt(4))
    (health,) = store.folders()
    assert (health.last_good_round, health.last_error_at) == (NOON, NOON + HOUR)
    assert health.last_error == "e" * 1000
    assert (health.on_server, health.uidvalidity, health.last_uid) == (12, 7, 4)
    store.record_round("societies", "INBOX", at=NOON + 2 * HOUR, good=True, error="", on_server=13)
    store.record_round("enterprises", "Junk", at=NOON, good=False, error="refused", on_server=None)
    first, second = store.folders()
    assert (first.mailbox, first.folder, first.uidvalidity, first.last_good_round) == (
        "enterprises",
        "Junk",
        None,
        None,
    )
    assert (second.last_good_round, second.last_error, second.on_server) == (NOON + 2 * HOUR, "", 13)


def test_a_folder_of_any_name_is_found_again(store: Store) -> None:
    take(store, receipt(1, folder="其他文件夹/学会 收件箱"))
    assert take(store, receipt(1, folder="其他文件夹/学会 收件箱")) == ()
