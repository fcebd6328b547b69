"""The words by which rows are known that are no items: totals, sums of categories, bonuses, examples."""

from __future__ import annotations

import re
from functools import lru_cache

from mailbot.form.match import normalized

_TOTAL = re.compile(
    r"(?:自评|学会|本会|单位)*(?:得分|分数?)?(?:总计|合计|总分|共计|总得分|合计得分|总评)(?:得分|分值|分数|分)?"
    r"(?P<number>[0-9.]*)分?"
)
_BESIDE_TOTAL = re.compile(
    r"[(（]?满分[:：]?[0-9.]*分?[)）]?|(?<=\S)[(（](?:由|学会|单位|本会|自评|填写?|得|总|分数?)+[)）]"
)
"""What is said beside the total's word: how much it can be, whose it is."""
_BONUS = re.compile(r".{0,6}(?:附加|加分|奖励).{0,6}")
_SUBTOTAL = re.compile(r".{0,14}(?:小计|(?:分项|单项|部分|类别?)(?:自评)?(?:合计|得分|总分)).{0,8}")
_OF_CATEGORY = re.compile(r"^[0-9一二三四五六七八九十第类]*|(?:[0-9.]分?|小计|合计|得分|自评分?)*$")
"""What stands before and behind a category's name in a row of its own: its number, its points."""
_LONGEST_NAME = 100
_EXAMPLE = re.compile(r"(?:填写|填报|填表)?(?:例|示例|样例|范例|举例|例如|例子)[0-9一二三]?")


@lru_cache(maxsize=512)
def number_of_total(text: str) -> str | None:
    """What stands behind the word in the total's cell, '' where nothing does; None for any other text."""
    match = _TOTAL.fullmatch(_bare(_BESIDE_TOTAL.sub("", text))) if len(text) < 40 else None
    return match["number"] if match else None


def is_subtotal(text: str) -> bool:
    """Whether a text says of its row that it adds some up."""
    return _SUBTOTAL.fullmatch(_bare(text)) is not None


def is_bonus(text: str) -> bool:
    """Whether a text names points beside those of the items."""
    return _BONUS.fullmatch(_bare(text)) is not None


def is_example(text: str) -> bool:
    """Whether a text says of its row that it only shows how to fill in the others."""
    return _EXAMPLE.fullmatch(_bare(text)) is not None


def name_of_category(text: str) -> str:
    """A category's name without its number and points, normalized; '' for a text that is too long to be one."""
    return _OF_CATEGORY.sub("", normalized(text)) if len(text) <= _LONGEST_NAME else ""


def _bare(text: str) -> str:
    return re.sub(r"[\s:：()（）]", "", text)
