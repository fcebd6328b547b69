"""The demo, as a newcomer runs it."""

from __future__ import annotations

import email
import io
import json
import stat
from email.policy import default
from pathlib import Path

import pytest
from rich.console import Console

from mailbot.demo.run import run_demo
from mailbot.errors import UsageError


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The demo's directory and what it printed, after its second run."""
    output = tmp_path_factory.mktemp("demo") / "demo-output"
    for _ in range(2):
        said = io.StringIO()
        assert run_demo(output, Console(file=said, width=200)) == 0, said.getvalue()
    return output, said.getvalue()


def test_every_mail_became_what_was_expected(demo: tuple[Path, str]) -> None:
    output, said = demo
    messages = json.loads((output / "export.json").read_text(encoding="utf-8"))["messages"]
    assert f"{len(messages)} of {len(messages)} mails became what was expected" in said
    assert "sent nothing." in said


def test_it_names_files_that_exist(demo: tuple[Path, str]) -> None:
    output, said = demo
    named = [Path(line.strip()) for line in said.splitlines() if line.startswith(f"  {output}")]
    assert len(named) > 10
    assert [path for path in named if not path.exists()] == []
    assert {"digest.html", "2020汇总表.xlsx", "letters"} <= {path.name for path in named}


def test_each_reply_is_a_letter_to_its_sender(demo: tuple[Path, str]) -> None:
    output, _ = demo
    messages = json.loads((output / "export.json").read_text(encoding="utf-8"))["messages"]
    replies = {reply["message_id"]: m["sender"] for m in messages for reply in m["replies"]}
    letters = [
        email.message_from_bytes(path.read_bytes(), policy=default)
        for path in (output / "letters").glob("*.eml")
    ]
    sent = {str(m["Message-ID"]): str(m["To"]) for m in letters if str(m["To"]) != "staff@example.org"}
    assert sent == replies


def test_robots_and_the_unauthenticated_got_no_letter(demo: tuple[Path, str]) -> None:
    output, _ = demo
    messages = json.loads((output / "export.json").read_text(encoding="utf-8"))["messages"]
    silent = [
        m
        for m in messages
        if m["outcome"] == "ignored"
        or m["folder"] == "Junk"
        or any(f["code"] == "sender.unauthenticated" for f in m["findings"])
    ]
    assert len(silent) == 6
    assert [m["replies"] for m in silent] == [[]] * 6


def test_the_password_is_the_owners_alone(demo: tuple[Path, str]) -> None:
    output, _ = demo
    assert stat.S_IMODE((output / "password").stat().st_mode) == 0o600
    assert (output / "password").read_text() not in (output / "mailbot.log").read_text(encoding="utf-8")


def test_a_directory_that_is_no_demo_is_left_alone(tmp_path: Path) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("keep me")
    with pytest.raises(UsageError, match="not an earlier demo"):
        run_demo(tmp_path, Console(file=io.StringIO()))
    assert precious.read_text() == "keep me"
