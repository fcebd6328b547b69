"""The connection to the database: SQLite as it comes, PostgreSQL by URL; every error outside is a TemporaryError."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from mailbot.errors import ConfigError, MailbotError, TemporaryError
from mailbot.store.alone import KEEPALIVES, WorkerLock, worker_lock
from mailbot.store.ledger import Entry, canonical, link
from mailbot.store.tables import ledger
from mailbot.store.witness import BEGINNING, Link, Witness

SCHEMA = "0006"
"""The newest revision in `migrations/versions`."""
BATCH = 500
"""How many rows are asked for, or held, at once."""
LONGEST_PAUSE = timedelta(hours=1)
"""Between two attempts at anything: what is put off for longer was put off by a clock that was wrong."""
_LEDGER_LOCK = 4_720_331
_SQLITE_SECONDS = 30
"""How long one waits for another to let go of the file."""
_PAGES_TO_CHECKPOINT = 4000
"""How many pages of 4 KB the log holds before they are carried into the file, for which the disk is asked twice."""


class Database:
    """Transactions, and the ledger that is written within them. Thread-safe."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._held = threading.local()
        self._one_writer = threading.Lock()
        self._alone: WorkerLock | None = None
        self.witness: Witness | None = None
        """Who is told of each link with which a letter leaves."""
        self.engine = sa.create_engine(
            url, connect_args=_connect_args(url), pool_pre_ping=not _is_sqlite(url)
        )
        if _is_sqlite(url):
            sa.event.listen(self.engine, "connect", _prepare_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)

    @classmethod
    def open(cls, url: str) -> Self:
        """Open the database, its schema brought up to date (with a copy of an older SQLite file made first)."""
        path = _sqlite_path(url)
        with _edge(url):
            if path is not None:
                _make_private(path)
            database = cls(url)
            try:
                database._migrate(path)
            except BaseException:
                database.close()
                raise
        return database

    def close(self) -> None:
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _migrate(self, path: Path | None) -> None:
        with self.reading() as connection:
            version = _schema_version(connection)
        if version == SCHEMA:
            return
        if version is not None and version > SCHEMA:
            raise ConfigError(
                str(self.engine.url.set(query={})),
                "",
                f"a newer mailbot has written this database (schema {version}, known up to {SCHEMA}); run that "
                "version, or put back a copy from before",
            )
        if version is not None and path is not None:
            _copy_sqlite(path, path.with_name(f"{path.name}.before-{SCHEMA}"))
        with self.writing() as connection:
            found = _schema_version(connection)
            if found == SCHEMA:
                return
            if found is not None and connection.dialect.name == "postgresql":
                _copy_tables(connection, f"before_{SCHEMA}")
            _upgrade(connection)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads."""
        held = getattr(self._held, "connection", None)
        if held is not None:
            with _edge(self.url):
                yield held
            return
        with _edge(self.url), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Within it this thread's `reading` shares one connection, and each statement sees the newest commit."""
        alone = {"looking": True} if _is_sqlite(self.url) else {"isolation_level": "AUTOCOMMIT"}
        with _edge(self.url), self.engine.connect().execution_options(**alone) as connection:
            self._held.connection = connection
            try:
                yield
            finally:
                self._held.connection = None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """As the one worker on this database; SQLite's is the one of its storage directory.

        From the moment at which that is lost nothing more is written. Raises AnotherWorkerError.
        """
        if _is_sqlite(self.url):
            yield
            return
        with ExitStack() as stack:
            with _edge(self.url):
                self._alone = stack.enter_context(worker_lock(self.engine))
            try:
                yield
            finally:
                self._alone = None

    def still_alone(self) -> bool:
        """Whether `alone` still holds. Asks the server."""
        try:
            if self._alone is not None:
                self._alone.check(ask=True)
        except TemporaryError:
            return False
        return True

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes: all of it is durable at its end, or nothing is. One writer at a time.

        Threads wait for each other here; SQLite alone would let them sleep and try again.
        """
        if self._alone is not None:
            self._alone.check()
        with (
            _edge(self.url),
            self._one_writer,
            self.engine.connect().execution_options(immediate=True) as connection,
            connection.begin(),
        ):
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LEDGER_LOCK)))
            yield connection

    def newest_link(self) -> Link:
        """The end of the ledger."""
        with self.reading() as connection:
            return _newest_link(connection)

    def ledger(self) -> Iterator[Entry]:
        """The chain, from its first link."""
        last = 0
        with self.reading() as connection:
            while True:
                rows = connection.execute(
                    sa.select(ledger).where(ledger.c.seq > last).order_by(ledger.c.seq).limit(BATCH)
                ).all()
                if not rows:
                    return
                last = rows[-1].seq
                yield from (Entry(**row._mapping) for row in rows)

    def holds(self, link: Link) -> bool:
        """Whether that link is in the ledger."""
        query = sa.select(ledger.c.hash).where(ledger.c.seq == link.seq)
        with self.reading() as connection:
            return link == BEGINNING or connection.execute(query).scalar() == link.hash

    def letters_leave(self, chain: Chain) -> None:
        """To be called after the commit in which letters became `sending`, before the first byte leaves."""
        if self.witness is not None:
            self.witness.advance(chain.newest)


class Chain:
    """Appends to the ledger within one writing transaction."""

    def __init__(self, connection: Connection, at: datetime) -> None:
        self._connection = connection
        self._at = at
        self.newest = _newest_link(connection)
        self._new: list[Entry] = []

    def append(self, kind: str, payload: Mapping[str, object]) -> str:
        """Add a link; returns its hash."""
        entry = link(self.newest.seq + 1, self._at, kind, canonical(payload), self.newest.hash)
        self.newest = Link(seq=entry.seq, hash=entry.hash)
        self._new.append(entry)
        return entry.hash

    def write(self) -> None:
        """Put the new links into the table."""
        if self._new:
            rows = [{name: getattr(e, name) for name in ledger.c.keys()} for e in self._new]  # noqa: SIM118
            self._connection.execute(sa.insert(ledger), rows)
            self._new.clear()


def _newest_link(connection: Connection) -> Link:
    """The end of the ledger."""
    newest = connection.execute(
        sa.select(ledger.c.seq, ledger.c.hash).order_by(ledger.c.seq.desc()).limit(1)
    ).first()
    return Link(seq=newest.seq, hash=newest.hash) if newest else BEGINNING


def _schema_version(connection: Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config as AlembicConfig

    alembic = AlembicConfig()
    migrations = str(Path(__file__).parent / "migrations")
    alembic.set_main_option("script_location", migrations.replace("%", "%%"))
    alembic.attributes["connection"] = connection
    command.upgrade(alembic, "head")


def _make_private(path: Path) -> None:
    """The file, and with it its journals, for the owner alone; before anything is in it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)


