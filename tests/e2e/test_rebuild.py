"""The database made again from archive and ledger is the same, and what the ledger did not know is answered by nobody."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from mailbot.cli import app as commands
from mailbot.store import tables
from tests.conftest import ROOT
from tests.databases import on_sqlite
from tests.e2e.office import DEADLINE, IN_TIME, SQLITE, Office, form, mail, papers

EXCLUDED = {"flags", "folders", "skipped", "ledger", "alembic_version"}


def run(office: Office, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(commands, [*arguments, "--config", str(office.config_path)])
    return result.exit_code, result.output


def contents(office: Office) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table that says something of mails, organizations and letters."""
    with office.opened() as app, app.store.reading() as connection:
        return {
            table.name: [
                dict(row._mapping)
                for row in connection.execute(sa.select(table).order_by(*table.primary_key))
            ]
            for table in tables.metadata.sorted_tables
            if table.name not in EXCLUDED
        }


def lose_database(office: Office, spare: str, left: bytes | None = None) -> None:
    """All but `left` of the file is gone; of a PostgreSQL everything, and an empty one is configured."""
    if office.database != SQLITE:
        office.database = spare
        office.configure()
        return
    file = office.directory / "storage" / "mailbot.db"
    file.unlink()
    if left is not None:
        file.write_bytes(left)


@pytest.fixture
def lived(office: Office) -> Office:
    """An office in which much has happened: corrections, copies, robots, junk, a person's decision, failed letters."""
    two = "<2@yunling.example.com>"
    office.deliver(mail(papers(scores={8: "9"})), IN_TIME)
    office.deliver(mail({}, headers={"Auto-Submitted": "auto-replied"}, message_id="<r@x.example.com>"))
    office.deliver(
        mail(papers("浙江省星河研究会"), sender="a@xinghe.example.com", message_id="<x@x>"), folder="Junk"
    )
    office.smtp.refuse("RCPT", "550 5.1.1 no such user")
    assert office.round()
    office.deliver(mail({"自评表.xlsx": form()}, message_id=two), IN_TIME + timedelta(hours=1))
    late = mail({}, body="请问可以延期吗？", sender="b@c.example.com", message_id="<q@x.example.com>")
    office.deliver(late, DEADLINE + timedelta(hours=1))
    office.deliver(late, DEADLINE, mailbox="enterprises")
    nameless = mail(papers("　"), sender="w@w.example.com", subject="材料", message_id="<w1@w.example.com>")
    office.deliver(nameless, IN_TIME)
    assert office.round()
    named = papers("浙江省流萤学会")
    office.deliver(mail(named, sender="w@w.example.com", message_id="<w2@w.example.com>"), IN_TIME)
    assert office.round()
    number = next(m["id"] for m in contents(office)["messages"] if m["outcome"] == "review")
    run(office, "review", str(number), "--no-submission", "--by", "章伟", "--why", "已电话答复")
    office.imap.renew("societies@example.org")
    assert office.round()
    return office


def test_the_rebuilt_database_is_the_same_and_sends_nothing(lived: Office, spare: str) -> None:
    before, exported = contents(lived), lived.export()
    assert all(before[name] for name in ("messages", "replies", "organizations", "rulings"))
    sent = lived.sent
    ledger = lived.directory / "ledger.jsonl"
    assert run(lived, "ledger", "--output", str(ledger))[0] == 0
    lose_database(lived, spare, b"this is no database any more" * 100)
    code, said = run(lived, "rebuild", "--ledger", str(ledger))
    assert (code, "would be" in said) == (0, False), said
    assert contents(lived)["organizations"] == before["organizations"]
    after = contents(lived)
    for table, rows in before.items():
        assert _comparable(after[table]) == _comparable(rows), table
    assert lived.export() == exported
    assert run(lived, "verify")[0] == 0
    assert lived.round()
    assert lived.round()
    assert lived.sent == sent
    assert lived.export() == exported
    kept = list((lived.directory / "storage").glob("mailbot.db.before-rebuild-*"))
    assert bool(kept) is (lived.database == SQLITE)


