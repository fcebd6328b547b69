"""A database that is older than what was sent is not worked on until it is rebuilt, and then nobody is answered again."""

from __future__ import annotations

import email
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.policy import default
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy.engine import make_url
from typer.testing import CliRunner

from mailbot.app import App
from mailbot.cli import app as commands
from mailbot.config import load
from mailbot.errors import LoginError, TemporaryError
from mailbot.mail.connection import RefusedError
from mailbot.mail.reply_folders import ReplyFolders
from mailbot.model import ReplyState
from mailbot.records import LOOK_FIRST
from mailbot.store.database import Database
from tests.conftest import ROOT
from tests.databases import on_sqlite
from tests.e2e.office import ADDRESSES, CHINA, IN_TIME, SQLITE, Office, mail, papers

READING = (
    "status",
    "show 云岭",
    "digest",
    "report --output pages",
    "export --format json",
    "ledger",
)
WORKING = (
    "run --once",
    "ingest --mailbox societies config.toml",
    "digest --send",
    "remind",
    "paper 云岭 --received 2021-01-14",
    "review 1 --accept --by 章伟 --why 可以",
    "rescore --apply",
)
REGISTRY = "name,track,aliases,emails\n浙江省星河研究会,society,,xinghe@example.com\n"
Put = Callable[[], None]


def run(office: Office, command: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "mailbot", *command.split(), "--config", str(office.config_path)],
        check=False,
        cwd=office.directory,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def copied(office: Office, request: pytest.FixtureRequest) -> Callable[[], AbstractContextManager[Put]]:
    """Makes a backup of the database; what it gives puts that back."""

    @contextmanager
    def backup() -> Iterator[Put]:
        if office.database != SQLITE:
            name = str(make_url(office.database).database)
            with request.getfixturevalue("cluster").database(name) as url:
                yield lambda: put_elsewhere(office, url)
            return
        file, copy = office.directory / "storage" / "mailbot.db", office.directory / "backup.db"
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        yield lambda: put_back(file, copy.read_bytes())

    return backup


def put_elsewhere(office: Office, url: str) -> None:
    office.database = url
    office.configure()


def put_back(file: Path, octets: bytes | None) -> None:
    for name in ("mailbot.db-wal", "mailbot.db-shm", "mailbot.db"):
        file.with_name(name).unlink(missing_ok=True)
    if octets is not None:
        file.write_bytes(octets)


def deliver(office: Office, name: str, number: int) -> None:
    office.deliver(mail(papers(name), sender=f"a@x{number}.example.com", message_id=f"<{number}@x>"), IN_TIME)


def rebuild(office: Office, spare: str) -> None:
    """As the guide says: on PostgreSQL from the restored database's ledger into an empty one."""
    if office.database == SQLITE:
        ended = run(office, "rebuild")
    else:
        assert run(office, "ledger --output ledger.jsonl").returncode == 0
        put_elsewhere(office, spare)
        ended = run(office, "rebuild --ledger ledger.jsonl")
    assert ended.returncode == 0, ended.stderr


def states(office: Office) -> list[str]:
    return [reply["state"] for message in office.export()["messages"] for reply in message["replies"]]


@pytest.fixture
def restored(
    office: Office, copied: Callable[[], AbstractContextManager[Put]], spare: str
) -> Iterator[Office]:
    """An office whose database is of before its second letter left."""
    deliver(office, "浙江省云岭学会", 1)
    assert run(office, "run --once").returncode == 0
    with copied() as put:
        deliver(office, "浙江省星河研究会", 2)
        assert run(office, "run --once").returncode == 0
        assert len(office.sent) == 2
        put()
        yield office


def test_it_is_not_worked_on(restored: Office) -> None:
    (restored.directory / "organizations.csv").write_text(REGISTRY, encoding="utf-8")
    restored.configure(top='organizations = "organizations.csv"', more="[reminders]\ndays = [3]")
    assert run(restored, "run").returncode == 2
    for command in WORKING:
        ended = CliRunner().invoke(commands, [*command.split(), "--config", str(restored.config_path)])
        assert ended.exit_code == 2, (command, ended.stderr)
        assert f"{restored.config_path}: storage.database: the database" in ended.stderr, command
        assert "is an older one, letters have left since" in ended.stderr, command
        assert "`mailbot rebuild`" in ended.stderr, command
    assert len(restored.sent) == 2


