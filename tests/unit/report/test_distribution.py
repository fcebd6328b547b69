"""How the points spread, whatever a form's points add up to."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from mailbot.report.distribution import bands
from tests.unit.report.sample import ORGANIZATIONS, RUBRIC


@pytest.mark.parametrize(
    ("total", "names"),
    [
        (100, ["90分以上", "80–89分", "70–79分", "60–69分", "60分以下"]),
        (60, ["得分率90%以上", "得分率80–89%", "得分率70–79%", "得分率60–69%", "得分率60%以下"]),
    ],
)
def test_bands_are_named_in_points_where_a_point_is_a_hundredth(total: int, names: list[str]) -> None:
    rubric = replace(RUBRIC, total=Decimal(total))
    counted = bands(ORGANIZATIONS, rubric)
    assert [name for name, _ in counted] == names
    assert sum(number for _, number in counted) == 4
