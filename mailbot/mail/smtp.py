"""The submission edge: replies out over SMTP (RFC 5321, RFC 6409) on one held connection."""

from __future__ import annotations

import re
import select
import smtplib
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress

from mailbot.config import Smtp, Tls
from mailbot.errors import (
    DeliveryUncertainError,
    LoginError,
    RateLimitedError,
    RecipientRefusedError,
    TemporaryError,
)
from mailbot.mail.deadline import Deadline

_SECONDS = 60.0
_COMMAND_SECONDS = 300.0
"""For a whole command and its answer (RFC 5321 §4.5.3.2), however little each read has to wait."""
_FAREWELL_SECONDS = 2.0
_TOO_FAST = re.compile(r"frequen|too many|rate limit|频率|频繁|过快", re.I)
"""QQ and 163 say 550 both for a refused recipient and for a burst: only the text tells them apart."""


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

    def connect(self) -> None:
        """Connect and log in. Raises LoginError where that is refused, TemporaryError for all else."""
        secret = self._smtp.password()
        try:
            with self._deadline.limit(self._command_seconds):
                self._client = client = self._connected()
                if self._smtp.tls is Tls.STARTTLS:
                    client.starttls(context=_context())
                client.login(self._smtp.username, secret)
        except smtplib.SMTPAuthenticationError as error:
            said = f"{self._smtp.host}: login: {error.smtp_code} {_text(error.smtp_error)}"
            self.close()
            raise (LoginError if error.smtp_code >= 500 else TemporaryError)(said) from error
        except (smtplib.SMTPException, OSError) as error:
            raise self._temporary("connect", error) from error

    def _connected(self) -> smtplib.SMTP:
        tls = _context() if self._smtp.tls is Tls.IMPLICIT else None
        return _Client(self._smtp, self._seconds, tls, self._deadline.watch)

    def send(self, octets: bytes, envelope_from: str, to: str) -> str:
        """Hand over one mail; returns the server's answer after the final dot (250 …).

        Raises RecipientRefusedError (5yz), RateLimitedError, LoginError, TemporaryError where nothing was taken, and
        DeliveryUncertainError where the connection broke between the final dot and the answer.
        """
        client = self._ready()
        self._command(client, "MAIL", lambda: client.mail(envelope_from))
        self._command(client, "RCPT", lambda: client.rcpt(to))
        return self._data(client, octets)

    def _ready(self) -> smtplib.SMTP:
        """The connection, logged in. One that the server closed while nothing was sent is opened anew."""
        if self._client is not None and not _alive(self._client):
            self.close()
        if self._client is None:
            self.connect()
        if self._client is None:
            raise TemporaryError(f"{self._smtp.host}: not connected")
        return self._client

    def _command(self, client: smtplib.SMTP, name: str, command: Callable[[], tuple[int, bytes]]) -> None:
        try:
            with self._deadline.limit(self._command_seconds):
                code, text = command()
        except (smtplib.SMTPException, OSError) as error:
            raise self._temporary(name, error) from error
        self._judge(client, name, code, text)

    def _data(self, client: smtplib.SMTP, octets: bytes) -> str:
        try:
            with self._deadline.limit(self._command_seconds):
                code, text = client.docmd("DATA")
        except (smtplib.SMTPException, OSError) as error:
            raise self._temporary("DATA", error) from error
        if code != 354:
            self._judge(client, "DATA", code, text)
        stuffed = re.sub(rb"(?m)^\.", b"..", octets)
        ending = b".\r\n" if stuffed.endswith(b"\r\n") else b"\r\n.\r\n"
        try:
            with self._deadline.limit(2 * self._command_seconds):
                client.send(stuffed + ending)
                code, text = client.getreply()
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise DeliveryUncertainError(f"{self._smtp.host}: no answer after the mail: {error}") from error
        if not 200 <= code < 600:
            self.close()
            said = f"{self._smtp.host}: an answer after the mail that is none: {code} {_text(text)}"
            raise DeliveryUncertainError(said)
        self._judge(client, "end of DATA", code, text)
        return f"{code} {_text(text)}"

    def _judge(self, client: smtplib.SMTP, name: str, code: int, text: bytes) -> None:
        """Nothing for 2yz; else the error that the reply code means (RFC 5321 §4.2.1)."""
        if 200 <= code < 300:
            return
        said = f"{self._smtp.host}: {name}: {code} {_text(text)}"
        if code in (421, 454):
            self.close()
        else:
            with suppress(smtplib.SMTPException, OSError), self._deadline.limit(self._command_seconds):
                client.rset()
        if _TOO_FAST.search(_text(text)):
            raise RateLimitedError(said)
        if code in (530, 535):
            self.close()
            raise LoginError(said)
        if 500 <= code < 600:
            raise RecipientRefusedError(said)
        raise TemporaryError(said)

    def _temporary(self, what: str, error: Exception) -> TemporaryError:
        self.close()
        return TemporaryError(f"{self._smtp.host}: {what}: {error}")

    def close(self) -> None:
        """Say QUIT if that is quick, and drop the connection."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(smtplib.SMTPException, OSError), self._deadline.limit(_FAREWELL_SECONDS):
                if client.sock is not None:
                    client.sock.settimeout(_FAREWELL_SECONDS)
                client.quit()
            client.close()
        self._deadline.forget()


def _alive(client: smtplib.SMTP) -> bool:
    """Whether nothing has come in on an idle connection: what comes unasked is 421 or the end (RFC 5321 §3.8)."""
    if client.sock is None:
        return False
    readable, _, _ = select.select([client.sock], [], [], 0)
    return not readable


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _text(said: bytes | str) -> str:
    return said if isinstance(said, str) else said.decode("gb18030", "replace")
