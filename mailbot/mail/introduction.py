"""Whom a mail's own words say that it is from: what they state, what they hand in, how they are signed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from mailbot.registry import clean, organization_names

_MOST_TEXT, _MOST_SAID = 20_000, 12
_SIGNATURE_LINES, _LONGEST_SIGNED = 6, 60
_STATED = re.compile(
    r"(?:^|(?<=[\s,.。;:!、(]))(?:报送|填报|上报|申报|所在|发件|我们?|本)?单位的?(?:名称|全称)*(?:\([^)]{1,6}\))?"
    r"\s{0,9}(?::|(?:为|是|系|叫):?)\s{0,9}"
    r"(?P<who>[^\s,。;:!?的]{1,40}?(?:学会|协会|研究会|促进会|联合会|科协|公司|集团)(?:秘书处|办公室)?(?=[\s,。;:!?()、]|$).{0,60})"
)
"""报送单位：X, 我单位全称为X."""
_PAPERS = r"(?:的|关于)?(?:20\d\d|二〇|本?年度|工作总结|总结|工作计划|计划|自评|材料|电子[版稿])"
_HANDED_IN = re.compile(
    r"(?:报送|上报|提交|报上|呈报|递交|发送|发来|奉上|附上|附件[为是]|现将|兹将|现把|这是|我[会们]?是)"
    rf"(?P<who>[^,。;:!?]{{2,60}}?)(?={_PAPERS})(?!.{{0,12}}(?:模板|模版|样本|样式|格式|参考|范文|示例))"
)
"""现报送X2020年工作总结."""
_AFTER_SIGNATURE = re.compile(
    r"(?:秘书处|办公室|[一-鿿]{1,4}部)?(?!.{0,6}(?:理事|监事|会员|委员|顾问|会长|秘书长|主席|主任|教授|代表))[一-鿿]{0,4}[\d年月日./()+-]*"
)
"""What may follow the name in a signature: its office, a person, a date or a number; not the title of one whom a society
has beside his own work."""


def introductions(words: str) -> tuple[tuple[str, str], ...]:
    """Where a body says who writes, as (kind, text), the surest kind first.

    `words` are its sender's own, signature included.
    """
    lines = _lines(words)
    said = (
        *(("stated", match["who"]) for line in lines for match in _STATED.finditer(line)),
        *(("handed_in", who) for line in lines for who in _handed_in("".join(line.split()))),
        *(("signature", line) for line in lines[-_SIGNATURE_LINES:] if _is_signature(line)),
    )
    return said[:_MOST_SAID]


def _lines(words: str) -> list[str]:
    folded = unicodedata.normalize("NFKC", words[:_MOST_TEXT])
    return [line.strip() for line in folded.splitlines() if line.strip()]


def _handed_in(line: str) -> Iterator[str]:
    for match in _HANDED_IN.finditer(line):
        if _rest(match["who"]) is not None:
            yield match["who"]


def _is_signature(line: str) -> bool:
    rest = _rest(line) if len(line) <= _LONGEST_SIGNED else None
    return rest is not None and _AFTER_SIGNATURE.fullmatch(rest) is not None


def _rest(text: str) -> str | None:
    """What follows the organization's name with which a text begins; None where it does not."""
    bare = clean(text).lstrip("-—=*")
    name = next(iter(organization_names(bare)), None)
    return bare.removeprefix(name) if name and bare.startswith(name) else None
