"""The rows of a form: each told which item it is, pieces of broken rows joined."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from mailbot.form.borders import straightened
from mailbot.form.columns import NOTHING, Column, Columns, Row, label, repeats_header
from mailbot.form.formrow import FormRow, Reading, Total
from mailbot.form.match import Matcher, normalized
from mailbot.form.points import Problem, adds_cells, parse_points
from mailbot.form.rowwords import is_bonus, is_example, is_subtotal, name_of_category, number_of_total
from mailbot.model import ReadBy
from mailbot.reading import Cell
from mailbot.rubric import Item

_COLON = re.compile("[:：]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What the rows under one header are."""

    rows: tuple[FormRow, ...]
    added: tuple[Reading, ...]
    extra: tuple[Reading, ...]
    """Scored rows that are neither items nor claim to be (a bonus), each with its name as criterion. The total may include
    them."""
    totals: tuple[Total, ...]
    rest: tuple[Row, ...]
    """The rows below the total."""


def read_rows(
    rows: Sequence[Row],
    columns: Columns,
    read_by: ReadBy,
    matcher: Matcher,
    *,
    going_on_from: Item | None = None,
) -> Rows:
    """Tell what each row is. `going_on_from` is the last item of the table that these rows go on from."""
    return _Reader(columns, read_by, matcher, going_on_from).read(rows)


@dataclass(slots=True)
class _Claim:
    """A row and the item it claims to be."""

    cells: Reading
    text: str
    """The criterion, normalized."""
    item: Item | None
    whole: bool
    name: Cell
    """The first filled cell of its number, category, group and criterion."""
    said: tuple[str, ...]
    """The texts of its cells that are not empty."""
    category: bool = False
    """Whether the row bears a category's name, or the word of a sum, and is none of its items."""


@dataclass(slots=True)
class _Kept:
    """What was read so far."""

    rows: dict[int, FormRow] = field(default_factory=dict)
    added: list[Reading] = field(default_factory=list)
    extra: list[Reading] = field(default_factory=list)
    last: Item | None = None


