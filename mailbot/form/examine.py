"""All documents of one mail together: what each is, and the one form among them, judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from rapidfuzz import fuzz

from mailbot.form import roles
from mailbot.form.alterations import is_cut_off
from mailbot.form.assess import Assessed, Source, assess
from mailbot.form.heading import Heading, form_titles, heading
from mailbot.form.locate import Located, locate, merged
from mailbot.form.match import Matcher, matcher_of, normalized, normalized_whole
from mailbot.model import SURE, Assessment, Code, Finding, ItemReading, ReadBy, Role, finding
from mailbot.reading import Extract
from mailbot.rubric import Rubric

_CLEAREST_FIRST = (ReadBy.CELLS, ReadBy.TABLE, ReadBy.TEXT, ReadBy.OCR)
_FEWEST_ITEMS, _FEWEST_IN_OCR = 5, 3
_SAME_EVIDENCE = 80
_LABELS = ("序号", "分值", "自评分")
"""Columns of any self-assessment form."""
_FEWEST_LABELS_IN_OCR = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Readable:
    """One document whose text and tables could be read."""

    key: str
    filename: str
    extract: Extract


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What the documents of one mail are, by key, and what its form says."""

    roles: Mapping[str, Role]
    covers: Mapping[str, tuple[Role, ...]]
    """Which of form, summary and plan a document counts for."""
    years: Mapping[str, int]
    organizations: Mapping[str, tuple[str, ...]]
    """Names in title and signature of each document."""
    may_be: Mapping[str, tuple[Role, ...]]
    """Which of summary and plan a document may be: nothing tells, or not of which year."""
    assessment: Assessment | None
    findings: tuple[Finding, ...]
    form_key: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """A form in one document, or in several that hold its parts."""

    documents: tuple[Readable, ...]
    form: Located
    heading: Heading
    assessed: Assessed

    @property
    def blank(self) -> bool:
        """Whether it is the template without scores; a picture's may be filled in by a hand that was not read."""
        return self.assessed.untouched and self.read_by is not ReadBy.OCR

    @property
    def read_by(self) -> ReadBy:
        """How its least sure part was read."""
        return max((d.extract.read_by for d in self.documents), key=_CLEAREST_FIRST.index)


def examine(readables: Sequence[Readable], rubric: Rubric) -> Examined:
    """Tell what each document is, find the form among them and judge it."""
    matcher = matcher_of(rubric)
    found = [c for readable in readables for c in _candidates(readable, matcher)]
    candidates = _of_rank(_joined(found, matcher), rubric)
    filled = [c for c in candidates if not c.blank]
    blank = [c for c in candidates if c.blank]
    chosen, conflicts = _chosen(filled)
    findings = (*conflicts, *(_findings(chosen, rubric) if chosen else _blank(blank, rubric)))
    forms = {d.key: c for c in reversed([*filled, *blank, *found]) for d in c.documents}
    counting = {d.key for c in filled for d in c.documents}
    told = {r.key: _told(r, forms.get(r.key), counting, rubric) for r in readables}
    return Examined(
        roles={key: one.role for key, one in told.items()},
        covers={key: one.covers for key, one in told.items()},
        years={key: one.year for key, one in told.items() if one.year is not None},
        organizations={r.key: _names(r, told[r.key]) for r in readables},
        may_be={key: one.may_be for key, one in told.items() if one.may_be},
        assessment=chosen.assessed.assessment if chosen else None,
        findings=findings,
        form_key=chosen.documents[0].key if chosen else None,
    )


def _names(readable: Readable, told: roles.Told) -> tuple[str, ...]:
    """The names of organizations in a document that may tell the sender; none of evidence, of the notice and of our
    汇总表, which name others."""
    evidence = told.role is Role.EVIDENCE and not told.may_be
    of_others = evidence or (told.role is Role.OTHER and roles.is_notice(readable.extract))
    return () if of_others else roles.signed_names(readable.extract)


def _told(readable: Readable, candidate: _Candidate | None, counting: set[str], rubric: Rubric) -> roles.Told:
    if candidate is None or (roles.is_notice(readable.extract) and readable.key not in counting):
        return roles.told(readable.extract, readable.filename, rubric.year)
    own = (Role.FORM,) if readable.key in counting else ()
    apart = candidate.form.rows and not roles.is_notice(readable.extract)
    beside = roles.beside_form(readable.extract, rubric.year) if apart else roles.Told(role=Role.OTHER)
    passed_over = not own and not candidate.blank
    evidence = passed_over and roles.is_evidence(readable.extract, readable.filename)
    role = Role.EVIDENCE if evidence else Role.FORM
    return roles.Told(
        role=role,
        covers=(*own, *beside.covers),
        year=candidate.heading.year,
        may_be=beside.may_be if beside.covers else (),
    )


# --- finding the form -----------------------------------------------------------------------------------------


