"""A worker that stays and the files that it works by: what changes is taken over, what is faulty is told."""

from __future__ import annotations

import email
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from email.header import decode_header, make_header
from pathlib import Path

import pytest

from mailbot.changes import Changes
from mailbot.config import load
from tests.databases import on_sqlite
from tests.e2e.office import KNOWN, REGISTRY, ROOT, STRANGER, Office, comes_true, mail, papers, run, staying

LISTED = "organizations.csv"
OFTEN = {"WATCHDOG_USEC": "400000"}
"""The worker looks as often as a watchdog wants to hear of it."""


@pytest.fixture
def manager(office: Office) -> Iterator[socket.socket]:
    """What a service manager hears."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(office.directory / "notify"))
        listener.settimeout(60)
        yield listener


def hears(manager: socket.socket, said: bytes) -> bool:
    """Whether it does within a minute."""
    while (heard := manager.recv(100)) != said:
        assert heard != b"STOPPING=1"
    return True


def subjects(office: Office, to: str) -> list[str]:
    found = (email.message_from_bytes(one.octets)["Subject"] for one in office.sent if one.to == (to,))
    return [str(make_header(decode_header(subject))) for subject in found]


def states_of_children(pid: int) -> list[str]:
    """As proc(5) has them: Z is a child that has ended and that nobody collects."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent, *_ = path.read_text().rpartition(")")[2].split()
            found += [state] if int(parent) == pid else []
    return found


def test_a_list_that_has_grown_is_taken_over_by_the_running_worker(
    registered: Office, manager: socket.socket
) -> None:
    notified = {"NOTIFY_SOCKET": str(registered.directory / "notify"), **OFTEN}
    with staying(registered.config_path, **notified) as worker:
        assert hears(manager, b"READY=1")
        (registered.directory / LISTED).write_text(f"{REGISTRY}{STRANGER},society,,\n", encoding="utf-8")
        assert hears(manager, b"RELOADING=1")
        assert hears(manager, b"READY=1")
        registered.deliver(mail(papers(STRANGER), sender="new@yuncen.example.com"))
        assert comes_true(lambda: subjects(registered, "new@yuncen.example.com"))
        assert worker.poll() is None
        assert "Z" not in states_of_children(worker.pid)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=60) == 0
    assert registered.outcomes() == ["acknowledged"]
    assert "all of it holds" in run(registered, "verify")


@on_sqlite
def test_a_faulty_one_is_told_once_and_the_old_one_kept_until_it_is_mended(registered: Office) -> None:
    listed = registered.directory / LISTED
    with staying(registered.config_path, **OFTEN) as worker:
        registered.deliver(mail(papers()))
        assert comes_true(lambda: registered.sent)
        listed.write_text(f"{REGISTRY}{STRANGER},societies,,\n", encoding="utf-8")
        assert comes_true(lambda: subjects(registered, "staff@example.org"))
        registered.deliver(mail(papers(), message_id="<2@yunling.example.com>"))
        assert comes_true(lambda: len(subjects(registered, "office@yunling.example.com")) == 2)
        listed.write_text(f"{REGISTRY}{STRANGER},society,,\n", encoding="utf-8")
        registered.deliver(mail(papers(STRANGER), sender="new@yuncen.example.com"))
        assert comes_true(lambda: subjects(registered, "new@yuncen.example.com"))
        assert worker.poll() is None
    (told,) = (one for one in subjects(registered, "staff@example.org") if "暂未采用" in one)
    assert told == "【需处理】改动后的配置、评分表或单位名单暂未采用"


def test_a_link_that_is_pointed_at_other_files_has_changed(registered: Office) -> None:
    """As a container's orchestrator puts new files in the place of old ones."""
    place = registered.directory
    for name in ("old", "new"):
        (place / name).mkdir()
        for file in (LISTED, "config.toml", "secret"):
            (place / name / file).write_bytes((place / file).read_bytes())
    (place / "data").symlink_to("old")
    (place / "link.toml").symlink_to("data/config.toml")
    storage = f'directory = "{place / "storage"}"'
    for name in ("old", "new"):
        config = place / name / "config.toml"
        text = config.read_text(encoding="utf-8").replace('directory = "storage"', storage)
        text = text.replace("sqlite:///storage", f"sqlite:///{place / 'storage'}")
        config.write_text(text, encoding="utf-8")
    changes = Changes(load(place / "link.toml"))
    (place / "data").unlink()
    (place / "data").symlink_to("new")
    shutil.rmtree(place / "old")
    assert [changes.are_to_be_taken_over() for _ in range(2)] == [False, True], changes.fault


