"""The database itself: schema, durability, privacy, and errors that a caller can tell apart."""

from __future__ import annotations

import os
import re
import sqlite3
import stat
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from mailbot.errors import ConfigError, MailbotError, TemporaryError
from mailbot.store import database
from mailbot.store.store import Store
from mailbot.store.tables import UtcTime, flags, folders, ledger, metadata
from tests.databases import Cluster

NOW = datetime(2021, 1, 15, 9, 30, tzinfo=UTC)
MIGRATIONS = Path(database.__file__).parent / "migrations"


def test_the_schema_made_from_nothing_is_that_of_the_tables(empty_url: str) -> None:
    with Store.open(empty_url) as store, store.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
        assert differences == []
        version = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    assert version == database.SCHEMA


def test_the_newest_migration_is_the_one_that_is_asked_for() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == database.SCHEMA


def test_opening_again_changes_nothing_and_keeps_all(url: str) -> None:
    with Store.open(url) as store:
        store.set_flag("a", "1")
    with Store.open(url) as store:
        assert store.flag("a") == "1"


def test_two_that_open_an_empty_database_at_once_make_one_schema(empty_url: str) -> None:
    failed: list[BaseException] = []

    def open_it() -> None:
        try:
            Store.open(empty_url).close()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_a_database_of_a_newer_program_is_left_alone(url: str) -> None:
    with Store.open(url) as store, store.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigError, match="a newer mailbot has written this database"):
        Store.open(url)


def test_a_time_without_its_offset_is_refused(store: Store) -> None:
    naive = datetime(2021, 1, 15, 9, 30)  # noqa: DTZ001
    with pytest.raises(sa.exc.StatementError, match="without its offset"):
        store.record_round("m", "INBOX", at=naive, good=True, error="", on_server=1)
    assert store.folders() == ()


def test_every_time_column_refuses_one() -> None:
    """SQLite drops an offset without a word, also of DateTime(timezone=True)."""
    columns = [column for table in metadata.sorted_tables for column in table.columns]
    assert not any(isinstance(column.type, sa.DateTime) for column in columns)
    kept = {column.name for column in columns if isinstance(column.type, UtcTime)}
    assert kept >= {"received_at", "recorded_at", "queued_at", "sent_at", "next_attempt_at"}


def test_times_are_kept_in_utc_to_the_second(store: Store) -> None:
    china = datetime(2021, 1, 15, 17, 30, 0, 987654, tzinfo=timezone(timedelta(hours=8)))
    store.record_round("m", "INBOX", at=china, good=True, error="", on_server=1)
    assert store.folders()[0].last_good_round == NOW
    with store.engine.connect() as connection:
        raw = connection.execute(sa.text("SELECT last_good_round FROM folders")).scalar()
    assert str(raw).startswith("2021-01-15 09:30:00")
    assert not re.search(r"\.\d*[1-9]", str(raw))


@pytest.mark.parametrize("bad", ["a\x00b", "a\ud800b"])
def test_text_that_databases_refuse_is_made_storable(store: Store, bad: str) -> None:
    store.set_flag("name", bad)
    assert store.flag("name") == "a\ufffdb"


def test_what_fails_within_a_transaction_leaves_nothing(store: Store) -> None:
    def half() -> None:
        with store.writing() as connection:
            connection.execute(sa.insert(flags).values(name="a", value="1"))
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        half()
    assert store.flag("a") is None


