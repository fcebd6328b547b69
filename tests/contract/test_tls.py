"""TLS as it is and as it may not be: with a bad certificate, an old version or none no password ever leaves us."""

from __future__ import annotations

import base64
import ssl
from dataclasses import dataclass
from pathlib import Path

import pytest

from mailbot.config import Mailbox
from mailbot.demo.servers import ImapServer, SmtpServer
from mailbot.errors import TemporaryError
from mailbot.mail.connection import Timeouts
from mailbot.mail.imap import ImapMailbox
from mailbot.mail.smtp import Submission
from tests.conftest import require
from tests.servers import ADDRESS, PASSWORD, DovecotServer, mailbox_config
from tests.tls import Authority, Front, context

QUICK = Timeouts(connect=10, read=10, command=20)
SECRETS = (
    PASSWORD.encode(),
    base64.b64encode(PASSWORD.encode()),
    base64.b64encode(f"\0{ADDRESS}\0{PASSWORD}".encode()),
)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def certificates(authority: Authority) -> dict[str, Path]:
    return {
        "good": authority.certificate("good", "localhost"),
        "by address": authority.certificate("address", "127.0.0.1"),
        "another host's": authority.certificate("other", "imap.example.org"),
        "expired": authority.certificate("expired", "localhost", expired=True),
        "self-signed": authority.certificate("self", "localhost", self_signed=True),
    }


@pytest.fixture(autouse=True)
def trust(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.trusted))


@dataclass
class Edge:
    """One of our two edges, the real server behind it, and how it is reached."""

    protocol: str
    tls: str
    port: int
    directory: Path

    def front(
        self, certificate: Path, *, only_old: bool = False, offers: bool = True, refuses: bool = False
    ) -> Front:
        starttls = self.protocol if self.tls == "starttls" else ""
        made = context(certificate, only_old=only_old)
        return Front(self.port, made, starttls=starttls, offers=offers, refuses=refuses)

    def log_in(self, front: Front, host: str = "localhost") -> None:
        settings = mailbox_config(self.directory).model_dump()
        for protocol in ("imap", "smtp"):
            settings[protocol] |= {"host": host, "port": front.port, "tls": self.tls}
        mailbox = Mailbox.model_validate(settings)
        if self.protocol == "imap":
            with ImapMailbox(mailbox, QUICK) as connection:
                assert connection.open("INBOX").exists == 0
        else:
            submission = Submission(mailbox.smtp, seconds=10)
            try:
                submission.send(b"Subject: a\r\n\r\nb\r\n", ADDRESS, "to@example.com")
            finally:
                submission.close()


@pytest.fixture(params=["imap implicit", "imap starttls", "smtp implicit", "smtp starttls"])
def edge(
    request: pytest.FixtureRequest, imap_server: ImapServer, smtp_server: SmtpServer, tmp_path: Path
) -> Edge:
    protocol, tls = request.param.split()
    port = imap_server.port if protocol == "imap" else smtp_server.port
    return Edge(protocol, tls, port, tmp_path)


def told(front: Front) -> bytes:
    return b"".join((*front.in_the_clear, *front.protected))


def has_secret(octets: bytes) -> bool:
    return any(secret in octets for secret in SECRETS)


@pytest.mark.parametrize(("name", "host"), [("good", "localhost"), ("by address", "127.0.0.1")])
def test_with_a_good_certificate_all_goes_and_nothing_in_the_clear(
    edge: Edge, certificates: dict[str, Path], name: str, host: str
) -> None:
    with edge.front(certificates[name]) as front:
        edge.log_in(front, host)
    assert front.handshakes == 1
    assert has_secret(b"".join(front.protected))
    assert not has_secret(b"".join(front.in_the_clear))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("another host's", "Hostname mismatch"),
        ("by address", "Hostname mismatch"),
        ("expired", "certificate has expired"),
        ("self-signed", "self-signed certificate"),
    ],
)
def test_a_bad_certificate_ends_it_before_any_password(
    edge: Edge, certificates: dict[str, Path], name: str, says: str
) -> None:
    with (
        edge.front(certificates[name]) as front,
        pytest.raises(TemporaryError, match=f"localhost: .*{says}") as caught,
    ):
        edge.log_in(front)
    assert not has_secret(told(front))
    assert PASSWORD not in str(caught.value)
    assert front.protected == []


def test_an_authority_that_is_not_trusted_here_is_none(
    edge: Edge, certificates: dict[str, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    with (
        edge.front(certificates["good"]) as front,
        pytest.raises(TemporaryError, match="certificate verify failed"),
    ):
        edge.log_in(front)
    assert not has_secret(told(front))


def test_a_server_that_speaks_only_old_tls_gets_no_password(
    edge: Edge, certificates: dict[str, Path]
) -> None:
    with (
        edge.front(certificates["good"], only_old=True) as front,
        pytest.raises(TemporaryError, match=r"(?i)version|protocol"),
    ):
        edge.log_in(front)
    assert front.handshakes == 0
    assert not has_secret(told(front))


@pytest.mark.parametrize("edge", ["imap starttls", "smtp starttls"], indirect=True)
@pytest.mark.parametrize("how", [{"offers": False}, {"refuses": True}], ids=["stripped", "refused"])
def test_without_the_starttls_that_is_configured_there_is_no_login(
    edge: Edge, certificates: dict[str, Path], how: dict[str, bool]
) -> None:
    """As when somebody between takes STARTTLS out of the capabilities. The front would take a login in the clear."""
    with (
        edge.front(certificates["good"], **how) as front,
        pytest.raises(TemporaryError, match=r"(?i)starttls|not now|TLS session"),
    ):
        edge.log_in(front)
    assert b"".join(front.in_the_clear)
    assert not has_secret(told(front))
    assert b"AUTH" not in told(front)
    assert b"LOGIN" not in told(front)


@pytest.mark.parametrize("edge", ["imap implicit", "smtp implicit"], indirect=True)
def test_a_server_that_speaks_no_tls_at_all_gets_no_password(
    edge: Edge, certificates: dict[str, Path]
) -> None:
    """The plain server itself, where TLS is configured."""
    front = Front(edge.port, context(certificates["good"]))
    front.port = edge.port
    with pytest.raises(TemporaryError, match=r"(?i)ssl"):
        edge.log_in(front)


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_dovecot_with_tls_of_its_own(certificates: dict[str, Path], tmp_path: Path, tls: str) -> None:
    program = require("dovecot", Path("/usr/sbin/dovecot"))
    with DovecotServer(program, certificate=certificates["good"]) as dovecot:
        settings = mailbox_config(tmp_path, imap_port=dovecot.port).model_dump()
        settings["imap"] |= {"host": "localhost", "tls": tls}
        if tls == "implicit":
            settings["imap"]["port"] = dovecot.tls_port
        with ImapMailbox(Mailbox.model_validate(settings), QUICK) as connection:
            assert connection.open("INBOX").exists == 0


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions_in_use_are_spoken(
    edge: Edge, certificates: dict[str, Path], version: ssl.TLSVersion
) -> None:
    front = edge.front(certificates["good"])
    front.context.minimum_version = front.context.maximum_version = version
    with front:
        edge.log_in(front)
    assert front.handshakes == 1
