"""An organization's findings in as few words as a cell or a line of the digest can hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mailbot.model import Code, Finding, Version
from mailbot.report.labels import CODES
from mailbot.report.wording import LACKING, detail, listed, numbers, plain
from mailbot.rubric import Rubric


def problems(findings: Iterable[Finding], rubric: Rubric) -> tuple[str, ...]:
    """One phrase for each kind of finding; what lacks shares one, and so do several items of one kind
    (`未填自评依据（第4、8项）`)."""
    kinds: dict[Code, list[Finding]] = {}
    for each in dict.fromkeys(findings):
        kinds.setdefault(each.code, []).append(each)
    lacks = [name for code, name in LACKING.items() if kinds.pop(code, None)]
    others = (phrase for code, group in kinds.items() for phrase in _phrases(code, group, rubric))
    return (*([f"缺可读取的{listed(lacks)}"] if lacks else []), *others)


def _phrases(code: Code, group: list[Finding], rubric: Rubric) -> Iterator[str]:
    items = [each.item for each in group if each.item is not None]
    if len(items) > 1:
        yield f"{CODES[code]}（{numbers(items)}）"
    for each in group:
        if each.item is None or len(items) == 1:
            yield detail(each, rubric).rstrip("。")


def requested(version: Version | None) -> tuple[str, ...]:
    """What a person of the office has asked for and has not got yet."""
    return tuple(f"人工要求补正：{plain(each.sentence)}" for each in (version.requests if version else ()))
