"""Puts the cells of a row beneath the right labels where its borders are not the header's, as after dragging one in Word.

Where a row has as many cells as the header, the first is the first label's and so on, if it then reads as an item does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from mailbot.form.columns import Column, Columns, Row
from mailbot.reading import Cell

Borders = tuple[int, ...]
"""Where the cells of a row begin in the table's grid."""
_MORE = Cell(text="", merged=True, across=True)


def straightened(rows: Sequence[Row], columns: Columns, fits: Callable[[Row], bool]) -> Iterator[Row]:
    """The rows with each cell in its label's column; `fits` tells whether a row then reads as an item."""
    header = columns.borders
    if not header or all(set(_borders(row)) <= set(header) for row in rows):
        yield from rows
        return
    known = Counter(
        borders
        for row in rows
        if len(borders := _borders(row)) == len(header) and fits(_moved(row, _in_order(borders, header)))
    )
    for row in rows:
        borders = _borders(row)
        like = borders if borders in known else next(_holding(borders, known), header)
        if borders == header:
            yield row
        elif like != header:
            yield _moved(row, _in_order(like, header))
        else:
            yield _likeliest(row, columns, fits)


def _borders(row: Row) -> Borders:
    return tuple(index for index, cell in enumerate(row) if not cell.across)


def _in_order(borders: Borders, header: Borders) -> Mapping[int, int]:
    return dict(zip(borders, header, strict=True))


def _holding(borders: Borders, known: Counter[Borders]) -> Iterator[Borders]:
    """Those known borders, most frequent first, that a row with merged cells can have: it has some of them and no other."""
    return (other for other, _ in known.most_common() if set(borders) <= set(other))


def _moved(row: Row, places: Mapping[int, int]) -> Row:
    cells = [_MORE] * (max(len(row), *places.values()) + 1)
    for begin, at in places.items():
        if begin < len(row):
            cells[at] = row[begin]
    return tuple(cells)


def _leaned(row: Row, header: Borders) -> Row:
    """The row, each cell that begins beneath one label and reaches beneath the next being given to that next one."""
    cells = [*row, *[_MORE] * (header[-1] + 1 - len(row))]
    for at in header:
        begin = at
        while begin > 0 and cells[begin].across:
            begin -= 1
        if begin not in header:
            cells[begin], cells[at] = cells[at], cells[begin]
    return tuple(cells)


def _likeliest(row: Row, columns: Columns, fits: Callable[[Row], bool]) -> Row:
    """The likeliest order of a row whose borders no other row explains.

    By where its cells lie (`_leaned`); doubtful where counting them off from the left gives other texts to the labels.
    """
    header, borders = columns.borders, _borders(row)
    leaned = _leaned(row, header)
    if len(borders) != len(header) or fits(leaned):
        return leaned
    ordered = _moved(row, _in_order(borders, header))
    same = all(ordered[at].text == leaned[at].text for at in header)
    return leaned if same else _doubtful(leaned, columns)


def _doubtful(row: Row, columns: Columns) -> Row:
    """The row with its score and evidence in doubt, so that a person looks at them, and without its points."""
    spans = columns.spans
    asked = {index for column in (Column.SCORE, Column.EVIDENCE) for index in spans.get(column, ())}
    cells = (replace(cell, several=True) if index in asked else cell for index, cell in enumerate(row))
    return tuple(_MORE if index in spans.get(Column.POINTS, ()) else cell for index, cell in enumerate(cells))
