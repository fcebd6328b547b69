"""A round looks up what it needs: no statement of it goes through all that a campaign has gathered."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from datetime import timedelta

import sqlalchemy as sa

from tests.databases import on_sqlite
from tests.e2e.office import IN_TIME, Office, mail, papers

_GROWING = re.compile(r"SCAN (messages|replies|rulings|ledger|skipped)\b")
_NEWEST_LINK = "ORDER BY ledger.seq DESC"
"""The end of the chain: SQLite calls it a scan, and it ends at the first row."""


@on_sqlite
def test_no_statement_of_a_round_goes_through_a_table_that_grows(office: Office) -> None:
    asked: dict[str, object] = {}
    with office.opened() as app:

        @sa.event.listens_for(app.store.engine, "before_cursor_execute")
        def note(
            _c: object, _cursor: object, statement: str, parameters: object, _x: object, many: bool
        ) -> None:
            asked.setdefault(statement, parameters[0] if many else parameters)  # type: ignore[index]

        for number, files in enumerate((papers(), papers(scores={8: ""}), {}, papers())):
            octets = mail(files, message_id=f"<{number}@yunling.example.com>")
            office.deliver(octets, IN_TIME + timedelta(minutes=number))
            office.deliver(octets, IN_TIME + timedelta(minutes=number), mailbox="enterprises")
        robot = mail({}, headers={"Auto-Submitted": "auto-replied"}, sender="robot@example.net")
        office.deliver(robot)
        assert app.run(once=True)
    assert len(office.sent) > 1
    assert len(asked) > 30
    with closing(sqlite3.connect(office.directory / "storage" / "mailbot.db")) as connection:
        through = {
            statement: plan
            for statement, parameters in asked.items()
            if statement.startswith(("SELECT", "UPDATE", "DELETE")) and _NEWEST_LINK not in statement
            for plan in _plans(connection, statement, parameters)
            if _GROWING.search(plan)
        }
    assert through == {}


def _plans(connection: sqlite3.Connection, statement: str, parameters: object) -> list[str]:
    rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)  # type: ignore[arg-type]
    return [str(row[3]) for row in rows]
