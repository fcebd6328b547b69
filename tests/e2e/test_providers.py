"""Whole rounds against servers that behave as QQ and 163 do."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from mailbot.app import App
from mailbot.mail import imap
from mailbot.reports import Reports
from mailbot.verify import verify
from mailbot.watcher import Watcher
from tests.contract.providers import DuplicateLogin, NeteaseLike, QqLike
from tests.e2e.office import IN_TIME, Office, mail, papers

ASKED = re.compile(
    r"CAPABILITY|LOGIN .*|ID \(.*\)|LIST \"\" \"\*\"|EXAMINE .*|LOGOUT"
    r"|UID FETCH [\d,]+ \((UID INTERNALDATE RFC822\.SIZE|UID BODY\.PEEK\[\]|UID)\)"
)


def robot(number: int) -> bytes:
    """A small mail that is ignored."""
    return mail(
        {},
        message_id=f"<{number}@robot.example.com>",
        headers={"Auto-Submitted": "auto-generated"},
        date=IN_TIME,
    )


def point_to(office: Office, fake: QqLike) -> None:
    """The societies' mailbox lies on that server."""
    text = office.config_path.read_text()
    office.config_path.write_text(text.replace(f"port = {office.imap.port}", f"port = {fake.port}", 1))


def taken(office: Office) -> list[int]:
    with office.opened() as app:
        return [m.uid for m in app.store.messages()]


@pytest.mark.parametrize("provider", [QqLike, NeteaseLike])
def test_a_whole_round_asks_only_what_these_servers_answer(office: Office, provider: type[QqLike]) -> None:
    mails = {3: mail(papers()), 8: robot(8), 900: robot(900)}
    with provider(mails, junk={2: mail(papers(), message_id="<junk@x.example.com>")}) as fake:
        point_to(office, fake)
        assert office.round()
        assert office.round()
        asked = [command for command in fake.heard if not ASKED.fullmatch(command)]
    assert asked == []
    assert sorted(office.outcomes()) == ["acknowledged", "ignored", "ignored", "review"]
    assert len(office.sent) == 1


def test_a_long_fetch_that_ends_early_loses_nothing_and_goes_on_in_the_next_round(office: Office) -> None:
    with QqLike({uid: robot(uid) for uid in range(1, 121)}) as fake:
        fake.bodies_until_cut = 60
        point_to(office, fake)
        rounds = [office.round()]
        assert taken(office) == list(range(1, 101))
        rounds += [office.round(), office.round()]
    assert rounds == [False, True, True]
    assert sorted(taken(office)) == list(range(1, 121))
    assert set(office.outcomes()) == {"ignored"}


def test_a_server_that_does_not_bear_two_questions_at_once_is_asked_one_at_a_time(office: Office) -> None:
    class OneAtATime(QqLike):
        """Takes two commands for one that it does not know, and leaves."""

        def answer_fetch(self, tag: str, command: str) -> None:
            if self.has_more():
                self.send(b"* BAD command unknown\r\n")
                self.cut()
            else:
                super().answer_fetch(tag, command)

    large = mail({**papers(), "附件.bin": bytes(5 * 2**20)})
    with OneAtATime({1: large, 2: robot(2)}) as fake:
        point_to(office, fake)
        assert office.round()
    assert sorted(taken(office)) == [1, 2]


def test_a_duplicate_login_is_no_wrong_password_for_ever(office: Office) -> None:
    with DuplicateLogin({1: robot(1)}) as fake:
        point_to(office, fake)
        assert not office.round()
        with office.opened() as app:
            said = [f.last_error for f in app.store.folders() if f.last_error]
        assert office.round()
    assert all("登录频率过快" in error for error in said)
    assert said
    assert len(taken(office)) == 1


@contextmanager
def staying(app: App) -> Iterator[tuple[Watcher, threading.Thread]]:
    """The first mailbox's watcher in a thread of its own."""
    watcher = app.worker()._watchers[0]
    stop = threading.Event()
    thread = threading.Thread(target=watcher.stay, args=(stop,), daemon=True)
    thread.start()
    try:
        yield watcher, thread
    finally:
        stop.set()
        watcher.wake()
        thread.join(10)


