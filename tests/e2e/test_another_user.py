"""Run as another user than the one at the terminal: what is closed to it costs no traceback, and no reading."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.e2e.office import Office, form

_WITHOUT_RIGHTS = ("setpriv", "--bounding-set", "-all", "--inh-caps", "-all")
"""Root without capabilities, to whom a foreign folder is as closed as to anybody."""


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """Somebody else's folder, as /root is to the service's user."""
    if os.geteuid() != 0:
        pytest.skip("only root can stand in a folder that is closed to the program")
    directory = tmp_path / "closed"
    directory.mkdir(mode=0o700)
    os.chown(directory, 65534, 65534)
    return directory


def mailbot(closed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*_WITHOUT_RIGHTS, sys.executable, "-m", "mailbot", *arguments]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, check=False, cwd=closed, env=environ, capture_output=True, text=True, timeout=120
    )


def test_a_document_is_read_from_a_closed_folder(closed: Path, office_on_sqlite: Office) -> None:
    document = office_on_sqlite.directory / "自评表.xlsx"
    document.write_bytes(form())
    ended = mailbot(closed, "read", str(document), "--config", str(office_on_sqlite.config_path))
    assert ended.returncode == 0, ended.stderr
    assert "浙江省云岭学会" in ended.stdout


def test_a_file_that_may_not_be_written_is_named(closed: Path, office_on_sqlite: Office) -> None:
    target = closed / "汇总表.csv"
    config = ("--config", str(office_on_sqlite.config_path))
    ended = mailbot(closed, "export", "--format", "csv", "--output", str(target), *config)
    assert ended.returncode == 2
    assert ended.stderr == f"mailbot: {target}: cannot be written: Permission denied\n"
