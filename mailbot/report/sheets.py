"""Sheets that staff can print and sort: styled rows streamed into a workbook, foreign text always as plain text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from math import ceil
from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

from mailbot.report.figures import plain_text

if TYPE_CHECKING:
    from openpyxl import Workbook

_LONGEST = 32_000
"""Excel's cells hold 32767 characters."""
_LINE, _HIGHEST = 13.5, 400.0
"""Height of a line and of the highest row, in points."""
_FORMULA_SIGNS = ("=", "+", "-", "@")
_TIME, _DATE, _POINTS, _COUNT = "yyyy-mm-dd hh:mm:ss", "yyyy-mm-dd", "0.0#", "0"
HEAD_COLOUR, RULE_COLOUR = "1F4E79", "BFBFBF"
RED, YELLOW, GREEN, GREY = "F8CBAD", "FFEB9C", "C6EFCE", "EDEDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: its head, its width in characters, and whether its text is wrapped or centred."""

    title: str
    width: float
    wrap: bool = False
    centre: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Colouring:
    """Cells of these columns (counted from 1) are filled where the formula, written for row 2, holds."""

    first: int
    last: int
    formula: str
    fill: str


@dataclass(slots=True)
class Sheet:
    """A sheet whose rows are streamed; call `finish` after the last one."""

    book: Workbook
    title: str
    columns: Sequence[Column]
    heading: str
    frozen_columns: int = 0
    head_lines: int = 2
    colourings: Sequence[Colouring] = ()
    choices: Mapping[int, Sequence[str]] = field(default_factory=dict)
    """Columns (counted from 1) whose cells are filled in from a list."""
    _rows: int = field(default=1, init=False)
    pages_wide: int = 1
    """How many printed pages side by side; each repeats the frozen columns."""
    _sheet: Any = field(init=False)
    _new_cell: Callable[[Any], Any] = field(init=False)
    _styles: Mapping[object, Any] = field(init=False)
    _looks: dict[tuple[bool, bool, str, bool], Any] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        from openpyxl.cell import WriteOnlyCell

        self._new_cell = WriteOnlyCell
        self._sheet = self.book.create_sheet(self.title)
        self._styles = _styles()
        self._lay_out()
        self._sheet.append([self._head_cell(column) for column in self.columns])

    def _lay_out(self) -> None:
        from openpyxl.utils import get_column_letter

        sheet = self._sheet
        for number, column in enumerate(self.columns, 1):
            sheet.column_dimensions[get_column_letter(number)].width = column.width
        sheet.row_dimensions[1].height = _LINE * self.head_lines + 6
        sheet.freeze_panes = f"{get_column_letter(self.frozen_columns + 1)}2"
        sheet.print_title_rows = "1:1"
        if self.pages_wide > 1:
            sheet.print_title_cols = f"A:{get_column_letter(self.frozen_columns)}"
        lay_out_page(sheet, f"{self.heading} · {self.title}", pages_wide=self.pages_wide)

    def _head_cell(self, column: Column) -> Any:
        cell = self._cell(column.title)
        cell.font, cell.fill = self._styles["head_font"], self._styles["head_fill"]
        cell.alignment, cell.border = self._styles["head"], self._styles["border"]
        return cell

    def _cell(self, value: object) -> Any:
        """A cell that holds the value as it is; openpyxl would take a text for a formula, a number or an error."""
        cell = self._new_cell(self._sheet)
        if isinstance(value, str):
            text = plain_text(value)[:_LONGEST]
            cell._value, cell.data_type = text or None, "s" if text else "n"
        else:
            cell._value, cell.data_type = value, "d" if isinstance(value, date) else "n"
        return cell

    def append(self, values: Iterable[object]) -> None:
        """Write one row, as high as its wrapped texts need."""
        pairs = list(zip(values, self.columns, strict=True))
        lines = max((_lines(value, column) for value, column in pairs), default=1)
        self._rows += 1
        self._sheet.row_dimensions[self._rows].height = min(_LINE * lines + 4, _HIGHEST)
        self._sheet.append([self._body_cell(value, column) for value, column in pairs])

    def _body_cell(self, value: object, column: Column) -> Any:
        cell = self._cell(value)
        formula_like = isinstance(cell._value, str) and cell._value.startswith(_FORMULA_SIGNS)
        look = (column.wrap, column.centre, _format_of(value), formula_like)
        if look not in self._looks:
            self._looks[look] = self._styled(*look)
        cell._style = self._looks[look]
        return cell

    def _styled(self, wrap: bool, centre: bool, number_format: str, formula_like: bool) -> Any:
        """The style of such cells; to look it up for each cell anew would take most of the time."""
        cell = self._new_cell(self._sheet)
        cell.border, cell.font = self._styles["border"], self._styles["font"]
        cell.alignment = self._styles[wrap, centre]
        cell.quotePrefix = formula_like
        if number_format:
            cell.number_format = number_format
        return cell._style

    def finish(self) -> None:
        """Filter, colours and choices, which need to know how many rows there are."""
        from openpyxl.formatting.rule import Rule
        from openpyxl.styles import PatternFill
        from openpyxl.styles.differential import DifferentialStyle
        from openpyxl.utils import get_column_letter
        from openpyxl.worksheet.datavalidation import DataValidation

        last = get_column_letter(len(self.columns))
        self._sheet.auto_filter.ref = f"A1:{last}{self._rows}"
        if self._rows == 1:
            return
        for colouring in self.colourings:
            where = f"{get_column_letter(colouring.first)}2:{get_column_letter(colouring.last)}{self._rows}"
            rule = Rule(
                type="expression",
                formula=[colouring.formula],
                dxf=DifferentialStyle(fill=PatternFill(bgColor=colouring.fill, fill_type="solid")),
            )
            self._sheet.conditional_formatting.add(where, rule)
        for number, texts in self.choices.items():
            column = get_column_letter(number)
            choice = DataValidation(type="list", formula1=f'"{",".join(texts)}"', allow_blank=True)
            choice.add(f"{column}2:{column}{self._rows}")
            self._sheet.data_validations.append(choice)

    def remark(self, *lines: str) -> None:
        """Lines below all rows, outside the filter; after `finish`."""
        self._sheet.append([])
        for line in lines:
            self._sheet.append([self._cell(line)])


