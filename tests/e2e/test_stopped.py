"""A stop reaches every process of the service at once: nobody is blamed for what was being read then."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from mailbot.errors import UnreadableError
from mailbot.model import Ruling, RulingKind, Track
from mailbot.reader import Reader
from tests.conftest import require
from tests.e2e.office import Office, comes_true, mail, papers, staying
from tests.processes import below

_SUMMARY = (
    "2020年工作总结\n" + "学会围绕中心工作，组织学术交流、科学普及和决策咨询，各项任务按计划推进。\n" * 5
)


def rtf(text: str) -> bytes:
    """What only LibreOffice reads: each character by its number, of 16 bits with a sign."""
    lines = (memoryview(line.encode("utf-16-le")).cast("h") for line in text.splitlines())
    paragraphs = "\\par ".join("".join(f"\\u{number}?" for number in line) for line in lines)
    return f"{{\\rtf1\\ansi {paragraphs}}}".encode("ascii")


def converts(worker: subprocess.Popen[str]) -> bool:
    return any(_name(pid).startswith("soffice") for pid in below(worker.pid))


def _name(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text()
    return ""


def stop_all(worker: subprocess.Popen[str]) -> None:
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
    with staying(office.config_path) as worker:
        assert comes_true(lambda: converts(worker))
        time.sleep(after)
        stop_all(worker)
    assert office.round()
    (message,) = office.export()["messages"]
    assert [r["kind"] for r in message["replies"]] == ["acknowledgement"]


def test_a_stop_while_a_mail_is_read_anew_leaves_it_as_it_was_decided(
    office_on_sqlite: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was for a person then, as one that breaks its reader."""
    office, stop = office_on_sqlite, threading.Event()
    office.deliver(mail(papers()))
    assert office.round()

    def ended(_reader: Reader, _path: Path, **_: object) -> None:
        stop.set()
        raise UnreadableError("the children are gone")

    with office.opened() as app:
        kind, name = RulingKind.ASSIGN, "浙江省云岭学会"
        ruling = Ruling(
            message=1,
            kind=kind,
            by="章伟",
            why="已核实",
            at=app.clock(),
            organization=name,
            track=Track.SOCIETY,
        )
        app.store.record_rulings((ruling,))
        with monkeypatch.context() as patch:
            patch.setattr(Reader, "read_mail", ended)
            app._intake(None).run(stop.is_set)
    assert office.outcomes() == ["acknowledged"]
    assert office.round()
    assert office.outcomes() == ["acknowledged"]
