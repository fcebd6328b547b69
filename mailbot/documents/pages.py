"""Pages to running text and tables: each page is laid out in blocks, and tables that run over pages are joined."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from mailbot.documents import columns as unruled
from mailbot.documents.grid import Grid, grids
from mailbot.documents.lines import Box, Char, Line, Segment, joined, lines, paragraphs, text_in
from mailbot.reading import Cell, Table

_SAME_PLACE = 6.0
"""How far the columns of a table may move from one page to the next."""
_SHORT = 6
_AFTER = 0.001
_MIDDLE = 0.2
"""How far from a character's middle, for its height, a line strikes it out; one beneath the word is farther."""
_OF_NUMBERS, _BESIDE = frozenset("0123456789."), 0.3
"""What numbers are made of, and how far apart, for its height, their signs stand at most."""
_LONGEST_NUMBER, _SMALLER, _FAR_SMALLER = 8, 0.9, 0.5
_FEWEST_HEADED, _HEADED = 3, 0.6
_PAGE_NUMBER = re.compile(
    r"^[\s\-—–·~.]*+(?:第?\s*+\d{1,3}\s*+页?)(?:\s*+[,，/共]*\s*+共?\s*+\d{1,3}\s*+页?)?[\s\-—–·~.]*+$"
)


@dataclass(slots=True)
class PageTable:
    """The part of a table that stands on one page; `xs` are the edges of its columns."""

    rows: list[list[Cell]]
    xs: list[float]
    box: Box
    continues: bool = False
    """Whether it is known to go on from the page before."""


Block = str | PageTable


@dataclass(slots=True)
class Laid:
    """A page in reading order; `inner` are tables within cells of others, whose text the outer ones hold too."""

    blocks: list[Block]
    inner: list[PageTable] = field(default_factory=list)
    columns: list[unruled.Column] = field(default_factory=list)
    """Of the table without lines that ends the page."""


def lay(
    number: int,
    chars: Sequence[Char],
    segments: Sequence[Segment],
    known: Sequence[unruled.Column] = (),
    covered: frozenset[Char] = frozenset(),
) -> Laid:
    """Lay out the page with this number. `known` are the columns of a table without lines on the page before, `covered`
    the characters that something lies over."""
    drawn = [grid for grid in grids(segments) if len(grid.xs) > 2]
    outer, inner = _nested(drawn)
    rest = _fill(drawn, chars)
    struck = _struck(chars, segments) | covered | _torn(drawn, chars)
    placed: list[tuple[float, Block]] = [
        (_place(grid, outer), _ruled(grid, number, struck)) for grid in outer
    ]
    found = lines(rest)
    result = Laid([], [_ruled(grid, number, struck) for grid in inner])
    if not any(len(grid.xs) > 4 for grid in outer):
        rules = [s.top for s in segments if s.is_level and s.x1 - s.x0 > 150]
        table = unruled.find(found, sorted(rules), known)
        if table is not None:
            placed.append((table.box[1], _open(table, number, struck)))
            result.columns = table.columns if table.last == len(found) - 1 else []
            found = found[: table.first] + found[table.last + 1 :]
    placed += _texts(found, sorted(block.box[1] for _, block in placed if isinstance(block, PageTable)))
    result.blocks = [block for _, block in sorted(placed, key=lambda pair: pair[0])]
    return result


def _place(grid: Grid, others: Sequence[Grid]) -> float:
    """How far down a table comes in reading order: after those to the left of it, as where two pages are printed on one."""
    left = [
        other.ys[0] + _AFTER
        for other in others
        if other.box[2] <= grid.box[0] and other.ys[0] < grid.ys[-1] and grid.ys[0] < other.ys[-1]
    ]
    return max([grid.ys[0], *left])


def _nested(drawn: Sequence[Grid]) -> tuple[list[Grid], list[Grid]]:
    outer: list[Grid] = []
    inner: list[Grid] = []
    for grid in drawn:
        x, y = (grid.box[0] + grid.box[2]) / 2, (grid.box[1] + grid.box[3]) / 2
        within = any(
            other.area > grid.area and other.at(x, y) is not None for other in drawn if other is not grid
        )
        (inner if within else outer).append(grid)
    return outer, inner


