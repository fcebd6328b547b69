"""Databases of earlier programs, with what they had written, brought up to date on each database."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext

from mailbot.model import Outcome, ReplyState
from mailbot.store import database
from mailbot.store.ledger import GENESIS, canonical, link
from mailbot.store.store import Store
from mailbot.store.tables import metadata
from tests.conftest import ROOT

NOW = datetime(2021, 1, 14, 1, 12, 3, tzinfo=UTC)
MIGRATIONS = ROOT / "mailbot" / "store" / "migrations"
EARLIER = ("0001", "0002")
Rows = dict[str, dict[str, object]]
KEPT: Rows = {
    "messages": {
        "id": 1, "mailbox": "societies", "folder": "INBOX", "uidvalidity": 7, "uid": 3, "sha256": "ab" * 32,
        "size": 12345, "received_at": NOW, "recorded_at": NOW, "junk": False, "attempts": 0, "last_error": "",
        "outcome": "acknowledged", "decided_at": NOW, "fingerprint": "cd" * 32, "message_id": "<1@example.com>",
        "sender": "office@example.com", "subject": "材料", "organization": "浙江省云岭学会",
        "findings": "[]", "documents": "[]",
    },
    "organizations": {
        "name": "浙江省云岭学会", "track": "society", "versions": None, "paper_sealed": True,
        "staff_points": "92.5", "note": "已电话联系",
    },
    "replies": {
        "id": 1, "message": 1, "mailbox": "societies", "kind": "acknowledgement", "recipient": "office@example.com",
        "organization": "浙江省云岭学会", "message_id": "<a@example.org>", "subject": "收到", "octets": b"\x00letter\xff",
        "state": "sent", "queued_at": NOW, "attempts": 1, "sent_at": NOW, "error": "",
    },
    "folders": {"mailbox": "societies", "folder": "INBOX", "uidvalidity": 7, "last_uid": 3, "last_error": ""},
    "flags": {"name": "alarm", "value": "1"},
}  # fmt: skip
RULING = {
    "id": 1, "message": 1, "kind": "accept", "ruled_by": "章伟", "why": "已核对", "at": NOW, "sentence": "",
}  # fmt: skip


def written_by(url: str, revision: str) -> Rows:
    """Bring an empty database to an earlier schema and fill it; returns what must be there afterwards."""
    store = database.Database(url)
    alembic = AlembicConfig()
    alembic.set_main_option("script_location", str(MIGRATIONS))
    entry = link(1, NOW, "received", canonical({"message": 1}), GENESIS)
    rows = {**KEPT, "ledger": asdict(entry)}
    rows["messages"] = {**rows["messages"], "receipt_hash": entry.hash}
    if revision > "0001":
        rows["rulings"] = RULING
    with store.writing() as connection:
        alembic.attributes["connection"] = connection
        command.upgrade(alembic, revision)
        for name, values in rows.items():
            then = sa.table(name, *(sa.column(c, metadata.tables[name].c[c].type) for c in values))
            connection.execute(sa.insert(then).values(**values))
    store.close()
    return rows


def kept(store: database.Database, rows: Rows) -> Rows:
    """The same columns of the same rows as they are now."""
    with store.reading() as connection:
        return {
            name: dict(
                connection.execute(sa.select(*(metadata.tables[name].c[c] for c in values))).one()._mapping
            )
            for name, values in rows.items()
        }


@pytest.mark.parametrize("revision", EARLIER)
def test_a_database_of_an_earlier_program_is_brought_up_to_date_and_keeps_all(
    empty_url: str, revision: str
) -> None:
    if empty_url.startswith("sqlite"):
        Path(empty_url.removeprefix("sqlite:///")).parent.mkdir()
    rows = written_by(empty_url, revision)
    with Store.open(empty_url) as store:
        assert kept(store, rows) == rows
        with store.reading() as connection:
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        [mail] = store.messages()
        assert (mail.outcome, [r.state for r in mail.replies]) == (Outcome.ACKNOWLEDGED, [ReplyState.SENT])


@pytest.mark.parametrize("revision", EARLIER)
def test_a_migration_that_breaks_in_the_middle_leaves_the_earlier_database(
    empty_url: str, revision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if empty_url.startswith("sqlite"):
        Path(empty_url.removeprefix("sqlite:///")).parent.mkdir()
    rows = written_by(empty_url, revision)
    inner = database._upgrade

    def broken(connection: sa.Connection) -> None:
        inner(connection)
        raise RuntimeError("in the middle")

    with monkeypatch.context() as patch:
        patch.setattr(database, "_upgrade", broken)
        with pytest.raises(RuntimeError, match="in the middle"):
            Store.open(empty_url)
    earlier = database.Database(empty_url)
    with earlier.reading() as connection:
        assert database._schema_version(connection) == revision
        assert not sa.inspect(connection).has_table("reminders")
    earlier.close()
    with Store.open(empty_url) as store:
        assert kept(store, rows) == rows


@pytest.mark.parametrize("revision", EARLIER)
def test_the_copy_of_a_file_is_the_earlier_database_whole(tmp_path: Path, revision: str) -> None:
    path = tmp_path / "mailbot.db"
    written_by(f"sqlite:///{path}", revision)
    Store.open(f"sqlite:///{path}").close()
    with sqlite3.connect(path.with_name(f"mailbot.db.before-{database.SCHEMA}")) as copy:
        assert copy.execute("SELECT version_num FROM alembic_version").fetchall() == [(revision,)]
        assert copy.execute("SELECT subject FROM messages").fetchall() == [("材料",)]
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    copy.close()
