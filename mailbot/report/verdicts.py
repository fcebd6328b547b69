"""The sheet 待核对 of the 汇总表: what waits for a person and, when it comes back, what staff decided beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

from mailbot.config import Config
from mailbot.model import Code, RulingKind
from mailbot.records import MessageRecord, Wish
from mailbot.report.digest_cases import reasons, to_do
from mailbot.report.figures import one_line, plain_text, wall_clock
from mailbot.report.labels import ROLES, RULINGS, short
from mailbot.report.sheets import Colouring, Column, Sheet
from mailbot.rubric import Rubric

if TYPE_CHECKING:
    from openpyxl import Workbook

SHEET = "待核对"
_NUMBER, _RECEIVED = "来件编号", "接收时间"
_VERDICT, _WHOSE, _REQUEST, _BY, _WHY = "处理", RULINGS[RulingKind.ASSIGN], "补正内容", "经办人", "理由"
_FILLED_IN = (_VERDICT, _WHOSE, _REQUEST, _BY, _WHY)
_KINDS = {text: kind for kind, text in RULINGS.items() if kind is not RulingKind.ASSIGN}
_PAPER_WHITE = "FFF9E5"
_LONGEST_TEXT = 300
_HOW = (
    f"“{_VERDICT}”可选：{'、'.join(_KINDS)}；请其补正的，在“{_REQUEST}”写明一句话。",
    f"只是归属不明的，填“{_WHOSE}”即可。“{_BY}”“{_WHY}”必填。",
    "填好后交系统管理员导入；未填的行不作改动。",
)
_NOT_PAPERS = f"不是的，填“{RULINGS[RulingKind.NO_SUBMISSION]}”。"
_TOO_EARLY = f"请看是否漏收：系报送材料的，按现状接收或请其补正；{_NOT_PAPERS}"
_UNDER_A_ROBOTS_SIGN = (
    f"请看是否漏收：系报送材料的，按现状接收（带自动邮件标记，系统不会回信，请另行告知该单位）；{_NOT_PAPERS}"
)
_COLUMNS = (
    Column(title=_NUMBER, width=9, centre=True),
    Column(title=_RECEIVED, width=19, centre=True),
    Column(title="发件人", width=22, wrap=True),
    Column(title="主题", width=26, wrap=True),
    Column(title="单位名称", width=22, wrap=True),
    Column(title="文件", width=30, wrap=True),
    Column(title="待核对事项", width=40, wrap=True),
    Column(title=_VERDICT, width=12, centre=True),
    Column(title=_WHOSE, width=22, wrap=True),
    Column(title=_REQUEST, width=34, wrap=True),
    Column(title=_BY, width=10, centre=True),
    Column(title=_WHY, width=26, wrap=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What staff decided on one mail."""

    place: str
    """`待核对!4`, its row."""
    message: int
    received_at: datetime
    """As the row says, in the campaign's time zone."""
    wish: Wish
    by: str
    why: str
    words: str
    """The row's own words."""


def new_sheet(book: Workbook, heading: str) -> Sheet:
    """The sheet without its rows."""
    first = next(n for n, column in enumerate(_COLUMNS, 1) if column.title == _VERDICT)
    return Sheet(
        book=book,
        title=SHEET,
        heading=heading,
        frozen_columns=1,
        pages_wide=2,
        columns=_COLUMNS,
        colourings=[Colouring(first=first, last=len(_COLUMNS), formula="1", fill=_PAPER_WHITE)],
        choices={first: tuple(_KINDS)},
    )


def finish(sheet: Sheet) -> None:
    """Close the sheet with how it is filled in."""
    sheet.finish()
    sheet.remark(*_HOW)


def row(message: MessageRecord, rubric: Rubric, config: Config) -> tuple[object, ...]:
    """A mail that waits, or that was passed over and may hold papers; what staff decide is left empty."""
    return (
        message.id,
        wall_clock(message.received_at, config.campaign.timezone),
        message.sender,
        message.subject,
        message.organization,
        "\n".join(f"{d.filename}（{ROLES[d.role]}）" for d in message.documents),
        "\n".join(_matters(message, rubric)),
        *(None for _ in _FILLED_IN),
    )


def _matters(message: MessageRecord, rubric: Rubric) -> Iterator[str]:
    if message.was_passed_over:
        yield f"未接收：{'、'.join(map(short, message.findings))}"
        is_automatic = any(f.code is Code.MESSAGE_AUTOMATIC for f in message.findings)
        yield f"→ {_UNDER_A_ROBOTS_SIGN if is_automatic else _TOO_EARLY}"
        return
    yield from reasons(message, rubric)
    yield from (f"→ {each}" for each in to_do(message))
    if any(f.code is Code.MESSAGE_INQUIRY for f in message.findings):
        yield f"来信：{one_line(message.text, _LONGEST_TEXT)}"


