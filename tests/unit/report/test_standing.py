"""What an organization's record means for the staff."""

from __future__ import annotations

from decimal import Decimal

from mailbot.report.standing import category_sums
from tests.unit.report.sample import RUBRIC, assessment


def test_the_points_claimed_in_each_category_and_none_where_no_score_was_read() -> None:
    form = assessment("浙江省数学会", texts={8: "优", 33: "优", 35: "优"})
    assert category_sums(form, RUBRIC) == (Decimal(33), Decimal(15), Decimal(12), None, Decimal(28))
    assert category_sums(None, RUBRIC) == (None,) * 5
