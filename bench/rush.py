"""The last hour: mails poured into both mailboxes while the worker runs, some of them large."""

from __future__ import annotations

import re
import smtplib
import sqlite3
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
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
        wrong = _wrong_times(dovecot, storage)
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
            f"| {answers.out_of_order} | {wrong} | {_peak(process.pid):.0f} | {largest:.0f} |\n"
        )


class _Answers:
    """When each answer came, and whether in the order of arrival within its mailbox."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._newest: dict[str, int] = {}
        self.times: list[float] = []
        self.out_of_order = 0
        self.all_came = threading.Event()

    def took(self, mail: SentMail) -> None:
        self.times.append(time.perf_counter())
        number = int(re.sub(r"\D", "", mail.to[0].partition("@")[0]))
        self.out_of_order += number < self._newest.get(mail.envelope_from, -1)
        self._newest[mail.envelope_from] = max(number, self._newest.get(mail.envelope_from, -1))
        if len(self.times) == self._count:
            self.all_came.set()


def _post(dovecot: DovecotServer, octets: list[bytes]) -> None:
    with smtplib.LMTP(HOST, dovecot.lmtp_port, timeout=60) as client:
        begin = time.perf_counter()
        for number, mail in enumerate(octets):
            time.sleep(max(0.0, begin + _MINUTE * number / len(octets) - time.perf_counter()))
            client.sendmail("sender@example.com", [(ADDRESS, OTHER_ADDRESS)[number % 2]], mail)


def _wrong_times(dovecot: DovecotServer, storage: Path) -> int:
    """How many rows have another receipt time than the server's INTERNALDATE."""
    from imapclient import IMAPClient

    rows = sqlite3.connect(storage / "mailbot.db").execute("SELECT mailbox, uid, received_at FROM messages")
    ours = {(mailbox, uid): datetime.fromisoformat(at).replace(tzinfo=UTC) for mailbox, uid, at in rows}
    wrong = 0
    for address, name in ((ADDRESS, "societies"), (OTHER_ADDRESS, "enterprises")):
        with IMAPClient(dovecot.host, dovecot.port, ssl=False) as client:
            client.normalise_times = False
            client.login(address, ACCOUNTS[address])
            client.select_folder("INBOX", readonly=True)
            for uid, data in client.fetch(client.search(), ["INTERNALDATE"]).items():
                wrong += abs(ours[name, uid] - data[b"INTERNALDATE"]) > timedelta(0)
    return wrong


def _peak(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+)", status)
    return int(found[1]) / 1024 if found else 0.0
