"""A long season of the running service: mails without end, faults all along, and kill -9 now and then in its first
part. In the second part one process lives through all of it, and what it holds is measured."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from types import TracebackType
from typing import Self

from mailbot.app import App
from mailbot.config import load
from mailbot.demo import servers
from mailbot.demo.servers import ImapServer, SentMail, SmtpServer
from mailbot.verify import verify
from tests.conftest import ROOT
from tests.e2e.office import ADDRESSES, IN_TIME, Office
from tests.processes import below
from tests.servers import Wire
from tests.soak.mails import Posted, posted

_KILLED_PART = 0.4
_PATIENCE_SECONDS = 600.0
_SENT_KEPT = 250
_LIMITS = (
    "min_interval_seconds = 0\nmax_per_sender_per_day = 1000000\nmax_per_organization_per_day = 1000000\n"
    "max_per_hour = 1000000\nmax_to_words_per_hour = 1000000\nmax_corrections = 1000000"
)


@dataclass(frozen=True)
class Sample:
    """What the worker holds after so many mails."""

    mails: int
    seconds: float
    rss_mb: float
    descriptors: int
    threads: int
    children: int
    children_mb: float

    def __str__(self) -> str:
        return (
            f"{self.mails:>6} mails {self.seconds:>6.0f} s  worker {self.rss_mb:>6.1f} MB {self.descriptors:>3} descriptors "
            f"{self.threads:>2} threads  {self.children} children {self.children_mb:>6.1f} MB"
        )


@dataclass
class Season:
    """What happened, and what stands at the end."""

    delivered: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    samples: list[Sample] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    replies: Counter[str] = field(default_factory=Counter)
    most_often: int = 0
    """How often the letter that was accepted most often was accepted."""
    accepted: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        def said(counter: Counter[str]) -> str:
            return ", ".join(f"{name} {count}" for name, count in counter.most_common())

        return (
            f"{self.delivered} mails: {said(self.kinds)}\nfaults: {said(self.faults)}; killed {self.kills} times\n"
            f"outcomes: {said(self.outcomes)}\nreplies: {said(self.replies)}; accepted {self.accepted}, none more than "
            f"{self.most_often} times\n{len(self.wrong)} things wrong"
        )


class _Smtp(SmtpServer):
    """Keeps no mail, only how often each Message-ID was accepted; the newest lie in the Sent folder."""

    def __init__(self, accounts: dict[str, str], imap: ImapServer) -> None:
        super().__init__(accounts)
        self.accepted: Counter[str] = Counter()
        self._imap = imap
        self._laid: list[tuple[str, int]] = []

    def _take(self, mail: SentMail) -> None:
        self.accepted[str(message_from_bytes(mail.octets)["Message-ID"])] += 1
        uid = self._imap.deliver(mail.envelope_from, mail.octets, IN_TIME, "Sent Messages")
        self._laid.append((mail.envelope_from, uid))
        if len(self._laid) > _SENT_KEPT:
            self._imap.expunge(*self._laid.pop(0), "Sent Messages")


class Soak:
    """The service in a process of its own between two wires that fail. A context manager."""

    def __init__(self, directory: Path, seed: int) -> None:
        self._directory = directory
        self._rng = random.Random(seed)
        self._seed = seed
        self._stack = ExitStack()
        self.season = Season()

    def __enter__(self) -> Self:
        servers._PATIENCE_SECONDS = _PATIENCE_SECONDS
        accounts = dict.fromkeys(ADDRESSES.values(), "open sesame")
        enter = self._stack.enter_context
        self._imap = enter(ImapServer(accounts))
        self._smtp = enter(_Smtp(accounts, self._imap))
        self._to_imap = enter(Wire(self._imap.host, self._imap.port))
        self._to_smtp = enter(Wire(self._smtp.host, self._smtp.port))
        self._to_imap.said = self._to_smtp.said = _Nothing()
        office = Office(imap=self._to_imap, smtp=self._to_smtp, directory=self._directory)  # type: ignore[arg-type]
        office.configure(replies=_LIMITS)
        self._config = office.config_path
        self._log = enter((self._directory / "log").open("wb"))
        self._worker = self._started()
        self._begun = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._worker.kill()
        self._worker.wait()
        self._stack.close()

    def run(self, count: int, *, batch: int = 250, sample_every: int = 1000, say: bool = False) -> Season:
        """Deliver so many mails, a batch at a time, and look on."""
        season = self.season
        waiting: list[Posted] = []
        for one in posted(count, self._seed):
            waiting.append(one)
            season.kinds[one.kind] += len(one.mailboxes)
            due = season.delivered + sum(len(each.mailboxes) for each in waiting)
            if due - season.delivered >= batch or due >= count:
                self._batch(waiting, count)
                waiting = []
                if season.delivered // sample_every > (season.delivered - batch) // sample_every:
                    season.samples.append(self._sample())
                    if say:
                        print(season.samples[-1], flush=True)
        self._end()
        return season

    def _batch(self, waiting: list[Posted], count: int) -> None:
        laid = []
        fault_at = self._rng.randrange(len(waiting))
        for number, one in enumerate(waiting):
            for mailbox in one.mailboxes:
                at = IN_TIME + timedelta(seconds=2 * self.season.delivered)
                laid.append((ADDRESSES[mailbox], self._imap.deliver(ADDRESSES[mailbox], one.octets, at)))
                self.season.delivered += 1
            if number == fault_at:
                self._fail(count)
        self._await_all()
        for account, uid in laid:
            self._imap.expunge(account, uid)

    def _fail(self, count: int) -> None:
        """One fault of the plan's, at a moment that nobody chose."""
        time.sleep(self._rng.random())
        name = self._rng.choice(sorted(_FAULTS))
        if self.season.delivered < count * _KILLED_PART and self._rng.random() < 0.3:
            self._worker.send_signal(signal.SIGKILL)
            self._worker.wait()
            self.season.kills += 1
            self._worker = self._started()
            return
        self.season.faults[name] += 1
        _FAULTS[name](self)

    def imap_cut(self) -> None:
        self._to_imap.cut()

    def imap_cut_in_an_answer(self) -> None:
        self._to_imap.cut_after(self._rng.randrange(200_000))
        time.sleep(0.5)
        self._to_imap.cut()
        self._to_imap._cut_after = None

    def imap_stall(self) -> None:
        self._stall(self._to_imap)

    def smtp_stall(self) -> None:
        self._stall(self._to_smtp)

    @staticmethod
    def _stall(wire: Wire) -> None:
        wire.stalled = True
        time.sleep(3)
        wire.cut()
        wire.stalled = False

    def smtp_cut(self) -> None:
        self._to_smtp.cut()

    def smtp_cut_after_the_dot(self) -> None:
        self._smtp.drop_at("DATA")

    def smtp_refuses(self) -> None:
        command = self._rng.choice(["MAIL", "RCPT", "DATA"])
        answer = self._rng.choice(
            ["451 4.3.0 later", "421 4.3.2 bye", "550 frequency limited", "550 5.1.1 unknown"]
        )
        self._smtp.refuse(command, answer, times=self._rng.randint(1, 3))

    def _started(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(Path(__file__).with_name("worker.py")), str(self._config)]
        return subprocess.Popen(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, stderr=self._log)

    def _await_all(self) -> None:
        """Until every mail delivered so far is decided and no reply is on its way."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while (left := self._left()) != (0, 0, 0):
            if self._worker.poll() is not None:
                raise RuntimeError(f"the worker ended by itself: {self._worker.returncode}")
            if time.monotonic() > until:
                raise RuntimeError(f"(not taken, undecided, unsent) stay at {left}")
            time.sleep(0.2)

    def _left(self) -> tuple[int, int, int]:
        database = self._directory / "storage" / "mailbot.db"
        if not database.exists():
            return (1, 1, 1)
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as connection:
            try:
                one = connection.execute(_LEFT).fetchone()
            except sqlite3.OperationalError:
                return (1, 1, 1)
        return (self.season.delivered - one[0], one[1], one[2])

    def _sample(self) -> Sample:
        pid = self._worker.pid
        children = below(pid)
        return Sample(
            mails=self.season.delivered,
            seconds=time.monotonic() - self._begun,
            rss_mb=_rss(pid),
            descriptors=len(list(Path(f"/proc/{pid}/fd").iterdir())),
            threads=len(list(Path(f"/proc/{pid}/task").iterdir())),
            children=len(children),
            children_mb=sum(map(_rss, children)),
        )

    def _end(self) -> None:
        """Stop the service, and look at all that it left."""
        self._worker.send_signal(signal.SIGTERM)
        season = self.season
        if (status := self._worker.wait(60)) != 0:
            season.wrong.append(f"it ended with {status}")
        with App.open(load(self._config)) as app:
            season.wrong += verify(app.store, app.archive, now=datetime.now(UTC) + timedelta(hours=1)).faults
            season.wrong += [f"books open: {book}" for book in app.store.open_books()]
            ids: dict[str, str] = {}
            for message in app.store.messages():
                season.outcomes[message.outcome.value if message.outcome else "none"] += 1
                ids |= {reply.message_id: reply.state.value for reply in message.replies}
        season.replies = Counter(ids.values())
        often = {name: self._smtp.accepted[name] for name in ids}
        season.accepted, season.most_often = sum(often.values()), max(often.values(), default=0)
        season.wrong += [
            f"{name} is {ids[name]}, accepted {n}" for name, n in often.items() if not _fits(ids[name], n)
        ]
        if sum(season.outcomes.values()) != season.delivered or season.outcomes["none"]:
            season.wrong.append(f"{season.delivered} delivered, outcomes {dict(season.outcomes)}")


class _Nothing(list[bytes]):
    """Remembers nothing of what passes by."""

    def append(self, _octets: bytes) -> None:
        pass


_LEFT = (
    "select (select count(*) from messages), (select count(*) from messages where outcome is null), "
    "(select count(*) from replies where state in ('queued', 'sending'))"
)
_FAULTS = {
    name: getattr(Soak, name)
    for name in (
        "imap_cut",
        "imap_cut_in_an_answer",
        "imap_stall",
        "smtp_cut",
        "smtp_cut_after_the_dot",
        "smtp_refuses",
        "smtp_stall",
    )
}


def _fits(state: str, accepted: int) -> bool:
    """Whether a reply's state agrees with how often the server took it."""
    match state:
        case "sent":
            return accepted == 1
        case "uncertain":
            return accepted <= 1
        case _:
            return accepted == 0


def _rss(pid: int) -> float:
    """Megabytes (2**20) of resident memory; 0 where it has ended."""
    try:
        fields = Path(f"/proc/{pid}/statm").read_text().split()
    except OSError:
        return 0.0
    return int(fields[1]) * 4096 / 2**20
