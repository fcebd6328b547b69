"""A small IMAP server that behaves; each test breaks one thing of it, as real providers were seen to do."""

from __future__ import annotations

import contextlib
import re
import select
import socket
import threading
from typing import Self

DATE = '"15-Jan-2021 17:30:00 +0800"'
MAILS = {
    3: b"Subject: three\r\n\r\n3\r\n",
    4: b"Subject: four\r\n\r\n44\r\n",
    9: b"Subject: nine\r\n\r\n999\r\n",
}


class FakeImap:
    """Speaks enough of RFC 3501 for our mailbox edge. `answer_<command>` of a subclass breaks one answer."""

    greeting = b"* OK [CAPABILITY IMAP4rev1 ID] ready\r\n"
    capabilities = b"IMAP4rev1 ID IDLE UIDPLUS MOVE COMPRESS=DEFLATE"

    def __init__(self) -> None:
        self.mails = dict(MAILS)
        self.heard: list[str] = []
        """Every command line, without its tag."""
        self._served = threading.local()
        """The connection of the thread that answers: an older one may still be answered when the next has come."""
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        for sock in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            thread.join(5)

    def _start(self, work: object, *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)  # type: ignore[arg-type]
        thread.start()
        self._threads.append(thread)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._sockets.append(connection)
                self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), connection.makefile("rb") as lines:
            self._served.connection, self._served.lines = connection, lines
            self.send(self.greeting)
            for line in lines:
                tag, _, command = line.decode("latin-1").strip().partition(" ")
                self.heard.append(command)
                name = command.lower().removeprefix("uid ").partition(" ")[0]
                getattr(self, f"answer_{name or 'done'}")(tag, command)

    def send(self, octets: bytes) -> None:
        self._served.connection.sendall(octets)

    def has_more(self) -> bool:
        """Whether the client has sent another command before this one was answered."""
        select.select([self._served.connection], [], [], 0.02)
        self._served.connection.setblocking(False)
        try:
            return bool(self._served.lines.peek(1))
        finally:
            self._served.connection.setblocking(True)

    def ok(self, tag: str) -> None:
        self.send(f"{tag} OK done\r\n".encode())

    def cut(self) -> None:
        self._served.connection.shutdown(socket.SHUT_RDWR)

    def answer_capability(self, tag: str, command: str) -> None:
        self.send(b"* CAPABILITY " + self.capabilities + b"\r\n")
        self.ok(tag)

    def answer_login(self, tag: str, command: str) -> None:
        self.ok(tag)

    def answer_id(self, tag: str, command: str) -> None:
        self.send(b'* ID ("name" "fake")\r\n')
        self.ok(tag)

    def answer_logout(self, tag: str, command: str) -> None:
        self.send(b"* BYE\r\n")
        self.ok(tag)

    def answer_examine(self, tag: str, command: str) -> None:
        self.send(f"* {len(self.mails)} EXISTS\r\n* OK [UIDVALIDITY 7]\r\n".encode())
        self.send(f"* OK [UIDNEXT {max(self.mails) + 1}]\r\n".encode())
        self.send(f"{tag} OK [READ-ONLY] done\r\n".encode())

    def answer_fetch(self, tag: str, command: str) -> None:
        for uid in self.asked(command):
            if uid in self.mails:
                self.give(uid, command)
        self.ok(tag)

    def answer_idle(self, tag: str, command: str) -> None:
        self._idle_tag = tag
        self.send(b"+ idling\r\n")

    def answer_done(self, tag: str, command: str) -> None:
        self.ok(self._idle_tag)

    def asked(self, command: str) -> list[int]:
        """The UIDs of a FETCH."""
        return [int(uid) for uid in command.split(" ")[2].split(",")]

    def give(self, uid: int, command: str) -> None:
        """The untagged FETCH answer for one mail."""
        seq, octets = sorted(self.mails).index(uid) + 1, self.mails[uid]
        if "BODY.PEEK[]" not in command:
            self.send(f"* {seq} FETCH (UID {uid} INTERNALDATE {DATE} RFC822.SIZE {len(octets)})\r\n".encode())
            return
        partial = re.search(r"<(\d+)\.(\d+)>", command)
        name = "BODY[]"
        if partial:
            start, length = int(partial[1]), int(partial[2])
            name, octets = f"BODY[]<{start}>", octets[start : start + length]
        self.send(f"* {seq} FETCH (UID {uid} {name} {{{len(octets)}}}\r\n".encode() + octets + b")\r\n")
