"""Killed at any border between two steps, the next round loses nothing and answers nobody twice."""

from __future__ import annotations

import email
import signal
import subprocess
import sys
from collections import Counter
from datetime import datetime, timedelta
from email.policy import default
from pathlib import Path

import pytest

from mailbot.app import App
from mailbot.config import load
from mailbot.model import ReplyState
from mailbot.reports import Reports
from tests.conftest import ROOT
from tests.databases import on_sqlite
from tests.e2e.office import ADDRESSES, CHINA, DEADLINE, IN_TIME, Office, mail, papers

BORDERS = 40
DIGEST_BORDERS = 10
"""After the last of them it is noted that the digest was sent."""
REMINDING = datetime(2021, 1, 12, 9, 30, tzinfo=CHINA)
REGISTRY = """\
name,track,aliases,emails
浙江省星河研究会,society,,xinghe@example.com;mishu@example.com
浙江芯澜集团科协,enterprise,,kexie@example.com
"""
STAFF = ("staff@example.org", "chief@example.org")


def _deliver_three(office: Office) -> None:
    office.deliver(mail(papers()), IN_TIME)
    faulty = papers("浙江省星河研究会", scores={8: "5"})
    office.deliver(
        mail(faulty, sender="office@xinghe.example.com", message_id="<2@xinghe.example.com>"), DEADLINE
    )
    office.deliver(
        mail({}, body="请问可以延期吗？", sender="a@b.example.com", message_id="<3@b.example.com>")
    )


def _run_killed(office: Office, border: int, work: str = "round", *now: str) -> int:
    command = [
        sys.executable,
        str(Path(__file__).with_name("killed_worker.py")),
        str(office.config_path),
        str(border),
        work,
        *now,
    ]
    return subprocess.run(
        command, check=False, cwd=ROOT, capture_output=True, timeout=60, env={"PYTHONPATH": str(ROOT)}
    ).returncode


@pytest.mark.parametrize("first", range(1, BORDERS + 1, 3))
def test_killed_at_a_border_nothing_is_lost_and_nobody_answered_twice(office: Office, first: int) -> None:
    _deliver_three(office)
    _run_killed(office, first)
    for _ in range(3):
        office.round()
    exported = office.export()
    assert [m["outcome"] for m in exported["messages"]] == ["acknowledged", "correction", "review"]
    assert max(office.sent_ids().values(), default=0) <= 1
    states = [r["state"] for m in exported["messages"] for r in m["replies"]]
    assert len(states) == 3
    assert set(states) <= {"sent", "uncertain"}
    assert states.count("sent") == len(office.sent)


def test_the_borders_cover_a_whole_round(office: Office) -> None:
    _deliver_three(office)
    assert _run_killed(office, BORDERS + 1000) == 0
    assert len(office.sent) == 3


def test_a_killed_worker_really_dies_of_it(office: Office) -> None:
    _deliver_three(office)
    assert _run_killed(office, 5) == -signal.SIGKILL


# --- letters as drafts


@on_sqlite
@pytest.mark.parametrize("border", [8, *range(11, 24)])
def test_killed_while_laying_drafts_each_letter_lies_there_once(office: Office, border: int) -> None:
    office.configure(replies='mode = "draft"\nmin_interval_seconds = 0')
    _deliver_three(office)
    assert _run_killed(office, border) == -signal.SIGKILL
    for _ in range(2):
        assert office.round()
    drafts = [
        email.message_from_bytes(one.octets) for one in office.imap.mails(ADDRESSES["societies"], "Drafts")
    ]
    assert sorted(Counter(str(draft["Message-ID"]) for draft in drafts).values()) == [1, 1, 1]
    replies = [reply for message in office.export()["messages"] for reply in message["replies"]]
    assert [reply["state"] for reply in replies] == ["drafted"] * 3
    assert office.sent == ()


# --- reminders


@on_sqlite
@pytest.mark.parametrize("mode", ["send", "draft"])
@pytest.mark.parametrize("border", range(1, 12))
def test_killed_while_reminding_nobody_is_reminded_twice_and_staff_see_who_perhaps_was_not(
    office: Office, border: int, mode: str
) -> None:
    (office.directory / "organizations.csv").write_text(REGISTRY, encoding="utf-8")
    office.configure(
        top='organizations = "organizations.csv"',
        replies=f'mode = "{mode}"\nmin_interval_seconds = 0',
        more="[reminders]\ndays = [3]",
    )
    with App.open(load(office.config_path), clock=lambda: REMINDING) as app:
        app.run(once=True)
    assert _run_killed(office, border, "remind", REMINDING.isoformat()) == -signal.SIGKILL
    with App.open(load(office.config_path), clock=lambda: REMINDING + timedelta(minutes=5)) as app:
        app.remind()
        app.run(once=True)
        kept = {one.recipient: one.state for one in app.store.reminders()}
        text = Reports(app).digest()[0].text
    reached = Counter(_reminded(office))
    assert kept.keys() == {"xinghe@example.com", "mishu@example.com", "kexie@example.com"}
    assert max(reached.values()) == 1
    doubtful = [address for address, state in kept.items() if state is ReplyState.SENDING]
    assert set(kept) - set(doubtful) <= set(reached)
    assert len(doubtful) <= 1
    assert all(f"（{address}）的报送提醒发送中，当天不再重发" in text for address in doubtful)


def _reminded(office: Office) -> list[str]:
    drafts = [one.octets for address in ADDRESSES.values() for one in office.imap.mails(address, "Drafts")]
    letters = [*drafts, *(one.octets for one in office.sent)]
    return [str(email.message_from_bytes(octets, policy=default)["To"]) for octets in letters]


# --- the digest


@on_sqlite
@pytest.mark.parametrize("border", range(1, DIGEST_BORDERS + 1))
def test_killed_while_sending_the_digest_every_reader_gets_it_whole_and_at_most_once_more(
    office: Office, border: int
) -> None:
    """It is the one mail that may come twice, and never not at all."""
    text = office.config_path.read_text(encoding="utf-8")
    both = ", ".join(f'"{address}"' for address in STAFF)
    office.config_path.write_text(text.replace('"staff@example.org"', both), encoding="utf-8")
    office.deliver(mail(papers()))
    now = IN_TIME + timedelta(hours=1)
    with App.open(load(office.config_path), clock=lambda: now) as app:
        app.run(once=True)
    assert _run_killed(office, border, "digest", now.isoformat()) == -signal.SIGKILL
    for later in (now + timedelta(minutes=1), now + timedelta(minutes=20)):
        with App.open(load(office.config_path), clock=lambda at=later: at) as app:
            app.staff.by_the_clock()
    got = Counter(one.to[0] for one in office.sent if b"Message-ID: <mailbot.digest." in one.octets)
    assert got.keys() == set(STAFF)
    assert max(got.values()) == (1 if border in (1, 2, DIGEST_BORDERS) else 2)
