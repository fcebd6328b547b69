from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.form.points import Problem, adds_cells, compute, parse_points, plain


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5", "5"),
        ("５", "5"),
        ("5.0", "5"),
        ("5分", "5"),
        ("5 分", "5"),
        ("５．５分", "5.5"),
        ("五", "5"),
        ("五分", "5"),
        ("十", "10"),
        ("十分", "10"),
        ("两分", "2"),
        ("伍", "5"),
        ("四点五分", "4.5"),
        ("四分半", "4.5"),
        ("4．5", "4.5"),
        ("4。5", "4.5"),
        ("4.5分", "4.5"),
        ("+5", "5"),
        ("　5　", "5"),
        ("\n5\n", "5"),
        ("__5__", "5"),
        ("5。", "5"),
        ("5.", "5"),
        (".5", "0.5"),
        ("得5分", "5"),
        ("自评分：5", "5"),
        ("5（自评）", "5"),
        ("0", "0"),
        ("无", "0"),
        ("/", "0"),
        ("／", "0"),
        ("-", "0"),
        ("—", "0"),
        ("——", "0"),
        ("－", "0"),
        ("零", "0"),
        ("无。", "0"),
        ("無", "0"),
        ("4.33333333333333", "4.333333333"),
        ("4.300000000000001", "4.3"),
        ("半分", "0.5"),
        ("0分", "0"),
        ("-2", "-2"),
        ("－2", "-2"),
        ("−2分", "-2"),
        ("负二", "-2"),
        ("100", "100"),
        ("⁸⁵", "85"),
        (" ⁴.⁵ ", "4.5"),
    ],
)
def test_one_number(text: str, number: str) -> None:
    assert parse_points(text) == Decimal(number)


@pytest.mark.parametrize("text", ["", " ", "　", "\n", "分", "____", "（）"])
def test_empty(text: str) -> None:
    assert parse_points(text) is Problem.EMPTY


@pytest.mark.parametrize(
    "text",
    [
        "5-6",
        "3+2",
        "优",
        "优秀",
        "5/10",
        "5/5",
        "5、4",
        "5 3",
        "5\n3",
        "满分",
        "约5分",
        "5分以上",
        "90%",
        "5½",
        "②",
        "4²",
        "5" + " " * 60 + "5",
        "0" * 61,
        "5²",
        "1e5",
        "五到六",
        "2021-05-06",
        "[图片]",
        "半半",
        "9" * 400,
        "一" * 400,
        "Infinity",
        "NaN",
    ],
)
def test_no_number(text: str) -> None:
    assert parse_points(text) is Problem.NOT_A_NUMBER


@given(st.text(max_size=30))
def test_any_text_is_a_finite_number_or_a_problem(text: str) -> None:
    read = parse_points(text)
    assert isinstance(read, Problem) or read.is_finite()


@given(st.decimals(min_value=-100, max_value=100, places=2))
def test_a_plain_number_is_read_back(number: Decimal) -> None:
    assert parse_points(plain(number)) == number


@pytest.mark.parametrize(
    ("formula", "value"),
    [("=SUM(3,4)", "7"), ("=3+1.5", "4.5"), ("= sum(1, 2, 3)", "6"), ("=5", "5")],
)
def test_formulas_of_numbers_are_computed(formula: str, value: str) -> None:
    assert compute(formula) == Decimal(value)


@pytest.mark.parametrize(
    "formula", ["=SUM(F3:F27)", "=A1*2", "=IF(A1>1,2,3)", "=HYPERLINK(1)", "", "=-", "=()"]
)
def test_other_formulas_are_not_computed(formula: str) -> None:
    assert compute(formula) is None


@pytest.mark.parametrize(
    "formula", ["=SUM(F3:F5)", "=SUM($F$3:$F$5,G2)", "=F3+F4+F5", "=sum(f3;f4;f5)", "=SUM(F1:F4,F5)"]
)
def test_formulas_that_add_the_cells_up_are_told(formula: str) -> None:
    assert adds_cells(formula, ["Sheet1!F3", "自评表 (2)!F4", "F5"])


@pytest.mark.parametrize(
    "formula",
    ["=SUM(F3:F5)*2", "=AVERAGE(F3:F5)", "=F3", "", "=SUM(F3:F4)", "=F3+F4", "=SUM(G3:G5)", "=SUM(E3:F5)"],
)
def test_other_formulas_and_those_that_leave_cells_out_do_not_add_them_up(formula: str) -> None:
    assert not adds_cells(formula, ["Sheet1!F3", "Sheet1!F4", "Sheet1!F5"])


@pytest.mark.parametrize(("number", "text"), [("10.00", "10"), ("1E+1", "10"), ("4.50", "4.5"), ("0", "0")])
def test_numbers_are_written_plainly(number: str, text: str) -> None:
    assert plain(Decimal(number)) == text
