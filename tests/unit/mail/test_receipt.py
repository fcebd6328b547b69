from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.mail.receipt import disputed, parse_date, received_date

CHINA = timezone(timedelta(hours=8))
DEADLINE = datetime(2021, 1, 15, 17, 30, tzinfo=CHINA)
NOON = datetime(2021, 1, 14, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "Thu, 14 Jan 2021 12:00:00 +0800",
        "Thu, 14 Jan 2021 12:00:00 +0800 (CST)",
        "Thu, 14 Jan 2021 12:00:00 +0800 (GMT+08:00)",
        "Thu, 14 Jan 2021 12:00:00 CST",
        "14 Jan 2021 12:00:00 CST",
        "Thu Jan 14 12:00:00 CST 2021",
        "Thu, 14 Jan 2021 12:00:00 GMT+08:00",
        "Thu, 14 Jan 2021 12:00:00 GMT+0800",
        "Thu, 14 Jan 2021 12:00:00 UTC+8",
        "Thu, 14 Jan 2021 04:00:00 GMT",
        "Thu, 14 Jan 2021 04:00:00 -0000",
        "Thu, 14 Jan 2021 04:00:00",
        "Thu, 14 Jan 2021 09:30:00 GMT+05:30",
        "Wed, 13 Jan 2021 22:00:00 -0600 CST",
        "Wed, 13 Jan 2021 22:00:00 -0600 (CST)",
        "  Thu, 14 Jan 21 12:00 +0800 ",
    ],
)
def test_dates_of_one_moment(text):
    assert parse_date(text) == NOON


def test_a_leap_second_is_the_last_of_its_minute():
    assert parse_date("Thu, 14 Jan 2021 11:59:60 +0800") == NOON - timedelta(seconds=1)


@pytest.mark.parametrize(
    "text", ["", "soon", "Thu, 45 Jan 2021 12:00:00 +0800", "x" * 5000, "31 Dec 9999 23:59:59 -9999", "\x00"]
)
def test_what_is_no_date(text):
    assert parse_date(text) is None


@given(st.text(max_size=120))
def test_any_text_is_a_date_or_none(text):
    found = parse_date(text)
    assert found is None or found.tzinfo is UTC


@given(
    st.integers(631_152_000, 3_786_912_000),
    st.integers(-12 * 60, 14 * 60),
)
def test_any_offset_gives_the_same_moment(seconds, minutes):
    moment = datetime.fromtimestamp(seconds, timezone(timedelta(minutes=minutes)))
    assert parse_date(moment.strftime("%a, %d %b %Y %H:%M:%S %z")) == moment


def test_the_receiving_hop_of_qq():
    hop = (
        "from mail.example.com (unknown [1.2.3.4]) by newxmmxszb12.qq.com (NewMX) with SMTP id 5A1B2C for "
        "<societies@example.org>; Thu, 14 Jan 2021 12:00:00 +0800"
    )
    assert received_date(hop) == NOON
    assert received_date(hop.partition(";")[0]) is None
    assert received_date("Thu, 14 Jan 2021 12:00:00 +0800") is None


@pytest.mark.parametrize(
    ("received_at", "witness", "expected"),
    [
        ((14, 12, 0, 0), (14, 12, 5, 0), False),
        ((14, 12, 0, 0), (14, 12, 5, 1), True),
        ((14, 12, 5, 1), (14, 12, 0, 0), True),
        ((15, 17, 30, 0), (15, 17, 30, 1), True),
        ((15, 17, 30, 1), (15, 17, 30, 0), True),
        ((15, 17, 29, 58), (15, 17, 30, 0), False),
        ((15, 17, 30, 1), (15, 17, 31, 0), False),
    ],
)
def test_when_a_time_is_disputed(received_at, witness, expected):
    first, second = (datetime(2021, 1, *at, tzinfo=CHINA).astimezone(UTC) for at in (received_at, witness))
    assert disputed(first, second, DEADLINE) is expected


def test_without_a_witness_nothing_is_disputed():
    assert not disputed(NOON, None, DEADLINE)


def test_parts_of_a_second_dispute_nothing():
    at = datetime(2021, 1, 15, 9, 30, 0, 900_000, tzinfo=UTC)
    assert not disputed(at, at.replace(microsecond=0), DEADLINE)
