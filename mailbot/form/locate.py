"""Which tables of a document are the form, and which of their rows is which item.

A form may begin anywhere in a table, go on in the next one (with its header again or without), break its rows over
pages, and number its items anew. The words of the criteria decide; 序号 helps where they do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from mailbot.form.columns import Columns, Row, headers, inferred, names_columns
from mailbot.form.formrow import FormRow, Reading, Total, the_total
from mailbot.form.match import Matcher
from mailbot.form.rows import Rows, read_rows
from mailbot.model import ReadBy
from mailbot.reading import Cell, Extract, Table
from mailbot.rubric import Item

_MOST_ROWS, _MOST_TABLES = 2000, 200
_FEWEST_ITEMS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """A form that was found in a document."""

    rows: tuple[FormRow, ...] = ()
    """One for each item that has a row, in the rubric's order."""
    added: tuple[Reading, ...] = ()
    """Scored rows that are no item of the rubric."""
    extra: tuple[Reading, ...] = ()
    """Scored rows that are no items, such as a bonus, which the total may include; each with its name as criterion."""
    total: Cell | None = None
    """The cell of the stated total; None where the form has no such row."""
    around: tuple[Row, ...] = ()
    """The rows of its tables above the header and below the total."""
    unnamed: str | None = None
    """`Columns.unnamed` of its table: the label above columns that were taken for the evidence, though it does not say so."""
    hidden: bool = False

    @property
    def items(self) -> frozenset[int]:
        """序号 of the items that have a row."""
        return frozenset(row.item.no for row in self.rows)


@dataclass(slots=True)
class _Growing:
    """A form while its tables are being joined."""

    columns: Columns
    hidden: bool
    width: int
    rows: list[FormRow] = field(default_factory=list)
    added: list[Reading] = field(default_factory=list)
    extra: list[Reading] = field(default_factory=list)
    totals: list[Total] = field(default_factory=list)
    around: list[Row] = field(default_factory=list)

    def items(self) -> set[int]:
        return {row.item.no for row in self.rows}

    def take(self, read: Rows) -> None:
        if self.rows and read.rows:
            self.totals = [replace(total, within=True) for total in self.totals]
        self.rows += read.rows
        self.added += read.added
        self.extra += read.extra
        self.totals += read.totals
        self.around += read.rest


def locate(extract: Extract, matcher: Matcher) -> tuple[Located, ...]:
    """The forms in a document, in the order in which they stand; hidden sheets only where no other has one."""
    forms: list[_Growing] = []
    for table in extract.tables[:_MOST_TABLES]:
        rows = table.rows[:_MOST_ROWS]
        for segment in _segments(rows, table, forms, extract.read_by, matcher):
            _place(segment, forms, extract.read_by, matcher)
    found = tuple(
        _finished(form, matcher) for form in forms if len(form.items()) >= _FEWEST_ITEMS or form.around
    )
    visible = tuple(form for form in found if not form.hidden)
    return visible or found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Segment:
    """The part of a table that one header governs."""

    columns: Columns
    above: tuple[Row, ...]
    rows: tuple[Row, ...]
    hidden: bool
    headed: bool


def _segments(
    rows: Sequence[Row], table: Table, forms: Sequence[_Growing], read_by: ReadBy, matcher: Matcher
) -> Iterator[_Segment]:
    found = list(headers(rows, matcher.rubric.year))
    if not found:
        columns = _without_header(rows, forms, table, read_by, matcher)
        if columns is not None:
            yield _Segment(columns=columns, above=(), rows=tuple(rows), hidden=table.hidden, headed=False)
        return
    start = 0
    for header, following in zip(found, [*found[1:], None], strict=True):
        end = following.first if following else len(rows)
        yield _Segment(
            columns=header.columns,
            above=tuple(rows[start : header.first]) if start == 0 else (),
            rows=tuple(rows[header.last + 1 : end]),
            hidden=table.hidden,
            headed=True,
        )
        start = end


def _without_header(
    rows: Sequence[Row], forms: Sequence[_Growing], table: Table, read_by: ReadBy, matcher: Matcher
) -> Columns | None:
    """The columns of a table without a header: those of the form before it, if it is as wide, else by its contents; None
    where these do not tell."""
    if not rows:
        return None
    before = forms[-1] if forms and forms[-1].hidden == table.hidden else None
    if before is not None and before.width == len(rows[0]):
        return before.columns
    if read_by is not ReadBy.OCR and any(map(names_columns, rows)):
        return None
    return inferred(rows, matcher)


def _place(segment: _Segment, forms: list[_Growing], read_by: ReadBy, matcher: Matcher) -> None:
    """Join a segment to the form it goes on from, or begin a new form with it."""
    before = forms[-1] if forms and forms[-1].hidden == segment.hidden else None
    last = before.rows[-1].item if before and before.rows else None
    read = read_rows(segment.rows, segment.columns, read_by, matcher, going_on_from=last)
    new = {row.item.no for row in read.rows}
    if before is not None and _goes_on(segment, read, before):
        before.take(_continued(read, before))
        return
    if not segment.headed and len(new) < _FEWEST_ITEMS:
        return
    width = len(segment.rows[0]) if segment.rows else 0
    form = _Growing(columns=segment.columns, hidden=segment.hidden, width=width)
    form.around += segment.above
    form.take(read)
    forms.append(form)


def _goes_on(segment: _Segment, read: Rows, before: _Growing) -> bool:
    """Whether a segment continues the form before it: it has other items, perhaps after a row that the page's end cut, or
    nothing but the total that the form lacks."""
    if not read.rows:
        grand = any(t.weight for t in read.totals) and not any(t.weight for t in before.totals)
        return grand or bool(read.totals and not before.totals)
    known = {row.item.no: row for row in before.rows}
    again = [row for row in read.rows if row.item.no in known]
    cut = again == [read.rows[0]] and not (again[0].whole and known[again[0].item.no].whole)
    said = any(row.by_words for row in read.rows) or cut or not segment.headed
    return said and (not again or cut)


def _continued(read: Rows, before: _Growing) -> Rows:
    """What a segment adds to the form before it. A first row of an item that the form has already is joined to it."""
    if not read.rows:
        return read
    first = read.rows[0]
    for index, row in enumerate(before.rows):
        if row.item.no == first.item.no:
            before.rows[index] = row.joined(first)
            return replace(read, rows=read.rows[1:])
    return read


def _finished(form: _Growing, matcher: Matcher) -> Located:
    order = {item.no: index for index, item in enumerate(matcher.rubric.items)}
    return Located(
        rows=tuple(sorted(form.rows, key=lambda row: order[row.item.no])),
        added=tuple(form.added),
        extra=tuple(form.extra),
        total=the_total(form.totals),
        around=tuple(form.around),
        unnamed=form.columns.unnamed,
        hidden=form.hidden,
    )


def merged(parts: Iterable[Located], items: Sequence[Item]) -> Located:
    """One form out of parts with different items, as when its pages were photographed one by one."""
    parts = tuple(parts)
    by_no = {row.item.no: row for part in parts for row in part.rows}
    return Located(
        rows=tuple(by_no[item.no] for item in items if item.no in by_no),
        added=tuple(row for part in parts for row in part.added),
        extra=tuple(row for part in parts for row in part.extra),
        total=next((part.total for part in parts if part.total and part.total.text.strip()), None)
        or next((part.total for part in parts if part.total), None),
        around=tuple(row for part in parts for row in part.around),
        unnamed=next((part.unnamed for part in parts if part.unnamed is not None), None),
    )
