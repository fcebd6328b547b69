"""`make bench`: measures the whole program against the least and the usual, in one run, and prints the tables."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bench import accuracy, growth, load, programs, rush, staff, throughput, waiting
from tests.servers import DovecotServer


def main() -> None:
    arguments = argparse.ArgumentParser(prog="bench")
    arguments.add_argument("--mails", type=int, default=1000)
    arguments.add_argument("--rush", type=int, default=2000)
    arguments.add_argument("--messages", type=int, default=100_000, help="the large campaign of `growth`")
    arguments.add_argument("--organizations", type=int, default=500, help="of `staff`")
    arguments.add_argument(
        "--only", choices=("throughput", "far", "counts", "waiting", "rush", "growth", "staff", "accuracy")
    )
    chosen = arguments.parse_args()
    if chosen.only != "accuracy" and shutil.which("dovecot") is None:
        sys.exit("the benchmark needs a real IMAP server: apt install dovecot-imapd dovecot-lmtpd")
    if not load.FONT.is_file():
        sys.exit("the benchmark writes PDF files with their font in them: apt install fonts-wqy-zenhei")
    if Path("/dev/shm").is_dir():
        tempfile.tempdir = "/dev/shm"
    busy = os.getloadavg()[0]
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{chosen.mails} mails, load at the start {busy:.1f}\n"
    )
    over_one_mailbox: dict[str, Callable[[DovecotServer, int], None]] = {
        "throughput": throughput.against_others,
        "counts": throughput.counted,
        "far": throughput.from_far,
    }
    others: dict[str, Callable[[], None]] = {
        "throughput": lambda: throughput.linear(chosen.mails),
        "waiting": _waiting,
        "rush": lambda: rush.rush(chosen.rush),
        "growth": lambda: growth.growth((100, chosen.messages)),
        "staff": lambda: staff.staff(chosen.organizations),
        "accuracy": accuracy.accuracy,
    }
    if chosen.only is None or chosen.only in over_one_mailbox:
        with DovecotServer("dovecot") as dovecot:
            programs.fill(dovecot, range(chosen.mails))
            for name, measure in over_one_mailbox.items():
                if chosen.only in (None, name):
                    measure(dovecot, chosen.mails)
    for name, part in others.items():
        if chosen.only in (None, name):
            part()


def _waiting() -> None:
    waiting.start()
    waiting.latency()
    waiting.poll()


if __name__ == "__main__":
    main()
