"""What titles and headings name: a summary or a plan, of which years, as far as the text beneath bears it out."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace

from mailbot.form.prose import LONGEST_TITLE, TITLE_LINES, different, says_enough, substance
from mailbot.form.words import (
    AHEAD,
    ASIDE,
    BACKWARD,
    BRANCH,
    DEEDS,
    DONE,
    FORWARD,
    HELD,
    INTENTIONS,
    MEETING,
    NUMBERING,
    PLAN,
    PLAN_ALONE,
    PLAN_SECTION,
    SPECIAL,
    SUMMARY,
    SUMMARY_SECTION,
    TRANSMITTAL,
    YEARS,
)

_LONGEST_HEADING, _HEAD_BEGINS, _FAR = 40, 120, 60
_HEAD_END = re.compile(r"[。:：]")
_NUMBER = re.compile(r"[0-9]+|[一二三四五六七八九十]+")
_DATED_BEHIND = re.compile(r"(?P<what>.+)\((?P<year>20[0-9]{2})年?度?\)")
_NUMERALS = "零一二三四五六七八九"
_SAME_TITLE = ("暨", "及", "和", "与")


@dataclass(frozen=True, slots=True)
class Named:
    """Whether a summary and a plan are named, and of which years."""

    summary: bool = False
    summary_years: range | None = None
    plan: bool = False
    plan_years: range | None = None

    def __bool__(self) -> bool:
        return self.summary or self.plan

    def or_else(self, other: Named) -> Named:
        """What one or the other names; where both name a paper, it keeps this one's years."""
        own = self
        if other.summary and not own.summary:
            own = replace(own, summary=True, summary_years=other.summary_years)
        if other.plan and not own.plan:
            own = replace(own, plan=True, plan_years=other.plan_years)
        return own


@dataclass(frozen=True, slots=True)
class Proof:
    """What the text beneath a title must hold, to show that a paper begins there and is not only named, as in a list."""

    length: int
    """Least number of characters that are not on the papers and their way."""
    words: int
    """Least number of different words that a summary (`DEEDS`) or plan (`INTENTIONS`) is made of."""


IN_A_REPORT = Proof(20, 0)
"""For a section within a document that is a report already."""
IN_A_FILE = Proof(60, 2)
"""For a title in a file."""
IN_A_MAIL = Proof(60, 3)
"""For a title in the body of a mail, which often lists what is attached."""
IN_A_LETTER = Proof(300, 5)
"""For a report that is written as a letter: its title is one of a letter that hands papers in."""


def named_in(text: str) -> Named:
    """What a title names. A report on one matter (培训工作总结), or of a part (青年工作委员会), is no summary of the year,
    unless the whole's is named before it; nor is a meeting on the summary."""
    branch = BRANCH.search(text)
    if branch and not named_in(text[: branch.start()]):
        return Named()
    summary = next((m for m in SUMMARY.finditer(text) if _is_paper(m)), None)
    plan = next((m for m in PLAN.finditer(text) if _is_paper(m)), None)
    return Named(
        summary is not None,
        _years(summary) if summary else None,
        plan is not None,
        _years(plan) if plan else None,
    )


def _is_paper(match: re.Match[str]) -> bool:
    """Whether it is on all that a society does, and no meeting on it."""
    return not SPECIAL.search(_subject(match)) and not MEETING.match(match.string, match.end())


def _subject(match: re.Match[str]) -> str:
    """The matched words behind the last organization's name: what the report is on."""
    return re.split(r"学会|协会|研究会|促进会|联合会|科协|公司|集团", match.group())[-1]


def _years(match: re.Match[str]) -> range | None:
    """What a title is dated: a year, or all from one to another."""
    if not match["year"]:
        return None
    first = int(match["year"])
    return range(first, max(first, int(match["until"] or 0)) + 1)


def beneath(lines: Sequence[str], proof: Proof) -> Named:
    """The papers that begin anywhere in a text, each with a title line of its own and enough text beneath it."""
    titles = {index: named for index, line in enumerate(lines) if (named := titled(line))}
    ends = [*(index for index in titles if not lines[index].startswith(_SAME_TITLE)), len(lines)]
    found = Named()
    for index, named in titles.items():
        end = min(ends[bisect_right(ends, index)], index + _FAR)
        found = found.or_else(_borne_out(named, lines[index + 1 : end], proof))
    return found


def titled(line: str) -> Named:
    """What a line names, if it can be a title: short, unnumbered, no sentence, and not on papers that are sent."""
    if len(line) > _LONGEST_HEADING or line[-1] in "。；;，,:：?" or NUMBERING.match(line):
        return Named()
    return Named() if TRANSMITTAL.search(line) or ASIDE.search(line) else named_in(line)


def handed_in(lines: Sequence[str]) -> Named:
    """What a report names that is written as a letter: titled 关于报送2020年度工作总结的报告, with the report beneath."""
    for index, line in enumerate(lines[:TITLE_LINES]):
        if TRANSMITTAL.search(line) and len(line) <= LONGEST_TITLE:
            return _borne_out(named_in(line), lines[index + 1 :], IN_A_LETTER)
    return Named()


def above(header: Sequence[str], lines: Sequence[str]) -> Named:
    """What the page header (`header`) names, as far as the text bears it out."""
    return _borne_out(named_in("".join(header)), lines, IN_A_FILE) if header else Named()


