"""A database that a newer mailbot has written: every command says so and leaves it alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.main import get_command
from typer.testing import CliRunner

from mailbot import cli
from mailbot.store.database import SCHEMA
from tests.e2e.office import Office, mail, papers

COMMANDS = [
    "check",
    "run",
    "run --once",
    "ingest --mailbox societies config.toml",
    "status",
    "show 云岭",
    "digest",
    "digest --send",
    "remind",
    "report --output pages",
    "export --format json",
    "verify",
    "ledger",
    "paper 云岭 --received 2021-01-14",
    "import config.toml",
    "review",
    "rebuild",
    "rescore",
]
WITHOUT_DATABASE = {"demo", "read"}


@pytest.fixture
def newer(office: Office) -> Office:
    office.deliver(mail(papers()))
    with office.opened() as app, app.store.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
        office.database = str(app.config.storage.database)
    return office


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_says_so_and_leaves_it_alone(
    newer: Office, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(newer.directory)
    said = CliRunner().invoke(cli.app, [*command.split(), "--config", str(newer.config_path)])
    assert said.exit_code == 2, said.output
    assert isinstance(said.exception, SystemExit)
    assert f"(schema 9999, known up to {SCHEMA}); run that version, or put back a copy" in said.output
    assert ("mailbot.db" if "sqlite" in newer.database else "/test") in said.output
    assert newer.sent == ()
    assert not Path("pages").exists()
    engine = sa.create_engine(newer.database)
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() == "9999"
    engine.dispose()


def test_each_command_was_tried() -> None:
    known = set(get_command(cli.app).commands)
    assert {command.split()[0] for command in COMMANDS} == known - WITHOUT_DATABASE


def test_check_names_the_database_and_goes_on(newer: Office) -> None:
    said = CliRunner().invoke(cli.app, ["check", "--config", str(newer.config_path)])
    assert "fault     database: " in said.output
    assert said.output.count("logged in as") == 4
