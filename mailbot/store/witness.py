"""The ledger's newest link at the moment a letter left, in a file beside the database: an older database lacks that link.

One line, always as long, written in place and never synced: a witness that is a little older is only weaker.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mailbot.errors import TemporaryError
from mailbot.log import log
from mailbot.store.ledger import GENESIS

_LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Link:
    """Where a link stands in the chain, and its hash."""

    seq: int
    hash: str


BEGINNING = Link(seq=0, hash=GENESIS)
"""Before the first link; every ledger holds it."""


class Witness:
    """The file of one campaign: others may lie in the same directory."""

    def __init__(self, directory: Path, campaign: str) -> None:
        self.path = directory / f"witness-{campaign}"

    def read(self) -> Link | None:
        """What was written last; None where there is no file, or no link in it. Raises TemporaryError."""
        try:
            with _locked(self.path, os.O_RDONLY) as descriptor:
                return _read(descriptor)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise TemporaryError(f"{self.path} cannot be read: {error.strerror}") from error

    def advance(self, link: Link) -> None:
        """A letter leaves now. Where that cannot be written, an earlier link stands for it."""
        try:
            with _locked(self.path, os.O_RDWR | os.O_CREAT) as descriptor:
                if link > (_read(descriptor) or BEGINNING):
                    _write(descriptor, link)
        except OSError as error:
            log.warning(
                "the witness of what was sent is not up to date", file=self.path, reason=error.strerror
            )

    def renew(self, link: Link) -> None:
        """From now on this one, durably, whatever stood there. Raises TemporaryError."""
        try:
            with _locked(self.path, os.O_RDWR | os.O_CREAT) as descriptor:
                _write(descriptor, link)
                os.fsync(descriptor)
        except OSError as error:
            raise TemporaryError(f"{self.path} cannot be written: {error.strerror}") from error


@contextmanager
def _locked(path: Path, flags: int) -> Iterator[int]:
    descriptor = os.open(path, flags, 0o600)
    try:
        if flags & os.O_CREAT and os.geteuid() == 0:
            owner = path.parent.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _read(descriptor: int) -> Link | None:
    seq, _, said = os.pread(descriptor, _LONGEST, 0).decode(errors="replace").strip().partition(" ")
    return Link(seq=int(seq), hash=said) if seq.isdecimal() else None


def _write(descriptor: int, link: Link) -> None:
    os.pwrite(descriptor, f"{link.seq:020d} {link.hash}\n".encode(), 0)
