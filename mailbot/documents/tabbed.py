"""Tables that were written as plain lines with tabs between their columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mailbot.reading import Cell, Table

_FEWEST_ROWS, _FEWEST_COLUMNS = 8, 4


def tables(lines: Iterable[str]) -> tuple[Table, ...]:
    """Every run of at least 8 lines (blank ones aside) with at least 4 columns each.

    Cells know the number of their line: `第12行第3列`.
    """
    found: list[Table] = []
    run: list[tuple[int, list[str]]] = []
    for number, line in enumerate([*lines, "end"], start=1):
        if not line.strip():
            continue
        columns = line.split("\t")
        if len(columns) >= _FEWEST_COLUMNS:
            run.append((number, columns))
            continue
        if len(run) >= _FEWEST_ROWS:
            found.append(_table(run))
        run = []
    return tuple(found)


def _table(run: Sequence[tuple[int, list[str]]]) -> Table:
    width = max(len(columns) for _, columns in run)
    return Table(
        rows=tuple(
            tuple(
                Cell(text=text.strip(), place=f"第{number}行第{column}列")
                for column, text in enumerate(columns + [""] * (width - len(columns)), start=1)
            )
            for number, columns in run
        )
    )
