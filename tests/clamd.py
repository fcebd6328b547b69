"""A real clamd for the tests, with a signature database of two lines; and one that fails in each of its ways."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from mailbot.demo.servers import HOST
from tests.conftest import require

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE!$H+H*"
"""In two parts, so that this file is not taken for it."""
MARK = b"mailbot-test-malware-" + b"d1e6c0"
"""Found anywhere in a file, as a body signature."""
STREAM_MAX = 4 * 2**20


class Clamd:
    """clamd on a private configuration, by a socket file and by a port."""

    def __init__(self) -> None:
        self._program = require("clamd", Path("/usr/sbin/clamd"))
        self._directory = tempfile.TemporaryDirectory(prefix="clamd-")
        self._process: subprocess.Popen[bytes] | None = None
        self.socket = f"{self._directory.name}/clamd.ctl"

    def __enter__(self) -> Self:
        self.start()
        return self

    def start(self) -> None:
        base = Path(self._directory.name)
        (base / "db").mkdir(exist_ok=True)
        eicar = hashlib.md5(EICAR, usedforsecurity=False).hexdigest()
        (base / "db" / "test.hdb").write_text(f"{eicar}:{len(EICAR)}:Eicar-Test-Signature\n")
        (base / "db" / "test.ndb").write_text(f"Mailbot.Test.Mark:0:*:{MARK.hex()}\n")
        configuration = base / "clamd.conf"
        configuration.write_text(
            f"DatabaseDirectory {base}/db\nLocalSocket {self.socket}\nForeground yes\nLogFile {base}/log\n"
            f"StreamMaxLength {STREAM_MAX}\n"
        )
        self._process = subprocess.Popen(
            [self._program, "-c", str(configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(600):
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
                probe.connect(self.socket)
                return
            time.sleep(0.05)
        raise RuntimeError((base / "log").read_text())

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._directory.cleanup()


@contextmanager
def failing(fail: Callable[[socket.socket], None]) -> Iterator[str]:
    """The address of a server on loopback that treats each connection so."""
    with socket.create_server((HOST, 0)) as listener:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection, contextlib.suppress(OSError):
                        fail(connection)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"{HOST}:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def cuts(connection: socket.socket) -> None:
    """Goes away in the middle of the stream."""
    connection.recv(10)


def stalls(connection: socket.socket) -> None:
    """Takes everything and says nothing."""
    while connection.recv(65536):
        pass


def drips(connection: socket.socket) -> None:
    """Says its answer letter by letter, so that no single wait is long."""
    connection.recv(65536)
    for letter in b"stream: OK and so on and so on":
        connection.sendall(bytes([letter]))
        time.sleep(0.1)


def refuses_large(connection: socket.socket) -> None:
    """As clamd does above StreamMaxLength: its answer, and the connection is closed while we are still sending."""
    connection.recv(1024)
    connection.sendall(b"INSTREAM size limit exceeded. ERROR\0")


def talks_nonsense(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"220 smtp.example.org ESMTP\r\n\0")


def is_empty_handed(connection: socket.socket) -> None:
    """An answer that ends before it says which."""
    connection.recv(65536)
    connection.sendall(b"stream: ")
