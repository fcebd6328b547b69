"""The worker: watchers, intake and outboxes side by side; one round for cron, or staying as a service.

Each mailbox has a thread that fetches and one that sends; one thread decides. They meet only in the store: a
thread that dies takes nothing with it that is not on disk.
"""

from __future__ import annotations

import fcntl
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from mailbot.errors import AnotherWorkerError, TemporaryError
from mailbot.log import log
from mailbot.notify import notify, watchdog_seconds

if TYPE_CHECKING:
    from mailbot.intake import Intake
    from mailbot.outbox import Outbox
    from mailbot.watcher import Watcher

_PULSE_SECONDS = 15.0
"""How often the quiet worker looks whether something is due (a retry, the digest)."""
_HEAD_START_SECONDS = 1.0
"""How long the mailboxes are read, at most, before the first decision."""
_PATIENCE_SECONDS = 20.0
"""How long a thread may take to end its step when the worker stops."""
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def only_worker(directory: Path) -> Iterator[Callable[[], bool]]:
    """Hold the lock of the storage directory; the kernel releases it when the process ends, however it ends.

    Gives a function that says whether the lock still is the one in that directory; it is not where the directory was
    taken away or another put in its place. Raises AnotherWorkerError.
    """
    path = directory / "worker.lock"
    with open(path, "a", opener=partial(os.open, mode=0o600)) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AnotherWorkerError(f"another worker is at work in {directory}") from error
        yield lambda: _is_at(path, lock.fileno())


def _is_at(path: Path, descriptor: int) -> bool:
    """As far as can be seen: a directory that may not be looked into is not another one."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
    except OSError:
        return True


def _let_signals_end_us() -> None:
    """Let SIGTERM and SIGINT end this process at once again: the worker no longer looks whether one came."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_DFL)


class _Thread(threading.Thread):
    """A started thread that keeps what broke it."""

    def __init__(self, name: str, work: Callable[..., object], *args: object) -> None:
        super().__init__(name=name, daemon=True)
        self._work = work
        self._args = args
        self._failure: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            self._work(*self._args)
        except Exception as error:
            log.exception("a thread broke", thread=self.name)
            self._failure = error

    def finish(self) -> None:
        """Wait for its end; raises what broke it."""
        self.join()
        if self._failure is not None:
            raise self._failure


