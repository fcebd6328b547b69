"""The one worker on a PostgreSQL that several hosts share: who holds the lock, and who notices that it is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from mailbot.errors import AnotherWorkerError, TemporaryError
from mailbot.store.alone import _WORKER_LOCK
from mailbot.store.store import Store
from tests.databases import Cluster


@pytest.fixture
def shared(cluster: Cluster, migrated: str) -> Iterator[str]:
    """URL of a PostgreSQL database."""
    with cluster.database(migrated) as url:
        yield url


def holders(store: Store) -> list[int]:
    query = sa.text(
        f"SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = {_WORKER_LOCK} AND granted"
    )
    with store.reading() as connection:
        return list(connection.execute(query).scalars())


def cut(store: Store) -> None:
    """End the holder's connection, as an administrator or a network does."""
    with store.writing() as connection:
        for pid in holders(store):
            connection.execute(sa.select(sa.func.pg_terminate_backend(pid)))
    while holders(store):
        time.sleep(0.01)


def test_one_at_a_time_and_the_next_when_it_ends(shared: str) -> None:
    with Store.open(shared) as one, Store.open(shared) as other:
        with one.alone():
            assert one.still_alone()
            with (
                pytest.raises(AnotherWorkerError, match="another worker is at work in the database test"),
                other.alone(),
            ):
                pass
            other.set_flag("a", "1")
        assert holders(one) == []
        with other.alone():
            assert len(holders(one)) == 1


def test_who_lost_the_lock_writes_nothing_more_though_nobody_has_taken_it(shared: str) -> None:
    with Store.open(shared) as worker, Store.open(shared) as administrator:
        with worker.alone():
            worker.set_flag("a", "1")
            cut(administrator)
            with pytest.raises(TemporaryError, match="lock on the database is lost"):
                worker.set_flag("a", "2")
            assert not worker.still_alone()
            with administrator.alone(), pytest.raises(TemporaryError, match="lock on the database is lost"):
                worker.set_flag("a", "3")
        assert administrator.flag("a") == "1"
        worker.set_flag("a", "4")


def test_what_the_server_says_unasked_costs_no_lock(shared: str) -> None:
    """PostgreSQL before 14 announces each changed setting so; here it is a word from another connection."""
    with Store.open(shared) as worker, Store.open(shared) as other, worker.alone():
        assert worker._alone is not None
        worker._alone._connection.exec_driver_sql("LISTEN word")
        with other.writing() as connection:
            connection.exec_driver_sql("NOTIFY word")
        assert worker._alone._said.poll(10_000)
        worker.set_flag("a", "1")
        assert not worker._alone._said.poll(0)
        assert worker.still_alone()


def test_many_threads_write_under_one_lock(shared: str) -> None:
    failed: list[BaseException] = []

    def write(name: str) -> None:
        try:
            for number in range(20):
                store.set_flag(name, str(number))
                assert store.still_alone()
        except BaseException as error:
            failed.append(error)

    with Store.open(shared) as store, store.alone():
        threads = [threading.Thread(target=write, args=(str(n),)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failed == []


def test_on_sqlite_the_storage_directory_has_the_lock(url: str) -> None:
    if not url.startswith("sqlite"):
        return
    with Store.open(url) as one, Store.open(url) as other, one.alone(), other.alone():
        assert one.still_alone()
        other.set_flag("a", "1")
