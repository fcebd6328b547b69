"""On the last day the digest comes every hour, where that is configured."""

from __future__ import annotations

from datetime import datetime, timedelta

from mailbot.app import App
from mailbot.config import load
from tests.e2e.office import CHINA, Office
from tests.e2e.test_reminders import Clock


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
