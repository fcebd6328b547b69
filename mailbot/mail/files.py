"""Mails from files: .eml, mbox (RFC 4155) and Maildir. Here too the receipt time is never the sender's Date."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.parser import BytesHeaderParser
from pathlib import Path

from mailbot.errors import UsageError
from mailbot.mail.receipt import parse_date, received_date
from mailbot.model import OLE_START, PDF_START, ZIP_START

_FROM_LINE = re.compile(rb"^From [^\r\n]+\r?\n", re.M)
_ASCTIME = re.compile(
    r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? +(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +(\d{1,2}) +"
    r"(\d{1,2}:\d{2}(?::\d{2})?)(?: +([A-Z]{3,4}|[+-]\d{4}))? +(\d{4})(?: +([+-]\d{4}))?\s*$"
)
_NOBODY = re.compile(rb"From (?:-|MAILER-DAEMON) ")
"""How programs begin a mail that they copy into an mbox: the time behind it is the copy's (Thunderbird, Python)."""
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"^Content-Length:[ \t]*(\d{1,12})[ \t]*\r?$", re.M | re.I)
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.M)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMail:
    """One mail from a file."""

    octets: bytes
    received_at: datetime
    """Maildir: the file's time; mbox: its From_ line; .eml: the topmost Received header, else the file's time.

    Where the file's time or the From_ line is only that of a copy made later, the topmost Received header goes before
    it."""


def read_files(paths: Sequence[Path]) -> Iterator[FileMail]:
    """The mails in files and folders, in order. Raises UsageError for a path that holds none."""
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path}: there is no such file or folder")
        try:
            yield from _folder(path) if path.is_dir() else _named(path)
        except PermissionError as error:
            raise UsageError(f"{error.filename}: it may not be read by this user") from error


def _folder(path: Path) -> Iterator[FileMail]:
    if (path / "cur").is_dir() or (path / "new").is_dir():
        files = [
            f
            for sub in ("cur", "new")
            if (path / sub).is_dir()
            for f in (path / sub).iterdir()
            if f.is_file()
        ]
        for file in sorted(files, key=lambda f: (f.stat().st_mtime, f.name)):
            octets = file.read_bytes()
            copied = (_was_never_set(file) and _received(octets)) or None
            yield FileMail(octets=octets, received_at=copied or _file_time(file))
        return
    files = sorted(f for f in path.rglob("*") if f.is_file() and f.suffix.lower() in (".eml", ".mbox"))
    if not files:
        raise UsageError(f"{path}: no .eml or .mbox file in it, and no Maildir (cur, new)")
    for file in files:
        yield from _file(file)


def _named(path: Path) -> Iterator[FileMail]:
    """A file that somebody names himself, which may be another than he thinks."""
    with path.open("rb") as file:
        if file.read(8).startswith((ZIP_START, OLE_START, PDF_START)):
            raise UsageError(
                f"{path}: is a document and no mail; save the mail as .eml (mailbot read reads a document)"
            )
    yield from _file(path)


def _file(path: Path) -> Iterator[FileMail]:
    octets = path.read_bytes()
    if octets.startswith(b"From "):
        yield from _mbox(octets, path)
    elif octets.strip() or path.suffix.lower() != ".mbox":
        yield FileMail(octets=octets, received_at=_received(octets) or _file_time(path))


def _mbox(octets: bytes, path: Path) -> Iterator[FileMail]:
    """RFC 4155: a From_ line begins each mail, its time is UTC; mboxrd's `>From ` is unquoted."""
    first = octets.find(b"\n") + 1 or len(octets)
    starts = [(0, first, _from_line_time(octets[:first]))]
    counted = _counted(octets, first)
    for line in _FROM_LINE.finditer(octets, first):
        separated = octets.endswith((b"\n\n", b"\n\r\n"), 0, line.start())
        if separated and line.start() >= counted and (time := _from_line_time(line[0])):
            starts.append((line.start(), line.end(), time))
            counted = _counted(octets, line.end())
    ends = [*(start for start, _, _ in starts[1:]), len(octets)]
    for (start, begin, time), end in zip(starts, ends, strict=True):
        mail = _without_separator(_QUOTED_FROM.sub(rb"\1", octets[begin:end]))
        copied = (_NOBODY.match(octets[start:begin]) and _received(mail)) or None
        received_at = copied or time or _received(mail) or _file_time(path)
        yield FileMail(octets=mail, received_at=received_at)


def _counted(octets: bytes, begin: int) -> int:
    """Where mboxcl's Content-Length ends the mail; `begin` where there is none, or neither a From_ line nor the end is
    there: the sender may have written it.
    """
    head = _HEAD_END.search(octets, begin)
    length = _LENGTH.search(octets, begin, head.start() + 1) if head else None
    if head is None or length is None:
        return begin
    end = head.end() + int(length[1])
    line = octets[end : end + 400].lstrip(b"\r\n").partition(b"\n")[0]
    there = (not line and end <= len(octets)) or (line.startswith(b"From ") and _from_line_time(line))
    return end if there else begin


def _without_separator(mail: bytes) -> bytes:
    """A mail without the empty line that stands before the next From_ line."""
    if mail.endswith(b"\n\r\n"):
        return mail[:-2]
    return mail[:-1] if mail.endswith(b"\n\n") else mail


def _from_line_time(line: bytes) -> datetime | None:
    """`From x@y Thu Jan 14 01:12:03 2021`, an asctime in UTC; a zone before or after the year is obeyed."""
    match = _ASCTIME.search(line.decode("ascii", "replace"))
    if match is None:
        return None
    month, day, clock, zone, year, offset = match.groups()
    return parse_date(f"{day} {month} {year} {clock} {offset or zone or '+0000'}")


def _received(octets: bytes) -> datetime | None:
    header = BytesHeaderParser().parsebytes(octets[:200_000]).get("received")
    return received_date(" ".join(str(header).split())) if header else None


def _was_never_set(path: Path) -> bool:
    """Whether the file's time is only that at which it was written here: whoever copies a mail and keeps its time sets
    it afterwards, so that it differs from the inode's."""
    times = path.stat()
    return abs(times.st_ctime - times.st_mtime) < 1


def _file_time(path: Path) -> datetime:
    return datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
