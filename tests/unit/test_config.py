"""The operator's configuration: every key, every fault at once, no secret in the file or in a message."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime, time
from pathlib import Path

import pytest

from mailbot.config import Tls, load
from mailbot.errors import ConfigError, ConfigurationError, UsageError
from mailbot.model import Role, Track
from tests.conftest import ROOT

CAMPAIGN = """
[campaign]
name = "2020"
title = "2020年度工作总结"
notice = "浙科协学发〔2020〕27号"
opens = 2020-12-29T00:00:00+08:00
deadline = 2021-01-15T17:30:00+08:00
timezone = "Asia/Shanghai"
rubric = "rubric.toml"
"""
MAILBOX = """
[[mailbox]]
name = "societies"
track = "society"
address = "in@example.org"
requires = ["form", "summary", "plan"]
[mailbox.imap]
host = "imap.example.org"
username = "in@example.org"
password_env = "MAILBOT_TEST_PASSWORD"
[mailbox.smtp]
host = "smtp.example.org"
username = "in@example.org"
password_env = "MAILBOT_TEST_PASSWORD"
"""
EVERYTHING = """
templates = "letters"
[campaign]
name = "2020"
title = "2020年度工作总结"
notice = "浙科协学发〔2020〕27号"
opens = 2020-12-29T00:00:00+08:00
deadline = 2021-01-15T17:30:00+08:00
timezone = "Asia/Shanghai"
rubric = "rubric.toml"
organizations = "organizations.csv"
[storage]
directory = "kept"
database = "sqlite:///kept/mailbot.db"
[staff]
digest_to = ["staff@example.org", "chief@example.org"]
digest_at = "07:15"
[replies]
mode = "draft"
max_per_sender_per_day = 3
max_per_organization_per_day = 4
max_per_hour = 5
min_interval_seconds = 1.5
[limits]
message_mb = 1
document_mb = 2
archive_mb = 3
archive_depth = 4
parse_seconds = 5
parse_memory_mb = 600
ocr_memory_mb = 1500
[[mailbox]]
name = "societies"
track = "society"
address = "in@example.org"
requires = ["form", "summary", "plan"]
authserv_id = "mx.example.org"
[mailbox.imap]
host = "127.0.0.1"
port = 1143
tls = "none"
username = "in@example.org"
password_file = "imap.password"
folder = "INBOX/2020"
junk_folder = "Junk"
sent_folder = "Sent"
drafts_folder = "Entwürfe"
[mailbox.smtp]
host = "smtp.example.org"
port = 587
tls = "starttls"
username = "in@example.org"
password_env = "MAILBOT_TEST_PASSWORD"
[mailbox.contact]
name = "章伟"
phone = "0571-0"
address = "杭州市"
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "rubric.toml").write_text("")
    (tmp_path / "organizations.csv").write_text("name,track\n浙江省物理学会,society\n", encoding="utf-8")
    return tmp_path


def written(place: Path, text: str) -> Path:
    path = place / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def faults(place: Path, text: str) -> dict[str, str]:
    """Reason by key; every fault names the file."""
    path = written(place, text)
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    assert {fault.file for fault in caught.value.faults} == {str(path)}
    found = {fault.key: fault.reason for fault in caught.value.faults}
    assert len(found) == len(caught.value.faults), "a key is named twice"
    return found


