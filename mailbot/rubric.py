"""The rubric: a notice's form as data, read from TOML and checked to add up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mailbot.config import Text
from mailbot.errors import ConfigError, ConfigurationError
from mailbot.tomlfile import fault_lines, read_toml


class ThresholdKind(StrEnum):
    """What a criterion counts: things, a percentage, or a grade such as 4A."""

    COUNT = "count"
    PERCENT = "percent"
    LEVEL = "level"


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Threshold(_Row):
    """A countable demand of a criterion: at least `minimum` `unit` of what `words` name."""

    kind: ThresholdKind
    minimum: Decimal = Field(gt=0)
    unit: Text
    words: tuple[Text, ...] = Field(min_length=1)


class Item(_Row):
    """One scored row of the form."""

    no: int = Field(gt=0)
    category: Text
    group: str
    criterion: Text
    points: Decimal = Field(gt=0)
    thresholds: tuple[Threshold, ...] = Field(default=(), alias="threshold")


class Category(_Row):
    name: Text
    points: Decimal = Field(gt=0)


class _File(_Row):
    year: int = Field(ge=2000, le=2100)
    title: Text
    total: Decimal = Field(gt=0)
    category: tuple[Category, ...]
    item: tuple[Item, ...]


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
    try:
        file = _File.model_validate(read_toml(path))
    except ValidationError as error:
        raise ConfigurationError(list(fault_lines(path, error, _File))) from error
    faults = [ConfigError(str(path), key, reason) for key, reason in _contradictions(file)]
    if faults:
        raise ConfigurationError(faults)
    return Rubric(
        year=file.year, title=file.title, total=file.total, categories=file.category, items=file.item
    )


def _contradictions(file: _File) -> Iterator[tuple[str, str]]:
    names = [category.name for category in file.category]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield f"category[{index}].name", f"{name} stands already in category[{names.index(name)}]"
    for index, (before, item) in enumerate(zip((None, *file.item), file.item, strict=False)):
        if item.category not in names:
            yield f"item[{index}].category", f"{item.category} is no category; there are {', '.join(names)}"
        if before is not None and item.no <= before.no:
            yield f"item[{index}].no", f"{item.no} does not come after {before.no}"
    for index, category in enumerate(file.category):
        points = sum((item.points for item in file.item if item.category == category.name), Decimal())
        if points != category.points:
            yield f"category[{index}].points", f"says {category.points}, its items add up to {points}"
    whole = sum((category.points for category in file.category), Decimal())
    if whole != file.total:
        yield "total", f"says {file.total}, the categories add up to {whole}"
