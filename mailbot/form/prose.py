"""The running text of a document, line by line: folded, without blanks, years in digits."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from mailbot.form.columns import is_headed
from mailbot.form.match import folded
from mailbot.form.words import (
    DEEDS,
    INTENTIONS,
    NUMBERING,
    ON_SENDING,
    SHORT_YEAR,
    TRANSMITTAL,
    YEAR_IN_WORDS,
)
from mailbot.model import ReadBy
from mailbot.reading import Cell, Extract, Table

TITLE_LINES, LONGEST_TITLE = 10, 60
_SENTENCE = re.compile(r"[^。;!?]+[?]?")
_DIGITS = str.maketrans("〇零○Oo一二三四五六七八九", "00000123456789")
_LONGEST_TEXT, _LONGEST_ENTRY = 300_000, 40
_ENCLOSED = re.compile(r"附[件表]?[0-9一二三四五]{0,2}(?::|(?=20[0-9]{2}年))")


def _bare(lines: Iterable[str]) -> list[str]:
    return [_in_digits(bare) for line in lines if (bare := "".join(line.split()).lstrip("#*"))]


def _label_apart(line: str) -> list[str]:
    """A line of two cells (split by a tab) as two lines: the first is a label, and reads like a heading of the second."""
    cells = [cell for cell in line.split("\t") if cell.strip()]
    return cells if len(cells) == 2 else [line]


def _in_digits(line: str) -> str:
    """The line with its years in four digits: 二〇二〇年 and 二O二0年 as 2020年, and 20年 where it dates a report."""
    if "二" in line:
        line = YEAR_IN_WORDS.sub(lambda year: year.group().translate(_DIGITS), line)
    return SHORT_YEAR.sub(r"20\g<0>", line) if "年" in line else line


@lru_cache(maxsize=16)
def lines_of(text: str) -> tuple[str, ...]:
    """The lines of a text that are not blank, folded (NFKC), without blanks, with years in digits.

    Of a very long text those of its first `_LONGEST_TEXT` characters.
    """
    lines = folded(text[:_LONGEST_TEXT]).splitlines()
    if "\t" in text:
        lines = [part for line in lines for part in _label_apart(line)]
    return tuple(_bare(lines))


def without_enclosures(lines: Sequence[str]) -> list[str]:
    """The lines without the list of enclosures (附件：1.……), whose entries only look like titles.

    An entry that has prose beneath it is kept, without 附件: it is the title of an enclosure that follows here.
    """
    kept: list[str] = []
    listing = False
    for index, line in enumerate(lines):
        head = _ENCLOSED.match(line)
        listing = head is not None or (listing and NUMBERING.match(line) is not None and not _is_prose(line))
        if not listing:
            kept.append(line)
        elif (
            head and line[head.end() :] and (index == 0 or any(map(_is_prose, lines[index + 1 : index + 3])))
        ):
            kept.append(line[head.end() :])
    return kept


def _is_prose(line: str) -> bool:
    """Whether a line is a sentence as reports and plans have, and not one on the papers and how they are sent."""
    sentence = "," in line or "。" in line[:-1] or len(line) > _LONGEST_ENTRY
    tells = DEEDS.search(line) or INTENTIONS.search(line)
    return sentence and tells is not None and ON_SENDING.search(line) is None


def apart_from_form(extract: Extract) -> tuple[str, ...]:
    """The lines of a document without its form: those outside of tables, and in a workbook those of its other sheets."""
    outside = outside_tables(extract)
    if extract.read_by is not ReadBy.CELLS or len(extract.tables) < 2:
        return outside
    sheets = (table for table in extract.tables if not (table.hidden or _is_one_column(table)))
    rows = (row for table in sheets if not is_headed(table.rows) for row in table.rows)
    return (*outside, *lines_of("\n".join(map(_as_line, rows))))


def _as_line(row: Sequence[Cell]) -> str:
    """A row as one line. One of three cells or more gets a full stop, so that nothing takes it for a title."""
    cells = [cell.text for cell in row if cell.text.strip()]
    return "\t".join(cells) + ("。" if len(cells) > 2 else "")


def outside_tables(extract: Extract) -> tuple[str, ...]:
    """The lines of the running text that do not stand in a table. What has a single column counts as text."""
    tables = [table for table in extract.tables if not _is_one_column(table)]
    said = frozenset(cell.text for table in tables for row in table.rows for cell in row)
    return _outside(extract.text[:_LONGEST_TEXT], said)


def _is_one_column(table: Table) -> bool:
    """Whether no row has two filled cells, as where a report is written on a sheet or a page laid out in a table."""
    return not table.hidden and all(sum(bool(cell.text.strip()) for cell in row) < 2 for row in table.rows)


@lru_cache(maxsize=16)
def _outside(text: str, said: frozenset[str]) -> tuple[str, ...]:
    outside = [line for line in text.splitlines() if "\t" not in line.strip()]
    parts = said | {line for text in said for line in text.splitlines()}
    cells = {"".join(part.split()) for part in parts}
    return lines_of("\n".join(line for line in outside if "".join(line.split()) not in cells))


def title_of(extract: Extract, lines: Sequence[str]) -> list[str]:
    """The title of a document: its first short lines, to where the text begins; without any, its first marked headings."""
    title: list[str] = []
    for line in lines[:TITLE_LINES]:
        if len(line) > LONGEST_TITLE or (len(line) > 20 and line[-1] in "。；;，,"):
            break
        if title and NUMBERING.match(line) and len(line) > 4:
            break
        if not TRANSMITTAL.search(line) and line[-1] not in ":：":
            title.append(line)
    if title or not extract.headings:
        return title
    return [h for h in _bare(extract.headings[:2]) if len(h) <= LONGEST_TITLE and not TRANSMITTAL.search(h)]


def stem(filename: str) -> str:
    """A file name without its ending, folded like a line."""
    return _in_digits("".join(unicodedata.normalize("NFKC", filename.rpartition(".")[0] or filename).split()))


def substance(lines: Iterable[str]) -> str:
    """The text in one piece, without the sentences on the papers and how they are sent (`ON_SENDING`)."""
    return "".join(_sentences(lines))


def says_enough(lines: Iterable[str], length: int) -> bool:
    """Whether the `substance` of a text has so many characters; mostly its first sentences do, and no more is read."""
    said = 0
    for sentence in _sentences(lines):
        said += len(sentence)
        if said >= length:
            return True
    return False


def _sentences(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield from (sentence for sentence in _SENTENCE.findall(line) if not ON_SENDING.search(sentence))


def different(pattern: re.Pattern[str], text: str) -> int:
    """How many different words that the pattern finds stand in a text."""
    return len(set(pattern.findall(text)))
