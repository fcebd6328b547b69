"""What the staff and the operator wait for in a campaign of many organizations: digest, 汇总表 and `status`."""

from __future__ import annotations

import subprocess
import tempfile
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

from bench import load, programs

_TIMES = 3
_NOBODY = 9
"""A port at which nothing listens: no mail is fetched or sent."""


def staff(organizations: int) -> None:
    """So many registered organizations: of three one has corrected, one is to correct, and of ten one is silent."""
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        mails = _write_mails(home / "mails", organizations)
        _run(home, "ingest", "--mailbox", "societies", str(home / "mails"))
        digest = _measured(home, "digest")
        _run(home, "digest", "--output", str(home / "out"))
        size = (home / "out" / "digest.html").stat().st_size
        workbook = _measured(home, "export", "--format", "xlsx", "--output", str(home / "summary.xlsx"))
        status = _measured(home, "status")
    print(f"| {organizations} organizations, {mails} mails | time | processor | at most |")
    print("| --- | --- | --- | --- |")
    for what, run, most in (
        ("`mailbot digest`, all mails new", digest, 2),
        ("the 汇总表, `mailbot export --format xlsx`", workbook, 5),
        ("`mailbot status`", status, 0.5),
    ):
        print(f"| {what} | {run.seconds:.2f} s | {run.processor:.2f} s | {most} s |")
    print(f"| the digest's HTML | {size / 1024:.0f} KB | | 300 KB |\n")


def _write_mails(directory: Path, organizations: int) -> int:
    directory.mkdir()
    rows = ["name,track,aliases,emails"]
    mails = 0
    for number in range(organizations):
        rows.append(f"{load.name(number)},society,,office{number}@example.com")
        if number % 10 == 9:
            continue
        for version in range(2 if number % 3 == 0 else 1):
            mails += 1
            octets = load.mail(number, faulty=number % 3 < 2 and not version, version=version)
            at = load.FIRST + timedelta(seconds=mails)
            arrived = f"Received: from a by b; {format_datetime(at)}\r\n".encode()
            (directory / f"{mails:06d}.eml").write_bytes(arrived + octets)
    (directory.parent / "organizations.csv").write_text("\n".join(rows), encoding="utf-8")
    return mails


def _command(home: Path, *command: str) -> list[str]:
    arguments = programs.mailbot(_NOBODY, _NOBODY, home, *command)
    config = home / "config.toml"
    text = config.read_text(encoding="utf-8").replace(
        "[storage]", 'organizations = "organizations.csv"\n[storage]'
    )
    config.write_text(text, encoding="utf-8")
    return arguments


def _run(home: Path, *command: str) -> None:
    subprocess.run(_command(home, *command), check=True, capture_output=True)


def _measured(home: Path, *command: str) -> programs.Run:
    """The quickest of some runs of the whole command: what else the machine does only adds to it."""
    arguments = _command(home, *command)
    return min((programs.timed(arguments) for _ in range(_TIMES)), key=lambda run: run.seconds)