def test_what_is_half_written_waits_and_another_storage_is_for_a_person(registered: Office) -> None:
    changes = Changes(load(registered.config_path))
    assert not changes.are_to_be_taken_over()
    listed, config = registered.directory / LISTED, registered.config_path
    listed.write_text(f"{REGISTRY}{STRANGER}", encoding="utf-8")
    assert not changes.are_to_be_taken_over()
    assert not changes.are_to_be_taken_over()
    assert "line 4: track is ''" in changes.fault
    listed.write_text(f"{REGISTRY}{STRANGER},society,,\n", encoding="utf-8")
    assert not changes.are_to_be_taken_over()
    assert changes.are_to_be_taken_over()
    assert changes.fault == ""
    before = config.read_text(encoding="utf-8")
    config.write_text(before.replace('name = "2020"', 'name = "2021"'), encoding="utf-8")
    assert [changes.are_to_be_taken_over() for _ in range(2)] == [False, False]
    assert "another campaign or storage" in changes.fault
    config.unlink()
    assert [changes.are_to_be_taken_over() for _ in range(2)] == [False, False]
    assert str(config) in changes.fault
    config.write_text(
        before.replace("min_interval_seconds = 0", "min_interval_seconds = 1"), encoding="utf-8"
    )
    assert [changes.are_to_be_taken_over() for _ in range(2)] == [False, True]
    assert KNOWN in listed.read_text(encoding="utf-8")


def test_a_mailbox_whose_name_is_gone_is_for_a_person_and_its_letters_are_told_of(office: Office) -> None:
    """They stayed queued for good, without a word."""
    office.deliver(mail(papers()))
    office.smtp.refuse("MAIL", "451 4.3.0 later")
    assert not office.round()
    changes, config = Changes(load(office.config_path)), office.config_path
    before = config.read_text(encoding="utf-8")
    config.write_text(before.replace('name = "societies"', 'name = "others"'), encoding="utf-8")
    assert [changes.are_to_be_taken_over() for _ in range(3)] == [False, False, False]
    assert "societies is not named any more" in changes.fault
    assert office.round()
    assert office.sent == ()
    with office.opened() as app:
        assert "1封答复尚未发出，所属邮箱 societies 已不在配置中" in app.staff.digest(app.clock()).text
    config.write_text(before, encoding="utf-8")
    assert office.round()
    assert len(office.sent) == 1
    with office.opened() as app:
        assert "已不在配置中" not in app.staff.digest(app.clock()).text


def test_nothing_that_is_written_into_the_files_ends_a_worker(registered: Office) -> None:
    changes = Changes(load(registered.config_path))
    (registered.directory / LISTED).write_text('"' + "x" * 200_000, encoding="utf-8")
    assert [changes.are_to_be_taken_over() for _ in range(2)] == [False, False]
    assert "is no CSV" in changes.fault
    registered.config_path.write_text(f"a={'[' * 5000}", encoding="utf-8")
    assert [changes.are_to_be_taken_over() for _ in range(2)] == [False, False]
    assert "is no TOML" in changes.fault


_WOUND_DOWN = """\
import os, signal, sys, time
from threading import Event
from types import SimpleNamespace
from mailbot.worker import Worker
worker = Worker(
    watchers=[], outboxes=[], arrived=Event(), waits=lambda: False, by_the_clock=lambda: None,
    intake=lambda: SimpleNamespace(prepare=lambda: None), still_alone=lambda: True, has_changed=lambda: True,
)
worker.stay()
os.kill(os.getpid(), signal.SIGTERM)
sys.exit(5 if worker.starts_anew else 6)
"""


def test_a_worker_that_is_told_to_stop_between_two_programs_does_and_is_not_taken_for_dead(
    office: Office, manager: socket.socket
) -> None:
    """A signal that came after the last look was forgotten by the program that followed."""
    notified = {**os.environ, "NOTIFY_SOCKET": str(office.directory / "notify"), **OFTEN}
    ended = subprocess.run([sys.executable, "-c", _WOUND_DOWN], cwd=ROOT, check=False, env=notified)
    assert ended.returncode == -signal.SIGTERM
    assert hears(manager, b"RELOADING=1")
    assert hears(manager, b"WATCHDOG=1")