def lay_out_page(sheet: Any, heading: str, *, pages_wide: int = 1) -> None:
    """A4 landscape, the sheet as wide as so many pages, heading above and page numbers below."""
    from openpyxl.worksheet.properties import PageSetupProperties

    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = pages_wide, 0
    sheet.page_margins.left = sheet.page_margins.right = 0.4
    sheet.page_margins.top, sheet.page_margins.bottom = 0.75, 0.75
    sheet.page_margins.header = sheet.page_margins.footer = 0.35
    sheet.oddHeader.center.text = heading.replace("&", "&&")
    sheet.oddHeader.center.size = 12
    sheet.oddFooter.center.size = 9
    sheet.oddFooter.center.text = "第 &P 页，共 &N 页"


def _lines(value: object, column: Column) -> int:
    """How many lines a text takes when it is wrapped; a Chinese character is two wide."""
    if not column.wrap or not isinstance(value, str):
        return 1
    return sum(max(1, ceil(_width(line) / (column.width - 1))) for line in value.split("\n"))


def _width(line: str) -> int:
    if line.isascii():
        return len(line)
    return sum(2 if east_asian_width(character) in "WFA" else 1 for character in line)


def _format_of(value: object) -> str:
    match value:
        case datetime():
            return _TIME
        case date():
            return _DATE
        case Decimal():
            return _POINTS
        case int():
            return _COUNT
        case _:
            return ""


def _styles() -> Mapping[object, Any]:
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

    line = Side(style="thin", color=RULE_COLOUR)
    return {
        "border": Border(left=line, right=line, top=line, bottom=line),
        "font": Font(name="Calibri", size=10),
        "head_font": Font(name="Calibri", bold=True, size=10, color="FFFFFF"),
        "head_fill": PatternFill("solid", fgColor=HEAD_COLOUR),
        "head": Alignment(horizontal="center", vertical="center", wrap_text=True),
        (False, False): Alignment(vertical="center"),
        (False, True): Alignment(horizontal="center", vertical="center"),
        (True, False): Alignment(vertical="center", wrap_text=True),
        (True, True): Alignment(horizontal="center", vertical="center", wrap_text=True),
    }
