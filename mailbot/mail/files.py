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

_FROM_LINE = re.compile(rb"^From (\S+)\s+(.+?)\r?\n", re.M)
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.M)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMail:
    """One mail from a file."""

    octets: bytes
    received_at: datetime
    """Maildir: the file's time; mbox: its From_ line; .eml: the topmost Received header, else the file's time."""
    source: str


def read_files(paths: Sequence[Path]) -> Iterator[FileMail]:
    """The mails in files and folders, in order. Raises UsageError for a path that holds none."""
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path}: there is no such file or folder")
        if path.is_dir():
            yield from _folder(path)
        else:
            yield from _file(path)


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
            yield FileMail(octets=file.read_bytes(), received_at=_file_time(file), source=str(file))
        return
    files = sorted(f for f in path.rglob("*") if f.is_file() and f.suffix.lower() in (".eml", ".mbox"))
    if not files:
        raise UsageError(f"{path}: no .eml or .mbox file in it, and no Maildir (cur, new)")
    for file in files:
        yield from _file(file)


def _file(path: Path) -> Iterator[FileMail]:
    octets = path.read_bytes()
    if octets.startswith(b"From "):
        yield from _mbox(octets, path)
    else:
        yield FileMail(octets=octets, received_at=_received(octets) or _file_time(path), source=str(path))


def _mbox(octets: bytes, path: Path) -> Iterator[FileMail]:
    """RFC 4155: a From_ line begins each mail, its time is UTC; mboxrd's `>From ` is unquoted."""
    starts = [
        m
        for m in _FROM_LINE.finditer(octets)
        if m.start() == 0 or octets.endswith((b"\n\n", b"\r\n\r\n"), 0, m.start())
    ]
    for number, start in enumerate(starts):
        end = starts[number + 1].start() if number + 1 < len(starts) else len(octets)
        mail = _QUOTED_FROM.sub(rb"\1", octets[start.end() : end])
        mail = (
            mail.removesuffix(b"\r\n")
            if mail.endswith(b"\r\n\r\n")
            else mail.removesuffix(b"\n")
            if mail.endswith(b"\n\n")
            else mail
        )
        received_at = _from_line_time(start[2]) or _received(mail) or _file_time(path)
        yield FileMail(octets=mail, received_at=received_at, source=f"{path}#{number + 1}")


def _from_line_time(text: bytes) -> datetime | None:
    """`Thu Jan 14 01:12:03 2021`, an asctime in UTC; a zone after it is obeyed."""
    words = text.decode("ascii", "replace").split()
    if len(words) < 5:
        return None
    _, month, day, clock, *rest = words
    year = next((w for w in rest if re.fullmatch(r"\d{4}", w)), "")
    zone = next((w for w in rest if re.fullmatch(r"[+-]\d{4}", w)), "+0000")
    return parse_date(f"{day} {month} {year} {clock} {zone}") if year else None


def _received(octets: bytes) -> datetime | None:
    header = BytesHeaderParser().parsebytes(octets[:200_000]).get("received")
    return received_date(" ".join(str(header).split())) if header else None


def _file_time(path: Path) -> datetime:
    return datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
