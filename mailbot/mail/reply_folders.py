"""The two folders that replies need: Drafts, to lay one for a person, and Sent, to see whether one went out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from imapclient import DRAFT

from mailbot.config import Mailbox
from mailbot.errors import TemporaryError
from mailbot.mail.connection import Connection, RefusedError, Timeouts

_NEWEST = 200
_AT_ONCE = 200


class ReplyFolders(Connection):
    """A second connection, used only for our own replies; the mailbox itself stays read-only. A context manager."""

    def __init__(self, mailbox: Mailbox, timeouts: Timeouts | None = None) -> None:
        super().__init__(mailbox.imap, timeouts)
        self._imap = mailbox.imap

    def append_draft(self, octets: bytes) -> None:
        """Lay a mail into the Drafts folder. Raises TemporaryError where the folder does not take it."""
        with self._limited(f"APPEND to {self._imap.drafts_folder}") as client:
            client.append(self._imap.drafts_folder, octets, flags=(DRAFT,))

    def has_draft(self, message_id: str) -> bool:
        """Whether the Drafts folder holds the mail of that Message-ID."""
        return self._holds(self._imap.drafts_folder, message_id)

    def has_sent(self, message_id: str) -> bool:
        """Whether the Sent folder holds the mail of that Message-ID; False also where there is no such folder.

        Raises TemporaryError where the server cannot be asked.
        """
        with suppress(RefusedError):
            return self._holds(self._imap.sent_folder, message_id)
        return False

    def sent_marks(self, newest: int = _NEWEST) -> frozenset[str]:
        """`marks` of each of so many newest mails in the Sent folder; none where there is no such folder.

        Raises TemporaryError where the server cannot be asked, RefusedError where it has the folder and does not show it.
        """
        return self._marks_in(self._imap.sent_folder, newest)

    def draft_marks(self, newest: int = _NEWEST) -> frozenset[str]:
        """The same of the Drafts folder."""
        return self._marks_in(self._imap.drafts_folder, newest)

    def _marks_in(self, folder: str, newest: int) -> frozenset[str]:
        try:
            headers = self._newest(folder, newest)
        except RefusedError:
            if folder in self.folders():
                raise
            return frozenset()
        return frozenset(mark for header in headers for mark in _marks(header))

    def _holds(self, folder: str, message_id: str) -> bool:
        wanted = message_id.encode()
        return any(wanted in header for header in self._newest(folder))

    def _newest(self, folder: str, most: int = _NEWEST) -> tuple[bytes, ...]:
        """The headers of the newest mails, to be looked through by ourselves: SEARCH is not to be trusted."""
        exists = self._examine(folder)
        headers: list[bytes] = []
        for first in range(max(1, exists - most + 1), exists + 1, _AT_ONCE):
            headers += self._headers(folder, range(first, min(first + _AT_ONCE, exists + 1)))
        return tuple(headers)

    def _examine(self, folder: str) -> int:
        """Open a folder; returns how many mails it holds."""
        with self._limited(f"EXAMINE {folder}") as client:
            return int(client.select_folder(folder, readonly=True)[b"EXISTS"])

    def _headers(self, folder: str, numbers: Sequence[int]) -> list[bytes]:
        """Those of the mails with these sequence numbers; once more over a new connection where the server has ended this
        one, as providers do with long ones."""
        try:
            return self._fetch_headers(folder, numbers)
        except RefusedError:
            raise
        except TemporaryError:
            self.connect()
            self._examine(folder)
            return self._fetch_headers(folder, numbers)

    def _fetch_headers(self, folder: str, numbers: Sequence[int]) -> list[bytes]:
        with self._limited(f"FETCH in {folder}") as client:
            client.use_uid = False
            try:
                answer = client.fetch(list(numbers), ["BODY.PEEK[HEADER]"])
            finally:
                client.use_uid = True
        return [data.get(b"BODY[HEADER]", b"") for data in answer.values()]


def marks(message_id: str, subject: str, to: str = "") -> frozenset[str]:
    """By what a letter of ours is known again: mail programs may give a draft another Message-ID when it is sent.

    `to` where several letters have the same subject.
    """
    subject = "".join(subject.split())
    return frozenset((message_id, f"{subject} {to.lower()}")) if subject else frozenset((message_id,))


def _marks(header: bytes) -> Iterator[str]:
    from email.parser import BytesParser
    from email.policy import default

    message = BytesParser(policy=default).parsebytes(header, headersonly=True)
    message_id, subject = ("".join(str(message[name] or "").split()) for name in ("Message-ID", "Subject"))
    yield from marks(message_id, subject)
    for one in message["To"].addresses if message["To"] else ():
        yield from marks(message_id, subject, one.addr_spec)
