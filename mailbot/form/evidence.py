"""Whether the evidence of an item bears out what its criterion counts: sessions, a percentage, a grade.

Only a hint for staff, and a generous one: it speaks up where the text clearly names less, or no number at all.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from decimal import Decimal

from mailbot.form.points import Problem, parse_points
from mailbot.rubric import Item, Threshold, ThresholdKind

_NUMERAL = r"[0-9]+(?:\.[0-9]+)?|[零一二两三四五六七八九十百]+"
_COUNTERS = "期次场班届讲批个项篇条则件稿份本辑轮节门回季"
_COUNT = re.compile(
    rf"(?P<ordinal>第)?(?P<number>{_NUMERAL})(?P<more>余|多)?[个]?(?P<unit>[{_COUNTERS}])(?!性|人|月|会员|A)"
)
_SAME_KIND = {
    "期": "期次场班届讲批个项辑份本轮节门季",
    "次": "次篇条则件稿个期",
    "项": "项次场个期届轮",
    "篇": "篇条则件稿个次",
}
_MANY = re.compile(
    r"多[期次场批篇条项]|若干|数[期次场篇十]|每[月季周日旬]|逐月|定期|系列|数百|上百|几十|十余"
)
_MARKER = re.compile(
    r"(?:^|[\n。；;:：\s])[(（]?(?:[0-9]{1,2}|[一二三四五六七八九十]{1,2})[)）.、．](?![0-9])|[①-⑳]|《"
)
_DATE = re.compile(
    r"[12][09][0-9]{2}\s*年(?:度)?|[0-9]{1,2}\s*月(?:\s*[0-9]{1,2}\s*日)?|[12][09][0-9]{2}[-./][0-9]{1,2}(?:[-./][0-9]{1,2})?"
)
_REFERENCE = re.compile(r"附[件表]?\s*[0-9一二三四五六七八九十]+(?:[-—][0-9]+)*|第?[0-9]+页|[0-9]+号文?")
_ANY_NUMBER = re.compile(r"[0-9]|[一二两三四五六七八九十百]+[期次场班届讲批个项篇条则件人名家]")
_PERCENT = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*%|百分之([零一二两三四五六七八九十百点]+)")
_GRADE = re.compile(r"([0-9一二三四五])\s*个?A(?![A-Za-z])", re.IGNORECASE)
_GRADE_LETTERS = re.compile(r"(?<![A-Za-z0-9])A{2,5}(?![A-Za-z])", re.IGNORECASE)
_CLAUSE = re.compile(r"[。;；,，\n]+")
_WRAPPED = re.compile(
    r"(?<![。;；:：,，])\n(?![^\S\n]*[(（]?(?:[0-9]{1,2}|[一二三四五六七八九十]{1,2})[)）.、．])"
)
"""An end of a line that may be the cell's border, and no new line or point of a list."""
_LONGEST = 5_000


def unsupported(item: Item, evidence: str) -> tuple[Threshold, ...]:
    """The thresholds of an item that its evidence does not bear out."""
    text = unicodedata.normalize("NFKC", evidence[:_LONGEST])
    readings = dict.fromkeys((text, _WRAPPED.sub("", text)))
    return tuple(
        t for t in item.thresholds if not any(_borne_out(t, each, item.thresholds) for each in readings)
    )


def _borne_out(threshold: Threshold, text: str, all_: Sequence[Threshold]) -> bool:
    match threshold.kind:
        case ThresholdKind.COUNT:
            others = [word for other in all_ if other is not threshold for word in other.words]
            return _count_reached(threshold, text, others)
        case ThresholdKind.PERCENT:
            return _percent_reached(threshold, text)
        case ThresholdKind.LEVEL:
            return _grade_reached(threshold, text)


def _count_reached(threshold: Threshold, text: str, others: Sequence[str]) -> bool:
    """Whether enough is counted; where an item counts several things, each by the clauses that speak of it."""
    units = _SAME_KIND.get(threshold.unit, threshold.unit)
    if not others:
        return _enough(threshold, text, units)
    clauses = _CLAUSE.split(text)
    about = "\n".join(c for c in clauses if any(word in c for word in threshold.words))
    neutral = "\n".join(c for c in clauses if not any(word in c for word in others))
    if not about:
        return max(_counts(_undated(text), threshold.unit), default=Decimal()) >= threshold.minimum
    return _enough(threshold, about if _counts(_undated(about), units) else f"{about}\n{neutral}", units)


def _enough(threshold: Threshold, text: str, units: str) -> bool:
    """Whether a text names enough, or many, or as many points of a list, or a number of something else."""
    scope = _undated(text)
    counts = _counts(scope, units)
    if _MANY.search(scope) or sum(counts, Decimal()) >= threshold.minimum:
        return True
    if len(_MARKER.findall(scope)) >= threshold.minimum:
        return True
    return not counts and bool(_ANY_NUMBER.search(scope))


def _undated(text: str) -> str:
    return _REFERENCE.sub("", _DATE.sub("", text))


def _counts(text: str, units: str) -> list[Decimal]:
    """How many of something the text names; an ordinal (第二期) as that many, once."""
    plain: list[Decimal] = []
    ordinals: list[Decimal] = []
    for match in _COUNT.finditer(text):
        number = parse_points(match["number"])
        if match["unit"] in units and not isinstance(number, Problem):
            (ordinals if match["ordinal"] else plain).append(number + (1 if match["more"] else 0))
    return [*plain, *_highest(ordinals)]


def _highest(numbers: Sequence[Decimal]) -> Iterable[Decimal]:
    return [max([*numbers, Decimal(len(set(numbers)))])] if numbers else []


def _percent_reached(threshold: Threshold, text: str) -> bool:
    found = [parse_points(a or b) for a, b in _PERCENT.findall(text)]
    numbers = [number for number in found if not isinstance(number, Problem)]
    if numbers:
        return max(numbers) >= threshold.minimum
    return bool(_ANY_NUMBER.search(_undated(text)))


def _grade_reached(threshold: Threshold, text: str) -> bool:
    digits = (parse_points(number) for number in _GRADE.findall(text))
    grades = [number for number in digits if not isinstance(number, Problem)]
    grades += [Decimal(len(letters)) for letters in _GRADE_LETTERS.findall(text)]
    return max(grades, default=Decimal()) >= threshold.minimum
