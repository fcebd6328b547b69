"""The last hour: mails poured into both mailboxes while the worker runs, some of them large."""

from __future__ import annotations

import re
import smtplib
import sqlite3
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench import load, programs
from mailbot.demo.servers import HOST, SentMail, SmtpServer
from tests.processes import below
from tests.servers import ACCOUNTS, ADDRESS, OTHER_ADDRESS, DovecotServer

_LARGE = 30
"""MB of the large mails."""
_PATIENCE_SECONDS = 1800
_MINUTE = 60.0
"""In which all of them are delivered, or as fast as the server takes them."""


def rush(mails: int) -> None:
    """Deliver them within a minute to the mailboxes in turn, evenly."""
    octets = [load.mail(n, more_mb=_LARGE if n % 100 == 77 else 0) for n in range(mails)]
    answers = _Answers(mails)
    with (
        DovecotServer("dovecot") as dovecot,
        SmtpServer(ACCOUNTS, on_taken=answers.took) as smtp,
        programs.staying(dovecot, smtp, (ADDRESS, OTHER_ADDRESS)) as (process, storage),
    ):
        begin = time.perf_counter()
        _post(dovecot, octets)
        delivered = time.perf_counter() - begin
        if not answers.all_came.wait(_PATIENCE_SECONDS):
            sys.exit(f"{len(answers.times)} answers to {mails} mails")
        came = _arrivals(dovecot)
        wrong = _wrong_times(came, storage)
        largest = max(map(_peak, below(process.pid)), default=0.0)
        print(
            f"{mails} mails into two mailboxes, every hundredth of {_LARGE} MB, delivered in {delivered:.0f} s:\n"
        )
        print(
            "| first answer | last answer after the last delivery | out of order | receipt times not INTERNALDATE |"
            " worker's peak MB | largest child's |"
        )
        print("| --- | --- | --- | --- | --- | --- |")
        print(
            f"| {answers.times[0] - begin:.2f} s | {answers.times[-1] - begin - delivered:.1f} s "
            f"| {answers.out_of_order(came)} | {wrong} | {_peak(process.pid):.0f} | {largest:.0f} |\n"
        )


@dataclass(frozen=True, kw_only=True)
class _Arrival:
    """One mail as it lies on the server."""

    internaldate: datetime
    uid: int
    sender: str


_Arrivals = dict[str, list[_Arrival]]
"""By mailbox, in the order of their receipt. That is not quite the order of delivery: Dovecot now and then gives two
mails of one second their UIDs the other way round."""


class _Answers:
    """When each answer came, from which mailbox, and to whom."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._readers: dict[str, list[str]] = {}
        self.times: list[float] = []
        self.all_came = threading.Event()

    def took(self, mail: SentMail) -> None:
        self.times.append(time.perf_counter())
        self._readers.setdefault(mail.envelope_from, []).append(mail.to[0])
        if len(self.times) == self._count:
            self.all_came.set()

    def out_of_order(self, came: _Arrivals) -> int:
        """How many were sent later than the answer to a mail that came after theirs to the same mailbox."""
        late = 0
        for address, readers in self._readers.items():
            place = {arrival.sender: number for number, arrival in enumerate(came[address])}
            newest = -1
            for reader in readers:
                late += place[reader] < newest
                newest = max(newest, place[reader])
        return late


def _post(dovecot: DovecotServer, octets: list[bytes]) -> None:
    with smtplib.LMTP(HOST, dovecot.lmtp_port, timeout=60) as client:
        begin = time.perf_counter()
        for number, mail in enumerate(octets):
            time.sleep(max(0.0, begin + _MINUTE * number / len(octets) - time.perf_counter()))
            client.sendmail("sender@example.com", [(ADDRESS, OTHER_ADDRESS)[number % 2]], mail)


def _arrivals(dovecot: DovecotServer) -> _Arrivals:
    from imapclient import IMAPClient

    came: _Arrivals = {}
    for address in (ADDRESS, OTHER_ADDRESS):
        with IMAPClient(dovecot.host, dovecot.port, ssl=False) as client:
            client.normalise_times = False
            client.login(address, ACCOUNTS[address])
            client.select_folder("INBOX", readonly=True)
            answer = client.fetch(client.search(), ["INTERNALDATE", "ENVELOPE"])
        came[address] = sorted(
            (
                _Arrival(internaldate=data[b"INTERNALDATE"], uid=uid, sender=str(data[b"ENVELOPE"].from_[0]))
                for uid, data in answer.items()
            ),
            key=lambda arrival: (arrival.internaldate, arrival.uid),
        )
    return came


def _wrong_times(came: _Arrivals, storage: Path) -> int:
    """How many rows have another receipt time than the server's INTERNALDATE."""
    rows = sqlite3.connect(storage / "mailbot.db").execute("SELECT mailbox, uid, received_at FROM messages")
    ours = {(mailbox, uid): datetime.fromisoformat(at).replace(tzinfo=UTC) for mailbox, uid, at in rows}
    names = {ADDRESS: "societies", OTHER_ADDRESS: "enterprises"}
    return sum(
        ours[names[address], arrival.uid] != arrival.internaldate
        for address, arrivals in came.items()
        for arrival in arrivals
    )


def _peak(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+)", status)
    return int(found[1]) / 1024 if found else 0.0