def _copy_sqlite(path: Path, copy: Path) -> None:
    """A whole copy, with what still lies in the write-ahead log."""
    _make_private(copy)
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)


def _copy_tables(connection: Connection, schema: str) -> None:
    """All tables as they are, into a schema of their own beside them."""
    connection.execute(sa.schema.CreateSchema(schema))
    for name in sa.inspect(connection).get_table_names():
        connection.exec_driver_sql(f'CREATE TABLE {schema}."{name}" AS TABLE "{name}"')


@contextmanager
def _edge(url: str) -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise TemporaryError(f"{_named(url)}: {error.orig}{_advice(error.orig)}") from error
    except (PoolTimeoutError, sqlite3.OperationalError) as error:
        raise TemporaryError(f"{_named(url)}: {error}{_advice(error)}") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise TemporaryError(f"{_named(url)}: {error.orig}") from error
        if type(error) is DatabaseError:
            raise MailbotError(f"{_named(url)} is damaged: {error.orig}") from error
        raise
    except OSError as error:
        raise TemporaryError(f"{_named(url)}: {error}") from error


def _named(url: str) -> str:
    return f"the database {make_url(url).database}"


def _advice(error: BaseException | None) -> str:
    """SQLite says "disk I/O error" too where there is no room; PostgreSQL has advice of its own."""
    fault = getattr(error, "sqlite_errorname", "")
    return "; see whether its disk has room" if fault.startswith(("SQLITE_FULL", "SQLITE_IOERR")) else ""


def _is_sqlite(url: str) -> bool:
    return make_url(url).get_backend_name() == "sqlite"


def _sqlite_path(url: str) -> Path | None:
    name = make_url(url).database
    return Path(name) if _is_sqlite(url) and name and name != ":memory:" else None


def _connect_args(url: str) -> dict[str, Any]:
    return {"timeout": _SQLITE_SECONDS} if _is_sqlite(url) else {"connect_timeout": 10, **KEEPALIVES}


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    """WAL, and every commit on disk before it returns; transactions are begun by us alone."""
    connection.isolation_level = None
    _turn_to_wal(connection)
    for pragma in ("synchronous=FULL", "foreign_keys=ON", f"wal_autocheckpoint={_PAGES_TO_CHECKPOINT}"):
        connection.execute(f"PRAGMA {pragma}")


def _turn_to_wal(connection: sqlite3.Connection) -> None:
    """Where two open a new file at once, SQLite refuses one of them without the wait that `timeout` gives all else."""
    until = time.monotonic() + _SQLITE_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("looking"):
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("immediate") else "BEGIN")
