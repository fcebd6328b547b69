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
    """A row of two cells as two lines: what is written beside its label reads as beneath a heading."""
    cells = [cell for cell in line.split("\t") if cell.strip()]
    return cells if len(cells) == 2 else [line]


def _in_digits(line: str) -> str:
    """With the years in four digits: 二〇二〇年, 二O二0年 and, of a report, 20年 are 2020年."""
    if "二" in line:
        line = YEAR_IN_WORDS.sub(lambda year: year.group().translate(_DIGITS), line)
    return SHORT_YEAR.sub(r"20\g<0>", line) if "年" in line else line


@lru_cache(maxsize=16)
def lines_of(text: str) -> tuple[str, ...]:
    """The lines that say something; of a very long text the first ones."""
    lines = folded(text[:_LONGEST_TEXT]).splitlines()
    if "\t" in text:
        lines = [part for line in lines for part in _label_apart(line)]
    return tuple(_bare(lines))


def without_enclosures(lines: Sequence[str]) -> list[str]:
    """The lines without the list of what is enclosed (附件：1.……), whose entries only look like titles.

    What has its text beneath it is no entry but the title of what was enclosed here.
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
    """Whether a line is a sentence of a report or plan, and not on papers and their way."""
    sentence = "," in line or "。" in line[:-1] or len(line) > _LONGEST_ENTRY
    tells = DEEDS.search(line) or INTENTIONS.search(line)
    return sentence and tells is not None and ON_SENDING.search(line) is None


def apart_from_form(extract: Extract) -> tuple[str, ...]:
    """The lines outside of tables, and of a workbook of several sheets those of the ones that are not the form's."""
    outside = outside_tables(extract)
    if extract.read_by is not ReadBy.CELLS or len(extract.tables) < 2:
        return outside
    sheets = (table for table in extract.tables if not (table.hidden or _is_one_column(table)))
    rows = (row for table in sheets if not is_headed(table.rows) for row in table.rows)
    return (*outside, *lines_of("\n".join(map(_as_line, rows))))


def _as_line(row: Sequence[Cell]) -> str:
    """A row as a line; one of more cells than a label and what is beside it ends as a sentence does, and is no title."""
    cells = [cell.text for cell in row if cell.text.strip()]
    return "\t".join(cells) + ("。" if len(cells) > 2 else "")


def outside_tables(extract: Extract) -> tuple[str, ...]:
    """The lines of the running text that are neither rows nor cells of a table; one of a single column is no table."""
    tables = [table for table in extract.tables if not _is_one_column(table)]
    said = frozenset(cell.text for table in tables for row in table.rows for cell in row)
    return _outside(extract.text[:_LONGEST_TEXT], said)


def _is_one_column(table: Table) -> bool:
    """Whether in none of its rows two cells stand side by side: a report on a sheet, a page laid out in a cell."""
    return not table.hidden and all(sum(bool(cell.text.strip()) for cell in row) < 2 for row in table.rows)


@lru_cache(maxsize=16)
def _outside(text: str, said: frozenset[str]) -> tuple[str, ...]:
    outside = [line for line in text.splitlines() if "\t" not in line.strip()]
    parts = said | {line for text in said for line in text.splitlines()}
    cells = {"".join(part.split()) for part in parts}
    return lines_of("\n".join(line for line in outside if "".join(line.split()) not in cells))


def title_of(extract: Extract, lines: Sequence[str]) -> list[str]:
    """The first short lines, to where the text begins; or what the format marks as the title."""
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
    """A text without the sentences on papers and their way."""
    return "".join(_sentences(lines))


def says(lines: Iterable[str], length: int) -> bool:
    """Whether so much of a text speaks of other things; mostly its first sentence does."""
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
    """How many different words of a kind a text says."""
    return len(set(pattern.findall(text)))