def test_what_only_reads_says_so_beside_what_it_shows(
    restored: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(restored.directory)
    for command in READING:
        ended = CliRunner().invoke(commands, [*command.split(), "--config", str(restored.config_path)])
        assert ended.exit_code == 0, (command, ended.stderr)
        assert "is an older one" in ended.stderr, command
        assert "is an older one" not in ended.stdout, command
    assert len(json.loads(run(restored, "export --format json").stdout)["messages"]) == 1
    verified = run(restored, "verify")
    assert (verified.returncode, "is an older one" in verified.stdout) == (1, True)
    checked = run(restored, "check")
    assert checked.returncode == 2
    assert "fault     letters that left: the database" in checked.stdout


def test_rebuilt_it_answers_nobody_again_and_finds_what_left_in_the_sent_folder(
    restored: Office, spare: str
) -> None:
    rebuild(restored, spare)
    for _ in range(2):
        ended = run(restored, "run --once")
        assert (ended.returncode, "older" in ended.stderr) == (0, False)
    assert len(restored.sent) == 2
    assert states(restored) == ["sent", "sent"]
    assert run(restored, "verify").returncode == 0
    deliver(restored, "浙江省清岚学会", 3)
    restored.deliver(
        mail(papers("浙江省流萤学会"), sender="a@x4.example.com", message_id="<4@x>"),
        datetime.now(UTC) + timedelta(minutes=1),
    )
    assert run(restored, "run --once").returncode == 0
    assert states(restored) == ["sent", "sent", "held", "sent"]


def test_rebuilt_it_holds_what_the_sent_folder_cannot_tell(restored: Office, spare: str) -> None:
    rebuild(restored, spare)
    config = restored.config_path.read_text(encoding="utf-8")
    nowhere = config.replace('junk_folder = "Junk"', 'junk_folder = "Junk"\nsent_folder = "Nowhere"')
    restored.config_path.write_text(nowhere, encoding="utf-8")
    for _ in range(2):
        assert run(restored, "run --once").returncode == 0
    assert len(restored.sent) == 2
    assert states(restored) == ["sent", "held"]
    assert "数据库重建前可能已发出，已发送邮件中未找到" in run(restored, "digest --date 2021-01-15").stdout
    assert run(restored, "verify").returncode == 0


def test_a_persons_word_is_not_sent_again_either(
    office: Office, copied: Callable[[], AbstractContextManager[Put]], spare: str
) -> None:
    """It is lost with the database and given anew; what it sent may have left."""
    office.deliver(mail(papers(), headers={"X-Spam": "no"}), IN_TIME, folder="Junk")
    assert run(office, "run --once").returncode == 0
    ruling = "review 1 --accept --by 章伟 --why 可以"
    with copied() as put:
        assert run(office, ruling).returncode == 0
        assert run(office, "run --once").returncode == 0
        assert states(office) == ["sent"]
        put()
        rebuild(office, spare)
        assert run(office, ruling).returncode == 0
        assert states(office) == ["held"]
        assert run(office, "run --once").returncode == 0
    assert (states(office), len(office.sent)) == (["sent"], 1)


@pytest.mark.parametrize("storage", ["kept", "lost"])
def test_a_new_database_in_the_place_of_a_lost_one(office: Office, spare: str, storage: str) -> None:
    deliver(office, "浙江省云岭学会", 1)
    assert run(office, "run --once").returncode == 0
    if office.database == SQLITE:
        put_back(office.directory / "storage" / "mailbot.db", None)
    else:
        put_elsewhere(office, spare)
    if storage == "kept":
        assert run(office, "run --once").returncode == 2
        assert run(office, "rebuild").returncode == 0
    else:
        shutil.rmtree(office.directory / "storage")
        assert run(office, "rebuild --ledger /dev/null").returncode == 0
    for _ in range(2):
        assert run(office, "run --once").returncode == 0
    assert (states(office), len(office.sent)) == (["sent"], 1)


@pytest.mark.parametrize("mode", ["send", "draft"])
def test_a_storage_that_is_not_there_makes_no_second_answers(office: Office, spare: str, mode: str) -> None:
    """Its disk is not mounted, say: nobody rebuilds anything, and nothing tells that this is no first start."""
    replies = f'mode = "{mode}"\nmin_interval_seconds = 0'
    office.configure(replies=replies)
    for number in (1, 2):
        deliver(office, f"浙江省第{number}学会", number)
    assert office.round()
    shutil.rmtree(office.directory / "storage")
    if office.database != SQLITE:
        put_elsewhere(office, spare)
        office.configure(replies=replies)
    deliver(office, "浙江省流萤学会", 3)
    later = mail(papers("浙江省清岚学会"), sender="a@x4.example.com", message_id="<4@x>")
    office.deliver(later, datetime.now(UTC) + timedelta(minutes=1))
    assert office.round()
    done = "sent" if mode == "send" else "drafted"
    assert states(office) == [done] * 4
    left = office.imap.mails(ADDRESSES["societies"], "Sent Messages" if mode == "send" else "Drafts")
    assert len(left) == 4
    assert run(office, "verify").returncode == 0


@on_sqlite
def test_the_letters_of_a_whole_campaign_are_looked_through(office: Office) -> None:
    """Of 2,000 letters the older half went out again."""
    deliver(office, "浙江省云岭学会", 1)
    assert office.round()
    for number in range(1100):
        octets = f"Message-ID: <{number}@since.example.com>\r\nSubject: {number}\r\n\r\n".encode()
        office.imap.deliver(ADDRESSES["societies"], octets, IN_TIME, "Sent Messages")
    shutil.rmtree(office.directory / "storage")
    assert office.round()
    assert (states(office), len(office.sent)) == (["sent"], 1)


@on_sqlite
@pytest.mark.parametrize("crashed", [False, True])
def test_while_the_sent_folder_cannot_be_asked_it_is_asked_ever_more_seldom(
    office: Office, crashed: bool
) -> None:
    """Each try is a login, and accounts that are tried fast are locked."""
    path = office.directory / "one.eml"
    path.write_bytes(mail(papers()))
    now = datetime.now(UTC) + timedelta(minutes=1)
    asked = []
    with App.open(load(office.config_path), clock=lambda: now) as app:
        app.ingest("societies", [path])
        if crashed:
            app.store.begin_sending([1], at=now)
        outbox = app.worker()._outboxes[0]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ReplyFolders, "connect", lambda _: refuse(asked.append(now)))
            for _ in range(4 * 60):
                with suppress(TemporaryError):
                    assert not outbox.flush(Event())
                now += timedelta(seconds=15)
        assert 1 < len(asked) < 5
        assert office.sent == ()
        now += timedelta(minutes=31)
        assert outbox.flush(Event())
    assert states(office) == ["uncertain" if crashed else "sent"]


