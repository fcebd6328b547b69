"""Which column of a table holds what: by the labels of its header, or, without one, by what stands in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from mailbot.form.match import Matcher, normalized
from mailbot.form.points import parse_points
from mailbot.reading import Cell
from mailbot.rubric import Item

Row = tuple[Cell, ...]


class Column(StrEnum):
    """What a column of the form holds."""

    NO = "no"
    CATEGORY = "category"
    GROUP = "group"
    CRITERION = "criterion"
    POINTS = "points"
    SCORE = "score"
    EVIDENCE = "evidence"
    REMARK = "remark"


_LABELS: tuple[tuple[Column, re.Pattern[str]], ...] = tuple(
    (column, re.compile(pattern))
    for column, pattern in (
        (
            Column.SCORE,
            r"(?:学会|单位|本会|自我)?自?(?:评|评价|评估)?(?:得分|自评|自评分数?|自评分值|自我评分)分?",
        ),
        (Column.SCORE, r"(?:学会|单位|本会)?(?:自评|自我评|评|打)(?:得)?(?:分|分数|分值|结果)分?"),
        (
            Column.EVIDENCE,
            r".{0,4}(?:自评|评分|得分)?(?:依据|工作实效|自评说明|佐证材料|工作成效|完成情况).{0,8}",
        ),
        (Column.NO, r"序号?|编号|项号"),
        (Column.CATEGORY, r"类别|分类|一级指标|评价类别"),
        (Column.GROUP, r"项目|评价项目|二级指标"),
        (
            Column.CRITERION,
            r"(?:评价|评估|考核|考评|自评|评分|三级)?(?:内容|标准|指标|要点|内容及标准|内容和标准)",
        ),
        (Column.POINTS, r"(?:标准|基准|评价)?(?:分值|满分|标准分|基准分)分?|分数"),
        (Column.REMARK, r"备注.{0,4}|说明"),
    )
)
_LONGEST_LABEL = 20
_DEEPEST_HEADER = 3
_NOTHING, _NOWHERE = Cell(text=""), range(0)


@lru_cache(maxsize=1024)
def label(text: str) -> Column | None:
    """The column that a header's text names."""
    if len(text) > 2 * _LONGEST_LABEL:
        return None
    bare = normalized(text)
    if not bare or len(bare) > _LONGEST_LABEL:
        return None
    return next((column for column, pattern in _LABELS if pattern.fullmatch(bare)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Where each column of the form stands in a table."""

    spans: Mapping[Column, range]
    """A label merged over several columns of the grid spans them all."""

    def cell(self, row: Row, column: Column) -> Cell:
        """The row's cell in a column; an empty one where there is none."""
        span = self.spans.get(column, _NOWHERE)
        if len(span) == 1:
            return row[span.start] if span.start < len(row) else _NOTHING
        cells = [row[index] for index in span if index < len(row)]
        return next(
            (cell for cell in cells if cell.text.strip() or cell.formula),
            cells[0] if cells else _NOTHING,
        )

    def __contains__(self, column: Column) -> bool:
        return column in self.spans


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A header found in a table: its rows and the columns it names."""

    first: int
    last: int
    columns: Columns


def headers(rows: Sequence[Row]) -> Iterator[Header]:
    """Every header of the form in a table, wherever it stands, also one over two or three rows."""
    labelled = [any(label(cell.text) for cell in row) for row in rows]
    index = 0
    while index < len(rows):
        found = _header_at(rows, index) if any(labelled[index : index + _DEEPEST_HEADER]) else None
        if found is None:
            index += 1
            continue
        yield found
        index = found.last + 1


def _header_at(rows: Sequence[Row], index: int) -> Header | None:
    """The header that begins in this row: the fewest rows that name the most columns."""
    best: Header | None = None
    for depth in range(1, _DEEPEST_HEADER + 1):
        window = rows[index : index + depth]
        if len(window) < depth or not any(cell.text.strip() for cell in window[-1]):
            break
        columns = _named(window)
        if depth > 1 and len(_named(window[1:]).spans) >= len(columns.spans):
            continue
        if _is_header(columns) and (best is None or len(columns.spans) > len(best.columns.spans)):
            best = Header(first=index, last=index + depth - 1, columns=columns)
    return best


def _is_header(columns: Columns) -> bool:
    item = Column.CRITERION in columns or Column.NO in columns
    return len(columns.spans) >= 3 and Column.SCORE in columns and item


def names_columns(row: Row) -> bool:
    """Whether a row is the header of some table with criteria, the form's or another."""
    named = {column for cell in row if (column := label(cell.text)) is not None}
    return len(named) >= 3


def _named(window: Sequence[Row]) -> Columns:
    width = max(len(row) for row in window)
    named: dict[Column, range] = {}
    for index in range(width):
        texts = [row[index].text for row in window if index < len(row)]
        column = label("".join(texts)) or (label(texts[-1]) if len(texts) > 1 else None)
        if column is None:
            continue
        span = range(index, _end(window, index, width))
        if _is_hidden(window, index) and column in named:
            continue
        if (
            column not in named
            or _is_hidden(window, named[column].start)
            or (column is Column.SCORE and _says_self(texts) and span.start > named[column].start)
        ):
            named[column] = span
    return Columns(spans=named)


def _is_hidden(window: Sequence[Row], index: int) -> bool:
    return all(row[index].hidden for row in window if index < len(row))


def _says_self(texts: Sequence[str]) -> bool:
    """`自评分` is what we look for where a mere `得分` stands in the same header."""
    return "自" in "".join(texts)


def _end(window: Sequence[Row], index: int, width: int) -> int:
    """The end of the columns over which a label is merged."""
    end = index + 1
    while end < width and all(end < len(row) and not row[end].text.strip() for row in window):
        if not any(row[end].merged for row in window):
            break
        end += 1
    return end


def repeats_header(row: Row, columns: Columns) -> bool:
    """Whether a row is the header again, as on each page of a long table."""
    same = [column for column in columns.spans if label(columns.cell(row, column).text) is column]
    return len(same) >= 3


def inferred(rows: Sequence[Row], matcher: Matcher) -> Columns | None:
    """The columns of a table that has no header (a later page), by what stands in them.

    The criteria give the rubric's items away; what lies between them and the evidence is told by their points.
    """
    matched = _criteria(rows, matcher)
    if matched is None:
        return None
    criterion, items = matched
    width = max(len(row) for row in rows)
    spans = {Column.CRITERION: range(criterion, criterion + 1)}
    no = next((c for c in range(criterion) if _holds_numbers(items, c)), None)
    points = next((c for c in range(criterion + 1, width) if _holds_points(items, c)), None)
    if no is not None:
        spans[Column.NO] = range(no, no + 1)
    if points is None or points + 2 >= width:
        return None
    following = (Column.POINTS, Column.SCORE, Column.EVIDENCE, Column.REMARK)
    spans |= {
        column: range(points + n, points + n + 1) for n, column in enumerate(following) if points + n < width
    }
    return Columns(spans=spans)


def _criteria(rows: Sequence[Row], matcher: Matcher) -> tuple[int, list[tuple[Row, Item]]] | None:
    found: dict[int, list[tuple[Row, Item]]] = {}
    for row in rows:
        for index, cell in enumerate(row):
            item = matcher.whole(normalized(cell.text))
            if item is not None:
                found.setdefault(index, []).append((row, item))
    votes = Counter({index: len({item.no for _, item in items}) for index, items in found.items()})
    if not votes or votes.most_common(1)[0][1] < 2:
        return None
    index = votes.most_common(1)[0][0]
    return index, found[index]


def _holds_numbers(items: Sequence[tuple[Row, Item]], index: int) -> bool:
    said = [parse_points(row[index].text) == item.no for row, item in items if index < len(row)]
    return sum(said) * 2 > len(said)


def _holds_points(items: Sequence[tuple[Row, Item]], index: int) -> bool:
    said = [parse_points(row[index].text) == item.points for row, item in items if index < len(row)]
    return sum(said) * 2 > len(said)
