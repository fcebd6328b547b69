"""What a document is by what it says: title, headings, year, tense; its file name only where it says nothing."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from mailbot.form.match import folded
from mailbot.form.words import (
    ASIDE,
    BACKWARD,
    COVER_LETTER,
    DEEDS,
    EARLY,
    ENCLOSURES,
    EVIDENCE,
    FORWARD,
    GENERAL,
    INTENTIONS,
    LETTER,
    NOTICE,
    NUMBERING,
    ON_SENDING,
    PLAN,
    PLAN_ALONE,
    PLAN_SECTION,
    SELF,
    SPECIAL,
    SUMMARY,
    SUMMARY_SECTION,
    TRANSMITTAL,
    YEAR_IN_WORDS,
    YEARS,
)
from mailbot.model import Format, Role
from mailbot.reading import Extract
from mailbot.registry import organization_names

_TITLE_LINES, _LONGEST_TITLE, _SIGNATURE_LINES = 10, 60, 8
_MUCH, _FAR = 120, 60
_LONGEST_HEADING = 40
_HEAD_END = re.compile(r"[。:：]")
_SENTENCE = re.compile(r"[^。;!?]+[?]?")
_NUMBER = re.compile(r"[0-9]+|[一二三四五六七八九十]+")
_NUMERALS = "零一二三四五六七八九"
_DIGITS = str.maketrans("〇零○Oo一二三四五六七八九", "00000123456789")
_SAME_TITLE = ("暨", "及", "和", "与")
_LONGEST_TEXT = 300_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a document tells of itself."""

    role: Role
    covers: tuple[Role, ...] = ()
    year: int | None = None
    doubtful: bool = False
    """Whether it may count for more than it covers, which only a person can tell."""


@dataclass(frozen=True, slots=True)
class _Named:
    """Whether a summary and a plan are named, and of which years."""

    summary: bool = False
    summary_years: range | None = None
    plan: bool = False
    plan_years: range | None = None

    def __bool__(self) -> bool:
        return self.summary or self.plan

    def or_else(self, other: _Named) -> _Named:
        """What either names; where both do, this one's year."""
        own = self
        if other.summary and not own.summary:
            own = replace(own, summary=True, summary_years=other.summary_years)
        if other.plan and not own.plan:
            own = replace(own, plan=True, plan_years=other.plan_years)
        return own


@dataclass(frozen=True, slots=True)
class _Proof:
    """How much text, and how many words of a summary or plan in it, show that a heading is not one of a list."""

    length: int
    words: int


_IN_A_REPORT, _IN_A_FILE, _IN_A_MAIL, _IN_A_LETTER = (
    _Proof(20, 0),
    _Proof(60, 2),
    _Proof(60, 3),
    _Proof(300, 5),
)


def told(extract: Extract, filename: str, year: int) -> Told:
    """What a document that holds no form is, in the campaign of `year`.

    A mail and a list of what is sent name papers that may come later: only a title with its text counts there.
    """
    lines = _without_enclosures(_lines(extract.text))
    if is_notice(extract):
        return Told(role=Role.OTHER)
    title = _title(extract, lines)
    proof = _IN_A_MAIL if _is_mail(extract, filename) else _IN_A_FILE
    lists = any(ENCLOSURES.search(line) for line in title[:2]) or _only_sends(lines)
    entitled = proof is _IN_A_FILE and not lists
    named = _named("".join(title)) if entitled else _beneath(lines, proof)
    special = not named and any(SPECIAL.search(line) for line in title[:4])
    if special or (not named and any(EVIDENCE.search(line) for line in title[:4])):
        return Told(role=Role.EVIDENCE, doubtful=special and _is_general(title[:4]) and _reports(lines))
    if entitled and not named:
        named = _beneath(lines, proof) or _handed_in(lines)
    if named:
        return _placed(named.or_else(_sections(lines, year, _IN_A_REPORT)), lines, year)
    if _is_transmittal(lines):
        return Told(role=Role.OTHER)
    if sum(map(len, lines)) < _MUCH:
        return _by_name_alone(filename)
    sections = _sections(lines, year, proof)
    hint = (_Named() if lists else _named(_stem(filename))) or sections or _tense(lines, year)
    if hint:
        return _placed(hint.or_else(sections), lines, year)
    if EVIDENCE.search(filename):
        return Told(role=Role.EVIDENCE)
    return Told(role=Role.OTHER, doubtful=entitled and _reports(lines))


def _is_mail(extract: Extract, filename: str) -> bool:
    """Whether this is the body of a mail, which has no name."""
    return not filename and extract.format in (Format.TEXT, Format.HTML)


