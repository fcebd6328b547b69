"""The submission edge in a real SMTP dialogue."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailbot.demo.servers import SmtpServer
from mailbot.errors import (
    DeliveryUncertainError,
    LoginError,
    RateLimitedError,
    RecipientRefusedError,
    TemporaryError,
    UnreachedError,
)
from mailbot.mail.smtp import Submission
from tests.servers import ACCOUNTS, ADDRESS, PASSWORD, free_port, mailbox_config

TO = "secretary@example.com"
MAIL = (
    b"Subject: =?utf-8?b?5Zue5omn?=\r\nMessage-ID: <1@example.org>\r\n\r\nfirst\r\n.\r\n..two\r\n.three\r\n"
)


@pytest.fixture(params=[True, False], ids=["pipelining", "plain"])
def smtp_server(request: pytest.FixtureRequest) -> Iterator[SmtpServer]:
    with SmtpServer(ACCOUNTS, pipelining=request.param) as server:
        yield server


@pytest.fixture
def submission(smtp_server: SmtpServer, tmp_path: Path) -> Iterator[Submission]:
    one = Submission(mailbox_config(tmp_path, smtp_port=smtp_server.port).smtp)
    yield one
    one.close()


def test_a_mail_arrives_byte_for_byte_with_its_envelope(
    submission: Submission, smtp_server: SmtpServer
) -> None:
    assert submission.send(MAIL, ADDRESS, TO).startswith("250 ")
    [taken] = smtp_server.taken
    assert taken.octets == MAIL
    assert (taken.envelope_from, taken.to) == (ADDRESS, (TO,))


def test_several_mails_go_in_order_over_one_connection(
    submission: Submission, smtp_server: SmtpServer
) -> None:
    mails = [b"Subject: %d\r\n\r\nbody\r\n" % number for number in range(5)]
    for octets in mails:
        submission.send(octets, ADDRESS, TO)
    assert [taken.octets for taken in smtp_server.taken] == mails
    assert smtp_server.connections == 1


@pytest.mark.parametrize(
    ("command", "answer", "error"),
    [
        ("RCPT", "550 5.1.1 User unknown", RecipientRefusedError),
        (
            "MAIL",
            "550 Mail frequency limited. More information at http://service.mail.example.com",
            RateLimitedError,
        ),
        ("DATA", "550 5.7.1 Connection frequency limited", RateLimitedError),
        ("RCPT", "450 4.2.1 Too many messages, slow down", RateLimitedError),
        ("DATA", "554 5.7.1 rejected as spam", RecipientRefusedError),
        ("MAIL", "451 4.3.0 try again later", TemporaryError),
        ("RCPT", "452 4.2.2 mailbox full", TemporaryError),
        ("DATA", "451 4.3.0 queue full", TemporaryError),
        ("MAIL", "530 5.7.0 Authentication required", LoginError),
        ("AUTH", "535 Login Fail. Please enter your authorization code to login", LoginError),
        ("AUTH", "454 4.7.0 Temporary authentication failure", UnreachedError),
    ],
)
def test_each_refusal_is_told_apart_and_the_next_mail_goes(
    submission: Submission, smtp_server: SmtpServer, command: str, answer: str, error: type[Exception]
) -> None:
    smtp_server.refuse(command, answer, times=2 if command == "AUTH" else 1)
    with pytest.raises(error) as caught:
        submission.send(MAIL, ADDRESS, TO)
    assert type(caught.value) is error
    assert answer.split(" ", 1)[1] in str(caught.value)
    assert PASSWORD not in str(caught.value)
    assert smtp_server.taken == ()
    submission.send(MAIL, ADDRESS, TO)
    assert [taken.octets for taken in smtp_server.taken] == [MAIL]


def test_a_wrong_password_is_a_refused_login(smtp_server: SmtpServer, tmp_path: Path) -> None:
    smtp = mailbox_config(tmp_path, smtp_port=smtp_server.port, password="wrong").smtp
    with pytest.raises(LoginError):
        Submission(smtp).send(MAIL, ADDRESS, TO)
    assert smtp_server.taken == ()


def test_nobody_listening_is_temporary(tmp_path: Path) -> None:
    with pytest.raises(UnreachedError):
        Submission(mailbox_config(tmp_path, smtp_port=free_port()).smtp).send(MAIL, ADDRESS, TO)


@pytest.mark.parametrize("command", ["MAIL", "RCPT"])
def test_a_connection_that_breaks_before_the_mail_is_temporary(
    submission: Submission, smtp_server: SmtpServer, command: str
) -> None:
    smtp_server.drop_at(command)
    with pytest.raises(TemporaryError):
        submission.send(MAIL, ADDRESS, TO)
    assert smtp_server.taken == ()
    submission.send(MAIL, ADDRESS, TO)
    assert len(smtp_server.taken) == 1


def test_a_connection_that_breaks_after_the_final_dot_is_uncertain(
    submission: Submission, smtp_server: SmtpServer
) -> None:
    smtp_server.drop_at("DATA")
    with pytest.raises(DeliveryUncertainError):
        submission.send(MAIL, ADDRESS, TO)
    assert len(smtp_server.taken) == 1


@pytest.mark.parametrize("said", [b"2", b"25", b"oops\r\n", b"999 what\r\n", b"\r\n"])
def test_half_an_answer_after_the_final_dot_is_uncertain(tmp_path: Path, said: bytes) -> None:
    """The library takes what came before the end for an answer; the mail may have been taken."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_answer_half, args=(listener, said), daemon=True)
        thread.start()
        smtp = mailbox_config(tmp_path, smtp_port=listener.getsockname()[1]).smtp
        with pytest.raises(DeliveryUncertainError):
            Submission(smtp, seconds=5).send(MAIL, ADDRESS, TO)
        thread.join(5)