def _fill(drawn: Sequence[Grid], chars: Iterable[Char]) -> list[Char]:
    """Put each character into its cell; returns those that stand in no table."""
    rest = []
    for char in chars:
        _, x0, top, x1, bottom, _, _ = char
        x, y, homeless = (x0 + x1) / 2, (top + bottom) / 2, True
        for grid in drawn:
            region = grid.at(x, y)
            if region is not None:
                region.chars.append(char)
                homeless = False
        if homeless:
            rest.append(char)
    return rest


def _struck(chars: Iterable[Char], segments: Iterable[Segment]) -> frozenset[Char]:
    """The digits through whose middle a line is drawn."""
    lines_at: dict[int, list[Segment]] = {}
    for segment in segments:
        if segment.is_level:
            lines_at.setdefault(round((segment.top + segment.bottom) / 2), []).append(segment)
    return frozenset(char for char in chars if char.text.isdigit() and _is_struck(char, lines_at))


def _torn(drawn: Sequence[Grid], chars: Iterable[Char]) -> frozenset[Char]:
    """The digits of numbers that reach over the border of their cell."""
    return frozenset(
        sign
        for pair in pairwise(chars)
        if _is_one_number(*pair)
        and any(grid.at(pair[0].x, pair[0].y) is not grid.at(pair[1].x, pair[1].y) for grid in drawn)
        for sign in pair
    )


def _is_one_number(char: Char, following: Char) -> bool:
    """Whether two signs stand side by side in one piece of text; recognized ones are known by their place alone."""
    return (
        char.run == following.run
        and char.text in _OF_NUMBERS
        and following.text in _OF_NUMBERS
        and char.confidence is None
        and char.x0 < following.x0 < char.x1 + _BESIDE * char.size
        and abs(char.y - following.y) < 0.5 * char.size
    )


def _is_struck(char: Char, lines_at: Mapping[int, Sequence[Segment]]) -> bool:
    x, y, near = char.x, char.y, _MIDDLE * char.size
    heights = range(round(y - near), round(y + near) + 1)
    return any(line.x0 <= x <= line.x1 for height in heights for line in lines_at.get(height, ()))


def _ruled(grid: Grid, page: int, struck: frozenset[Char]) -> PageTable:
    rows = []
    for r, owners in enumerate(grid.owners):
        row = []
        for c, region in enumerate(owners):
            first = (region.row, region.column) == (r, c)
            cell = _cell(region.chars if first else (), region.box, page, struck)
            row.append(cell if first else replace(cell, merged=True, across=c > region.column))
        rows.append(row)
    return PageTable(rows, grid.xs, grid.box)


def _open(table: unruled.Found, page: int, struck: frozenset[Char]) -> PageTable:
    box = table.box
    middles = [(a.x1 + b.x0) / 2 for a, b in zip(table.columns, table.columns[1:], strict=False)]
    rows = []
    for found in table.rows:
        tall = [char for cell in found for char in cell]
        top, bottom = min(c.top for c in tall), max(c.bottom for c in tall)
        rows.append(
            [
                _cell(chars, (column.x0, top, column.x1, bottom), page, struck)
                for column, chars in zip(table.columns, found, strict=True)
            ]
        )
    return PageTable(rows, [box[0], *middles, box[2]], box, table.continues)


def _cell(chars: Sequence[Char], box: Box, page: int, struck: frozenset[Char]) -> Cell:
    known = [char.confidence for char in chars if char.confidence is not None]
    return Cell(
        text=text_in(chars, box),
        place=f"第{page}页",
        box=box,
        confidence=min(known, default=None),
        several=not struck.isdisjoint(chars) or _has_mark(chars),
    )


def _has_mark(chars: Sequence[Char]) -> bool:
    """Whether a digit of a number is smaller than the others, a note's mark, or far smaller than a sign beside it, which is a
    watermark's, or two stand on each other. Recognized ones are never of one size."""
    if not 2 <= len(chars) <= _LONGEST_NUMBER or chars[0].confidence is not None:
        return False
    digits = sorted((char for char in chars if char.text.isdigit()), key=lambda char: char.x0)
    sizes = [char.size for char in digits]
    largest = max(char.size for char in chars)
    small = bool(sizes) and min(sizes) < max(_SMALLER * max(sizes), _FAR_SMALLER * largest)
    return small or any(_stand_on_each_other(*pair) for pair in pairwise(digits))


