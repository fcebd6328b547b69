"""Has an office program turn old formats into ones that are read. Runs in the parent: a child may start no program.

LibreOffice is started for one document at a time, in a profile and directory of its own that vanish with it,
without macros, without the net where bubblewrap works, bounded in time, memory and file size.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from mailbot.documents import tabbed
from mailbot.documents.needs import Supplied
from mailbot.documents.text import first_lines
from mailbot.errors import DoubtfulError, TemporaryError, TooLargeError, UnreadableError, UnsupportedError
from mailbot.model import Format, ReadBy
from mailbot.reading import Extract

_WORD, _SHEET = "docx:MS Word 2007 XML", "xlsx:Calc MS Excel 2007 XML"
_TARGETS = {
    Format.DOC: ("doc", _WORD),
    Format.WPS: ("doc", _WORD),
    Format.ODT: ("odt", _WORD),
    Format.RTF: ("rtf", _WORD),
    Format.ET: ("xls", _SHEET),
    Format.XLS: ("xls", _SHEET),
    Format.ODS: ("ods", _SHEET),
}
"""Under which ending the program is given a format, and what it is to write."""
_LARGEST_RESULT = 100 * 2**20
_MEMORY = 3 * 2**30
_FEWEST_CHARS = 20
_TOLD_TO_END = (-signal.SIGTERM, 128 + signal.SIGTERM)
"""Exit statuses of a program that SIGTERM ended, alone and within bubblewrap: neither we nor a document send that."""
_PACKAGES = {_WORD: "libreoffice-writer-nogui", _SHEET: "libreoffice-calc-nogui"}
_SAMPLES = {_WORD: ("rtf", rb"{\rtf1 mailbot}"), _SHEET: ("csv", b"mailbot\n")}
_ADVICE = f"install {' and '.join(_PACKAGES.values())} to read .{{}}"
_PROFILE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<item oor:path="/org.openoffice.Office.Common/Security/Scripting">
<prop oor:name="MacroSecurityLevel" oor:op="fuse"><value>3</value></prop>
<prop oor:name="DisableMacrosExecution" oor:op="fuse"><value>true</value></prop>
<prop oor:name="DisableActiveContent" oor:op="fuse"><value>true</value></prop>
<prop oor:name="BlockUntrustedRefererLinks" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Writer/Content/Update">
<prop oor:name="Link" oor:op="fuse"><value>0</value></prop></item>
<item oor:path="/org.openoffice.Office.Calc/Content/Update">
<prop oor:name="Link" oor:op="fuse"><value>2</value></prop></item>
</oor:items>
"""
_one_at_a_time = threading.Lock()


def convert(data: bytes, format: Format, *, seconds: int) -> Supplied:
    """The document as docx or xlsx; the text alone where only antiword is installed and it has no table.

    Raises UnsupportedError, naming what to install, UnreadableError, TooLargeError, DoubtfulError where the program
    did not end or does not work at all, TemporaryError where it was told to end.
    """
    if format not in _TARGETS:
        raise UnsupportedError(f"{format} is not converted")
    with _one_at_a_time, tempfile.TemporaryDirectory(prefix="mailbot-office-") as place:
        directory = Path(place)
        if program := _program():
            return Supplied(converted=_converted(program, data, format, directory, seconds))
        antiword = shutil.which("antiword")
        if antiword and format in (Format.DOC, Format.WPS):
            return Supplied(extract=_words(antiword, data, format, directory, seconds))
    raise UnsupportedError(_ADVICE.format(format))


def fault(*, seconds: int) -> str:
    """What keeps the formats that are converted from being read on this machine, tried; "" where nothing does."""
    program = _program()
    if program is None:
        return f"install {' and '.join(_PACKAGES.values())}"
    with _one_at_a_time:
        lacking = [package for target, package in _PACKAGES.items() if not _works(program, target, seconds)]
    return f"LibreOffice does not convert a sample; is {' and '.join(lacking)} installed?" if lacking else ""


def _program() -> str | None:
    return shutil.which("soffice") or shutil.which("libreoffice")


def _converted(program: str, data: bytes, format: Format, directory: Path, seconds: int) -> bytes:
    ending, target = _TARGETS[format]
    source = directory / f"document.{ending}"
    source.write_bytes(data)
    result = _result(program, source, target, seconds)
    if not result.is_file():
        if not _works(program, target, seconds):
            raise DoubtfulError("LibreOffice does not work on this machine: see mailbot check")
        raise UnreadableError(f"LibreOffice cannot open this .{format}")
    if result.stat().st_size > _LARGEST_RESULT:
        raise TooLargeError(f"LibreOffice made {result.stat().st_size} octets of it")
    return result.read_bytes()


