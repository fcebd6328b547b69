"""The running text of a document, line by line: folded, without blanks, years in digits."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from mailbot.form.match import folded
from mailbot.form.words import NUMBERING, ON_SENDING, TRANSMITTAL, YEAR_IN_WORDS
from mailbot.reading import Extract

TITLE_LINES, LONGEST_TITLE = 10, 60
_SENTENCE = re.compile(r"[^。;!?]+[?]?")
_DIGITS = str.maketrans("〇零○Oo一二三四五六七八九", "00000123456789")
_LONGEST_TEXT = 300_000


def _bare(lines: Iterable[str]) -> list[str]:
    return [_in_digits(bare) for line in lines if (bare := "".join(line.split()).lstrip("#*"))]


def _in_digits(line: str) -> str:
    """With the years in digits: 二〇二〇年 and 二O二0年 are 2020年."""
    return YEAR_IN_WORDS.sub(lambda year: year.group().translate(_DIGITS), line) if "二" in line else line


@lru_cache(maxsize=16)
def lines_of(text: str) -> tuple[str, ...]:
    """The lines that say something; of a very long text the first ones."""
    return tuple(_bare(folded(text[:_LONGEST_TEXT]).splitlines()))


def without_enclosures(lines: Sequence[str]) -> list[str]:
    """The lines without the list of what is enclosed (附件：1.……), whose entries only look like titles."""
    kept: list[str] = []
    listing = False
    for index, line in enumerate(lines):
        listing = line.startswith(("附件:", "附:")) or (listing and NUMBERING.match(line) is not None)
        if not listing:
            kept.append(line)
        elif index == 0 and len(line) > 3:
            kept.append(line.partition(":")[2])
    return kept


def outside_tables(extract: Extract) -> tuple[str, ...]:
    """The lines of the running text that are neither rows nor cells of a table."""
    said = frozenset(cell.text for table in extract.tables for row in table.rows for cell in row)
    return _outside(extract.text[:_LONGEST_TEXT], said)


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
