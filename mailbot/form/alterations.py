"""Whether a form is still the rubric's: items, their words and their points.

Where the reading rather than the form may be at fault, the finding is a doubt for a person and no accusation.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from mailbot.form.formrow import FormRow
from mailbot.form.locate import Located
from mailbot.form.match import SAME, Matcher, normalized, normalized_whole
from mailbot.form.points import parse_points, plain
from mailbot.model import Code, Finding, ReadBy, finding
from mailbot.rubric import Item

_LONGEST_QUOTE = 120


def quoted(text: str) -> str:
    """A text in one line, short enough for a letter."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_QUOTE else line[: _LONGEST_QUOTE - 1] + "…"


def alterations(
    form: Located, read_by: ReadBy, text: str, matcher: Matcher, *, cut_short: bool
) -> Iterator[Finding]:
    """What differs from the rubric. `text` is the whole document's; `cut_short` that it was not read whole."""
    yield from _removed(form, text, matcher, cut_short=cut_short)
    for row in form.rows:
        yield from _points(row)
        yield from _words(row, read_by, text, matcher)
    for added in form.added:
        name = added.criterion.text.strip() or added.no.text
        yield finding(Code.FORM_ALTERED, found=quoted(name), place=added.criterion.place or added.no.place)


def _removed(form: Located, text: str, matcher: Matcher, *, cut_short: bool) -> Iterator[Finding]:
    present = form.items
    missing = [item for item in matcher.rubric.items if item.no not in present]
    if 2 * len(missing) > len(matcher.rubric.items):
        yield finding(Code.FORM_LOW_CONFIDENCE)
        return
    for item in missing:
        if cut_short or matcher.stands_in(item, normalized_whole(text)):
            yield finding(Code.FORM_LOW_CONFIDENCE, item=item.no)
        else:
            yield finding(Code.FORM_ALTERED, item=item.no, wanted=quoted(item.criterion))


def _points(row: FormRow) -> Iterator[Finding]:
    cell = row.cells.points
    points = parse_points(cell.text)
    if isinstance(points, Decimal) and points != row.item.points:
        yield finding(
            Code.FORM_LOW_CONFIDENCE if cell.several else Code.FORM_ALTERED,
            item=row.item.no,
            found=quoted(cell.text),
            wanted=plain(row.item.points),
            place=cell.place,
        )


def is_cut_off(row: FormRow, read_by: ReadBy, matcher: Matcher) -> bool:
    """Whether a page shows a piece of an item's criterion alone, its row being too low."""
    return read_by is ReadBy.TEXT and matcher.is_piece(row.item, normalized(row.cells.criterion.text))


def _words(row: FormRow, read_by: ReadBy, text: str, matcher: Matcher) -> Iterator[Finding]:
    words = normalized(row.cells.criterion.text)
    if words in ("", matcher.criterion(row.item)):
        return
    cut_off = is_cut_off(row, read_by, matcher)
    if not (cut_off or _changed(row.item, words, read_by, text, matcher)):
        return
    yield finding(
        Code.FORM_LOW_CONFIDENCE if cut_off else Code.FORM_ALTERED,
        item=row.item.no,
        found=quoted(row.cells.criterion.text),
        wanted=quoted(row.item.criterion),
        place=row.cells.criterion.place,
    )


def _changed(item: Item, words: str, read_by: ReadBy, text: str, matcher: Matcher) -> bool:
    if matcher.resemblance(item, words) >= SAME:
        return matcher.other_numbers(item, words)
    drawn = read_by in (ReadBy.TEXT, ReadBy.OCR)
    return not (drawn and (matcher.part(words) is item or matcher.stands_in(item, normalized_whole(text))))
