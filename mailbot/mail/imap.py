"""The mailbox edge: mails in over IMAP (RFC 3501), nothing on the server changed.

Only what real servers answer reliably is asked for (EXAMINE, NOOP, UID FETCH of flags, dates, sizes and BODY.PEEK[],
explicit ascending UIDs). What the server refuses is told apart from what is gone: only that may be passed over.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from imapclient import IMAPClient

from mailbot.config import Mailbox
from mailbot.mail.ahead import Fetch, FetchingConnection
from mailbot.mail.connection import RefusedError, Timeouts

_WINDOW = 500
"""UIDs whose sizes and dates are asked for at once."""
_BATCH = 50
_BATCH_OCTETS = 8 * 2**20
_SLICED_ABOVE = 4 * 2**20
_SLICE = 2**20
_FIRST_IDLE_SECONDS, _IDLE_SECONDS = 5.0, 300.0
"""How long the first IDLE lasts, and each later one. The first is short: a mail that came between our last command and
IDLE need not be announced."""
_POLL_SECONDS = 30.0
_EXAMINE_SECONDS = 120.0
"""For so long a NOOP may stand in for another EXAMINE; not longer, because not every server announces what is new."""


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

    @property
    def is_sliced(self) -> bool:
        return self.size > _SLICED_ABOVE


class ImapMailbox(FetchingConnection):
    """A mailbox opened to read only. For one thread; `wake` may be called from any."""

    def __init__(self, mailbox: Mailbox, timeouts: Timeouts | None = None) -> None:
        super().__init__(mailbox.imap, timeouts)
        self._waker, self._wake = os.pipe()
        self._exists = 0
        self._examined: FolderState | None = None
        self._examine_again = 0.0
        self._patience = _FIRST_IDLE_SECONDS

    def __del__(self) -> None:
        for descriptor in (self._waker, self._wake):
            with suppress(OSError):
                os.close(descriptor)

    def connect(self) -> None:
        """As every connection; no folder is open."""
        self._examined = None
        super().connect()

    def open(self, folder: str) -> FolderState:
        """How the folder stands. Raises TemporaryError, also where there is no such folder.

        A NOOP (RFC 3501 §6.1.2) will do where this folder is open, was looked into a moment ago, and the server
        speaks of nothing new. STATUS will not: of an open folder Dovecot tells what was.
        """
        examined, self._examined = self._examined, None
        if examined is None or examined.name != folder or not self._is_unchanged():
            examined = self._examine(folder)
            self._examine_again = time.monotonic() + _EXAMINE_SECONDS
        self._examined = examined
        return examined

    def _is_unchanged(self) -> bool:
        """Whether nothing was said since EXAMINE, neither now nor unasked during another command."""
        if time.monotonic() > self._examine_again or self._was_told():
            return False
        with self._limited("NOOP") as client:
            _, said = client.noop()
            return not said

    def _was_told(self) -> bool:
        """Whether the server spoke unasked of another number of mails (RFC 3501 §7.3.1)."""
        return _last_exists(self._client, self._exists) != self._exists

    def _examine(self, folder: str) -> FolderState:
        with self._limited(f"EXAMINE {folder}") as client:
            answer = client.select_folder(folder, readonly=True)
            uidnext = answer.get(b"UIDNEXT")
            if uidnext is None:
                uidnext = client.folder_status(folder, ["UIDNEXT"])[b"UIDNEXT"]
            self._exists = int(answer[b"EXISTS"])
            return FolderState(
                name=folder,
                uidvalidity=int(answer[b"UIDVALIDITY"]),
                uidnext=int(uidnext),
                exists=self._exists,
            )

    def fetch_new(self, state: FolderState, after_uid: int, *, max_octets: int) -> Iterator[Batch]:
        """What came after `after_uid`, in batches; mails over `max_octets` without their octets."""
        for start in range(after_uid + 1, state.uidnext, _WINDOW):
            last = min(start + _WINDOW, state.uidnext) - 1
            listed = self._list(range(start, last + 1))
            yield from self._fetch_listed(listed, last, max_octets)

    def present(self, uids: Sequence[int]) -> frozenset[int]:
        """Which of these UIDs the server shows, whatever else it says of them; asked in ascending windows."""
        there: set[int] = set()
        for start in range(0, len(uids), _WINDOW):
            with self._limited("UID FETCH of UIDs") as client:
                there.update(client.fetch(list(uids[start : start + _WINDOW]), ["UID"]))
        return frozenset(there & set(uids))

    def time_span(self, state: FolderState) -> tuple[datetime, datetime] | None:
        """INTERNALDATE of the oldest and of the newest visible mail; None for an empty folder."""
        if not state.exists:
            return None
        with self._limited("FETCH of dates") as client:
            client.use_uid = False
            try:
                answer = client.fetch(sorted({1, state.exists}), ["INTERNALDATE"])
            finally:
                client.use_uid = True
            times = [_utc(data[b"INTERNALDATE"]) for data in answer.values()]
            return min(times), max(times)

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
        A mail that the server spoke of during an earlier command is not announced again: then there is no waiting.
        """
        if self._was_told():
            return
        if b"IDLE" in self.capabilities:
            self._idle(min(seconds, self._patience))
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
        if _already_said(self._client, client_socket, self._timeouts.read) or self._woken(
            seconds, client_socket
        ):
            self._examined = None
            self._patience = _FIRST_IDLE_SECONDS
        else:
            self._patience = min(2 * self._patience, _IDLE_SECONDS)
        with self._limited("IDLE DONE") as client:
            client.idle_done()

    def _list(self, uids: Sequence[int]) -> tuple[_Listed, ...]:
        answer = self._fetch(
            Fetch(uids=tuple(uids), items=("UID", "INTERNALDATE", "RFC822.SIZE"), wanted=b"RFC822.SIZE")
        )
        return tuple(
            _Listed(uid=uid, internaldate=_utc(data[b"INTERNALDATE"]), size=int(data[b"RFC822.SIZE"]))
            for uid, data in sorted(answer.items())
            if b"INTERNALDATE" in data
        )

    def _fetch_listed(self, listed: Sequence[_Listed], last_uid: int, max_octets: int) -> Iterator[Batch]:
        groups = list(_groups(listed, max_octets))
        try:
            for number, group in enumerate(groups):
                self._plan(fetch for later in groups[number:] for fetch in _fetches(later, max_octets))
                final = last_uid if number == len(groups) - 1 else group[-1].uid
                yield self._fetch_group(group, final, max_octets)
        finally:
            if self._sent:
                self._drop()
        if not groups:
            yield Batch(mails=(), last_uid=last_uid)

    def _fetch_group(self, group: Sequence[_Listed], last_uid: int, max_octets: int) -> Batch:
        wanted = [mail for mail in group if mail.size <= max_octets]
        octets = self._bodies([mail for mail in wanted if not mail.is_sliced])
        for mail in wanted:
            if mail.is_sliced and (sliced := self._slices(mail)) is not None:
                octets[mail.uid] = sliced
        there = self._still_there([mail for mail in wanted if mail.uid not in octets])
        octets |= {mail.uid: b"" for mail in there if not mail.size}
        refused = tuple(mail.uid for mail in there if mail.size)
        return Batch(
            mails=tuple(
                FetchedMail(uid=m.uid, internaldate=m.internaldate, size=m.size, octets=octets.get(m.uid))
                for m in group
                if m.uid in octets or m.size > max_octets
            ),
            last_uid=last_uid,
            vanished=tuple(m.uid for m in wanted if m.uid not in octets and m.uid not in refused),
            refused=refused,
        )

    def _still_there(self, mails: Sequence[_Listed]) -> tuple[_Listed, ...]:
        """Which of the mails that were not given are there all the same."""
        return self._list([mail.uid for mail in mails]) if mails else ()

    def _bodies(self, mails: Sequence[_Listed]) -> dict[int, bytes]:
        """The octets of some mails; what the server refuses or leaves out together is asked for one by one."""
        if not mails:
            return {}
        try:
            answer = self._fetch(_whole(mails))
        except RefusedError:
            answer = {}
        got = {uid: bytes(data[b"BODY[]"]) for uid, data in answer.items() if data.get(b"BODY[]")}
        if len(mails) > 1:
            for mail in mails:
                if mail.uid not in got:
                    got |= self._bodies([mail])
        return got

    def _slices(self, mail: _Listed) -> bytes | None:
        """A large mail by slices (RFC 3501 §6.4.5, partial), so that no single answer is long; None where refused.

        A short slice is the last one: RFC822.SIZE is not exact on every server.
        """
        octets = bytearray()
        while len(octets) != mail.size:
            fetch = _slice(mail.uid, len(octets))
            try:
                piece = self._fetch(fetch).get(mail.uid, {}).get(fetch.wanted)
            except RefusedError:
                return None
            if piece is None:
                return None
            octets += piece
            if len(piece) < _SLICE:
                break
        return bytes(octets)


