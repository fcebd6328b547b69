"""From a located form to an assessment, and what speaks against it.

What was recognized from a picture never becomes an accusation: whatever is doubtful there is `form.low_confidence`,
item by item, for a person to look at.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from mailbot.form.alterations import alterations, quoted
from mailbot.form.evidence import unsupported
from mailbot.form.formrow import FormRow, Reading
from mailbot.form.heading import Heading
from mailbot.form.locate import Located
from mailbot.form.match import Matcher, normalized
from mailbot.form.points import Problem, adds_cells, compute, parse_points, plain
from mailbot.model import SURE, Assessment, Code, Finding, ItemReading, ReadBy, Severity, finding
from mailbot.reading import PICTURE, Cell

_BY_PLACE = frozenset({Code.SCORE_MISSING, Code.SCORE_NOT_A_NUMBER, Code.EVIDENCE_MISSING, Code.FORM_ALTERED})
"""Findings on items that also arise where the reading put a text into the wrong cell."""
_ALIKE = frozenset("一|lI")
"""Signs by which recognition may mean a dash, which is zero, or the number one."""
_STROKE = "一"
_BEGINS_WITH_NUMBER = re.compile(r"\D{0,6}\d")
_SPREAD = re.compile(r"[0-9.]+(?:\s+[0-9.]+)+分?")
_WRITTEN_DECIMALS = 2
"""Points with more of them are results of a calculation."""
_NIL = frozenset({"", "无", "没有", "暂无", "零", "0"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a form comes from."""

    filename: str
    read_by: ReadBy
    text: str
    """The whole document's text."""
    cut_short: bool = False
    """Whether the document was not read to its end."""
    owners: Mapping[int, str]
    """File names of the items' rows, where a form lies in several documents."""
    unsure: tuple[str, ...] = ()
    """Lines of which recognition was not sure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed:
    """One form, judged."""

    assessment: Assessment
    findings: tuple[Finding, ...]
    untouched: bool
    """Whether nothing was seen to be filled in."""
    altered: bool
    """Whether it is not the rubric's form word for word."""


def assess(form: Located, heading: Heading, source: Source, matcher: Matcher) -> Assessed:
    """Judge a form by the rubric."""
    if source.read_by is not ReadBy.OCR:
        form = _with_doubtful_strokes(form)
    items = tuple(_items(form.rows, drawn=source.read_by is ReadBy.OCR))
    scores = [item.score for item in items if item.score is not None]
    total = sum(scores, Decimal()) if scores else None
    stated, on_total = _total(_total_cell(form, heading, matcher), form, items, total, matcher)
    changes = tuple(alterations(form, source.read_by, source.text, matcher, cut_short=source.cut_short))
    findings = [*changes, *_on_columns(form), *_on_items(form.rows, items), *on_total]
    untouched = _is_untouched(form, stated)
    if source.read_by is ReadBy.TEXT and _looks_misread(form, findings):
        findings = list(_as_doubts(findings))
    if source.read_by is ReadBy.OCR:
        doubts = (
            [finding(Code.FORM_LOW_CONFIDENCE)]
            if untouched
            else [*findings, *_uncertain(form, heading, source)]
        )
        findings = list(_as_doubts(doubts))
    return Assessed(
        assessment=Assessment(
            organization=heading.organization,
            year=heading.year,
            read_by=source.read_by,
            items=items,
            stated_total=stated,
            total=total,
            document=source.filename,
        ),
        findings=tuple(_placed(findings, source)),
        untouched=untouched,
        altered=bool(changes),
    )


def _with_doubtful_strokes(form: Located) -> Located:
    """The form, with each 一 in the score of an item without evidence in doubt: it may be a dash, or the number one."""
    if all(row.cells.score.text.strip() != _STROKE for row in form.rows):
        return form
    rows = (
        replace(row, cells=replace(row.cells, score=replace(row.cells.score, several=True)))
        if row.cells.score.text.strip() == _STROKE and not evidence.text.strip()
        else row
        for row, evidence in zip(form.rows, _evidence(form.rows), strict=True)
    )
    return replace(form, rows=tuple(rows))


def _looks_misread(form: Located, findings: Sequence[Finding]) -> bool:
    """Whether so much of a laid-out page is at fault that the layout was more likely misread than the form ill filled."""
    faulty = {f.item for f in findings if f.item is not None and f.code in _BY_PLACE}
    return 2 * len(faulty) > len(form.rows) and not all(
        parse_points(row.cells.score.text) is Problem.EMPTY and not row.cells.evidence.text.strip()
        for row in form.rows
    )


def _placed(findings: Iterable[Finding], source: Source) -> Iterator[Finding]:
    for each in findings:
        owner = source.owners.get(each.item, source.filename) if each.item is not None else source.filename
        yield replace(each, document=owner)


