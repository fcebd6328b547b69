"""The command lines that `deploy/` gives to systemd and cron are ones that the program takes, and its units ones that
systemd understands.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mailbot.cli import app
from tests.conftest import ROOT, require

_COMMAND = re.compile(r"/opt/mailbot/\.venv/bin/mailbot ([a-z].+)")
LINES = [
    (path.name, found[1])
    for path in sorted((ROOT / "deploy").iterdir())
    for found in _COMMAND.finditer(path.read_text(encoding="utf-8"))
]
CRONTAB = (ROOT / "deploy" / "crontab").read_text(encoding="utf-8")
UNITS = sorted(path.name for kind in ("service", "timer") for path in (ROOT / "deploy").glob(f"*.{kind}"))
MOST_EXPOSED = 30
"""In tenths; what bubblewrap needs of /proc and of mounts keeps the service from less."""


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


@pytest.mark.parametrize(("command", "hour"), [("digest", "08"), ("remind", "09")])
@pytest.mark.parametrize("comes", [True, False])
def test_cron_goes_by_the_campaigns_hour_whatever_the_machines(
    command: str, hour: str, comes: bool, tmp_path: Path
) -> None:
    """Debian's cron goes by the machine's time zone alone, and calls each line every hour."""
    (line,) = re.findall(rf"(?m)^(?:# )?\d+ \* \* \* \*.*mailbot  (\[.*mailbot {command} .*)$", CRONTAB)
    clock = tmp_path / "date"
    shown = hour if comes else "16"
    clock.write_text(f'#!/bin/sh\n[ "$TZ $1" = "Asia/Shanghai +%H" ] && echo {shown}\n')
    clock.chmod(0o755)
    run = line.replace("\\%", "%").replace("/opt/mailbot/.venv/bin/mailbot", "echo")
    done = subprocess.run(
        ["/bin/sh", "-c", run], check=True, capture_output=True, text=True, env={"PATH": f"{tmp_path}:/bin"}
    )
    assert done.stdout.startswith(command) is comes


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units, with a program in them that there is."""
    for name in UNITS:
        text = (ROOT / "deploy" / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace("/opt/mailbot/.venv/bin/mailbot", sys.executable))
    return tmp_path


def verified(unit: Path) -> tuple[int, str]:
    command = [require("systemd-analyze"), "verify", "--man=no", str(unit)]
    said = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    return said.returncode, said.stdout + said.stderr


@pytest.mark.parametrize("name", UNITS)
def test_systemd_understands_each_line_of_a_unit(installed: Path, name: str) -> None:
    assert verified(installed / name) == (0, "")


def test_a_line_that_systemd_would_pass_over_is_found(installed: Path) -> None:
    unit = installed / "mailbot.service"
    unit.write_text(unit.read_text(encoding="utf-8").replace("ProtectSystem=strict", "ProtectSytem=strict"))
    assert "ProtectSytem" in verified(unit)[1]


def test_the_service_is_no_more_exposed_than_it_was(installed: Path) -> None:
    subprocess.run(
        [require("systemd-analyze"), "security", "--offline=true", f"--threshold={MOST_EXPOSED}", "mailbot.service"],
        check=True, cwd=installed, capture_output=True, timeout=60, env={"SYSTEMD_UNIT_PATH": str(installed)},
    )  # fmt: skip
