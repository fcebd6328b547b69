"""The programs that are measured, how one is run, and the configuration that mailbot gets."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bench import load
from mailbot.demo.servers import SmtpServer
from tests.servers import ADDRESS, OTHER_ADDRESS, PASSWORD, DovecotServer

_HERE = Path(__file__).parent
MAILBOT = Path(sys.executable).with_name("mailbot")


@dataclass(frozen=True, kw_only=True)
class Run:
    """One program over the whole mailbox."""

    seconds: float
    processor: float
    """Seconds of user and system time, all children included."""
    megabytes: float
    """Peak resident memory of the program itself."""
    megabytes_of_a_child: float
    """Of the largest process that it leaves to others to wait for: the reading children."""


def script(name: str, imap_port: int, smtp_port: int, *more: str) -> list[str]:
    """The command line of `floor` or `naive`."""
    program = str(_HERE / f"{name}.py")
    return [sys.executable, program, str(imap_port), str(smtp_port), ADDRESS, PASSWORD, *more]


def mailbot(
    imap_port: int, smtp_port: int, directory: Path, *command: str, addresses: Sequence[str] = (ADDRESS,)
) -> list[str]:
    """A command of mailbot, its configuration written into the directory."""
    (directory / "secret").write_text(PASSWORD)
    config = directory / "config.toml"
    boxes = [_box(address, imap_port, smtp_port) for address in addresses]
    rubric = load.ROOT / "rubric" / "2020.toml"
    config.write_text(_CAMPAIGN.format(rubric=rubric) + "".join(boxes), encoding="utf-8")
    return [str(MAILBOT), *command, "--config", str(config)]


def _box(address: str, imap_port: int, smtp_port: int) -> str:
    server = f'host = "127.0.0.1"\ntls = "none"\nusername = "{address}"\npassword_file = "secret"\n'
    return _MAILBOX.format(
        name="enterprises" if address == OTHER_ADDRESS else "societies",
        address=address,
        imap=f"{server}port = {imap_port}",
        smtp=f"{server}port = {smtp_port}",
    )


def timed(command: Sequence[str]) -> Run:
    """Run a command to its end."""
    done = subprocess.run(
        [sys.executable, str(_HERE / "timed.py"), *command], cwd=load.ROOT, check=False, capture_output=True
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}")
    return Run(**json.loads(done.stdout))


@contextlib.contextmanager
def staying(
    dovecot: DovecotServer, smtp: SmtpServer, addresses: Sequence[str] = (ADDRESS,)
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A worker that waits for mail; with its storage directory."""
    with tempfile.TemporaryDirectory() as directory:
        command = mailbot(dovecot.port, smtp.port, Path(directory), "run", addresses=addresses)
        with (Path(directory) / "log").open("wb") as log:
            process = subprocess.Popen(command, cwd=load.ROOT, stderr=log)
            try:
                time.sleep(3)
                yield process, Path(directory) / "storage"
            finally:
                process.terminate()
                process.wait(60)


def fill(dovecot: DovecotServer, numbers: Iterable[int], address: str = ADDRESS) -> None:
    """Put mails into the mailbox, a second apart."""
    from imapclient import IMAPClient

    with IMAPClient(dovecot.host, dovecot.port, ssl=False) as client:
        client.login(address, PASSWORD)
        for number in numbers:
            client.append("INBOX", load.mail(number), msg_time=load.FIRST + timedelta(seconds=number))


_CAMPAIGN = """\
[campaign]
name = "2020"
title = "2020年度省级学会工作总结"
opens = 2020-12-29T00:00:00+08:00
deadline = 2021-01-15T17:30:00+08:00
timezone = "Asia/Shanghai"
rubric = "{rubric}"
[storage]
directory = "storage"
database = "sqlite:///storage/mailbot.db"
[replies]
min_interval_seconds = 0
max_per_hour = 1000000
"""
_MAILBOX = """\
[[mailbox]]
name = "{name}"
track = "society"
address = "{address}"
requires = ["form", "summary", "plan"]
[mailbox.imap]
{imap}
[mailbox.smtp]
{smtp}
"""