def beside_form(extract: Extract, year: int) -> tuple[Role, ...]:
    """What a document counts for beside the form it holds: a summary and a plan with their own titles and text."""
    lines = _without_enclosures(_outside_tables(extract))
    named = _beneath(lines, _IN_A_FILE)
    sections = _sections(lines, year, _IN_A_REPORT) if named else named
    return _placed(named.or_else(sections), lines, year).covers


def _beneath(lines: Sequence[str], proof: _Proof) -> _Named:
    """Summary and plan that begin further down, each with a title of its own and text beneath it."""
    titles = {index: named for index, line in enumerate(lines) if (named := _titled(line))}
    ends = [*(index for index in titles if not lines[index].startswith(_SAME_TITLE)), len(lines)]
    found = _Named()
    for index, named in titles.items():
        end = min(ends[bisect_right(ends, index)], index + _FAR)
        found = found.or_else(_borne_out(named, lines[index + 1 : end], proof))
    return found


def _titled(line: str) -> _Named:
    """What a line names that may be a title."""
    if len(line) > _LONGEST_HEADING or line[-1] in "。；;，,:：?" or NUMBERING.match(line):
        return _Named()
    return _Named() if TRANSMITTAL.search(line) or ASIDE.search(line) else _named(line)


def _handed_in(lines: Sequence[str]) -> _Named:
    """What a report names that is written as a letter: 关于报送2020年度工作总结的报告, and all of it beneath."""
    for index, line in enumerate(lines[:_TITLE_LINES]):
        if TRANSMITTAL.search(line) and len(line) <= _LONGEST_TITLE:
            return _borne_out(_named(line), lines[index + 1 :], _IN_A_LETTER)
    return _Named()


def _reports(lines: Sequence[str]) -> bool:
    """Whether a text of no known title tells at length of an organization's deeds or intentions."""
    text = _substance(lines)
    if len(text) < _MUCH or not SELF.search(text):
        return False
    return max(_different(DEEDS, text), _different(INTENTIONS, text)) >= _IN_A_LETTER.words


def _is_general(title: Iterable[str]) -> bool:
    """Whether a report on one matter is on more than that: 党建和业务工作总结."""
    return any(SPECIAL.search(line) and GENERAL.search(line) for line in title)


def _borne_out(named: _Named, text: Sequence[str], proof: _Proof) -> _Named:
    """What is named, as far as the text beneath shows that it is there."""
    if not named or not _says(text, proof.length):
        return _Named()
    if not proof.words:
        return named
    said = _substance(text)
    return replace(
        named,
        summary=named.summary and _different(DEEDS, said) >= proof.words,
        plan=named.plan and _different(INTENTIONS, said) >= proof.words,
    )


def _substance(lines: Iterable[str]) -> str:
    """A text without the sentences on papers and their way."""
    return "".join(_sentences(lines))


def _says(lines: Iterable[str], length: int) -> bool:
    """Whether so much of a text speaks of other things; mostly its first sentence does."""
    said = 0
    for sentence in _sentences(lines):
        said += len(sentence)
        if said >= length:
            return True
    return False


