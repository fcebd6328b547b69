"""Real children: whatever becomes of one, the parent lives, knows what happened, and the next call is served."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import openpyxl
import pytest

from mailbot.documents import landlock
from mailbot.documents.sandbox import ChildFailedError, Pool
from mailbot.errors import TemporaryError
from tests.conftest import ROOT, lacking
from tests.unit.documents import samples

_WORK = "tests.unit.documents.child_work:serve"


def _pool(*, size: int = 1, memory_mb: int = 1024, seconds: int = 30) -> Pool:
    return Pool(_WORK, size=size, memory_mb=memory_mb, seconds=seconds, preload=())


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with _pool() as pool:
        yield pool


def _failure(pool: Pool, request: bytes) -> ChildFailedError:
    with pytest.raises(ChildFailedError) as caught:
        pool.call(request)
    return caught.value


def _pid(pool: Pool) -> int:
    return int(pool.call(b"pid"))


def test_brings_the_result(pool: Pool) -> None:
    assert pool.call("echo 自评表".encode()).decode() == "表评自"


_PROGRAM = f"""
from pathlib import Path
from mailbot.documents.sandbox import Pool

with Path("ran").open("a") as file:
    file.write("once")
if __name__ == "__main__":
    with Pool({_WORK!r}, size=1, memory_mb=1024, seconds=30, preload=()) as pool:
        assert pool.call(b"echo abc") == b"cba"
"""


def test_a_child_does_not_run_the_program_again(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(_PROGRAM)
    subprocess.run(
        [sys.executable, program], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True
    )
    assert (tmp_path / "ran").read_text() == "once"


def test_keeps_a_good_child(pool: Pool) -> None:
    first = _pid(pool)
    assert first != os.getpid()
    assert _pid(pool) == first


@pytest.mark.parametrize(
    ("request_", "reason", "progress"),
    [
        (b"bomb", "memory", "bomb.xlsx"),
        (b"growing_bomb", "memory", "growing.xlsx"),
        (b"exit", "died", "exit.doc"),
        (b"abort", "died", "abort.pdf"),
        (b"segfault", "died", "fault.pdf"),
        (b"system_exit", "died", ""),
    ],
)
def test_survives_and_replaces_a_broken_child(
    pool: Pool, request_: bytes, reason: str, progress: str
) -> None:
    before = _pid(pool)
    failure = _failure(pool, request_)
    assert (failure.reason, failure.progress) == (reason, progress)
    assert _pid(pool) != before
    assert pool.call(b"echo abc") == b"cba"


@pytest.mark.parametrize(
    ("request_", "progress", "says"),
    [(b"raise", "raise.ods", "ValueError: no such thing: 表"), (b"recursion", "", "RecursionError")],
)
def test_a_child_whose_work_raised_goes_on(pool: Pool, request_: bytes, progress: str, says: str) -> None:
    before = _pid(pool)
    failure = _failure(pool, request_)
    assert (failure.reason, failure.progress) == ("raised", progress)
    assert says in str(failure)
    assert _pid(pool) == before


def test_ends_what_overruns_and_names_what_was_under_way() -> None:
    with _pool(seconds=1) as pool:
        before = _pid(pool)
        failure = _failure(pool, b"spin")
        assert (failure.reason, failure.progress) == ("timeout", "spin.pdf")
        assert _pid(pool) != before
        with pytest.raises(ProcessLookupError):
            os.kill(before, 0)


def test_an_overdue_result_is_never_given_to_the_next_call() -> None:
    with _pool(seconds=1) as pool:
        assert _failure(pool, b"sleep_then_tell 1.3").reason == "timeout"
        assert pool.call(b"echo next") == b"txen"


def test_progress_renews_the_time_limit() -> None:
    with _pool(seconds=1) as pool:
        assert pool.call(b"steps 5") == b"done"


def test_progress_does_not_renew_it_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailbot.documents.sandbox._MOST_RENEWALS", 1)
    with _pool(seconds=1) as pool:
        failure = _failure(pool, b"steps 1000")
    assert (failure.reason, failure.progress) == ("timeout", "")


def test_an_interrupted_call_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    with _pool() as pool:
        before = _pid(pool)
        with monkeypatch.context() as patched:
            patched.setattr("mailbot.documents.sandbox._Child.call", _interrupted)
            with pytest.raises(KeyboardInterrupt):
                pool.call(b"echo lost")
        assert _pid(pool) != before


def _interrupted(child: object, *_: object) -> bytes:
    raise KeyboardInterrupt


def test_renews_a_child_after_many_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailbot.documents.sandbox._RECYCLE_AFTER", 3)
    with _pool() as pool:
        pids = [_pid(pool) for _ in range(7)]
    assert [len(set(pids[:3])), len(set(pids[3:6])), len(set(pids))] == [1, 1, 3]


def test_may_start_no_program_and_open_no_socket(pool: Pool) -> None:
    assert pool.call(b"program") == b"PermissionError"
    assert pool.call(b"socket") == b"PermissionError"


def test_reaches_nobody_on_this_machine(pool: Pool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert pool.call(f"connect {listener.getsockname()[1]}".encode()) == b"PermissionError"


@pytest.fixture
def landlock_here() -> None:
    if not landlock.version():
        lacking("the kernel has no Landlock")


@pytest.mark.usefixtures("landlock_here")
@pytest.mark.parametrize(
    "name", ["/etc/passwd", "/proc/1/environ", "/etc/hostname", str(ROOT / "pyproject.toml")]
)
def test_opens_no_file_but_programs_and_libraries(pool: Pool, name: str) -> None:
    assert Path(name).exists()
    assert pool.call(f"open {name}".encode()) == b"PermissionError"
    assert pool.call(f"list {Path(name).parent}".encode()) == b"PermissionError"
    assert pool.call(f"open {openpyxl.__file__}".encode()) == b"went through"


@pytest.mark.usefixtures("landlock_here")
@pytest.mark.parametrize("what", ["write", "touch", "truncate", "remove"])
def test_makes_changes_and_removes_nothing(pool: Pool, tmp_path: Path, what: str) -> None:
    (tmp_path / "there").write_text("kept")
    for name in ("there", "new"):
        assert pool.call(f"{what} {tmp_path / name}".encode()) in (b"PermissionError", b"FileNotFoundError")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("there", "kept")]


@pytest.mark.usefixtures("landlock_here")
def test_may_signal_nobody(pool: Pool) -> None:
    if landlock.version() < 6:
        lacking("the kernel's Landlock knows no signals")
    assert pool.call(f"signal {os.getpid()}".encode()) == b"PermissionError"


def test_without_landlock_no_file_can_be_filled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As on an old kernel: the fork server, which has loaded the module, is asked for nothing it does not know."""
    with Pool(
        "tests.unit.documents.child_without:serve", size=1, memory_mb=1024, seconds=30, preload=()
    ) as pool:
        assert pool.call(b"open /etc/passwd") == b"went through"
        assert pool.call(f"write {tmp_path / 'out'}".encode()) == b"OSError"
    assert (tmp_path / "out").stat().st_size == 0


