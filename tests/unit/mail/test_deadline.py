from __future__ import annotations

import threading
import time

import pytest

from mailbot.mail.deadline import Deadline


def test_a_shorter_limit_ends_while_a_longer_one_is_under_way() -> None:
    with (
        Deadline().limit(300),
        pytest.raises(TimeoutError, match=r"no end after 0.05 s"),
        Deadline().limit(0.05),
    ):
        time.sleep(0.5)


def test_what_ended_in_time_is_not_cut_afterwards() -> None:
    deadline = Deadline()
    for _ in range(3):
        with deadline.limit(0.05):
            pass
    time.sleep(0.2)
    with deadline.limit(300):
        pass
    assert not deadline._over


def test_all_limits_share_one_thread() -> None:
    with Deadline().limit(300):
        before = threading.active_count()
        for _ in range(20):
            with Deadline().limit(300), Deadline().limit(200):
                assert threading.active_count() == before
