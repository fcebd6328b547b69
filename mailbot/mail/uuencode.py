"""Files written into a text body with uuencode (POSIX `uuencode`, historical and base64), as old mailers still do."""

from __future__ import annotations

import base64
import binascii
import re

_BEGIN = re.compile(r"^begin(?P<base64>-base64)? [0-7]{3,4} (?P<name>[^\n]{1,255})$", re.M)
_MOST = 50
"""Files looked for in one body."""


def split(text: str) -> tuple[str, tuple[tuple[str, bytes], ...]]:
    """A body without the files in it, and these: (name, octets). Lines end in `\\n`."""
    kept: list[str] = []
    files: list[tuple[str, bytes]] = []
    at = 0
    for _ in range(_MOST):
        begin = _BEGIN.search(text, at)
        if begin is None:
            break
        lines = text[begin.end() + 1 :].splitlines() if begin.end() < len(text) else []
        read = _base64(lines) if begin["base64"] else _historical(lines)
        kept.append(text[at : begin.end() if read is None else begin.start()])
        at = begin.end()
        if read is not None:
            data, count = read
            files.append((begin["name"].strip(), data))
            at += 1 + sum(len(line) + 1 for line in lines[:count])
    return "".join((*kept, text[at:])), tuple(files)


def _historical(lines: list[str]) -> tuple[bytes, int] | None:
    """The octets and how many lines they took; None where the first line is no data."""
    data = bytearray()
    for number, line in enumerate(lines):
        if line.strip() in ("end", ""):
            return (bytes(data), number + 1) if line.strip() == "end" or data else None
        octets = _line(line)
        if octets is None:
            return (bytes(data), number) if data else None
        data += octets
    return (bytes(data), len(lines)) if data else None


def _line(line: str) -> bytes | None:
    """One line: its first character says how many octets follow; blanks cut off at its end are put back."""
    count = (ord(line[0]) - 32) & 63
    wanted = (count + 2) // 3 * 4
    if not line.isascii() or len(line.rstrip()) > wanted + 2:
        return None
    try:
        return binascii.a2b_uu(line[0] + line[1 : wanted + 1].ljust(wanted))
    except binascii.Error:
        return None


def _base64(lines: list[str]) -> tuple[bytes, int] | None:
    end = next((number for number, line in enumerate(lines) if line.strip() == "===="), None)
    try:
        data = base64.b64decode("".join(line.strip() for line in lines[:end]), validate=True)
    except (binascii.Error, ValueError):
        return None
    return (data, len(lines) if end is None else end + 1) if data else None
