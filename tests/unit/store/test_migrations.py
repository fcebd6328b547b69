"""Databases of every schema that there has been, with what lay in them, become today's; a copy is made first."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from mailbot.model import Outcome
from mailbot.store import database
from mailbot.store.ledger import first_broken
from mailbot.store.store import Store
from mailbot.store.tables import metadata

MIGRATIONS = Path(database.__file__).parent / "migrations"
OLDER = [
    script.revision
    for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()
    if script.revision != database.SCHEMA
]
WRITTEN: dict[str, list[dict[str, Any]]] = json.loads(
    Path(__file__).with_name("released").joinpath("0003.json").read_text(encoding="utf-8")
)
"""What mailbot wrote under schema 0003: a correction, a robot, a second version, a question and what a person said to it."""


def _made(url: str, revision: str) -> None:
    """A database of that revision, with as much of what was written as it could hold."""
    if url.startswith("sqlite"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir()
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        alembic = AlembicConfig()
        alembic.set_main_option("script_location", str(MIGRATIONS))
        alembic.attributes["connection"] = connection
        command.upgrade(alembic, revision)
        there = sa.MetaData()
        there.reflect(connection)
        for table in there.sorted_tables:
            rows = [_row(table, row) for row in WRITTEN.get(table.name, ())]
            if rows:
                connection.execute(sa.insert(table), rows)
    engine.dispose()


def _row(table: sa.Table, row: dict[str, Any]) -> dict[str, Any]:
    return {column.name: _value(column, row[column.name]) for column in table.columns if column.name in row}


def _value(column: sa.Column[Any], value: Any) -> Any:
    if isinstance(value, dict):
        return base64.b64decode(value["base64"])
    if isinstance(value, str) and isinstance(column.type, sa.DateTime):
        return sa.DateTime().python_type.fromisoformat(value)
    return bool(value) if isinstance(column.type, sa.Boolean) and value is not None else value


def _rows(connection: sa.Connection, schema: str | None = None) -> dict[str, int]:
    tables = sa.inspect(connection).get_table_names(schema=schema)
    return {
        name: connection.execute(
            sa.select(sa.func.count()).select_from(sa.table(name, schema=schema))
        ).scalar_one()
        for name in tables
    }


@pytest.mark.parametrize("revision", OLDER)
def test_an_older_database_becomes_todays_and_keeps_all(empty_url: str, revision: str) -> None:
    _made(empty_url, revision)
    with Store.open(empty_url) as store:
        with store.engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []
            after = _rows(connection)
        mails = list(store.messages())
        assert [mail.outcome for mail in mails] == [
            Outcome.CORRECTION, Outcome.IGNORED, Outcome.ACKNOWLEDGED, Outcome.IGNORED,
        ]  # fmt: skip
        assert [reply.state.value for mail in mails for reply in mail.replies] == ["sent"] * 3
        assert first_broken(tuple(store.ledger())) is None
        assert {name: count for name, count in after.items() if WRITTEN.get(name)} == {
            name: len(rows)
            for name, rows in WRITTEN.items()
            if rows and (name != "rulings" or revision > "0001")
        } | ({"rulings": 0} if revision == "0001" else {})


@pytest.mark.parametrize("revision", OLDER)
def test_a_copy_of_the_older_database_lies_beside_it(empty_url: str, revision: str) -> None:
    _made(empty_url, revision)
    Store.open(empty_url).close()
    if empty_url.startswith("sqlite"):
        path = Path(empty_url.removeprefix("sqlite:///"))
        copy = sa.create_engine(f"sqlite:///{path}.before-{database.SCHEMA}")
        schema = None
    else:
        copy, schema = sa.create_engine(empty_url), f"before_{database.SCHEMA}"
    with copy.connect() as connection:
        kept = _rows(connection, schema)
        version = connection.execute(
            sa.select(sa.column("version_num")).select_from(sa.table("alembic_version", schema=schema))
        ).scalar()
    copy.dispose()
    assert version == revision
    assert kept["messages"] == len(WRITTEN["messages"])
    assert kept["ledger"] == len(WRITTEN["ledger"])


def _failing(upgrade: Callable[[sa.Connection], None]) -> Callable[[sa.Connection], None]:
    def run(connection: sa.Connection) -> None:
        upgrade(connection)
        raise sa.exc.OperationalError("ALTER TABLE", {}, sqlite3.OperationalError("disk full"))

    return run


def test_a_migration_that_fails_leaves_the_older_database_as_it_was(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _made(empty_url, OLDER[-1])
    with monkeypatch.context() as patch:
        patch.setattr(database, "_upgrade", _failing(database._upgrade))
        with pytest.raises(database.TemporaryError, match="disk full"):
            Store.open(empty_url)
    engine = sa.create_engine(empty_url)
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() == OLDER[-1]
        assert _rows(connection)["messages"] == len(WRITTEN["messages"])
        assert not sa.inspect(connection).has_table("rulings")
    engine.dispose()
    with Store.open(empty_url) as store:
        assert len(list(store.messages())) == len(WRITTEN["messages"])
