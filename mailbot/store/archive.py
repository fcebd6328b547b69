"""The archive of raw mails: each file is named by its sha256, durable before anybody says so, and never changed."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from mailbot.errors import MailbotError, TemporaryError


class ArchiveError(MailbotError):
    """A file of the archive is missing or is not what it was."""


class Archive:
    """Octets by their sha256 in one folder: each more would ask for an fsync of its own. Files 0600, folders 0700."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put_many(self, mails: Sequence[bytes]) -> list[str]:
        """Keep some mails durably; returns their sha256. One fsync a mail, and one for the folder.

        A file that is there already is not trusted to be durable: a crash may have left it so.

        Raises TemporaryError where the disk does not take them; then nothing is promised of any.
        """
        hashes: list[str] = []
        try:
            self._make_folder(self._directory)
            for octets in mails:
                sha256 = hashlib.sha256(octets).hexdigest()
                path = self.path(sha256)
                if not self._holds(path, octets):
                    self._keep(path, octets)
                hashes.append(sha256)
            if hashes:
                _sync_folder(self._directory)
        except OSError as error:
            advice = "; make room on its disk" if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
            said = f"the archive cannot be written: {self._directory}: {error.strerror}{advice}"
            raise TemporaryError(said) from error
        return hashes

    @staticmethod
    def _holds(path: Path, octets: bytes) -> bool:
        """Whether the file is there whole; a truncated or changed one is written anew."""
        try:
            return path.stat().st_size == len(octets) and path.read_bytes() == octets
        except FileNotFoundError:
            return False

    def _keep(self, path: Path, octets: bytes) -> None:
        """Write one file whole or not at all."""
        temporary = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.tmp")
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(octets)
                file.flush()
                os.fsync(descriptor)
            temporary.rename(path)
        except OSError:
            with suppress(OSError):
                temporary.unlink()
            raise

    def _make_folder(self, folder: Path) -> None:
        if folder.is_dir():
            return
        self._make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        _sync_folder(folder.parent)

    def get(self, sha256: str) -> bytes:
        """The octets. Raises ArchiveError where the file is missing or has another hash."""
        try:
            octets = self.path(sha256).read_bytes()
        except OSError as error:
            raise ArchiveError(f"{sha256}: {error.strerror}") from error
        if hashlib.sha256(octets).hexdigest() != sha256:
            raise ArchiveError(f"{sha256}: the file has changed")
        return octets

    def path(self, sha256: str) -> Path:
        """Where the octets of that hash lie or would lie."""
        return self._directory / f"{sha256}.eml"

    def hashes(self) -> Iterator[str]:
        """Every hash that has a file."""
        for file in self._directory.glob("*.eml"):
            yield file.stem


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