def _answer_half(listener: socket.socket, said: bytes) -> None:
    answers = {b"EHLO": b"250-fake\r\n250 AUTH PLAIN\r\n", b"AUTH": b"235 in\r\n", b"DATA": b"354 go\r\n"}
    connection, _ = listener.accept()
    with connection, connection.makefile("rb") as lines:
        connection.sendall(b"220 ready\r\n")
        for line in lines:
            word = line[:4].upper().rstrip()
            connection.sendall(answers.get(word, b"250 ok\r\n"))
            if word == b"DATA":
                break
        for line in lines:
            if line == b".\r\n":
                connection.sendall(said)
                return


def test_a_connection_closed_while_idle_is_opened_anew(
    submission: Submission, smtp_server: SmtpServer
) -> None:
    submission.send(MAIL, ADDRESS, TO)
    smtp_server.cut()
    submission.send(MAIL, ADDRESS, TO)
    assert len(smtp_server.taken) == 2
    assert smtp_server.connections == 2


def test_a_server_that_never_answers_is_temporary(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        smtp = mailbox_config(tmp_path, smtp_port=listener.getsockname()[1]).smtp
        with pytest.raises(TemporaryError):
            Submission(smtp, seconds=0.2).send(MAIL, ADDRESS, TO)


def test_a_refusal_in_gbk_is_shown_in_chinese(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_refuse_in_gbk, args=(listener,), daemon=True)
        thread.start()
        smtp = mailbox_config(tmp_path, smtp_port=listener.getsockname()[1]).smtp
        with pytest.raises(LoginError, match="请使用授权码"):
            Submission(smtp, seconds=5).connect()
        thread.join(5)


def _refuse_in_gbk(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection, contextlib.suppress(OSError), connection.makefile("rb") as lines:
        connection.sendall(b"220 ready\r\n")
        for line in lines:
            if line.upper().startswith(b"EHLO"):
                connection.sendall(b"250-fake\r\n250 AUTH LOGIN\r\n")
            elif line.upper().startswith(b"QUIT"):
                return
            else:
                connection.sendall("535 登录失败，请使用授权码\r\n".encode("gbk"))
