"""Proves what is kept: the ledger's chain, the archive hash by hash, rows and replies against the ledger, the books."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from mailbot.errors import UsageError
from mailbot.records import MessageRecord, ReplyRecord
from mailbot.store.archive import Archive, ArchiveError
from mailbot.store.history import History, ReceivedFact, read_lines
from mailbot.store.ledger import Entry, first_broken, utc_text
from mailbot.store.store import Store

_MOST_LOOKS = 3
_UNDER_WAY = timedelta(minutes=10)
"""A file this young may belong to a mail that a worker is recording at this moment."""
_RESTORED = (
    "where the database was restored, its letter may have left: run `mailbot rebuild` before anything else, which holds "
    "it; else `mailbot ingest` takes it in"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was looked at, and all that is wrong with it."""

    mails: int
    links: int
    replies: int
    head: str
    """Hash of the newest link: whoever keeps it can prove later that nothing before it was changed."""
    faults: tuple[str, ...]


def verify(store: Store, archive: Archive, *, now: datetime) -> Proof:
    """Look at everything, changing nothing; again, where a worker wrote something meanwhile."""
    for _ in range(_MOST_LOOKS):
        proof = _look(store, archive, now)
        if not proof.faults or store.newest_link().hash == proof.head:
            break
    return proof


def _look(store: Store, archive: Archive, now: datetime) -> Proof:
    facts = History()
    broken = first_broken(_proven(store.ledger(), facts))
    files = frozenset(archive.hashes())
    faults: list[str] = []
    rows = _Rows(facts, archive, files)
    for mail in store.messages():
        faults += rows.look(mail, whole_ledger=broken is None)
    if broken is None:
        faults += rows.missing()
    else:
        faults.insert(0, f"the ledger is broken at link {broken}")
    faults += rows.without_row(now)
    faults += _books(store)
    return Proof(
        mails=rows.mails, links=facts.links, replies=len(rows.replies), head=facts.head, faults=tuple(faults)
    )


def _proven(entries: Iterable[Entry], facts: History) -> Iterator[Entry]:
    """Links, each taken as a fact only when whoever proves the chain asks for the next."""
    for entry in entries:
        yield entry
        facts.take(entry)


def differences(exported: Path, store: Store) -> tuple[str, ...]:
    """Whether the ledger still begins as one that was exported earlier. Raises UsageError where that is none."""
    try:
        with exported.open("rb") as stream:
            kept = tuple(read_lines(stream, str(exported)))
    except OSError as error:
        raise UsageError(f"{exported}: {error.strerror}") from error
    broken = first_broken(kept)
    if broken is not None:
        return (f"{exported}: broken at link {broken}",)
    for ours, theirs in itertools.zip_longest(itertools.islice(store.ledger(), len(kept)), kept):
        if ours != theirs:
            return (f"the ledger differs from {exported} from link {theirs.seq} on",)
    return ()


class _Rows:
    """The rows, looked at one by one against the ledger and the archive."""

    def __init__(self, facts: History, archive: Archive, files: frozenset[str]) -> None:
        self._facts = facts
        self._archive = archive
        self._files = files
        self._hashes: set[str] = set()
        self._numbers: set[int] = set()
        self.replies: set[str] = set()

    @property
    def mails(self) -> int:
        """How many there were."""
        return len(self._numbers)

    def look(self, mail: MessageRecord, *, whole_ledger: bool) -> Iterator[str]:
        """What is wrong with one message, its file and its replies."""
        self._numbers.add(mail.id)
        self.replies |= {reply.message_id for reply in mail.replies}
        if mail.sha256 and mail.sha256 not in self._hashes:
            self._hashes.add(mail.sha256)
            try:
                self._archive.get(mail.sha256)
            except ArchiveError as error:
                yield f"message {mail.id}: {error}"
        if whole_ledger:
            yield from _row(self._facts, mail)
            for reply in mail.replies:
                yield from _reply(self._facts, reply)

    def missing(self) -> Iterator[str]:
        """What the ledger knows and no row has."""
        for number in sorted(self._facts.received.keys() - self._numbers):
            yield f"message {number}: the ledger has its receipt, and there is no row"
        for name in sorted(self._facts.replies.keys() - self.replies):
            yield f"reply {name}: the ledger has it, and there is no row"

    def without_row(self, now: datetime) -> Iterator[str]:
        """Files of the archive that no row names."""
        for sha256 in sorted(self._files - self._hashes):
            path = self._archive.path(sha256)
            with suppress(OSError):
                if now.timestamp() - path.stat().st_mtime > _UNDER_WAY.total_seconds():
                    yield f"{path}: a mail without a row; {_RESTORED}"


def _row(facts: History, mail: MessageRecord) -> Iterator[str]:
    received = facts.received.get(mail.id)
    if received is None:
        yield f"message {mail.id}: the ledger has no receipt of it"
        return
    for what in _differs(mail, received):
        yield f"message {mail.id}: its {what} is not what the ledger says"
    decided = facts.decided.get(mail.id)
    outcome, organization = (decided.outcome, decided.organization) if decided else (None, None)
    if (mail.outcome.value if mail.outcome else None) != outcome:
        yield f"message {mail.id}: its outcome is {mail.outcome}, and the ledger says {outcome}"
    elif mail.organization != organization:
        yield f"message {mail.id}: its organization is {mail.organization}, and the ledger says {organization}"


def _differs(mail: MessageRecord, received: ReceivedFact) -> Iterator[str]:
    if mail.receipt_hash != received.hash:
        yield "receipt hash"
    if (mail.sha256, mail.size) != (received.sha256, received.size):
        yield "sha256 or size"
    if utc_text(mail.received_at) != utc_text(received.received_at):
        yield "receipt time"
    if mail.mailbox != received.mailbox:
        yield "mailbox"


def _reply(facts: History, reply: ReplyRecord) -> Iterator[str]:
    fact = facts.replies.get(reply.message_id)
    if fact is None:
        yield f"reply {reply.message_id}: the ledger does not know it"
    elif (reply.message, reply.kind.value, reply.to) != (fact.message, fact.kind, fact.to):
        yield f"reply {reply.message_id}: it is not what the ledger says"
    elif reply.state.value != fact.state:
        yield f"reply {reply.message_id}: it is {reply.state.value}, and the ledger says {fact.state}"
    elif reply.dropped != fact.dropped:
        yield f"reply {reply.message_id}: it is not the ledger's word that it was dropped or is to go"


def _books(store: Store) -> Iterator[str]:
    for book in store.open_books():
        uids = ", ".join(map(str, book.missing))
        yield f"{book.mailbox}/{book.folder}: on the server and not taken in: UID {uids}"
