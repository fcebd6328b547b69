"""The archive: durable before anybody says so, whole or not there, and never silently wrong."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mailbot.errors import TemporaryError
from mailbot.store.archive import Archive, ArchiveError

MAILS = [b"From: a@example.org\r\n\r\nfirst\r\n", b"", b"\x00\xff" * 5000]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "storage" / "archive"


@pytest.fixture
def archive(directory: Path) -> Archive:
    return Archive(directory)


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """(path, whether it lies at its final place by then) of everything that was synced to disk, in order."""
    done: list[tuple[str, bool]] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        done.append((path, Path(path).suffix in ("", ".eml")))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    return done


def test_the_octets_come_back_as_they_were(archive: Archive) -> None:
    hashes = archive.put_many(MAILS)
    assert hashes == [hashlib.sha256(octets).hexdigest() for octets in MAILS]
    assert [archive.get(sha256) for sha256 in hashes] == MAILS
    assert sorted(archive.hashes()) == sorted(hashes)
    assert archive.put_many([]) == []


def test_everything_is_for_the_owner_alone(archive: Archive, directory: Path) -> None:
    mask = os.umask(0)
    try:
        (sha256,) = archive.put_many([b"mail"])
    finally:
        os.umask(mask)
    file = archive.path(sha256)
    assert file == directory / f"{sha256}.eml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for folder in (file.parent, directory, directory.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [f.name for f in file.parent.iterdir()] == [file.name]


def test_each_file_and_each_folder_is_synced_before_it_counts(
    archive: Archive, directory: Path, synced: list[tuple[str, bool]]
) -> None:
    hashes = archive.put_many(MAILS)
    files = [path for path, final in synced if not final]
    assert len(files) == len(MAILS), "each file is synced under its temporary name, before the rename"
    folders = {path for path, final in synced if final}
    assert folders == {
        str(directory.parent.parent),
        str(directory.parent),
        str(directory),
        *(str(archive.path(sha256).parent) for sha256 in hashes),
    }
    last = max(n for n, (_, final) in enumerate(synced) if not final)
    assert {path for path, _ in synced[last + 1 :]} >= {str(archive.path(s).parent) for s in hashes}


def test_the_same_again_writes_nothing_but_makes_sure(
    archive: Archive, directory: Path, synced: list[tuple[str, bool]]
) -> None:
    (sha256,) = archive.put_many([b"mail"])
    before = archive.path(sha256).stat()
    synced.clear()
    assert archive.put_many([b"mail", b"mail"]) == [sha256, sha256]
    after = archive.path(sha256).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert {path for path, _ in synced} == {str(directory), str(archive.path(sha256).parent)}


@pytest.mark.parametrize("damage", [b"", b"mai", b"main"], ids=["emptied", "truncated", "changed"])
def test_a_damaged_file_is_noticed_and_mended_when_the_mail_comes_again(
    archive: Archive, damage: bytes
) -> None:
    (sha256,) = archive.put_many([b"mail"])
    archive.path(sha256).write_bytes(damage)
    with pytest.raises(ArchiveError, match="has changed"):
        archive.get(sha256)
    archive.put_many([b"mail"])
    assert archive.get(sha256) == b"mail"


def test_a_file_that_is_not_there_is_told(archive: Archive) -> None:
    with pytest.raises(ArchiveError, match="No such file"):
        archive.get("ab" * 32)
    assert list(archive.hashes()) == []


def test_what_a_crash_left_half_written_is_no_mail(archive: Archive) -> None:
    (sha256,) = archive.put_many([b"mail"])
    archive.path(sha256).with_suffix(".1-1.tmp").write_bytes(b"ma")
    assert list(archive.hashes()) == [sha256]


def test_the_same_mail_from_both_mailboxes_at_once(archive: Archive) -> None:
    octets = os.urandom(200_000)
    failed: list[BaseException] = []
    ready = threading.Barrier(2)

    def put() -> None:
        try:
            for n in range(20):
                ready.wait()
                archive.put_many([octets + bytes([n])])
                archive.get(hashlib.sha256(octets + bytes([n])).hexdigest())
        except BaseException as error:
            failed.append(error)
            ready.abort()

    threads = [threading.Thread(target=put) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_a_directory_that_cannot_be_is_temporary(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TemporaryError, match="the archive cannot be written"):
        Archive(tmp_path / "file" / "archive").put_many([b"mail"])


def test_a_directory_that_cannot_be_written_is_temporary() -> None:
    with pytest.raises(TemporaryError, match="the archive cannot be written"):
        Archive(Path("/proc/mailbot")).put_many([b"mail"])


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC, errno.EDQUOT])
def test_a_sync_that_fails_promises_nothing_and_leaves_nothing(
    archive: Archive, directory: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    archive.put_many([b"before"])

    def fsync(descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", fsync)
        with pytest.raises(TemporaryError):
            archive.put_many([b"mail"])
    assert list(archive.hashes()) == [hashlib.sha256(b"before").hexdigest()]
    assert list(directory.rglob("*.tmp")) == []
    assert archive.get(archive.put_many([b"mail"])[0]) == b"mail"


_FULL = """
import resource, signal, sys
from pathlib import Path
from mailbot.errors import TemporaryError
from mailbot.store.archive import Archive
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
archive = Archive(Path(sys.argv[1]))
small = archive.put_many([b"s" * 1000])[0]
try:
    archive.put_many([b"x" * 1001])
except TemporaryError as error:
    print(error)
assert archive.get(small) == b"s" * 1000
assert list(archive.hashes()) == [small]
"""


def test_a_disk_that_takes_no_more_is_temporary_and_keeps_no_half_file(directory: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _FULL, str(directory)], check=True, capture_output=True, text=True
    )
    assert "File too large" in done.stdout
    assert list(directory.rglob("*.tmp")) == []
