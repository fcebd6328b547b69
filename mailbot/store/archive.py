"""The archive of raw mails: each file is named by its sha256, durable before anybody says so, and never changed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from mailbot.errors import MailbotError, TemporaryError


class ArchiveError(MailbotError):
    """A file of the archive is missing or is not what it was."""


class Archive:
    """Octets by their sha256, below one directory (`ab/cd….eml`), files 0600 and folders 0700."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put_many(self, mails: Sequence[bytes]) -> list[str]:
        """Keep some mails durably; returns their sha256. One fsync a mail, and one for each folder touched.

        Raises TemporaryError where the disk does not take them; then nothing is promised of any.
        """
        hashes: list[str] = []
        folders: set[Path] = set()
        try:
            for octets in mails:
                sha256 = hashlib.sha256(octets).hexdigest()
                if self._keep(self.path(sha256), octets):
                    folders.add(self.path(sha256).parent)
                hashes.append(sha256)
            for folder in folders:
                _sync_folder(folder)
        except OSError as error:
            raise TemporaryError(f"the archive cannot be written: {error}") from error
        return hashes

    def _keep(self, path: Path, octets: bytes) -> bool:
        """Write one file whole or not at all; False where it is there already."""
        if path.exists() and path.stat().st_size == len(octets):
            return False
        self._make_folder(path.parent)
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(octets)
            file.flush()
            os.fsync(descriptor)
        temporary.rename(path)
        return True

    def _make_folder(self, folder: Path) -> None:
        if folder.is_dir():
            return
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
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
        return self._directory / sha256[:2] / f"{sha256[2:]}.eml"

    def hashes(self) -> Iterator[str]:
        """Every hash that has a file."""
        for file in self._directory.glob("??/*.eml"):
            yield file.parent.name + file.stem


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
