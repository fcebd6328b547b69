"""Killed at any border between two steps, the next round loses nothing and answers nobody twice."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.e2e.office import DEADLINE, IN_TIME, Office, mail, papers

BORDERS = 40


def _deliver_three(office: Office) -> None:
    office.deliver(mail(papers()), IN_TIME)
    faulty = papers("浙江省星河研究会", scores={8: "5"})
    office.deliver(
        mail(faulty, sender="office@xinghe.example.com", message_id="<2@xinghe.example.com>"), DEADLINE
    )
    office.deliver(
        mail({}, body="请问可以延期吗？", sender="a@b.example.com", message_id="<3@b.example.com>")
    )


def _run_killed(office: Office, border: int) -> int:
    command = [
        sys.executable,
        str(Path(__file__).with_name("killed_worker.py")),
        str(office.config_path),
        str(border),
    ]
    return subprocess.run(
        command, check=False, cwd=ROOT, capture_output=True, timeout=60, env={"PYTHONPATH": str(ROOT)}
    ).returncode


@pytest.mark.parametrize("first", range(1, BORDERS + 1, 3))
def test_killed_at_a_border_nothing_is_lost_and_nobody_answered_twice(office: Office, first: int) -> None:
    _deliver_three(office)
    _run_killed(office, first)
    for _ in range(3):
        office.round()
    exported = office.export()
    assert [m["outcome"] for m in exported["messages"]] == ["acknowledged", "correction", "review"]
    assert max(office.sent_ids().values(), default=0) <= 1
    states = [r["state"] for m in exported["messages"] for r in m["replies"]]
    assert len(states) == 3
    assert set(states) <= {"sent", "uncertain"}
    assert states.count("sent") == len(office.sent)


def test_the_borders_cover_a_whole_round(office: Office) -> None:
    _deliver_three(office)
    assert _run_killed(office, BORDERS + 1000) == 0
    assert len(office.sent) == 3


def test_a_killed_worker_really_dies_of_it(office: Office) -> None:
    _deliver_three(office)
    assert _run_killed(office, 5) == -signal.SIGKILL
