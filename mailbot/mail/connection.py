"""One IMAP connection: TLS, login, a time limit for every command, and the errors of this program only.

Errors of the library and the network become TemporaryError or LoginError here; after one the connection is dead and
is dropped. A command that the server refuses is a RefusedError, and the connection goes on.
"""

from __future__ import annotations

import imaplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError
from imapclient.exceptions import LoginError as ImapLoginError

from mailbot.config import Imap, Tls
from mailbot.errors import LoginError, TemporaryError, UnreachedError
from mailbot.mail.deadline import Deadline
from mailbot.mail.tls import client_context

_FAREWELL_SECONDS = 2.0
_NAME = {"name": "mailbot", "version": "1", "vendor": "mailbot"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds: to connect, for one read, and for one whole command, greeting and handshake included."""

    connect: float = 20.0
    read: float = 60.0
    command: float = 300.0


class RefusedError(TemporaryError):
    """The server answered NO or BAD; the connection goes on."""


class _Imap(imaplib.IMAP4):
    """Shows its socket before anything is read from it."""

    def __init__(
        self,
        address: tuple[str, int],
        seconds: float,
        tls: ssl.SSLContext | None,
        seen: Callable[[socket.socket], None],
    ) -> None:
        self._tls = tls
        self._seen = seen
        super().__init__(*address, timeout=seconds)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        sock = socket.create_connection((self.host, self.port), timeout)
        self._seen(sock)
        return self._tls.wrap_socket(sock, server_hostname=self.host) if self._tls else sock

    def _get_capabilities(self) -> None:
        """Not asked where the greeting tells them (RFC 3501 §7.1); what was told before STARTTLS counts no more."""
        told: Any = self.untagged_responses.pop("CAPABILITY", None)
        said = told[-1].decode("ascii", "replace").upper().split() if told else []
        if "IMAP4REV1" in said and not self._tls_established:
            self.capabilities = tuple(said)
        else:
            super()._get_capabilities()  # type: ignore[misc]


class _Client(IMAPClient):  # type: ignore[misc]
    """The library's client on a connection that shows its socket."""

    def __init__(self, settings: Imap, timeouts: Timeouts, seen: Callable[[socket.socket], None]) -> None:
        self._seen = seen
        super().__init__(
            settings.host,
            settings.port,
            ssl=settings.tls is Tls.IMPLICIT,
            ssl_context=client_context() if settings.tls is Tls.IMPLICIT else None,
            timeout=SocketTimeout(timeouts.connect, timeouts.read),
        )
        self.normalise_times = False
        self._imap.debug = (
            0  # the library asks for the whole of each mail, twice, as text for a log that nobody reads
        )

    def _create_IMAP4(self) -> imaplib.IMAP4:  # noqa: N802
        tls = self.ssl_context if self.ssl else None
        return _Imap((self.host, self.port), self._timeout.connect, tls, self._seen)


class Connection:
    """One logged-in IMAP connection whose every command is limited in time. A context manager."""

    def __init__(self, imap: Imap, timeouts: Timeouts | None = None) -> None:
        self._settings = imap
        self._timeouts = timeouts or Timeouts()
        self._client: IMAPClient | None = None
        self._deadline = Deadline()

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def connect(self) -> None:
        """Connect, log in, and name ourselves where the server wants that (163 refuses SELECT without ID).

        Raises LoginError where that is refused, UnreachedError for all else.
        """
        try:
            self._connect(self._settings, self._settings.password())
        except LoginError:
            self._drop()
            raise
        except TemporaryError as error:
            self._drop()
            raise UnreachedError(str(error)) from error.__cause__

    def _connect(self, settings: Imap, secret: str) -> None:
        with self._edge("connect"), self._deadline.limit(self._timeouts.command):
            self._client = _Client(settings, self._timeouts, self._deadline.watch)
        with self._limited("login") as client:
            if settings.tls is Tls.STARTTLS:
                client.starttls(client_context())
            client.login(settings.username, secret)
            self.capabilities = {bytes(c).upper() for c in client.capabilities()}
            if b"ID" in self.capabilities:
                client.id_(_NAME)

    def close(self) -> None:
        """Log out if that is quick, and drop the connection."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(OSError, IMAPClientError), self._deadline.limit(_FAREWELL_SECONDS):
                client.socket().settimeout(_FAREWELL_SECONDS)
                client.logout()
            with suppress(OSError, IMAPClientError):
                client.shutdown()
        self._deadline.forget()

    @contextmanager
    def _limited(self, what: str) -> Iterator[IMAPClient]:
        """The client for one command, which the clock cuts off."""
        client = self._client
        if client is None:
            raise TemporaryError(f"{self._settings.host}: not connected")
        with self._edge(what), self._deadline.limit(self._timeouts.command):
            yield client

    @contextmanager
    def _edge(self, what: str) -> Iterator[None]:
        """No error of the library or the network goes past here as it is."""
        where = f"{self._settings.host}: {what}"
        try:
            yield
        except ImapLoginError as error:
            self._drop()
            raise _login_error(error)(f"{where}: {_words(error)}") from error
        except (IMAPClientAbortError, OSError, ssl.SSLError) as error:
            self._drop()
            raise TemporaryError(f"{where}: {_words(error)}") from error
        except IMAPClientError as error:
            raise RefusedError(f"{where}: {_words(error)}") from error
        except (ValueError, AssertionError, KeyError, IndexError, TypeError) as error:
            self._drop()
            raise TemporaryError(f"{where}: an answer that is no IMAP: {_words(error)}") from error

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(OSError, IMAPClientError):
                client.shutdown()
        self._deadline.forget()

    def folders(self) -> tuple[str, ...]:
        """The names of the folders there are."""
        with self._limited("LIST") as client:
            return tuple(str(name) for _, _, name in client.list_folders())


def _login_error(error: ImapLoginError) -> type[TemporaryError]:
    """A login that was cut off, or is not possible at the moment (RFC 5530 §3), is not one that was refused."""
    cause = error.__context__
    if isinstance(cause, IMAPClientAbortError) or "[UNAVAILABLE]" in str(error):
        return TemporaryError
    return LoginError


def _words(error: BaseException) -> str:
    """A server's text: QQ writes GBK, which imapclient shows as the `repr` of the octets that imaplib had."""
    for one in (error, error.__context__):
        for first in one.args[:1] if one else ():
            if isinstance(first, bytes):
                return first.decode("gb18030", "replace").strip()
    return str(error).strip() or type(error).__name__