class _Reader:
    def __init__(
        self, columns: Columns, read_by: ReadBy, matcher: Matcher, going_on_from: Item | None
    ) -> None:
        self._columns = columns
        self._words = {i for c in (Column.EVIDENCE, Column.REMARK) for i in columns.spans.get(c, ())}
        self._native = read_by is ReadBy.CELLS
        self._numbers_are_given = read_by in (ReadBy.CELLS, ReadBy.TABLE)
        self._glue = "" if read_by in (ReadBy.TEXT, ReadBy.OCR) else "\n"
        self._matcher = matcher
        self._categories = {c.name: c.points for c in matcher.rubric.categories}
        self._names = {name_of_category(name) for name in self._categories} - {""}
        self._kept = _Kept(last=going_on_from)

    def read(self, rows: Sequence[Row]) -> Rows:
        body, totals, rest = self._parted(rows)
        claims = list(_visible(self._claims(body)))
        for index, claim in enumerate(claims):
            following = claims[index + 1].item if index + 1 < len(claims) else None
            self._settle(claim, following)
        kept = self._kept
        return Rows(
            rows=tuple(kept.rows.values()),
            added=tuple(kept.added),
            extra=tuple(kept.extra),
            totals=totals,
            rest=rest,
        )

    def _parted(self, rows: Sequence[Row]) -> tuple[list[Row], tuple[Total, ...], tuple[Row, ...]]:
        """Rows that may be items, the sums, and what stands below the total."""
        said = [
            row
            for row in straightened(rows, self._columns, self._reads_as_an_item)
            if any(cell.text.strip() or cell.formula for cell in row)
            and not repeats_header(row, self._columns)
            and not self._is_example(row)
        ]
        items = [index for index, row in enumerate(said) if self._is_surely_an_item(row)] or [-1]
        totals = self._totals(said, items)
        ends = (index for index, t in totals.items() if index > items[0] and t.may_end)
        foot = next(ends, len(said))
        body = [row for index, row in enumerate(said) if index < foot or index in items]
        taken = {*items, *totals}
        rest = [row for index, row in enumerate(said) if index > foot and index not in taken]
        return body, tuple(totals.values()), tuple(rest)

    def _totals(self, said: Sequence[Row], items: Sequence[int]) -> dict[int, Total]:
        """The sums by their words; where none of these may be the form's own, also what bears all its points."""

        def total(index: int, cell: Cell) -> Total:
            return Total(cell=cell, weight=self._weight(said[index]), within=items[0] < index < items[-1])

        worded = {i: total(i, cell) for i, row in enumerate(said) if (cell := self._total(row)) is not None}
        if any(each.may_end for each in worded.values()):
            return worded
        scores = (
            (i, self._columns.cell(r, Column.SCORE)) for i, r in enumerate(said) if self._bears_all_points(r)
        )
        return dict(sorted(({i: total(i, cell) for i, cell in scores} | worded).items()))

    def _is_example(self, row: Row) -> bool:
        """Whether a row says of itself that it only shows how to fill in the others."""
        named = (Column.NO, Column.CATEGORY, Column.GROUP)
        return any(is_example(self._columns.cell(row, column).text) for column in named)

    def _is_surely_an_item(self, row: Row) -> bool:
        """Whether a row is an item by its criterion or, in a form without a column of criteria, by its number."""
        if Column.CRITERION in self._columns:
            return self._item(row) is not None or self._astray(row) is not None
        return _number(self._columns.cell(row, Column.NO)) is not None

    def _reads_as_an_item(self, row: Row) -> bool:
        """Whether a row has a criterion, its points, and neither words as the score nor a number as the evidence."""
        item, columns = self._item(row), self._columns
        points, score, evidence = (
            parse_points(columns.cell(row, column).text)
            for column in (Column.POINTS, Column.SCORE, Column.EVIDENCE)
        )
        return (
            item is not None
            and (points == item.points or Column.POINTS not in columns)
            and score is not Problem.NOT_A_NUMBER
            and not isinstance(evidence, Decimal)
        )

    def _weight(self, row: Row) -> int:
        """The `Total.weight` of a row that states a sum."""
        words = [cell.text for index, cell in enumerate(row) if index not in self._words]
        beside = parse_points(self._columns.cell(row, Column.POINTS).text)
        if isinstance(beside, Decimal):
            named = any(number_of_total(text) is not None for text in words)
            return 1 + named if beside == self._matcher.rubric.total else 0
        return int(any("总" in text for text in words))

    def _text(self, row: Row) -> str:
        return normalized(self._columns.cell(row, Column.CRITERION).text)

    def _total(self, row: Row) -> Cell | None:
        """The cell of the stated total, if this row is the total's."""
        for index, cell in enumerate(row):
            number = None if index in self._words else number_of_total(cell.text)
            if number is None:
                continue
            score = self._columns.cell(row, Column.SCORE)
            if score is not cell and (score.text.strip() or score.formula):
                return score
            if number and parse_points(number) != self._matcher.rubric.total:
                return replace(cell, text=number)
            return self._number_beside(row) or replace(score, text="")
        return None

    def _bears_all_points(self, row: Row) -> bool:
        """Whether a row that is no item states the points of the whole form, and has any word: it is the total's row."""
        points = parse_points(self._columns.cell(row, Column.POINTS).text)
        return points == self._matcher.rubric.total and bool(self._name(row).text) and self._item(row) is None

    def _item(self, row: Row) -> Item | None:
        return self._matcher.whole(self._text(row))

    def _number_beside(self, row: Row) -> Cell | None:
        """The only number in the total's row, where the column of the score is empty; None where it is the form's points."""
        taken = {i for span in (self._columns.spans.get(Column.POINTS, ()), self._words) for i in span}
        numbers = [
            cell
            for index, cell in enumerate(row)
            if index not in taken and isinstance(parse_points(cell.text), Decimal)
        ]
        return numbers[0] if len(numbers) == 1 and self._is_no_sum_of_points(numbers[0]) else None

    def _is_no_sum_of_points(self, cell: Cell) -> bool:
        return parse_points(cell.text) != self._matcher.rubric.total

    def _claims(self, body: Sequence[Row]) -> list[_Claim]:
        claims = []
        for row in map(self._aligned, body):
            cells = self._reading(row)
            text = normalized(cells.criterion.text)
            item = self._matcher.whole(text)
            named = item is None and (self._names_category(row) or self._total(row) is not None)
            claims.append(
                _Claim(
                    cells=cells,
                    text=text,
                    item=item,
                    whole=item is not None,
                    name=self._name(row),
                    said=tuple(text for cell in row if (text := cell.text.strip())),
                    category=named,
                )
            )
        known = {claim.item.no for claim in claims if claim.item}
        numbered = self._numbering(claims)
        for claim in claims:
            if claim.item is None and not claim.category:
                claim.item = self._by_number(claim, numbered, known) or self._matcher.part(claim.text)
        return claims

    def _name(self, row: Row) -> Cell:
        telling = (Column.NO, Column.CATEGORY, Column.GROUP, Column.CRITERION)
        cells = (self._columns.cell(row, column) for column in telling)
        return next((cell for cell in cells if cell.text.strip()), NOTHING)

    def _names_category(self, row: Row) -> bool:
        """Whether a row's words are a category's name alone, with or without its number and points."""
        columns = self._columns
        if Column.CRITERION not in columns:
            return False
        said = (Column.NO, Column.CATEGORY, Column.GROUP, Column.CRITERION)
        return name_of_category("".join(columns.cell(row, column).text for column in said)) in self._names

    def _aligned(self, row: Row) -> Row:
        """A row whose first cells were left out (tabbed text) moved so that its criterion stands in its column."""
        span, index = self._columns.spans.get(Column.CRITERION), self._astray(row)
        if span is None or index is None or self._native or index > span[0]:
            return row
        missing = span[0] - index
        moved = (*row[:index], *(NOTHING,) * missing, *row[index : len(row) - missing])
        blank_end = not any(cell.text.strip() for cell in row[len(row) - missing :])
        return moved if blank_end and self._is_pointed(moved) else row

    def _astray(self, row: Row) -> int | None:
        """The index at which a row has its criterion, if it is not in its column; None where it is, or the row has no number."""
        numbered = any(isinstance(parse_points(cell.text), Decimal) for cell in row)
        in_place = self._item(row) is not None
        if Column.CRITERION not in self._columns or in_place or not numbered:
            return None
        places = (index for index in range(len(row)) if index not in self._words)
        return next((i for i in places if self._matcher.whole(normalized(row[i].text)) is not None), None)

    def _is_pointed(self, row: Row) -> bool:
        """Whether a number stands in the column of points, or there is no such column."""
        points = self._columns.cell(row, Column.POINTS)
        return Column.POINTS not in self._columns or isinstance(parse_points(points.text), Decimal)

    def _reading(self, row: Row) -> Reading:
        columns, astray = self._columns, self._astray(row)
        reading = Reading(
            no=columns.cell(row, Column.NO),
            criterion=columns.cell(row, Column.CRITERION),
            points=columns.cell(row, Column.POINTS),
            score=columns.read(row, Column.SCORE),
            evidence=columns.read(row, Column.EVIDENCE),
            remark=columns.cell(row, Column.REMARK),
        )
        return reading if astray is None else reading.displaced(row[astray])

    def _numbering(self, claims: Sequence[_Claim]) -> dict[int, Item]:
        """The item that each 序号 means: by the rubric's own numbers, or by position where the form was numbered anew."""
        items = self._matcher.rubric.items
        own = {item.no: item for item in items}
        anew = dict(enumerate(items, start=1))
        votes: Counter[str] = Counter()
        for claim in claims:
            number = _number(claim.cells.no)
            if number is not None and claim.whole and claim.item is not None:
                votes["own"] += own.get(number) is claim.item
                votes["anew"] += anew.get(number) is claim.item
        if not votes:
            numbers = [n for claim in claims if (n := _number(claim.cells.no)) is not None]
            votes["anew"] += numbers == list(anew)
        return anew if votes["anew"] > votes["own"] else own

    def _by_number(self, claim: _Claim, numbered: dict[int, Item], known: set[int]) -> Item | None:
        number = _number(claim.cells.no)
        item = numbered.get(number) if number is not None else None
        if item is None or (item.no in known and not self._is_part(item, claim.text)):
            return None
        return item

    def _is_part(self, item: Item, text: str) -> bool:
        criterion = self._matcher.criterion(item)
        return text in criterion or self._matcher.part(text) is item

    def _settle(self, claim: _Claim, following: Item | None) -> None:
        kept = self._kept
        if claim.item is None and self._sums_up(claim, following):
            return
        if claim.item is None and not self._native and self._leads(claim, following):
            claim.item = following
        if claim.item is None:
            self._unclaimed(claim)
            return
        row = FormRow(item=claim.item, cells=claim.cells, whole=claim.whole, glue=self._glue)
        before = kept.rows.get(claim.item.no)
        if before is None:
            kept.rows[claim.item.no] = row
        elif before.whole and row.whole:
            kept.rows[claim.item.no] = before.doubled(row)
            self._beneath(claim, claim.item)
        elif kept.last is claim.item:
            kept.rows[claim.item.no] = before.joined(row)
        elif _is_scored(claim.cells):
            kept.added.append(claim.cells)
        kept.last = claim.item

    def _sums_up(self, claim: _Claim, following: Item | None) -> bool:
        """Whether a row is a category's heading or sum, and no item: by its words, by points that are those of the whole
        category or form, or by a score that is the sum of the category's."""
        cells, last = claim.cells, self._kept.last
        said = (claim.name, cells.no, cells.criterion, cells.points)
        if any(is_subtotal(cell.text) for cell in said):
            return True
        if claim.category and (_is_scored(cells) or not cells.evidence.text.strip()):
            return True
        points = parse_points(cells.points.text)
        if _number(cells.no) is not None or (last is not None and points == last.points):
            return False
        ends = following is None or last is None or following.category != last.category
        if last is not None and ends and not isinstance(points, Decimal):
            scores = [
                row.cells.score for row in self._kept.rows.values() if row.item.category == last.category
            ]
            if _is_sum_of(cells.score, scores):
                return True
        beside = {self._categories[item.category] for item in (last, following) if item is not None}
        return points in {*beside, self._matcher.rubric.total}

    def _leads(self, claim: _Claim, following: Item | None) -> bool:
        """Whether this is the first piece of the row below it."""
        if not claim.text or following is None or claim.cells.no.text.strip():
            return False
        last = self._kept.last
        belongs_above = last is not None and self._is_part(last, claim.text)
        return not belongs_above and self._is_part(following, claim.text)

    def _unclaimed(self, claim: _Claim) -> None:
        """Put a row that is no item where it belongs: to the item above, if it goes on there; to the added rows, if it claims
        to be an item and is scored; to the extra ones, if it has a name and a number; else below the item above."""
        cells, kept = claim.cells, self._kept
        own = cells.no.text.strip() or (claim.name is not cells.criterion and is_bonus(claim.name.text))
        if not own and kept.last is not None and self._goes_on(claim, kept.last):
            piece = FormRow(item=kept.last, cells=cells, whole=False, glue=self._glue)
            before = kept.rows.get(kept.last.no)
            kept.rows[kept.last.no] = before.joined(piece) if before else piece
        elif self._claims_to_be_an_item(claim) and _is_scored(cells):
            kept.added.append(cells)
            kept.last = None
        elif claim.name.text.strip() and isinstance(parse_points(cells.score.text), Decimal):
            kept.extra.append(replace(cells, criterion=claim.name))
            kept.last = None
        elif kept.last is not None:
            self._beneath(claim, kept.last)

    def _beneath(self, claim: _Claim, last: Item) -> None:
        """Take a row of words below an item without evidence: it is that evidence where its label says so, else it puts
        the evidence in doubt."""
        before = self._kept.rows.get(last.no)
        if before is None or before.cells.evidence.text.strip() or not self._is_of_words(claim):
            return
        head, *rest = _COLON.split(claim.said[0], maxsplit=1)
        labelled = label(head) is Column.EVIDENCE
        text = "\n".join(filter(None, map(str.strip, (*rest, *claim.said[1:])))) if labelled else ""
        evidence = replace(before.cells.evidence, text=text, several=not labelled)
        self._kept.rows[last.no] = replace(before, cells=replace(before.cells, evidence=evidence))

    def _is_of_words(self, claim: _Claim) -> bool:
        cells = claim.cells
        return (
            self._numbers_are_given
            and _number(cells.no) is None
            and not _is_scored(cells)
            and claim.said != ()
        )

    def _claims_to_be_an_item(self, claim: _Claim) -> bool:
        """Whether a row that is no item looks like one: it has a criterion of four characters or more, or any words and a 序号
        of its own. A number (also 无, or the 4 of a row that numbers the columns) is no criterion."""
        numbered = self._numbers_are_given and _number(claim.cells.no) is not None
        return len(claim.text) >= (1 if numbered else 4) and isinstance(parse_points(claim.text), Problem)

    def _goes_on(self, claim: _Claim, last: Item) -> bool:
        """Whether a row without 序号 continues the item above. A hidden row below a visible one does not: it was written over."""
        if claim.text:
            return self._is_part(last, claim.text) and not self._native
        cells = claim.cells
        if not self._native or cells.criterion.merged or cells.no.merged:
            return True
        before = self._kept.rows.get(last.no)
        return before is not None and (before.cells.criterion.hidden or not cells.criterion.hidden)


