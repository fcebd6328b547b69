"""Faults by plan: each write and each call to a server fails in each of its ways; the next round completes."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from mailbot.app import App
from mailbot.config import load
from mailbot.demo.servers import _Dialogue
from mailbot.errors import AnotherWorkerError, TemporaryError
from mailbot.model import ReplyState
from mailbot.outbox import Outbox
from mailbot.reader import Reader
from mailbot.store import archive
from mailbot.store.database import Database
from mailbot.verify import verify
from mailbot.worker import only_worker
from tests.conftest import ROOT
from tests.e2e.office import ADDRESSES, IN_TIME, Office, comes_true, mail, papers, run, staying

ROBOT = mail({}, headers={"Auto-Submitted": "auto-replied"}, message_id="<r@x.example.com>")


def holds(office: Office) -> None:
    with office.opened() as app:
        assert verify(app.store, app.archive, now=datetime.now(UTC) + timedelta(hours=1)).faults == ()


def completes(office: Office, outcomes: list[str], sent: int) -> None:
    """The next round goes on where the last one ended."""
    assert office.round()
    assert sorted(office.outcomes()) == outcomes
    assert len(_letters(office)) == sent
    assert max(office.sent_ids().values()) == 1
    holds(office)


@contextmanager
def failing(
    patch: pytest.MonkeyPatch, module: Any, name: str, number: int, which: int
) -> Iterator[list[int]]:
    """From its n-th call on that function raises this OSError; calls that are not the archive's are let alone."""
    calls = [0]
    inner = getattr(module, name)

    def fails(*args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        if calls[0] >= which:
            raise OSError(number, os.strerror(number))
        return inner(*args, **kwargs)

    with patch.context() as patched:
        patched.setattr(module, name, fails)
        yield calls


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT])
@pytest.mark.parametrize(
    ("module", "name"),
    [
        (archive.os, "open"),
        (archive.os, "fsync"),
        (archive.os, "fdopen"),
        (archive.Path, "rename"),
        (archive.Path, "mkdir"),
    ],
    ids=["open", "fsync", "write", "rename", "mkdir"],
)
def test_a_disk_that_takes_no_mails_stops_the_round_and_loses_none(
    office: Office, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, number: int
) -> None:
    office.deliver(mail(papers()))
    office.deliver(ROBOT)
    assert office.round() if number == errno.EDQUOT and name != "mkdir" else True
    office.deliver(mail(papers(scores={8: "9"}), message_id="<2@x.example.com>"))
    with office.opened() as app:
        watchers = app.worker()._watchers
        with failing(monkeypatch, module, name, number, 1) as calls:
            rounds = [watcher.round() for watcher in watchers]
        said = " ".join(f.last_error for f in app.store.folders())
    assert calls[0] > 0
    assert False in rounds
    assert os.strerror(number) in said
    completes(office, ["acknowledged", "correction", "ignored"], 2)


