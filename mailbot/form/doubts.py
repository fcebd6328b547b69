"""What a document may be that no known title tells, or not for sure: only a person can say, where that paper lacks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from mailbot.form.match import folded
from mailbot.form.prose import TITLE_LINES, different, lines_of, stem, substance
from mailbot.form.titles import IN_A_LETTER, Named, is_ahead, says_all_year
from mailbot.form.words import (
    ACTIVITIES,
    AHEAD,
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
    PLAN,
    SELF,
    SPECIAL,
    TRANSMITTAL,
    WITHIN,
)
from mailbot.model import PAPERS, Role, doubt
from mailbot.reading import DocumentReading, MailHead

MUCH = 120
"""Characters: a text of fewer says too little of itself to tell a report or plan by its words."""
_SEVERAL = 3
"""So many different activities (`ACTIVITIES`) in a mail's own words may be a plan."""
_A_YEAR = 4
"""A text that names so many different months or quarters goes through a year."""
_LONGEST_CALENDAR = 20_000
"""Characters in which months are looked for."""
_TITLE = 2
"""Lines at the beginning that may be the title itself."""
_NAMED_PARTS = 4
"""Lines at the beginning that may be the title and what stands beneath it, as the author."""
_END = 2
"""Lines at the end that are the signature and its date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Untold:
    """A document whose title does not tell, or not fully, which of the collected papers (summary, plan) it is.

    The methods say which of them it may be. That is a doubt, which a person resolves if that paper lacks.
    """

    text: str
    lines: Sequence[str]
    title: Sequence[str]
    filename: str
    called: Named
    """What its file name names."""
    year: int
    sheets: Sequence[str] = ()
    """Names of sheets that are shown."""

    def may_be(self) -> tuple[Role, ...]:
        """What a document without a known title may be: both papers where it tells at length of the organization's work,
        else what its title, its names or its months suggest."""
        return PAPERS if _reports(self.lines) else self.may_be_as_dated()

    def may_be_as_dated(self) -> tuple[Role, ...]:
        """What it may be by the year in its title, its file name or its sheets' names, or by the months it goes through."""
        names = (stem(self.filename), *map(stem, self.sheets))
        heads = (*self.title[:_TITLE], *(name for name in names if not TRANSMITTAL.search(name)))
        if any(map(_is_other_paper, heads)):
            return ()
        found = set(self._of_the_months())
        if any(is_ahead(head, self.year) for head in heads):
            found.add(Role.PLAN)
        if any(_is_on_the_year(head, self.year) for head in heads):
            found.add(Role.SUMMARY)
        return tuple(role for role in PAPERS if role in found)

    def may_be_beside_one_matter(self) -> tuple[Role, ...]:
        """What it may be where its title names one matter (党建工作总结), which is no paper of the whole year.

        Both papers, where the title names a second matter or a branch and the text tells of the year; the plan, where
        it is a plan: it may be the only one there is.
        """
        title = self.title[:_NAMED_PARTS]
        if _is_general(title) and (_reports(self.lines) or self._of_the_months()):
            return PAPERS
        plans = any(SPECIAL.search(line) and _may_plan(line, self.year) for line in title)
        return (Role.PLAN,) if plans else ()

    def also(self, named: Named) -> tuple[Role, ...]:
        """What else it may be, beside what its title names for sure (`named`).

        A title may say the other paper in words that are not known, and is told by its year: 2020年工作总结及2021年行事历
        may hold the plan. Both papers, where the file name names both.
        """
        if self.called.summary and self.called.plan:
            return PAPERS
        others = (
            (Role.SUMMARY, self.year, named.plan_years),
            (Role.PLAN, self.year + 1, named.summary_years),
        )
        return tuple(
            role
            for role, wanted, years in others
            if wanted not in (years or ())
            and any(says_all_year(line, wanted) for line in self.title[:_TITLE])
        )

    def _of_the_months(self) -> tuple[Role, ...]:
        """What a calendar may be: one that goes through the months tells of a year, past or to come by its dates."""
        said = folded(self.text[:_LONGEST_CALENDAR])
        if different(MONTHS, said) < _A_YEAR:
            return ()
        years = {int(each) for each in DATES.findall(said)}
        past, ahead = self.year in years or not years, years <= {self.year + 1}
        return tuple(role for role, may in zip(PAPERS, (past, ahead), strict=True) if may)


