"""What a document is by what it says: title, headings, year, tense; its file name only where it says nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from mailbot.form.doubts import MUCH, Untold, is_of_a_part
from mailbot.form.prose import (
    LONGEST_TITLE,
    TITLE_LINES,
    apart_from_form,
    different,
    lines_of,
    outside_tables,
    says_enough,
    stem,
    substance,
    title_of,
    without_enclosures,
)
from mailbot.form.titles import (
    IN_A_FILE,
    IN_A_MAIL,
    IN_A_REPORT,
    Named,
    above,
    beneath,
    handed_in,
    heading_of,
    looks_ahead,
    named_in,
    sections,
    titled,
)
from mailbot.form.words import (
    BACKWARD,
    BRANCH,
    COVER_LETTER,
    EARLY,
    ENCLOSURES,
    EVIDENCE,
    FORWARD,
    HELD,
    NOTICE,
    OTHER_PAPER,
    OURS,
    SELF,
    SEVERAL_YEARS,
    SPECIAL,
    TRANSMITTAL,
    YEARS,
)
from mailbot.model import PAPERS, Format, ReadBy, Role
from mailbot.reading import Extract
from mailbot.registry import organization_names

_SIGNATURE_LINES = 8
_NOTHING = Named()
_LOOKS_BACK = 3
"""A text with so many different words of the past (`BACKWARD`) looks back on a year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a document tells of itself."""

    role: Role
    covers: tuple[Role, ...] = ()
    """The papers that it counts for."""
    year: int | None = None
    """The year that it reports on or plans."""
    may_be: tuple[Role, ...] = ()
    """The papers that it may be beside these: only a person can tell."""


def told(extract: Extract, filename: str, year: int) -> Told:
    """What a document that holds no form is, in the campaign of `year`.

    The body of a mail, and a list of what is sent, name papers that lie elsewhere or come later: there a title alone
    counts for nothing, only one with its text beneath.
    """
    lines = without_enclosures(lines_of(extract.text))
    if is_notice(extract):
        return Told(role=Role.OTHER)
    title = title_of(extract, lines)
    proof = IN_A_MAIL if _is_mail(extract, filename) else IN_A_FILE
    lists = any(ENCLOSURES.search(line) for line in title[:2]) or _only_sends(lines)
    entitled = proof is IN_A_FILE and not lists
    named = named_in("".join(title)) if entitled else beneath(lines, proof)
    untold = Untold(
        text=extract.text,
        lines=lines,
        title=title,
        filename=filename,
        called=named_in(stem(filename)),
        year=year,
        sheets=_sheets(extract),
    )
    if not named and proof is IN_A_FILE and _is_on_a_part(title):
        return Told(role=Role.EVIDENCE, may_be=untold.may_be_beside_one_matter())
    if entitled and not named:
        named = beneath(lines, proof) or handed_in(lines)
    by_header = above(_header(extract), lines) if entitled and not named else _NOTHING
    if named or by_header:
        placed = _as_named(named or by_header, untold, entitled=entitled)
        others = proof is IN_A_FILE and is_of_a_part(title, outside_tables(extract))
        others = others or bool(by_header and (_is_other(title) or any(map(TRANSMITTAL.search, lines[:3]))))
        return _unsure(placed) if others else placed
    if _is_transmittal(lines):
        return Told(role=Role.OTHER, may_be=untold.may_be_as_dated() if entitled else ())
    if sum(map(len, lines)) < MUCH:
        return _by_name_alone(untold, entitled=entitled)
    within = sections(lines, year, proof)
    hint = (_NOTHING if lists else untold.called) or within
    if not hint and not _is_other(title):
        hint = _tense(lines, year)
    if hint:
        return _placed(hint.or_else(within), lines, year)
    if EVIDENCE.search(filename):
        return Told(role=Role.EVIDENCE)
    return Told(role=Role.OTHER, may_be=untold.may_be() if entitled else ())


def _as_named(named: Named, untold: Untold, *, entitled: bool) -> Told:
    """What a document is whose title, or a line beneath it, names a paper (`named`); with what its sections hold.

    `entitled`: its title counts, so that it may say the other paper too, in other words.
    """
    named = named.or_else(sections(untold.lines, untold.year, IN_A_REPORT))
    also = untold.also(named) if entitled else ()
    return _placed(named, untold.lines, untold.year, also=also, called=untold.called)


def _is_on_a_part(title: Sequence[str]) -> bool:
    """Whether the title names one matter (党建), a branch of the society, or evidence: no paper of the whole year."""
    return any(p.search(line) for p in (SPECIAL, BRANCH, EVIDENCE) for line in title[:4])


def _is_other(title: Sequence[str]) -> bool:
    """Whether the title is that of a paper that is not collected, or of something on a meeting."""
    return any(OTHER_PAPER.search(line) or HELD.search(line) for line in title[:3])


def _sheets(extract: Extract) -> tuple[str, ...]:
    named = (table.name for table in extract.tables if table.name and not table.hidden)
    return tuple(named) if extract.read_by is ReadBy.CELLS else ()


def _header(extract: Extract) -> tuple[str, ...]:
    return lines_of("\n".join(extract.header)) if extract.header else ()


def _is_mail(extract: Extract, filename: str) -> bool:
    """Whether this is the body of a mail, which has no name."""
    return not filename and extract.format in (Format.TEXT, Format.HTML)


def beside_form(extract: Extract, year: int) -> Told:
    """What a document counts for beside the form it holds: a summary and a plan with their own titles and text."""
    lines = without_enclosures(apart_from_form(extract))
    named = beneath(lines, IN_A_FILE)
    within = sections(lines, year, IN_A_REPORT) if named else named
    return _placed(named.or_else(within), lines, year)


def _unsure(told: Told) -> Told:
    """The same document in doubt: what it covered, it only may be."""
    return replace(
        told, covers=(), may_be=tuple(role for role in PAPERS if role in (*told.covers, *told.may_be))
    )


def is_notice(extract: Extract) -> bool:
    """Whether this is the notice that called for the reports, or a letter or 汇总表 of ours, come back."""
    return _begins_as_notice(extract.text[:3000])


@lru_cache(maxsize=16)
def _begins_as_notice(text: str) -> bool:
    start = "".join(lines_of(text)[:25])
    return NOTICE.search(start) is not None or OURS.search(start) is not None


def is_evidence(extract: Extract, filename: str) -> bool:
    """Whether title or file name say that this only supports the form."""
    title = title_of(extract, lines_of(extract.text))
    return any(EVIDENCE.search(line) for line in (*title[:3], filename))


def is_named_evidence(*names: str | None) -> bool:
    """Whether one of the names of a file and of what it lies in says that it only supports the form."""
    return any(EVIDENCE.search(name) for name in names if name)


def signed_names(extract: Extract) -> tuple[str, ...]:
    """Names of organizations in a document's title and signature, else in its page header."""
    lines = outside_tables(extract) or lines_of(extract.text)
    ends = [*lines[:TITLE_LINES], *lines[TITLE_LINES:][-_SIGNATURE_LINES:]]
    return _names(ends) or _names(_header(extract))