def test_a_read_only_archive_is_told_and_later_taken_up(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.deliver(mail(papers()))

    def refused(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    with monkeypatch.context() as patch:
        patch.setattr(archive.Archive, "_keep", refused)
        assert not office.round()
    assert _letters(office) == []
    completes(office, ["acknowledged"], 1)


@pytest.mark.parametrize("after", range(1, 9))
def test_a_database_that_is_locked_stops_the_round_clean(
    office: Office, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """From its n-th writing transaction on the database is locked by somebody else."""
    office.deliver(mail(papers()))
    office.deliver(ROBOT)
    _fail_writing(monkeypatch, after, office.round)
    for _ in range(2):
        office.round()
    completes(office, ["acknowledged", "ignored"], _sent_once(office))


def _fail_writing(monkeypatch: pytest.MonkeyPatch, after: int, work: Callable[[], bool]) -> None:
    inner, calls = Database.writing, [0]

    @contextmanager
    def locked(self: Database) -> Iterator[Any]:
        calls[0] += 1
        if calls[0] < after:
            with inner(self) as connection:
                yield connection
            return
        cause = sqlite3.OperationalError("database is locked")
        raise TemporaryError("the database: database is locked") from OperationalError("BEGIN", {}, cause)

    with monkeypatch.context() as patch:
        patch.setattr(Database, "writing", locked)
        try:
            reached = work()
        except TemporaryError:
            reached = False
    assert not reached or calls[0] < after


def _sent_once(office: Office) -> int:
    """One letter, or none where nobody can tell whether it went: then a person decides."""
    states = [r["state"] for m in office.export()["messages"] for r in m["replies"]]
    assert states in (["sent"], ["uncertain"])
    return len(office.sent)


def test_a_database_locked_by_another_process_is_waited_for_and_then_left(office_on_sqlite: Office) -> None:
    office = office_on_sqlite
    office.deliver(mail(papers()))
    assert office.round()
    office.deliver(ROBOT)
    database = office.directory / "storage" / "mailbot.db"
    with office.opened() as app:
        app.store.engine.dispose()
        app.store.engine = app.store.engine.execution_options()
        other = sqlite3.connect(database, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with app.store.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout = 50")
        watcher = app.worker()._watchers[0]
        assert not watcher.round()
        other.execute("ROLLBACK")
        other.close()
    completes(office, ["acknowledged", "ignored"], 1)


@pytest.mark.parametrize("command", ["AUTH", "MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize(
    ("answer", "state", "sent"),
    [
        ("451 4.3.0 later", "queued", 0),
        ("421 4.3.2 going down", "queued", 0),
        ("550 5.1.1 no such user", "failed", 0),
        ("550 Mailbox unavailable: frequency limited", "queued", 0),
        ("", "queued", 0),
    ],
    ids=["later", "bye", "refused", "too fast", "cut"],
)
def test_every_way_in_which_sending_fails(
    office: Office, command: str, answer: str, state: str, sent: int
) -> None:
    office.deliver(mail(papers()))
    office.smtp.refuse(command, answer, times=2 if command == "AUTH" and answer else 1)
    office.round()
    office.smtp._refusals.clear()
    [reply] = office.export()["messages"][0]["replies"]
    if command == "AUTH" and answer.startswith("550"):
        state = "queued"
    if command == "DATA" and not answer:
        state, sent = "uncertain", 1
    assert reply["state"] == state
    with office.opened() as app:
        app.clock = lambda: datetime.now(UTC) + timedelta(hours=2)
        app.run(once=True)
    [reply] = office.export()["messages"][0]["replies"]
    assert reply["state"] == ("sent" if state == "queued" else state)
    assert len(office.sent) == (1 if state == "queued" else sent)
    holds(office)


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
def test_at_the_first_too_fast_nothing_more_goes_out_for_a_while(office: Office, command: str) -> None:
    for number in range(3):
        one = papers(f"浙江省第{number}学会")
        sender, message_id = f"office@s{number}.example.com", f"<{number}@example.com>"
        office.deliver(mail(one, sender=sender, message_id=message_id))
    office.smtp.refuse(command, "550 Mail content denied: frequency limited")
    office.round()
    office.round()
    assert office.sent == ()
    with office.opened() as app:
        app.clock = lambda: datetime.now(UTC) + timedelta(hours=2)
        app.run(once=True)
    assert [one.to for one in office.sent] == [(f"office@s{number}.example.com",) for number in range(3)]
    holds(office)


def test_a_refused_login_is_tried_a_few_times_and_then_not_by_every_new_process(office: Office) -> None:
    office.smtp.refuse("AUTH", "535 5.7.8 wrong code", times=99)
    for number in range(6):
        office.deliver(mail(papers(), message_id=f"<{number}@example.com>"))
        office.round()
    assert office.smtp.connections == 3
    office.smtp._refusals.clear()
    with office.opened() as app:
        app.clock = lambda: datetime.now(UTC) + timedelta(hours=2)
        app.run(once=True)
    assert len(office.sent) == 6
    holds(office)


def test_only_the_mail_whose_end_was_sent_is_uncertain_and_the_announced_one_is_sent(
    office: Office,
) -> None:
    """The next one's envelope lay in the same group as the body over which the connection broke."""
    for number in range(3):
        office.deliver(
            mail(
                papers(f"浙江省第{number}学会"),
                sender=f"office@s{number}.example.com",
                message_id=f"<{number}@example.com>",
            )
        )
    office.smtp.refuse("MAIL", "550 Mailbox unavailable: frequency limited")
    office.round()
    office.smtp.drop_at("DATA")
    with office.opened() as app:
        app.clock = lambda: datetime.now(UTC) + timedelta(hours=2)
        app.run(once=True)
        app.run(once=True)  # what is left where all was decided before the connection broke
    states = [r["state"] for m in office.export()["messages"] for r in m["replies"]]
    assert states == ["uncertain", "sent", "sent"]
    assert len(office.sent) == 3
    holds(office)


@pytest.mark.parametrize("server", ["imap", "smtp"])
def test_a_server_that_refuses_connections_holds_up_only_itself(office: Office, server: str) -> None:
    office.deliver(mail(papers()))
    office.deliver(mail(papers(), message_id="<2@x.example.com>"), mailbox="enterprises")
    text = office.config_path.read_text()
    port = getattr(office, server).port
    office.config_path.write_text(text.replace(f"port = {port}", "port = 1", 1))
    assert not office.round()
    assert len(_letters(office)) == 1
    office.config_path.write_text(text)
    with office.opened() as app:
        app.clock = lambda: datetime.now(UTC) + timedelta(hours=2)
        assert app.run(once=True)
    assert len(_letters(office)) == 2
    holds(office)


def test_the_attempts_at_a_mail_are_counted_over_all_runs_and_the_mail_behind_it_goes_on(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Programs that count in memory never reach their limit under cron."""
    office.deliver(mail({}, subject="毒", message_id="<1@x.example.com>"), IN_TIME)
    office.deliver(mail(papers(), message_id="<2@x.example.com>"), IN_TIME + timedelta(minutes=1))
    read = Reader.read_mail

    def poisoned(reader: Reader, path: Path, **wanted: Any) -> Any:
        if b"<1@x.example.com>" in path.read_bytes():
            raise RuntimeError("poison")
        return read(reader, path, **wanted)

    monkeypatch.setattr(Reader, "read_mail", poisoned)
    found = []
    for minutes in (0, 10, 20, 30):
        with office.opened() as app:
            later = datetime.now(UTC) + timedelta(minutes=minutes)
            app.clock = lambda later=later: later  # type: ignore[misc]
            app.run(once=True)
        found.append(office.outcomes())
    assert found == [[None, "acknowledged"]] * 2 + [["review", "acknowledged"]] * 2
    [finding] = office.export()["messages"][0]["findings"]
    assert finding["code"] == "message.unprocessable"
    assert len(_letters(office)) == 1


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        *itertools.product(["AUTH", "MAIL", "RCPT"], ["451 4.3.0 later", "421 4.3.2 going down", ""]),
        ("AUTH", "535 5.7.8 wrong code"),
        ("DATA", "451 4.3.0 later"),
    ],
)
def test_the_next_run_picks_up_at_once_what_the_server_did_not_take(
    office: Office, command: str, answer: str
) -> None:
    office.deliver(mail(papers()))
    office.smtp.refuse(command, answer, times=2 if command == "AUTH" and answer else 1)
    assert not office.round()
    office.smtp._refusals.clear()
    assert office.round()
    assert len(office.sent) == 1
    holds(office)


def test_the_next_run_picks_up_at_once_what_waited_through_many_for_a_server(office: Office) -> None:
    """No letter is put off longer and longer for what was no fault of its own."""
    office.deliver(mail(papers()))
    text = office.config_path.read_text()
    office.config_path.write_text(text.replace(f"port = {office.smtp.port}", "port = 1"))
    for _ in range(4):
        assert not office.round()
    office.config_path.write_text(text)
    assert office.round()
    assert len(office.sent) == 1
    holds(office)


@pytest.mark.parametrize("command", ["", "AUTH"])
def test_a_server_that_is_away_for_a_night_is_asked_ever_more_seldom_and_fills_no_ledger(
    office: Office, caplog: pytest.LogCaptureFixture, command: str
) -> None:
    """It was each minute: 600 logins, as many lines of the log, and six links of the ledger each time for three letters."""
    now = [datetime(2021, 1, 14, 20, tzinfo=UTC)]
    text = office.config_path.read_text()
    if command:
        office.smtp.refuse(command, "454 4.7.0 Temporary authentication failure", times=10_000)
    else:
        office.config_path.write_text(text.replace(f"port = {office.smtp.port}", "port = 1"))
    with office.opened() as app:
        app.clock = lambda: now[0]
        for number in range(3):
            path = office.directory / "one.eml"
            path.write_bytes(mail(papers(), message_id=f"<{number}@x.example.com>"))
            app.ingest("societies", [path])
        before = app.store.newest_link().seq
        with closing(app._outbox("societies", reminding=False)) as outbox:
            for _ in range(10 * 60 * 4):
                assert not outbox.flush(Event())
                now[0] += timedelta(seconds=15)
            assert app.store.newest_link().seq - before < 150
            assert sum("put off" in record.getMessage() for record in caplog.records) < 70
            if command:
                office.smtp._refusals.clear()
                now[0] += timedelta(minutes=10)
                assert outbox.flush(Event())
                assert len(office.sent) == 3


def test_a_draft_waits_no_longer_than_the_server_is_away(office: Office) -> None:
    office.configure(replies='mode = "draft"\nmin_interval_seconds = 0')
    path = office.directory / "one.eml"
    path.write_bytes(mail(papers()))
    text = office.config_path.read_text()
    office.config_path.write_text(text.replace(f"port = {office.imap.port}", "port = 1"))
    with office.opened() as app:
        app.ingest("societies", [path])
    assert not office.round()
    assert not office.round()
    office.config_path.write_text(text)
    assert office.round()
    [reply] = office.export()["messages"][0]["replies"]
    assert reply["state"] == "drafted"


def test_a_clock_that_jumps_back_answers_nobody_twice_and_keeps_the_chain(office: Office) -> None:
    now = [datetime(2021, 1, 14, 12, tzinfo=UTC)]
    for number, jump in enumerate([0, -26, 3, -400, 900]):
        now[0] += timedelta(hours=jump)
        office.deliver(
            mail(papers(), message_id=f"<{number}@x.example.com>"), IN_TIME + timedelta(minutes=number)
        )
        with office.opened() as app:
            app.clock = lambda: now[0]
            app.run(once=True)
    assert office.outcomes() == ["acknowledged"] * 5
    assert len(office.sent) == 5
    assert max(office.sent_ids().values()) == 1
    holds(office)


@pytest.mark.parametrize("ahead", [timedelta(hours=8), timedelta(days=400)])
def test_what_a_clock_put_off_that_was_ahead_does_not_wait_for_that_time(
    office: Office, ahead: timedelta
) -> None:
    right = datetime(2021, 1, 14, 12, tzinfo=UTC)
    now = [right + ahead]
    office.deliver(mail(papers()))
    office.deliver(mail(papers(), message_id="<2@x.example.com>"), IN_TIME + timedelta(minutes=1))
    office.smtp.refuse("MAIL", "451 4.3.0 later")
    with office.opened() as app:
        app.clock = lambda: now[0]
        assert not app.run(once=True)
        app.store.count_failure(2, "tried", at=now[0], retry_at=now[0] + timedelta(minutes=2))
        now[0] = right
        app.run(once=True)
        assert [m.message for m in app.store.replies_in(ReplyState.SENT)] == [1, 2]
        app.staff.by_the_clock()
        assert _to_the_society(office) == 2
    holds(office)


def test_a_worker_that_stays_makes_no_pause_longer_on_account_of_a_clock_that_is_set_back(
    office: Office,
) -> None:
    now = [datetime(2021, 1, 14, 20, tzinfo=UTC)]
    path = office.directory / "one.eml"
    path.write_bytes(mail(papers()))
    office.smtp.refuse("MAIL", "451 4.3.0 later")
    with office.opened() as app:
        app.clock = lambda: now[0]
        app.ingest("societies", [path])
        with closing(Outbox(app.config.mailboxes[0], app.config, app.store, lambda: now[0])) as outbox:
            assert not outbox.flush(Event())
            assert office.sent == ()
            now[0] -= timedelta(hours=8)
            assert outbox.flush(Event())
    assert len(office.sent) == 1


def test_the_second_worker_ends_with_75(office: Office) -> None:
    office.round()
    with only_worker(office.directory / "storage"):
        with office.opened() as app, pytest.raises(AnotherWorkerError):
            app.run(once=True)
        command = [sys.executable, "-m", "mailbot", "run", "--once", "--config", str(office.config_path)]
        second = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, timeout=60, text=True)
    assert second.returncode == 75
    assert "another worker is at work" in second.stderr
    assert office.round()


def test_the_lock_of_a_killed_worker_is_free(office: Office, tmp_path: Path) -> None:
    office.round()
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom mailbot.worker import only_worker\n"
        "with only_worker(Path(sys.argv[1])):\n    print('locked', flush=True)\n    time.sleep(60)\n"
    )
    command = [sys.executable, "-c", script, str(office.directory / "storage")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, env={"PYTHONPATH": str(ROOT)}) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        with office.opened() as app, pytest.raises(AnotherWorkerError):
            app.run(once=True)
        holder.kill()
        holder.wait(10)
    assert office.round()


@pytest.mark.parametrize("anew", [False, True])
def test_a_worker_whose_storage_is_taken_away_ends_and_the_next_one_answers_nobody_again(
    office_on_sqlite: Office, anew: bool
) -> None:
    """It went on beside an empty database, with nothing in order and nobody told."""
    office = office_on_sqlite
    office.deliver(mail(papers()))
    with staying(office.config_path, WATCHDOG_USEC="400000") as worker:
        assert comes_true(lambda: _to_the_society(office))
        shutil.rmtree(office.directory / "storage")
        if anew:
            (office.directory / "storage").mkdir(mode=0o700)
        assert worker.wait(60) == 75
    office.deliver(mail(papers(scores={8: "9"}), message_id="<2@x.example.com>"))
    completes(office, ["acknowledged", "correction"], 2)


def test_staff_are_told_once_of_a_dead_mailbox_and_once_when_it_works_again(office: Office) -> None:
    now = [datetime(2021, 1, 14, 12, tzinfo=UTC)]

    def round_at(minutes: int) -> bool:
        now[0] += timedelta(minutes=minutes)
        with office.opened() as app:
            app.clock = lambda: now[0]
            return app.run(once=True)

    assert round_at(0)
    text = office.config_path.read_text()
    office.config_path.write_text(text.replace(f"port = {office.imap.port}", "port = 1", 1))
    rounds = [round_at(minutes) for minutes in (10, 25, 10, 60)]
    told = _to_staff(office)
    office.config_path.write_text(text)
    rounds += [round_at(5), round_at(5)]
    assert rounds == [False] * 4 + [True] * 2
    assert [("无法读取" in one, "societies@example.org" in one) for one in told] == [(True, True)]
    assert ["恢复读取" in one for one in _to_staff(office)] == [False, True]


def _letters(office: Office) -> list[tuple[str, ...]]:
    return [one.to for one in office.sent if one.to != ("staff@example.org",)]


def _to_staff(office: Office) -> list[str]:
    import email
    from email.policy import default

    return [
        str(email.message_from_bytes(one.octets, policy=default)["Subject"])
        for one in office.sent
        if one.to == ("staff@example.org",)
    ]


def lock(office: Office, *services: str) -> str:
    """The societies' account, as one whose authorization code has become void; returns the configuration as it was."""
    text = changed = office.config_path.read_text()
    for service in services:
        port = getattr(office, service).port
        changed = changed.replace(f"port = {port}", "port = 1", 1)
    office.config_path.write_text(changed)
    return text


def test_staff_are_told_of_a_locked_account_through_the_other_one(office: Office) -> None:
    """A changed password voids both of its services, and word of that left through it alone."""
    lock(office, "imap", "smtp")
    assert not office.round()
    assert ["无法读取" in one for one in _to_staff(office)] == [True]
    with office.opened() as app:
        now = app.clock()
        app.staff.send_digest(app.staff.digest(now), now)
    assert len(_to_staff(office)) == 2
    assert {one.envelope_from for one in office.sent} == {ADDRESSES["enterprises"]}


def test_a_reader_of_the_digest_whose_address_is_dead_brings_it_to_the_others_but_once(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They got it every ten minutes."""
    answer = _Dialogue.handle_RCPT

    async def refuse(self: _Dialogue, server: Any, session: Any, envelope: Any, to: str, *more: Any) -> str:
        if to.startswith("gone"):
            return "550 5.1.1 no such user"
        return await answer(self, server, session, envelope, to, *more)

    monkeypatch.setattr(_Dialogue, "handle_RCPT", refuse)
    now = [datetime(2021, 1, 14, 8, 30, tzinfo=UTC)]
    text = office.config_path.read_text()
    both = text.replace('["staff@example.org"]', '["gone@example.org", "staff@example.org"]')
    office.config_path.write_text(both)
    for config in (both, both.replace("staff@example.org", "gone2@example.org")):
        office.config_path.write_text(config)
        with office.opened() as app:
            app.clock = lambda: now[0]
            app.run(once=True)
            for _ in range(3):
                with suppress(TemporaryError):
                    app.staff.by_the_clock()
                now[0] += timedelta(minutes=11)
        now[0] += timedelta(days=1)
    assert len(_to_staff(office)) == 1
    office.config_path.write_text(text)
    with office.opened() as app:
        app.clock = lambda: now[0]
        app.staff.by_the_clock()
    assert "收件日报" in _to_staff(office)[-1]


@pytest.mark.parametrize("mode", ["send", "draft"])
def test_letters_that_do_not_leave_are_told_of_once_and_in_each_digest(office: Office, mode: str) -> None:
    """The digest said that all was well, and nobody had been answered for days."""
    office.configure(replies=f'mode = "{mode}"\nmin_interval_seconds = 0')
    path = office.directory / "one.eml"
    now = [datetime(2021, 1, 14, 2, tzinfo=UTC)]
    said: list[str] = []
    shown: list[bool] = []

    def digest_after(minutes: int) -> bool:
        now[0] += timedelta(minutes=minutes)
        with office.opened() as app:
            app.clock = lambda: now[0]
            app.run(once=True)
            said.append(app.staff.digest(now[0]).text)
        shown.append("put off" in run(office, "status"))
        return "邮箱societies@example.org有2封答复未能发出" in said[-1]

    with App.open(load(office.config_path), clock=lambda: now[0]) as app:
        for number in (1, 2):
            one = papers(f"浙江省第{number}学会")
            path.write_bytes(mail(one, sender=f"a@x{number}.example.com", message_id=f"<{number}@x>"))
            app.ingest("societies", [path])
    text = lock(office, "smtp" if mode == "send" else "imap")
    assert [digest_after(minutes) for minutes in (0, 30, 31, 600)] == [False, False, True, True]
    assert "【需要人工处理】" in said[-1]
    assert ["答复未能发出" in one for one in _to_staff(office)].count(True) == 1
    office.config_path.write_text(text)
    assert not digest_after(1)
    assert "未能发出" not in said[-1]
    assert shown == [True] * 4 + [False]
    [state] = {r["state"] for m in office.export()["messages"] for r in m["replies"]}
    assert state == ("sent" if mode == "send" else "drafted")


def test_a_mailbox_that_never_worked_is_told_at_once(office: Office) -> None:
    text = office.config_path.read_text()
    office.config_path.write_text(text.replace(f"port = {office.imap.port}", "port = 1", 1))
    assert not office.round()
    assert not office.round()
    assert [("无法读取" in one) for one in _to_staff(office)] == [True]


def test_a_watcher_that_hangs_is_noticed_though_nothing_failed(office: Office) -> None:
    now = [datetime(2021, 1, 14, 12, tzinfo=UTC)]
    with office.opened() as app:
        app.clock = lambda: now[0]
        app.run(once=True)
        now[0] += timedelta(hours=1)
        app.alarms.tell()
        app.alarms.tell()
        assert len(_to_staff(office)) == 2
        app.run(once=True)
    assert [("恢复读取" in one) for one in _to_staff(office)] == [False, False, True, True]


def test_staff_who_cannot_be_told_now_are_told_later(office: Office) -> None:
    assert office.round()
    text = office.config_path.read_text()
    office.config_path.write_text(text.replace(f"port = {office.imap.port}", "port = 1", 1))
    later = datetime.now(UTC) + timedelta(hours=2)
    office.smtp.refuse("MAIL", "451 later", times=2)
    with office.opened() as app:
        app.clock = lambda: later
        with suppress(TemporaryError):
            assert not app.run(once=True)
        assert _to_staff(office) == []
        assert not app.run(once=True)
    assert len(_to_staff(office)) == 1


def _to_the_society(office: Office) -> int:
    """Letters, without the digest, whose hour may have come."""
    return sum(one.to == ("office@yunling.example.com",) for one in office.sent)


def test_a_worker_that_stays_tells_systemd_and_ends_clean(office: Office) -> None:
    import signal
    import socket

    office.deliver(mail(papers()))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(60)
        manager.bind(str(office.directory / "notify"))
        told = {"NOTIFY_SOCKET": str(office.directory / "notify"), "WATCHDOG_USEC": "1000000"}
        with staying(office.config_path, **told) as worker:
            said = [manager.recv(100) for _ in range(3)]
            assert comes_true(lambda: _to_the_society(office))
            worker.send_signal(signal.SIGTERM)
            while b"STOPPING=1" not in said:
                said.append(manager.recv(100))
            assert worker.wait(60) == 0
    assert said[0] == b"READY=1"
    assert b"WATCHDOG=1" in said
    assert _to_the_society(office) == 1
    holds(office)
