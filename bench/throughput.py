"""The whole job over a full mailbox: against the floor and the script people write, from far away, and counted."""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from bench import load, programs
from bench.programs import Run
from bench.proxy import Proxy
from mailbot.demo.servers import SmtpServer
from tests.servers import ACCOUNTS, ADDRESS, DovecotServer

_ROUNDS, _OF_THE_SCRIPT = 3, 2
"""The script people write takes half a minute, and as long each time."""
_SCRIPT = "the script people write"
_AWAY = 0.010
"""Seconds each way: a server 20 ms off."""


def against_others(dovecot: DovecotServer, mails: int) -> None:
    """The programs in turn, each in a fresh directory: medians and spread."""
    imap = dovecot.port
    commands: dict[str, Callable[[int, Path], list[str]]] = {
        "floor": lambda smtp, home: programs.script("floor", imap, smtp, str(home)),
        "mailbot run --once": lambda smtp, home: programs.mailbot(imap, smtp, home, "run", "--once"),
        _SCRIPT: lambda smtp, _: programs.script("naive", imap, smtp),
    }
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for number in range(_ROUNDS):
        for name, command in commands.items():
            if name != _SCRIPT or number < _OF_THE_SCRIPT:
                runs[name].append(_run(command, mails))
    floor = runs["floor"]
    print(
        "| program | time | of the floor | spread | processor | of the floor | mails/s | peak MB | a child |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, each in runs.items():
        seconds = [run.seconds for run in each]
        time, processor = statistics.median(seconds), _processor(each)
        print(
            f"| {name} | {time:.1f} s | {time / statistics.median(r.seconds for r in floor):.1f} "
            f"| {min(seconds):.1f}-{max(seconds):.1f} s | {processor:.1f} s | {processor / _processor(floor):.1f} "
            f"| {mails / time:.0f} | {max(r.megabytes for r in each):.0f} "
            f"| {max(r.megabytes_of_a_child for r in each):.0f} |"
        )
    print()


def _processor(runs: list[Run]) -> float:
    return statistics.median(run.processor for run in runs)


def _run(command: Callable[[int, Path], list[str]], mails: int) -> Run:
    with SmtpServer(ACCOUNTS) as smtp, tempfile.TemporaryDirectory() as home:
        run = programs.timed(command(smtp.port, Path(home)))
        if len(smtp.taken) != mails:
            sys.exit(f"{len(smtp.taken)} answers to {mails} mails")
        return run


def linear(mails: int) -> None:
    """What a mail costs when there are few: the start is taken off by a run over an empty mailbox."""
    few = max(mails // 10, 1)
    empty, small = (_alone(count) for count in (0, few))
    print(f"an empty mailbox: {empty.seconds:.2f} s, {empty.processor:.2f} s of processor time")
    print(
        f"{few} mails: {1000 * (small.processor - empty.processor) / few:.1f} ms of processor time a mail\n"
    )


def _alone(mails: int) -> Run:
    with DovecotServer("dovecot") as dovecot:
        programs.fill(dovecot, range(mails))
        port = dovecot.port
        return _run(lambda smtp, home: programs.mailbot(port, smtp, home, "run", "--once"), mails)


def from_far(dovecot: DovecotServer, mails: int) -> None:
    """The same with servers 20 ms away: the one that mail comes from, and the one that takes the answers as well."""
    print(
        "| IMAP, SMTP server | time | times as long | IMAP round trips for 50 mails | SMTP round trips a mail "
        "| SMTP connections |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    beside_us = 0.0
    for name, away, answers_away in (
        ("both beside us", 0.0, 0.0),
        ("IMAP 20 ms away", _AWAY, 0.0),
        ("both 20 ms away", _AWAY, _AWAY),
    ):
        with (
            SmtpServer(ACCOUNTS) as smtp,
            Proxy(dovecot.port, away) as imap_wire,
            Proxy(smtp.port, answers_away) as smtp_wire,
            tempfile.TemporaryDirectory() as home,
        ):
            command = programs.mailbot(imap_wire.port, smtp_wire.port, Path(home), "run", "--once")
            run = programs.timed(command)
            beside_us = beside_us or run.seconds
            print(
                f"| {name} | {run.seconds:.1f} s | {run.seconds / beside_us:.2f} "
                f"| {imap_wire.turns / mails * 50:.1f} | {smtp_wire.turns / mails:.2f} | {smtp_wire.connections} |"
            )
    print()


def counted(dovecot: DovecotServer, mails: int) -> None:
    """System calls that wait for the disk, and whether the archive is what the server gave."""
    if shutil.which("strace") is None:
        print("fsyncs are not counted: strace is not installed\n")
        return
    with SmtpServer(ACCOUNTS) as smtp, tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        command = programs.mailbot(dovecot.port, smtp.port, home, "run", "--once")
        trace = ["strace", "-f", "-c", "-e", "trace=fsync,fdatasync", "-o", str(home / "calls")]
        subprocess.run([*trace, *command], cwd=load.ROOT, check=True, capture_output=True)
        calls = {n: int(c) for c, n in re.findall(r"(\d+)\s+(f\w*sync)$", (home / "calls").read_text(), re.M)}
        kept = {sha256(f.read_bytes()).digest() for f in (home / "storage" / "archive").glob("*.eml")}
        given = {sha256(mail.octets).digest() for mail in dovecot.mails(ADDRESS)}
        print("| fsync a mail | fdatasync a mail | archive |")
        print("| --- | --- | --- |")
        same = (
            "octet for octet" if kept == given else f"{len(kept & given)} of {mails} as the server gave them"
        )
        print(f"| {calls.get('fsync', 0) / mails:.2f} | {calls.get('fdatasync', 0) / mails:.2f} | {same} |\n")
