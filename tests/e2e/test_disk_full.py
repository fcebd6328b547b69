"""A disk that fills up for real in the middle of a round, and is made larger: nothing is lost, twice or by half."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from tests.conftest import require
from tests.databases import on_sqlite
from tests.e2e.office import Office, bordered, mail, open_office, papers
from tests.e2e.test_database_gone import run_once
from tests.e2e.test_faults import holds

PAGE = 4096
ADVICE = re.compile(
    r"/storage/archive: No space left on device; make room on its disk"
    r"|/storage/mailbot\.db: (database or disk is full|disk I/O error); see whether its disk has room"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallDisk:
    """A tmpfs of its own."""

    place: Path

    def leave(self, octets: int) -> None:
        """Let no more than that be free; again where something was written in the meantime."""
        for _ in range(100):
            there = os.statvfs(self.place)
            if self._resize(max(PAGE, (there.f_blocks - there.f_bfree) * there.f_frsize + octets)):
                return
        raise RuntimeError("the file system could not be made smaller")

    def enlarge(self) -> None:
        assert self._resize(64 * 2**20)

    def _resize(self, octets: int) -> bool:
        command = ["mount", "-o", f"remount,size={octets}", str(self.place)]
        return subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode == 0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """The storage directory of the office on a file system of its own; skips where nobody may mount one."""
    place = tmp_path / "storage"
    place.mkdir(mode=0o700)
    mount = [require("mount"), "-t", "tmpfs", "-o", "size=64m,mode=0700", "mailbot-test", str(place)]
    mounted = subprocess.run(mount, check=False, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    try:
        yield SmallDisk(place=place)
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture
def office(tmp_path: Path, disk: SmallDisk, database: str) -> Iterator[Office]:
    with open_office(tmp_path, database) as opened:
        yield opened


def _deliver_three(office: Office) -> None:
    """One mail of more than half a megabyte among them, and one that is ignored."""
    office.deliver(mail(papers()))
    large = {**papers("浙江省星河研究会", scores={8: "9"}), "图.bin": bytes(range(256)) * 2000}
    office.deliver(mail(large, sender="office@xinghe.example.com", message_id="<2@xinghe.example.com>"))
    office.deliver(mail({}, headers={"Auto-Submitted": "auto-replied"}, message_id="<3@x.example.com>"))


@pytest.mark.parametrize("pages", [0, 2, 8, 16, 32, 64, 128, 180, 220])
def test_a_disk_that_fills_up_stops_the_round_and_the_next_one_goes_on_when_there_is_room(
    office: Office, disk: SmallDisk, pages: int
) -> None:
    assert run_once(office.config_path).exit_code == 0
    _deliver_three(office)
    disk.leave(pages * PAGE)
    said = run_once(office.config_path)
    assert said.exit_code == 75
    assert "Traceback" not in said.output
    assert ADVICE.search(said.output), said.output
    assert len(office.imap.mails("societies@example.org")) == 3
    assert list(disk.place.glob("archive/*.tmp")) == []
    disk.enlarge()
    _completes(office)


@on_sqlite
@pytest.mark.parametrize("border", range(2, 20, 2))
def test_a_disk_that_is_full_from_a_step_on(office: Office, disk: SmallDisk, border: int) -> None:
    """The mails are there, and what was decided and sent finds no room."""
    assert run_once(office.config_path).exit_code == 0
    _deliver_three(office)
    passed = count(1)

    def pass_border() -> None:
        if next(passed) == border:
            disk.leave(0)

    with bordered(pass_border):
        said = run_once(office.config_path)
    assert next(passed) > border
    assert said.exit_code == 75
    assert "Traceback" not in said.output
    assert ADVICE.search(said.output), said.output
    disk.enlarge()
    _completes(office)


def _completes(office: Office) -> None:
    assert run_once(office.config_path).exit_code == 0
    assert office.outcomes() == ["acknowledged", "correction", "ignored"]
    states = [reply["state"] for message in office.export()["messages"] for reply in message["replies"]]
    assert states.count("sent") == len(office.sent)
    assert set(states) <= {"sent", "uncertain"}
    assert max(office.sent_ids().values()) == 1
    holds(office)
