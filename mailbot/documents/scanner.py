"""Has octets looked through for malware by a clamd on this machine (clamd(8), INSTREAM). Anything but a clear answer
is an error: what nobody has looked through is not read."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from mailbot.errors import ScannerError

_CHUNK = 2**18
_LONGEST_ANSWER = 4096
_AWAY_SECONDS = 30.0


class Scanner:
    """A clamd, by its socket's path or as host:port. Thread-safe; each scan has a connection of its own."""

    def __init__(self, clamd: str, *, seconds: float = 60.0) -> None:
        self._clamd = clamd
        self._seconds = seconds
        self._lock = threading.Lock()
        self._away_until = 0.0
        self._why_away = ""

    def scan_file(self, path: Path) -> str:
        """As `scan`. Raises OSError too, where the file cannot be read."""
        with path.open("rb") as file:
            return self.scan(iter(lambda: file.read(_CHUNK), b""))

    def scan(self, octets: Iterable[bytes]) -> str:
        """The name of what was found in these octets; '' where they are clean.

        Raises ScannerError where that was not answered in time; for a while after that without asking again.
        """
        with self._lock:
            if time.monotonic() < self._away_until:
                raise ScannerError(self._why_away)
        try:
            answer = self._ask(octets)
        except OSError as error:
            said = f"clamd at {self._clamd}: {error or type(error).__name__}"
            with self._lock:
                self._away_until, self._why_away = time.monotonic() + _AWAY_SECONDS, said
            raise ScannerError(said) from error
        return self._judged(answer)

    def _judged(self, answer: str) -> str:
        name, _, verdict = answer.removeprefix("stream: ").rpartition(" ")
        if verdict == "FOUND" and name:
            return name
        if answer == "stream: OK":
            return ""
        raise ScannerError(
            f"clamd at {self._clamd}: {answer or 'it closed the connection without an answer'}"
        )

    def _ask(self, octets: Iterable[bytes]) -> str:
        deadline = time.monotonic() + self._seconds
        with self._connected() as connection:
            with suppress(BrokenPipeError, ConnectionResetError):  # it may refuse in the middle, and say why
                for piece in _framed(octets):
                    connection.settimeout(_left(deadline))
                    connection.sendall(piece)
            return _answer(connection, deadline)

    def _connected(self) -> socket.socket:
        if self._clamd.startswith("/"):
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(self._seconds)
            try:
                connection.connect(self._clamd)
            except OSError:
                connection.close()
                raise
            return connection
        host, _, port = self._clamd.rpartition(":")
        return socket.create_connection((host.strip("[]"), int(port)), self._seconds)


def _framed(octets: Iterable[bytes]) -> Iterator[bytes]:
    """Each chunk after its length as four octets, in network order; an empty one ends them."""
    yield b"zINSTREAM\0"
    for piece in octets:
        for start in range(0, len(piece), _CHUNK):
            chunk = piece[start : start + _CHUNK]
            yield len(chunk).to_bytes(4, "big") + chunk
    yield bytes(4)


def _answer(connection: socket.socket, deadline: float) -> str:
    answer = b""
    while b"\0" not in answer and len(answer) < _LONGEST_ANSWER:
        connection.settimeout(_left(deadline))
        received = connection.recv(_LONGEST_ANSWER)
        if not received:
            break
        answer += received
    if not answer:
        raise ConnectionError("it closed the connection without an answer")
    return answer.partition(b"\0")[0].decode("utf-8", "replace").strip()


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left
