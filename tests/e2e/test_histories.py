"""Random histories on real servers: whatever happens in whatever order, nothing is lost and nobody answered twice.

`MAILBOT_HISTORIES=2000` tries that many on SQLite instead of the few of every run, `MAILBOT_HISTORIES_POSTGRESQL=200` so
many on PostgreSQL; how much was tried is printed at the end.
"""

from __future__ import annotations

import email
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from mailbot.app import App
from mailbot.config import Limits, load
from mailbot.mail.smtp import Submission
from mailbot.model import Outcome, ReplyState
from mailbot.outbox import Outbox
from mailbot.reader import Reader
from mailbot.store import receipts
from mailbot.store.database import Chain
from mailbot.verify import verify
from tests.conftest import ROOT
from tests.databases import BOTH
from tests.e2e.office import ADDRESSES, BORDERS, IN_TIME, SQLITE, Office, bordered, form, mail, open_office

EXAMPLES = {
    "sqlite": int(os.environ.get("MAILBOT_HISTORIES", "12")),
    "postgresql": int(os.environ.get("MAILBOT_HISTORIES_POSTGRESQL", "6")),
}
STEPS = 12
SOCIETIES = ("浙江省云岭学会", "浙江省星河研究会")
TEXTS = {
    "工作总结.txt": ("2020年工作总结\n" + "学会围绕中心工作开展学术交流和科学普及。\n" * 8).encode(),
    "工作计划.txt": ("2021年工作计划\n" + "学会计划开展学术交流和科学普及。\n" * 8).encode(),
}
FORMS = {(name, score): form(name, scores={8: score}) for name in SOCIETIES for score in ("2", "9")}
SHOWN = ("INBOX", "Junk")
SENDING = tuple((owner, name) for owner, name in BORDERS if owner is Submission or name == "settle_replies")
tried: Counter[str] = Counter()
Databases = Callable[[], AbstractContextManager[str]]
"""Gives the URL of a new database for one history."""


class PowerCut(BaseException):
    """The process ends here; nothing after it is done."""


@contextmanager
def power_cut_at(border: int, borders: Sequence[tuple[type, str]] = BORDERS) -> Iterator[None]:
    """End at the n-th of these borders between two steps."""
    passed = 0

    def pass_border() -> None:
        nonlocal passed
        passed += 1
        if passed == border:
            raise PowerCut

    with bordered(pass_border, borders):
        yield


@dataclass(frozen=True, slots=True)
class Lying:
    """A mail in a folder of the server."""

    mailbox: str
    folder: str
    uid: int
    octets: bytes
    at: datetime


