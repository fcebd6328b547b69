"""When the digest is due: at its hour, and on the last day every hour where that is configured."""

from __future__ import annotations

from datetime import datetime

import pytest

from mailbot.staff import digest_hour
from tests.unit.report.sample import CONFIG, at

HOURLY = CONFIG.model_copy(update={"staff": CONFIG.staff.model_copy(update={"hourly_on_last_day": True})})


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (at(14, 12, 0), at(14, 8, 30)),
        (at(15, 8, 29, 59), at(15, 8, 30)),
        (at(15, 8, 30), at(15, 8, 30)),
        (at(15, 9, 29), at(15, 8, 30)),
        (at(15, 9, 30), at(15, 9, 30)),
        (at(15, 17, 29), at(15, 16, 30)),
        (at(15, 17, 30), at(15, 17, 30)),
        (at(15, 18, 30), at(15, 18, 30)),
        (at(15, 23, 59), at(15, 18, 30)),
        (at(16, 9, 0), at(16, 8, 30)),
    ],
)
def test_on_the_last_day_it_is_due_every_hour_and_once_after_the_deadline(
    now: datetime, due: datetime
) -> None:
    assert digest_hour(HOURLY, now) == due


@pytest.mark.parametrize("now", [at(15, 9, 30), at(15, 17, 31), at(15, 23, 59)])
def test_unless_configured_it_comes_once_a_day(now: datetime) -> None:
    assert digest_hour(CONFIG, now) == at(15, 8, 30)
