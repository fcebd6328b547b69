"""PostgreSQL killed in the middle of a round and between rounds, and shared by two hosts: nothing is lost or twice."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from mailbot import cli
from mailbot.app import App
from mailbot.config import load
from tests.databases import Cluster
from tests.e2e.office import Office, bordered, comes_true, mail, papers, staying
from tests.e2e.test_faults import ROBOT, holds

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
BORDERS = 24
LOOKS_OFTEN = {"WATCHDOG_USEC": "1000000"}
"""A worker looks after itself at half of that time."""


@pytest.fixture
def killable(cluster: Cluster) -> Iterator[Cluster]:
    """The server, which runs again when the test ends."""
    yield cluster
    if not cluster.runs():
        cluster.start()


def run_once(config: Path) -> Result:
    return CliRunner().invoke(cli.app, ["run", "--once", "--config", str(config)])


def letters(office: Office) -> int:
    return sum(one.to == ("office@yunling.example.com",) for one in office.sent)


@pytest.mark.parametrize("border", range(1, BORDERS + 1, 2))
def test_killed_at_a_border_the_round_says_so_and_the_next_one_goes_on(
    office: Office, killable: Cluster, border: int
) -> None:
    office.deliver(mail(papers()))
    office.deliver(ROBOT)
    passed = count(1)

    def pass_border() -> None:
        if next(passed) == border:
            killable.stop()

    with bordered(pass_border):
        said = run_once(office.config_path)
    assert not killable.runs()
    assert said.exit_code == 75, said.output
    assert "mailbot: the database test" in said.stderr
    killable.start()
    for _ in range(2):
        assert run_once(office.config_path).exit_code == 0
    assert sorted(office.outcomes()) == ["acknowledged", "ignored"]
    [state] = [r["state"] for m in office.export()["messages"] for r in m["replies"]]
    assert (state, letters(office)) in {("sent", 1), ("uncertain", 0)}
    holds(office)


def test_gone_between_rounds_a_round_says_so_and_touches_no_mail(office: Office, killable: Cluster) -> None:
    assert run_once(office.config_path).exit_code == 0
    office.deliver(mail(papers()))
    killable.stop()
    for _ in range(2):
        said = run_once(office.config_path)
        assert said.exit_code == 75
        assert "mailbot: the database test" in said.stderr
    assert office.sent == ()
    killable.start()
    assert run_once(office.config_path).exit_code == 0
    assert office.outcomes() == ["acknowledged"]
    assert letters(office) == 1
    holds(office)


def test_the_worker_that_stays_ends_with_the_database_and_the_one_started_next_goes_on(
    office: Office, killable: Cluster
) -> None:
    office.deliver(mail(papers()))
    with staying(office.config_path, **LOOKS_OFTEN) as worker:
        assert comes_true(lambda: letters(office) == 1)
        office.deliver(mail(papers(scores={8: "9"}), message_id="<2@yunling.example.com>"))
        killable.stop()
        _, said = worker.communicate(timeout=60)
        assert worker.returncode == 75
        assert "another worker may be at work in it; this one ends" in said
        assert "Traceback" not in said
    with staying(office.config_path, **LOOKS_OFTEN) as early:
        _, said = early.communicate(timeout=60)
        assert early.returncode == 75
        assert "mailbot: the database test" in said
    killable.start()
    with staying(office.config_path, **LOOKS_OFTEN) as worker:
        assert comes_true(lambda: letters(office) == 2)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0
    assert office.outcomes() == ["acknowledged", "correction"]
    assert max(office.sent_ids().values()) == 1
    holds(office)


@pytest.fixture
def other_host(office: Office) -> Path:
    """Configuration of another host: the same database and archive, where the other's lock file is not seen."""
    (office.directory / "storage" / "archive").mkdir(parents=True)
    (office.directory / "elsewhere").mkdir()
    (office.directory / "elsewhere" / "archive").symlink_to(office.directory / "storage" / "archive")
    text = office.config_path.read_text(encoding="utf-8")
    path = office.directory / "other.toml"
    path.write_text(text.replace('directory = "storage"', 'directory = "elsewhere"'), encoding="utf-8")
    return path


def test_the_worker_of_a_second_host_ends_with_75_and_that_of_a_killed_one_takes_its_place(
    office: Office, other_host: Path
) -> None:
    with staying(office.config_path, **LOOKS_OFTEN) as worker:
        office.deliver(mail(papers()))
        assert comes_true(lambda: letters(office) == 1)
        second = run_once(other_host)
        assert second.exit_code == 75
        assert "another worker is at work in the database" in second.stderr
        worker.kill()
        worker.wait(60)
    assert comes_true(lambda: run_once(other_host).exit_code == 0)


def test_a_decision_made_on_another_host_is_left_to_the_worker(office: Office, other_host: Path) -> None:
    with office.opened() as app, app.alone(), App.open(load(other_host)) as elsewhere:
        (office.directory / "one.eml").write_bytes(ROBOT)
        elsewhere.ingest("societies", [office.directory / "one.eml"])
        assert office.outcomes() == [None]
        app.worker().once()
        assert office.outcomes() == ["ignored"]


def test_a_round_whose_lock_is_lost_sends_nothing_more(office: Office, killable: Cluster) -> None:
    """The server is back at once, and everything would go on: but another host may have begun."""
    office.deliver(mail(papers()))
    passed = count(1)

    def pass_border() -> None:
        if next(passed) == 4:
            killable.stop()
            killable.start()

    with bordered(pass_border):
        said = run_once(office.config_path)
    assert said.exit_code == 75
    assert "the worker's lock on the database is lost" in said.output
    assert office.sent == ()
    assert run_once(office.config_path).exit_code == 0
    assert letters(office) == 1
    holds(office)
