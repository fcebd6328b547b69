"""What a form states where nobody looks for it: one score for several items, the total beside the table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mailbot.model import Code
from mailbot.reading import Extract
from tests.unit.form.build import Form, cell, extract, faults, read

MERGED = cell("", merged=True)


def shared(text: str) -> Form:
    """One merged cell of score for the items 45, 46 and 47."""

    def merge(lines: list[dict[str, object]]) -> list[dict[str, object]]:
        for line in lines:
            number = line["no"].text  # type: ignore[attr-defined]
            if number in ("45", "46", "47"):
                line["score"] = cell(text) if number == "45" else MERGED
        return lines

    return Form(change=merge, total="100")  # type: ignore[arg-type]


def test_one_score_for_several_items_is_for_a_person_and_no_fault() -> None:
    doubt = Code.FORM_LOW_CONFIDENCE
    assert faults(read(shared("11"))) == [(doubt, 45), (doubt, 46), (doubt, 47)]


def test_an_empty_merged_score_is_missing_from_each() -> None:
    missing = Code.SCORE_MISSING
    assert faults(read(shared(""))) == [(missing, 45), (missing, 46), (missing, 47)]


def without_total(*lines: str, below: str = "") -> Extract:
    table = Form().extract().tables[0]
    rows = (*table.rows[:-1], *(((cell("自评总分"), cell(), cell(below), *[cell()] * 5),) if below else ()))
    return extract([replace(table, rows=rows)], text="\n".join(lines))


@pytest.mark.parametrize(
    "line",
    ["合计：98分", "自评总分：98", "我会自评总得分为98分。", "填报单位：浙江省示例学会  自评总分：98分"],
)
def test_a_total_beside_the_table_is_found(line: str) -> None:
    examined = read(without_total(line))
    assert faults(examined) == [(Code.TOTAL_MISMATCH, None)]
    assert examined.assessment is not None
    assert examined.assessment.organization == "浙江省示例学会"


def test_a_total_in_a_column_of_its_row_that_holds_no_number_is_found() -> None:
    assert faults(read(without_total(below="98"))) == [(Code.TOTAL_MISMATCH, None)]


@pytest.mark.parametrize(
    "lines",
    [(), ("总分：100分",), ("合计：50000元",), ("合计：98分", "合计：95分"), ("2019年自评总分：98分",)],
)
def test_another_number_beside_the_table_is_no_total(lines: tuple[str, ...]) -> None:
    assert faults(read(without_total(*lines))) == [(Code.TOTAL_MISSING, None)]
