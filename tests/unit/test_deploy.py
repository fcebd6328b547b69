"""The command lines that `deploy/` gives to systemd and cron are ones that the program takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mailbot.cli import app
from tests.conftest import ROOT

_COMMAND = re.compile(r"/opt/mailbot/\.venv/bin/mailbot ([a-z].+)")
LINES = [
    (path.name, found[1])
    for path in sorted((ROOT / "deploy").iterdir())
    for found in _COMMAND.finditer(path.read_text(encoding="utf-8"))
]


def test_each_way_to_run_it_has_its_command_line() -> None:
    assert {name for name, _ in LINES} == {
        "crontab",
        "mailbot-digest.service",
        "mailbot-once.service",
        "mailbot.service",
    }


@pytest.mark.parametrize(("name", "line"), LINES)
def test_a_command_line_is_understood_up_to_its_configuration(name: str, line: str, tmp_path: Path) -> None:
    missing = tmp_path / "config.toml"
    result = CliRunner().invoke(app, line.replace("/etc/mailbot/config.toml", str(missing)).split())
    assert result.exit_code == 2, name
    assert f"mailbot: {missing}: cannot be read: No such file or directory" in result.output