def test_without_idle_one_login_serves_many_polls(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap, "_POLL_SECONDS", 0.02)
    with NeteaseLike({1: robot(1)}) as fake:
        point_to(office, fake)
        with office.opened() as app, staying(app) as (_, thread):
            for uid in (1, 2, 3):
                fake.mails[uid] = robot(uid)
                while len(list(app.store.messages())) < uid and thread.is_alive():
                    threading.Event().wait(0.01)
        assert fake.logged_in == 1
        assert "IDLE" not in fake.heard
    assert taken(office) == [1, 2, 3]


class Voided(QqLike):
    """The authorization code holds no longer."""

    def answer_login(self, tag: str, command: str) -> None:
        self.logged_in += 1
        self.send(f"{tag} NO 授权码错误\r\n".encode("gbk"))


def test_a_refused_login_is_tried_once_a_round_and_then_not_for_a_while(office: Office) -> None:
    with Voided() as fake:
        point_to(office, fake)
        for _ in range(6):
            assert not office.round()
        assert fake.logged_in == 3
        with office.opened() as app:
            folders = [f for f in app.store.folders() if f.mailbox == "societies"]
        assert ["refused 3 times" in f.last_error for f in folders] == [True, True]
        later = datetime.now(UTC) + timedelta(minutes=31)
        with office.opened() as app:
            app.clock = lambda: later
            assert not app.run(once=True)
        assert fake.logged_in == 4


def test_a_worker_that_stays_waits_long_after_a_refused_login(office: Office) -> None:
    with Voided() as fake:
        point_to(office, fake)
        with office.opened() as app:
            with staying(app) as (watcher, _):
                for _ in range(500):
                    if watcher._backoff >= 600:
                        break
                    threading.Event().wait(0.01)
            assert watcher._backoff >= 600
        assert fake.logged_in == 1


class RefusesJunk(QqLike):
    """Junk is listed, and may not be opened."""

    def answer_examine(self, tag: str, command: str) -> None:
        if "Junk" in command:
            self.send(f"{tag} NO 文件夹不存在\r\n".encode("gbk"))
        else:
            super().answer_examine(tag, command)


@pytest.mark.parametrize("there", [True, False], ids=["refused", "not there"])
def test_a_junk_folder_that_does_not_open_costs_no_second_login(office: Office, there: bool) -> None:
    with RefusesJunk({1: robot(1)}) as fake:
        point_to(office, fake)
        if not there:
            del fake.folders["Junk"]
        assert office.round() is not there
        assert fake.logged_in == 1
    assert len(taken(office)) == 1


def test_a_mail_that_the_listing_leaves_out_opens_the_books(office: Office) -> None:
    with QqLike({1: robot(1), 2: mail(papers()), 3: robot(3)}) as fake:
        fake.withheld = {2}
        point_to(office, fake)
        assert not office.round()
        with office.opened() as app:
            made, _ = Reports(app).digest()
            faults = verify(app.store, app.archive, now=app.clock()).faults
        assert "UID 2" in made.text
        assert "1条系统警报" in made.text
        assert faults == ("societies/INBOX: on the server and not taken in: UID 2",)
        fake.withheld = set()
        assert office.round()
        with office.opened() as app:
            assert verify(app.store, app.archive, now=app.clock()).faults == ()
    assert sorted(office.outcomes()) == ["acknowledged", "ignored", "ignored"]


def test_what_people_move_or_delete_is_no_difference_and_is_looked_at_once(office: Office) -> None:
    with QqLike({uid: robot(uid) for uid in (1, 2, 3)}) as fake:
        point_to(office, fake)
        assert office.round()
        del fake.mails[2]
        assert office.round()
        fake.heard.clear()
        assert office.round()
        assert [command for command in fake.heard if "FETCH" in command] == []
        fake.mails[4] = robot(4)
        fake.withheld = {4}
        assert not office.round()
