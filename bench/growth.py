"""What a round costs and how long reports take when the campaign holds few messages, and very many."""

from __future__ import annotations

import hashlib
import statistics
import subprocess
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from bench import programs
from mailbot.demo.servers import SmtpServer
from mailbot.model import Outcome, ReplyKind, ReplyState
from mailbot.store import tables
from mailbot.store.database import Database
from tests.servers import ACCOUNTS, DovecotServer

_NEW = 10
_TIMES = 3
_ORGANIZATIONS = 500
_OLD_PLACE = 999
"""UIDVALIDITY of the messages that are put into the database directly."""
_REPORTS = (("status",), ("digest",), ("export", "--format", "json"), ("export", "--format", "xlsx"))


def growth(sizes: tuple[int, ...]) -> None:
    """The same mails, again and again, beside so many messages decided before."""
    heads = "".join(f" {' '.join(command)} |" for command in _REPORTS)
    print(f"| messages | processor time of a round with {_NEW} new mails |{heads}")
    print("| --- |" + " --- |" * (len(_REPORTS) + 1))
    for size in sizes:
        with (
            DovecotServer("dovecot") as dovecot,
            SmtpServer(ACCOUNTS) as smtp,
            tempfile.TemporaryDirectory() as directory,
        ):
            home = Path(directory)
            once = programs.mailbot(dovecot.port, smtp.port, home, "run", "--once")
            programs.timed(once)
            _fill(home / "storage" / "mailbot.db", size)
            rounds = []
            for number in range(_TIMES):
                first = 1_000_000 + number * _NEW
                programs.fill(dovecot, (n for n in range(first, first + 2 * _NEW) if n % 10))
                rounds.append(programs.timed(once).processor)
            reports = [_seconds(dovecot.port, smtp.port, home, command) for command in _REPORTS]
        cells = "".join(f" {seconds:.2f} s |" for seconds in reports)
        print(f"| {size:,} | {statistics.median(rounds):.2f} s |{cells}")
    print()


def _seconds(imap_port: int, smtp_port: int, home: Path, command: tuple[str, ...]) -> float:
    output = ("--output", str(home / "export")) if command[0] == "export" else ()
    begin = time.perf_counter()
    subprocess.run(
        programs.mailbot(imap_port, smtp_port, home, *command, *output), check=True, capture_output=True
    )
    return time.perf_counter() - begin


def _fill(path: Path, size: int) -> None:
    """Messages as they are after their decision, each answered, from as many organizations as a province has."""
    store = Database(f"sqlite:///{path}")
    at = datetime.now(UTC) - timedelta(days=2)
    columns = tables.messages.c.keys()
    rows = [_message(number, at) for number in range(1, size + 1)]
    with store.writing() as connection:
        connection.execute(
            sa.insert(tables.messages), [{k: v for k, v in row.items() if k in columns} for row in rows]
        )
        connection.execute(sa.insert(tables.replies), [_reply(number, at) for number in range(1, size + 1)])
        connection.execute(
            sa.insert(tables.organizations),
            [
                {"name": _organization(number), "track": "society", "versions": "[]", "note": ""}
                for number in range(min(size, _ORGANIZATIONS))
            ],
        )
    store.close()


def _organization(number: int) -> str:
    return f"浙江省旧{number % _ORGANIZATIONS}学会"


def _message(number: int, at: datetime) -> dict[str, object]:
    return {
        "id": number,
        "mailbox": "societies",
        "folder": "INBOX",
        "uidvalidity": _OLD_PLACE,
        "uid": number,
        "sha256": hashlib.sha256(str(number).encode()).hexdigest(),
        "size": 60_000,
        "received_at": at,
        "recorded_at": at,
        "receipt_hash": "0" * 64,
        "junk": False,
        "attempts": 0,
        "last_error": "",
        "outcome": Outcome.ACKNOWLEDGED.value,
        "decided_at": at,
        "fingerprint": hashlib.sha256(f"f{number}".encode()).hexdigest(),
        "message_id": f"<old.{number}@example.com>",
        "sender": f"old{number % _ORGANIZATIONS}@example.com",
        "subject": "材料",
        "organization": _organization(number - 1),
        "findings": "[]",
        "documents": "[]",
    }


def _reply(number: int, at: datetime) -> dict[str, object]:
    return {
        "message": number,
        "mailbox": "societies",
        "kind": ReplyKind.ACKNOWLEDGEMENT.value,
        "recipient": f"old{number}@example.com",
        "organization": _organization(number - 1),
        "message_id": f"<reply.{number}@example.org>",
        "subject": "收到",
        "octets": b"old",
        "state": ReplyState.SENT.value,
        "queued_at": at,
        "attempts": 1,
        "sent_at": at,
        "error": "",
    }