def test_writers_from_many_threads_take_turns_and_the_chain_stays_whole(store: Store) -> None:
    def write(name: str) -> None:
        for number in range(10):
            with store.writing() as connection:
                chain = database.Chain(connection, NOW)
                chain.append("test", {"by": name, "number": number})
                chain.write()

    threads = [threading.Thread(target=write, args=(str(n),)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    entries = list(store.ledger())
    assert [entry.seq for entry in entries] == list(range(1, 41))
    assert {e.previous for e in entries[1:]} == {e.hash for e in entries[:-1]}


def test_a_reader_is_not_held_up_by_a_writer(store: Store) -> None:
    store.set_flag("a", "1")
    with store.writing() as connection:
        connection.execute(sa.update(flags).values(value="2"))
        assert store.flag("a") == "1"
    assert store.flag("a") == "2"


class TestSqlite:
    """What is particular to the file."""

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "kept" / "mailbot.db"

    @pytest.fixture
    def url(self, path: Path) -> str:
        return f"sqlite:///{path}"

    def test_every_commit_is_on_disk_before_it_returns(self, store: Store) -> None:
        for connected in (store.reading, store.writing):
            with connected() as connection:
                pragmas = {
                    name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                    for name in ("journal_mode", "synchronous", "foreign_keys")
                }
            assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}

    def test_the_file_and_its_journals_are_for_the_owner_alone(self, path: Path, url: str) -> None:
        mask = os.umask(0)
        try:
            with Store.open(url) as store:
                store.set_flag("a", "1")
                modes = {f.name: stat.S_IMODE(f.stat().st_mode) for f in path.parent.iterdir()}
        finally:
            os.umask(mask)
        assert modes == {"mailbot.db": 0o600, "mailbot.db-wal": 0o600, "mailbot.db-shm": 0o600}
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700

    def test_an_older_schema_is_copied_whole_before_it_is_changed(
        self, path: Path, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = Store.open(url)
        with store.engine.begin() as connection:
            connection.execute(sa.text("UPDATE alembic_version SET version_num = '0000'"))
        store.set_flag("written", "and still in the write-ahead log")
        upgraded: list[str | None] = []
        monkeypatch.setattr(
            database, "_upgrade", lambda connection: upgraded.append(database._schema_version(connection))
        )
        Store.open(url).close()
        store.close()
        copy = path.with_name(f"mailbot.db.before-{database.SCHEMA}")
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        with sqlite3.connect(copy) as kept:
            assert kept.execute("SELECT value FROM flags").fetchone() == ("and still in the write-ahead log",)
            assert kept.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        kept.close()
        assert upgraded == ["0000"]

    def test_no_copy_is_made_where_nothing_changes(self, path: Path, url: str) -> None:
        Store.open(url).close()
        Store.open(url).close()
        assert [file.name for file in path.parent.iterdir()] == ["mailbot.db"]

    def test_a_locked_database_is_temporary(self, path: Path, store: Store) -> None:
        store.set_flag("a", "1")
        store.engine.dispose()
        sa.event.listen(store.engine, "connect", lambda c, _: c.execute("PRAGMA busy_timeout = 10"))
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TemporaryError, match="locked"):
            store.set_flag("a", "2")
        other.execute("ROLLBACK")
        other.close()
        store.set_flag("a", "3")
        assert store.flag("a") == "3"

    def test_a_full_disk_is_temporary_and_loses_nothing(self, store: Store) -> None:
        store.set_flag("a", "1")
        with store.engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        store.engine.dispose()
        sa.event.listen(store.engine, "connect", lambda c, _: c.execute(f"PRAGMA max_page_count = {pages}"))
        with pytest.raises(TemporaryError, match="full"):
            store.set_flag("b", "x" * 100_000)
        assert (store.flag("a"), store.flag("b")) == ("1", None)

    def test_a_damaged_file_is_told(self, path: Path, url: str) -> None:
        path.parent.mkdir()
        path.write_bytes(b"this is no database" * 1000)
        with pytest.raises(MailbotError, match="damaged") as caught:
            Store.open(url)
        assert not isinstance(caught.value, TemporaryError)

    def test_a_place_where_no_file_can_be_is_temporary(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(TemporaryError):
            Store.open(f"sqlite:///{tmp_path}/file/mailbot.db")


class TestPostgres:
    """What is particular to the server."""

    def test_a_server_that_is_not_there_is_temporary(self, tmp_path: Path) -> None:
        with pytest.raises(TemporaryError, match="the database"):
            Store.open(f"postgresql+psycopg://nobody@/nothing?host={tmp_path}")

    def test_a_connection_cut_in_the_middle_is_temporary_and_the_next_one_works(
        self, cluster: Cluster, migrated: str
    ) -> None:
        with cluster.database(migrated) as url, Store.open(url) as store:

            def cut() -> None:
                with store.writing() as connection:
                    connection.execute(sa.insert(folders).values(mailbox="cut", folder="x", last_uid=0))
                    own = connection.execute(sa.text("SELECT pg_backend_pid()")).scalar()
                    with store.engine.connect() as other:
                        other.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": own})
                    connection.execute(sa.select(ledger.c.seq))

            with pytest.raises(TemporaryError):
                cut()
            assert [f.mailbox for f in store.folders()] == []


def test_who_looks_sees_each_commit_and_then_lets_the_connection_go(empty_url: str) -> None:
    with Store.open(empty_url) as store:
        with store.looking():
            for value in ("one", "two"):
                store.set_flag("name", value)
                assert store.flag("name") == value
            with store.reading() as first, store.reading() as second:
                assert first is second
        with store.reading() as other:
            assert other is not first
        assert store.flag("name") == "two"


def test_only_the_thread_that_looks_shares_its_connection(empty_url: str) -> None:
    with Store.open(empty_url) as store, store.looking(), store.reading() as mine:
        seen: list[object] = []

        def elsewhere() -> None:
            with store.reading() as theirs:
                seen.append(theirs)

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        assert len(seen) == 1
        assert seen[0] is not mine