class Worker:
    """Watchers, intake and outboxes, and the events by which their threads wake each other.

    `arrived` is set by whoever puts a message into the store, or is about to; `waits` says whether there is anything to
    decide, and `intake` makes what decides it: a round in which nothing is new does without. `by_the_clock` is called
    every few seconds and sends the staff what is due; `still_alone` says whether no other worker can have taken our
    place, `has_changed` whether other files are to be worked by.
    """

    def __init__(
        self,
        *,
        watchers: Sequence[Watcher],
        intake: Callable[[], Intake],
        waits: Callable[[], bool],
        outboxes: Sequence[Outbox],
        arrived: threading.Event,
        by_the_clock: Callable[[], None],
        still_alone: Callable[[], bool],
        has_changed: Callable[[], bool],
    ) -> None:
        self._watchers = watchers
        self._make_intake = intake
        self._waits = waits
        self._outboxes = outboxes
        self._arrived = arrived
        self._by_the_clock = by_the_clock
        self._still_alone = still_alone
        self._has_changed = has_changed
        self._stop = threading.Event()
        self._told_to_stop = threading.Event()
        self._changed = False
        self._all_decided = threading.Event()
        self._trouble = threading.Event()

    @cached_property
    def _intake(self) -> Intake:
        return self._make_intake()

    def once(self) -> bool:
        """One round: fetch, decide and send all there is. False where something could not be reached or the books are open."""
        fetchers = [_Thread("fetch", self._fetch, watcher) for watcher in self._watchers]
        senders = [_Thread("send", self._send, outbox) for outbox in self._outboxes]
        self._give_head_start(fetchers)
        while any(fetcher.is_alive() for fetcher in fetchers):
            if self._arrived.wait(0.05):
                self._decide()
        self._decide()
        self._all_decided.set()
        for outbox in self._outboxes:
            outbox.wake.set()
        for thread in (*fetchers, *senders):
            thread.finish()
        return not self._trouble.is_set()

    def _give_head_start(self, fetchers: Sequence[_Thread]) -> None:
        """Let each of several mailboxes be read first if that is done soon: of a mail that went to more than one, the copy
        that was received first is then the one that is answered.
        """
        if len(fetchers) < 2:
            return
        until = time.monotonic() + _HEAD_START_SECONDS
        while time.monotonic() < until and (fetching := [each for each in fetchers if each.is_alive()]):
            fetching[0].join(0.02)
            if self._arrived.is_set():
                self._prepare()

    def stay(self) -> bool:
        """Work until SIGTERM or SIGINT, or until the files have changed that are worked by. False where a thread broke or
        another worker may have taken our place; the service manager then starts us anew.
        """
        for number in _SIGNALS:
            signal.signal(number, self._be_told)
        threads = [
            *(_Thread("watch", watcher.stay, self._stop) for watcher in self._watchers),
            *(_Thread("send", self._send, outbox) for outbox in self._outboxes),
            _Thread("decide", self._keep_deciding),
            _Thread("clock", self._keep_time),
        ]
        notify("READY=1")
        pulse = min(_PULSE_SECONDS, watchdog_seconds() or _PULSE_SECONDS)
        while not self._stop.wait(pulse) and all(thread.is_alive() for thread in threads):
            if not self._still_alone():
                log.error("the storage is another one, or another worker may be at work in it; this one ends")
                break
            if self._has_changed():
                log.warning("configuration, form or list of organizations have changed: started anew by them")
                self._changed = True
                break
            notify("WATCHDOG=1")
        whole = self._stop.is_set() or self._changed
        self._wind_down(threads)
        return whole

    @property
    def starts_anew(self) -> bool:
        """Whether it has ended for the sake of changed files alone."""
        return self._changed and not self._told_to_stop.is_set()

    def _be_told(self, *_: object) -> None:
        self._told_to_stop.set()
        self._stop.set()

    def _wind_down(self, threads: Sequence[_Thread]) -> None:
        notify("RELOADING=1" if self.starts_anew else "STOPPING=1")
        self._stop.set()
        self._arrived.set()
        for watcher in self._watchers:
            watcher.wake()
        for outbox in self._outboxes:
            outbox.wake.set()
        for thread in threads:
            thread.join(timeout=_PATIENCE_SECONDS)
            notify("WATCHDOG=1")
        if self._changed:
            _let_signals_end_us()

    def _fetch(self, watcher: Watcher) -> None:
        if not watcher.round() or not watcher.books_closed:
            self._trouble.set()
        watcher.close()

    def _send(self, outbox: Outbox) -> None:
        """Send whenever there is something; in a single round until all is decided and sent."""
        while not self._stop.is_set():
            outbox.wake.clear()
            last = self._all_decided.is_set()
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
        self._prepare()
        self._stop.wait(_HEAD_START_SECONDS if len(self._watchers) > 1 else 0)
        while not self._stop.is_set():
            self._arrived.wait(_PULSE_SECONDS)
            self._decide()

    def _keep_time(self) -> None:
        while not self._stop.wait(_PULSE_SECONDS):
            try:
                self._by_the_clock()
            except TemporaryError as error:
                log.warning("the staff's mail waits", reason=str(error))

    def _prepare(self) -> None:
        """Have what decides ready; where that cannot be had now, the first decision tries again and tells."""
        try:
            self._intake.prepare()
        except TemporaryError as error:
            log.warning("nothing can be decided yet", reason=str(error))

    def _decide(self) -> None:
        """Decide what waits. Where mails are still on their way, the intake and its children get ready meanwhile."""
        coming = self._arrived.is_set()
        self._arrived.clear()
        try:
            if coming or self._waits():
                self._intake.run(self._stop.is_set)
        except TemporaryError as error:
            log.warning("messages wait", reason=str(error))
            self._trouble.set()
