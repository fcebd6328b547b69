"""What keeps every round from beginning is told to the staff, once a day, whoever may read the status of cron."""

from __future__ import annotations

import email
from datetime import timedelta
from email.header import decode_header, make_header

import pytest

from mailbot.app import App
from mailbot.config import load
from mailbot.errors import ConfigurationError
from tests.databases import on_sqlite
from tests.e2e.office import IN_TIME, REGISTRY, Office, run
from tests.e2e.test_reminders import Clock

LISTED = "organizations.csv"


def told(office: Office) -> list[str]:
    subjects = (email.message_from_bytes(one.octets)["Subject"] for one in office.sent)
    return [str(make_header(decode_header(subject))) for subject in subjects]


def test_a_faulty_list_is_told_once_a_day_and_again_when_it_is_another_fault(registered: Office) -> None:
    listed, clock = registered.directory / LISTED, Clock(IN_TIME)
    registered.round()

    def fails() -> None:
        with pytest.raises(ConfigurationError):
            App.open_to_work(load(registered.config_path), clock=clock)

    listed.write_text(f"{REGISTRY}浙江省某某学会,societies,,\n", encoding="utf-8")
    for _ in range(3):
        fails()
        clock.now += timedelta(minutes=5)
    assert told(registered) == ["【需处理】收件程序无法运行，来件暂未收取"]
    listed.write_text(f"{REGISTRY}浙江省某某学会,,,\n", encoding="utf-8")
    fails()
    assert len(told(registered)) == 2
    clock.now += timedelta(days=1)
    registered.smtp.refuse("MAIL", "451 4.3.0 later", times=2)
    fails()
    assert len(told(registered)) == 2
    fails()
    assert len(told(registered)) == 3


@on_sqlite
def test_it_is_told_by_a_round_and_by_no_other_command(registered: Office) -> None:
    registered.round()
    (registered.directory / LISTED).write_text("name,track\n", encoding="utf-8")
    run(registered, "review", status=2)
    assert registered.sent == ()
    for _ in range(2):
        run(registered, "run", "--once", status=2)
    assert told(registered) == ["【需处理】收件程序无法运行，来件暂未收取"]
    kept = registered.directory / "storage" / "standstill-2020"
    assert kept.stat().st_mode & 0o077 == 0
    kept.write_bytes(kept.read_bytes()[:-1] + b"\xe5")  # a full disk took half of a character
    run(registered, "run", "--once", status=2)
