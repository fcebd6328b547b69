"""Sums by category, for letters and reports."""

from __future__ import annotations

from decimal import Decimal

from mailbot.model import Assessment
from mailbot.rubric import Category, Rubric


def by_category(assessment: Assessment, rubric: Rubric) -> tuple[tuple[Category, Decimal | None], ...]:
    """For each category the sum of the scores as claimed; None where none of its scores could be read."""
    return tuple((category, _sum(assessment, rubric, category.name)) for category in rubric.categories)


def _sum(assessment: Assessment, rubric: Rubric, category: str) -> Decimal | None:
    scores = [
        item.score
        for item in assessment.items
        if item.score is not None and rubric.by_no[item.no].category == category
    ]
    return sum(scores, Decimal()) if scores else None