def _names(lines: Iterable[str]) -> tuple[str, ...]:
    return organization_names("\n".join(line for line in lines if len(line) <= LONGEST_TITLE))


def entitling_lines(extract: Extract) -> str:
    """The title's lines down to the one that names a summary or a plan; '' where none does."""
    title = title_of(extract, lines_of(extract.text))
    named = next((index for index, line in enumerate(title) if named_in(line)), -1)
    return "\n".join(title[: named + 1])


def _placed(
    named: Named, lines: Sequence[str], year: int, also: Sequence[Role] = (), called: Named = _NOTHING
) -> Told:
    """The role of a document that names papers, and what it counts for: a summary of `year`, a plan of the next one.

    An undated paper goes by the years that its text speaks of; where these do not fit, it is left to a person. `also`:
    the papers that it may be besides. `called`: what its file name names.
    """
    spoken = _spoken(lines, year)
    latest = max(spoken, default=year)
    summary_year = _counting(named.summary_years, year) or (year if year in spoken else min(latest, year))
    dated = summary_year if named.summary_years else latest
    plan_year = _counting(named.plan_years, year + 1) or min(dated, year) + 1
    covers = []
    of_years = not named.summary_years and any(map(_is_of_years, lines[:TITLE_LINES]))
    old = _may_be_old(named, lines, year, called)
    if named.summary and summary_year == year and not (of_years or old):
        covers.append(Role.SUMMARY)
    if named.plan and plan_year == year + 1 and not (old and not named.summary):
        covers.append(Role.PLAN)
    unsure = (named.summary and not named.summary_years and Role.SUMMARY not in covers) or (
        named.plan and not named.plan_years and not named.summary_years and Role.PLAN not in covers
    )
    unsure = unsure or _may_hold_other(named, covers, lines, year) or _is_misdated(named, covers, lines, year)
    may_be = PAPERS if unsure else tuple(role for role in also if role not in covers)
    if named.summary:
        role = Role.SUMMARY_AND_PLAN if named.plan else Role.SUMMARY
        return Told(role=role, covers=tuple(covers), year=summary_year, may_be=may_be)
    if named.plan:
        return Told(role=Role.PLAN, covers=tuple(covers), year=plan_year, may_be=may_be)
    return Told(role=Role.OTHER)