class Histories(RuleBasedStateMachine):
    """One office and everything that may happen to it."""

    reader: Reader
    databases: Databases

    @initialize()
    def open(self) -> None:
        self._stack = ExitStack()
        directory = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        database = self._stack.enter_context(type(self).databases())
        self.office: Office = self._stack.enter_context(open_office(directory, database))
        self.now = IN_TIME
        self.number = 0
        self.lying: list[Lying] = []
        self.robots: set[str] = set()
        self.good = False
        tried["histories"] += 1

    def teardown(self) -> None:
        if not hasattr(self, "office"):
            return
        try:
            self._settle()
        finally:
            self._stack.close()

    # --- what happens to the mailboxes

    @rule(
        kind=st.sampled_from(["whole", "faulty", "summary", "question", "robot", "nothing"]),
        who=st.sampled_from(SOCIETIES),
        mailbox=st.sampled_from(sorted(ADDRESSES)),
        folder=st.sampled_from(["INBOX", "INBOX", "INBOX", "Junk"]),
    )
    def deliver(self, kind: str, who: str, mailbox: str, folder: str) -> None:
        self.number += 1
        name = f"<{self.number}@history.example.com>"
        sender = f"office{SOCIETIES.index(who)}@history.example.com"
        files = {
            "whole": {"自评表.xlsx": FORMS[who, "2"], **TEXTS},
            "faulty": {"自评表.xlsx": FORMS[who, "9"], **TEXTS},
            "summary": {"工作总结.txt": TEXTS["工作总结.txt"]},
        }.get(kind, {})
        headers = {"Auto-Submitted": "auto-replied"} if kind == "robot" else {}
        if kind == "robot":
            self.robots.add(name)
        octets = b"" if kind == "nothing" else mail(files, sender=sender, message_id=name, headers=headers)
        self._lay(octets, mailbox, folder, self._pass(60))

    @precondition(lambda self: self.lying)
    @rule(which=st.integers(0, 99), junk=st.booleans())
    def move(self, which: int, junk: bool) -> None:
        one = self._some(which)
        self._take_out(one)
        self._lay(one.octets, one.mailbox, "Junk" if junk else "INBOX", one.at)

    @precondition(lambda self: self.lying)
    @rule(which=st.integers(0, 99))
    def duplicate_to_the_other_mailbox(self, which: int) -> None:
        one = self._some(which)
        other = next(name for name in ADDRESSES if name != one.mailbox)
        mark = b"Received: from elsewhere\r\n" if one.octets else b""
        self._lay(mark + one.octets, other, "INBOX", one.at + timedelta(seconds=3))

    @precondition(lambda self: self.lying)
    @rule(which=st.integers(0, 99))
    def expunge(self, which: int) -> None:
        self._take_out(self._some(which))

    @rule(mailbox=st.sampled_from(sorted(ADDRESSES)), folder=st.sampled_from(SHOWN))
    def another_uidvalidity(self, mailbox: str, folder: str) -> None:
        self.office.imap.renew(ADDRESSES[mailbox], folder)
        self.good = False

    # --- what happens to the network and to the process

    @rule(
        where=st.sampled_from(["AUTH", "MAIL", "RCPT", "DATA"]),
        answer=st.sampled_from(
            ["", "451 4.3.0 later", "550 5.1.1 refused", "550 5.7.0 frequency limited", "421 bye"]
        ),
    )
    def smtp_goes_wrong(self, where: str, answer: str) -> None:
        self.office.smtp.refuse(where, answer)

    @rule()
    def cut_the_net(self) -> None:
        self.office.imap.cut()
        self.office.smtp.cut()

    @rule(minutes=st.sampled_from([1, 20, 90, 1500, -30]))
    def time_passes(self, minutes: int) -> None:
        self._pass(minutes * 60)

    @rule()
    def round(self) -> None:
        tried["rounds"] += 1
        with self._opened() as app:
            self.good = self._work(app)

    @rule(border=st.integers(1, 24))
    def crash(self, border: int) -> None:
        self._crash(border, BORDERS)

    @rule(border=st.integers(1, 6), who=st.sampled_from(SOCIETIES))
    def crash_while_sending(self, border: int, who: str) -> None:
        self.deliver("whole", who, "societies", "INBOX")
        self._crash(border, SENDING)

    def _crash(self, border: int, borders: Sequence[tuple[type, str]]) -> None:
        tried["crashes"] += 1
        self.good = False
        with self._opened() as app, power_cut_at(border, borders):
            try:
                self._work(app)
            except PowerCut:
                tried["crashes that struck"] += 1

    # --- what must always hold

    @invariant()
    def nobody_is_answered_twice_and_no_robot_ever(self) -> None:
        if not hasattr(self, "office"):
            return
        letters = [email.message_from_bytes(one.octets) for one in self.office.sent]
        assert max(Counter(str(m["Message-ID"]) for m in letters).values(), default=0) <= 1
        answered = Counter(str(m["In-Reply-To"]) for m in letters if m["In-Reply-To"])
        assert max(answered.values(), default=0) <= 1
        assert not self.robots & answered.keys()

    @invariant()
    def archive_ledger_and_books_hold(self) -> None:
        if not hasattr(self, "office"):
            return
        with self._opened() as app:
            assert verify(app.store, app.archive, now=self.now).faults == ()
            if self.good:
                self._everything_shown_is_decided(app)

    def _everything_shown_is_decided(self, app: App) -> None:
        rows = list(app.store.messages())
        assert all(row.outcome is not None for row in rows)
        known = {(row.mailbox, row.folder, row.uid, app.archive.get(row.sha256)) for row in rows}
        assert {(one.mailbox, one.folder, one.uid, one.octets) for one in self.lying} <= known

    def _settle(self) -> None:
        """In the end, with everything in order, all is decided and every letter has come to its end."""
        self.office.smtp._refusals.clear()
        for _ in range(4):
            self._pass(2 * 86400)
            self.round()
        assert self.good
        self.nobody_is_answered_twice_and_no_robot_ever()
        self.archive_ledger_and_books_hold()
        with self._opened() as app:
            rows = list(app.store.messages())
            unfinished = [r for row in rows for r in row.replies if r.state.value in ("queued", "sending")]
            assert unfinished == []
            tried["mails"] += len(rows)
            tried["letters"] += len(self.office.sent)
            tried["decisions by a person"] += sum(row.outcome is Outcome.REVIEW for row in rows)

    # --- how

    def _work(self, app: App) -> bool:
        """A round in one thread, so that a power cut ends all of it."""
        worker = app.worker()
        rounds = [watcher.round() and watcher.books_closed for watcher in worker._watchers]
        worker._intake.run()
        for outbox in worker._outboxes:
            worker._flush(outbox)
        return all(rounds)

    @contextmanager
    def _opened(self) -> Iterator[App]:
        with App.open(load(self.office.config_path), clock=lambda: self.now) as app:
            app.__dict__["reader"] = self.reader
            yield app

    def _pass(self, seconds: int) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now

    def _some(self, which: int) -> Lying:
        return self.lying[which % len(self.lying)]

    def _lay(self, octets: bytes, mailbox: str, folder: str, at: datetime) -> None:
        uid = self.office.deliver(octets, at, mailbox=mailbox, folder=folder)
        self.lying.append(Lying(mailbox, folder, uid, octets, at))
        self.good = False

    def _take_out(self, one: Lying) -> None:
        self.office.imap.expunge(ADDRESSES[one.mailbox], one.uid, one.folder)
        self.lying.remove(one)


