"""Watches the folders of one mailbox: what is new is made durable and recorded; nothing on the server changes.

Its own thread and its own connection, so that a dead mailbox never holds up the other.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import structlog

from mailbot.config import Mailbox
from mailbot.errors import LoginError, TemporaryError
from mailbot.mail.imap import Batch, FolderState, ImapMailbox
from mailbot.records import Receipt
from mailbot.store.archive import Archive
from mailbot.store.store import Store

log = structlog.get_logger()

_FIRST_BACKOFF_SECONDS = 2.0
_LONGEST_BACKOFF_SECONDS = 300.0
_LOGIN_BACKOFF_SECONDS = 1800.0
"""A refused login is for a person to mend; trying fast only locks the account."""
_POLL_SECONDS = 300.0


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
        self._backoff = _FIRST_BACKOFF_SECONDS

    def stay(self, stop: threading.Event) -> None:
        """Round after round until told to stop; between them wait for mail, or longer after each failure."""
        while not stop.is_set():
            if self.round():
                self._wait()
            else:
                stop.wait(self._backoff)

    def round(self) -> bool:
        """Take in all that is new in every folder. False where the mailbox could not be reached."""
        good = True
        for folder, junk in self._folders():
            try:
                self._take_in(folder, junk=junk)
            except TemporaryError as error:
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
            connection.close()

    def _folders(self) -> tuple[tuple[str, bool], ...]:
        """The inbox last: it stays open, and is the one that IDLE watches."""
        imap = self._mailbox.imap
        return (*(((imap.junk_folder, True),) if imap.junk_folder else ()), (imap.folder, False))

    def _wait(self) -> None:
        if self._connection is None:
            return
        try:
            self._connection.wait(_POLL_SECONDS)
        except TemporaryError as error:
            self._failed(self._mailbox.imap.folder, error)

    def _take_in(self, folder: str, *, junk: bool) -> None:
        if self._connection is None:
            self._connection = ImapMailbox(self._mailbox)
            self._connection.connect()
        state = self._connection.open(folder)
        uidvalidity, last_uid = self._store.position(self._mailbox.name, folder)
        after = last_uid if uidvalidity == state.uidvalidity else 0
        for batch in self._connection.fetch_new(state, after, max_octets=self._message_octets):
            self._keep(folder, state, batch, junk=junk)
        self._store.record_round(
            self._mailbox.name, folder, at=self._clock(), good=True, error="", on_server=state.exists
        )

    def _keep(self, folder: str, state: FolderState, batch: Batch, *, junk: bool) -> None:
        """Octets first, durably; then the rows that say so, and how far we got."""
        small = [mail for mail in batch.mails if mail.octets is not None]
        hashes = dict(
            zip((mail.uid for mail in small), self._archive.put_many([m.octets for m in small]), strict=True)
        )
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
            self._mailbox.name, folder, state.uidvalidity, batch.last_uid, receipts, at=self._clock()
        )
        self._arrived()

    def _failed(self, folder: str, error: TemporaryError) -> None:
        log.warning("mailbox not reached", mailbox=self._mailbox.name, folder=folder, reason=str(error))
        self.close()
        longest = _LOGIN_BACKOFF_SECONDS if isinstance(error, LoginError) else _LONGEST_BACKOFF_SECONDS
        self._backoff = longest if isinstance(error, LoginError) else min(self._backoff * 3, longest)
        with suppress(TemporaryError):
            self._store.record_round(
                self._mailbox.name, folder, at=self._clock(), good=False, error=str(error), on_server=None
            )
