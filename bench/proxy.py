"""A TCP relay that counts what passes and how often the direction turns, and holds everything back for a while."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

_HOST = "127.0.0.1"


@dataclass
class Proxy:
    """Stands before a server on loopback. `delay` are the seconds that it holds octets back, each way."""

    target: int
    delay: float = 0.0
    port: int = 0
    connections: int = 0
    from_client: int = 0
    """Octets."""
    from_server: int = 0
    turns: int = 0
    """Round trips: how often the client spoke after the server had."""
    _sockets: list[socket.socket] = field(default_factory=list)
    _server_spoke_last: bool = True

    def __enter__(self) -> Self:
        self._listener = socket.create_server((_HOST, 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in (self._listener, *self._sockets):
            _close(each)

    @property
    def figures(self) -> tuple[int, int, int]:
        """(round trips, octets from the client, octets from the server) so far."""
        return self.turns, self.from_client, self.from_server

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                server = socket.create_connection((_HOST, self.target))
                for each in (client, server):
                    each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._sockets += [client, server]
                self._relay(client, server, from_server=False)
                self._relay(server, client, from_server=True)

    def _relay(self, source: socket.socket, sink: socket.socket, *, from_server: bool) -> None:
        held: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
        threading.Thread(target=self._take, args=(source, held, from_server), daemon=True).start()
        threading.Thread(target=_give, args=(sink, held), daemon=True).start()

    def _take(
        self, source: socket.socket, held: queue.SimpleQueue[tuple[float, bytes]], from_server: bool
    ) -> None:
        octets = b"."
        while octets:
            try:
                octets = source.recv(262_144)
            except OSError:
                octets = b""
            self._count(octets, from_server)
            held.put((time.monotonic() + self.delay, octets))

    def _count(self, octets: bytes, from_server: bool) -> None:
        if from_server:
            self.from_server += len(octets)
            self._server_spoke_last = True
            return
        self.from_client += len(octets)
        if octets and self._server_spoke_last:
            self.turns += 1
            self._server_spoke_last = False


def _give(sink: socket.socket, held: queue.SimpleQueue[tuple[float, bytes]]) -> None:
    with contextlib.suppress(OSError):
        while True:
            due, octets = held.get()
            time.sleep(max(0.0, due - time.monotonic()))
            if not octets:
                break
            sink.sendall(octets)
    _close(sink)


def _close(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()