def read(formulas: Workbook, values: Workbook, zone: tzinfo, faults: list[str]) -> tuple[Verdict, ...]:
    """The rows in which staff decided something; what cannot be taken is added to `faults`, cell and reason."""
    if SHEET not in values.sheetnames:
        return ()
    sheet = values[SHEET]
    at = {str(cell.value).strip(): int(cell.column) for cell in sheet[1] if cell.value is not None}
    missing = [column.title for column in _COLUMNS if column.title not in at]
    if missing:
        faults += [f"{SHEET}!1: the column {title} is missing" for title in missing]
        return ()
    verdicts: dict[int, Verdict] = {}
    for number in rows_below_heads(sheet):
        cells = {title: sheet.cell(number, at[title]) for title in (_NUMBER, _RECEIVED, *_FILLED_IN)}
        try:
            for cell, reason in uncalculated(cells, formulas[SHEET]):
                raise _bad(cell, reason)
            verdict = _verdict(cells, f"{SHEET}!{number}", zone)
        except _BadRowError as error:
            faults.append(str(error))
            continue
        if verdict is not None and verdict.message in verdicts:
            twice = verdicts[verdict.message].place
            faults.append(f"{verdict.place}: mail {verdict.message} is decided in {twice} already")
        elif verdict is not None:
            verdicts[verdict.message] = verdict
    return tuple(verdicts.values())


def rows_below_heads(sheet: Any) -> tuple[int, ...]:
    """The rows that hold a cell: one that some program left in the last of a million costs no look at all between."""
    return tuple(sorted({row for row, _ in sheet._cells if row > 1}))


def uncalculated(cells: Mapping[str, Any], formulas: Any) -> Iterator[tuple[Any, str]]:
    """The cells, by their columns' titles, whose formula has no value, and that in words; `formulas` is the sheet with these."""
    for title, cell in cells.items():
        formula = formulas[cell.coordinate].value
        if cell.value is None and isinstance(formula, str) and formula.startswith("="):
            yield cell, f"{title}: the formula {formula!r} without its value; open and save it once more"


class _BadRowError(Exception):
    """A row that cannot be taken; the text says where and why."""


def _verdict(cells: Mapping[str, Any], place: str, zone: tzinfo) -> Verdict | None:
    said = {title: _text(cells[title].value) for title in _FILLED_IN}
    if not any(said.values()):
        return None
    number, received = _number(cells[_NUMBER]), _moment(cells[_RECEIVED])
    kind = _KINDS.get(said[_VERDICT])
    if said[_VERDICT] and kind is None:
        raise _bad(cells[_VERDICT], f"{said[_VERDICT]!r} is none of {', '.join(_KINDS)}")
    if bool(said[_REQUEST]) != (kind is RulingKind.CORRECT):
        wanted = RULINGS[RulingKind.CORRECT]
        raise _bad(cells[_REQUEST], f"{_REQUEST} and {_VERDICT} {wanted} want each other")
    if kind is None and not said[_WHOSE]:
        raise _bad(cells[_VERDICT], f"{_VERDICT} and {_WHOSE} are both empty: nothing is decided")
    for title in (_BY, _WHY):
        if not said[title]:
            raise _bad(cells[title], f"{title} is empty: a decision is kept with who decided and why")
    return Verdict(
        place=place,
        message=number,
        received_at=received.replace(tzinfo=zone),
        wish=Wish(
            organization=said[_WHOSE] or None,
            accept=kind is RulingKind.ACCEPT,
            correct=said[_REQUEST] or None,
            no_submission=kind is RulingKind.NO_SUBMISSION,
        ),
        by=said[_BY],
        why=said[_WHY],
        words="; ".join(f"{title}: {text}" for title, text in said.items() if text),
    )


def _number(cell: Any) -> int:
    """A mail's number; programs that take every cell for a text keep it as one."""
    text = str(cell.value).strip()
    if isinstance(cell.value, bool) or not (text.isascii() and text.isdecimal()):
        raise _bad(cell, f"{cell.value!r} is no number of a mail")
    return int(text)


def _moment(cell: Any) -> datetime:
    """When it was received, in the campaign's time zone; as a text too."""
    if isinstance(cell.value, datetime):
        return cell.value
    try:
        return datetime.fromisoformat(str(cell.value).strip())
    except ValueError:
        raise _bad(cell, f"{cell.value!r} is no time; wanted as it was exported") from None


def _text(value: object) -> str:
    return "" if value is None else " ".join(plain_text(str(value)).split())


def _bad(cell: Any, reason: str) -> _BadRowError:
    return _BadRowError(f"{SHEET}!{cell.coordinate}: {reason}")
