"""The rubric's file: a notice's form in TOML, as an operator writes it, checked to add up."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mailbot.config import Text
from mailbot.errors import ConfigError, ConfigurationError
from mailbot.tomlfile import fault_lines, read_toml

_OF_THE_NOTICE = Path("rubric/2020.toml")


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Threshold(_Row):
    kind: Literal["count", "percent", "level"]
    minimum: Decimal = Field(gt=0)
    unit: Text
    words: tuple[Text, ...] = Field(min_length=1)


class _Item(_Row):
    no: int = Field(gt=0)
    category: Text
    group: str
    criterion: Text
    points: Decimal = Field(gt=0)
    threshold: tuple[_Threshold, ...] = ()


class _Category(_Row):
    name: Text
    points: Decimal = Field(gt=0)


class File(_Row):
    """What stands in the file."""

    year: int = Field(ge=2000, le=2100)
    title: Text
    total: Decimal = Field(gt=0)
    category: tuple[_Category, ...]
    item: tuple[_Item, ...]


def of_the_notice() -> Path:
    """The form of the notice: in the directory where the command was given, else beside the program."""
    beside = Path(__file__).parent.parent / _OF_THE_NOTICE
    return beside if beside.is_file() and not _OF_THE_NOTICE.is_file() else _OF_THE_NOTICE


def read(path: Path) -> File:
    """Raises ConfigurationError with every fault, also where the points do not add up."""
    try:
        file = File.model_validate(read_toml(path))
    except ValidationError as error:
        raise ConfigurationError(list(fault_lines(path, error, File))) from error
    faults = [ConfigError(str(path), key, reason) for key, reason in _contradictions(file)]
    if faults:
        raise ConfigurationError(faults)
    return file


def _contradictions(file: File) -> Iterator[tuple[str, str]]:
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