def _whole(mails: Sequence[_Listed]) -> Fetch:
    return Fetch(
        uids=tuple(mail.uid for mail in mails),
        items=("UID", "BODY.PEEK[]"),
        wanted=b"BODY[]",
        octets=sum(mail.size for mail in mails),
    )


def _slice(uid: int, offset: int) -> Fetch:
    return Fetch(
        uids=(uid,),
        items=("UID", f"BODY.PEEK[]<{offset}.{_SLICE}>"),
        wanted=f"BODY[]<{offset}>".encode(),
        octets=_SLICE,
    )


def _fetches(group: Sequence[_Listed], max_octets: int) -> Iterator[Fetch]:
    """What is asked for to get these mails, if all goes well."""
    wanted = [mail for mail in group if mail.size <= max_octets]
    if small := [mail for mail in wanted if not mail.is_sliced]:
        yield _whole(small)
    for mail in wanted:
        if mail.is_sliced:
            yield from (_slice(mail.uid, offset) for offset in range(0, mail.size, _SLICE))


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


def _last_exists(client: IMAPClient | None, otherwise: int) -> int:
    """The number of mails in the newest EXISTS that the server sent, asked or unasked (RFC 3501 §7.3.1)."""
    said = getattr(getattr(client, "_imap", None), "untagged_responses", {}).get("EXISTS")
    return int(said[-1]) if said and said[-1] else otherwise


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


def _utc(internaldate: datetime) -> datetime:
    """INTERNALDATE carries its offset; one without would be the server's fault and is taken as UTC."""
    aware = internaldate if internaldate.tzinfo else internaldate.replace(tzinfo=UTC)
    return aware.astimezone(UTC)
