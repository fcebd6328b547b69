"""The submission edge: replies out over SMTP (RFC 5321, RFC 6409) on one held connection.

Where the server offers PIPELINING (RFC 2920), the envelope of the next mail goes in one group with the body of this
one: a round trip a mail in place of four.
"""

from __future__ import annotations

import re
import select
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from mailbot.config import Smtp, Tls
from mailbot.errors import (
    DeliveryUncertainError,
    LoginError,
    RateLimitedError,
    RecipientRefusedError,
    TemporaryError,
    UnreachedError,
)
from mailbot.mail.deadline import Deadline
from mailbot.mail.tls import client_context

_SECONDS = 60.0
_COMMAND_SECONDS = 300.0
"""For a whole command and its answer (RFC 5321 §4.5.3.2), however little each read has to wait."""
_FAREWELL_SECONDS = 2.0
_TOO_FAST = re.compile(r"frequen|too many|rate limit|频率|频繁|过快", re.I)
"""QQ and 163 say 550 both for a refused recipient and for a burst: only the text tells them apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What the server said to one command."""

    command: str
    code: int
    text: bytes

    @property
    def good(self) -> bool:
        return self.code == 354 if self.command == "DATA" else 200 <= self.code < 300


@dataclass(frozen=True, slots=True, kw_only=True)
class _Announced:
    """An envelope that went ahead of its mail: accepted, with DATA and its 354, or refused."""

    sender: str
    to: str
    refusal: TemporaryError | RecipientRefusedError | None


class _Client(smtplib.SMTP):
    """The library's client, with TLS from the first octet where that is wanted; shows its socket before it is read."""

    def __init__(
        self, smtp: Smtp, seconds: float, tls: ssl.SSLContext | None, seen: Callable[[socket.socket], None]
    ) -> None:
        self._tls = tls
        self._seen = seen
        super().__init__(smtp.host, smtp.port, timeout=seconds)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        sock = socket.create_connection((host, port), timeout)
        self._seen(sock)
        return self._tls.wrap_socket(sock, server_hostname=host) if self._tls else sock


