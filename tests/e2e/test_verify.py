"""`mailbot verify` proves what is kept, and names whatever was changed behind its back."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from mailbot.cli import app as commands
from mailbot.store import tables
from mailbot.store.store import Store
from tests.e2e.office import IN_TIME, Office, mail, papers

ROBOT = {"Auto-Submitted": "auto-generated"}


@pytest.fixture
def kept(office: Office) -> Office:
    """Three mails taken in, one of them answered."""
    office.deliver(mail(papers()))
    office.deliver(mail({}, message_id="<2@x.example.com>", headers=ROBOT), IN_TIME - timedelta(minutes=1))
    office.deliver(mail({}, body="请问可以延期吗？", message_id="<3@x.example.com>"), mailbox="enterprises")
    assert office.round()
    return office


def run(office: Office, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(commands, [*arguments, "--config", str(office.config_path)])
    return result.exit_code, result.output


def change(office: Office, statement: sa.Executable) -> None:
    with office.opened() as app, app.store.writing() as connection:
        connection.execute(statement)


def files(office: Office) -> list[Path]:
    return sorted((office.directory / "storage" / "archive").glob("*.eml"))


def test_what_was_not_touched_holds(kept: Office) -> None:
    code, said = run(kept, "verify")
    assert (code, said.splitlines()[-1]) == (0, "all of it holds")
    assert said.startswith("3 mails, 2 replies, ")


def test_nothing_at_all_holds(office: Office) -> None:
    assert run(office, "verify")[0] == 0


def _forge_link(office: Office) -> None:
    forged = sa.update(tables.ledger).where(tables.ledger.c.seq == 3).values(kind="sent")
    change(office, forged)


def _no_row() -> sa.Executable:
    return sa.delete(tables.messages).where(tables.messages.c.outcome == "ignored")


def _later_receipt(office: Office) -> None:
    change(office, sa.update(tables.messages).values(received_at=IN_TIME + timedelta(days=9)))


FORGERIES: dict[str, tuple[Callable[[Office], None], str]] = {
    "a link": (_forge_link, "the ledger is broken at link 3"),
    "the newest link": (
        lambda o: change(
            o,
            sa.delete(tables.ledger).where(
                tables.ledger.c.seq == sa.select(sa.func.max(tables.ledger.c.seq)).scalar_subquery()
            ),
        ),
        "and the ledger says sending",
    ),
    "a row": (lambda o: change(o, _no_row()), "the ledger has its receipt, and there is no row"),
    "receipt times": (_later_receipt, "its receipt time is not what the ledger says"),
    "an outcome": (
        lambda o: change(
            o,
            sa.update(tables.messages)
            .where(tables.messages.c.outcome == "acknowledged")
            .values(outcome="correction"),
        ),
        "its outcome is correction, and the ledger says acknowledged",
    ),
    "an organization": (
        lambda o: change(o, sa.update(tables.messages).values(organization="浙江省别的学会")),
        "its organization is 浙江省别的学会",
    ),
    "a reply": (
        lambda o: change(o, sa.update(tables.replies).values(recipient="other@example.com")),
        "it is not what the ledger says",
    ),
    "a file": (lambda o: files(o)[0].write_bytes(b"other"), "the file has changed"),
    "a lost file": (lambda o: files(o)[0].unlink(), "No such file"),
}


@pytest.mark.parametrize("what", FORGERIES)
def test_what_was_changed_is_named(kept: Office, what: str) -> None:
    forge, expected = FORGERIES[what]
    forge(kept)
    code, said = run(kept, "verify")
    assert code == 1
    assert expected in said


def test_a_file_without_a_row_is_named_unless_it_is_just_being_taken_in(kept: Office) -> None:
    with kept.opened() as app:
        [sha256] = app.archive.put_many([b"Subject: forgotten\r\n\r\n"])
        stray = app.archive.path(sha256)
    assert run(kept, "verify")[0] == 0
    os.utime(stray, (0, 0))
    code, said = run(kept, "verify")
    assert code == 1
    assert str(stray) in said


def test_a_worker_that_writes_meanwhile_is_no_fault(kept: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = Store.messages
    others = iter([lambda: kept.deliver(mail(papers(), message_id="<4@x.example.com>")) and kept.round()])

    def meanwhile(self: Store, **which: object) -> object:
        for work in others:
            work()
        return inner(self, **which)  # type: ignore[arg-type]

    monkeypatch.setattr(Store, "messages", meanwhile)
    code, said = run(kept, "verify")
    assert (code, "\n4 mails" in said) == (0, True)


def test_an_exported_ledger_is_a_witness(kept: Office, tmp_path: Path) -> None:
    exported = tmp_path / "ledger.jsonl"
    assert run(kept, "ledger", "--output", str(exported))[0] == 0
    kept.deliver(mail(papers(), message_id="<4@x.example.com>"))
    assert kept.round()
    assert run(kept, "verify", "--against", str(exported))[0] == 0
    exported.write_text(exported.read_text().replace("acknowledged", "correction", 1))
    code, said = run(kept, "verify", "--against", str(exported))
    assert code == 1
    assert "broken at link" in said
    exported.write_text("no ledger\n")
    assert run(kept, "verify", "--against", str(exported))[0] == 2