def _works(program: str, target: str, seconds: int) -> bool:
    """Whether it opens a document of our own: where it does not, no other shows anything."""
    ending, data = _SAMPLES[target]
    with tempfile.TemporaryDirectory(prefix="mailbot-office-") as place:
        source = Path(place, f"sample.{ending}")
        source.write_bytes(data)
        try:
            return _result(program, source, target, seconds).is_file()
        except DoubtfulError:
            return False


def _result(program: str, source: Path, target: str, seconds: int) -> Path:
    """Where what it made of that lies, if it made anything."""
    directory = source.parent
    results = directory / "results"
    settings = directory / "profile" / "user" / "registrymodifications.xcu"
    settings.parent.mkdir(parents=True)
    settings.write_text(_PROFILE, encoding="utf-8")
    command = [
        program,
        f"-env:UserInstallation={(directory / 'profile').as_uri()}",
        *("--headless", "--norestore", "--nologo", "--nolockcheck", "--nodefault"),
        *("--convert-to", target, "--outdir", str(results), str(source)),
    ]
    _run(command, directory, seconds)
    return results / f"{source.stem}.{target.partition(':')[0]}"


def _words(program: str, data: bytes, format: Format, directory: Path, seconds: int) -> Extract:
    """Running text by antiword. It breaks tables off without a word, so that none of its tables is trusted."""
    source = directory / "document.doc"
    source.write_bytes(data)
    written = _run([program, "-w", "0", "-m", "UTF-8.txt", str(source)], directory, seconds)
    lines = written.decode("utf-8", "replace").splitlines()
    if any(line.startswith("|") for line in lines):
        raise UnsupportedError(f"it has a table; {_ADVICE.format(format)}")
    text = "\n".join(lines).strip()
    if len(text) < _FEWEST_CHARS:
        raise UnsupportedError(f"antiword finds no text in it; {_ADVICE.format(format)}")
    return Extract(
        format=format,
        read_by=ReadBy.TEXT,
        text=text,
        tables=tabbed.tables(lines),
        headings=first_lines(lines),
    )


def _run(command: Sequence[str], directory: Path, seconds: int) -> bytes:
    """Run a program on hostile input and give what it writes; its whole process group ends with the time."""
    with subprocess.Popen(
        [*_limits(seconds), *_walls(directory), *command],
        cwd=directory,
        env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(directory), "LANG": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            written, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as error:
            raise DoubtfulError(f"its conversion took more than {seconds} s") from error
        finally:
            _end(process)
    if process.returncode in _TOLD_TO_END:
        raise TemporaryError("a conversion was broken off from outside, by a stop of the service most likely")
    return written


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


def _limits(seconds: int) -> list[str]:
    """util-linux's prlimit, where it is there."""
    program = shutil.which("prlimit")
    if program is None:
        return []
    return [
        program,
        f"--as={_MEMORY}",
        f"--fsize={2 * _LARGEST_RESULT}",
        f"--cpu={2 * seconds}",
        "--core=0",
        "--",
    ]


def _walls(directory: Path) -> list[str]:
    """Bubblewrap, where it works: a file system of programs and this directory alone, no net, no other processes."""
    if not is_walled_in():
        return []
    return ["bwrap", *_WALLS, "--bind", str(directory), str(directory), "--chdir", str(directory), "--"]


def is_walled_in() -> bool:
    """Whether bubblewrap is there and works."""
    program = shutil.which("bwrap")
    return program is not None and _wraps(program)


_READABLE = (
    "/usr",
    "/bin",
    "/lib",
    "/lib64",
    "/opt",
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/libreoffice",
    "/var/cache/fontconfig",
    "/var/lib/libreoffice",
)
_WALLS = (
    *(part for path in _READABLE for part in ("--ro-bind-try", path, path)),
    *("--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"),  # noqa: S108 - the wrapped program's own, empty
    *("--unshare-all", "--cap-drop", "ALL", "--die-with-parent", "--new-session"),
)


@lru_cache(maxsize=1)
def _wraps(program: str) -> bool:
    """Whether the kernel lets bubblewrap make its namespaces here."""
    try:
        trial = subprocess.run([program, *_WALLS, "--", "true"], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return trial.returncode == 0
