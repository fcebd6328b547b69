"""Next year's configuration on this year's database: every command refuses it, and this year's mails stay this year's."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from mailbot import cli
from mailbot.store import tables
from tests.databases import on_sqlite
from tests.e2e.office import Office, mail, papers
from tests.e2e.test_newer_schema import COMMANDS


@pytest.fixture
def next_year(office: Office) -> Office:
    """An office whose configuration is next year's but for the storage."""
    office.deliver(mail(papers()))
    assert office.round()
    rename(office, "2020", "2021")
    return office


def rename(office: Office, before: str, after: str) -> None:
    config = office.config_path.read_text(encoding="utf-8")
    office.config_path.write_text(config.replace(f'name = "{before}"', f'name = "{after}"'), "utf-8")


def run(office: Office, command: str) -> tuple[int, str]:
    ended = CliRunner().invoke(cli.app, [*command.split(), "--config", str(office.config_path)])
    return ended.exit_code, ended.output


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_says_so_and_leaves_it_alone(
    next_year: Office, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(next_year.directory)
    next_year.deliver(mail(papers(), message_id="<2@yunling.example.com>"))
    code, said = run(next_year, command)
    assert code == 2, said
    assert f"{next_year.config_path}: campaign.name: is '2021', but the database" in said
    assert "holds the campaign '2020'" in said
    assert "a storage.directory and a storage.database of its own" in said
    assert len(next_year.sent) == 1
    rename(next_year, "2021", "2020")
    assert next_year.outcomes() == ["acknowledged"]


def test_a_database_of_before_is_the_campaigns_that_opens_it(office: Office) -> None:
    office.deliver(mail(papers()))
    assert office.round()
    with office.opened() as app, app.store.writing() as connection:
        connection.execute(sa.delete(tables.flags))
    assert run(office, "status")[0] == 0
    rename(office, "2020", "2021")
    assert run(office, "status")[0] == 2


def test_what_is_tried_before_the_first_round_binds_nobody(office: Office) -> None:
    """Who sets up a campaign looks at the example first, and mends name and deadline then."""
    assert run(office, "status")[0] == 0
    rename(office, "2020", "2021")
    assert run(office, "status")[0] == 0
    rename(office, "2021", "2020")
    assert office.round()
    rename(office, "2020", "2021")
    assert run(office, "status")[0] == 2


def test_a_deadline_that_changes_before_the_first_mail_changes_nothing_that_was_judged(
    office: Office,
) -> None:
    assert office.round()
    text = office.config_path.read_text(encoding="utf-8")
    for deadline, mails, said in (
        ("2021-02-15", 0, False),
        ("2021-02-16", 1, False),
        ("2021-02-17", 0, True),
    ):
        office.config_path.write_text(text.replace("2021-01-15", deadline), encoding="utf-8")
        assert ("judgement" in run(office, "check")[1]) is said
        for _ in range(mails):
            office.deliver(mail(papers()))
        assert office.round()


@on_sqlite
def test_a_rebuilt_database_is_the_campaigns_too(office: Office) -> None:
    office.deliver(mail(papers()))
    assert office.round()
    assert run(office, "rebuild")[0] == 0
    rename(office, "2020", "2021")
    assert run(office, "status")[0] == 2
