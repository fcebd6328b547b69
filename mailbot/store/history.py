"""What the ledger says happened, read from its first link to its last: the witness of rows and replies."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import IO, Any

from mailbot.errors import UsageError
from mailbot.model import Outcome, ReplyState
from mailbot.records import SUPERSEDED
from mailbot.store.ledger import Entry, canonical, utc_text

REBUILT = "rebuilt"
"""The flag that says when the database was made again."""
BEGUN = "begun"
"""The flag that says when a new database was begun, perhaps in the place of one that is lost."""
_REPLY_STATES = frozenset(state.value for state in ReplyState)
DROPPED = "dropped"
"""The link that says that a reply is not to go any more."""
RENAMED = "renamed"
"""The link that says that an organization is kept under another name."""
_DECIDING = frozenset({"decided", "rescored"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedFact:
    """A receipt as the ledger has it."""

    message: int
    mailbox: str
    folder: str
    uidvalidity: int
    uid: int
    sha256: str
    size: int
    received_at: datetime
    recorded_at: datetime
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedFact:
    """The last decision on a message."""

    outcome: str
    organization: str | None
    at: datetime


@dataclass(slots=True, kw_only=True)
class ReplyFact:
    """A reply as the ledger has it, in its last state."""

    message: int
    message_id: str
    kind: str
    to: str
    state: str
    queued_at: datetime
    changed_at: datetime
    attempts: int = 0
    error: str = ""
    dropped: str = ""


@dataclass(slots=True)
class History:
    """All facts of a ledger."""

    received: dict[int, ReceivedFact] = field(default_factory=dict)
    decided: dict[int, DecidedFact] = field(default_factory=dict)
    first_decided: dict[int, datetime] = field(default_factory=dict)
    """In the order in which the messages were first decided."""
    replies: dict[str, ReplyFact] = field(default_factory=dict)
    attempts: dict[int, int] = field(default_factory=dict)
    """Failures of processing, by message."""
    links: int = 0
    head: str = ""
    """Hash of the newest link."""

    def take(self, entry: Entry) -> None:
        """Add what one link says."""
        said: dict[str, Any] = json.loads(entry.payload)
        self.links, self.head = self.links + 1, entry.hash
        if entry.kind == "received":
            self.received[said["message"]] = _received(entry, said)
        elif entry.kind in _DECIDING:
            self.first_decided.setdefault(said["message"], entry.at)
            self.decided[said["message"]] = DecidedFact(
                outcome=said["outcome"], organization=said["organization"], at=entry.at
            )
        elif entry.kind == "taken_in":
            asked = self.decided[said["message"]]
            self.decided[said["message"]] = replace(asked, organization=said["organization"])
        elif entry.kind == "superseded":
            old = self.decided[said["message"]]
            self.decided[said["message"]] = DecidedFact(
                outcome=Outcome.IGNORED.value, organization=old.organization, at=old.at
            )
        elif entry.kind == RENAMED:
            self.rename(said["organization"], said["name"])
        elif entry.kind == "failed" and "attempt" in said:
            self.attempts[said["message"]] = said["attempt"]
        elif entry.kind in _REPLY_STATES:
            self._reply(entry, said)
        elif entry.kind == DROPPED:
            self._dropped(said)

    def rename(self, known: str, name: str) -> None:
        """An organization is another by name from here on."""
        for number, fact in self.decided.items():
            if fact.organization == known:
                self.decided[number] = replace(fact, organization=name)

    def _reply(self, entry: Entry, said: dict[str, Any]) -> None:
        if "kind" in said:
            self.replies[said["reply"]] = ReplyFact(
                message=said["message"],
                message_id=said["reply"],
                kind=said["kind"],
                to=said["to"],
                state=entry.kind,
                queued_at=entry.at,
                changed_at=entry.at,
            )
            return
        reply = self.replies[said["reply"]]
        reply.state, reply.changed_at = entry.kind, entry.at
        if "by" in said and entry.kind == ReplyState.QUEUED.value:
            reply.queued_at, reply.attempts, reply.error = entry.at, 0, ""
        elif "error" in said:
            reply.error = said["error"]
            tried = said.get("tried", bool(reply.error) or entry.kind != ReplyState.QUEUED.value)
            reply.attempts += 1 if tried and entry.kind != ReplyState.HELD.value else 0

    def _dropped(self, said: dict[str, Any]) -> None:
        reply = self.replies[said["reply"]]
        reply.dropped = dropped_words(said.get("by", ""), said["why"])
        if reply.state == ReplyState.QUEUED.value:
            reply.state = ReplyState.HELD.value


def dropped_words(by: str, why: str) -> str:
    """What is kept beside a reply that is not to go any more."""
    return f"{by}：{why}" if by else SUPERSEDED


def _received(entry: Entry, said: dict[str, Any]) -> ReceivedFact:
    return ReceivedFact(
        message=said["message"],
        mailbox=said["mailbox"],
        folder=said["folder"],
        uidvalidity=said["uidvalidity"],
        uid=said["uid"],
        sha256=said["sha256"],
        size=said["size"],
        received_at=datetime.fromisoformat(said["received_at"]),
        recorded_at=entry.at,
        hash=entry.hash,
    )


def write_lines(entries: Iterable[Entry], stream: IO[bytes]) -> int:
    """The ledger as JSON lines, one link each; returns how many."""
    links = 0
    for entry in entries:
        line = {
            "seq": entry.seq,
            "at": utc_text(entry.at),
            "kind": entry.kind,
            "payload": json.loads(entry.payload),
            "previous": entry.previous,
            "hash": entry.hash,
        }
        stream.write(json.dumps(line, ensure_ascii=False).encode(errors="replace") + b"\n")
        links += 1
    return links


def read_lines(stream: IO[bytes], name: str) -> Iterator[Entry]:
    """Links from JSON lines, unproven. Raises UsageError at a line that is none."""
    for number, line in enumerate(stream, 1):
        try:
            said = json.loads(line)
            yield Entry(
                seq=said["seq"],
                at=datetime.fromisoformat(said["at"]).astimezone(UTC),
                kind=said["kind"],
                payload=canonical(said["payload"]),
                previous=said["previous"],
                hash=said["hash"],
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(f"{name}: line {number} is no link of a ledger") from error
