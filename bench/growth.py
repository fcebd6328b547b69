"""What a round costs and how long reports take when the campaign holds few messages, and very many."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench import campaign, programs
from mailbot.demo.servers import SmtpServer
from mailbot.store.store import Store
from tests.servers import ACCOUNTS, DovecotServer

_NEW = 10
_TIMES = 3
_REPORTS = (
    ("status",),
    ("digest",),
    ("export", "--format", "csv"),
    ("export", "--format", "xlsx"),
    ("export", "--format", "json"),
)


def growth(sizes: tuple[int, ...]) -> None:
    """The same mails, again and again, beside so many messages decided before."""
    heads = "".join(f" {' '.join(command)} |" for command in _REPORTS)
    print(f"Time, processor time and peak memory of each command; a round with {_NEW} new mails first:\n")
    print(f"| messages | run --once |{heads}")
    print("| --- | --- |" + " --- |" * len(_REPORTS))
    for size in sizes:
        with (
            DovecotServer("dovecot") as dovecot,
            SmtpServer(ACCOUNTS) as smtp,
            tempfile.TemporaryDirectory() as directory,
        ):
            home = Path(directory)
            path = home / "storage" / "mailbot.db"
            Store.open(f"sqlite:///{path}").close()
            campaign.fill(path, size)
            once = programs.mailbot(dovecot.port, smtp.port, home, "run", "--once")
            programs.timed(once)
            rounds = []
            for number in range(_TIMES):
                first = 1_000_000 + number * _NEW
                programs.fill(dovecot, (n for n in range(first, first + 2 * _NEW) if n % 10))
                rounds.append(programs.timed(once))
            reports = [_report(dovecot.port, smtp.port, home, command) for command in _REPORTS]
        middle = sorted(rounds, key=lambda run: run.processor)[_TIMES // 2]
        print(f"| {size:,} |" + "".join(f" {_cell(run)} |" for run in (middle, *reports)))
    print()


def _report(imap_port: int, smtp_port: int, home: Path, command: tuple[str, ...]) -> programs.Run:
    output = ("--output", str(home / "export")) if command[0] == "export" else ()
    return programs.timed(programs.mailbot(imap_port, smtp_port, home, *command, *output))


def _cell(run: programs.Run) -> str:
    return f"{run.seconds:.2f} s, {run.processor:.2f} s, {run.megabytes:.0f} MB"