def _visible(claims: Sequence[_Claim]) -> Iterator[_Claim]:
    """The claims without hidden rows of an item that a visible row has too. Rows that a filter hides have no such twin."""
    shown = {claim.item.no for claim in claims if claim.item and not claim.cells.criterion.hidden}
    for claim in claims:
        if not (claim.item and claim.cells.criterion.hidden and claim.item.no in shown):
            yield claim


def _number(cell: Cell) -> int | None:
    """A 序号 in digits as a number; None for any other, since 一 and 二 number the categories."""
    number = parse_points(cell.text) if any(c.isdecimal() for c in cell.text) else None
    return int(number) if isinstance(number, Decimal) and number == number.to_integral_value() else None


def _is_sum_of(cell: Cell, scores: Sequence[Cell]) -> bool:
    """Whether a cell adds up several scores, by its number or by its formula."""
    if not cell.text.strip() and cell.formula:
        return len(scores) > 1 and adds_cells(cell.formula, (score.place for score in scores))
    numbers = [number for score in scores if isinstance(number := parse_points(score.text), Decimal)]
    return len(numbers) == len(scores) > 1 and parse_points(cell.text) == sum(numbers)


def _is_scored(cells: Reading) -> bool:
    return any(isinstance(parse_points(c.text), Decimal) for c in (cells.points, cells.score))
