"""Which item of the rubric a row speaks of, by the words of its criterion."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from rapidfuzz import fuzz, process

from mailbot.rubric import Item, Rubric

SAME = 85.0
"""From this resemblance on (0..100) a criterion counts as unchanged."""
_LIKELY, _MARGIN = 70.0, 12.0
_PART_LIKELY, _SHORTEST_PART = 88.0, 6
_LONGEST, _LONGEST_DOCUMENT = 1500, 60_000
_FULL_WIDTH = tuple((chr(ord(sign) + 0xFEE0), sign) for sign in ",:;()!?")
"""What most Chinese text has that NFKC changes; none of these combines with what follows it."""
_PLAIN = "\x00-\x7f\u2014\u2018\u2019\u201c\u201d\u3001\u3002\u3008-\u3011\u3014\u3015\u4e00-\u9fff"
"""ASCII, the usual ideographs and signs among them: NFKC leaves them as they are."""
_OTHER = re.compile(f"[^{_PLAIN}]")
_FOLDED = re.compile(f"[\\s\\S]?[^{_PLAIN}]+")
_SIGN = re.compile(r"[^\w%]|_")
_NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+)?")


@lru_cache(maxsize=16)
def folded(text: str) -> str:
    """NFKC. Remembered: a document's text is looked at from many sides, and folding it is what costs.

    Only what is not plain, with the sign before it, is looked up.
    """
    for sign, plain in _FULL_WIDTH:
        text = text.replace(sign, plain)
    if _OTHER.search(text) is None:
        return text
    return _FOLDED.sub(lambda found: unicodedata.normalize("NFKC", found.group()), text)


@lru_cache(maxsize=1024)
def normalized(text: str) -> str:
    """What tells texts apart: folded (NFKC), lower case, without blanks and punctuation."""
    return _SIGN.sub("", unicodedata.normalize("NFKC", text[: 2 * _LONGEST]).lower())[:_LONGEST]


@lru_cache(maxsize=16)
def normalized_whole(text: str) -> str:
    """The same for a whole document."""
    return _SIGN.sub("", folded(text[:_LONGEST_DOCUMENT]).lower())


class Matcher:
    """Finds items by their criteria. `text` is always normalized. What it remembers depends on text and rubric alone."""

    def __init__(self, rubric: Rubric) -> None:
        self.rubric = rubric
        self._criteria = {item.no: normalized(item.criterion) for item in rubric.items}
        self._known = lru_cache(maxsize=512)(self._whole)

    def criterion(self, item: Item) -> str:
        """The item's own criterion, normalized."""
        return self._criteria[item.no]

    def whole(self, text: str) -> Item | None:
        """The item whose criterion this is, changed a little perhaps, and clearly no other's."""
        return self._known(text) if len(text) >= 4 else None

    def _whole(self, text: str) -> Item | None:
        best = process.extract(text, self._criteria, scorer=fuzz.ratio, limit=2)
        if best[0][1] >= _LIKELY and (len(best) < 2 or best[0][1] - best[1][1] >= _MARGIN):
            return self.rubric.by_no[best[0][2]]
        return self._with_additions(text)

    def _with_additions(self, text: str) -> Item | None:
        held = [no for no, criterion in self._criteria.items() if len(criterion) > 8 and criterion in text]
        return self.rubric.by_no[held[0]] if len(held) == 1 else None

    def part(self, text: str) -> Item | None:
        """The one item of whose criterion this is a piece."""
        if len(text) < _SHORTEST_PART:
            return None
        longer = {no: c for no, c in self._criteria.items() if len(c) >= len(text)}
        best = process.extract(text, longer, scorer=fuzz.partial_ratio, limit=2)
        if not best or best[0][1] < _PART_LIKELY:
            return None
        clear = len(best) < 2 or best[0][1] - best[1][1] >= _MARGIN
        return self.rubric.by_no[best[0][2]] if clear else None

    def is_piece(self, item: Item, text: str) -> bool:
        """Whether of the item's criterion this is the beginning, the end or a middle, however short."""
        return text != "" and text != self._criteria[item.no] and text in self._criteria[item.no]

    def resemblance(self, item: Item, text: str) -> float:
        """0..100: how much a text is the item's criterion; one that contains it whole is it."""
        criterion = self._criteria[item.no]
        if len(text) > len(criterion) and len(criterion) > 8:
            return max(fuzz.ratio(criterion, text), fuzz.partial_ratio(criterion, text))
        return fuzz.ratio(criterion, text)

    def stands_in(self, item: Item, text: str) -> bool:
        """Whether the criterion can be read somewhere in a longer text."""
        criterion = self._criteria[item.no]
        return len(text) >= len(criterion) and fuzz.partial_ratio(criterion, text) >= 90

    def other_numbers(self, item: Item, text: str) -> bool:
        """Whether the words are the criterion's and only a number in them is another (2期 made 1期)."""
        criterion = self._criteria[item.no]
        own, found = _NUMBERS.findall(criterion), _NUMBERS.findall(text)
        same_words = _NUMBERS.sub("", criterion) == _NUMBERS.sub("", text)
        return same_words and len(own) == len(found) and own != found


@lru_cache(maxsize=4)
def matcher_of(rubric: Rubric) -> Matcher:
    """The matcher for a rubric; the same one for every mail."""
    return Matcher(rubric)
