"""Characters with boxes to lines of text. What PDF, OFD and OCR have in common on a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter
from typing import NamedTuple

_HALF_BLANK = frozenset("，。、；：！？）》】」”’")
_NARROW, _WIDE = 0.22, 1.0
"""Parts of a character's height that a gap must exceed to be a blank beside a letter or digit, and beside any sign."""
_SMALLEST = 0.1
_LEAST_BLANK = _SMALLEST * _NARROW
_CHUNK_GAP = 0.8
"""Parts of a character's height that are blank between two pieces of a line which may be two cells."""
_WRAP_SLACK = 0.6
"""How many characters' width a line may end before the edge and still count as full."""
_INDENT = 4.0
"""By how many characters' width the first line of a paragraph may be indented. A line that begins further right is a
title in the middle of the page, and no first line of a paragraph."""
_SAME_SIZE = 0.85
"""The lines of one paragraph differ in height by no more than this ratio; a title may be larger."""
_SLANTED = 10.0
"""Degrees by which a text stands askew that is none of the page's lines."""


class Char(NamedTuple):
    """A character, or a word that is never divided, and its box on the upright page: points, top left is 0, 0."""

    text: str
    x0: float
    top: float
    x1: float
    bottom: float
    confidence: float | None = None
    run: int = 0
    """Which piece of text the file gives it in: a cell is seldom in one piece with its neighbour."""

    @property
    def x(self) -> float:
        return (self.x0 + self.x1) / 2

    @property
    def y(self) -> float:
        return (self.top + self.bottom) / 2

    @property
    def size(self) -> float:
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class Segment:
    """A ruling line, level or plumb, by its two ends."""

    x0: float
    top: float
    x1: float
    bottom: float

    @property
    def is_level(self) -> bool:
        return self.x1 - self.x0 >= self.bottom - self.top


Box = tuple[float, float, float, float]
Line = list[Char]
_LEFT = attrgetter("x0")


def is_slanted(degrees: float) -> bool:
    """Whether a text stands across the page's own: a watermark, whose signs lie in whatever cells they cross."""
    return abs(degrees - round(degrees / 90) * 90) > _SLANTED


def lines(chars: Iterable[Char]) -> list[Line]:
    """The lines of text from top to bottom, each from left to right."""
    found: list[Line] = []
    middle, count = 0.0, 0
    size = 0.0
    for char in sorted(chars, key=_height):
        _, _, top, _, bottom, _, _ = char
        y, before, size = (top + bottom) / 2, size, bottom - top
        if found and abs(y - middle) <= 0.5 * min(size, before):
            found[-1].append(char)
            middle, count = (middle * count + y) / (count + 1), count + 1
        else:
            found.append([char])
            middle, count = y, 1
    for line in found:
        line.sort(key=_LEFT)
    return found


def _height(char: Char) -> float:
    return char[2] + char[4]


def ink_end(char: Char) -> float:
    """Where a character's ink ends: the right half of a full-width sign such as 、 is blank."""
    return (char.x0 + char.x1) / 2 if char.text in _HALF_BLANK else char.x1


def chunks(line: Line) -> list[Line]:
    """A line cut where it is blank for most of a character's height (`_CHUNK_GAP`) or more."""
    found = [[line[0]]]
    for before, char in pairwise(line):
        if char.x0 - ink_end(before) >= _CHUNK_GAP * min(before.size, char.size):
            found.append([])
        found[-1].append(char)
    return found


def said(line: Line) -> str:
    """The words of one line: a blank where there is one beside a letter or digit, or a wide one."""
    text = line[0].text if line else ""
    for before, char in pairwise(line):
        gap = char[1] - before[3]
        if gap > _LEAST_BLANK and _is_blank(gap, before, char):
            text += " "
        text += char[0]
    return text


def _is_blank(gap: float, before: Char, char: Char) -> bool:
    """Whether a gap is a blank: a wide one is, a narrow one beside a letter or digit, though numbers are set widely."""
    relative = gap / max(min(before.size, char.size), _SMALLEST)
    if relative > _WIDE or relative <= _NARROW:
        return relative > _WIDE
    beside = before.text[-1:] + char.text[:1]
    return any(sign.isascii() for sign in beside) and not all(
        sign.isdigit() or sign == "." for sign in beside
    )


def paragraphs(found: Sequence[Line], right: float) -> list[str]:
    """The lines' words, a line that runs up to the right edge being joined with the next one."""
    texts: list[str] = []
    for before, line in zip(([], *found), found, strict=False):
        text = said(line)
        if _is_full(before, right) and _may_go_on(before, line):
            texts[-1] = joined(texts[-1], text)
        else:
            texts.append(text)
    return texts


def _is_full(line: Line, right: float) -> bool:
    """Whether a line ends at the right edge, or no character fits in behind it."""
    if not line:
        return False
    width = max((c.x1 - c.x0) / max(len(c.text), 1) for c in line)
    return line[-1].x1 + _WRAP_SLACK * width > right


def _may_go_on(line: Line, following: Line) -> bool:
    """Whether two lines may be of one paragraph, by where they begin and their size (which recognition makes uneven, so
    that there it does not count)."""
    size = max(char.size for char in line)
    below = max(char.size for char in following)
    alike = line[0].confidence is not None or min(size, below) >= _SAME_SIZE * max(size, below)
    return alike and line[0].x0 - following[0].x0 <= _INDENT * size


def text_in(chars: Iterable[Char], box: Box) -> str:
    """The text of a cell."""
    found = lines(chars)
    if not found:
        return ""
    padding = max(min(min(line[0].x0 for line in found) - box[0], 8.0), 0.0)
    return "\n".join(paragraphs(found, box[2] - padding))


def joined(before: str, after: str) -> str:
    """Two pieces of a line that was wrapped: only words in letters had a blank between them."""
    blank = before[-1:].isascii() and before[-1:].isalpha() and after[:1].isascii() and after[:1].isalnum()
    return f"{before} {after}" if blank else before + after
