"""How the points spread: by category, and the computed totals in bands. Of whole forms of this year alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from mailbot.records import OrganizationRecord
from mailbot.report.standing import category_sums, whole_form
from mailbot.rubric import Rubric

_BANDS = (("90{}以上", 90), ("80–89{}", 80), ("70–79{}", 70), ("60–69{}", 60), ("60{}以下", None))
"""Name, without its unit, and least percentage of the rubric's total."""


class HowMany(NamedTuple):
    """Of how many organizations the points count, and of how many others a form came."""

    assessed: int
    left_out: int


def how_many(records: Sequence[OrganizationRecord]) -> HowMany:
    """Count the forms."""
    forms = [record for record in records if record.assessment is not None]
    counted = sum(1 for record in forms if whole_form(record))
    return HowMany(counted, len(forms) - counted)


@dataclass(frozen=True, slots=True, kw_only=True)
class CategorySpread:
    """The sums claimed in one category."""

    name: str
    points: Decimal
    mean: Decimal | None
    least: Decimal | None
    most: Decimal | None

    @property
    def percent(self) -> int:
        """The mean as a percentage of the category's points."""
        return 0 if self.mean is None else max(0, min(100, round(self.mean / self.points * 100)))


def by_category(records: Sequence[OrganizationRecord], rubric: Rubric) -> tuple[CategorySpread, ...]:
    """Mean, least and most in each category."""
    sums = [category_sums(form, rubric) for record in records if (form := whole_form(record))]
    spreads = []
    for number, category in enumerate(rubric.categories):
        known = [each[number] for each in sums]
        values = [value for value in known if value is not None]
        spreads.append(
            CategorySpread(
                name=category.name,
                points=category.points,
                mean=(sum(values, Decimal()) / len(values)).quantize(Decimal("0.1")) if values else None,
                least=min(values, default=None),
                most=max(values, default=None),
            )
        )
    return tuple(spreads)


def bands(records: Sequence[OrganizationRecord], rubric: Rubric) -> tuple[tuple[str, int], ...]:
    """How many organizations' computed totals lie in each band; of a form of 100 points a hundredth is a point."""
    before, unit = ("", "分") if rubric.total == 100 else ("得分率", "%")
    counts = dict.fromkeys((least for _, least in _BANDS), 0)
    for record in records:
        form = whole_form(record)
        if form is not None and form.total is not None:
            percent = form.total * 100 / rubric.total
            counts[next(least for _, least in _BANDS if least is None or percent >= least)] += 1
    return tuple((before + words.format(unit), counts[least]) for words, least in _BANDS)