def test_is_given_one_file_a_call(pool: Pool, tmp_path: Path) -> None:
    for number in range(100):
        (tmp_path / "mail").write_text(f"mail {number}")
        assert pool.call(b"given", tmp_path / "mail").decode() == f"mail {number}"
    assert pool.call(b"given") == b"none"


def test_what_it_asks_the_parent_answers(pool: Pool) -> None:
    assert pool.call(b"ask a b c", answer=bytes.upper) == b"A B C"


def test_a_question_that_the_parent_cannot_answer_ends_the_call_and_the_child(pool: Pool) -> None:
    def away(_question: bytes) -> bytes:
        raise TemporaryError("away")

    before = _pid(pool)
    with pytest.raises(TemporaryError, match="away"):
        pool.call(b"ask a", answer=away)
    assert _pid(pool) != before


def test_the_time_of_an_answer_is_not_the_childs() -> None:
    def slow(question: bytes) -> bytes:
        time.sleep(1.3)
        return question

    with _pool(seconds=1) as pool:
        assert pool.call(b"ask late", answer=slow) == b"late"


def test_a_file_that_cannot_be_opened_costs_no_child(pool: Pool, tmp_path: Path) -> None:
    before = _pid(pool)
    with pytest.raises(FileNotFoundError):
        pool.call(b"given", tmp_path / "gone")
    assert _pid(pool) == before


def test_a_child_has_no_secret_of_ours() -> None:
    """In a program of its own: the fork server of this one has been started already."""
    script = (
        "from mailbot.documents.sandbox import Pool\n"
        "import os\n"
        f"with Pool({_WORK!r}, size=1, memory_mb=1024, seconds=30, preload=()) as pool:\n"
        "    print(pool.call(b'variables').decode())\n"
        "print(os.environ['MAILBOT_SOCIETIES_PASSWORD'], os.environ['PGPASSWORD'])\n"
    )
    secrets = {"MAILBOT_SOCIETIES_PASSWORD": "geheim", "PGPASSWORD": "auch geheim"}
    ended = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, **secrets, "PYTHONPATH": str(ROOT)}, text=True,
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    variables, ours = ended.stdout.splitlines()
    assert "PATH" in variables.split()
    assert not set(secrets) & set(variables.split())
    assert ours == "geheim auch geheim"


