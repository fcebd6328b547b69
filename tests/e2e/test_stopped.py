"""A stop reaches every process of the service at once: nobody is blamed for what was being read then."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.conftest import ROOT, require
from tests.e2e.office import Office, mail, papers
from tests.processes import below

_SUMMARY = (
    "2020年工作总结\n" + "学会围绕中心工作，组织学术交流、科学普及和决策咨询，各项任务按计划推进。\n" * 5
)


def rtf(text: str) -> bytes:
    """What only LibreOffice reads."""
    escaped = "".join(f"\\u{ord(c) - 2**16 * (ord(c) > 2**15 - 1)}?" if c != "\n" else "\\par " for c in text)
    return f"{{\\rtf1\\ansi {escaped}}}".encode("ascii")


@contextmanager
def staying(office: Office) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "mailbot", "run", "--config", str(office.config_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as worker:
        try:
            yield worker
        finally:
            worker.kill()


def converts(worker: subprocess.Popen[bytes]) -> bool:
    return any(_name(pid).startswith("soffice") for pid in below(worker.pid))


def _name(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text()
    return ""


def stop_all(worker: subprocess.Popen[bytes]) -> None:
    """As a service manager does, in the order that is worst."""
    for pid in (*below(worker.pid), worker.pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    assert worker.wait(60) == 0


@pytest.mark.parametrize("after", [0.0, 0.5])
def test_a_stop_during_a_conversion_blames_nobody(office_on_sqlite: Office, after: float) -> None:
    require("soffice")
    office = office_on_sqlite
    files = papers()
    del files["工作总结.docx"]
    office.deliver(mail({**files, "工作总结.rtf": rtf(_SUMMARY)}))
    with staying(office) as worker:
        latest = time.monotonic() + 60
        while not converts(worker):
            assert time.monotonic() < latest
            time.sleep(0.02)
        time.sleep(after)
        stop_all(worker)
    assert office.round()
    (message,) = office.export()["messages"]
    assert [r["kind"] for r in message["replies"]] == ["acknowledgement"]
