"""A submission server that says what a test wants, to each command in its turn, and writes down what came together."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import defaultdict
from typing import Self

_GOOD = {"MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go on", "BODY": "250 taken", "RSET": "250 ok"}


class ScriptedSmtp:
    """`says[command]` are the answers still to come; an empty one cuts the connection. `BODY` is the final dot."""

    def __init__(self, *, pipelining: bool = True) -> None:
        self.says: defaultdict[str, list[str]] = defaultdict(list)
        self.taken: list[bytes] = []
        """Bodies that were answered with 250."""
        self.unwanted: list[bytes] = []
        """Bodies that were not."""
        self.groups: list[list[str]] = []
        """The commands that came in one piece; each piece is answered when all of it is read."""
        self.connections = 0
        self._offers = b"250-PIPELINING\r\n" if pipelining else b""
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """End every connection."""
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        self._sockets.clear()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                self._sockets.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.sendall(b"220 ready\r\n")
            unread, body = b"", None
            while piece := connection.recv(2**20):
                unread, commands, answers = unread + piece, [], b""
                while b"\r\n" in unread:
                    line, unread = unread.split(b"\r\n", 1)
                    if body is not None and line != b".":
                        body += line.removeprefix(b".") + b"\r\n"
                        continue
                    command = "BODY" if body is not None else line[:4].decode().upper()
                    commands.append(command)
                    said = self._say(command)
                    if not said:
                        connection.sendall(answers)
                        connection.shutdown(socket.SHUT_RDWR)
                        return
                    answers += said
                    if body is not None:
                        (self.taken if said.startswith(b"250") else self.unwanted).append(body)
                    body = b"" if said.startswith(b"354") else None
                self.groups.append(commands)
                connection.sendall(answers)

    def _say(self, command: str) -> bytes:
        if self.says[command]:
            answer = self.says[command].pop(0)
            return f"{answer}\r\n".encode() if answer else b""
        match command:
            case "EHLO":
                return b"250-scripted\r\n" + self._offers + b"250 AUTH PLAIN\r\n"
            case "AUTH":
                return b"235 ok\r\n"
            case "QUIT":
                return b"221 bye\r\n"
        return f"{_GOOD[command]}\r\n".encode()
