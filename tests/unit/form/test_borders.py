"""Tables of a word processor in which a row's borders are not the header's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.model import Code, ReadBy
from mailbot.reading import Cell, Table
from tests.unit.form.build import ORDER, Form, cell, changed, extract, faults, read
from tests.unit.form.test_locate import assert_right

_MORE = cell("", merged=True, across=True)
_EVEN = (1,) * len(ORDER)
_ITEM_8 = 6
"""Its row in the table."""


def spread(row: Sequence[Cell], widths: Sequence[int]) -> tuple[Cell, ...]:
    """A row whose cells take so many columns of the grid each."""
    return tuple(c for one, width in zip(row, widths, strict=True) for c in (one, *[_MORE] * (width - 1)))


def wide(*columns: str) -> tuple[int, ...]:
    return tuple(1 + columns.count(column) for column in ORDER)


def drawn(
    form: Form, header: Sequence[int], rows: Sequence[int], only: int | None = None
) -> tuple[Table, ...]:
    """The form with one grid for the header and another for all rows below it, or only one of them."""
    table = form.table()
    crooked = range(3, len(table.rows)) if only is None else (only,)
    return (
        replace(
            table,
            rows=tuple(
                spread(row, rows if number in crooked else header) for number, row in enumerate(table.rows)
            ),
        ),
    )


_WIDE = st.sampled_from(ORDER)


@settings(deadline=None, max_examples=150)
@given(
    more=st.lists(st.tuples(_WIDE, _WIDE), min_size=1, max_size=3),
    only=st.sampled_from([None, 3, _ITEM_8]),
    read_by=st.sampled_from([ReadBy.CELLS, ReadBy.TABLE, ReadBy.TEXT]),
)
def test_borders_may_lie_anywhere(more: list[tuple[str, str]], only: int | None, read_by: ReadBy) -> None:
    above, below = (wide(*columns) for columns in zip(*more, strict=True))
    assert_right(extract(drawn(Form(read_by=read_by), above, below, only), read_by=read_by))


def test_a_total_whose_first_cells_are_merged_follows_the_rows_above_it() -> None:
    (table,) = drawn(Form(total="99"), wide("remark"), wide("criterion"))
    last = (table.rows[-1][0], *[_MORE] * 4, *table.rows[-1][5:])
    examined = read(extract([replace(table, rows=(*table.rows[:-1], last))], read_by=ReadBy.TABLE))
    assert faults(examined) == [(Code.TOTAL_MISMATCH, None)]
    assert examined.assessment is not None
    assert examined.assessment.stated_total == 99


def test_evidence_merged_with_the_score_is_not_the_evidence_above() -> None:
    (table,) = drawn(Form(), _EVEN, _EVEN)
    row = (*table.rows[_ITEM_8][:6], _MORE, table.rows[_ITEM_8][7])
    rows = (*table.rows[:_ITEM_8], row, *table.rows[_ITEM_8 + 1 :])
    assert faults(read(extract([replace(table, rows=rows)], read_by=ReadBy.TABLE))) == [
        (Code.EVIDENCE_MISSING, 8)
    ]


@pytest.mark.parametrize("score", ["良好", "1"])
@pytest.mark.parametrize(("header", "row"), [("remark", "criterion"), ("criterion", "evidence")])
def test_a_row_that_reads_in_two_ways_is_for_a_person(score: str, header: str, row: str) -> None:
    """Neither the order of its cells nor what stands above them gives an item."""
    form = Form(change=changed(8, score=score, points="15分"), total="100")
    tables = drawn(form, wide(header), wide(row), _ITEM_8)
    assert faults(read(extract(tables, read_by=ReadBy.TABLE))) == [(Code.FORM_LOW_CONFIDENCE, 8)]


@pytest.mark.parametrize("read_by", [ReadBy.CELLS, ReadBy.TABLE])
def test_what_stands_beneath_the_label_beside_is_not_missing(read_by: ReadBy) -> None:
    """Two cells beneath 分值 and none beneath 自评分, and the same one column further to the right."""
    for label, missing, code in (
        ("points", "score", Code.SCORE_MISSING),
        ("score", "evidence", Code.EVIDENCE_MISSING),
    ):
        (table,) = drawn(Form(total="", read_by=read_by), wide(label), wide(label))
        at = ORDER.index(missing)
        moved = [
            (*row[:at], row[at + 1], cell(), *row[at + 2 :]) if number == _ITEM_8 else row
            for number, row in enumerate(table.rows)
        ]
        found = faults(read(extract([replace(table, rows=tuple(moved))], read_by=read_by)))
        assert (Code.FORM_LOW_CONFIDENCE, 8) in found
        assert (code, 8) not in found


@pytest.mark.parametrize("read_by", [ReadBy.CELLS, ReadBy.TABLE, ReadBy.TEXT])
def test_a_row_with_its_criterion_in_another_column_is_for_a_person(read_by: ReadBy) -> None:
    table = Form(read_by=read_by).table()
    row = table.rows[_ITEM_8]
    moved = (*row[:2], row[3], *row[4:], cell("见附件"))
    rows = (*table.rows[:_ITEM_8], moved, *table.rows[_ITEM_8 + 1 :])
    found = faults(read(extract([replace(table, rows=rows)], read_by=read_by)))
    assert set(found) == {(Code.FORM_LOW_CONFIDENCE, 8)}


def test_labels_over_columns_that_rows_have_are_as_before() -> None:
    """Two scores beneath a wide 自评分, and 备注 merged with the evidence: as many cells as labels, by chance."""
    (table,) = drawn(Form(), wide("score"), wide("score"))
    rows = [
        (*row[:6], cell("0.5"), row[7], _MORE) if 3 <= number < len(table.rows) - 1 else row
        for number, row in enumerate(table.rows)
    ]
    examined = read(extract([replace(table, rows=tuple(rows))], read_by=ReadBy.TABLE))
    assert {code for code, _ in faults(examined)} == {Code.FORM_LOW_CONFIDENCE}


_ANY = st.builds(
    cell,
    st.sampled_from(
        [
            "",
            "序号",
            "评价内容",
            "分值",
            "自评分",
            "例",
            "附加分",
            "1",
            "5分",
            Form().lines()[0]["criterion"].text,
        ]
    ),
    across=st.booleans(),
)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.lists(_ANY, max_size=8).map(tuple), max_size=8).map(tuple))
def test_any_borders_are_followed_without_fail(rows: tuple[tuple[Cell, ...], ...]) -> None:
    read(extract([Table(rows=rows)]))