def _sentences(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield from (sentence for sentence in _SENTENCE.findall(line) if not ON_SENDING.search(sentence))


def is_notice(extract: Extract) -> bool:
    """Whether this is the notice that called for the reports, or a letter of ours, come back."""
    return _begins_as_notice(extract.text[:3000])


@lru_cache(maxsize=16)
def _begins_as_notice(text: str) -> bool:
    start = "".join(_lines(text)[:25])
    return NOTICE.search(start) is not None or LETTER.search(start) is not None


def is_evidence(extract: Extract, filename: str) -> bool:
    """Whether title or file name say that this only supports the form."""
    title = _title(extract, _lines(extract.text))
    return any(EVIDENCE.search(line) for line in (*title[:3], filename))


def signed_names(extract: Extract) -> tuple[str, ...]:
    """Names of organizations in a document's title and signature."""
    lines = _outside_tables(extract) or _lines(extract.text)
    ends = [*lines[:_TITLE_LINES], *lines[_TITLE_LINES:][-_SIGNATURE_LINES:]]
    return organization_names("\n".join(line for line in ends if len(line) <= _LONGEST_TITLE))


def entitling_lines(extract: Extract) -> str:
    """What stands down to the line that names a document a summary or a plan; '' where its title does not."""
    title = _title(extract, _lines(extract.text))
    named = next((index for index, line in enumerate(title) if _named(line)), -1)
    return "\n".join(title[: named + 1])


def _bare(lines: Iterable[str]) -> list[str]:
    return [_in_digits(bare) for line in lines if (bare := "".join(line.split()).lstrip("#*"))]


def _in_digits(line: str) -> str:
    """With the years in digits: 二〇二〇年 and 二O二0年 are 2020年."""
    return YEAR_IN_WORDS.sub(lambda year: year.group().translate(_DIGITS), line) if "二" in line else line


@lru_cache(maxsize=16)
def _lines(text: str) -> tuple[str, ...]:
    return tuple(_bare(folded(text[:_LONGEST_TEXT]).splitlines()))


def _without_enclosures(lines: Sequence[str]) -> list[str]:
    """The lines without the list of what is enclosed (附件：1.……), whose entries only look like titles."""
    kept: list[str] = []
    listing = False
    for index, line in enumerate(lines):
        listing = line.startswith(("附件:", "附:")) or (listing and NUMBERING.match(line) is not None)
        if not listing:
            kept.append(line)
        elif index == 0 and len(line) > 3:
            kept.append(line.partition(":")[2])
    return kept


def _outside_tables(extract: Extract) -> tuple[str, ...]:
    """The lines of the running text that are neither rows nor cells of a table."""
    said = frozenset(cell.text for table in extract.tables for row in table.rows for cell in row)
    return _outside(extract.text[:_LONGEST_TEXT], said)


@lru_cache(maxsize=16)
def _outside(text: str, said: frozenset[str]) -> tuple[str, ...]:
    outside = [line for line in text.splitlines() if "\t" not in line.strip()]
    parts = said | {line for text in said for line in text.splitlines()}
    cells = {"".join(part.split()) for part in parts}
    return _lines("\n".join(line for line in outside if "".join(line.split()) not in cells))


def _title(extract: Extract, lines: Sequence[str]) -> list[str]:
    """The first short lines, to where the text begins; or what the format marks as the title."""
    title: list[str] = []
    for line in lines[:_TITLE_LINES]:
        if len(line) > _LONGEST_TITLE or (len(line) > 20 and line[-1] in "。；;，,"):
            break
        if title and NUMBERING.match(line) and len(line) > 4:
            break
        if not TRANSMITTAL.search(line) and line[-1] not in ":：":
            title.append(line)
    if title or not extract.headings:
        return title
    return [h for h in _bare(extract.headings[:2]) if len(h) <= _LONGEST_TITLE and not TRANSMITTAL.search(h)]


def _named(text: str) -> _Named:
    """What a title names. A report on one matter (培训工作总结) is no summary of the year."""
    summary = next((m for m in SUMMARY.finditer(text) if not SPECIAL.search(_subject(m))), None)
    plan = next((m for m in PLAN.finditer(text) if not SPECIAL.search(_subject(m))), None)
    return _Named(
        summary is not None,
        _years(summary) if summary else None,
        plan is not None,
        _years(plan) if plan else None,
    )


def _subject(match: re.Match[str]) -> str:
    """The matched words behind the last organization's name: what the report is on."""
    return re.split(r"学会|协会|研究会|促进会|联合会|科协|公司|集团", match.group())[-1]


def _years(match: re.Match[str]) -> range | None:
    """What a title is dated: a year, or all from one to another."""
    if not match["year"]:
        return None
    first = int(match["year"])
    return range(first, max(first, int(match["until"] or 0)) + 1)


def _sections(lines: Sequence[str], year: int, proof: _Proof) -> _Named:
    """Summary and plan as sections within a text: `三、2021年工作打算`."""
    heads = {index: head for index, line in enumerate(lines) if (head := _heading(line))}
    found = _Named()
    for index, head in heads.items():
        rest = lines[index].partition(head)[2]
        text = (rest, *_until_next(lines, index, heads))
        named = _section(head, year) or _undated_plan(head, text, year)
        found = found.or_else(_borne_out(named, text, proof))
    return found


def _heading(line: str) -> str:
    """What a heading of a summary or plan says, without its number; '' for any other line."""
    numbered = NUMBERING.match(line)
    if (numbered is None and len(line) > 30) or line[-1] == "?":
        return ""
    head = _HEAD_END.split(line[numbered.end() if numbered else 0 :], maxsplit=1)[0]
    if not head or len(head) > _LONGEST_HEADING or TRANSMITTAL.search(line[:_MUCH]) or ASIDE.search(head):
        return ""
    return head if any(p.search(head) for p in (PLAN_SECTION, SUMMARY_SECTION, PLAN_ALONE)) else ""


def _until_next(lines: Sequence[str], index: int, heads: Container[int]) -> Iterator[str]:
    """The lines beneath a heading, to the next such one or the next of its numbering; a list may begin anew in it."""
    kind, number = _place(lines[index])
    for below in range(index + 1, len(lines)):
        other, following = _place(lines[below])
        if below in heads or (kind and other == kind and following > number):
            return
        yield lines[below]


def _place(line: str) -> tuple[str, int]:
    """How a line is numbered, and its number; '' for one that is not."""
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


def _section(head: str, year: int) -> _Named:
    plan, summary = PLAN_SECTION.search(head), SUMMARY_SECTION.search(head)
    if plan and year + 1 in (_years(plan) or (year + 1,)):
        return _Named(plan=True, plan_years=_years(plan))
    if summary and not plan and year in (_years(summary) or (year,)):
        return _Named(summary=True, summary_years=range(year, year + 1))
    return _Named()


def _undated_plan(head: str, text: Sequence[str], year: int) -> _Named:
    """A heading that names a plan and no time (三、工作计划), where its text speaks of the next year."""
    said = _substance(text)
    years = set(YEARS.findall(said))
    ahead = str(year + 1) in years or (not years and FORWARD.search(said) is not None)
    plan = ahead and _different(BACKWARD, said) < 2 and _different(INTENTIONS, said) >= 2
    return _Named(plan=plan and PLAN_ALONE.search(head) is not None)


def _placed(named: _Named, lines: Sequence[str], year: int) -> Told:
    """The role, and what counts: this year's summary, next year's plan. Undated ones by the years they speak of, and
    where these are others it is not known."""
    spoken = _spoken(lines, year)
    latest = max(spoken, default=year)
    summary_year = _counting(named.summary_years, year) or (year if year in spoken else min(latest, year))
    dated = summary_year if named.summary_years else latest
    plan_year = _counting(named.plan_years, year + 1) or min(dated, year) + 1
    covers = []
    if named.summary and summary_year == year:
        covers.append(Role.SUMMARY)
    if named.plan and plan_year == year + 1:
        covers.append(Role.PLAN)
    unsure = (named.summary and not named.summary_years and Role.SUMMARY not in covers) or (
        named.plan and not named.plan_years and not named.summary_years and Role.PLAN not in covers
    )
    if named.summary:
        role = Role.SUMMARY_AND_PLAN if named.plan else Role.SUMMARY
        return Told(role=role, covers=tuple(covers), year=summary_year, doubtful=unsure)
    if named.plan:
        return Told(role=Role.PLAN, covers=tuple(covers), year=plan_year, doubtful=unsure)
    return Told(role=Role.OTHER)


def _spoken(lines: Sequence[str], year: int) -> set[int]:
    """The years that a text speaks of. One signed in the first months looks back on the year before."""
    text, signature = lines[:-_SIGNATURE_LINES], lines[-_SIGNATURE_LINES:]
    early = {line: int(dated[1]) - 1 for line in signature if (dated := EARLY.match(line))}
    said = (line for line in (*text, *signature) if "20" in line and line not in early)
    spoken = {*early.values(), *(int(y) for line in said for y in YEARS.findall(line))}
    return {each for each in spoken if each <= year + 2}


def _counting(years: range | None, wanted: int) -> int | None:
    """The year that a dated title is taken for: the one that is wanted, where it is among them."""
    if years is None:
        return None
    return wanted if wanted in years else years[-1]


def _only_sends(lines: Sequence[str]) -> bool:
    """Whether much is said, and beside the names of papers nothing but how they are sent."""
    if _says((line for line in lines if not _names_paper(line)), _IN_A_REPORT.length):
        return False
    return sum(len(line) for line in lines if not _names_paper(line)) >= _MUCH


def _names_paper(line: str) -> bool:
    return bool(_titled(line) or _heading(line))


def _is_transmittal(lines: Sequence[str]) -> bool:
    """Whether this only passes other papers on: 现将……报上，请审阅."""
    text = "".join(lines)
    return (
        len(text) < 600
        and any(TRANSMITTAL.search(line[:_MUCH]) for line in lines[:6])
        and bool(COVER_LETTER.search(text))
    )


def _by_name_alone(filename: str) -> Told:
    """The role of a document without text: its name hints at it, and it counts for nothing."""
    named = _named(_stem(filename))
    if named.summary and named.plan:
        return Told(role=Role.SUMMARY_AND_PLAN)
    if named.summary:
        return Told(role=Role.SUMMARY)
    if named.plan:
        return Told(role=Role.PLAN)
    return Told(role=Role.EVIDENCE if EVIDENCE.search(filename) else Role.OTHER)


def _stem(filename: str) -> str:
    return _in_digits("".join(unicodedata.normalize("NFKC", filename.rpartition(".")[0] or filename).split()))


def _tense(lines: Sequence[str], year: int) -> _Named:
    """A text without title: one that looks back on an organization's year, or forward to the next."""
    text = _substance(lines)
    if len(text) < _MUCH or len(SELF.findall(text)) < 2:
        return _Named()
    back, forth = _different(BACKWARD, text), _different(FORWARD, text)
    looks_forward = forth >= 3 and str(year + 1) in text and back < 2
    return _Named(summary=back >= 3 and not looks_forward, plan=looks_forward)


def _different(pattern: re.Pattern[str], text: str) -> int:
    return len(set(pattern.findall(text)))