def _items(rows: Sequence[FormRow], *, drawn: bool) -> Iterator[ItemReading]:
    for row, evidence in zip(rows, _evidence(rows), strict=True):
        score = row.cells.score
        sure = [c.confidence for c in (score, evidence) if c.confidence is not None]
        yield ItemReading(
            no=row.item.no,
            score=_pointed(row) if drawn else _score(score),
            score_text=score.text.strip() or score.formula,
            evidence=evidence.text.strip(),
            score_place=score.place,
            evidence_place=evidence.place,
            confidence=min(sure) if sure else None,
            picture=score.picture or evidence.picture,
        )


def _evidence(rows: Sequence[FormRow]) -> Iterator[Cell]:
    """The evidence of each row; rows that share a merged cell share what it says."""
    shared: Cell | None = None
    for row in rows:
        own = row.cells.evidence
        continues = own.merged and not own.across and not own.text.strip() and not row.cells.score.merged
        if not (continues and shared is not None):
            shared = own
        yield shared


def _score(cell: Cell) -> Decimal | None:
    if cell.several:
        return None
    if not cell.text.strip() and cell.formula:
        return compute(cell.formula)
    number = parse_points(cell.text)
    return None if isinstance(number, Problem) else number


def _pointed(row: FormRow) -> Decimal | None:
    """A recognized score; where it is too high for its item, most likely with the point that was not seen in it."""
    score = _score(row.cells.score)
    if score is None or row.cells.score.text.strip() != str(score):
        return score
    pointed = score / 10
    return pointed if score >= 10 and pointed <= row.item.points < score else score


def _is_untouched(form: Located, stated: Decimal | None) -> bool:
    empty = all(
        parse_points(row.cells.score.text) is Problem.EMPTY
        and not row.cells.score.formula
        and not normalized(row.cells.evidence.text)
        for row in form.rows
    )
    return bool(form.rows) and empty and not stated


def _on_columns(form: Located) -> Iterator[Finding]:
    if form.unnamed is not None:
        yield finding(Code.FORM_LOW_CONFIDENCE, found=quoted(form.unnamed))


def _on_items(rows: Sequence[FormRow], items: Sequence[ItemReading]) -> Iterator[Finding]:
    shared = _sharing_a_score(rows)
    for row, item in zip(rows, items, strict=True):
        yield from _on_score(row, item, shared=item.no in shared)
        yield from _on_evidence(row, item)


def _sharing_a_score(rows: Sequence[FormRow]) -> set[int]:
    """The items over which one merged cell states one number: whose points they are, only a person can tell."""
    shared: set[int] = set()
    owner: FormRow | None = None
    for row in rows:
        score = row.cells.score
        if not score.merged or score.text.strip():
            owner = row
        elif owner is not None and parse_points(owner.cells.score.text) is not Problem.EMPTY:
            shared |= {owner.item.no, row.item.no}
    return shared


def _on_score(row: FormRow, item: ItemReading, *, shared: bool) -> Iterator[Finding]:
    most = row.item.points
    if shared:
        code = Code.FORM_LOW_CONFIDENCE
    elif item.score is None:
        code = _why_unread(row.cells)
    elif item.score > most:
        code = Code.SCORE_OVER_MAX
    elif item.score < 0:
        code = Code.SCORE_NEGATIVE
    else:
        return
    yield finding(
        code, item=item.no, found=quoted(item.score_text), wanted=plain(most), place=item.score_place
    )


def _why_unread(cells: Reading) -> Code:
    """Why a score could not be read; what only we cannot read is for a person: 10¹ with a note's mark, a number in one
    cell with its evidence, or one that stands spread out on a page."""
    cell = cells.score
    raised = any(unicodedata.category(sign) == "No" for sign in cell.text)
    spread = cell.box is not None and _SPREAD.fullmatch(cell.text.strip()) is not None
    if cell.several or cell.formula or PICTURE in cell.text or raised or spread:
        return Code.FORM_LOW_CONFIDENCE
    if parse_points(cell.text) is Problem.EMPTY:
        return Code.SCORE_MISSING
    together = cells.evidence.across and not cells.evidence.text and _BEGINS_WITH_NUMBER.match(cell.text)
    return Code.FORM_LOW_CONFIDENCE if together else Code.SCORE_NOT_A_NUMBER


def _on_evidence(row: FormRow, item: ItemReading) -> Iterator[Finding]:
    if item.score is None or item.score <= 0:
        return
    if normalized(item.evidence) in _NIL:
        if normalized(row.cells.remark.text) in _NIL:
            cell = row.cells.evidence
            code = Code.FORM_LOW_CONFIDENCE if cell.several or cell.formula else Code.EVIDENCE_MISSING
            found = quoted(item.evidence or cell.formula)
            yield finding(code, item=item.no, found=found, place=item.evidence_place)
        return
    for threshold in unsupported(row.item, item.evidence):
        yield finding(
            Code.EVIDENCE_UNSUPPORTED,
            item=item.no,
            found=quoted(item.evidence),
            wanted=f"{plain(threshold.minimum)}{threshold.unit}",
            place=item.evidence_place,
        )


