"""What the children of test_sandbox run. A request is `NAME ARGUMENT`; the result shows what happened."""

from __future__ import annotations

import ctypes
import io
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable

from mailbot.documents.sandbox import Parent

_seen: list[str] = []
_parents: list[Parent] = []
Progress = Callable[[str], None]


def serve(request: bytes, parent: Parent) -> bytes:
    name, _, argument = request.decode().partition(" ")
    _parents[:] = [parent]
    return str(_DOES[name](argument, parent.progress)).encode()


def _echo(argument: str, progress: Progress) -> str:
    _seen.append(argument)
    return argument[::-1]


def _pid(argument: str, progress: Progress) -> int:
    return os.getpid()


def _bomb(argument: str, progress: Progress) -> int:
    progress("bomb.xlsx")
    return len(bytearray(8 * 2**30))


def _growing_bomb(argument: str, progress: Progress) -> int:
    progress("growing.xlsx")
    kept: list[bytes] = []
    while True:
        kept.append(os.urandom(2**20) * 16)


def _spin(argument: str, progress: Progress) -> int:
    progress("1")
    progress("spin.pdf")
    while True:
        pass


def _sleep_then_tell(argument: str, progress: Progress) -> str:
    time.sleep(float(argument))
    return "late"


def _steps(argument: str, progress: Progress) -> str:
    for step in range(int(argument)):
        progress(str(step))
        time.sleep(0.4)
    return "done"


def _exit(argument: str, progress: Progress) -> int:
    progress("exit.doc")
    os._exit(3)


def _system_exit(argument: str, progress: Progress) -> int:
    sys.exit(3)


def _abort(argument: str, progress: Progress) -> int:
    progress("abort.pdf")
    os.abort()


def _segfault(argument: str, progress: Progress) -> int:
    progress("fault.pdf")
    ctypes.string_at(0)
    return 0


def _raise(argument: str, progress: Progress) -> int:
    progress("raise.ods")
    raise ValueError("no such thing: 表")


def _recursion(argument: str, progress: Progress) -> int:
    return _recursion(argument, progress)


def _refused(call: Callable[[], object]) -> str:
    try:
        call()
    except OSError as error:
        return type(error).__name__
    return "went through"


def _program(argument: str, progress: Progress) -> str:
    return _refused(lambda: subprocess.run(["/bin/true"], check=True))


def _socket(argument: str, progress: Progress) -> str:
    return _refused(socket.socket)


def _connect(argument: str, progress: Progress) -> str:
    return _refused(lambda: socket.create_connection(("127.0.0.1", int(argument)), 5))


def _open(argument: str, progress: Progress) -> str:
    return _refused(lambda: open(argument, "rb").close())


def _list(argument: str, progress: Progress) -> str:
    return _refused(lambda: os.listdir(argument))


def _touch(argument: str, progress: Progress) -> str:
    return _refused(lambda: os.close(os.open(argument, os.O_CREAT | os.O_WRONLY)))


def _truncate(argument: str, progress: Progress) -> str:
    return _refused(lambda: os.truncate(argument, 0))


def _remove(argument: str, progress: Progress) -> str:
    return _refused(lambda: os.unlink(argument))


def _signal(argument: str, progress: Progress) -> str:
    return _refused(lambda: os.kill(int(argument), 0))


def _variables(argument: str, progress: Progress) -> str:
    return " ".join(os.environ)


def _write(argument: str, progress: Progress) -> str:
    def write() -> None:
        with open(argument, "wb") as file:
            file.write(b"x" * 4096)

    return _refused(write)


def _given(argument: str, progress: Progress) -> str:
    """What the file that came with the call holds."""
    file = _parents[0].file
    return file.read().decode() if file else "none"


def _ask(argument: str, progress: Progress) -> str:
    return " ".join(_parents[0].ask(word.encode()).decode() for word in argument.split())


def _print(argument: str, progress: Progress) -> str:
    print(argument, flush=True)
    print(argument, file=sys.stderr, flush=True)
    return "printed"


def _large(argument: str, progress: Progress) -> str:
    return "x" * (int(argument) * 2**20)


def _libraries(argument: str, progress: Progress) -> object:
    """Load everything that reads documents, use some of it, and take 200 MB besides."""
    import docx  # noqa: F401
    import openpyxl
    import pdfplumber  # noqa: F401
    import pypdfium2
    import python_calamine
    from lxml import etree

    ballast = bytearray(200 * 2**20)
    etree.fromstring(b"<a>" + b"<b/>" * 100_000 + b"</a>")
    pypdfium2.PdfDocument.new().close()
    octets = _parents[0].file.read()
    openpyxl.load_workbook(io.BytesIO(octets)).close()
    sheet = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(octets)).get_sheet_by_index(0)
    del ballast
    return sheet.to_python()


def _documents(argument: str, progress: Progress) -> str:
    """Read a file as the only attachment; what became of it and its members."""
    from mailbot.config import Limits
    from mailbot.documents.read import read_parts
    from mailbot.reading import Part

    part = Part(key="1", filename="a", content_type="", data=_parents[0].file.read())
    read = read_parts([part], limits=Limits(), supplied={}, begin=progress, open_mail=lambda data: ())
    return " ".join(
        f"{p.filename}:{p.format}:{p.code or (p.extract and 'read') or p.needs or ''}" for p in read
    )


_DOES: dict[str, Callable[[str, Progress], object]] = {
    name[1:]: function
    for name, function in list(globals().items())
    if name.startswith("_") and callable(function)
}