class Submission:
    """One account's connection, opened when the first mail goes. For one thread.

    `seconds` for one wait, `command_seconds` for a whole command and its answer.
    """

    def __init__(
        self, smtp: Smtp, *, seconds: float = _SECONDS, command_seconds: float = _COMMAND_SECONDS
    ) -> None:
        self._smtp = smtp
        self._seconds = seconds
        self._command_seconds = command_seconds
        self._client: smtplib.SMTP | None = None
        self._deadline = Deadline()
        self._announced: _Announced | None = None

    def connect(self) -> None:
        """Connect and log in. Raises LoginError where that is refused, UnreachedError for all else."""
        secret = self._smtp.password()
        try:
            with self._deadline.limit(self._command_seconds):
                self._client = client = self._connected()
                if self._smtp.tls is Tls.STARTTLS:
                    client.starttls(context=client_context())
                client.login(self._smtp.username, secret)
        except smtplib.SMTPAuthenticationError as error:
            said = f"{self._smtp.host}: login: {error.smtp_code} {_text(error.smtp_error)}"
            self.close()
            raise (LoginError if error.smtp_code >= 500 else UnreachedError)(said) from error
        except (smtplib.SMTPException, OSError) as error:
            raise UnreachedError(str(self._temporary("connect", error))) from error

    def _connected(self) -> smtplib.SMTP:
        tls = client_context() if self._smtp.tls is Tls.IMPLICIT else None
        return _Client(self._smtp, self._seconds, tls, self._deadline.watch)

    def send(self, octets: bytes, envelope_from: str, to: str, *, following: str | None = None) -> str:
        """Hand over one mail; returns the server's answer after the final dot (250 …).

        `following` is the recipient of the mail that is sent next, if that is sent at once: nothing of it but its
        envelope may leave before its own `send`.

        Raises RecipientRefusedError (5yz), RateLimitedError, LoginError, TemporaryError where nothing was taken, and
        DeliveryUncertainError where the connection broke between the final dot and the answer.
        """
        client = self._awaited(envelope_from, to) or self._opened(envelope_from, to)
        try:
            return self._data(client, octets, envelope_from, following)
        except TemporaryError:
            if self._announced:
                self.close()
            raise

    def _awaited(self, sender: str, to: str) -> smtplib.SMTP | None:
        """The connection if it waits for this very mail's body. Raises what the envelope was refused with."""
        announced, client = self._announced, self._client
        if announced is None:
            return None
        same = (announced.sender, announced.to) == (sender, to)
        if same and announced.refusal is not None:
            self._announced = None
            raise announced.refusal
        if not same or client is None or not _alive(client):
            self.close()
            return None
        self._announced = None
        return client

    def _ready(self) -> smtplib.SMTP:
        """The connection, logged in. One that the server closed while nothing was sent is opened anew."""
        if self._client is not None and not _alive(self._client):
            self.close()
        if self._client is None:
            self.connect()
        if self._client is None:
            raise TemporaryError(f"{self._smtp.host}: not connected")
        return self._client

    def _opened(self, sender: str, to: str) -> smtplib.SMTP:
        """The connection after MAIL, RCPT and DATA, which go in one group where the server bears it."""
        client = self._ready()
        if client.has_extn("pipelining"):
            try:
                with self._deadline.limit(self._command_seconds):
                    client.send(_group(sender, to))
            except (smtplib.SMTPException, OSError) as error:
                raise self._temporary("MAIL", error) from error
            refusal = self._group_refusal(client)
            if refusal is not None:
                raise refusal
            return client
        self._command(client, "MAIL", lambda: client.mail(sender))
        self._command(client, "RCPT", lambda: client.rcpt(to))
        self._command(client, "DATA", lambda: client.docmd("DATA"))
        return client

    def _command(self, client: smtplib.SMTP, name: str, command: Callable[[], tuple[int, bytes]]) -> None:
        try:
            with self._deadline.limit(self._command_seconds):
                code, text = command()
        except (smtplib.SMTPException, OSError) as error:
            raise self._temporary(name, error) from error
        answer = _Answer(command=name, code=code, text=text)
        if not answer.good:
            self._reset(client)
            raise self._refusal(answer)

    def _group_refusal(self, client: smtplib.SMTP) -> TemporaryError | RecipientRefusedError | None:
        """Read what was said to MAIL, RCPT and DATA: None where the body may follow, else the first refusal.

        Raises TemporaryError where the connection broke and nothing was refused.
        """
        answers: list[_Answer] = []
        broken: TemporaryError | None = None
        try:
            with self._deadline.limit(self._command_seconds):
                answers.extend(_group_answers(client))
        except (smtplib.SMTPException, OSError) as error:
            broken = self._temporary("MAIL, RCPT, DATA", error)
        refused = next((answer for answer in answers if not answer.good), None)
        if refused is None:
            if broken is not None:
                raise broken
            return None
        if broken is None:
            self._end_group(client, answers)
        return self._refusal(refused)

    def _end_group(self, client: smtplib.SMTP, answers: list[_Answer]) -> None:
        """Bring the dialogue to its start. A body that nobody would get is a lone dot (RFC 2920 §3.1)."""
        asked_for_body = answers[-1].command == "DATA" and answers[-1].good
        if not asked_for_body:
            self._reset(client)
        elif any(answer.good for answer in answers if answer.command == "RCPT"):
            self._abandon()
        else:
            try:
                with self._deadline.limit(self._command_seconds):
                    client.send(b".\r\n")
                    client.getreply()
            except (smtplib.SMTPException, OSError):
                self._abandon()

    def _data(self, client: smtplib.SMTP, octets: bytes, sender: str, following: str | None) -> str:
        """The body, to its answer; with the next envelope behind it where there is one."""
        stuffed = re.sub(rb"(?m)^\.", b"..", octets) if b"\n." in octets or octets[:1] == b"." else octets
        ending = b".\r\n" if stuffed.endswith(b"\r\n") else b"\r\n.\r\n"
        ahead = _group(sender, following) if following and client.has_extn("pipelining") else b""
        try:
            with self._deadline.limit(2 * self._command_seconds):
                client.send(stuffed + ending + ahead)
                code, text = client.getreply()
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise DeliveryUncertainError(f"{self._smtp.host}: no answer after the mail: {error}") from error
        if not 200 <= code < 600:
            self._abandon()
            said = f"{self._smtp.host}: an answer after the mail that is none: {code} {_text(text)}"
            raise DeliveryUncertainError(said)
        answer = _Answer(command="end of DATA", code=code, text=text)
        if following and ahead and code != 421:
            self._announce(client, sender, following)
        if not answer.good:
            raise self._refusal(answer)
        return f"{code} {_text(text)}"

    def _announce(self, client: smtplib.SMTP, sender: str, to: str) -> None:
        """How the envelope that went ahead fared. A connection that broke over it is opened anew for its mail."""
        with suppress(TemporaryError):
            refusal = self._group_refusal(client)
            self._announced = _Announced(sender=sender, to=to, refusal=refusal)

    def _reset(self, client: smtplib.SMTP) -> None:
        with suppress(smtplib.SMTPException, OSError), self._deadline.limit(self._command_seconds):
            client.rset()

    def _refusal(self, answer: _Answer) -> TemporaryError | RecipientRefusedError:
        """The error that the reply code means (RFC 5321 §4.2.1)."""
        said = f"{self._smtp.host}: {answer.command}: {answer.code} {_text(answer.text)}"
        if answer.code in (421, 454, 530, 535):
            self.close()
        if _TOO_FAST.search(_text(answer.text)):
            return RateLimitedError(said)
        if answer.code in (530, 535):
            return LoginError(said)
        if 500 <= answer.code < 600:
            return RecipientRefusedError(said)
        return TemporaryError(said)

    def _temporary(self, what: str, error: Exception) -> TemporaryError:
        self.close()
        return TemporaryError(f"{self._smtp.host}: {what}: {error}")

    def close(self) -> None:
        """Say QUIT if that is quick, and drop the connection."""
        client = self._client
        if client is not None and not (self._announced and self._announced.refusal is None):
            with suppress(smtplib.SMTPException, OSError), self._deadline.limit(_FAREWELL_SECONDS):
                if client.sock is not None:
                    client.sock.settimeout(_FAREWELL_SECONDS)
                client.quit()
        self._abandon()

    def _abandon(self) -> None:
        """Drop the connection without a word: a server that waits for a body would take QUIT for its first line."""
        client, self._client, self._announced = self._client, None, None
        if client is not None:
            client.close()
        self._deadline.forget()


def _group(sender: str, to: str) -> bytes:
    """RFC 2920 §3.1: DATA is the last of a group."""
    return f"MAIL FROM:<{sender}>\r\nRCPT TO:<{to}>\r\nDATA\r\n".encode("ascii")


def _group_answers(client: smtplib.SMTP) -> Iterator[_Answer]:
    """As they come in; none after 421, with which the server leaves."""
    for command in ("MAIL", "RCPT", "DATA"):
        code, text = client.getreply()
        yield _Answer(command=command, code=code, text=text)
        if code == 421:
            return


def _alive(client: smtplib.SMTP) -> bool:
    """Whether nothing has come in on an idle connection: what comes unasked is 421 or the end (RFC 5321 §3.8)."""
    if client.sock is None:
        return False
    readable, _, _ = select.select([client.sock], [], [], 0)
    return not readable


def _text(said: bytes | str) -> str:
    return said if isinstance(said, str) else said.decode("gb18030", "replace")
