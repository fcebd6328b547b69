"""The one worker on a PostgreSQL that hosts share: the lock of the storage directory may not reach from one to the other."""

from __future__ import annotations

import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import sqlalchemy as sa

from mailbot.errors import AnotherWorkerError, TemporaryError

_WORKER_LOCK = 4_720_332
_SERVER_KEEPALIVES = {"tcp_keepalives_idle": 60, "tcp_keepalives_interval": 20, "tcp_keepalives_count": 4}
"""When the server takes a silent host for dead and gives its lock away, in seconds: later than the host itself does."""
KEEPALIVES = {
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 50_000,
}
"""When we take a silent server for dead (libpq's words: seconds, the last in milliseconds)."""


class WorkerLock:
    """An advisory lock that was taken on this connection, and ends with it however that ends. Thread-safe."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._guard = threading.Lock()
        self._lost = False
        driver: Any = connection.connection.dbapi_connection
        self._said = select.poll()
        self._said.register(driver.fileno(), select.POLLIN)

    def check(self, *, ask: bool = False) -> None:
        """Raises TemporaryError where the connection is lost, for good: then somebody else may be at work.

        The server is asked where it said something, since unasked it hardly says but that it leaves; or if wanted.
        """
        with self._guard:
            if not self._lost and (ask or self._said.poll(0)):
                try:
                    self._connection.exec_driver_sql("SELECT 1")
                except sa.exc.DBAPIError:
                    self._lost = True
            if self._lost:
                raise TemporaryError("the worker's lock on the database is lost: a new worker has to take it")

    def close(self) -> None:
        """Give it back, so that the next one has it at once: a session that is only closed ends a little later."""
        with self._guard:
            if not self._lost:
                with suppress(sa.exc.DBAPIError):
                    self._connection.execute(sa.select(sa.func.pg_advisory_unlock(_WORKER_LOCK)))
            self._lost = True
            self._connection.close()


@contextmanager
def worker_lock(engine: sa.Engine) -> Iterator[WorkerLock]:
    """The lock of this PostgreSQL's one worker. Raises AnotherWorkerError where somebody else holds it."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.detach()
        for name, value in _SERVER_KEEPALIVES.items():
            connection.exec_driver_sql(f"SET {name} = {value}")
        if not connection.execute(sa.select(sa.func.pg_try_advisory_lock(_WORKER_LOCK))).scalar_one():
            raise AnotherWorkerError(f"another worker is at work in the database {engine.url.database}")
        lock = WorkerLock(connection)
        try:
            yield lock
        finally:
            lock.close()
