"""Tables without lines between their columns: found by what stands beneath what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise

from mailbot.documents.lines import Box, Char, Line, chunks, ink_end

_FEWEST_COLUMNS, _FEWEST_BANDS = 4, 3
_FILLED_IN_ANCHOR = 3
_LEAST_SPLIT = 0.25
_NEW_RUN = 0.3


@dataclass(slots=True)
class Column:
    """A column by how far what stands in it reaches."""

    x0: float
    x1: float

    def overlap(self, x0: float, x1: float) -> float:
        return min(self.x1, x1) - max(self.x0, x0)


@dataclass(slots=True)
class _Placed:
    """A line of a table: what stands in which column."""

    cells: dict[int, list[Char]] = field(default_factory=dict)
    top: float = 0.0
    bottom: float = 0.0

    @property
    def is_numbered(self) -> bool:
        return "".join(char.text for char in self.cells.get(0, ())).isdigit()

    @property
    def is_named(self) -> bool:
        """Whether it may be a row without a number, such as the total."""
        return 0 in self.cells and len(self.cells) >= _FILLED_IN_ANCHOR


@dataclass(slots=True)
class Found:
    """A table: its columns, and for each row the characters in each column."""

    columns: list[Column]
    rows: list[list[list[Char]]]
    first: int
    """Index of its first line."""
    last: int
    continues: bool = False
    """Whether it keeps to the columns of the table on the page before."""

    @property
    def box(self) -> Box:
        chars = [char for row in self.rows for cell in row for char in cell]
        return (
            self.columns[0].x0,
            min(c.top for c in chars),
            self.columns[-1].x1,
            max(c.bottom for c in chars),
        )


def find(found: Sequence[Line], rules: Sequence[float], known: Sequence[Column] = ()) -> Found | None:
    """The first table in the lines of a page, or what continues one with the `known` columns at its top.

    `rules` are the heights of level lines drawn between rows, if any.
    """
    if known:
        columns = [Column(c.x0, c.x1) for c in known]
        for first in range(min(3, len(found))):
            table = _table(found, first, columns, rules)
            if table and (len(table.rows) > 1 or first == 0):
                table.continues = True
                return table
    most = max((len(chunks(line)) for line in found), default=0)
    for first, line in enumerate(found):
        pieces = chunks(line)
        if len(pieces) < max(_FEWEST_COLUMNS, most - 1):
            continue
        columns = [Column(piece[0].x0, piece[-1].x1) for piece in pieces]
        table = _table(found, first, columns, rules)
        if table and len(table.rows) >= _FEWEST_BANDS:
            return table
    return None


def _table(found: Sequence[Line], first: int, columns: list[Column], rules: Sequence[float]) -> Found | None:
    _widen(found[first:], columns)
    last = _extend(found, first, columns)
    if last is None or last < first:
        return None
    while first > 0 and _continues_above(found[first - 1], found[first], columns):
        first -= 1
    placed = [_place(line, columns) for line in found[first : last + 1]]
    rows = [
        [[char for line in band for char in line.cells.get(column, ())] for column in range(len(columns))]
        for band in _bands(placed, rules)
    ]
    return Found(columns, rows, first, last)


def _widen(found: Sequence[Line], columns: Sequence[Column]) -> None:
    """Let columns reach to the numbers that are set flush right in them, beyond their label and close to the next one."""
    for column, following in pairwise(columns):
        ends = [
            round(x1) for line in found for x0, x1 in _runs(line) if x0 > column.x1 and x1 <= following.x0
        ]
        edge = max(set(ends), key=ends.count, default=0)
        if ends.count(edge) >= _FEWEST_BANDS:
            column.x1 = min(edge + 0.5, following.x0)


def _runs(line: Line) -> Iterator[tuple[float, float]]:
    """How far each piece reaches that the file gives as one."""
    for _, run in groupby(line, key=lambda char: char.run):
        chars = list(run)
        yield chars[0].x0, chars[-1].x1


def _extend(found: Sequence[Line], first: int, columns: list[Column]) -> int | None:
    """The last line that keeps to the columns, which grow on the way; None where a line shows more columns."""
    last = first - 1
    for index in range(first, len(found)):
        pieces = _pieces(found[index], columns)
        if pieces is None:
            return last
        if len(pieces) > len(columns):
            return None if index < first + 12 else last
        for piece in pieces:
            hit = [c for c in columns if c.overlap(piece[0].x0, piece[-1].x1) > 0]
            if hit:
                hit[0].x0, hit[0].x1 = min(hit[0].x0, piece[0].x0), max(hit[0].x1, piece[-1].x1)
        last = index
    return last


def _pieces(line: Line, columns: Sequence[Column]) -> list[Line] | None:
    """The line cut into its columns; None where some piece reaches over two of them without a gap."""
    result: list[Line] = []
    for piece in chunks(line):
        hit = [c for c in columns if c.overlap(piece[0].x0, piece[-1].x1) > 1.0]
        if len(hit) <= 1:
            result.append(piece)
            continue
        cut = _cut(piece, hit)
        if cut is None:
            return None
        result += cut
    return result


def _cut(piece: Line, hit: Sequence[Column]) -> list[Line] | None:
    parts: list[Line] = []
    rest = piece
    for before, after in pairwise(hit):
        gaps = [
            (b.x0 - ink_end(a) + (_NEW_RUN * a.size if a.run != b.run else 0), i)
            for i, (a, b) in enumerate(pairwise(rest), start=1)
            if a.x <= after.x0 + 1 and b.x >= before.x1 - 1
        ]
        width, at = max(gaps, default=(0.0, 0))
        if width < _LEAST_SPLIT * rest[0].size:
            return None
        parts.append(rest[:at])
        rest = rest[at:]
    return [*parts, rest]


def _continues_above(above: Line, line: Line, columns: Sequence[Column]) -> bool:
    """Whether the line above belongs to the table's heading: several pieces, close, each in one column."""
    pieces = chunks(above)
    size = max(char.size for char in above)
    near = min(c.top for c in line) - max(c.bottom for c in above) < 0.9 * size
    return (
        near
        and len(pieces) > 1
        and all(sum(c.overlap(piece[0].x0, piece[-1].x1) > 0 for c in columns) == 1 for piece in pieces)
    )


