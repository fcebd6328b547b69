"""The command as an operator or a script calls it: a process of its own, odd surroundings included."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import IO, Any

import pytest
from typer.testing import CliRunner

from mailbot import cli
from tests.conftest import ROOT
from tests.e2e.office import CHINA, Office, form, mail, papers


def mailbot(
    *arguments: str, at: Path, stdout: int | IO[Any] = subprocess.PIPE, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """Runs `mailbot` in a directory, with nothing of the surroundings but what is named."""
    return subprocess.run(
        [sys.executable, "-m", "mailbot", *arguments],
        cwd=at,
        env={"PATH": os.defpath, **environment},
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        check=False,
    )


def test_the_version(tmp_path: Path) -> None:
    told = mailbot("--version", at=tmp_path)
    assert (told.returncode, told.stdout.decode()) == (0, f"mailbot {metadata.version('mailbot')}\n")


@pytest.mark.parametrize("command", [[], ["run"], ["ingest"]])
def test_help_by_either_name(command: list[str]) -> None:
    short, long = (CliRunner().invoke(cli.app, [*command, name]) for name in ("-h", "--help"))
    assert (short.exit_code, long.exit_code) == (0, 0)
    assert short.output == long.output


def test_an_unknown_command_is_wrong_usage_and_names_the_near_one(tmp_path: Path) -> None:
    told = mailbot("digests", at=tmp_path)
    assert told.returncode == 2
    assert "Did you mean 'digest'" in told.stderr.decode()


def test_without_a_configuration_its_name_is_told(tmp_path: Path) -> None:
    told = mailbot("status", at=tmp_path)
    assert told.returncode == 2
    assert told.stderr.decode() == "mailbot: config.toml: cannot be read: No such file or directory\n"
    told = mailbot("status", at=tmp_path, MAILBOT_CONFIG="other.toml")
    assert "other.toml" in told.stderr.decode()


def test_the_configuration_is_named_before_or_after_the_command_or_by_the_environment(
    office_on_sqlite: Office, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    here, gone = str(office_on_sqlite.config_path), "gone.toml"
    for arguments, environment, status in (
        (("status", "--config", here), gone, 0),
        (("--config", here, "status"), gone, 0),
        (("--config", gone, "status", "-c", here), gone, 0),
        (("-c", gone, "status"), here, 2),
        (("status",), here, 0),
        (("status",), gone, 2),
    ):
        told = mailbot(*arguments, at=elsewhere, MAILBOT_CONFIG=environment)
        assert told.returncode == status, (arguments, told.stderr)
    told = mailbot("--config", here, at=elsewhere)
    assert told.returncode == 2
    assert b"export" in told.stderr


def test_every_command_takes_a_configuration() -> None:
    runner = CliRunner()
    commands = [command.name or command.callback.__name__ for command in cli.app.registered_commands]
    assert len(commands) > 9
    for command in commands:
        assert "--config" in runner.invoke(cli.app, [command, "--help"]).output, command


def test_a_document_is_read_wherever_one_stands_and_a_configuration_that_was_named_is_there(
    tmp_path: Path,
) -> None:
    (tmp_path / "form.xlsx").write_bytes(papers()["自评表.xlsx"])
    read = mailbot("read", "form.xlsx", "--format", "json", at=tmp_path)
    assert (read.returncode, json.loads(read.stdout)["assessment"]["total"]) == (0, 100)
    told = mailbot("read", "form.xlsx", "--config", "gone.toml", at=tmp_path)
    assert told.returncode == 2
    assert told.stderr.decode() == "mailbot: gone.toml: cannot be read: No such file or directory\n"
    assert mailbot("read", "form.xlsx", at=tmp_path, MAILBOT_CONFIG="gone.toml").returncode == 2


def test_what_is_to_be_read_is_a_file(tmp_path: Path) -> None:
    rubric = str(ROOT / "rubric" / "2020.toml")
    told = mailbot("read", ".", "--rubric", rubric, at=tmp_path)
    assert (told.returncode, told.stderr) == (2, b"mailbot: .: is no file\n")
    told = mailbot("read", "form.xlsx", "--rubric", rubric, at=tmp_path)
    assert (told.returncode, told.stderr) == (2, b"mailbot: form.xlsx: there is no such file\n")


def test_it_works_from_elsewhere_without_a_home_and_in_the_plainest_locale(
    office_on_sqlite: Office, tmp_path: Path
) -> None:
    office = office_on_sqlite
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    office.deliver(mail(papers()))
    told = mailbot("run", "--once", "--config", "../config.toml", at=elsewhere, LC_ALL="C")
    assert (told.returncode, list(elsewhere.iterdir())) == (0, [])
    told = mailbot("show", "云岭", at=elsewhere, LC_ALL="C", MAILBOT_CONFIG="../config.toml")
    assert told.returncode == 0
    assert "浙江省云岭学会" in told.stdout.decode()


def test_what_a_terminal_cannot_show_breaks_nothing(tmp_path: Path) -> None:
    told = mailbot("--help", at=tmp_path, PYTHONIOENCODING="ascii")
    assert told.returncode == 0
    assert b"export" in told.stdout


@pytest.mark.parametrize(
    "command", [("export", "--format", "json"), ("export", "--format", "csv"), ("ledger",)]
)
def test_a_dash_is_standard_output(office_on_sqlite: Office, command: tuple[str, ...]) -> None:
    office_on_sqlite.deliver(mail(papers()))
    office_on_sqlite.round()
    at = office_on_sqlite.directory
    plain, dashed = mailbot(*command, at=at), mailbot(*command, "--output", "-", at=at)
    assert (plain.returncode, dashed.returncode) == (0, 0)
    assert dashed.stdout == plain.stdout != b""
    assert not (at / "-").exists()


def test_output_that_cannot_be_written_is_told_without_a_traceback(office_on_sqlite: Office) -> None:
    at = office_on_sqlite.directory
    with open("/dev/full", "wb") as full:
        for command in (("status",), ("export", "--format", "json")):
            told = mailbot(*command, at=at, stdout=full)
            assert told.returncode == 75
            assert told.stderr.decode() == "mailbot: [Errno 28] No space left on device\n"
    told = mailbot("export", "--format", "json", "--output", "nowhere/x.json", at=at)
    assert told.returncode == 2
    assert told.stderr.decode() == "mailbot: nowhere/x.json: cannot be written: No such file or directory\n"


def test_a_reader_that_goes_away_is_no_traceback(office_on_sqlite: Office) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "wb") as pipe:
        told = mailbot("export", "--format", "json", at=office_on_sqlite.directory, stdout=pipe)
    assert told.returncode == 1
    assert told.stderr == b""


@pytest.mark.parametrize("command", [("run",), ("run", "--once"), ("digest", "--send")])
def test_passwords_that_are_not_there_are_told_before_anything_begins(
    office_on_sqlite: Office, command: tuple[str, ...]
) -> None:
    (office_on_sqlite.directory / "secret").unlink()
    told = CliRunner().invoke(cli.app, [*command, "--config", str(office_on_sqlite.config_path)])
    assert told.exit_code == 2
    keys = [f"mailbox[{number}].{kind}.password_file" for number in (0, 1) for kind in ("imap", "smtp")]
    assert [line.split(": ")[-4] for line in told.stderr.splitlines()] == keys
    assert not (office_on_sqlite.directory / "storage").exists()


def test_a_digest_that_nobody_is_to_get_is_a_fault_of_the_configuration(office_on_sqlite: Office) -> None:
    """It ended with 75, as if a server were away."""
    config = office_on_sqlite.config_path
    config.write_text(config.read_text("utf-8").replace('["staff@example.org"]', "[]"), "utf-8")
    told = CliRunner().invoke(cli.app, ["digest", "--send", "--config", str(config)])
    assert (told.exit_code, told.stdout) == (2, "")
    assert told.stderr == f"mailbot: {config}: staff.digest_to: is empty: nobody gets the digest\n"
    assert CliRunner().invoke(cli.app, ["digest", "--config", str(config)]).exit_code == 0


@pytest.mark.parametrize("command", ["status", "check"])
def test_the_faults_of_rubric_and_registry_are_told_at_once(office_on_sqlite: Office, command: str) -> None:
    office, at = office_on_sqlite, office_on_sqlite.directory
    office.configure(top='organizations = "organizations.csv"')
    (at / "organizations.csv").write_text("name,track\n浙江省云岭学会,club\n", encoding="utf-8")
    (at / "rubric.toml").write_text("year = 2020\n", encoding="utf-8")
    config = office.config_path.read_text(encoding="utf-8")
    office.config_path.write_text(config.replace(str(ROOT / "rubric" / "2020.toml"), "rubric.toml"), "utf-8")
    told = CliRunner().invoke(cli.app, [command, "--config", str(office.config_path)])
    assert told.exit_code == 2
    assert "rubric.toml: title: is missing" in told.output
    assert "organizations.csv: line 2: track is 'club'" in told.output


def test_a_lock_that_cannot_be_taken_is_told_without_a_traceback(office_on_sqlite: Office) -> None:
    storage = office_on_sqlite.directory / "storage"
    (storage / "worker.lock").mkdir(parents=True)
    told = mailbot("rescore", "--apply", at=office_on_sqlite.directory)
    assert told.returncode == 75
    assert told.stderr.decode() == f"mailbot: [Errno 21] Is a directory: '{storage / 'worker.lock'}'\n"


def test_a_rubric_that_is_named_goes_before_the_configurations(office_on_sqlite: Office) -> None:
    at = office_on_sqlite.directory
    (at / "form.xlsx").write_bytes(form())
    next_year = (ROOT / "rubric" / "2020.toml").read_text(encoding="utf-8").replace("2020", "2021")
    (at / "next.toml").write_text(next_year, encoding="utf-8")
    told = mailbot("read", "form.xlsx", "--format", "json", "--rubric", "next.toml", at=at)
    assert [found["code"] for found in json.loads(told.stdout)["findings"]] == ["form.wrong_year"]
    assert mailbot("read", "form.xlsx", "--rubric", "gone.toml", at=at).returncode == 2


def test_the_digest_of_a_day_tells_what_came_on_it_and_since_the_hour_of_the_day_before(
    office_on_sqlite: Office,
) -> None:
    """Also where it is asked for after its hour, and where the mails were taken in later."""
    office_on_sqlite.deliver(mail(papers()))
    assert office_on_sqlite.round()
    today = datetime.now(CHINA)

    def news(day: str) -> str:
        command = ["digest", "--date", day, "--config", str(office_on_sqlite.config_path)]
        told = CliRunner().invoke(cli.app, command)
        assert told.exit_code == 0
        return told.output.partition("■ 新报送和更正")[2][:80]

    for day in ("2021-01-14", "2021-01-15", f"{today:%Y-%m-%d}"):
        assert "浙江省云岭学会：新报送，已回执" in news(day)
    for day in ("2021-01-13", "2021-01-16", f"{today - timedelta(days=1):%Y-%m-%d}"):
        assert "没有新的来件" in news(day)
