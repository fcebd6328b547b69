"""Ruling lines to the grid of a table: cells, merged ones too, also where its outer borders are left out."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from mailbot.documents.lines import Box, Char, Segment

_SNAP = 3.0
"""Lines nearer to each other than this are one line."""
_TOUCH = 2.0
_SLIM = 5.0
"""No row and no column is slimmer than this."""
_COVERED = 0.6
_MOST_CELLS = 20_000
_MOST_SEGMENTS = 20_000


@dataclass(slots=True)
class Region:
    """A cell as drawn, over one or more places of the grid."""

    row: int
    column: int
    rows: int
    columns: int
    box: Box
    chars: list[Char] = field(default_factory=list)


@dataclass(slots=True)
class Grid:
    """The lattice of a table and which region each of its places belongs to."""

    xs: list[float]
    ys: list[float]
    owners: list[list[Region]]

    @property
    def box(self) -> Box:
        return self.xs[0], self.ys[0], self.xs[-1], self.ys[-1]

    @property
    def area(self) -> float:
        return (self.xs[-1] - self.xs[0]) * (self.ys[-1] - self.ys[0])

    def at(self, x: float, y: float) -> Region | None:
        """The region in which a point lies."""
        column, row = bisect_right(self.xs, x) - 1, bisect_right(self.ys, y) - 1
        inside = 0 <= column < len(self.xs) - 1 and 0 <= row < len(self.ys) - 1
        return self.owners[row][column] if inside else None


def grids(segments: Sequence[Segment]) -> list[Grid]:
    """Every table that the lines of a page make, of two cells at least, from top to bottom."""
    if len(segments) > _MOST_SEGMENTS:
        return []
    level = _snapped([s for s in segments if s.is_level], level=True)
    plumb = _snapped([s for s in segments if not s.is_level], level=False)
    found = (_grid(*group) for group in _groups(level, plumb))
    return sorted((grid for grid in found if grid), key=lambda grid: (grid.ys[0], grid.xs[0]))


def _snapped(segments: Sequence[Segment], *, level: bool) -> list[Segment]:
    """Lines side by side drawn onto one, and the pieces of a line joined."""
    spans = sorted(
        ((s.top + s.bottom) / 2, s.x0, s.x1) if level else ((s.x0 + s.x1) / 2, s.top, s.bottom)
        for s in segments
    )
    clusters: list[list[tuple[float, float, float]]] = []
    for span in spans:
        if clusters and span[0] - clusters[-1][0][0] <= _SNAP:
            clusters[-1].append(span)
        else:
            clusters.append([span])
    result: list[Segment] = []
    for cluster in clusters:
        weight = sum(end - start for _, start, end in cluster)
        place = sum(p * (end - start) for p, start, end in cluster) / weight if weight else cluster[0][0]
        for start, end in _united((start, end) for _, start, end in cluster):
            result.append(Segment(start, place, end, place) if level else Segment(place, start, place, end))
    return result


def _united(pieces: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    result: list[tuple[float, float]] = []
    for start, end in sorted(pieces):
        if result and start <= result[-1][1] + _SNAP:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return [(start, end) for start, end in result if end - start >= _SLIM]


def _groups(level: list[Segment], plumb: list[Segment]) -> list[tuple[list[Segment], list[Segment]]]:
    """The lines that touch each other, directly or through others."""
    parent = list(range(len(level) + len(plumb)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for i, h in enumerate(level):
        for j, v in enumerate(plumb, start=len(level)):
            if (
                h.x0 - _TOUCH <= v.x0 <= h.x1 + _TOUCH
                and v.top - _TOUCH <= h.top <= v.bottom + _TOUCH
                and root(i) != root(j)
            ):
                parent[root(i)] = root(j)
    groups: dict[int, tuple[list[Segment], list[Segment]]] = defaultdict(lambda: ([], []))
    for i, h in enumerate(level):
        groups[root(i)][0].append(h)
    for j, v in enumerate(plumb, start=len(level)):
        groups[root(j)][1].append(v)
    return [group for group in groups.values() if group[0] and group[1]]


def _grid(level: list[Segment], plumb: list[Segment]) -> Grid | None:
    xs = _marks([v.x0 for v in plumb], [h.x0 for h in level], [h.x1 for h in level])
    ys = _marks([h.top for h in level], [v.top for v in plumb], [v.bottom for v in plumb])
    width, height = len(xs) - 1, len(ys) - 1
    if width < 1 or height < 1 or not 2 <= width * height <= _MOST_CELLS:
        return None
    walls = _Walls(level, plumb, xs, ys)
    owners: list[list[Region | None]] = [[None] * width for _ in range(height)]
    for row in range(height):
        for column in range(width):
            if owners[row][column] is None:
                _flood(owners, row, column, walls)
    whole = [[region for region in line if region is not None] for line in owners]
    return Grid(xs, ys, whole)


def _marks(inner: list[float], starts: list[float], ends: list[float]) -> list[float]:
    """The places of the lines across, and the table's own ends where nothing is drawn there."""
    marks: list[float] = []
    for mark in sorted({*inner, min(starts), max(ends)}):
        if not marks or mark - marks[-1] >= _SLIM:
            marks.append(mark)
    return marks


class _Walls:
    """Which places of the lattice, by row and column, have a line above them and to their left."""

    def __init__(self, level: list[Segment], plumb: list[Segment], xs: list[float], ys: list[float]) -> None:
        self.xs, self.ys = xs, ys
        across: dict[int, list[tuple[float, float]]] = defaultdict(list)
        down: dict[int, list[tuple[float, float]]] = defaultdict(list)
        for h in level:
            across[_nearest(ys, h.top)].append((h.x0, h.x1))
        for v in plumb:
            down[_nearest(xs, v.x0)].append((v.top, v.bottom))
        wide, high = list(pairwise(xs)), list(pairwise(ys))
        self.above = [[_covers(across[row], *span) for span in wide] for row in range(len(high))]
        self.left_of = [[_covers(down[column], *span) for column in range(len(wide))] for span in high]


def _nearest(marks: list[float], place: float) -> int:
    return min(range(len(marks)), key=lambda index: abs(marks[index] - place))


def _covers(pieces: list[tuple[float, float]], start: float, end: float) -> bool:
    covered = 0.0
    for s, e in pieces:
        if s < end and e > start:
            covered += min(end, e) - max(start, s)
    return covered >= _COVERED * (end - start)


def _flood(owners: list[list[Region | None]], row: int, column: int, walls: _Walls) -> None:
    """Give every place that can be reached without crossing a line to one region."""
    region = Region(row, column, 1, 1, (0, 0, 0, 0))
    todo, places = [(row, column)], []
    owners[row][column] = region
    while todo:
        r, c = todo.pop()
        places.append((r, c))
        for nr, nc, open_ in (
            (r - 1, c, r > 0 and not walls.above[r][c]),
            (r + 1, c, r + 1 < len(owners) and not walls.above[r + 1][c]),
            (r, c - 1, c > 0 and not walls.left_of[r][c]),
            (r, c + 1, c + 1 < len(owners[0]) and not walls.left_of[r][c + 1]),
        ):
            if open_ and owners[nr][nc] is None:
                owners[nr][nc] = region
                todo.append((nr, nc))
    region.row, region.column = min(places)
    bottom, right = max(r for r, _ in places), max(c for _, c in places)
    left = min(c for _, c in places)
    region.rows, region.columns = bottom - region.row + 1, right - left + 1
    region.box = (walls.xs[left], walls.ys[region.row], walls.xs[right + 1], walls.ys[bottom + 1])
