"""`mailbot check`: what it says of each thing that can be wrong, and how it ends."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from tests.conftest import ROOT
from tests.e2e.office import ADDRESSES, IN_TIME, Office, mail

TROUBLE = ("fault", "hint", "unreached")


def said_by_check(office: Office) -> tuple[int, list[str]]:
    """The exit status, and all lines."""
    command = [sys.executable, "-m", "mailbot", "check", "--config", str(office.config_path)]
    ended = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert ended.stderr == ""
    lines = ended.stdout.splitlines()
    assert all(line.split()[0] in ("ok", *TROUBLE) for line in lines)
    return ended.returncode, lines


def checked(office: Office) -> tuple[int, list[str]]:
    """The exit status, and the lines that are not in order, but for what this machine lacks."""
    status, lines = said_by_check(office)
    return status, [
        line
        for line in lines
        if line.startswith(TROUBLE) and "walls around" not in line and "formats:" not in line
    ]


def rewritten(office: Office, *changes: tuple[str, str]) -> None:
    text = office.config_path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    office.config_path.write_text(text, encoding="utf-8")


def test_all_in_order(office: Office) -> None:
    office.deliver(mail({}))
    assert checked(office) == (0, [])


def test_a_wrong_password_is_a_fault_for_each_account(office: Office) -> None:
    (office.directory / "secret").write_text("wrong")
    status, said = checked(office)
    assert status == 2
    assert len(said) == 4
    assert all("授权码" in line and "wrong" not in line.split("授权码")[0] for line in said)


def test_the_campaign_is_said_and_that_nobody_would_be_told_anything(office: Office) -> None:
    rewritten(office, ('digest_to = ["staff@example.org"]', "digest_to = []"))
    _, lines = said_by_check(office)
    assert (
        "ok        campaign: 2020, from 2020-12-29 00:00 to 2021-01-15 17:30, which is past: what comes now is late; "
        "replies: send" in lines
    )
    said = "staff.digest_to is empty: nobody gets the digest, nor word when something is wrong"
    assert checked(office) == (0, [f"hint      staff: {said}"])


def test_a_login_that_is_not_the_sender_is_hinted_at(office: Office) -> None:
    port = f'port = {office.smtp.port}\ntls = "none"\nusername = '
    societies, other = ADDRESSES["societies"], ADDRESSES["enterprises"]
    assert office.config_path.read_text(encoding="utf-8").count(f'{port}"{societies}"') == 1
    rewritten(office, (f'{port}"{societies}"', f'{port}"{other}"'))
    status, said = checked(office)
    assert status == 0
    assert [line.split()[:3] for line in said] == [["hint", "societies:", "sender:"]]
    assert f"letters are from {societies}, and smtp.username is {other}" in said[0]


def test_a_folder_that_is_not_there_is_a_fault_that_names_those_that_are(office: Office) -> None:
    rewritten(office, ('junk_folder = "Junk"', 'junk_folder = "垃圾邮件"'))
    status, said = checked(office)
    assert status == 2
    assert len(said) == 2
    assert all("垃圾邮件: there is no such folder; there are:" in line and "Junk" in line for line in said)


@pytest.mark.parametrize(
    ("mode", "key", "status", "word"),
    [
        ("draft", "drafts_folder", 2, "fault"),
        ("send", "sent_folder", 0, "hint"),
        ("draft", "sent_folder", 0, ""),
        ("send", "drafts_folder", 0, ""),
    ],
)
def test_a_folder_that_letters_need_and_that_is_not_there(
    office: Office, mode: str, key: str, status: int, word: str
) -> None:
    office.configure(replies=f'mode = "{mode}"')
    rewritten(office, ('junk_folder = "Junk"', f'junk_folder = "Junk"\n{key} = "别处"'))
    ended, said = checked(office)
    assert ended == status
    assert [line.split()[0] for line in said] == ([word] * 2 if word else [])
    assert all("别处: there is no such folder; there are:" in line and key in line for line in said)


def test_a_server_that_is_away_is_not_our_fault(office: Office) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    rewritten(office, (f"port = {office.smtp.port}", f"port = {port}"))
    status, said = checked(office)
    assert status == 75
    assert [line.split()[0] for line in said] == ["unreached", "unreached"]


def test_a_port_that_does_not_begin_with_tls_is_said_to_be_one(office: Office) -> None:
    rewritten(office, ('tls = "none"', 'tls = "implicit"'))
    status, said = checked(office)
    assert (status, len(said)) == (75, 4)
    assert all('is tls = "starttls" meant (143, 587)?' in line for line in said)


def test_a_clock_that_is_behind_the_servers_is_a_fault(office: Office) -> None:
    office.deliver(mail({}), datetime.now(UTC) + timedelta(hours=1))
    status, said = checked(office)
    assert status == 2
    assert [line.split()[1] for line in said if line.startswith("fault")] == ["clock:"]


def test_an_account_that_shows_only_recent_mail_is_hinted_at(office: Office) -> None:
    office.imap.expunge(ADDRESSES["societies"], office.deliver(mail({}), IN_TIME))
    office.deliver(mail({}), datetime.now(UTC) - timedelta(days=20))
    status, said = checked(office)
    assert status == 0
    assert len(said) == 1
    assert "收取选项" in said[0]


@pytest.mark.parametrize("name", ["2021", "2021年度"])
def test_the_form_of_another_year_is_a_fault(office: Office, name: str) -> None:
    rewritten(office, ('name = "2020"', f'name = "{name}"'))
    status, said = checked(office)
    assert status == 2
    assert len(said) == 1
    assert "the form of 2020" in said[0]
    assert name in said[0]


def test_criteria_that_no_form_can_be_read_by_are_hinted_at(office: Office) -> None:
    rubric = (ROOT / "rubric" / "2020.toml").read_text(encoding="utf-8")
    for criterion, other in (
        ("定期开展优秀科技工作者宣传与表彰", "表彰"),
        ("按时报送年检材料", "被评为4A级（含）以上。"),
    ):
        (old,) = re.findall(rf'criterion = "{criterion}.*"', rubric)
        rubric = rubric.replace(old, f'criterion = "{other}"')
    (office.directory / "rubric.toml").write_text(rubric, encoding="utf-8")
    rewritten(office, (str(ROOT / "rubric" / "2020.toml"), "rubric.toml"))
    status, said = checked(office)
    assert (status, len(said)) == (0, 1)
    assert "the criteria of items 11, 46, 52 are too short" in said[0]


def test_formats_that_the_machine_does_not_read_are_named(
    office_on_sqlite: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(office_on_sqlite.directory))
    status, lines = said_by_check(office_on_sqlite)
    assert status == 0
    (formats,) = (line for line in lines if "formats:" in line)
    assert formats.startswith("hint")
    assert ".doc, .wps, .rtf, .odt and .et (install libreoffice-writer-nogui" in formats
    assert "or a person has to read the file" in formats
