"""The only child processes that see a mail's contents: a small pool of warm ones, bounded and replaceable.

A child gets octets and one open file, may ask its parent, and gives octets. It has limits on memory, processor time
and descriptors and writes no file; where the kernel lets us forbid it, it starts no program, opens no socket and
reads nothing but programs and libraries (seccomp, Landlock). None of the secrets in our environment is in its own. It
is replaced after a fault, an overrun or a number of calls. The parent survives every way in which a child can end.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import mimetypes
import multiprocessing
import os
import queue
import resource
import select
import signal
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import forkserver, reduction, util
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType, TracebackType
from typing import IO, Literal, Self

from mailbot.documents import landlock, seccomp
from mailbot.errors import MailbotError, TemporaryError

_LARGEST_RESULT = 256 * 2**20
_RECYCLE_AFTER = 500
_MOST_RENEWALS = 20
"""How many time limits one call may take in all, however often it reports progress."""
_SECONDS_TO_START = 120
_DESCRIPTORS = 64
_PR_SET_PDEATHSIG = 1
_PROCESSORS = os.cpu_count() or 1

_PROGRAMS_AND_LIBRARIES = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/etc/fonts")
_OF_THE_MACHINE = ("/dev/urandom", "/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu")
_NO_SECRETS = ("PATH", "HOME", "LANG", "LC_", "TZ", "TMPDIR", "LD_", "PYTHON", "OMP_")
"""How the names of variables begin that a child may have."""
_helpers: list[int] = []
"""Processes that multiprocessing has started: its fork server, and its tracker of resources."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """The parent, as its child sees it during one call."""

    file: IO[bytes] | None
    """The file that came with the call."""
    progress: Callable[[str], None]
    """Names what is under way, and renews the time limit."""
    ask: Callable[[bytes], bytes]
    """Has the parent answer something that the child cannot; the time that takes is not counted."""


Work = Callable[[bytes, Parent], bytes]
"""What a child runs: a request, and a result."""


Reason = Literal["timeout", "memory", "died", "raised"]
"""How a child failed."""


class ChildFailedError(MailbotError):
    """A child did not bring a result: it overran, ran out of memory, died, or its work raised."""

    def __init__(self, reason: Reason, progress: str, detail: str) -> None:
        super().__init__(f"{reason} at {progress or 'the start'}{f': {detail}' if detail else ''}")
        self.reason = reason
        self.progress = progress


Answer = Callable[[bytes], bytes]


def _no_answer(_question: bytes) -> bytes:
    return b""


class Pool:
    """Bounded children that run one function, `module:name`. Thread-safe; a context manager."""

    def __init__(
        self,
        target: str,
        *,
        size: int,
        memory_mb: int,
        seconds: int,
        preload: Sequence[str],
    ) -> None:
        self._arguments = (target, memory_mb, seconds)
        self._seconds = seconds
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(preload))
        util.spawnv_passfds = _start_without_secrets  # type: ignore[assignment]
        forkserver.ensure_running()
        self._size = size
        self._children: list[_Child] = []
        self._lock = threading.Lock()
        self._closed = False
        self._idle: queue.LifoQueue[_Child | None] = queue.LifoQueue()
        for _ in range(size):
            self._idle.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._closed = True
            for child in self._children:
                child.kill()
            self._children.clear()

    def warm(self) -> None:
        """Start every child that is not there yet; one that does not start is tried again by the call that needs it."""
        for child in [self._idle.get() for _ in range(self._size)]:
            ready = child
            with contextlib.suppress(TemporaryError):
                ready = child or self._replace(None)
            self._idle.put(ready)

    def call(self, request: bytes, file: Path | None = None, *, answer: Answer = _no_answer) -> bytes:
        """Have a free child work on the request and, opened for it, a file; waits for a child.

        `answer` is called with what the child asks. Raises what that raises, ChildFailedError, TemporaryError where no
        child can be started, OSError where the file cannot be opened.
        """
        with file.open("rb") if file else contextlib.nullcontext() as opened:
            return self._call(request, opened, answer)

    def _call(self, request: bytes, file: IO[bytes] | None, answer: Answer) -> bytes:
        child = self._idle.get()
        fit = False
        try:
            if child is None or child.calls >= _RECYCLE_AFTER:
                child = self._replace(child)
            try:
                result = child.call(request, file, answer, self._seconds)
            except ChildFailedError as error:
                fit = error.reason == "raised"
                raise
            fit = True
            return result
        finally:
            if not fit:
                self._discard(child)
            self._idle.put(child if fit else None)

    def _replace(self, old: _Child | None) -> _Child:
        self._discard(old)
        try:
            with self._lock:
                if self._closed:
                    raise TemporaryError("the pool of children is closed")
                child = _Child(self._context, self._arguments)
                self._children.append(child)
        except (OSError, EOFError) as error:
            raise TemporaryError(f"no child process could be started: {error}") from error
        if not child.has_started():
            self._discard(child)
            raise TemporaryError("a child process did not start")
        return child

    def _discard(self, child: _Child | None) -> None:
        if child is not None:
            child.close()
            with self._lock, contextlib.suppress(ValueError):
                self._children.remove(child)


class _Child:
    """One child and the pipe to it, as the parent holds them."""

    def __init__(
        self,
        context: multiprocessing.context.ForkServerContext,
        arguments: tuple[str, int, int],
    ) -> None:
        self._pipe, theirs = context.Pipe()
        self._said = select.poll()
        self._said.register(self._pipe, select.POLLIN)
        self._process: BaseProcess = context.Process(target=_serve, args=(theirs, *arguments), daemon=True)
        try:
            with _without_main():
                self._process.start()
        except BaseException:
            self._pipe.close()
            raise
        finally:
            theirs.close()
        self.calls = 0

    def has_started(self) -> bool:
        """Wait until the child can take a call."""
        try:
            return self._pipe.poll(_SECONDS_TO_START) and self._pipe.recv_bytes(1) == b"S"
        except (EOFError, OSError):
            return False

    def call(self, request: bytes, file: IO[bytes] | None, answer: Answer, seconds: int) -> bytes:
        self.calls += 1
        progress = ""
        latest = time.monotonic() + seconds * _MOST_RENEWALS
        try:
            self._pipe.send_bytes(request)
            self._pipe.send_bytes(b"F" if file else b"-")
            if file:
                reduction.send_handle(self._pipe, file.fileno(), self._process.pid or 0)
            while self._said.poll(seconds * 1000):
                message = self._pipe.recv_bytes(_LARGEST_RESULT)
                kind, content = message[:1], message[1:]
                if kind == b"R":
                    return content
                if kind == b"A":
                    asked = time.monotonic()
                    self._pipe.send_bytes(answer(content))
                    latest += time.monotonic() - asked
                    continue
                if kind != b"P":
                    reason: Reason = "memory" if kind == b"M" else "raised"
                    raise ChildFailedError(reason, progress, content.decode("utf-8", "replace"))
                progress = content.decode("utf-8", "replace")
                if time.monotonic() > latest:
                    raise ChildFailedError("timeout", "", f"{_MOST_RENEWALS} times {seconds} s")
        except (EOFError, OSError) as error:
            raise ChildFailedError("died", progress, type(error).__name__) from error
        raise ChildFailedError("timeout", progress, f"{seconds} s")

    def kill(self) -> None:
        """End the process. Its pipe is left to the thread that may be waiting on it."""
        if self._process.is_alive():
            self._process.kill()
            self._process.join(5)

    def close(self) -> None:
        self.kill()
        self._pipe.close()


def _serve(pipe: Connection[bytes, bytes], target: str, memory_mb: int, seconds: int) -> None:
    """The child's whole life."""
    _die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    module, name = target.split(":")
    work: Work = getattr(importlib.import_module(module), name)
    _say_nothing()
    _limit(memory_mb)
    landlock.confine(_code(module))
    seccomp.forbid_programs_and_sockets()
    gc.freeze()
    pipe.send_bytes(b"S")
    while True:
        try:
            request = pipe.recv_bytes()
            opened = _received_file(pipe)
        except EOFError:
            return
        _renew_processor_time(seconds)
        with opened as file:
            parent = Parent(
                file=file,
                progress=lambda at: _report(pipe, at, seconds),
                ask=lambda question: _asked(pipe, question),
            )
            answer = _answer(work, request, parent)
        pipe.send_bytes(answer)


