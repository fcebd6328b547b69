"""The rubric: a notice's form as data. Values, without pydantic: the reading children have them too."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from pathlib import Path


class ThresholdKind(StrEnum):
    """What a criterion counts: things, a percentage, or a grade such as 4A."""

    COUNT = "count"
    PERCENT = "percent"
    LEVEL = "level"


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A countable demand of a criterion: at least `minimum` `unit` of what `words` name."""

    kind: ThresholdKind
    minimum: Decimal
    unit: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One scored row of the form."""

    no: int
    category: str
    group: str
    criterion: str
    points: Decimal
    thresholds: tuple[Threshold, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A part of the form, and what its items' points add up to."""

    name: str
    points: Decimal


@dataclass(frozen=True, kw_only=True)
class Rubric:
    """The form: its categories and items, in the order of the notice."""

    year: int
    title: str
    total: Decimal
    categories: tuple[Category, ...]
    items: tuple[Item, ...]

    @cached_property
    def by_no(self) -> dict[int, Item]:
        """The items by their 序号."""
        return {item.no: item for item in self.items}


def load(path: Path) -> Rubric:
    """Read a rubric. Raises ConfigurationError with every fault, also where it does not add up."""
    from mailbot import rubric_file

    file = rubric_file.read(path)
    return Rubric(
        year=file.year,
        title=file.title,
        total=file.total,
        categories=tuple(Category(name=each.name, points=each.points) for each in file.category),
        items=tuple(
            Item(
                no=item.no,
                category=item.category,
                group=item.group,
                criterion=item.criterion,
                points=item.points,
                thresholds=tuple(
                    Threshold(
                        kind=ThresholdKind(each.kind),
                        minimum=each.minimum,
                        unit=each.unit,
                        words=each.words,
                    )
                    for each in item.threshold
                ),
            )
            for item in file.item
        ),
    )