def test_every_key_is_taken(place: Path) -> None:
    config = load(written(place, EVERYTHING))
    assert config.file == place / "config.toml"
    assert config.templates == place / "letters"
    campaign = config.campaign
    assert campaign.name == "2020"
    assert campaign.notice == "浙科协学发〔2020〕27号"
    assert campaign.opens.astimezone(UTC) == datetime(2020, 12, 28, 16, tzinfo=UTC)
    assert campaign.deadline.astimezone(UTC) == datetime(2021, 1, 15, 9, 30, tzinfo=UTC)
    assert campaign.timezone.key == "Asia/Shanghai"
    assert campaign.rubric == place / "rubric.toml"
    assert campaign.organizations == place / "organizations.csv"
    assert config.storage.directory == place / "kept"
    assert config.storage.database == f"sqlite:///{place}/kept/mailbot.db"
    assert config.staff.digest_to == ("staff@example.org", "chief@example.org")
    assert config.staff.digest_at == time(7, 15)
    replies = config.replies
    assert (replies.mode, replies.min_interval_seconds) == ("draft", 1.5)
    assert (replies.max_per_sender_per_day, replies.max_per_organization_per_day, replies.max_per_hour) == (
        3,
        4,
        5,
    )
    assert tuple(config.limits.model_dump().values()) == (1, 2, 3, 4, 5, 600, 1500)
    mailbox = config.mailbox("societies")
    assert (mailbox.track, mailbox.address) == (Track.SOCIETY, "in@example.org")
    assert mailbox.requires == (Role.FORM, Role.SUMMARY, Role.PLAN)
    assert mailbox.authserv_id == "mx.example.org"
    imap, smtp = mailbox.imap, mailbox.smtp
    assert (imap.host, imap.port, imap.tls) == ("127.0.0.1", 1143, Tls.NONE)
    assert (imap.folder, imap.junk_folder, imap.sent_folder, imap.drafts_folder) == (
        "INBOX/2020",
        "Junk",
        "Sent",
        "Entwürfe",
    )
    assert imap.password_file == place / "imap.password"
    assert (smtp.host, smtp.port, smtp.tls) == ("smtp.example.org", 587, Tls.STARTTLS)
    assert mailbox.contact is not None
    assert mailbox.contact.name == "章伟"


def test_what_is_optional_has_the_contract_s_defaults(place: Path) -> None:
    config = load(written(place, CAMPAIGN + MAILBOX))
    assert config.storage.directory == place / "storage"
    assert config.storage.database == f"sqlite:///{place}/storage/mailbot.db"
    assert config.campaign.organizations is None
    assert config.staff.digest_to == ()
    assert config.staff.digest_at == time(8, 30)
    assert config.replies.mode == "send"
    assert config.replies.max_per_sender_per_day == 10
    assert config.replies.min_interval_seconds == 20
    assert tuple(config.limits.model_dump().values()) == (60, 50, 200, 3, 60, 1024, 2560)
    mailbox = config.mailboxes[0]
    assert (mailbox.imap.port, mailbox.imap.tls, mailbox.imap.folder) == (993, Tls.IMPLICIT, "INBOX")
    assert mailbox.imap.junk_folder is None
    assert (mailbox.smtp.port, mailbox.smtp.tls) == (465, Tls.IMPLICIT)
    assert mailbox.contact is None
    assert config.templates is None


def test_the_example_loads_and_speaks_of_every_key(place: Path) -> None:
    shutil.copy(ROOT / "config.example.toml", place / "config.toml")
    shutil.copytree(ROOT / "rubric", place / "rubric")
    config = load(place / "config.toml")
    assert {m.name: (m.track, m.requires) for m in config.mailboxes} == {
        "societies": (Track.SOCIETY, (Role.FORM, Role.SUMMARY, Role.PLAN)),
        "enterprises": (Track.ENTERPRISE, (Role.SUMMARY, Role.PLAN)),
    }
    environ = {"MAILBOT_SOCIETIES_PASSWORD": "one", "MAILBOT_ENTERPRISES_PASSWORD": "two"}
    for mailbox, secret in zip(config.mailboxes, ("one", "two"), strict=True):
        assert mailbox.imap.password(environ) == mailbox.smtp.password(environ) == secret
    text = (ROOT / "config.example.toml").read_text(encoding="utf-8")
    keys = set(re.findall(r"^(\w+) =", EVERYTHING, re.M))
    assert keys <= set(re.findall(r"^(?:# )?(\w+) =", text, re.M))