def test_a_fork_server_that_was_started_again_has_no_secret_either() -> None:
    """Nor is it hidden, while that starts, from the threads that are looking it up."""
    secret = {"MAILBOT_SOCIETIES_PASSWORD": "geheim", "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [sys.executable, "-c", _RESTARTING], env={**os.environ, **secret}, text=True,
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    first, second, looked_up = ended.stdout.splitlines()
    assert [word.partition("=")[0] for word in first.split()] == ["child", "server", "tracker"]
    assert first.split()[1] != second.split()[1]
    assert looked_up == "looked up: geheim"


_RESTARTING = f"""
import os, signal, threading
from contextlib import suppress
from multiprocessing import forkserver, resource_tracker
from pathlib import Path
from mailbot.documents.sandbox import ChildFailedError, Pool

def pids():
    return {{"child": int(pool.call(b"pid")), "server": forkserver._forkserver._forkserver_pid,
            "tracker": resource_tracker._resource_tracker._pid}}

def tell():
    each = pids()
    for pid in each.values():
        if b"geheim" in Path(f"/proc/{{pid}}/environ").read_bytes():
            print("secret", pid)
    print(*(f"{{name}}={{pid}}" for name, pid in each.items()))

def look_up():
    while not done.is_set():
        found.append(os.environ["MAILBOT_SOCIETIES_PASSWORD"])

done, found = threading.Event(), []
with Pool({_WORK!r}, size=1, memory_mb=1024, seconds=30, preload=()) as pool:
    tell()
    looking = threading.Thread(target=look_up)
    looking.start()
    os.kill(forkserver._forkserver._forkserver_pid, signal.SIGKILL)
    with suppress(ChildFailedError):
        while True:
            pool.call(b"pid")
    tell()
    done.set()
    looking.join()
    print("looked up:", *set(found))
"""


def test_prints_nothing(pool: Pool, capfd: pytest.CaptureFixture[str]) -> None:
    with _pool() as fresh:
        assert fresh.call(b"print spoofed-line") == b"printed"
    assert capfd.readouterr() == ("", "")


def test_the_usual_memory_holds_the_libraries(pool: Pool, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0]["A1"] = 5
    book.save(tmp_path / "a.xlsx")
    assert pool.call(b"libraries", tmp_path / "a.xlsx") == b"[[5.0]]"


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        pytest.param(
            samples.rarred({"自评表.xlsx": samples.xlsx()}),
            "a:rar: 自评表.xlsx:xlsx:read",
            marks=samples.needs_libarchive,
        ),
        pytest.param(
            samples.seven_zipped({"自评表.xls": samples.xls()}),
            "a:7z: 自评表.xls:xls:read",
            marks=samples.needs_libarchive,
        ),
        (samples.zipped({"自评表.ods": samples.ods()}), "a:zip: 自评表.ods:ods:read"),
        pytest.param(samples.locked_seven_zip(), "a:7z:document.encrypted", marks=samples.needs_libarchive),
        (samples.zipped({"zeros": bytes(80 * 2**20)}), "a:zip:document.dangerous"),
    ],
)
def test_documents_are_read_within_the_bounds(pool: Pool, tmp_path: Path, data: bytes, wanted: str) -> None:
    (tmp_path / "a").write_bytes(data)
    assert pool.call(b"documents", tmp_path / "a").decode() == wanted


def test_a_large_result_comes_whole(pool: Pool) -> None:
    assert len(pool.call(b"large 80")) == 80 * 2**20


def test_a_result_beyond_bounds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailbot.documents.sandbox._LARGEST_RESULT", 2**20)
    with _pool() as pool:
        assert _failure(pool, b"large 2").reason == "died"
        assert pool.call(b"echo ab") == b"ba"


def test_serves_several_threads_each_with_its_own_result() -> None:
    with _pool(size=2) as pool, ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda n: pool.call(f"echo {n}-x".encode()), range(60)))
        pids = set(threads.map(lambda _: _pid(pool), range(20)))
    assert answers == [f"x-{str(n)[::-1]}".encode() for n in range(60)]
    assert len(pids) <= 2


def test_threads_do_not_suffer_from_each_others_faults() -> None:
    def one(number: int) -> str:
        try:
            return pool.call(b"exit" if number % 3 == 0 else f"echo {number}".encode()).decode()
        except ChildFailedError as failure:
            return failure.reason

    with _pool(size=2) as pool, ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(one, range(12)))
    assert answers == ["died" if n % 3 == 0 else str(n)[::-1] for n in range(12)]


def test_leaving_ends_the_children() -> None:
    with _pool() as pool:
        pid = _pid(pool)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_leaving_ends_a_call_under_way() -> None:
    outcome: list[str] = []
    started = threading.Event()

    def call() -> None:
        started.set()
        try:
            pool.call(b"sleep_then_tell 60")
        except (ChildFailedError, TemporaryError) as error:
            outcome.append(type(error).__name__)

    with _pool() as pool:
        _pid(pool)
        thread = threading.Thread(target=call)
        thread.start()
        started.wait()
    thread.join(30)
    assert outcome in (["ChildFailedError"], ["TemporaryError"])
    with pytest.raises(TemporaryError):
        pool.call(b"echo too-late")


def test_a_target_that_cannot_be_imported_is_no_documents_fault() -> None:
    wrong = Pool("tests.unit.documents.nowhere:serve", size=1, memory_mb=512, seconds=5, preload=())
    with wrong, pytest.raises(TemporaryError):
        wrong.call(b"echo a")
