"""What is read of one row of a form, of several that are one, and of the rows that state a sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mailbot.form.columns import NOTHING, is_empty
from mailbot.form.points import parse_points
from mailbot.reading import Cell
from mailbot.rubric import Item


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The cells of one row of the form, by column; pieces of a broken row joined."""

    no: Cell
    criterion: Cell
    points: Cell
    score: Cell
    evidence: Cell
    remark: Cell

    def displaced(self, criterion: Cell) -> Reading:
        """The same row where its criterion stands in another's column: what its other cells are is not sure."""
        return replace(
            self,
            criterion=criterion,
            points=NOTHING,
            score=replace(self.score, several=True),
            evidence=replace(self.evidence, several=True),
        )

    def joined(self, other: Reading, glue: str) -> Reading:
        """This row and its continuation as one."""
        return Reading(
            no=_join(self.no, other.no, glue),
            criterion=_join(self.criterion, other.criterion, ""),
            points=_join(self.points, other.points, glue),
            score=_join_scores(self.score, other.score),
            evidence=_join(self.evidence, other.evidence, glue),
            remark=_join(self.remark, other.remark, glue),
        )


def _join_scores(one: Cell, other: Cell) -> Cell:
    """Two cells of one score. What stands in both is never made one number, not even where it is the same: 3 and 3 may mean 6."""
    if is_empty(other):
        return one
    if is_empty(one):
        return other
    texts = [cell.text.strip() or cell.formula for cell in (one, other)]
    return replace(_join(one, other, "\n"), text="\n".join(texts), several=True)


def _join(one: Cell, other: Cell, glue: str) -> Cell:
    if not other.text.strip() and not other.formula:
        return one
    if not one.text.strip() and not one.formula:
        return other
    if one.text.strip() == other.text.strip():
        return one
    known = [c for c in (one.confidence, other.confidence) if c is not None]
    return replace(
        one,
        text=one.text.rstrip() + glue + other.text.lstrip(),
        confidence=min(known) if known else None,
        picture=one.picture or other.picture,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FormRow:
    """One row of the form that is an item, or (`Rows.added`) claims to be one."""

    item: Item
    cells: Reading
    whole: bool
    """Whether it states the item's whole criterion, and not only a piece of it."""
    glue: str = "\n"
    """What is put between the pieces of a text that are joined."""

    @property
    def by_words(self) -> bool:
        """Whether it was told by its whole criterion or, where it states none, by its number; not by a piece of one."""
        return self.whole or not self.cells.criterion.text.strip()

    def joined(self, other: FormRow) -> FormRow:
        """This row and its continuation on the next page as one."""
        return replace(self, cells=self.cells.joined(other.cells, self.glue), whole=self.whole or other.whole)

    def doubled(self, other: FormRow) -> FormRow:
        """The same item on two whole rows. Where the second says something else, which of their scores counts is doubtful."""
        cells, others = self.cells, other.cells
        pairs = ((cells.score, others.score), (cells.evidence, others.evidence))
        said = ([cell.text.strip() or cell.formula for cell in pair] for pair in pairs)
        if all(theirs in ("", ours) for ours, theirs in said):
            return self
        return replace(self, cells=replace(cells.joined(others, self.glue), criterion=cells.criterion))


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """A row that states a sum: the form's, or a category's under the same word."""

    cell: Cell
    weight: int
    """How surely it is the whole form's: 2 where the form's points stand beside its word, 1 where one of these or 总 does,
    0 where nothing says so."""
    within: bool
    """Whether there are items above and below it."""

    @property
    def may_end(self) -> bool:
        """Whether it may be the whole form's, and no category's."""
        return self.weight > 0 or not self.within


def _rank(total: Total) -> tuple[bool, int, bool]:
    """How likely a sum is the form's total: most of all where its row says so and it states a number."""
    stated = not is_empty(total.cell)
    return stated and total.weight > 0, total.weight, stated


def the_total(totals: Sequence[Total]) -> Cell | None:
    """The form's total: the last of the sums that are most likely it; None where there is none.

    A 合计 between items is a category's sum. Where another sum is as likely and states another number, the cell is
    doubtful: all of them may be sums of categories, and none the total.
    """
    visible = [total for total in totals if not total.cell.hidden] or totals
    found = [total for total in visible if total.may_end]
    if not found:
        return None
    best = max(reversed(found), key=_rank)
    like = [t.cell for t in visible if t.weight == best.weight and not is_empty(t.cell)]
    several = len({cell.formula or parse_points(cell.text) for cell in like}) > 1
    return replace(best.cell, several=several or best.cell.several)