def _stand_on_each_other(char: Char, following: Char) -> bool:
    """Whether two digits of a line take the same place: a number that was set over another, or drawn with its shadow."""
    return following.x0 < char.x and abs(char.y - following.y) < 0.5 * char.size


def _texts(found: Sequence[Line], tops: Sequence[float]) -> list[tuple[float, Block]]:
    """The lines outside of tables as paragraphs, none reaching over a table."""
    right = max((line[-1].x1 for line in found), default=0.0) if len(found) > 2 else float("inf")
    groups: dict[int, list[Line]] = {}
    for line in found:
        groups.setdefault(sum(top < line[0].y for top in tops), []).append(line)
    result: list[tuple[float, Block]] = []
    for group in groups.values():
        top = min(char.top for char in group[0])
        result += [(top + n / 1000, text) for n, text in enumerate(paragraphs(group, right))]
    return result


# --- over pages -----------------------------------------------------------------------------------------------


def together(pages: Sequence[Laid]) -> tuple[str, tuple[Table, ...]]:
    """The running text and the tables of all pages, page numbers and repeated headers and footers left out."""
    text: list[Block] = []
    inner: list[PageTable] = []
    for blocks, page in zip(_without_furniture(pages), pages, strict=True):
        inner += page.inner
        fresh = list(blocks)
        if text and fresh and isinstance(text[-1], PageTable) and isinstance(fresh[0], PageTable):
            more = _joined(text[-1], fresh[0])
            if more is not None:
                text[-1] = more
                fresh = fresh[1:]
        text += fresh
    tables = [block for block in text if isinstance(block, PageTable)]
    said = [block if isinstance(block, str) else _as_text(block.rows) for block in text]
    return "\n".join(said), tuple(Table(rows=tuple(map(tuple, t.rows))) for t in (*tables, *inner))


def _as_text(rows: Sequence[Sequence[Cell]]) -> str:
    return "\n".join("\t".join(" ".join(cell.text.split()) for cell in row) for row in rows)


def _without_furniture(pages: Sequence[Laid]) -> list[list[Block]]:
    edges = _edges(pages)
    seen: set[str] = set()
    result = []
    for page in pages:
        blocks = list(page.blocks)
        for end in (0, -1):
            block = blocks[end] if blocks else None
            if not isinstance(block, str):
                continue
            if _PAGE_NUMBER.match(block) or (edges[block] > 1 and block in seen):
                del blocks[end]
            seen.add(block)
        result.append(blocks)
    return result


def _edges(pages: Sequence[Laid]) -> Counter[str]:
    """How often each text begins or ends a page."""
    found: Counter[str] = Counter()
    for page in pages:
        found.update({block for block in (*page.blocks[:1], *page.blocks[-1:]) if isinstance(block, str)})
    return found


def _joined(before: PageTable, after: PageTable) -> PageTable | None:
    """The table that goes on on the next page; None where the two are different tables."""
    if not (after.continues and len(after.xs) == len(before.xs)) and not _alike(before.xs, after.xs):
        if _is_part(after.xs, before.xs):
            after = _widened(after, before.xs)
        elif _is_part(before.xs, after.xs):
            before = _widened(before, after.xs)
        else:
            return None
    upper = _trimmed([before.rows[0], *_without(before.rows[0], before.rows[1:])], -1)
    lower = _trimmed(_without(before.rows[0], after.rows), 0)
    if lower:
        lower[0] = _unheaded(lower[0], before.rows[0])
    return PageTable(_with_cut_row_mended(upper, lower), before.xs, before.box)


def _alike(one: Sequence[float], other: Sequence[float]) -> bool:
    return len(one) == len(other) and all(
        abs((a - one[0]) - (b - other[0])) <= _SAME_PLACE for a, b in zip(one, other, strict=True)
    )


def _is_part(few: Sequence[float], many: Sequence[float]) -> bool:
    """Whether every edge of one table is an edge of the other, the outer ones too."""
    near = len(few) <= len(many) and all(any(abs(x - other) <= _SAME_PLACE for other in many) for x in few)
    return near and abs(few[0] - many[0]) <= _SAME_PLACE and abs(few[-1] - many[-1]) <= _SAME_PLACE


