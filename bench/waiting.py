"""What waiting costs, and how soon somebody is answered who writes while the worker waits."""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from bench import load, programs
from bench.proxy import Proxy
from mailbot.config import Mailbox
from mailbot.demo.servers import SentMail, SmtpServer
from mailbot.mail.imap import ImapMailbox
from tests.servers import ACCOUNTS, ADDRESS, PASSWORD, DovecotServer, mailbox_config

_SAMPLES = 15
_POLLS = 50


def latency() -> None:
    """From the delivery of a mail by LMTP to its answer at the submission server, the worker waiting in IDLE."""
    print("| delivery to answer | median | 95th percentile |\n| --- | --- | --- |")
    for what, pdf in (("spreadsheet", False), ("4-page PDF", True)):
        answers = _Answers()
        with (
            DovecotServer("dovecot") as dovecot,
            SmtpServer(ACCOUNTS, on_taken=answers.took) as smtp,
            programs.staying(dovecot, smtp),
        ):
            waits = sorted(answers.wait(dovecot, load.mail(n * 10 + 1, pdf=pdf)) for n in range(_SAMPLES + 1))
        late = waits[min(len(waits) - 1, int(len(waits) * 0.95))]
        print(f"| {what} | {statistics.median(waits):.2f} s | {late:.2f} s |")
    print()


class _Answers:
    """Takes the time of each answer."""

    def __init__(self) -> None:
        self._arrived = threading.Event()
        self._at = 0.0

    def took(self, _: SentMail) -> None:
        self._at = time.perf_counter()
        self._arrived.set()

    def wait(self, dovecot: DovecotServer, octets: bytes) -> float:
        self._arrived.clear()
        begin = time.perf_counter()
        dovecot.post(ADDRESS, octets)
        if not self._arrived.wait(60):
            sys.exit("no answer within a minute")
        time.sleep(0.2)
        return self._at - begin


def poll() -> None:
    """A look when nothing is new, over a held connection."""
    print("| mails in the mailbox | time of a poll | round trips | octets out | octets in |")
    print("| --- | --- | --- | --- | --- |")
    for count in (100, 10_000):
        with DovecotServer("dovecot") as dovecot, tempfile.TemporaryDirectory() as directory:
            _fill_small(dovecot, count)
            with Proxy(dovecot.port) as wire:
                seconds, turns, sent, got = _polls(mailbox_config(Path(directory), imap_port=wire.port), wire)
        print(f"| {count} | {1000 * seconds:.1f} ms | {turns:.1f} | {sent:.0f} | {got:.0f} |")
    print()


def _fill_small(dovecot: DovecotServer, count: int) -> None:
    from imapclient import IMAPClient

    with IMAPClient(dovecot.host, dovecot.port, ssl=False) as client:
        client.login(ADDRESS, PASSWORD)
        for _ in range(count):
            client.append("INBOX", b"Subject: small\r\n\r\nsmall\r\n", msg_time=load.FIRST)


def _polls(mailbox: Mailbox, wire: Proxy) -> tuple[float, ...]:
    with ImapMailbox(mailbox) as connection:
        last = connection.open("INBOX").uidnext - 1
        before, begin = wire.figures, time.perf_counter()
        for _ in range(_POLLS):
            list(connection.fetch_new(connection.open("INBOX"), last, max_octets=2**20))
        seconds = time.perf_counter() - begin
        return seconds / _POLLS, *((a - b) / _POLLS for a, b in zip(wire.figures, before, strict=True))


def start() -> None:
    """How long the commands take that do nothing."""
    with (
        SmtpServer(ACCOUNTS) as smtp,
        DovecotServer("dovecot") as dovecot,
        tempfile.TemporaryDirectory() as directory,
    ):
        commands = {
            "mailbot --help": [str(programs.MAILBOT), "--help"],
            "mailbot run --once, nothing new": programs.mailbot(
                dovecot.port, smtp.port, Path(directory), "run", "--once"
            ),
        }
        print("| command | time |\n| --- | --- |")
        for name, command in commands.items():
            programs.timed(command)
            seconds = statistics.median(programs.timed(command).seconds for _ in range(3))
            print(f"| {name} | {seconds:.2f} s |")
    print()
