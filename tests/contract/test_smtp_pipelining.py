"""An envelope that goes with the mail before it (RFC 2920): each mail keeps its own answer, whatever fails between."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailbot.errors import (
    DeliveryUncertainError,
    LoginError,
    MailbotError,
    RateLimitedError,
    RecipientRefusedError,
    TemporaryError,
)
from mailbot.mail.smtp import Submission
from tests.contract.scripted_smtp import ScriptedSmtp
from tests.servers import ADDRESS, mailbox_config

MAILS = [b"Subject: %d\r\n\r\n.\r\nbody %d\r\n" % (number, number) for number in range(4)]
TO = [f"society{number}@example.com" for number in range(4)]


@pytest.fixture
def server() -> Iterator[ScriptedSmtp]:
    with ScriptedSmtp() as one:
        yield one


@pytest.fixture
def submission(server: ScriptedSmtp, tmp_path: Path) -> Iterator[Submission]:
    one = Submission(mailbox_config(tmp_path, smtp_port=server.port).smtp, seconds=5)
    yield one
    one.close()


def send(submission: Submission, number: int, *, last: bool = False) -> type[MailbotError] | None:
    """Send that mail, the next one's envelope with it unless it is the last; the error it ends in."""
    try:
        submission.send(MAILS[number], ADDRESS, TO[number], following=None if last else TO[number + 1])
    except MailbotError as error:
        return type(error)
    return None


def test_a_mail_costs_one_round_trip(submission: Submission, server: ScriptedSmtp) -> None:
    ends = [send(submission, number, last=number == 3) for number in range(4)]
    assert ends == [None] * 4
    assert server.taken == MAILS
    envelope = ["MAIL", "RCPT", "DATA"]
    together = ["BODY", *envelope]
    assert server.groups[-5:] == [envelope, together, together, together, ["BODY"]]
    assert server.connections == 1


def test_a_server_that_does_not_offer_it_hears_one_command_at_a_time(tmp_path: Path) -> None:
    with ScriptedSmtp(pipelining=False) as server:
        submission = Submission(mailbox_config(tmp_path, smtp_port=server.port).smtp, seconds=5)
        assert [send(submission, number) for number in range(3)] == [None] * 3
        submission.close()
    assert server.taken == MAILS[:3]
    assert {len(group) for group in server.groups} == {1}


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        (
            {"RCPT": "550 no such user", "DATA": "354 go on", "BODY": "554 no valid recipients"},
            RecipientRefusedError,
        ),
        (
            {"RCPT": "550 no such user", "DATA": "354 go on", "BODY": "250 nobody got it"},
            RecipientRefusedError,
        ),
        ({"RCPT": "550 no such user", "DATA": "503 bad sequence"}, RecipientRefusedError),
        ({"RCPT": "550 no such user", "DATA": "554 no valid recipients"}, RecipientRefusedError),
        ({"RCPT": "452 mailbox full", "DATA": "503 bad sequence"}, TemporaryError),
        ({"MAIL": "550 frequency limited", "RCPT": "503 no", "DATA": "503 no"}, RateLimitedError),
        ({"MAIL": "451 later", "RCPT": "503 no", "DATA": "354 go on", "BODY": "554 no"}, TemporaryError),
        ({"MAIL": "530 log in first", "RCPT": "530 no", "DATA": "530 no"}, LoginError),
        ({"DATA": "451 queue full"}, TemporaryError),
        ({"MAIL": "421 leaving"}, TemporaryError),
        ({"MAIL": "550 frequency limited", "RCPT": ""}, RateLimitedError),
        ({"MAIL": "550 no", "RCPT": "250 ok", "DATA": "354 go on"}, RecipientRefusedError),
    ],
)
def test_an_envelope_refused_on_the_way_is_its_own_mails_fate(
    submission: Submission, server: ScriptedSmtp, answers: dict[str, str], error: type[MailbotError]
) -> None:
    for command, answer in answers.items():
        good = {"MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go on", "BODY": "250 taken"}[command]
        server.says[command] = [good, answer]
    assert [send(submission, number) for number in range(3)] == [None, error, None]
    assert [body for body in server.taken if body] == [MAILS[0], MAILS[2]]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("554 rejected as spam", RecipientRefusedError),
        ("451 later", TemporaryError),
        ("550 frequency limited", RateLimitedError),
        ("421 leaving", TemporaryError),
        ("", DeliveryUncertainError),
    ],
)
def test_a_mail_that_is_not_taken_does_not_touch_the_next(
    submission: Submission, server: ScriptedSmtp, answer: str, error: type[MailbotError]
) -> None:
    server.says["BODY"] = [answer]
    assert send(submission, 0) is error
    assert server.taken == []
    assert send(submission, 1, last=True) is None
    assert server.taken == [MAILS[1]]


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
def test_a_connection_that_breaks_over_the_next_envelope_leaves_this_mail_sent(
    submission: Submission, server: ScriptedSmtp, command: str
) -> None:
    server.says[command] = ["354 go on" if command == "DATA" else "250 ok", ""]
    assert send(submission, 0) is None
    assert send(submission, 1, last=True) is None
    assert server.taken == MAILS[:2]
    assert server.connections == 2


def test_a_connection_that_ends_before_the_announced_body_is_opened_anew(
    submission: Submission, server: ScriptedSmtp
) -> None:
    assert send(submission, 0) is None
    server.cut()
    assert send(submission, 1, last=True) is None
    assert server.taken == MAILS[:2]


def test_what_was_announced_and_does_not_come_is_nobodys_mail(
    submission: Submission, server: ScriptedSmtp
) -> None:
    assert send(submission, 0) is None
    assert send(submission, 2, last=True) is None
    submission.send(MAILS[3], ADDRESS, TO[3], following=TO[0])
    submission.close()
    assert server.taken == [MAILS[0], MAILS[2], MAILS[3]]
    assert server.unwanted == []
    assert server.connections == 2
    assert [group for group in server.groups if "QUIT" in group] == []
