"""`mailbot ingest`: mails from files go the way of those that a mailbox holds, once."""

from __future__ import annotations

import mailbox
import os
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mailbot import cli
from mailbot.reports import Reports
from tests.e2e.office import DEADLINE, IN_TIME, Office, mail, papers


def ingest(office: Office, *paths: Path) -> str:
    """What `mailbot ingest` says of them."""
    command = ["ingest", "--mailbox", "societies", "--config", str(office.config_path), *map(str, paths)]
    told = CliRunner().invoke(cli.app, command)
    assert told.exit_code == 0, told.output
    return told.stdout


def hop(at: str) -> dict[str, str]:
    return {"Received": f"from mail.example.com by newxmmx1.qq.com (NewMX) with SMTP id 1; {at}"}


def letter(number: int, **more: object) -> bytes:
    """A whole submission of one society, with mbox's pitfalls in its text."""
    body = "您好，材料见附件。\n\nFrom 学会秘书处\n>From the office\n"
    sender, message_id = f"s{number}@x{number}.example.com", f"<{number}@x.example.com>"
    files = papers(f"浙江省{'云雾雷霜露'[number]}岭学会")
    return mail(files, sender=sender, message_id=message_id, body=body, **more)  # type: ignore[arg-type]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, ...]:
    """Two .eml, an mbox and a Maildir; each says in its own way when its mail came."""
    on_time, late = tmp_path / "on-time.eml", tmp_path / "late.eml"
    on_time.write_bytes(letter(0, headers=hop("Fri, 15 Jan 2021 17:30:00 +0800")))
    late.write_bytes(letter(1, headers=hop("Fri, 15 Jan 2021 09:30:01 +0000 (GMT)")))
    kept = mailbox.mboxMessage(letter(2))
    kept.set_from("s2@x2.example.com", IN_TIME.astimezone(UTC).timetuple())
    box = mailbox.mbox(tmp_path / "kept.mbox")
    box.add(kept)
    box.close()
    folder = mailbox.Maildir(tmp_path / "Maildir")
    for number, (where, flags) in enumerate((("new", ""), ("cur", "RS")), start=3):
        one = mailbox.MaildirMessage(letter(number))
        one.set_subdir(where)
        one.set_flags(flags)
        one.set_date((DEADLINE + timedelta(seconds=number - 3)).timestamp())
        folder.add(one)
    return on_time, late, tmp_path / "kept.mbox", tmp_path / "Maildir"


def test_mails_from_files_are_decided_at_once_and_answered_with_the_next_round(
    office_on_sqlite: Office, files: tuple[Path, ...]
) -> None:
    office = office_on_sqlite
    assert ingest(office, *files) == "5 mails, 5 of them new\n"
    exported = office.export()
    times = [(one["received_at"][11:19], one["on_time"]) for one in exported["messages"]]
    on, over = ("17:30:00", True), ("17:30:01", False)
    assert sorted(times) == sorted([on, over, ("09:12:03", True), on, over])
    assert {one["outcome"] for one in exported["messages"]} == {"acknowledged"}
    assert {reply["state"] for one in exported["messages"] for reply in one["replies"]} == {"queued"}
    assert ingest(office, *files) == "5 mails, 0 of them new\n"
    assert office.round()
    assert office.round()
    assert len(office.sent) == 5


def test_a_mail_from_a_file_that_the_mailbox_holds_too_is_answered_once(
    office_on_sqlite: Office, files: tuple[Path, ...]
) -> None:
    office = office_on_sqlite
    ingest(office, files[0])
    office.deliver(files[0].read_bytes(), DEADLINE)
    office.round()
    ingest(office, files[0])
    office.round()
    assert len(office.sent) == 1
    assert [(o["status"], o["on_time"]) for o in office.export()["organizations"]] == [("complete", True)]


def test_what_came_from_files_is_no_mailbox_that_went_silent(
    office_on_sqlite: Office, files: tuple[Path, ...]
) -> None:
    office = office_on_sqlite
    ingest(office, *files)
    office.round()
    with office.opened() as app:
        made, _ = Reports(app).digest()
    assert "未能收取" not in made.text
    assert "系统警报" not in made.subject + made.text
    told = CliRunner().invoke(cli.app, ["status", "--config", str(office.config_path)])
    assert "never" not in told.stdout


def test_an_mbox_without_mails_holds_none(office_on_sqlite: Office, tmp_path: Path) -> None:
    empty = tmp_path / "Drafts.mbox"
    empty.touch()
    assert ingest(office_on_sqlite, empty) == "0 mails, 0 of them new\n"


def test_wrong_usage_is_named(office_on_sqlite: Office, tmp_path: Path) -> None:
    at = ["--config", str(office_on_sqlite.config_path)]
    (tmp_path / "a.eml").write_bytes(b"")
    told = CliRunner().invoke(cli.app, ["ingest", "--mailbox", "other", str(tmp_path / "a.eml"), *at])
    assert (told.exit_code, told.stderr) == (
        2,
        "mailbot: no mailbox 'other'; there are: societies, enterprises\n",
    )
    gone = os.path.join(tmp_path, "gone.eml")
    told = CliRunner().invoke(cli.app, ["ingest", "--mailbox", "societies", gone, *at])
    assert (told.exit_code, told.stderr) == (2, f"mailbot: {gone}: there is no such file or folder\n")