def _received_file(pipe: Connection[bytes, bytes]) -> contextlib.AbstractContextManager[IO[bytes] | None]:
    if pipe.recv_bytes() == b"F":
        return os.fdopen(reduction.recv_handle(pipe), "rb")
    return contextlib.nullcontext()


def _report(pipe: Connection[bytes, bytes], at: str, seconds: int) -> None:
    _renew_processor_time(seconds)
    pipe.send_bytes(b"P" + at.encode("utf-8", "replace"))


def _asked(pipe: Connection[bytes, bytes], question: bytes) -> bytes:
    pipe.send_bytes(b"A" + question)
    return pipe.recv_bytes()


def _answer(work: Work, request: bytes, parent: Parent) -> bytes:
    try:
        return b"R" + work(request, parent)
    except MemoryError:
        return b"M"
    except Exception as error:
        return b"E" + f"{type(error).__name__}: {error}"[:2000].encode("utf-8", "replace")


def _code(module: str) -> Iterator[Path]:
    """What the interpreter and its libraries are read from, the package of the work included."""
    own = (sys.modules[each].__file__ for each in (module, __name__.partition(".")[0]))
    yield from (Path(file).parent for file in own if file)
    yield from map(Path, (*_PROGRAMS_AND_LIBRARIES, *_OF_THE_MACHINE, *mimetypes.knownfiles))
    yield from (Path(sys.prefix), Path(sys.base_prefix))
    yield from (Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib"))


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """Hide the program itself: multiprocessing has each child import it again, with all that a command line needs."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _start_without_secrets(path: str, arguments: Sequence[str], descriptors: Sequence[int]) -> int:
    """As multiprocessing starts its fork server, now and after that has died, but with harmless variables alone.

    Ours stay as they are: other threads may be looking up a password.
    """
    harmless = {name: value for name, value in os.environ.items() if name.startswith(_NO_SECRETS)}
    kept = [(os.POSIX_SPAWN_DUP2, descriptor, descriptor) for descriptor in descriptors]
    helper = os.posix_spawn(path, list(arguments), harmless, file_actions=kept)
    _helpers.append(helper)
    return helper


def end_helpers() -> None:
    """End what multiprocessing has started beside the children, once all pools are closed: a program that takes the
    place of this one in its process (exec) would never collect it."""
    for helper in _helpers:
        with contextlib.suppress(ChildProcessError):
            if os.waitpid(helper, os.WNOHANG) == (0, 0):
                os.kill(helper, signal.SIGKILL)
                os.waitpid(helper, 0)
    _helpers.clear()


def _die_with_parent() -> None:
    """Have the kernel kill us when the fork server ends, which ends with the program itself."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == 1:
        os._exit(0)


def _say_nothing() -> None:
    """What libraries print about hostile contents is in nobody's log."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _limit(memory_mb: int) -> None:
    octets = memory_mb * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (octets, octets))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_DESCRIPTORS, _DESCRIPTORS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _renew_processor_time(seconds: int) -> None:
    """The soft limit counts from now; the kernel kills what spins past it, in any number of threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + seconds * _PROCESSORS + 1
    now, hard = resource.getrlimit(resource.RLIMIT_CPU)
    if now != soft:
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))
