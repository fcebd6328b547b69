"""Points as people write them: `5`, `５分`, `五`, `4．5`, `无`; what is not one number is never guessed at."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

_LONGEST = 60
_ZERO = re.compile(r"(?:[-—–―ー/\\]+|[无無]|零|〇|没有)分?[。.,，、;；]*")
_MINUS = str.maketrans("－−‐‑‒–﹣", "-------")
_DECORATION = re.compile(
    r"^(?:自评得?分|自评|得分|得|计|共)?[:：]?(?=[+\-0-9.零〇一二两三四五六七八九十百负壹])|[。.,，、;；]+$"
)
_REMARK = re.compile(r"\([^()0-9]*\)$")
_BLANK = re.compile("[\\s_＿\u200b\u200c\ufeff]+")
_DIGITS = re.compile(r"[+-]?(?:[0-9]{1,9}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})")
_SIGNIFICANT, _MOST_DECIMALS = 10, 9
"""Digits, and decimals, of a number that a person wrote; further ones come from a calculation (4.333333333 for 13/3)."""
_BROKEN = re.compile(r"[0-9]\s+[0-9]")
_ALL_RAISED = re.compile(r"\s*[⁰¹²³⁴-⁹.]+\s*")
"""A number set in superscript; raised digits behind others are a note's or a power's."""
_HALF = re.compile(r"(?P<whole>[^半]*?)个?半")
_SUM = re.compile(r"=\s*(?:SUM\s*\((?P<listed>[^()]*)\)|(?P<added>[^()]+))", re.IGNORECASE)
_REFERENCE = re.compile(r"(?:[^!]+!)?\$?(?P<column>[A-Z]{1,3})\$?(?P<row>[0-9]{1,7})", re.IGNORECASE)


class Problem(StrEnum):
    """Why there is no number."""

    EMPTY = "empty"
    NOT_A_NUMBER = "not_a_number"


def parse_points(text: str) -> Decimal | Problem:
    """The one number that a text means. Zero may be `无`, `/` or a dash; a range, a sum or a word is none."""
    return Problem.NOT_A_NUMBER if len(text.strip()) > _LONGEST else _points(text)


@lru_cache(maxsize=1024)
def _points(text: str) -> Decimal | Problem:
    if not (text.isascii() or _ALL_RAISED.fullmatch(text)) and any(
        unicodedata.category(character) == "No" for character in text
    ):
        return Problem.NOT_A_NUMBER
    folded = unicodedata.normalize("NFKC", text).translate(_MINUS)
    if _BROKEN.search(folded):
        return Problem.NOT_A_NUMBER
    bare = _BLANK.sub("", folded)
    if bare in ("", "分", "()", "()分"):
        return Problem.EMPTY
    if _ZERO.fullmatch(bare):
        return Decimal(0)
    return _number(_without_unit(bare))


def _without_unit(bare: str) -> str:
    bare = _DECORATION.sub("", _REMARK.sub("", bare))
    bare = re.sub(r"(?<=[0-9])。(?=[0-9])", ".", bare)
    return re.sub(r"分整?$", "", bare)


def _number(bare: str) -> Decimal | Problem:
    if _DIGITS.fullmatch(bare):
        number = Decimal(bare)
        machines = len(bare.partition(".")[2]) > _MOST_DECIMALS
        return Decimal(f"{number:.{_SIGNIFICANT}g}") if machines else number
    half = _HALF.fullmatch(bare.replace("分", ""))
    if half:
        whole = _number(half["whole"]) if half["whole"] else Decimal(0)
        return whole if isinstance(whole, Problem) else whole + Decimal("0.5")
    return _numeral(bare)


def _numeral(bare: str) -> Decimal | Problem:
    if not bare or len(bare) > 12 or any(character.isascii() for character in bare):
        return Problem.NOT_A_NUMBER
    import cn2an

    try:
        return Decimal(str(cn2an.cn2an(bare.replace("两", "二").replace("〇", "零"), "strict")))
    except (ValueError, KeyError, IndexError):
        return Problem.NOT_A_NUMBER


def compute(formula: str) -> Decimal | None:
    """The value of a formula that only adds numbers up, as `=SUM(3,4)` and `=3+1.5` do; None for any other."""
    match = _SUM.fullmatch(formula.strip())
    if match is None:
        return None
    parts = match["listed"].split(",") if match["listed"] is not None else re.split(r"\+", match["added"])
    numbers = [part.strip() for part in parts]
    if not all(_DIGITS.fullmatch(number) for number in numbers):
        return None
    return sum(map(Decimal, numbers), Decimal())


def adds_cells(formula: str, places: Iterable[str]) -> bool:
    """Whether a formula does nothing but add cells up, all of the given ones among them: `=SUM(F3:F27)`, `=F3+F4+F5`."""
    match = _SUM.fullmatch(formula.strip())
    if match is None:
        return False
    listed = match["listed"]
    parts = match["added"].split("+") if listed is None else re.split(r"[,;]", listed)
    if listed is None and len(parts) < 2:
        return False
    added = [_rows(part) for part in parts]
    return None not in added and all(any(_lies_in(place, rows) for rows in added) for place in places)


def _rows(reference: str) -> tuple[str, range] | None:
    """The column of a cell, or of cells beneath one another, and their rows."""
    ends = [_REFERENCE.fullmatch(end.strip()) for end in reference.split(":")]
    first, last = ends[0], ends[-1]
    if len(ends) > 2 or first is None or last is None or first["column"].upper() != last["column"].upper():
        return None
    return first["column"].upper(), range(int(first["row"]), int(last["row"]) + 1)


def _lies_in(place: str, rows: tuple[str, range] | None) -> bool:
    cell = _rows(place)
    return cell is not None and rows is not None and cell[0] == rows[0] and cell[1].start in rows[1]


def plain(number: Decimal) -> str:
    """A number as a person writes it: no exponent, no trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
