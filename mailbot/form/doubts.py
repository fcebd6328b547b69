"""What a document may be that no known title tells, or not for sure: only a person can say, where that paper lacks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mailbot.form.match import folded
from mailbot.form.prose import TITLE_LINES, different, stem, substance
from mailbot.form.titles import IN_A_LETTER, Named, is_ahead, says_all_year
from mailbot.form.words import (
    BRANCH,
    CALLED_SUMMARY,
    DATES,
    DEEDS,
    GENERAL,
    INTENTIONS,
    MONTHS,
    OF_THE_YEAR,
    OTHER_PAPER,
    PART,
    SELF,
    SPECIAL,
)
from mailbot.model import PAPERS, Role

MUCH = 120
"""From so many characters on a text tells something of itself."""
_A_YEAR = 4
"""So many months or quarters are a year's."""
_LONGEST_CALENDAR = 20_000
_TITLE, _NAMED_PARTS = 2, 4
"""Lines of a title: what entitles, and with what stands beneath it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Untold:
    """A document whose title names no paper that is collected."""

    text: str
    lines: Sequence[str]
    title: Sequence[str]
    filename: str
    year: int

    def may_be(self) -> tuple[Role, ...]:
        """What it may be by what it reports, the year of its title or its name, or the months that it goes through."""
        if _reports(self.lines):
            return PAPERS
        heads = (*self.title[:_TITLE], stem(self.filename))
        if any(map(_is_other_paper, heads)):
            return ()
        found = set(self._of_the_months())
        if any(is_ahead(head, self.year) for head in heads):
            found.add(Role.PLAN)
        if any(_is_on_the_year(head, self.year) for head in heads):
            found.add(Role.SUMMARY)
        return tuple(role for role in PAPERS if role in found)

    def may_be_beside_one_matter(self) -> tuple[Role, ...]:
        """The same where its title names one matter: it may be on more than that, or the only plan that there is."""
        title = self.title[:_NAMED_PARTS]
        if _is_general(title) and (_reports(self.lines) or self._of_the_months()):
            return PAPERS
        ahead = any(SPECIAL.search(line) and is_ahead(line, self.year) for line in title)
        return (Role.PLAN,) if ahead else ()

    def _of_the_months(self) -> tuple[Role, ...]:
        """A calendar of what was done or is to come tells of a year by its months."""
        said = folded(self.text[:_LONGEST_CALENDAR])
        if different(MONTHS, said) < _A_YEAR:
            return ()
        years = {int(each) for each in DATES.findall(said)}
        past, ahead = self.year in years or not years, years <= {self.year + 1}
        return tuple(role for role, may in zip(PAPERS, (past, ahead), strict=True) if may)


def also_dated(named: Named, title: Sequence[str], year: int) -> tuple[Role, ...]:
    """What a title may name in words that are not known, by a year that it says beside: 2020年工作总结及2021年行事历."""
    others = ((Role.SUMMARY, year, named.plan_years), (Role.PLAN, year + 1, named.summary_years))
    return tuple(
        role
        for role, wanted, years in others
        if wanted not in (years or ()) and any(says_all_year(line, wanted) for line in title[:_TITLE])
    )


def is_of_a_part(lines: Sequence[str]) -> bool:
    """Whether a part of the society stands as its author beneath the title, or signs."""
    beneath = any(PART.fullmatch(line) for line in lines[1:_NAMED_PARTS])
    return beneath or any(PART.fullmatch(line) and SELF.search(line) for line in lines[-2:])


def _reports(lines: Sequence[str]) -> bool:
    """Whether a text of no known title tells at length of an organization's deeds or intentions."""
    if any(OTHER_PAPER.search(line) for line in lines[:TITLE_LINES]):
        return False
    text = substance(lines)
    if len(text) < MUCH or not SELF.search(text):
        return False
    return max(different(DEEDS, text), different(INTENTIONS, text)) >= IN_A_LETTER.words


def _is_general(title: Iterable[str]) -> bool:
    """Whether a report on one matter is on more than that (党建和业务工作总结), or one of a part that may be the whole's."""
    return any((SPECIAL.search(line) and GENERAL.search(line)) or BRANCH.search(line) for line in title)


def _is_on_the_year(head: str, year: int) -> bool:
    """Whether a title that is not known may be the summary's."""
    if CALLED_SUMMARY.search(head):
        return not SPECIAL.search(head)
    return says_all_year(head, year) and OF_THE_YEAR.search(head) is not None


def _is_other_paper(line: str) -> bool:
    """Whether it is the title of another paper; one that only schemes may be a plan's (2021年工作方案)."""
    return OTHER_PAPER.search(line) is not None and not line.endswith("方案")
