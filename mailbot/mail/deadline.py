"""Ends a connection whose time is over. A server that drips keeps each single wait short, and never comes to an end."""

from __future__ import annotations

import math
import socket
import threading
import time
from collections.abc import Callable, Iterator
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
        alarm = _clock.call(self._end, time.monotonic() + seconds)
        try:
            yield
        except Exception as error:
            if self._over:
                raise TimeoutError(f"no end after {seconds:g} s") from error
            raise
        finally:
            _clock.cancel(alarm)
        if self._over:
            raise TimeoutError(f"no end after {seconds:g} s")

    def _end(self) -> None:
        self._over = True
        copy = self._copy
        if copy is not None:
            with suppress(OSError):
                copy.shutdown(socket.SHUT_RDWR)


class _Clock:
    """One thread for all deadlines: to start one for each command costs more than most commands do."""

    def __init__(self) -> None:
        self._earlier = threading.Condition()
        self._alarms: dict[object, tuple[float, Callable[[], None]]] = {}
        self._wakes_at = -math.inf
        """When the thread looks next; the past while there is no thread."""

    def call(self, ring: Callable[[], None], at: float) -> object:
        """Have something called at a time of the monotonic clock; returns what `cancel` takes."""
        alarm = object()
        with self._earlier:
            self._alarms[alarm] = (at, ring)
            if self._wakes_at == -math.inf:
                threading.Thread(target=self._run, name="deadlines", daemon=True).start()
                self._wakes_at = at
            elif at < self._wakes_at:
                self._wakes_at = at
                self._earlier.notify()
        return alarm

    def cancel(self, alarm: object) -> None:
        """After this it is not called any more."""
        with self._earlier:
            self._alarms.pop(alarm, None)

    def _run(self) -> None:
        with self._earlier:
            while True:
                now = time.monotonic()
                for alarm, (at, ring) in list(self._alarms.items()):
                    if at <= now:
                        del self._alarms[alarm]
                        ring()
                self._wakes_at = min((at for at, _ in self._alarms.values()), default=math.inf)
                self._earlier.wait(min(self._wakes_at - now, threading.TIMEOUT_MAX))


_clock = _Clock()