@on_sqlite
def test_a_sent_folder_that_is_there_and_not_shown_is_no_empty_one(office: Office) -> None:
    """All were answered again; and of letters that wait for it staff are told as of any that do not leave."""
    deliver(office, "浙江省云岭学会", 1)
    assert office.round()
    shutil.rmtree(office.directory / "storage")
    now = datetime.now(UTC)
    with App.open(load(office.config_path), clock=lambda: now) as app:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ReplyFolders, "_newest", lambda *_: decline())
            assert not app.run(once=True)
            now += timedelta(minutes=70)
            assert not app.run(once=True)
            (waiting,) = app.store.replies_in(ReplyState.QUEUED)
            assert waiting.error == f"{LOOK_FIRST}: EXAMINE Sent Messages: [SERVERBUG] Internal error"
        _, word = (email.message_from_bytes(one.octets, policy=default) for one in office.sent)
        assert word["Subject"] == "【需处理】邮箱societies@example.org的答复未能发出"
        assert app.run(once=True)
    assert (states(office), len(office.sent)) == (["sent"], 2)
    assert run(office, "verify").returncode == 0


@on_sqlite
def test_staff_are_told_of_letters_behind_one_of_which_the_sent_folder_has_to_tell(office: Office) -> None:
    """A crash left it, its folder cannot be asked, and all letters of the account wait behind it."""
    now = datetime(2021, 1, 14, 2, tzinfo=UTC)
    path = office.directory / "one.eml"
    with App.open(load(office.config_path), clock=lambda: now) as app:
        now += timedelta(days=1)
        for number in (1, 2):
            path.write_bytes(mail(papers(f"浙江省第{number}学会"), message_id=f"<{number}@x>"))
            app.ingest("societies", [path])
        app.store.begin_sending([1], at=now)
        outbox = app.worker()._outboxes[0]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ReplyFolders, "connect", refuse)
            for _ in range(2):
                with suppress(TemporaryError):
                    assert not outbox.flush(Event())
                now += timedelta(minutes=40)
        told = [line for line in app.alarms.lines(now) if "答复未能发出" in line]
        assert len(told) == 1
        assert "the login was refused" in told[0]


