"""Reads plain text and CSV, in whatever charset it was saved."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from itertools import islice

from mailbot.documents import tabbed
from mailbot.errors import UnreadableError
from mailbot.model import Format, ReadBy
from mailbot.reading import Cell, Extract, Table

_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_BINARY = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_ORDINARY = re.compile("[\t\r\n -~\u2010-\u2030\u3000-\u303f\u4e00-\u9fff\uff01-\uff5e]")
_LARGEST_START, _MOSTLY = 4096, 0.95
_GB = re.compile(r"gb[\w-]*|x-gbk|cp936|euc-cn", re.IGNORECASE)
_QUOTED = re.compile(r'\t"[^"\t]*\n[^"\t]*"[\t\n]')
_FIRST_LINES = 5
LONGEST_HEADING = 200
"""Characters of a heading that are kept."""
_MOST_TEXT = 2_000_000
_MOST_ROWS, _MOST_COLUMNS = 5000, 200


def read(data: bytes) -> Extract:
    """Read plain text; lines with tabs become a table where there are enough of them. Raises UnreadableError."""
    decoded = decode(data)
    text = decoded[:_MOST_TEXT]
    lines = text.split("\n")
    return Extract(
        format=Format.TEXT,
        read_by=ReadBy.TEXT,
        text=text,
        tables=tabbed.tables(lines),
        headings=first_lines(lines),
        truncated=len(text) < len(decoded),
    )


def read_csv(data: bytes) -> Extract:
    """Read comma or semicolon separated values as one table. Raises UnreadableError."""
    decoded = decode(data)
    text = decoded[:_MOST_TEXT]
    found: list[list[str]] = []
    truncated = len(text) < len(decoded)
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter(text) or ","):
            if len(found) == _MOST_ROWS:
                truncated = True
                break
            truncated = truncated or len(row) > _MOST_COLUMNS
            found.append(row[:_MOST_COLUMNS])
    except csv.Error as error:
        raise UnreadableError(f"no CSV: {error}") from error
    width = max((len(row) for row in found), default=0)
    rows = tuple(
        tuple(
            Cell(text=value.replace("\r\n", "\n").strip(), place=f"第{number}行第{column}列")
            for column, value in enumerate(row + [""] * (width - len(row)), start=1)
        )
        for number, row in enumerate(found, start=1)
    )
    lines = ["\t".join(cell.text for cell in row) for row in rows]
    return Extract(
        format=Format.CSV,
        read_by=ReadBy.CELLS,
        text="\n".join(lines),
        tables=(Table(rows=rows),) if rows else (),
        headings=first_lines(lines),
        truncated=truncated,
    )


def decode_strictly(data: bytes, declared: str = "") -> str | None:
    """Octets as text with `\\n` line ends: by byte order mark, as UTF-8, as declared, as GB18030, as UTF-16;
    None if no text."""
    for mark, codec in _BOMS:
        if data.startswith(mark):
            return _clean(data[len(mark) :].decode(codec, "replace"))
    declared = "gb18030" if _GB.fullmatch(declared) else declared
    for codec in ("utf-8", declared, "gb18030"):
        try:
            text = data.decode(codec) if codec else "\0"
        except (UnicodeDecodeError, LookupError, ValueError):
            continue
        if not _BINARY.search(text):
            return _clean(text)
    return _wide(data)


def _wide(data: bytes) -> str | None:
    """UTF-16 without a byte order mark: nearly all that it begins with is Chinese or ASCII; None if it is not that."""
    start = data[:_LARGEST_START]
    for codec in ("utf-16-le", "utf-16-be") if b"\0" in start and len(data) % 2 == 0 else ():
        told = start.decode(codec, "replace")
        if len(_ORDINARY.findall(told)) < _MOSTLY * len(told):
            continue
        text = data.decode(codec, "replace")
        if not _BINARY.search(text):
            return _clean(text)
    return None


def decode(data: bytes, declared: str = "") -> str:
    """Octets as text; what cannot be text is replaced, up to a limit. Raises UnreadableError beyond it."""
    text = decode_strictly(data, declared)
    if text is not None:
        return text
    forms = (_clean(data.decode(codec, "replace")) for codec in ("gb18030", "utf-8"))
    best = min(forms, key=lambda form: form.count("\ufffd") + len(_BINARY.findall(form)))
    if best.count("\ufffd") + len(_BINARY.findall(best)) > 10 + len(best) // 20:
        raise UnreadableError("this is no text")
    return _BINARY.sub("", best)


def delimiter(text: str) -> str:
    """By which sign a text is separated values: most lines have it, as often as the others; '' for any other text.

    Tabs count where values are quoted, as in the Unicode text of Excel; other tabbed text is left to `tabbed`.
    """
    signs: tuple[str, ...] = (",", ";", "\t") if _QUOTED.search(text[:100_000]) else (",", ";")
    for sign in signs:
        rows: list[int] = []
        try:
            for row in csv.reader(io.StringIO(text[:100_000], newline=""), delimiter=sign):
                if any(row):
                    rows.append(len(row))
                if len(rows) == 50:
                    break
        except csv.Error:
            continue
        usual = max(set(rows), key=rows.count, default=0)
        if len(rows) >= 3 and usual >= 3 and rows.count(usual) >= 0.8 * len(rows):
            return sign
    return ""


def first_lines(lines: Iterable[str]) -> tuple[str, ...]:
    """The first lines that are not blank, for a document in which nothing marks a heading."""
    said = (line.strip()[:LONGEST_HEADING] for line in lines if line.strip())
    return tuple(islice(said, _FIRST_LINES))


def _clean(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
