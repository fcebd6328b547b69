"""What the XML of an OpenDocument workbook says beyond what calamine tells, sheet by sheet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING

from mailbot.documents.package import Package, attribute, local
from mailbot.documents.workbook import MOST_COLUMNS, MOST_ROWS, Inside, Place
from mailbot.errors import UnreadableError

if TYPE_CHECKING:
    from lxml import etree

_REFERENCE = re.compile(r"\[\.?([^\]]*)\]")
_HIDDEN = ("collapse", "filter")
_LINES_THROUGH, _NO_LINE = ("text-line-through-style", "text-line-through-type"), (None, "none")
_WIDEST = 200_000
"""So many places of merged cells are told apart on one sheet; beyond it is no form."""
_SIGNS = {"s": " ", "tab": "\t", "line-break": "\n"}


def insides(package: Package) -> dict[str, Inside]:
    """By sheet name. Raises UnreadableError, DangerousError."""
    content = package.xml("content.xml")
    if content is None:
        raise UnreadableError("there is no content in this workbook")
    struck = frozenset(_struck_styles(content))
    return {
        attribute(table, "name") or "": _Sheet(struck).read(table)
        for table in content.iter()
        if local(table) == "table"
    }


def _struck_styles(content: etree._Element) -> Iterator[str]:
    """The names of the styles by which a part of a text is struck out."""
    for style in content.iter("{*}style"):
        if attribute(style, "family") == "text" and any(
            attribute(properties, name) not in _NO_LINE for properties in style for name in _LINES_THROUGH
        ):
            yield attribute(style, "name") or ""


@dataclass(slots=True)
class _Sheet:
    """What is said of one sheet."""

    struck: frozenset[str]
    formulas: dict[Place, str] = field(default_factory=dict)
    covered: dict[Place, bool] = field(default_factory=dict)
    wide: set[Place] = field(default_factory=set)
    """The places of merged cells right of their first columns."""
    percents: set[Place] = field(default_factory=set)
    shown: dict[Place, str] = field(default_factory=dict)
    pictures: set[Place] = field(default_factory=set)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)

    def read(self, table: etree._Element) -> Inside:
        self._columns(table)
        row = 0
        for line in (element for element in table.iter() if local(element) == "table-row"):
            if row >= MOST_ROWS:
                break
            self._row(line, row)
            height = _repeated(line, "number-rows-repeated")
            if attribute(line, "visibility") in _HIDDEN:
                self.hidden_rows.update(range(row, min(row + height, MOST_ROWS)))
            row += height
        return Inside(
            formulas=self.formulas,
            covered=self.covered,
            percents=frozenset(self.percents),
            shown=self.shown,
            pictures=frozenset(self.pictures),
            hidden_rows=frozenset(self.hidden_rows),
            hidden_columns=frozenset(self.hidden_columns),
        )

    def _columns(self, table: etree._Element) -> None:
        first = 0
        for column in (element for element in table.iter() if local(element) == "table-column"):
            end = min(first + _repeated(column, "number-columns-repeated"), MOST_COLUMNS)
            if attribute(column, "visibility") in _HIDDEN:
                self.hidden_columns.update(range(first, end))
            first = end

    def _row(self, line: etree._Element, row: int) -> None:
        first = 0
        for cell in line:
            end = min(first + _repeated(cell, "number-columns-repeated"), MOST_COLUMNS)
            places = [(row, column) for column in range(first, end)]
            if local(cell) == "covered-table-cell":
                self.covered.update({place: place in self.wide for place in places})
            elif len(cell) or cell.attrib:
                self._cell(cell, places)
                self._span(cell, row, first)
            first = end

    def _span(self, cell: etree._Element, row: int, column: int) -> None:
        right = min(column + _repeated(cell, "number-columns-spanned"), MOST_COLUMNS)
        bottom = min(row + _repeated(cell, "number-rows-spanned"), MOST_ROWS)
        if 0 < (right - column - 1) * (bottom - row) <= _WIDEST - len(self.wide):
            self.wide.update(product(range(row, bottom), range(column + 1, right)))

    def _cell(self, cell: etree._Element, places: list[Place]) -> None:
        formula, kind = attribute(cell, "formula"), attribute(cell, "value-type")
        if formula and kind is None:
            text = _REFERENCE.sub(_plain_reference, formula.partition(":")[2])
            self.formulas.update(dict.fromkeys(places[:1], text))
        elif kind == "percentage":
            self.percents.update(places)
        elif self.struck and any(_is_struck(span, self.struck) for span in cell.iter("{*}span")):
            text = _text(cell, self.struck)
            if text.strip():
                self.shown.update(dict.fromkeys(places, text))
        elif any(local(part) == "frame" for part in cell):
            self.pictures.update(places)


def _is_struck(element: etree._Element, struck: frozenset[str]) -> bool:
    return local(element) == "span" and attribute(element, "style-name") in struck


def _text(cell: etree._Element, struck: frozenset[str]) -> str:
    """The words of a cell's paragraphs, those that are struck out left out."""
    return "\n".join("".join(_pieces(paragraph, struck)) for paragraph in cell if local(paragraph) == "p")


def _pieces(parent: etree._Element, struck: frozenset[str]) -> Iterator[str]:
    yield parent.text or ""
    for child in parent:
        if local(child) in _SIGNS:
            yield _SIGNS[local(child)]
        elif local(child) != "annotation" and not _is_struck(child, struck):
            yield from _pieces(child, struck)
        yield child.tail or ""


def _plain_reference(found: re.Match[str]) -> str:
    return found[1].replace(":.", ":")


def _repeated(element: etree._Element, name: str) -> int:
    count = attribute(element, name) or "1"
    return max(int(count), 1) if count.isdecimal() and len(count) < 9 else 1
