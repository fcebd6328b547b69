"""Servers that drip: each read is short, and still everything comes to an end. Without the limit these would succeed."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailbot.config import Mailbox
from mailbot.demo.servers import ImapServer, SmtpServer
from mailbot.errors import DeliveryUncertainError, TemporaryError
from mailbot.mail.connection import Timeouts
from mailbot.mail.imap import ImapMailbox
from mailbot.mail.smtp import Submission
from tests.servers import ADDRESS, Wire, mailbox_config
from tests.tls import Authority, Front, context

DRIP = 0.05
LIMITS = Timeouts(connect=5, read=5, command=0.5)
TO, MAIL = "to@example.com", b"Subject: a\r\n\r\nb\r\n"


@pytest.fixture
def imap_wire(imap_server: ImapServer) -> Iterator[Wire]:
    with Wire(imap_server.host, imap_server.port) as wire:
        yield wire


@pytest.fixture
def smtp_wire(smtp_server: SmtpServer) -> Iterator[Wire]:
    with Wire(smtp_server.host, smtp_server.port) as wire:
        yield wire


def submission(wire: Wire, directory: Path) -> Submission:
    return Submission(mailbox_config(directory, smtp_port=wire.port).smtp, seconds=5, command_seconds=0.5)


def test_a_dripped_greeting_of_imap(imap_wire: Wire, tmp_path: Path) -> None:
    imap_wire.drip_seconds = DRIP
    with pytest.raises(TemporaryError, match=r"connect: no end after 0.5 s"):
        ImapMailbox(mailbox_config(tmp_path, imap_port=imap_wire.port), LIMITS).connect()


def test_a_dripped_answer_of_imap_and_then_the_same_edge_connects_anew(
    imap_wire: Wire, imap_server: ImapServer, tmp_path: Path
) -> None:
    imap_server.deliver(ADDRESS, MAIL, datetime(2021, 1, 14, tzinfo=UTC))
    mailbox = ImapMailbox(mailbox_config(tmp_path, imap_port=imap_wire.port), LIMITS)
    mailbox.connect()
    imap_wire.drip_seconds = DRIP
    with pytest.raises(TemporaryError, match=r"EXAMINE INBOX: no end after 0.5 s"):
        mailbox.open("INBOX")
    imap_wire.drip_seconds = 0.0
    mailbox.connect()
    assert mailbox.open("INBOX").exists == 1
    mailbox.close()


def test_a_dripped_farewell_of_imap_holds_nobody_up(
    imap_wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailbot.mail.connection._FAREWELL_SECONDS", 0.3)
    mailbox = ImapMailbox(mailbox_config(tmp_path, imap_port=imap_wire.port), Timeouts())
    mailbox.connect()
    imap_wire.drip_seconds = 3600.0
    mailbox.close()
    assert "LOGOUT" in imap_wire.commands


@pytest.mark.parametrize("protocol", ["imap", "smtp"])
def test_a_dripped_handshake(
    protocol: str,
    imap_server: ImapServer,
    smtp_server: SmtpServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.trusted))
    behind = imap_server.port if protocol == "imap" else smtp_server.port
    made: ssl.SSLContext = context(authority.certificate("good", "localhost"))
    with Front(behind, made) as front, Wire("127.0.0.1", front.port) as wire:
        wire.drip_seconds = DRIP
        settings = mailbox_config(tmp_path).model_dump()
        settings[protocol] |= {"host": "localhost", "port": wire.port, "tls": "implicit"}
        mailbox = Mailbox.model_validate(settings)
        edges = {
            "imap": ImapMailbox(mailbox, LIMITS),
            "smtp": Submission(mailbox.smtp, seconds=5, command_seconds=0.5),
        }
        with pytest.raises(TemporaryError, match=r"connect: no end after 0.5 s"):
            edges[protocol].connect()


def test_a_dripped_greeting_of_smtp(smtp_wire: Wire, tmp_path: Path) -> None:
    smtp_wire.drip_seconds = DRIP
    with pytest.raises(TemporaryError, match=r"connect: no end after 0.5 s"):
        submission(smtp_wire, tmp_path).connect()


def test_a_dripped_answer_of_smtp_is_temporary_and_the_next_mail_goes(
    smtp_wire: Wire, smtp_server: SmtpServer, tmp_path: Path
) -> None:
    one = submission(smtp_wire, tmp_path)
    one.connect()
    smtp_server.refuse("MAIL", "250 " + "o" * 100)
    smtp_wire.drip_seconds = DRIP
    with pytest.raises(TemporaryError, match=r"MAIL, RCPT, DATA: no end after 0.5 s"):
        one.send(MAIL, ADDRESS, TO)
    assert smtp_server.taken == ()
    smtp_wire.drip_seconds = 0.0
    one.send(MAIL, ADDRESS, TO)
    assert len(smtp_server.taken) == 1
    one.close()


def test_a_dripped_answer_to_the_mail_itself_is_uncertain(
    smtp_wire: Wire, smtp_server: SmtpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = submission(smtp_wire, tmp_path)
    one.connect()
    inner = Submission._data

    def dripping(self: Submission, client: object, *mail: object) -> str:
        smtp_server.refuse("DATA", "250 " + "o" * 200)
        monkeypatch.setattr(type(client), "send", drip_from_here(type(client).send))  # type: ignore[attr-defined]
        return inner(self, client, *mail)  # type: ignore[arg-type]

    def drip_from_here(send: object) -> object:
        def sent(client: object, octets: bytes | str) -> None:
            if len(octets) >= len(MAIL):
                smtp_wire.drip_seconds = DRIP
            send(client, octets)  # type: ignore[operator]

        return sent

    monkeypatch.setattr(Submission, "_data", dripping)
    with pytest.raises(DeliveryUncertainError, match="no end after 1 s"):
        one.send(MAIL, ADDRESS, TO)


def test_a_dripped_farewell_of_smtp_holds_nobody_up(
    smtp_wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailbot.mail.smtp._FAREWELL_SECONDS", 0.3)
    one = submission(smtp_wire, tmp_path)
    one.connect()
    smtp_wire.drip_seconds = 3600.0
    one.close()
    assert b"quit" in b"".join(smtp_wire.said).lower()