def _comparable(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what the ledger need not hold: a letter's octets carry the minute, and moved rows their first place."""
    left_out = {
        "octets",
        "uid",
        "uidvalidity",
        "recorded_at",
        "next_attempt_at",
        "retry_at",
        "decided_at",
        "queued_at",
    }
    return [{name: value for name, value in row.items() if name not in left_out} for row in rows]


def test_a_mail_that_the_exported_ledger_does_not_know_is_not_answered_again(
    lived: Office, spare: str
) -> None:
    ledger = lived.directory / "ledger.jsonl"
    run(lived, "ledger", "--output", str(ledger))
    lived.deliver(
        mail(papers("浙江省清岚学会"), sender="a@qinglan.example.com", message_id="<n@x.example.com>")
    )
    assert lived.round()
    sent = lived.sent
    lose_database(lived, spare)
    assert run(lived, "rebuild", "--ledger", str(ledger))[0] == 0
    assert lived.round()
    newest = lived.export()["messages"][-1]
    assert (newest["outcome"], [r["state"] for r in newest["replies"]]) == ("acknowledged", ["held"])
    assert lived.sent == sent
    assert run(lived, "verify")[0] == 0


@on_sqlite
def test_a_restored_backup_answers_nobody_again_once_it_is_rebuilt(office: Office) -> None:
    file, backup = office.directory / "storage" / "mailbot.db", office.directory / "backup.db"
    office.configure(replies="max_per_hour = 1\nmin_interval_seconds = 0")
    office.deliver(mail(papers()), IN_TIME)
    office.deliver(mail(papers("浙江省星河研究会"), sender="a@xinghe.example.com", message_id="<x@x>"))
    assert office.round()
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(backup)) as target:
        source.backup(target)
    held = next(r["id"] for r in contents(office)["replies"] if r["state"] == "held")
    signed = ("--by", "章伟", "--why", "可以发")
    assert run(office, "review", "--reply", str(held), "--send", *signed)[0] == 0
    office.configure()
    office.deliver(mail(papers("浙江省清岚学会"), sender="a@qinglan.example.com", message_id="<n@x>"))
    assert office.round()
    sent = office.sent
    assert len(sent) == 3
    for name in ("mailbot.db-wal", "mailbot.db-shm"):
        file.with_name(name).unlink(missing_ok=True)
    file.write_bytes(backup.read_bytes())
    for mail_file in (office.directory / "storage" / "archive").iterdir():
        os.utime(mail_file, (0, 0))
    code, said = run(office, "verify")
    assert (code, "run `mailbot rebuild` before anything else" in said) == (1, True)
    assert run(office, "rebuild")[0] == 0
    assert office.round()
    assert office.sent == sent
    assert [r["state"] for m in office.export()["messages"] for r in m["replies"]] == ["sent", "held", "held"]
    assert run(office, "verify")[0] == 0


def test_a_letter_that_waited_is_held(office: Office, spare: str) -> None:
    office.smtp.refuse("MAIL", "451 4.3.0 later", times=9)
    office.deliver(mail(papers()))
    assert not office.round()
    assert office.export()["messages"][0]["replies"][0]["state"] == "queued"
    exported: tuple[str, ...] = ()
    if office.database != SQLITE:
        exported = _into_another(office, spare)
    code, said = run(office, "rebuild", *exported)
    assert (code, "1 letters that waited are held" in said) == (0, True)
    assert office.export()["messages"][0]["replies"][0]["state"] == "held"
    assert run(office, "verify")[0] == 0


def _into_another(office: Office, spare: str) -> tuple[str, str]:
    """PostgreSQL has no file to lay aside: rebuilding wants an empty database, and the ledger exported before."""
    code, said = run(office, "rebuild")
    assert (code, "the database is not empty" in said) == (2, True)
    ledger = str(office.directory / "ledger.jsonl")
    run(office, "ledger", "--output", ledger)
    lose_database(office, spare)
    return "--ledger", ledger


def test_a_broken_ledger_rebuilds_nothing(lived: Office) -> None:
    ledger = lived.directory / "ledger.jsonl"
    run(lived, "ledger", "--output", str(ledger))
    ledger.write_text(ledger.read_text().replace("acknowledged", "correction", 1))
    before = lived.export()
    code, said = run(lived, "rebuild", "--ledger", str(ledger))
    assert (code, "the ledger is broken at link" in said) == (1, True)
    assert lived.export() == before
    assert run(lived, "rebuild", "--ledger", "nowhere.jsonl")[0] == 2


def test_nothing_is_rebuilt_out_of_nothing(office: Office) -> None:
    assert run(office, "rebuild")[0] == 2


def test_with_the_same_rubric_nothing_would_differ(lived: Office) -> None:
    code, said = run(lived, "rescore")
    assert (code, said.splitlines()[-1]) == (0, "0 messages would change")


def test_another_rubric_shows_what_would_differ_before_it_does_it(lived: Office) -> None:
    stricter = lived.directory / "rubric.toml"
    categories, items = (ROOT / "rubric" / "2020.toml").read_text("utf-8").split("[[item]]", 1)
    items = items.replace("points = 10\n", "points = ten\n", 1).replace("points = 5\n", "points = 10\n", 1)
    stricter.write_text(f"{categories}[[item]]{items.replace('points = ten', 'points = 5')}", "utf-8")
    config = lived.config_path.read_text(encoding="utf-8")
    lived.config_path.write_text(config.replace(str(ROOT / "rubric" / "2020.toml"), "rubric.toml"), "utf-8")
    before, sent = lived.export(), lived.sent
    code, said = run(lived, "rescore")
    assert code == 0
    assert "→" in said
    assert lived.export() == before
    assert run(lived, "rescore", "--apply")[0] == 0
    assert lived.export() != before
    assert run(lived, "verify")[0] == 0
    assert run(lived, "rescore")[1].splitlines()[-1] == "0 messages would change"
    assert lived.round()
    assert lived.sent == sent
    assert json.dumps(lived.export())


def test_an_extended_deadline_is_told_until_it_is_taken_over(office: Office) -> None:
    office.deliver(mail(papers()), DEADLINE + timedelta(hours=1))
    assert office.round()
    assert "已改动" not in run(office, "digest")[1]
    config = office.config_path.read_text(encoding="utf-8")
    office.config_path.write_text(config.replace("2021-01-15T17:30", "2021-01-20T17:30"), encoding="utf-8")
    for _ in range(2):
        assert office.round()
        assert "截止时间、应报材料或评分表已改动" in run(office, "digest")[1]
        assert run(office, "rescore")[1].endswith("1 messages would change\n")
    assert run(office, "rescore", "--apply")[0] == 0
    assert "已改动" not in run(office, "digest")[1]
    assert "delivery.late" not in office.codes()