def with_words(
    head: MailHead, documents: Iterable[DocumentReading], year: int
) -> tuple[DocumentReading, ...]:
    """The documents of a mail: its files, and its body where that is itself one of the papers.

    Where none of them is the plan, and the mail's own words may be it in short or say that the summary holds it, the
    summary (else the first paper that came) gets the doubt that it may be the plan.
    """
    found = tuple(d for d in documents if d.filename or d.role is not Role.OTHER)
    covering = sorted((d for d in found if d.covers), key=lambda d: Role.SUMMARY not in d.covers)
    is_paper = any(not d.filename for d in covering)
    if not covering or is_paper or any(Role.PLAN in d.covers for d in covering):
        return found
    if not _tell_of_plan(head.subject, head.text, year):
        return found
    reason = "the mail's own words may be the plan, or say where it is"
    told = replace(covering[0], findings=(*covering[0].findings, doubt("", reason, (Role.PLAN,))))
    return tuple(told if d is covering[0] else d for d in found)


def _tell_of_plan(subject: str, words: str, year: int) -> bool:
    """Whether a mail's own words may be the plan in some sentences, or say that the summary holds it."""
    if WITHIN.search("".join(lines_of(f"{subject}\n{words}"))):
        return True
    said = substance(lines_of(words))
    ahead = re.search(rf"{AHEAD.pattern}|(?<![0-9]){year + 1}(?![0-9]|年?[0-9]{{1,2}}月)", said)
    return ahead is not None and different(ACTIVITIES, said[ahead.start() :]) >= _SEVERAL


def is_of_a_part(title: Sequence[str], lines: Sequence[str]) -> bool:
    """Whether a branch of the society (分会) is the author: it stands alone beneath the title, or signs at the end.

    Two branches at the end are a list and no signature. `lines` are those outside of tables.
    """
    signed = [line for line in lines[-_END:] if PART.fullmatch(line)]
    signs = len(signed) == 1 and SELF.search(signed[0]) is not None
    return signs or any(line in lines and PART.fullmatch(line) for line in title[1:_NAMED_PARTS])


def _reports(lines: Sequence[str]) -> bool:
    """Whether a text without a known title tells at length what an organization did or intends to do."""
    if any(OTHER_PAPER.search(line) and not line.endswith("工作方案") for line in lines[:TITLE_LINES]):
        return False
    text = substance(lines)
    if len(text) < MUCH or not SELF.search(text):
        return False
    return max(different(DEEDS, text), different(INTENTIONS, text)) >= IN_A_LETTER.words


def _may_plan(line: str, year: int) -> bool:
    """Whether a title may be a plan's: it names one without a year, or is on the time to come."""
    undated = PLAN.search(line) is not None and re.search(r"20[0-9]{2}", line) is None
    return undated or is_ahead(line, year)


def _is_general(title: Iterable[str]) -> bool:
    """Whether a report on one matter may be the whole society's: the title names a second one (党建和业务工作总结), or a
    branch, which may be all that there is."""
    return any((SPECIAL.search(line) and GENERAL.search(line)) or BRANCH.search(line) for line in title)


def _is_on_the_year(head: str, year: int) -> bool:
    """Whether a title (or file name) that names no known paper may be the summary's."""
    if CALLED_SUMMARY.search(head):
        return not SPECIAL.search(head)
    return says_all_year(head, year) and OF_THE_YEAR.search(head) is not None


def _is_other_paper(line: str) -> bool:
    """Whether it is the title of a paper that is not collected. 方案 alone is no such word: 2021年工作方案 may be a plan."""
    return OTHER_PAPER.search(line) is not None and not line.endswith("方案")