def _widened(table: PageTable, xs: list[float]) -> PageTable:
    """The table over the finer columns of another page, its wide cells being merged ones there."""
    owner = [max(i for i, x in enumerate(table.xs[:-1]) if x <= place + _SAME_PLACE) for place in xs[:-1]]
    rows = [
        [
            row[column]
            if position == 0 or owner[position - 1] != column
            else Cell(text="", place=row[column].place, box=row[column].box, merged=True, across=True)
            for position, column in enumerate(owner)
        ]
        for row in table.rows
    ]
    return PageTable(rows, xs, table.box)


def _trimmed(rows: Sequence[list[Cell]], edge: int) -> list[list[Cell]]:
    """Without the blank strips that a row leaves behind where a page cuts it."""
    kept = list(rows)
    while len(kept) > 1 and not any(cell.text for cell in kept[edge]):
        del kept[edge]
    return kept


def _without(heading: Sequence[Cell], rows: Sequence[list[Cell]]) -> list[list[Cell]]:
    """The rows but for repetitions of the table's heading."""
    if sum(bool(cell.text) for cell in heading) < _FEWEST_HEADED:
        return list(rows)
    words = _words(heading)
    least = _HEADED * sum(map(bool, words))
    return [
        row
        for row in rows
        if sum(a == b != "" for a, b in zip(_words(row), words, strict=True)) < least
        or _runs_into(row, heading)
    ]


def _runs_into(row: Sequence[Cell], heading: Sequence[Cell]) -> bool:
    """Whether each cell begins with the heading's text and some go on: no line was drawn between the two."""
    pairs = [(cell.text, above.text) for cell, above in zip(row, heading, strict=True)]
    return all(text.startswith(above) for text, above in pairs) and any(
        text != above for text, above in pairs
    )


def _unheaded(row: list[Cell], heading: Sequence[Cell]) -> list[Cell]:
    """The rest of a cut row where the repeated heading runs into it without a line between."""
    if not _runs_into(row, heading) or not heading[0].text:
        return row
    return [replace(a, text=a.text[len(b.text) :].strip()) for a, b in zip(row, heading, strict=True)]


def _words(row: Sequence[Cell]) -> list[str]:
    return ["".join(cell.text.split()) for cell in row]


def _with_cut_row_mended(upper: list[list[Cell]], lower: list[list[Cell]]) -> list[list[Cell]]:
    if lower and upper and _is_one_row(upper, lower):
        mended = [_one_cell(a, b) for a, b in zip(upper[-1], lower[0], strict=True)]
        return [*upper[:-1], mended, *lower[1:]]
    return [*upper, *lower]


def _is_one_row(upper: list[list[Cell]], lower: list[list[Cell]]) -> bool:
    """Whether a page cut this row: of the columns with short entries in every row it has each once, not twice."""
    last, first = upper[-1], lower[0]
    body = [*upper[1:], *lower]
    short = [column for column in range(len(last)) if _is_short(column, body)]
    clash = any(last[column].text and first[column].text for column in short)
    shared = any(a.text and b.text for a, b in zip(last, first, strict=True))
    spread = sum(cell.merged for cell in last) * 2 > len(last)
    filled = [bool(last[column].text) for column in short]
    return (
        bool(short)
        and not clash
        and shared
        and not spread
        and any(filled) != all(bool(first[column].text) for column in short)
    )


def _is_short(column: int, rows: Sequence[Sequence[Cell]]) -> bool:
    texts = [row[column].text for row in rows if row[column].text]
    return len(texts) >= 0.7 * len(rows) and all(len(text) <= _SHORT for text in texts)


def _one_cell(upper: Cell, lower: Cell) -> Cell:
    if not lower.text or not upper.text:
        return upper if upper.text or not lower.text else replace(lower, merged=False, across=False)
    known = [c for c in (upper.confidence, lower.confidence) if c is not None]
    return replace(
        upper,
        text=joined(upper.text, lower.text),
        confidence=min(known, default=None),
        several=upper.several or lower.several,
    )
