"""The ledger: receipts, decisions and replies in a chain of hashes, so that a change afterwards shows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One link: its hash is over the link before it and over all that it says."""

    seq: int
    at: datetime
    kind: str
    payload: str
    """Canonical JSON."""
    previous: str
    hash: str


def canonical(values: Mapping[str, object]) -> str:
    """JSON in the one form that is hashed: keys sorted, no blanks, text as it is, halves of characters as `?`."""
    text = json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode(errors="replace").decode()


def utc_text(at: datetime) -> str:
    """A time as it is hashed: in UTC, to the second, whatever offset it came with."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def link(seq: int, at: datetime, kind: str, payload: str, previous: str) -> Entry:
    """The next link of the chain."""
    said = f"{seq}\n{utc_text(at)}\n{kind}\n{payload}\n{previous}"
    return Entry(
        seq=seq,
        at=at,
        kind=kind,
        payload=payload,
        previous=previous,
        hash=hashlib.sha256(said.encode()).hexdigest(),
    )


def first_broken(entries: Iterable[Entry]) -> int | None:
    """The seq of the first link that does not hold; None for a whole chain."""
    previous, expected = GENESIS, 1
    for entry in entries:
        again = link(entry.seq, entry.at, entry.kind, entry.payload, previous)
        if entry.seq != expected or entry.previous != previous or entry.hash != again.hash:
            return expected
        previous, expected = entry.hash, expected + 1
    return None
