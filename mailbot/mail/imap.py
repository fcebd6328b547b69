"""The mailbox edge: mails in over IMAP (RFC 3501), nothing on the server changed.

Only what real servers answer reliably is asked for (EXAMINE, UID FETCH of flags, dates, sizes and BODY.PEEK[],
explicit ascending UIDs), and every command has a time limit. Errors of the library and the network become
TemporaryError or LoginError here; after one the connection is dead and is dropped.
"""

from __future__ import annotations

import os
import select
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError
from imapclient.exceptions import LoginError as ImapLoginError

from mailbot.config import Imap, Mailbox, Tls
from mailbot.errors import LoginError, TemporaryError

_WINDOW = 500
"""UIDs whose sizes and dates are asked for at once."""
_BATCH = 50
_BATCH_OCTETS = 8 * 2**20
_SLICED_ABOVE = 4 * 2**20
_SLICE = 2**20
_IDLE_SECONDS = 300.0
_POLL_SECONDS = 30.0
_NAME = {"name": "mailbot", "version": "1", "vendor": "mailbot"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds: to connect, for one read, and for one whole command (a slow drip keeps each read short)."""

    connect: float = 20.0
    read: float = 60.0
    command: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderState:
    """A folder as EXAMINE showed it."""

    name: str
    uidvalidity: int
    uidnext: int
    exists: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedMail:
    """One mail as the server gave it; `octets` is None where it is larger than was allowed."""

    uid: int
    internaldate: datetime
    size: int
    octets: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Some mails, ascending; every UID up to `last_uid` is in it, was in one before, or does not exist."""

    mails: tuple[FetchedMail, ...]
    last_uid: int
    vanished: tuple[int, ...] = ()
    """Gone between the two questions."""
    refused: tuple[int, ...] = ()
    """The server has them and would not give them; to be asked for again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    uid: int
    internaldate: datetime
    size: int


class Connection:
    """One logged-in IMAP connection whose every command is limited in time. A context manager."""

    def __init__(self, imap: Imap, timeouts: Timeouts | None = None) -> None:
        self._settings = imap
        self._timeouts = timeouts or Timeouts()
        self._client: IMAPClient | None = None

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def connect(self) -> None:
        """Connect, log in, and name ourselves where the server wants that (163 refuses SELECT without ID)."""
        settings = self._settings
        secret = settings.password()
        with self._edge("connect"):
            self._client = IMAPClient(
                settings.host,
                settings.port,
                ssl=settings.tls is Tls.IMPLICIT,
                ssl_context=_tls_context(settings.tls),
                timeout=SocketTimeout(self._timeouts.connect, self._timeouts.read),
            )
            self._client.normalise_times = False
        with self._limited("login") as client:
            if settings.tls is Tls.STARTTLS:
                client.starttls(_tls_context(settings.tls))
            client.login(settings.username, secret)
            self.capabilities = {bytes(c).upper() for c in client.capabilities()}
            if b"ID" in self.capabilities:
                client.id_(_NAME)

    def close(self) -> None:
        """Log out if that is quick, and drop the connection."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(OSError, IMAPClientError):
                client.socket().settimeout(2)
                client.logout()
            with suppress(OSError, IMAPClientError):
                client.shutdown()

    @contextmanager
    def _limited(self, what: str) -> Iterator[IMAPClient]:
        """The client for one command, which the clock cuts off."""
        client = self._client
        if client is None:
            raise TemporaryError(f"{self._settings.host}: not connected")
        sock = client.socket()
        timer = threading.Timer(self._timeouts.command, _shut, [sock])
        timer.daemon = True
        timer.start()
        try:
            with self._edge(what):
                yield client
        finally:
            timer.cancel()

    @contextmanager
    def _edge(self, what: str) -> Iterator[None]:
        """No error of the library or the network goes past here as it is."""
        where = f"{self._settings.host}: {what}"
        try:
            yield
        except ImapLoginError as error:
            self._drop()
            raise LoginError(f"{where}: {_words(error)}") from error
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

    def folders(self) -> tuple[str, ...]:
        """The names of the folders there are."""
        with self._limited("LIST") as client:
            return tuple(str(name) for _, _, name in client.list_folders())


class RefusedError(TemporaryError):
    """The server answered NO or BAD; the connection goes on."""


class ImapMailbox(Connection):
    """A mailbox opened to read only. For one thread; `wake` may be called from any."""

    def __init__(self, mailbox: Mailbox, timeouts: Timeouts | None = None) -> None:
        super().__init__(mailbox.imap, timeouts)
        self._waker, self._wake = os.pipe()

    def __del__(self) -> None:
        for descriptor in (self._waker, self._wake):
            with suppress(OSError):
                os.close(descriptor)

    def open(self, folder: str) -> FolderState:
        """EXAMINE the folder. Raises TemporaryError, also where there is no such folder."""
        with self._limited(f"EXAMINE {folder}") as client:
            answer = client.select_folder(folder, readonly=True)
            uidnext = answer.get(b"UIDNEXT")
            if uidnext is None:
                uidnext = client.folder_status(folder, ["UIDNEXT"])[b"UIDNEXT"]
            return FolderState(
                name=folder,
                uidvalidity=int(answer[b"UIDVALIDITY"]),
                uidnext=int(uidnext),
                exists=int(answer[b"EXISTS"]),
            )

    def fetch_new(self, state: FolderState, after_uid: int, *, max_octets: int) -> Iterator[Batch]:
        """What came after `after_uid`, in batches; mails over `max_octets` without their octets."""
        for start in range(after_uid + 1, state.uidnext, _WINDOW):
            last = min(start + _WINDOW, state.uidnext) - 1
            listed = self._list(range(start, last + 1))
            yield from self._fetch_listed(listed, last, max_octets)

    def fetch_uids(self, uids: Sequence[int], *, max_octets: int) -> Iterator[Batch]:
        """Ask once more for mails that were refused before."""
        if uids:
            wanted = sorted(uids)
            listed = self._list(wanted)
            gone = tuple(sorted(set(wanted) - {mail.uid for mail in listed}))
            if gone:
                yield Batch(mails=(), last_uid=0, vanished=gone)
            yield from self._fetch_listed(listed, wanted[-1], max_octets)

    def wait(self, seconds: float) -> None:
        """Return when there may be something new, when woken, or after that time at the latest.

        IDLE (RFC 2177) is a wake-up only: what is new is found by looking. Without IDLE the held connection is polled.
        """
        if b"IDLE" in self.capabilities:
            self._idle(min(seconds, _IDLE_SECONDS))
        else:
            self._woken(min(seconds, _POLL_SECONDS))

    def wake(self) -> None:
        """End a `wait` of another thread."""
        with suppress(OSError):
            os.write(self._wake, b"!")

    def _woken(self, seconds: float, *also: Any) -> bool:
        ready, _, _ = select.select([self._waker, *also], [], [], seconds)
        if self._waker in ready:
            os.read(self._waker, 4096)
        return bool(ready)

    def _idle(self, seconds: float) -> None:
        with self._limited("IDLE") as client:
            client.idle()
        client_socket = self._client.socket() if self._client else None
        if client_socket is None:
            return
        if not _already_said(self._client, client_socket, self._timeouts.read):
            self._woken(seconds, client_socket)
        with self._limited("IDLE DONE") as client:
            client.idle_done()

    def _list(self, uids: Sequence[int]) -> tuple[_Listed, ...]:
        with self._limited("UID FETCH of dates and sizes") as client:
            answer = client.fetch(list(uids), ["UID", "INTERNALDATE", "RFC822.SIZE"])
            return tuple(
                _Listed(uid=uid, internaldate=_utc(data[b"INTERNALDATE"]), size=int(data[b"RFC822.SIZE"]))
                for uid, data in sorted(answer.items())
            )

    def _fetch_listed(self, listed: Sequence[_Listed], last_uid: int, max_octets: int) -> Iterator[Batch]:
        groups = list(_groups(listed, max_octets))
        for number, group in enumerate(groups):
            final = last_uid if number == len(groups) - 1 else group[-1].uid
            yield self._fetch_group(group, final, max_octets)
        if not groups:
            yield Batch(mails=(), last_uid=last_uid)

    def _fetch_group(self, group: Sequence[_Listed], last_uid: int, max_octets: int) -> Batch:
        small = [mail.uid for mail in group if mail.size <= min(_SLICED_ABOVE, max_octets)]
        octets, refused = self._bodies(small)
        for mail in group:
            if _SLICED_ABOVE < mail.size <= max_octets:
                sliced = self._slices(mail)
                if sliced is not None:
                    octets[mail.uid] = sliced
        vanished = tuple(
            m.uid for m in group if m.size <= max_octets and m.uid not in octets and m.uid not in refused
        )
        mails = tuple(
            FetchedMail(uid=m.uid, internaldate=m.internaldate, size=m.size, octets=octets.get(m.uid))
            for m in group
            if m.uid in octets or m.size > max_octets
        )
        return Batch(mails=mails, last_uid=last_uid, vanished=vanished, refused=refused)

    def _bodies(self, uids: Sequence[int]) -> tuple[dict[int, bytes], tuple[int, ...]]:
        """The octets of some mails; where the server refuses them together, one by one."""
        if not uids:
            return {}, ()
        try:
            return self._body_fetch(uids), ()
        except RefusedError:
            if len(uids) == 1:
                return {}, tuple(uids)
        got: dict[int, bytes] = {}
        refused: list[int] = []
        for uid in uids:
            one, no = self._bodies([uid])
            got |= one
            refused += no
        return got, tuple(refused)

    def _body_fetch(self, uids: Sequence[int]) -> dict[int, bytes]:
        with self._limited("UID FETCH of mails") as client:
            answer = client.fetch(list(uids), ["UID", "BODY.PEEK[]"])
            return {uid: bytes(data[b"BODY[]"]) for uid, data in answer.items() if data.get(b"BODY[]")}

    def _slices(self, mail: _Listed) -> bytes | None:
        """A large mail by slices (RFC 3501 §6.4.5, partial), so that no single answer is long; None where it is gone."""
        octets = bytearray()
        while len(octets) < mail.size:
            offset = len(octets)
            with self._limited("UID FETCH of a slice") as client:
                answer = client.fetch([mail.uid], [f"BODY.PEEK[]<{offset}.{_SLICE}>"])
                piece = answer.get(mail.uid, {}).get(f"BODY[]<{offset}>".encode())
            if piece is None:
                return None
            octets += piece
            if len(piece) < _SLICE:
                break
        return bytes(octets)


def _groups(listed: Sequence[_Listed], max_octets: int) -> Iterator[list[_Listed]]:
    """Mails that are fetched together: few enough, and not too large together."""
    group: list[_Listed] = []
    octets = 0
    for mail in listed:
        weight = mail.size if mail.size <= max_octets else 0
        if group and (len(group) >= _BATCH or octets + weight > _BATCH_OCTETS):
            yield group
            group, octets = [], 0
        group.append(mail)
        octets += weight
    if group:
        yield group


def _already_said(client: IMAPClient | None, sock: Any, read_timeout: float) -> bool:
    """Whether the server's first words of IDLE lie in the read buffer, where select(2) does not see them."""
    file = getattr(getattr(client, "_imap", None), "file", None)
    if file is None:
        return False
    sock.settimeout(0)
    try:
        return bool(file.peek(1))
    except (OSError, ValueError):
        return False
    finally:
        sock.settimeout(read_timeout)


def _tls_context(tls: Tls) -> ssl.SSLContext | None:
    if tls is Tls.NONE:
        return None
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _shut(sock: Any) -> None:
    with suppress(OSError):
        sock.shutdown(2)


def _utc(internaldate: datetime) -> datetime:
    """INTERNALDATE carries its offset; one without would be the server's fault and is taken as UTC."""
    aware = internaldate if internaldate.tzinfo else internaldate.replace(tzinfo=UTC)
    return aware.astimezone(UTC)


def _words(error: BaseException) -> str:
    """A server's text: QQ writes GBK where imapclient read ASCII or Latin-1."""
    text = str(error)
    for first in error.args:
        if isinstance(first, bytes):
            text = first.decode("gb18030", "replace")
    with suppress(UnicodeError):
        text = text.encode("latin-1").decode("gb18030")
    return text.strip() or type(error).__name__
