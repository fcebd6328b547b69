"""The 汇总表 as staff give it back: what they filled in or changed in their own columns, and every mismatch."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from mailbot.config import Campaign
from mailbot.errors import UsageError
from mailbot.records import OrganizationRecord
from mailbot.report import verdicts
from mailbot.report.figures import plain_text
from mailbot.report.summary import NOT_SEALED, SEALED, columns, own_note
from mailbot.report.verdicts import Verdict
from mailbot.report.wording import points
from mailbot.rubric import Rubric

if TYPE_CHECKING:
    from openpyxl import Workbook

SHEET = "汇总表"
NAME, PAPER, POINTS, NOTE = "单位名称", "纸质件", "考核分", "备注"
_NO_WORKBOOK = (
    ArithmeticError,
    AttributeError,
    BadZipFile,
    EOFError,
    LookupError,
    SyntaxError,
    TypeError,
    ValueError,
    zlib.error,
)
"""What openpyxl raises on a file that is none."""
_CLEARS = frozenset({"-", "—", "无"})
"""What empties a field; an empty cell changes nothing, so that an old workbook cannot wipe out newer entries."""
_NOISE = Decimal("0.000001")
"""What a computed cell may be off by."""
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one row changes."""

    organization: str
    values: Mapping[str, Any]
    """By the field of `OrganizationRecord`."""
    lines: tuple[str, ...]
    """In words: the column, what stood, what is to stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What a workbook brings back."""

    changes: tuple[Change, ...]
    verdicts: tuple[Verdict, ...]


@dataclass(slots=True)
class _Reader:
    campaign: Campaign
    rubric: Rubric
    records: Mapping[str, OrganizationRecord]
    today: date
    faults: list[str] = field(default_factory=list)

    def fault(self, cell: Any, reason: str) -> None:
        self.faults.append(f"{SHEET}!{cell.coordinate}: {reason}")


class _BadCellError(Exception):
    """A cell that holds what cannot be taken; the text says why."""


def read_returned(
    path: Path,
    *,
    campaign: Campaign,
    rubric: Rubric,
    records: Sequence[OrganizationRecord],
    today: date,
) -> Returned:
    """What the workbook changes and decides. Raises UsageError with every mismatch, sheet and cell named."""
    formulas, values = _load(path, data_only=False), _load(path, data_only=True)
    reader = _Reader(
        campaign=campaign,
        rubric=rubric,
        records={
            **{plain_text(alias): record for record in records for alias in record.aliases},
            **{plain_text(record.name): record for record in records},
        },
        today=today,
    )
    at = _columns(reader, path, values)
    changes = tuple(_changes(reader, formulas[SHEET], values[SHEET], at))
    decided = verdicts.read(formulas, values, campaign.timezone, reader.faults)
    if reader.faults:
        raise not_taken(path, reader.faults)
    return Returned(changes=changes, verdicts=decided)


def not_taken(path: Path, faults: Iterable[str]) -> UsageError:
    """That nothing of a workbook is taken, and every reason."""
    return UsageError("\n".join((f"{path} is not taken:", *faults)))


def _load(path: Path, *, data_only: bool) -> Workbook:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        return load_workbook(path, data_only=data_only)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except InvalidFileException as error:
        raise UsageError(
            f"{path}: is no xlsx workbook: open it in Excel or WPS and save it as .xlsx"
        ) from error
    except _NO_WORKBOOK as error:
        raise UsageError(f"{path}: is no xlsx workbook ({type(error).__name__}: {error})") from error


def _columns(reader: _Reader, path: Path, book: Workbook) -> dict[str, int]:
    """Where each column is. Raises UsageError where this is no 汇总表 of this campaign."""
    if SHEET not in book.sheetnames:
        raise UsageError(f"{path}: has no sheet {SHEET}: it is not the workbook that mailbot export writes")
    sheet = book[SHEET]
    heading = str(sheet.oddHeader.center.text or "") if sheet.oddHeader else ""
    title = reader.campaign.title
    if heading and title.replace("&", "&&") not in heading and title not in heading:
        raise UsageError(f"{path}: is of another campaign: its heading is {heading!r}, not {title!r}")
    at: dict[str, int] = {}
    doubled: list[str] = []
    for cell in sheet[1]:
        head = "" if cell.value is None else str(cell.value).strip()
        if head in at:
            doubled.append(f"{SHEET}!{cell.coordinate}: the column {head} stands there twice")
        elif head:
            at[head] = int(cell.column or 0)
    expected = columns(reader.rubric)
    wrong = [f"{SHEET}!1: the column {head} is missing" for head in expected if head not in at]
    strange = {head: number for head, number in at.items() if head not in expected} if wrong else {}
    wrong += [
        f"{SHEET}!{sheet.cell(1, number).coordinate}: {head!r} is no column of it"
        for head, number in strange.items()
    ]
    wrong += [line for line in doubled if any(f"column {head} " in line for head in expected)]
    if wrong:
        raise UsageError("\n".join((f"{path} is not the 汇总表 of this campaign:", *wrong)))
    return at