def _place(line: Line, columns: Sequence[Column]) -> _Placed:
    placed = _Placed(top=min(c.top for c in line), bottom=max(c.bottom for c in line))
    for piece in _pieces(line, columns) or [line]:
        x0, x1 = piece[0].x0, piece[-1].x1
        column = max(range(len(columns)), key=lambda i: columns[i].overlap(x0, x1))
        placed.cells.setdefault(column, []).extend(piece)
    return placed


def _bands(placed: list[_Placed], rules: Sequence[float]) -> list[list[_Placed]]:
    """The lines of each row: between rules where there are some, else by blank space and by the numbers in front."""
    inner = [rule for rule in rules if placed[0].top < rule < placed[-1].bottom]
    if len(inner) >= 2:
        return _between(placed, inner)
    result: list[list[_Placed]] = []
    begun = False
    for band in _by_gaps(placed):
        anchors = []
        for index, line in enumerate(band):
            if line.is_numbered or (line.is_named and begun):
                anchors.append(index)
            begun = begun or line.is_numbered
        if not anchors and result and begun:
            result[-1] += band
        else:
            result += _by_anchors(band, anchors)
    return result


def _between(placed: Sequence[_Placed], rules: Sequence[float]) -> list[list[_Placed]]:
    bands: dict[int, list[_Placed]] = {}
    for line in placed:
        bands.setdefault(sum(rule < (line.top + line.bottom) / 2 for rule in rules), []).append(line)
    return [bands[number] for number in sorted(bands)]


def _by_gaps(placed: Sequence[_Placed]) -> list[list[_Placed]]:
    size = sorted(line.bottom - line.top for line in placed)[len(placed) // 2]
    reach, gaps = placed[0].bottom, []
    for line in placed[1:]:
        gaps.append(line.top - reach)
        reach = max(reach, line.bottom)
    usual = _leading(placed, size)
    bands = [[placed[0]]]
    for line, gap in zip(placed[1:], gaps, strict=True):
        if gap > usual + 0.25 * size:
            bands.append([])
        bands[-1].append(line)
    return bands


def _leading(placed: Sequence[_Placed], size: float) -> float:
    """The blank space between two lines of one cell."""
    bottoms: dict[int, float] = {}
    gaps = []
    for line in placed:
        gaps += [line.top - bottoms[column] for column in line.cells if column in bottoms]
        bottoms |= dict.fromkeys(line.cells, line.bottom)
    gaps = sorted(gap for gap in gaps if gap > -0.5 * size)
    return gaps[len(gaps) // 5] if gaps else 0.0


def _by_anchors(band: list[_Placed], anchors: list[int]) -> list[list[_Placed]]:
    """Divide a band that holds several rows: from anchor to anchor, or around each where the first stands lower."""
    if len(anchors) < 2:
        return [band]
    if anchors[0] == 0:
        return [band[start:end] for start, end in pairwise([*anchors, len(band)])]
    rows: list[list[_Placed]] = [[] for _ in anchors]
    for line in band:
        middle = line.top + line.bottom
        nearest = min(
            range(len(anchors)), key=lambda i: abs(band[anchors[i]].top + band[anchors[i]].bottom - middle)
        )
        rows[nearest].append(line)
    return rows
