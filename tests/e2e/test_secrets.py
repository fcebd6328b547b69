"""A password is in no log, error, file or mail, whatever fails; and what is kept is for its owner alone."""

from __future__ import annotations

import base64
import io
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mailbot import cli
from mailbot.config import load
from mailbot.demo.servers import ImapServer, SmtpServer
from mailbot.log import writing_to
from mailbot.reports import Reports
from tests.e2e.office import ADDRESSES, Office, mail, papers

SECRET = "Qz7" + "vX2kSentinel9"
LOOKS = (
    SECRET.encode(),
    base64.b64encode(SECRET.encode()),
    *(base64.b64encode(f"\0{address}\0{SECRET}".encode()) for address in ADDRESSES.values()),
)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """As ever, but the password is one that is found again."""
    accounts = dict.fromkeys(ADDRESSES.values(), SECRET)
    with ImapServer(accounts) as imap, SmtpServer(accounts) as smtp:
        made = Office(imap=imap, smtp=smtp, directory=tmp_path)
        made.configure()
        (tmp_path / "secret").write_text(SECRET)
        yield made


def run(office: Office, *command: str) -> bytes:
    """A command as the operator runs it: all that it says and logs."""
    ended = CliRunner().invoke(cli.app, [*command, "--config", str(office.config_path)])
    assert ended.exception is None or isinstance(ended.exception, SystemExit)
    return ended.output.encode()


def shown(octets: bytes) -> list[bytes]:
    return [look for look in LOOKS if look in octets]


def _wrong_password(office: Office) -> None:
    """The server knows another one."""
    office.imap._accounts.clear()
    (office.directory / "secret").write_text(SECRET + "x")


def _no_server(office: Office) -> None:
    text = office.config_path.read_text()
    for server in (office.imap, office.smtp):
        text = text.replace(f"port = {server.port}", "port = 1")
    office.config_path.write_text(text)


def _tls_where_there_is_none(office: Office) -> None:
    office.config_path.write_text(office.config_path.read_text().replace('tls = "none"', 'tls = "implicit"'))


def _starttls_where_there_is_none(office: Office) -> None:
    office.config_path.write_text(office.config_path.read_text().replace('tls = "none"', 'tls = "starttls"'))


def _refused(command: str, answer: str) -> Callable[[Office], None]:
    def fail(office: Office) -> None:
        office.smtp.refuse(command, answer, times=20)

    return fail


@pytest.mark.parametrize("command", [("run", "--once"), ("check",)], ids=["run", "check"])
@pytest.mark.parametrize(
    "fail",
    [
        lambda office: None,
        _wrong_password,
        _no_server,
        _tls_where_there_is_none,
        _starttls_where_there_is_none,
        _refused("AUTH", f"535 no such login: {base64.b64encode(b'x').decode()}"),
        _refused("AUTH", "454 later"),
        _refused("AUTH", ""),
        _refused("MAIL", "530 5.7.0 log in first"),
        _refused("DATA", ""),
    ],
    ids=["nothing", "password", "server", "tls", "starttls", "535", "454", "cut", "530", "cut after the dot"],
)
def test_whatever_fails_no_password_is_said_or_kept(
    office: Office, fail: Callable[[Office], None], command: tuple[str, ...]
) -> None:
    office.deliver(mail(papers()))
    fail(office)
    said = run(office, *command)
    assert said
    assert shown(said) == []
    for path in (office.directory / "storage").rglob("*"):
        assert not path.is_file() or shown(path.read_bytes()) == []
    assert shown(b"".join(one.octets for one in office.sent)) == []
    assert shown(run(office, "digest")) == []


@pytest.mark.parametrize(
    "broken",
    [
        f'password = "{SECRET}"',
        f'passwort = "{SECRET}"',
        f'password_env = "{SECRET}"',
        f'password_file = ["{SECRET}"]',
    ],
)
def test_a_password_in_the_wrong_place_of_the_configuration_is_not_repeated(
    office: Office, broken: str
) -> None:
    text = office.config_path.read_text()
    office.config_path.write_text(text.replace('password_file = "secret"', broken, 1))
    said = run(office, "check")
    assert b"config.toml" in said
    if not broken.startswith("password_env"):
        assert shown(said) == []


def test_a_fault_of_our_own_on_the_way_to_a_server_is_logged_without_the_password(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A traceback shows lines of code, never values of variables."""
    written = io.StringIO()
    office.deliver(mail(papers()))

    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("mailbot.mail.imap.ImapMailbox._examine", broken)
    with writing_to(written), pytest.raises(RuntimeError), office.opened() as app:
        app.run(once=True)
    assert "a thread broke" in written.getvalue()
    assert shown(written.getvalue().encode()) == []


def test_the_configuration_as_text_has_no_password_in_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILBOT_SECRET", SECRET)
    config = load(office.config_path)
    assert config.mailboxes[0].imap.password() == SECRET
    assert shown(repr(config).encode() + config.model_dump_json().encode()) == []


def test_what_is_kept_is_for_its_owner_alone(office: Office) -> None:
    """Whatever the umask is: mails and receipts are nobody else's business on a shared machine."""
    office.deliver(mail(papers()))
    before = os.umask(0o000)
    try:
        assert office.round()
        with office.opened() as app:
            Reports(app).digest(directory=office.directory / "digest")
            Reports(app).export("json", office.directory / "all.json")
    finally:
        os.umask(before)
    kept = [office.directory / "storage", *(office.directory / "storage").rglob("*")]
    modes = {path.relative_to(office.directory): stat.S_IMODE(path.stat().st_mode) for path in kept}
    assert len(modes) >= 5
    wrong = {
        str(p): oct(m) for p, m in modes.items() if m != (0o700 if (office.directory / p).is_dir() else 0o600)
    }
    assert wrong == {}