def decline() -> None:
    raise RefusedError("EXAMINE Sent Messages: [SERVERBUG] Internal error")


def refuse(_: None) -> None:
    raise LoginError("the login was refused")


@pytest.mark.parametrize("mode", ["draft", "off"])
def test_drafts_have_left_too_and_without_replies_nothing_has(
    office: Office, copied: Callable[[], AbstractContextManager[Put]], spare: str, mode: str
) -> None:
    replies = f'mode = "{mode}"\nmin_interval_seconds = 0'
    office.configure(replies=replies)
    assert run(office, "run --once").returncode == 0
    with copied() as put:
        deliver(office, "浙江省云岭学会", 1)
        assert run(office, "run --once").returncode == 0
        put()
        office.configure(replies=replies)
        assert run(office, "run --once").returncode == (2 if mode == "draft" else 0)
        if mode == "draft":
            rebuild(office, spare)
            office.configure(replies=replies)
            for _ in range(2):
                assert run(office, "run --once").returncode == 0
            assert states(office) == ["drafted"]
            assert len(office.imap.mails(ADDRESSES["societies"], "Drafts")) == 1


def test_a_reminder_has_left_too(
    office: Office, copied: Callable[[], AbstractContextManager[Put]], spare: str
) -> None:
    """It is not sent again on that day, also where the database is rebuilt."""
    (office.directory / "organizations.csv").write_text(REGISTRY, encoding="utf-8")
    more = {"top": 'organizations = "organizations.csv"', "more": "[reminders]\ndays = [3]"}
    office.configure(**more)
    now = datetime(2021, 1, 12, 9, 30, tzinfo=CHINA)
    with App.open(load(office.config_path), clock=lambda: now) as app:
        app.run(once=True)
    with copied() as put:
        with App.open(load(office.config_path), clock=lambda: now) as app:
            assert app.remind()[0] == 1
        put()
        office.configure(**more)
        assert run(office, "remind").returncode == 2
        rebuild(office, spare)
        office.configure(**more)
        with App.open(load(office.config_path), clock=lambda: now) as app:
            app.store.set_flag("rebuilt", now.isoformat())
            app.run(once=True)
            with pytest.raises(TemporaryError, match="today's reminders"):
                app.remind()
    assert len(office.sent) == 1


# --- what is no older database


def test_a_crash_between_the_commit_and_the_witness_stops_nobody(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(office, "浙江省云岭学会", 1)
    monkeypatch.setattr(Database, "letters_leave", lambda *_: None)
    assert office.round()
    assert run(office, "run --once").returncode == 0


@on_sqlite
def test_a_moved_storage_directory_and_one_that_another_campaign_shares(office: Office) -> None:
    deliver(office, "浙江省云岭学会", 1)
    assert run(office, "run --once").returncode == 0
    (office.directory / "storage").rename(office.directory / "moved")
    config = office.config_path.read_text(encoding="utf-8")
    config = config.replace('"storage"', '"moved"').replace("///storage/", "///moved/")
    office.config_path.write_text(config, encoding="utf-8")
    assert run(office, "run --once").returncode == 0
    for before, after in (('name = "2020"', 'name = "2021甲"'), ("mailbot.db", "next.db")):
        config = config.replace(before, after)
    office.config_path.write_text(config, encoding="utf-8")
    assert run(office, "run --once").returncode == 0
    assert run(office, "run --once").returncode == 0
    assert len(list((office.directory / "moved").glob("witness-*"))) == 2


@on_sqlite
def test_a_database_that_came_without_its_witness_is_an_older_one_perhaps(office: Office) -> None:
    deliver(office, "浙江省云岭学会", 1)
    assert run(office, "run --once").returncode == 0
    (office.directory / "storage" / "witness-2020").unlink()
    ended = run(office, "run --once")
    assert (ended.returncode, "letters may have left since" in ended.stderr) == (2, True)
    assert run(office, "rebuild").returncode == 0
    assert run(office, "run --once").returncode == 0
    assert (states(office), len(office.sent)) == (["sent"], 1)
