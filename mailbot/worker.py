"""The worker: watchers, intake and outboxes side by side; one round for cron, or staying as a service.

Each mailbox has a thread that fetches and one that sends; one thread decides. They meet only in the store: a
thread that dies takes nothing with it that is not on disk.
"""

from __future__ import annotations

import fcntl
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import structlog

from mailbot.errors import TemporaryError
from mailbot.intake import Intake
from mailbot.notify import notify, watchdog_seconds
from mailbot.outbox import Outbox
from mailbot.watcher import Watcher

log = structlog.get_logger()

_PULSE_SECONDS = 5.0
"""How often the quiet worker looks whether something is due (a retry, the digest)."""
_PATIENCE_SECONDS = 20.0
"""How long a thread may take to end its step when the worker stops."""


class AnotherWorkerError(TemporaryError):
    """Somebody else holds the lock of this storage directory."""


@contextmanager
def only_worker(directory: Path) -> Iterator[None]:
    """Hold the storage directory's lock; the kernel releases it when the process ends, however it ends."""
    with (directory / "worker.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AnotherWorkerError(f"another worker is at work in {directory}") from error
        yield


class Worker:
    """Watchers, intake and outboxes, and the events by which their threads wake each other.

    `arrived` is set by whoever puts a message into the store; `daily` is called every few seconds with the time
    and sends what is due by the clock.
    """

    def __init__(
        self,
        *,
        watchers: Sequence[Watcher],
        intake: Intake,
        outboxes: Sequence[Outbox],
        arrived: threading.Event,
        daily: Callable[[datetime], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._watchers = watchers
        self._intake = intake
        self._outboxes = outboxes
        self._arrived = arrived
        self._daily = daily
        self._clock = clock
        self._stop = threading.Event()
        self._all_decided = threading.Event()
        self._trouble = threading.Event()

    def once(self) -> bool:
        """One round: fetch, decide and send all there is. False where something could not be reached."""
        fetchers = [self._start("fetch", self._fetch, watcher) for watcher in self._watchers]
        senders = [self._start("send", self._send, outbox) for outbox in self._outboxes]
        while any(fetcher.is_alive() for fetcher in fetchers):
            if self._arrived.wait(0.05):
                self._decide()
        self._decide()
        self._all_decided.set()
        for outbox in self._outboxes:
            outbox.wake.set()
        for sender in senders:
            sender.join()
        return not self._trouble.is_set()

    def stay(self) -> bool:
        """Work until SIGTERM or SIGINT. False where a thread broke; the service manager then starts us anew."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        threads = [
            *(self._start("watch", watcher.stay, self._stop) for watcher in self._watchers),
            *(self._start("send", self._send, outbox) for outbox in self._outboxes),
            self._start("decide", self._keep_deciding),
        ]
        notify("READY=1")
        pulse = min(_PULSE_SECONDS, watchdog_seconds() or _PULSE_SECONDS)
        while not self._stop.wait(pulse) and all(thread.is_alive() for thread in threads):
            notify("WATCHDOG=1")
            self._daily(self._clock())
        whole = self._stop.is_set()
        self._wind_down(threads)
        return whole

    def _wind_down(self, threads: Sequence[threading.Thread]) -> None:
        notify("STOPPING=1")
        self._stop.set()
        self._arrived.set()
        for watcher in self._watchers:
            watcher.wake()
        for outbox in self._outboxes:
            outbox.wake.set()
        for thread in threads:
            thread.join(timeout=_PATIENCE_SECONDS)

    @staticmethod
    def _start(name: str, work: Callable[..., object], *args: object) -> threading.Thread:
        thread = threading.Thread(target=work, args=args, name=name, daemon=True)
        thread.start()
        return thread

    def _fetch(self, watcher: Watcher) -> None:
        if not watcher.round():
            self._trouble.set()

    def _send(self, outbox: Outbox) -> None:
        """Send whenever there is something; in a single round until all is decided and sent."""
        try:
            outbox.recover()
        except TemporaryError as error:
            log.warning("unfinished replies could not be looked up", reason=str(error))
            self._trouble.set()
        while not self._stop.is_set():
            last = self._all_decided.is_set()
            outbox.wake.clear()
            reached = self._flush(outbox)
            if not reached:
                self._trouble.set()
            if last or (not reached and self._all_decided.is_set()):
                return
            outbox.wake.wait(_PULSE_SECONDS)

    def _flush(self, outbox: Outbox) -> bool:
        try:
            return outbox.flush(self._stop)
        except TemporaryError as error:
            log.warning("replies wait", reason=str(error))
            return False

    def _keep_deciding(self) -> None:
        while not self._stop.is_set():
            self._arrived.wait(_PULSE_SECONDS)
            self._decide()

    def _decide(self) -> None:
        self._arrived.clear()
        try:
            self._intake.run(self._stop.is_set)
        except TemporaryError as error:
            log.warning("messages wait", reason=str(error))
            self._trouble.set()