def _borne_out(named: Named, text: Sequence[str], proof: Proof) -> Named:
    """Of what a title names, that which the text beneath it bears out (`proof`)."""
    if not named or not says_enough(text, proof.length):
        return Named()
    if not proof.words:
        return named
    said = substance(text)
    return replace(
        named,
        summary=named.summary and different(DEEDS, said) >= proof.words,
        plan=named.plan and different(INTENTIONS, said) >= proof.words,
    )


def sections(lines: Sequence[str], year: int, proof: Proof) -> Named:
    """The papers that are sections of a text, each under a heading of its own: `三、2021年工作打算`."""
    heads = {index: head for index, line in enumerate(lines) if (head := heading_of(line))}
    found = Named()
    for index, head in heads.items():
        rest = lines[index].partition(head)[2]
        text = (rest, *_until_next(lines, index, heads))
        named = _section(head, year) or _undated_plan(head, text, year)
        found = found.or_else(_borne_out(named, text, proof))
    return found


def heading_of(line: str) -> str:
    """The words of a line that is the heading of a summary or plan, without its number; '' for any other line."""
    head = _head(line)
    dated = "" if HELD.search(head) else _dated_first(head)
    return head if dated and any(p.search(dated) for p in (PLAN_SECTION, SUMMARY_SECTION, PLAN_ALONE)) else ""


def _head(line: str) -> str:
    """The words of a line that may be a heading, without its number and the text behind it; '' for any other line."""
    numbered = NUMBERING.match(line)
    if (numbered is None and len(line) > 30) or line[-1] == "?":
        return ""
    head = _HEAD_END.split(line[numbered.end() if numbered else 0 :], maxsplit=1)[0]
    no_heading = TRANSMITTAL.search(line[:_HEAD_BEGINS]) or ASIDE.search(head)
    return "" if len(head) > _LONGEST_HEADING or no_heading else head


def _dated_first(head: str) -> str:
    """工作计划(2021年) as 2021年工作计划."""
    dated = _DATED_BEHIND.fullmatch(head) if head.endswith(")") else None
    return f"{dated['year']}年{dated['what']}" if dated else head


def looks_ahead(lines: Sequence[str], year: int) -> bool:
    """Whether a text has a section that may be the next year's plan, though its heading does not call it so: 六、2021年目标.

    The text beneath tells intentions, and hardly anything that was done.
    """
    heads = {i: head for i, line in enumerate(lines) if (head := _head(line)) and is_ahead(head, year)}
    for index, head in heads.items():
        said = substance((lines[index].partition(head)[2], *_until_next(lines, index, heads)))
        if different(INTENTIONS, said) >= IN_A_FILE.words and different(BACKWARD, said) < IN_A_FILE.words:
            return True
    return False


def is_ahead(head: str, year: int) -> bool:
    """Whether a heading is on the time to come: 六、2021年目标."""
    ahead = AHEAD.search(head) or (str(year + 1) in head and says_all_year(head, year + 1))
    return bool(ahead) and not SUMMARY.search(head) and not DONE.match(head)


def says_all_year(head: str, year: int) -> bool:
    """Whether a heading names the year as a whole, and not a month or day of it (2021年3月, 2021-03)."""
    return re.search(rf"(?<![0-9]){year}(?![0-9]|年?[0-9]{{1,2}}月|[-./_][0-9])", head) is not None


def _until_next(lines: Sequence[str], index: int, heads: Container[int]) -> Iterator[str]:
    """The lines beneath a heading: to the next of `heads`, or the next number of its own numbering (after 三、 to 四、).

    A list within the section, which begins at 1 again, does not end it.
    """
    kind, number = _place(lines[index])
    for below in range(index + 1, len(lines)):
        other, following = _place(lines[below])
        if below in heads or (kind and other == kind and following > number):
            return
        yield lines[below]


def _place(line: str) -> tuple[str, int]:
    """The kind of a line's numbering, as `(1)` or `一`, and its number; ('', 0) for a line without."""
    numbered = NUMBERING.match(line)
    found = _NUMBER.search(numbered.group()) if numbered else None
    if numbered is None or found is None:
        return "", 0
    said = found.group()
    kind = numbered.group().rstrip("、.,:").replace(said, "1" if said.isdigit() else "一")
    if said.isdigit():
        return kind, int(said)
    tens, ten, ones = said.rpartition("十")
    return kind, (10 * (_NUMERALS.find(tens) if tens else 1) if ten else 0) + _NUMERALS.find(ones or "零")


def _section(head: str, year: int) -> Named:
    head = _dated_first(head)
    plan, summary = PLAN_SECTION.search(head), SUMMARY_SECTION.search(head)
    if plan and year + 1 in (_years(plan) or (year + 1,)):
        return Named(plan=True, plan_years=_years(plan))
    if summary and not plan and year in (_years(summary) or (year,)):
        return Named(summary=True, summary_years=range(year, year + 1))
    return Named()


def _undated_plan(head: str, text: Sequence[str], year: int) -> Named:
    """What a section without a year in its heading is (三、工作计划): the plan, if its text speaks of the next year."""
    said = substance(text)
    years = set(YEARS.findall(said))
    ahead = str(year + 1) in years or (not years and FORWARD.search(said) is not None)
    plan = ahead and different(BACKWARD, said) < 2 and different(INTENTIONS, said) >= 2
    return Named(plan=plan and PLAN_ALONE.search(head) is not None)
