"""Long lists cut to what a mail should carry."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut(Generic[T]):
    """The first of a list, and how many there are in all."""

    shown: tuple[T, ...]
    total: int

    @property
    def rest(self) -> int:
        """How many are not shown."""
        return self.total - len(self.shown)


def cut(values: Iterable[T], most: int) -> Cut[T]:
    """At most so many of the values."""
    everything = tuple(values)
    return Cut(shown=everything[:most], total=len(everything))