def _may_be_old(named: Named, lines: Sequence[str], year: int, called: Named) -> bool:
    """Whether an undated summary or plan may be last year's, whenever it is signed.

    Its text tells of the year before the wanted one and never of that, nor does its file name.
    """
    if named.summary_years or named.plan_years:
        return False
    wanted = year if named.summary else year + 1
    if wanted in ((called.summary_years if named.summary else called.plan_years) or ()):
        return False
    said = _told_years(lines)
    return wanted - 1 in said and wanted not in said


def _may_hold_other(named: Named, covers: Sequence[Role], lines: Sequence[str], year: int) -> bool:
    """Whether a summary may also hold the plan, or a plan the summary, in a section whose heading does not say so."""
    if Role.SUMMARY in covers and not named.plan:
        return looks_ahead(lines, year)
    if Role.PLAN in covers and not named.summary:
        return year in _spoken(lines, year) and different(BACKWARD, substance(lines)) >= _LOOKS_BACK
    return False


def _is_misdated(named: Named, covers: Sequence[Role], lines: Sequence[str], year: int) -> bool:
    """Whether the year in a title is likely a slip: the text beneath tells of the wanted year, and never of the title's,
    or that one is still to come."""
    for role, years, wanted in (
        (Role.SUMMARY, named.summary_years, year),
        (Role.PLAN, named.plan_years, year + 1),
    ):
        if years is not None and role not in covers and wanted in (said := _told_years(lines)):
            return years[-1] not in said or years[-1] > wanted
    return False


def _told_years(lines: Iterable[str]) -> set[int]:
    """The years that a text tells of, without those in titles and in the dates of signatures."""
    dated = ((line, years) for line in lines if (years := YEARS.findall(line)))
    return {int(y) for line, years in dated if not EARLY.match(line) and not titled(line) for y in years}


def _is_of_years(line: str) -> bool:
    return bool(titled(line).summary) and SEVERAL_YEARS.search(line) is not None


def _spoken(lines: Sequence[str], year: int) -> set[int]:
    """The years that a text speaks of. The date of a signature in January to March stands for the year before."""
    text, signature = lines[:-_SIGNATURE_LINES], lines[-_SIGNATURE_LINES:]
    early = {line: int(dated[1]) - 1 for line in signature if (dated := EARLY.match(line))}
    said = (line for line in (*text, *signature) if "20" in line and line not in early)
    spoken = {*early.values(), *(int(y) for line in said for y in YEARS.findall(line))}
    return {each for each in spoken if each <= year + 2}


def _counting(years: range | None, wanted: int) -> int | None:
    """Which of the years in a title counts: the wanted one if it is among them, else the last; None without a year."""
    if years is None:
        return None
    return wanted if wanted in years else years[-1]


def _only_sends(lines: Sequence[str]) -> bool:
    """Whether a text of some length holds nothing but names of papers and how they are sent."""
    if says_enough((line for line in lines if not _names_paper(line)), IN_A_REPORT.length):
        return False
    return sum(len(line) for line in lines if not _names_paper(line)) >= MUCH


def _names_paper(line: str) -> bool:
    return bool(titled(line) or heading_of(line))


def _is_transmittal(lines: Sequence[str]) -> bool:
    """Whether this only passes other papers on: 现将……报上，请审阅."""
    text = "".join(lines)
    return (
        len(text) < 600
        and any(TRANSMITTAL.search(line[:MUCH]) for line in lines[:6])
        and bool(COVER_LETTER.search(text))
    )


def _by_name_alone(untold: Untold, *, entitled: bool) -> Told:
    """What a document of hardly a word is: it covers nothing, and may be the paper that its file name names."""
    if untold.called:
        return _unsure(replace(_placed(untold.called, untold.lines, untold.year), year=None))
    if EVIDENCE.search(untold.filename):
        return Told(role=Role.EVIDENCE)
    return Told(role=Role.OTHER, may_be=untold.may_be() if entitled else ())


def _tense(lines: Sequence[str], year: int) -> Named:
    """What a text without a title is, by its words alone: it looks back on an organization's year, or forward."""
    text = substance(lines)
    if len(text) < MUCH or len(SELF.findall(text)) < 2:
        return Named()
    back, forth = different(BACKWARD, text), different(FORWARD, text)
    looks_forward = forth >= 3 and str(year + 1) in text and back < 2
    return Named(summary=back >= _LOOKS_BACK and not looks_forward, plan=looks_forward)
