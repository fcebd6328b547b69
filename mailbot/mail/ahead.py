"""FETCH commands that are sent before the answers to those before them are read (RFC 3501 §5.5).

What is planned is only sent earlier. Each answer is read where it is asked for: until then it waits on the wire, or
here where the server answers several commands together (Dovecot takes up four at once and ends them afterwards). What
comes otherwise than planned is asked for once more, alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from imapclient import IMAPClient

from mailbot.config import Imap
from mailbot.errors import TemporaryError
from mailbot.mail.connection import Connection, RefusedError, Timeouts
from mailbot.mail.fetched import Answer, parsed

_MOST = 32
"""How many commands are on their way at once."""
_MOST_OCTETS = 32 * 2**20
"""How much their answers may come to together: a server may give them all before it ends the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """One UID FETCH."""

    uids: tuple[int, ...]
    items: tuple[str, ...]
    wanted: bytes
    """What has to be in the answer for each of the mails, as the server names it."""
    octets: int = 0
    """About how much the answer comes to."""

    def answered_by(self, answer: Answer) -> bool:
        """Whether nothing is lacking."""
        return all(answer.get(uid, {}).get(self.wanted) is not None for uid in self.uids)


class FetchingConnection(Connection):
    """A connection on which several FETCH may be on their way."""

    def __init__(self, imap: Imap, timeouts: Timeouts | None = None) -> None:
        super().__init__(imap, timeouts)
        self.ahead = True
        """Whether commands are sent ahead; False once a connection broke over it."""
        self._planned: deque[Fetch] = deque()
        self._sent: deque[tuple[Fetch, bytes]] = deque()
        self._early: Answer = {}
        """What came before it was asked for here."""

    def _plan(self, fetches: Iterable[Fetch]) -> None:
        """What will be asked for next, in this order; nothing where a plan is under way."""
        if self.ahead and not self._planned and not self._sent:
            self._early.clear()
            self._planned.extend(fetches)

    def _fetch(self, fetch: Fetch) -> Answer:
        """The answer to one FETCH. Raises RefusedError and TemporaryError as every command."""
        self._send_ahead()
        if self._sent and self._sent[0][0] == fetch:
            answer = self._planned_answer()
            if fetch.answered_by(answer):
                return answer
        self._give_up_plan()
        with self._limited("UID FETCH") as client:
            return _answer(client, _ask(client, fetch))

    def _send_ahead(self) -> None:
        """Some together, when half of them are answered."""
        if not self._planned or not self._room(_MOST // 2, _MOST_OCTETS // 2):
            return
        with self._limited("UID FETCH") as client:
            while self._planned and self._room(_MOST, _MOST_OCTETS):
                fetch = self._planned.popleft()
                self._sent.append((fetch, _ask(client, fetch)))

    def _room(self, commands: int, octets: int) -> bool:
        return len(self._sent) < commands and sum(fetch.octets for fetch, _ in self._sent) < octets

    def _planned_answer(self) -> Answer:
        """To the command that was sent first; nothing where the server refused it."""
        fetch, tag = self._sent[0]
        try:
            with self._limited("UID FETCH") as client:
                for uid, data in _answer(client, tag).items():
                    self._early.setdefault(uid, {}).update(data)
        except RefusedError:
            pass
        except TemporaryError:
            self.ahead = False
            raise
        self._sent.popleft()
        early = self._early
        return {
            uid: {fetch.wanted: early[uid].pop(fetch.wanted)}
            for uid in fetch.uids
            if fetch.wanted in early.get(uid, ())
        }

    def _give_up_plan(self) -> None:
        """Read past what is on its way."""
        self._planned.clear()
        while self._sent:
            self._planned_answer()
        self._early.clear()

    def _drop(self) -> None:
        self._planned.clear()
        self._sent.clear()
        self._early.clear()
        super()._drop()

    def close(self) -> None:
        """Log out if that is quick, and drop the connection; at once where answers are on their way."""
        if self._sent:
            self._drop()
        super().close()


def _ask(client: IMAPClient, fetch: Fetch) -> bytes:
    """Send the command; returns its tag."""
    uids = ",".join(map(str, fetch.uids))
    return bytes(client._imap._command("UID", "FETCH", uids, f"({' '.join(fetch.items)})"))


def _answer(client: IMAPClient, tag: bytes) -> Answer:
    status, said = client._imap._command_complete("FETCH", tag)
    client._checkok("fetch", status, said)
    _, said = client._imap._untagged_response(status, said, "FETCH")
    return parsed(said)
