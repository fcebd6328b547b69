"""Ends a connection whose time is over. A server that drips keeps each single wait short, and never comes to an end."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Deadline:
    """Watches one connection. For one thread; the clock cuts in from another."""

    def __init__(self) -> None:
        self._copy: socket.socket | None = None
        self._over = False

    def watch(self, sock: socket.socket) -> None:
        """From here on this is the connection: a copy of its descriptor, which TLS does not take over."""
        self.forget()
        self._copy = sock.dup()
        if self._over:
            self._end()

    def forget(self) -> None:
        """Let the connection go."""
        copy, self._copy = self._copy, None
        if copy is not None:
            copy.close()

    @contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """Cut the connection if what is done here takes longer, and raise TimeoutError: also where it seems to have
        ended well, since a library may take half an answer for a whole one."""
        self._over = False
        timer = threading.Timer(seconds, self._end)
        timer.daemon = True
        timer.start()
        try:
            yield
        except Exception as error:
            if self._over:
                raise TimeoutError(f"no end after {seconds:g} s") from error
            raise
        finally:
            timer.cancel()
        if self._over:
            raise TimeoutError(f"no end after {seconds:g} s")

    def _end(self) -> None:
        self._over = True
        copy = self._copy
        if copy is not None:
            with suppress(OSError):
                copy.shutdown(socket.SHUT_RDWR)
