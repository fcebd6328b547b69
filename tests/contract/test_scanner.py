"""The edge to clamd: a real one, and one that fails in each of its ways. Only a clear OK lets anything through."""

from __future__ import annotations

import io
import socket
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mailbot.documents.scanner import Scanner
from mailbot.errors import ScannerError
from tests import clamd
from tests.e2e.office import mail
from tests.servers import free_port


@pytest.fixture(scope="module")
def real() -> Iterator[Scanner]:
    with clamd.Clamd() as server:
        yield Scanner(server.socket)


def _zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("表.com", data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("octets", "found"),
    [
        (b"", ""),
        (b"\xe8\x87\xaa\xe8\xaf\x84\xe8\xa1\xa8" * 100_000, ""),
        (clamd.EICAR, "Eicar-Test-Signature"),
        (_zipped(clamd.EICAR), "Eicar-Test-Signature"),
        (b"x" * 700_000 + clamd.MARK, "Mailbot.Test.Mark"),
        (mail({"自评表.zip": _zipped(b"text " + clamd.MARK)}), "Mailbot.Test.Mark"),
    ],
    ids=["empty", "clean", "eicar", "zipped", "late", "mail"],
)
def test_a_real_clamd_names_what_it_finds(real: Scanner, tmp_path: Path, octets: bytes, found: str) -> None:
    (tmp_path / "mail").write_bytes(octets)
    said = real.scan((octets,))
    assert said.removesuffix(".UNOFFICIAL") == found
    assert real.scan_file(tmp_path / "mail") == said


def test_what_a_real_clamd_is_not_allowed_to_look_through_is_not_let_through(real: Scanner) -> None:
    with pytest.raises(ScannerError, match="size limit exceeded"):
        real.scan((bytes(clamd.STREAM_MAX + 2**20),))
    assert real.scan((b"the next one",)) == ""


@pytest.mark.parametrize(
    ("fails", "says"),
    [
        (clamd.cuts, "clamd at .*: "),
        (clamd.stalls, "timed out"),
        (clamd.drips, "timed out"),
        (clamd.refuses_large, "size limit exceeded. ERROR"),
        (clamd.talks_nonsense, "220 smtp"),
        (clamd.is_empty_handed, "stream:"),
    ],
)
def test_each_way_of_failing_is_an_error(fails: Callable[[socket.socket], None], says: str) -> None:
    begun = time.monotonic()
    with clamd.failing(fails) as address, pytest.raises(ScannerError, match=says):
        Scanner(address, seconds=1).scan((bytes(8 * 2**20),))
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("where", ["/nowhere/clamd.ctl", "port"])
def test_nobody_there_is_an_error(where: str) -> None:
    with pytest.raises(ScannerError, match="clamd at"):
        Scanner(f"127.0.0.1:{free_port()}" if where == "port" else where).scan((b"x",))


def test_one_that_is_away_is_not_asked_for_every_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[socket.socket] = []

    def fail(connection: socket.socket) -> None:
        asked.append(connection)

    with clamd.failing(fail) as address:
        scanner = Scanner(address, seconds=1)
        for _ in range(3):
            with pytest.raises(ScannerError):
                scanner.scan((bytes(8 * 2**20),))
        once = len(asked)
        monkeypatch.setattr("mailbot.documents.scanner._AWAY_SECONDS", 0.0)
        scanner._away_until = 0.0
        with pytest.raises(ScannerError):
            scanner.scan((bytes(8 * 2**20),))
    assert (once, len(asked)) == (1, 2)