def _total_cell(form: Located, heading: Heading, matcher: Matcher) -> Cell:
    """Where the total is stated: in its row, else on a line beside the form."""
    cell = form.total or Cell(text="")
    beside = parse_points(heading.total)
    if cell.text.strip() or cell.formula or isinstance(beside, Problem) or beside >= matcher.rubric.total:
        return cell
    return Cell(text=heading.total)


def _total(
    cell: Cell, form: Located, items: Sequence[ItemReading], total: Decimal | None, matcher: Matcher
) -> tuple[Decimal | None, tuple[Finding, ...]]:
    """The total as stated, and what is wrong with it."""
    if not items:
        return None, ()
    computed = "" if total is None else plain(total)
    every = len(items) == len(matcher.rubric.items) and all(item.score is not None for item in items)
    if cell.several and parse_points(cell.text) != total:
        code, found = Code.FORM_LOW_CONFIDENCE, quoted(cell.text)
        doubt = finding(code, found=found, wanted=computed, place=cell.place)
        return None, (doubt,) if every else ()
    adding = not cell.text.strip() and adds_cells(cell.formula, (i.score_place for i in items if i.score))
    computable = None if cell.text.strip() else compute(cell.formula)
    if adding or computable is not None:
        stated = total if adding else computable
    else:
        number = parse_points(cell.text)
        if isinstance(number, Problem):
            missing = finding(
                Code.TOTAL_MISSING, found=quoted(cell.text or cell.formula), wanted=computed, place=cell.place
            )
            return None, (missing,)
        stated = number
    if not every or stated is None or total is None:
        return stated, ()
    return stated, tuple(_on_sum(stated, total, form, cell.place))


def _on_sum(stated: Decimal, total: Decimal, form: Located, place: str) -> Iterator[Finding]:
    """The finding on a stated total that is not the items' sum.

    Rows beside the items may be part of a total, and scores that a formula calculated may be rounded where they show:
    a total that comes out so is for a person.
    """
    sums = (total, total + _claimed(form.added))
    if any(_is_sum(stated, each) for each in sums):
        return
    if stated - _claimed(form.extra) in sums:
        for row in form.extra:
            yield finding(Code.FORM_LOW_CONFIDENCE, found=quoted(row.criterion.text), place=row.score.place)
    elif _is_calculated(total) and abs(stated - total) < 1:
        yield finding(Code.FORM_LOW_CONFIDENCE, found=plain(stated), wanted=plain(total), place=place)
    else:
        yield finding(Code.TOTAL_MISMATCH, found=plain(stated), wanted=plain(total), place=place)


def _is_sum(stated: Decimal, total: Decimal) -> bool:
    """Whether a total is the sum; of calculated scores (averages) it may be rounded."""
    if not _is_calculated(total):
        return stated == total
    return stated == total.quantize(stated, ROUND_HALF_UP)


def _is_calculated(total: Decimal) -> bool:
    """Whether it has more decimals than anybody writes; a sum keeps those of its parts, zeros included."""
    exponent = total.as_tuple().exponent
    return isinstance(exponent, int) and exponent < -_WRITTEN_DECIMALS


def _claimed(rows: Iterable[Reading]) -> Decimal:
    """The sum of the scores of rows that are no items of the rubric."""
    return sum((number for row in rows if (number := _score(row.score)) is not None), Decimal())


def _uncertain(form: Located, heading: Heading, source: Source) -> Iterator[Finding]:
    """The cells that recognition was not sure of, and the name of who reports."""
    name = normalized(heading.organization or "")
    if name and any(name in normalized(line) for line in source.unsure):
        yield finding(Code.FORM_LOW_CONFIDENCE, found=quoted(heading.organization or ""))
    for row in form.rows:
        for cell in (row.cells.score, row.cells.evidence):
            guessed = cell is row.cells.score and _pointed(row) != _score(cell)
            if guessed or _unsure(cell) or cell.text.strip() in _ALIKE:
                yield finding(
                    Code.FORM_LOW_CONFIDENCE, item=row.item.no, found=quoted(cell.text), place=cell.place
                )
    if form.total is not None and _unsure(form.total):
        yield finding(Code.FORM_LOW_CONFIDENCE, found=quoted(form.total.text), place=form.total.place)


def _unsure(cell: Cell) -> bool:
    return cell.confidence is not None and cell.confidence < SURE


def _as_doubts(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Each accusation made a doubt, one for an item; hints for staff stay."""
    doubted: set[tuple[int | None, str]] = set()
    for each in findings:
        if each.severity is Severity.INFO or each.code is Code.TOTAL_MISSING:
            yield each
            continue
        of_what = (each.item, "" if each.item is not None else each.found)
        if of_what not in doubted:
            doubted.add(of_what)
            yield replace(each, code=Code.FORM_LOW_CONFIDENCE, severity=Code.FORM_LOW_CONFIDENCE.severity)