def _candidates(readable: Readable, matcher: Matcher) -> Iterator[_Candidate]:
    """The forms in one document, filled in or not; also one that is there and cannot be read."""
    drawn = readable.extract.read_by is ReadBy.OCR
    fewest = min(_FEWEST_IN_OCR if drawn else _FEWEST_ITEMS, len(matcher.rubric.items))
    count = 0
    for form in locate(readable.extract, matcher):
        top = heading(readable.extract, form.around)
        known = sum(row.by_words or is_cut_off(row, readable.extract.read_by, matcher) for row in form.rows)
        if known >= fewest or _is_other_years(top, matcher.rubric):
            count += 1
            yield _candidate((readable,), form, top, {}, matcher)
    if not count and _holds_unread_form(readable, matcher):
        top = heading(readable.extract, ())
        yield _candidate((readable,), Located(), top, {}, matcher)


def _candidate(
    documents: tuple[Readable, ...], form: Located, top: Heading, owners: Mapping[int, str], matcher: Matcher
) -> _Candidate:
    source = Source(
        filename=documents[0].filename,
        read_by=max((d.extract.read_by for d in documents), key=_CLEAREST_FIRST.index),
        text="\n".join(d.extract.text for d in documents),
        cut_short=any(d.extract.truncated for d in documents),
        owners=owners,
        unsure=tuple(line for d in documents for line in d.extract.unsure),
    )
    return _Candidate(
        documents=documents, form=form, heading=top, assessed=assess(form, top, source, matcher)
    )


def _is_other_years(top: Heading, rubric: Rubric) -> bool:
    """Whether a form with other items is our own of another year, by its title."""
    return top.year not in (None, rubric.year) and _own_name(rubric) in top.title


def _own_name(rubric: Rubric) -> str:
    """The title of our form without its year."""
    return "".join(c for c in rubric.title if not c.isdigit()).removeprefix("年度").removeprefix("年")


def _holds_unread_form(readable: Readable, matcher: Matcher) -> bool:
    """Whether the form's words are there and its table could not be made out."""
    extract = readable.extract
    if roles.is_notice(extract) or roles.is_evidence(extract, readable.filename):
        return False
    drawn = extract.read_by is ReadBy.OCR
    titles = form_titles(extract.text.splitlines()[:40])
    if not drawn and not titles:
        return False
    items, text = matcher.rubric.items, normalized_whole(extract.text)
    own = any(_own_name(matcher.rubric) in title for title in titles)
    if own and sum(label in text for label in _LABELS) >= (_FEWEST_LABELS_IN_OCR if drawn else len(_LABELS)):
        return True
    fewest = min(_FEWEST_IN_OCR, len(items)) if drawn else (len(items) + 1) // 2
    return sum(matcher.stands_in(item, text) for item in items) >= fewest


# --- several of them ------------------------------------------------------------------------------------------


def _joined(found: Sequence[_Candidate], matcher: Matcher) -> list[_Candidate]:
    """Parts of one form made one: pages that were photographed one by one, or a form split over documents."""
    whole: list[_Candidate] = []
    for one in found:
        for index, other in enumerate(whole):
            if _are_parts(other, one, matcher):
                whole[index] = _join(other, one, matcher)
                break
        else:
            whole.append(one)
    return whole


def _are_parts(one: _Candidate, other: _Candidate, matcher: Matcher) -> bool:
    complete = len(matcher.rubric.items)
    if not (one.form.items and other.form.items) or len(one.form.items | other.form.items) == len(
        one.form.items
    ):
        return False
    if len(one.form.items) == complete or len(other.form.items) == complete:
        return False
    if one.heading.organization and other.heading.organization not in (None, one.heading.organization):
        return False
    shared = one.form.items & other.form.items
    pictures = one.read_by is other.read_by is ReadBy.OCR
    return not shared or (
        pictures and not _differ(one.assessed.assessment, other.assessed.assessment, shared)
    )


def _join(one: _Candidate, other: _Candidate, matcher: Matcher) -> _Candidate:
    documents = tuple({d.key: d for d in (*one.documents, *other.documents)}.values())
    form = merged((other.form, one.form), matcher.rubric.items)
    owners = {row.item.no: c.documents[-1].filename for c in (other, one) for row in c.form.rows}
    top = Heading(
        year=one.heading.year or other.heading.year,
        title=one.heading.title or other.heading.title,
        organization=one.heading.organization or other.heading.organization,
        total=one.heading.total or other.heading.total,
    )
    return _candidate(documents, form, top, owners, matcher)


def _of_rank(candidates: Sequence[_Candidate], rubric: Rubric) -> list[_Candidate]:
    """The candidates without those that are less likely the form: evidence, fragments and forms of other years give way
    to any filled form that is not such. The blank form in the notice is no candidate at all."""
    kept = [c for c in candidates if not (c.assessed.untouched and roles.is_notice(c.documents[0].extract))]
    for is_lesser in (_is_evidence, partial(_is_fragment, rubric), partial(_is_dated_otherwise, rubric)):
        better = [c for c in kept if not is_lesser(c)]
        if any(not c.blank for c in better):
            kept = better
    return kept


def _is_evidence(candidate: _Candidate) -> bool:
    return roles.is_evidence(candidate.documents[0].extract, candidate.documents[0].filename)