def test_the_paths_do_not_depend_on_where_one_stands(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(place, CAMPAIGN + MAILBOX)
    monkeypatch.chdir(place)
    assert load(Path("config.toml")).storage.directory == place / "storage"
    absolute = '[storage]\ndirectory = "/srv/mailbot"\ndatabase = "sqlite:////srv/mailbot/m.db"\n'
    config = load(written(place, CAMPAIGN + absolute + MAILBOX))
    assert config.storage.directory == Path("/srv/mailbot")
    assert config.storage.database == "sqlite:////srv/mailbot/m.db"


def test_every_fault_is_told_at_once(place: Path) -> None:
    text = """
[campaign]
name = "next year"
opens = 2020-12-29T00:00:00
deadline = 2021-01-15T17:30:00
timezone = "Asia/Hangzhou"
rubric = "nowhere.toml"
[storge]
directory = "x"
[staff]
digest_to = ["staff at example.org"]
digest_at = "25:00"
[replies]
mode = "automatic"
max_per_sender_per_day = 0
[limits]
message_mb = "much"
[[mailbox]]
name = "a b"
track = "sociey"
address = "nobody"
requires = ["evidence"]
[mailbox.imap]
host = "imap.example.org"
port = 99999
tls = "none"
[mailbox.smtp]
hosst = "smtp.example.org"
username = "u"
password_env = "A"
password_file = "b"
[mailbox.contact]
phon = "0571"
"""
    found = faults(place, text)
    assert set(found) == {
        "campaign.name",
        "campaign.title",
        "campaign.opens",
        "campaign.deadline",
        "campaign.timezone",
        "campaign.rubric",
        "storge",
        "staff.digest_to[0]",
        "staff.digest_at",
        "replies.mode",
        "replies.max_per_sender_per_day",
        "limits.message_mb",
        "mailbox[0].name",
        "mailbox[0].track",
        "mailbox[0].address",
        "mailbox[0].requires",
        "mailbox[0].imap.port",
        "mailbox[0].imap.tls",
        "mailbox[0].imap.username",
        "mailbox[0].imap.password_file",
        "mailbox[0].smtp.host",
        "mailbox[0].smtp.hosst",
        "mailbox[0].smtp.password_file",
        "mailbox[0].contact.phon",
    }
    assert found["campaign.title"] == "is missing"
    assert "2021-01-15T17:30:00+08:00" in found["campaign.opens"]
    assert found["campaign.timezone"] == "no such time zone: Asia/Hangzhou; Asia/Shanghai is one"
    assert found["campaign.rubric"] == f"there is no file {place / 'nowhere.toml'}"
    assert found["storge"] == "there is no such key; did you mean storage?"
    assert found["mailbox[0].smtp.hosst"] == "there is no such key; did you mean host?"
    assert found["mailbox[0].contact.phon"] == "there is no such key; did you mean phone?"
    assert "loopback only" in found["mailbox[0].imap.tls"]
    assert "exactly one of password_env and password_file" in found["mailbox[0].smtp.password_file"]


@pytest.mark.parametrize(
    ("old", "new", "key", "reason"),
    [
        ("deadline = 2021-01-15T17:30:00+08:00", "deadline = 2020-12-01T00:00:00+08:00", "campaign.deadline", "after"),
        ("opens = 2020-12-29T00:00:00+08:00", "opens = 20201229", "campaign.opens", "number"),
        ("opens = 2020-12-29T00:00:00+08:00", "opens = 2020-12-29", "campaign.opens", "offset"),
        ("opens = 2020-12-29T00:00:00+08:00", "opens = true", "campaign.opens", "number"),
        ('timezone = "Asia/Shanghai"', "timezone = 8", "campaign.timezone", "invalid timezone"),
        ('timezone = "Asia/Shanghai"', 'timezone = "../etc"', "campaign.timezone", "no such time zone"),
        ('timezone = "Asia/Shanghai"', 'timezone = "Asia"', "campaign.timezone", "no such time zone: Asia;"),
        ('rubric = "rubric.toml"', 'rubric = ""', "campaign.rubric", "there is no file"),
        ('rubric = "rubric.toml"', 'rubric = "."', "campaign.rubric", "there is no file"),
        ("[[mailbox]]", "[mailbox]", "mailbox", "two brackets are wanted, [[mailbox]]"),
        ('["form", "summary", "plan"]', '"form"', "mailbox[0].requires", "a list in brackets"),
        ("[campaign]", "[replies]\nmax_per_hour = true\n[campaign]", "replies.max_per_hour", "a whole number"),
        ("[campaign]", '[replies]\nmax_per_hour = "9"\n[campaign]', "replies.max_per_hour", "a whole number"),
        ("[campaign]", "[replies]\nmax_per_hour = 9.5\n[campaign]", "replies.max_per_hour", "a whole number"),
        ("[campaign]", "[replies]\nmin_interval_seconds = true\n[campaign]", "replies.min_interval_seconds", "a number"),
        ("[campaign]", '[staff]\nhourly_on_last_day = "yes"\n[campaign]', "staff.hourly_on_last_day", "true or false"),
        ("[campaign]", "[storage]\ndirectory = 5\n[campaign]", "storage.directory", "the path of a file"),
        ('name = "2020"', "name = 2020", "campaign.name", "a text in quotation marks"),
        ('name = "2020"', 'name = "2020 年"', "campaign.name", "without blanks and slashes"),
        ('name = "2020"', f'name = "{"2" * 41}"', "campaign.name", "at most 40 characters"),
        ('name = "societies"', f'name = "{"s" * 101}"', "mailbox[0].name", "at most 100 characters"),
        ('name = "societies"', 'name = ""', "mailbox[0].name", "at most 100 characters"),
        ('"form", "summary"', '"forms", "summary"', "mailbox[0].requires", "takes form, summary and plan"),
        ("[campaign]", '[staff]\ndigest_at = "8:30"\n[campaign]', "staff.digest_at", 'as "08:30"'),
        ("[mailbox.imap]", '[mailbox.imap]\nfolder = ""', "mailbox[0].imap.folder", "must not be empty"),
        ("[mailbox.imap]", '[mailbox.imap]\njunk_folder = "inbox"', "mailbox[0].imap.junk_folder", "folder itself"),
        ('"form", "summary", "plan"', "", "mailbox[0].requires", "at least one"),
        ('host = "imap.example.org"', 'host = ""', "mailbox[0].imap.host", "must not be empty"),
        ('password_env = "MAILBOT_TEST_PASSWORD"', "", "mailbox[0].imap.password_file", "exactly one"),
        ("[campaign]", 'file = "/etc/passwd"\n[campaign]', "file", "no such key"),
        ("[campaign]", "[staff]\ndigest_at = 830\n[campaign]", "staff.digest_at", "number"),
        ("[campaign]", '[staff]\ndigest_at = "08:30+08:00"\n[campaign]', "staff.digest_at", "no offset"),
        ("[campaign]", '[storage]\ndatabase = "mysql://x/y"\n[campaign]', "storage.database", "postgresql+psycopg://"),
        ("[campaign]", '[storage]\ndatabase = "sqlite://"\n[campaign]', "storage.database", "sqlite:///FILE"),
        ("[campaign]", '[storage]\ndatabase = "sqlite:///:memory:"\n[campaign]', "storage.database", "sqlite:///FILE"),
        ("[campaign]", '[storage]\ndatabase = "sqlite:///."\n[campaign]', "storage.database", ". is a directory"),
        ("in@example.org", "章伟 <in@example.org>", "mailbox[0].address", "no mail address"),
    ],
)  # fmt: skip
def test_one_fault_is_told_with_its_key(place: Path, old: str, new: str, key: str, reason: str) -> None:
    assert old in CAMPAIGN + MAILBOX
    found = faults(place, (CAMPAIGN + MAILBOX).replace(old, new, 1))
    assert reason in found[key]
    assert len(found) == 1


def test_a_folder_where_the_database_is_to_be_is_told(place: Path) -> None:
    (place / "storage" / "mailbot.db").mkdir(parents=True)
    assert "mailbot.db is a directory" in faults(place, CAMPAIGN + MAILBOX)["storage.database"]


def test_two_mailboxes_are_told_apart(place: Path) -> None:
    assert "the same name" in faults(place, CAMPAIGN + MAILBOX + MAILBOX)["mailbox"]
    other = MAILBOX.replace('"societies"', '"others"')
    assert "the same address" in faults(place, CAMPAIGN + MAILBOX + other)["mailbox"]
    other = other.replace('address = "in', 'address = "other').replace('"form", ', "")
    assert "one track" in faults(place, CAMPAIGN + MAILBOX + other)["mailbox"]
    assert faults(place, CAMPAIGN) == {"mailbox": "is missing"}
    assert faults(place, "mailbox = []\n" + CAMPAIGN) == {"mailbox": "at least one [[mailbox]] is needed"}
    config = load(written(place, CAMPAIGN + MAILBOX))
    with pytest.raises(UsageError, match="there are: societies"):
        config.mailbox("enterprises")


@pytest.mark.parametrize("key", ["password", "Password", "passwd", "secret", "authorization_code"])
def test_a_password_in_the_file_is_refused_with_advice_and_never_repeated(place: Path, key: str) -> None:
    secret = "hunter2hunter2hh"
    text = (CAMPAIGN + MAILBOX).replace('password_env = "MAILBOT_TEST_PASSWORD"', f'{key} = "{secret}"', 1)
    path = written(place, text.replace('track = "society"', "track = 3"))
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    advice = [f.reason for f in caught.value.faults if f.key == f"mailbox[0].imap.{key}"]
    assert len(advice) == 1
    assert "password_env" in advice[0]
    assert "LoadCredential" in advice[0]
    assert secret not in str(caught.value)


def test_the_code_in_place_of_its_variable_s_name_is_refused_and_not_repeated(place: Path) -> None:
    found = faults(place, (CAMPAIGN + MAILBOX).replace("MAILBOT_TEST_PASSWORD", "abcdefghijklmnop", 1))
    assert set(found) == {"mailbox[0].imap.password_env"}
    assert "abcdefghijklmnop" not in found["mailbox[0].imap.password_env"]


def test_a_password_in_the_database_url_is_refused_and_not_repeated(place: Path) -> None:
    url = '[storage]\ndatabase = "postgresql+psycopg://mailbot:hunter2@localhost/mailbot"\n'
    found = faults(place, CAMPAIGN + url + MAILBOX)
    assert "PGPASSWORD" in found["storage.database"]
    assert "hunter2" not in found["storage.database"]
    without = url.replace(":hunter2", "")
    config = load(written(place, CAMPAIGN + without + MAILBOX))
    assert config.storage.database == "postgresql+psycopg://mailbot@localhost/mailbot"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_an_open_connection_is_for_loopback_only(place: Path, host: str) -> None:
    text = (CAMPAIGN + MAILBOX).replace('host = "imap.example.org"', f'host = "{host}"\ntls = "none"')
    assert load(written(place, text)).mailboxes[0].imap.tls is Tls.NONE


@pytest.mark.parametrize("clamd", ["/run/clamav/clamd.ctl", "127.0.0.1:3310", "localhost:3310", "[::1]:3310"])
def test_a_scanner_is_a_socket_or_a_port_on_this_machine(place: Path, clamd: str) -> None:
    scanner = load(written(place, f'{CAMPAIGN}{MAILBOX}\n[scanner]\nclamd = "{clamd}"\n')).scanner
    assert scanner is not None
    assert scanner.clamd == clamd


@pytest.mark.parametrize(
    "clamd", ["", "clamd.ctl", "scanner.example.org:3310", "127.0.0.1", "127.0.0.1:clamd"]
)
def test_no_mail_goes_to_a_scanner_elsewhere(place: Path, clamd: str) -> None:
    found = faults(place, f'{CAMPAIGN}{MAILBOX}\n[scanner]\nclamd = "{clamd}"\n')
    assert "the path of clamd's socket is wanted" in found["scanner.clamd"]


def test_a_file_that_is_no_toml_is_told(place: Path) -> None:
    assert "is no TOML" in faults(place, "[campaign")[""]
    path = place / "config.toml"
    path.write_bytes("title = '学会'".encode("gbk"))
    with pytest.raises(ConfigurationError, match="is not written in UTF-8"):
        load(path)
    with pytest.raises(ConfigurationError, match=r"nowhere\.toml: cannot be read"):
        load(place / "nowhere.toml")


def test_windows_line_ends_do_no_harm(place: Path) -> None:
    unix = load(written(place, CAMPAIGN + MAILBOX))
    path = place / "config.toml"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert load(path) == unix


def test_a_byte_order_mark_does_no_harm(place: Path) -> None:
    path = place / "config.toml"
    path.write_text(CAMPAIGN + MAILBOX, encoding="utf-8-sig")
    assert load(path).campaign.name == "2020"


def test_every_password_that_is_not_there_is_told_at_once(place: Path) -> None:
    text = (CAMPAIGN + MAILBOX).replace(
        'password_env = "MAILBOT_TEST_PASSWORD"', 'password_file = "absent"', 1
    )
    config = load(written(place, text))
    with pytest.raises(ConfigurationError) as caught:
        config.require_passwords({})
    found = {fault.key: fault.reason for fault in caught.value.faults}
    assert set(found) == {"mailbox[0].imap.password_file", "mailbox[0].smtp.password_env"}
    assert str(place / "absent") in found["mailbox[0].imap.password_file"]
    assert "MAILBOT_TEST_PASSWORD: is not set" in found["mailbox[0].smtp.password_env"]
    (place / "absent").write_text("abcdefghijklmnop")
    config.require_passwords({"MAILBOT_TEST_PASSWORD": "abcdefghijklmnop"})


@pytest.mark.parametrize("secret", ["密码abcdefgh", "ａｂｃｄ", "open\u00a0sesame", "open\nsesame"])
def test_a_password_that_no_server_could_be_told_is_a_fault_and_not_repeated(
    place: Path, secret: str
) -> None:
    text = (CAMPAIGN + MAILBOX).replace(
        'password_env = "MAILBOT_TEST_PASSWORD"', 'password_file = "absent"', 1
    )
    config = load(written(place, text))
    (place / "absent").write_text(f"\u3000{secret}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        config.require_passwords({"MAILBOT_TEST_PASSWORD": f"{secret} "})
    found = {fault.key: fault.reason for fault in caught.value.faults}
    assert set(found) == {"mailbox[0].imap.password_file", "mailbox[0].smtp.password_env"}
    assert all("full-width letters" in reason for reason in found.values())
    assert secret not in str(caught.value)
    assert config.mailboxes[0].smtp.password({"MAILBOT_TEST_PASSWORD": " sesame\n"}) == "sesame"


def test_a_login_that_no_server_could_be_told_is_a_fault(place: Path) -> None:
    found = faults(place, (CAMPAIGN + MAILBOX).replace('username = "in@example.org"', 'username = "收件@x"'))
    assert set(found) == {"mailbox[0].imap.username", "mailbox[0].smtp.username"}


class TestPassword:
    """Read when it is needed, by one of three ways."""

    def server(self, place: Path, line: str):  # type: ignore[no-untyped-def]
        text = (CAMPAIGN + MAILBOX).replace('password_env = "MAILBOT_TEST_PASSWORD"', line, 1)
        return load(written(place, text)).mailboxes[0].imap

    def test_from_the_environment(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        server = self.server(place, 'password_env = "MAILBOT_TEST_PASSWORD"')
        monkeypatch.setenv("MAILBOT_TEST_PASSWORD", "sesame")
        assert server.password() == "sesame"
        for unset in ({}, {"MAILBOT_TEST_PASSWORD": ""}):
            with pytest.raises(ConfigError, match="MAILBOT_TEST_PASSWORD: is not set"):
                server.password(unset)

    def test_from_a_file_beside_the_configuration(self, place: Path) -> None:
        server = self.server(place, 'password_file = "imap.password"')
        with pytest.raises(ConfigError, match=r"imap\.password: the password cannot be read"):
            server.password({})
        (place / "imap.password").write_text("  \n")
        with pytest.raises(ConfigError, match="holds no password"):
            server.password({})
        (place / "imap.password").write_bytes(b"\xff\xfe\x00")
        with pytest.raises(ConfigError, match="UTF-8"):
            server.password({})
        (place / "imap.password").write_text("sesame\n")
        assert server.password({}) == "sesame"

    def test_from_a_systemd_credential_before_a_file(self, place: Path) -> None:
        server = self.server(place, 'password_file = "imap.password"')
        (place / "imap.password").write_text("from the file")
        credentials = place / "credentials"
        credentials.mkdir()
        environ = {"CREDENTIALS_DIRECTORY": str(credentials)}
        assert server.password(environ) == "from the file"
        (credentials / "imap.password").write_text("from systemd\n")
        assert server.password(environ) == "from systemd"
        unreachable = self.server(place, f'password_file = "{"x" * 300}"')
        with pytest.raises(ConfigError, match=r"credentials/x+: the password cannot be read"):
            unreachable.password(environ)
