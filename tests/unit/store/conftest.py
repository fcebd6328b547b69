"""A store on each database: SQLite in a file, and a private PostgreSQL that listens on a socket file only."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from mailbot.store.database import SCHEMA
from mailbot.store.store import Store
from mailbot.store.tables import metadata
from tests.conftest import require


def _as_postgres() -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    return [require("setpriv"), "--reuid=postgres", "--regid=postgres", "--clear-groups"]


def _programs() -> Path:
    there = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    return Path(require("initdb", *reversed(there))).resolve().parent


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """URL of a private cluster, without the database's name."""
    programs, user = _programs(), _as_postgres()
    place = Path(tempfile.mkdtemp(prefix="mailbot-pg"))
    if user:
        account = pwd.getpwnam("postgres")
        os.chown(place, account.pw_uid, account.pw_gid)

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [*user, str(programs / program), *arguments], check=True, cwd="/", stdout=subprocess.DEVNULL
        )

    data = str(place / "data")
    options = f"-c listen_addresses= -c unix_socket_directories={place} -c fsync=off"
    run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
    run("pg_ctl", "-D", data, "-w", "-l", str(place / "log"), "-o", options, "start")
    try:
        yield f"postgresql+psycopg://postgres@/%s?host={place}"
    finally:
        run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
        shutil.rmtree(place)


def _execute(url: str, statement: str) -> None:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(statement))
    engine.dispose()


@pytest.fixture(scope="session")
def migrated(cluster: str) -> str:
    """Name of a database with the schema in it."""
    _execute(cluster % "postgres", "CREATE DATABASE migrated")
    Store.open(cluster % "migrated").close()
    return "migrated"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database without anything in it."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/kept/mailbot.db"
        return
    cluster = request.getfixturevalue("cluster")
    _execute(cluster % "postgres", "CREATE DATABASE fresh")
    yield cluster % "fresh"
    _execute(cluster % "postgres", "DROP DATABASE fresh WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database for this test alone."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/kept/mailbot.db"
        return
    cluster = request.getfixturevalue("cluster")
    database = cluster % request.getfixturevalue("migrated")
    yield database
    _execute(database, f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY")
    _execute(database, f"UPDATE alembic_version SET version_num = '{SCHEMA}'")


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """A store for this test alone."""
    with Store.open(url) as store:
        yield store
