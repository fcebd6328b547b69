"""The last day: the digest every hour, where that is configured, and letters that leave only after the deadline."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mailbot.app import App
from mailbot.config import load
from mailbot.errors import ScannerError, UnreadableError
from mailbot.reader import Reader
from tests.databases import on_sqlite
from tests.e2e.office import CHINA, DEADLINE, Office, mail, papers, run
from tests.e2e.test_breaker import round_at
from tests.e2e.test_reminders import Clock
from tests.e2e.test_review import SIGNED, body, kinds

BY_THEN = "请于2021年1月15日17:30前（距截止还有20分钟）一次性补正"
PAST = "截止时间2021年1月15日17:30已过，请尽快补正"


def test_the_digest_comes_every_hour_until_the_deadline_is_past(office: Office) -> None:
    text = office.config_path.read_text(encoding="utf-8")
    office.config_path.write_text(
        text.replace("[staff]\n", "[staff]\nhourly_on_last_day = true\n"), encoding="utf-8"
    )
    clock = Clock(datetime(2021, 1, 15, 8, 0, tzinfo=CHINA))
    with App.open(load(office.config_path), clock=clock) as app:
        staff = app.staff
        while clock.now < datetime(2021, 1, 16, 8, 0, tzinfo=CHINA):
            staff.by_the_clock()
            clock.now += timedelta(minutes=15)
    assert len(office.sent) == len(range(8, 19))


@pytest.fixture
def queued(office: Office) -> Clock:
    """A correction letter and an acknowledgement of twenty minutes before the deadline that the server puts off."""
    clock = Clock(DEADLINE - timedelta(minutes=20))
    office.deliver(mail(papers(scores={8: ""})), clock.now - timedelta(minutes=2))
    good = mail(papers("浙江省海塘学会"), sender="a@haitang.example.com", message_id="<2@x>")
    office.deliver(good, clock.now - timedelta(minutes=1))
    office.smtp.refuse("MAIL", "451 4.3.0 later")
    assert not round_at(office, clock)
    assert office.sent == ()
    return clock


@on_sqlite
def test_a_letter_that_waits_past_the_deadline_does_not_ask_for_it_before(
    office: Office, queued: Clock
) -> None:
    queued.now = DEADLINE + timedelta(minutes=1)
    round_at(office, queued)
    assert kinds(office) == ["请补正", "接收回执"]
    assert PAST in body(office, 0)
    assert "距截止还有" not in body(office, 0)
    round_at(office, queued)
    assert set(office.sent_ids().values()) == {1}
    before = office.export()
    assert "all of it holds" in run(office, "verify")
    run(office, "rebuild")
    assert office.export() == before


def test_a_letter_that_leaves_before_the_deadline_stays_as_it_was_written(
    office: Office, queued: Clock
) -> None:
    queued.now = DEADLINE - timedelta(minutes=1)
    round_at(office, queued)
    assert BY_THEN in body(office, 0)


def test_it_is_written_anew_once_and_what_a_person_drops_meanwhile_does_not_go(
    office: Office, queued: Clock
) -> None:
    queued.now = DEADLINE + timedelta(minutes=1)
    office.smtp.refuse("MAIL", "451 4.3.0 later")
    round_at(office, queued)
    queued.now += timedelta(minutes=10)
    run(office, "review", "--reply", "1", "--drop", *SIGNED)
    round_at(office, queued)
    assert kinds(office) == ["接收回执"]
    assert "all of it holds" in run(office, "verify")


def test_one_that_cannot_be_written_anew_yet_waits_and_holds_up_nobody(
    office: Office, queued: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued.now = DEADLINE + timedelta(minutes=1)
    with monkeypatch.context() as patch:

        def away(_reader: Reader, _path: Path, **_: object) -> None:
            raise ScannerError("the scanner does not answer")

        patch.setattr(Reader, "read_mail", away)
        for _ in range(2):
            round_at(office, queued)
            queued.now += timedelta(minutes=2)
    assert kinds(office) == ["接收回执"]
    queued.now += timedelta(minutes=10)
    round_at(office, queued)
    assert kinds(office) == ["接收回执", "请补正"]
    assert PAST in body(office)


def test_one_whose_mail_is_gone_from_the_archive_goes_as_it_is(office: Office, queued: Clock) -> None:
    (office.directory / "storage" / "archive" / f"{_sha256(office)}.eml").unlink()
    queued.now = DEADLINE + timedelta(minutes=1)
    round_at(office, queued)
    assert kinds(office) == ["请补正", "接收回执"]
    assert BY_THEN in body(office, 0)


def test_one_whose_reading_a_stop_ends_waits_for_the_next_run(
    office: Office, queued: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It left as it was, by a time that was past."""
    queued.now = DEADLINE + timedelta(minutes=1)
    stop = threading.Event()

    def ended(_reader: Reader, _path: Path, **_: object) -> None:
        stop.set()
        raise UnreadableError("the children are gone")

    with monkeypatch.context() as patch, App.open(load(office.config_path), clock=queued) as app:
        patch.setattr(Reader, "read_mail", ended)
        with closing(app._outbox("societies", reminding=False)) as outbox:
            assert outbox.flush(stop)
    assert office.sent == ()
    round_at(office, queued)
    assert PAST in body(office, 0)


def _sha256(office: Office) -> str:
    return str(office.export()["messages"][0]["sha256"])