def _is_fragment(rubric: Rubric, candidate: _Candidate) -> bool:
    return not candidate.blank and 2 * len(candidate.form.items) < len(rubric.items)


def _is_dated_otherwise(rubric: Rubric, candidate: _Candidate) -> bool:
    return candidate.heading.year not in (None, rubric.year)


def _chosen(filled: Sequence[_Candidate]) -> tuple[_Candidate | None, tuple[Finding, ...]]:
    """The form that counts, the most clearly read of all; and a finding where another differs from it."""
    if not filled:
        return None, ()
    ranked = sorted(filled, key=lambda c: _CLEAREST_FIRST.index(c.read_by))
    chosen = ranked[0]
    for other in ranked[1:]:
        shared = chosen.form.items | other.form.items
        if _differ(chosen.assessed.assessment, other.assessed.assessment, shared):
            names = " / ".join(dict.fromkeys(_told_apart(chosen, other)))
            return chosen, (
                finding(Code.FORM_CONFLICTING, found=names, document=chosen.documents[0].filename),
            )
    return chosen, ()


def _told_apart(one: _Candidate, other: _Candidate) -> tuple[str, str]:
    """Names of two forms by which a person tells them apart: their files; in one file their sheets or tables; on one
    sheet the cells in which they begin."""
    whose = _names_differ(one.assessed.assessment, other.assessed.assessment)
    said = [(_name(one, depth, whose=whose), _name(other, depth, whose=whose)) for depth in range(3)]
    files_differ = one.documents[0].filename != other.documents[0].filename
    return said[0] if files_differ else next((pair for pair in said[1:] if pair[0] != pair[1]), said[-1])


def _name(candidate: _Candidate, depth: int, *, whose: bool) -> str:
    """A form's name for a person: its file, with `depth` 1 also its sheet, with 2 the cell; where `whose`, also the
    organization that it names."""
    place = next((row.cells.score.place for row in candidate.form.rows if row.cells.score.place), "")
    sheet = place.rpartition("!")[0] or place.partition(" ")[0]
    owner = candidate.assessed.assessment.organization if whose else None
    said = (candidate.documents[0].filename, ("", sheet, place)[depth], owner)
    return " ".join(part for part in said if part)


def _differ(one: Assessment, other: Assessment, nos: Iterable[int]) -> bool:
    """Whether two readings cannot be of the same form. What was recognized from a picture counts only where it is sure."""
    drawn = ReadBy.OCR in (one.read_by, other.read_by)
    exact = not drawn and ReadBy.TEXT not in (one.read_by, other.read_by)
    if not drawn and (_totals_differ(one, other) or _names_differ(one, other)):
        return True
    ours, theirs = ({item.no: item for item in each.items} for each in (one, other))
    return any(_items_differ(ours.get(no), theirs.get(no), drawn=drawn, exact=exact) for no in nos)


def _totals_differ(one: Assessment, other: Assessment) -> bool:
    return None not in (one.stated_total, other.stated_total) and one.stated_total != other.stated_total


def _names_differ(one: Assessment, other: Assessment) -> bool:
    return None not in (one.organization, other.organization) and one.organization != other.organization


def _items_differ(one: ItemReading | None, other: ItemReading | None, *, drawn: bool, exact: bool) -> bool:
    if one is None or other is None:
        return not drawn
    if drawn:
        sure = all(item.confidence is None or item.confidence >= SURE for item in (one, other))
        return sure and None not in (one.score, other.score) and one.score != other.score
    if one.score != other.score or (one.score is None and one.score_text != other.score_text):
        return True
    ours, theirs = normalized(one.evidence), normalized(other.evidence)
    return ours != theirs if exact else fuzz.ratio(ours, theirs) < _SAME_EVIDENCE


# --- what speaks against it -----------------------------------------------------------------------------------


def _findings(chosen: _Candidate, rubric: Rubric) -> tuple[Finding, ...]:
    """The form's findings. By another year's rubric the items say nothing, unless they are the same."""
    own = chosen.assessed.findings
    wrong = _wrong_year(chosen, rubric)
    if not wrong:
        return own
    return (*wrong, *(() if chosen.assessed.altered else own))


def _wrong_year(candidate: _Candidate, rubric: Rubric) -> tuple[Finding, ...]:
    year = candidate.heading.year
    if year in (None, rubric.year):
        return ()
    code = Code.FORM_LOW_CONFIDENCE if candidate.read_by is ReadBy.OCR else Code.FORM_WRONG_YEAR
    name = candidate.documents[0].filename
    return (finding(code, found=str(year), wanted=str(rubric.year), document=name),)


def _blank(blank: Sequence[_Candidate], rubric: Rubric) -> tuple[Finding, ...]:
    """The template without scores, said once."""
    if not blank:
        return ()
    first = next((c for c in blank if not _wrong_year(c, rubric)), blank[0])
    name = first.documents[0].filename
    return (finding(Code.FORM_BLANK, document=name), *_wrong_year(first, rubric))
