"""Watches the folders of one mailbox: what is new is made durable and recorded; nothing on the server changes.

Its own thread and its own connection, so that a dead mailbox never holds up the other.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain

from mailbot.config import Mailbox
from mailbot.errors import LoginError, TemporaryError
from mailbot.log import log
from mailbot.mail.connection import RefusedError
from mailbot.mail.imap import Batch, FolderState, ImapMailbox
from mailbot.records import Receipt
from mailbot.store.archive import Archive
from mailbot.store.store import Balance, Store

_FIRST_BACKOFF_SECONDS = 2.0
_LONGEST_BACKOFF_SECONDS = 300.0
_LOGIN_BACKOFF_SECONDS = 1800.0
"""A refused login is for a person to mend; trying fast only locks the account."""
_MOST_REFUSALS = 3
_POLL_SECONDS = 300.0
_JUNK_SECONDS = 300.0
"""How often Junk is looked into: to open another folder costs two round trips, and nobody is answered from there."""


class Watcher:
    """Brings one mailbox's new mails into the store."""

    def __init__(
        self,
        mailbox: Mailbox,
        *,
        store: Store,
        archive: Archive,
        message_octets: int,
        clock: Callable[[], datetime],
        arrived: Callable[[], None],
    ) -> None:
        self._mailbox = mailbox
        self._store = store
        self._archive = archive
        self._message_octets = message_octets
        self._clock = clock
        self._arrived = arrived
        self._connection: ImapMailbox | None = None
        self._fetch_ahead = True
        self._backoff = _FIRST_BACKOFF_SECONDS
        self._junk_again = 0.0
        self._lacks_junk = False
        self.books_closed = True
        """Whether after the last round every mail that the server showed was a row or passed over for a reason."""

    def stay(self, stop: threading.Event) -> None:
        """Round after round until told to stop; between them wait for mail, or longer after each failure."""
        while not stop.is_set():
            if self.round():
                self._wait()
            else:
                stop.wait(self._backoff)

    def round(self) -> bool:
        """Take in all that is new in every folder that is due. False where the mailbox could not be reached."""
        good = self.books_closed = True
        refused: LoginError | None = None
        for folder, junk in self._folders():
            try:
                if refused is not None:
                    raise refused
                self._look_into(folder, junk=junk)
                if junk:
                    self._junk_again = time.monotonic() + _JUNK_SECONDS
            except TemporaryError as error:
                refused = error if isinstance(error, LoginError) else None
                self._failed(folder, error)
                good = False
        if good:
            self._backoff = _FIRST_BACKOFF_SECONDS
        return good

    def wake(self) -> None:
        """End the waiting at once; from any thread."""
        connection = self._connection
        if connection is not None:
            connection.wake()

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._fetch_ahead = connection.ahead
            connection.close()

    def _folders(self) -> tuple[tuple[str, bool], ...]:
        """The inbox last: it stays open, and is the one that IDLE watches. Junk only now and then."""
        imap = self._mailbox.imap
        inbox = (imap.folder, False)
        if imap.junk_folder and time.monotonic() >= self._junk_again:
            return ((imap.junk_folder, True), inbox)
        return (inbox,)

    def _wait(self) -> None:
        if self._connection is None:
            return
        try:
            self._connection.wait(_POLL_SECONDS)
        except TemporaryError as error:
            self._failed(self._mailbox.imap.folder, error)

    def _look_into(self, folder: str, *, junk: bool) -> None:
        """Take in what is new; where a server does not bear several questions at once, from now on one at a time."""
        try:
            self._take_in(folder, junk=junk)
        except TemporaryError as error:
            if self._connection is None or self._connection.ahead or not self._fetch_ahead:
                raise
            log.info("asked one at a time from now on", mailbox=self._mailbox.name, reason=str(error))
            self.close()
            self._take_in(folder, junk=junk)

    def _take_in(self, folder: str, *, junk: bool) -> None:
        if self._connection is None:
            self._connection = self._logged_in()
        try:
            state = self._connection.open(folder)
        except RefusedError:
            if not junk or folder in (there := self._connection.folders()):
                raise
            self._go_without(folder, there)
            return
        uidvalidity, last_uid = self._store.position(self._mailbox.name, folder)
        after = last_uid if uidvalidity == state.uidvalidity else 0
        if state.uidnext > after + 1:
            self._arrived()
        refused = self._store.refused_uids(self._mailbox.name, folder, state.uidvalidity)
        for batch in chain(
            self._connection.fetch_uids(refused, max_octets=self._message_octets),
            self._connection.fetch_new(state, after, max_octets=self._message_octets),
        ):
            self._keep(folder, state, batch, junk=junk)
        self._close_books(self._connection, folder, state, junk=junk)
        self._store.record_round(
            self._mailbox.name, folder, at=self._clock(), good=True, error="", on_server=state.exists
        )

    def _go_without(self, folder: str, there: Sequence[str]) -> None:
        """Go on without the Junk folder, which the server does not have: its name is wrong, or no mail has lain in it yet.

        The log says so once; status and digest show it.
        """
        if not self._lacks_junk:
            names = ", ".join(there)
            log.warning("no such junk folder", mailbox=self._mailbox.name, folder=folder, there_are=names)
        self._lacks_junk = True
        self._store.record_round(
            self._mailbox.name, folder, at=self._clock(), good=True, error="", on_server=None
        )

    def _logged_in(self) -> ImapMailbox:
        """A connection; after some refusals in a row none is asked for before a pause, by a new process neither."""
        name, now = f"login:{self._mailbox.name}", self._clock()
        count, _, last = (self._store.flag(name) or "0").partition(" ")
        if int(count) >= _MOST_REFUSALS:
            again = datetime.fromisoformat(last) + timedelta(seconds=_LOGIN_BACKOFF_SECONDS)
            if datetime.fromisoformat(last) <= now < again:
                raise LoginError(f"the login was refused {count} times; tried again after {again:%H:%M} UTC")
        connection = ImapMailbox(self._mailbox)
        connection.ahead = self._fetch_ahead
        try:
            connection.connect()
        except LoginError:
            self._store.set_flag(name, f"{int(count) + 1} {now.isoformat()}")
            raise
        if count != "0":
            self._store.set_flag(name, "0")
        return connection

    def _close_books(self, connection: ImapMailbox, folder: str, state: FolderState, *, junk: bool) -> None:
        """Compare what the server shows with what is accounted for; look at the UIDs only where the sums differ.

        A mail that was taken and is no longer there is no difference: people move and delete.
        """
        place = (self._mailbox.name, folder, state.uidvalidity)
        before = self._store.balance(*place)
        if not before.missing and self._store.accounted(*place) - before.gone == state.exists:
            return
        shown = connection.present(range(1, state.uidnext))
        missing = sorted(shown - self._store.accounted_uids(*place))
        for batch in connection.fetch_uids(missing, max_octets=self._message_octets):
            self._keep(folder, state, replace(batch, vanished=()), junk=junk)
        left = connection.present(missing) - self._store.accounted_uids(*place) if missing else frozenset()
        if left:
            log.error(
                "mails on the server are not taken in", mailbox=place[0], folder=folder, uids=sorted(left)
            )
            self.books_closed = False
        taken = self._store.accounted_uids(*place, vanished=False)
        after = Balance(
            mailbox=place[0],
            folder=folder,
            uidvalidity=state.uidvalidity,
            gone=len(taken - shown),
            missing=tuple(sorted(left)),
        )
        if after != before:
            self._store.record_balance(after)

    def _keep(self, folder: str, state: FolderState, batch: Batch, *, junk: bool) -> None:
        """Octets first, durably; then the rows that say so, and how far we got."""
        small = {mail.uid: mail.octets for mail in batch.mails if mail.octets is not None}
        hashes = dict(zip(small, self._archive.put_many(list(small.values())), strict=True))
        receipts = [
            Receipt(
                mailbox=self._mailbox.name,
                folder=folder,
                uidvalidity=state.uidvalidity,
                uid=mail.uid,
                sha256=hashes.get(mail.uid, ""),
                size=mail.size,
                received_at=mail.internaldate,
                junk=junk,
            )
            for mail in batch.mails
        ]
        self._store.record_receipts(
            self._mailbox.name,
            folder,
            state.uidvalidity,
            batch.last_uid,
            receipts,
            at=self._clock(),
            skipped_uids=[
                *((uid, "vanished") for uid in batch.vanished),
                *((uid, "refused") for uid in batch.refused),
            ],
        )
        if receipts:
            self._arrived()

    def _failed(self, folder: str, error: TemporaryError) -> None:
        log.warning("mailbox not reached", mailbox=self._mailbox.name, folder=folder, reason=str(error))
        if not isinstance(error, RefusedError):
            self.close()
        if isinstance(error, LoginError):
            self._backoff = _LOGIN_BACKOFF_SECONDS
        else:
            self._backoff = min(self._backoff * 3, _LONGEST_BACKOFF_SECONDS)
        with suppress(TemporaryError):
            self._store.record_round(
                self._mailbox.name, folder, at=self._clock(), good=False, error=str(error), on_server=None
            )