def _changes(reader: _Reader, formulas: Any, values: Any, at: Mapping[str, int]) -> Iterator[Change]:
    seen: dict[str, str] = {}
    wishes: dict[str, tuple[OrganizationRecord, dict[str, Any]]] = {}
    for number in verdicts.rows_below_heads(values):
        cells = {head: values.cell(number, at[head]) for head in (NAME, PAPER, POINTS, NOTE)}
        if all(cell.value in (None, "") for cell in cells.values()):
            continue
        name = plain_text(str(cells[NAME].value or "")).strip()
        record, faultless = reader.records.get(name), len(reader.faults)
        if record is not None and name in seen:
            reader.fault(cells[NAME], f"{name} stands in {seen[name]} already")
        seen.setdefault(name, cells[NAME].coordinate)
        filled_in = {head: cells[head] for head in (PAPER, POINTS, NOTE)}
        for cell, reason in verdicts.uncalculated(filled_in, formulas):
            reader.fault(cell, reason)
        wanted = _wanted(reader, cells)
        if record is None and (wanted or len(reader.faults) > faultless):
            unknown = f"no organization {name!r} in this campaign; wanted a name as it was exported"
            reader.fault(cells[NAME], unknown if name else "names nobody")
        if record is not None:
            _, other = wishes.setdefault(record.name, (record, {}))
            for differing in (key for key in wanted if other.get(key, wanted[key]) != wanted[key]):
                reason = (
                    f"is {record.name} now, and another row of it has another {_HEADS[differing]}: leave one"
                )
                reader.fault(cells[NAME], reason)
            other |= wanted
    for record, wanted in wishes.values():
        if (change := _change(record, wanted)) is not None:
            yield change


def _wanted(reader: _Reader, cells: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that the row sets; a fault for each cell that cannot be taken."""
    wanted: dict[str, Any] = {}
    for head, take in ((NOTE, _note), (PAPER, _paper), (POINTS, _points)):
        value = cells[head].value
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        try:
            wanted |= take(value, reader)
        except _BadCellError as error:
            reader.fault(cells[head], f"{head}: {error}")
    return wanted


def _note(value: object, _reader: _Reader) -> dict[str, Any]:
    """The staff's own words; what the export had put beside them is left out, a word on the seal is taken."""
    text = points(_number(value)) if isinstance(value, int | float) else plain_text(str(value)).strip()
    if text in _CLEARS:
        return {"note": ""}
    note, sealed = own_note(text)
    taken: dict[str, Any] = {"note": note} if note else {}
    return taken if sealed is None else taken | {"paper_sealed": sealed}


def _paper(value: object, reader: _Reader) -> dict[str, Any]:
    """A date, and whether 已盖章 or 未盖章 stands beside it."""
    if isinstance(value, datetime | date):
        return {"paper_received": _past(value.date() if isinstance(value, datetime) else value, reader)}
    text = unicodedata.normalize("NFKC", str(value)).strip()
    if text in _CLEARS:
        return {"paper_received": None, "paper_sealed": None}
    found = _DAY.search(text)
    rest = re.sub(r"[\s()（），,;；]", "", _DAY.sub("", text, count=1))
    sealed = {"": None, "已盖章": True, SEALED: True, "未盖章": False, NOT_SEALED: False}
    if found is None or rest not in sealed:
        raise _BadCellError(f"{text!r} is no date (2021-01-18, with 已盖章 or 未盖章 if you like)")
    try:
        day = date(*(int(part) for part in found.groups()))
    except ValueError as error:
        raise _BadCellError(f"{text!r} is no date ({error})") from error
    taken: dict[str, Any] = {"paper_received": _past(day, reader)}
    return taken if sealed[rest] is None else taken | {"paper_sealed": sealed[rest]}


def _past(day: date, reader: _Reader) -> date:
    if day > reader.today:
        raise _BadCellError(f"{day.isoformat()} is still to come")
    return day


def _points(value: object, reader: _Reader) -> dict[str, Any]:
    if isinstance(value, str) and unicodedata.normalize("NFKC", value).strip() in _CLEARS:
        return {"staff_points": None}
    number = _number(value)
    if number < 0:
        raise _BadCellError(f"{points(number)} is below zero")
    if number > reader.rubric.total:
        raise _BadCellError(f"{points(number)} is over the {points(reader.rubric.total)} points of the form")
    rounded = round(number, 2)
    if abs(number - rounded) > _NOISE:
        raise _BadCellError(f"{points(number)} has more than two decimals")
    return {"staff_points": number if number == rounded else rounded}


def _number(value: object) -> Decimal:
    text = unicodedata.normalize("NFKC", str(value)).strip().removesuffix("分")
    try:
        number = Decimal("NaN") if isinstance(value, bool) else Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise _BadCellError(f"{str(value)!r} is no number (wanted: points such as 92.5)")
    return number


def _change(record: OrganizationRecord, wanted: Mapping[str, Any]) -> Change | None:
    changed = {name: value for name, value in wanted.items() if getattr(record, name) != value}
    if "paper_sealed" in changed and wanted.get("paper_received", record.paper_received) is None:
        changed.pop("paper_sealed")
    if not changed:
        return None
    lines = tuple(
        f"{_HEADS[name]}: {_said(getattr(record, name))} → {_said(value)}" for name, value in changed.items()
    )
    return Change(organization=record.name, values=changed, lines=lines)


_HEADS = {"paper_received": PAPER, "paper_sealed": "盖章", "staff_points": POINTS, "note": NOTE}


def _said(value: object) -> str:
    match value:
        case None | "":
            return "（空）"
        case bool():
            return "已盖章" if value else "未盖章"
        case Decimal():
            return points(value)
        case date():
            return value.isoformat()
        case _:
            return str(value)
