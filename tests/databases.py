"""A private PostgreSQL that listens on a socket file only, and databases in it for one test each."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa

from mailbot.store.store import Store
from tests.conftest import require

BOTH = ("sqlite", "postgresql")
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""For what concerns the file of SQLite alone."""
_numbers = count(1)


class Cluster:
    """A PostgreSQL server of our own. With fsync off: what is lost when the machine dies is not tested here."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._programs = _programs()
        self._user = _as_postgres()
        if self._user:
            account = pwd.getpwnam("postgres")
            os.chown(place, account.pw_uid, account.pw_gid)
        self._data = str(place / "data")
        self._run(
            "initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"
        )

    def start(self) -> None:
        options = f"-c listen_addresses= -c unix_socket_directories={self._place} -c fsync=off"
        self._run("pg_ctl", "-D", self._data, "-w", "-l", str(self._place / "log"), "-o", options, "start")

    def stop(self) -> None:
        """Without a word to those who are connected, as a server that is killed."""
        self._run("pg_ctl", "-D", self._data, "-w", "-m", "immediate", "stop")

    def runs(self) -> bool:
        return (Path(self._data) / "postmaster.pid").exists()

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={self._place}"

    def execute(self, statement: str) -> None:
        engine = sa.create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(sa.text(statement))
        engine.dispose()

    @contextmanager
    def database(self, template: str) -> Iterator[str]:
        """URL of a new copy of another database."""
        name = f"test{next(_numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield self.url(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._user, str(self._programs / program), *arguments]
        subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL)


def _as_postgres() -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    return [require("setpriv"), "--reuid=postgres", "--regid=postgres", "--clear-groups"]


def _programs() -> Path:
    there = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    return Path(require("initdb", *reversed(there))).resolve().parent


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A running server, for all tests of this process."""
    place = Path(tempfile.mkdtemp(prefix="mailbot-pg"))
    try:
        server = Cluster(place)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(place)


@pytest.fixture(scope="session")
def migrated(cluster: Cluster) -> str:
    """Name of a database with the schema in it, which nobody uses but to copy it."""
    cluster.execute("CREATE DATABASE migrated")
    Store.open(cluster.url("migrated")).close()
    return "migrated"