def _on_sqlite() -> AbstractContextManager[str]:
    return nullcontext(SQLITE)


def _try(examples: int, databases: Databases, *phases: Phase) -> None:
    """So many histories; each run of few is the same."""
    tried.clear()
    Histories.databases = databases
    with Reader(ROOT / "rubric" / "2020.toml", Limits(), children=2) as reader:
        Histories.reader = reader
        run_state_machine_as_test(  # type: ignore[no-untyped-call]
            Histories,
            settings=settings(
                max_examples=examples,
                stateful_step_count=STEPS,
                deadline=None,
                derandomize=examples < 100,
                phases=phases,
                report_multiple_bugs=False,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


@pytest.mark.slow
@pytest.mark.parametrize("kind", BOTH)
def test_random_histories(
    request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    databases: Databases = _on_sqlite
    if kind == "postgresql":
        cluster, migrated = (request.getfixturevalue(name) for name in ("cluster", "migrated"))
        databases = partial(cluster.database, migrated)
    _try(EXAMPLES[kind], databases, Phase.generate, Phase.shrink)
    with capsys.disabled():
        print(f"{kind}:", " ".join(f"{what}: {count}" for what, count in sorted(tried.items())))
    assert tried["crashes that struck"] > 0
    assert tried["letters"] > 0


PLANTED: dict[str, tuple[object, str, Callable[..., Any]]] = {
    "what was left unfinished is sent again": (
        Outbox, "_what_became_of", lambda *_: ReplyState.QUEUED,
    ),
    "a mail is forgotten": (receipts._Newcomers, "_add", lambda *_: 0),
    "the ledger forgets": (Chain, "append", lambda *_: "0" * 64),
}  # fmt: skip
"""Faults that somebody might build in, each of which takes a promise away."""


@pytest.mark.slow
@pytest.mark.parametrize("fault", PLANTED)
def test_a_fault_that_is_planted_is_found(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    monkeypatch.setattr(*PLANTED[fault])
    with pytest.raises((AssertionError, KeyError)):
        _try(40, _on_sqlite, Phase.generate)
