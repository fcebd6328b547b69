"""Which column of a table holds what: by the labels of its header, or, without one, by what stands in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

from mailbot.form.match import Matcher, normalized
from mailbot.form.points import Problem, parse_points
from mailbot.reading import Cell
from mailbot.rubric import Item

Row = tuple[Cell, ...]


class Column(StrEnum):
    """What a column of the form holds."""

    NO = "no"
    CATEGORY = "category"
    GROUP = "group"
    CRITERION = "criterion"
    POINTS = "points"
    SCORE = "score"
    EVIDENCE = "evidence"
    REMARK = "remark"


_EVIDENCE = re.compile(
    r".{0,4}(?:自评|评分|得分)?(?:依据|工作实效|自评说明|佐证材料|工作成效|完成情况).{0,8}"
)
_PERHAPS_EVIDENCE = re.compile(
    r"(?!扣).{0,4}(?:自评|评分|得分)?(?:理由|实效|实绩|成效|业绩|得分说明|(?:支撑|证明|印证)材料"
    r"|(?:落实|开展|实施|具体|工作)情况|主要工作|主要做法|具体(?:工作)?内容).{0,8}"
)
"""What names the evidence where nothing else does and it stands right of the score; left of it, what is asked for."""
_LABELS: tuple[tuple[Column, re.Pattern[str]], ...] = tuple(
    (column, re.compile(pattern))
    for column, pattern in (
        (
            Column.SCORE,
            r"(?:学会|单位|本会|自我|实际)?自?(?:评|评价|评估)?(?:得分|自评|自评分数?|自评分值|自我评分|自我评价|自评成绩)分?",
        ),
        (Column.SCORE, r"(?:学会|单位|本会)?(?:自评|自我评|评|打)(?:得)?(?:分|分数|分值|结果)分?"),
        (Column.EVIDENCE, _EVIDENCE.pattern),
        (Column.NO, r"序号?|编号|项号"),
        (Column.CATEGORY, r"类别|分类|一级指标|评价类别"),
        (Column.GROUP, r"项目|评价项目|二级指标"),
        (
            Column.CRITERION,
            r"(?:评价|评估|考核|考评|自评|评分|三级)?(?:内容|标准|指标|要点|内容及标准|内容和标准)",
        ),
        (Column.POINTS, r"(?:标准|基准|评价)?(?:分值|满分|标准分|基准分)分?|分数"),
        (Column.REMARK, r"备注.{0,4}|说明"),
        (Column.EVIDENCE, _PERHAPS_EVIDENCE.pattern),
    )
)
_YEAR = re.compile(r"(?:19|20)[0-9]{2}(?!年?[0-9]{1,2}月)")
"""A year that is none of a date."""
_ASIDE = re.compile(r"[(（\[【][^()（）\[\]【】]*[)）\]】]|^\s*(?:20[0-9]{2}年度?|本年度?|今年)")
"""Remarks in a label beside its word, which are taken out: brackets (who fills it in, and how), and the year."""
_STAGES = (
    (2, re.compile(r"审定|核定|最终|终评|终审|定稿|本年|今年")),
    (-2, re.compile(r"初评|初审|初步|预评|上年|上一年|去年|往年|秘书处")),
    (1, re.compile(r"自评|自我")),
)
"""Words in labels by which columns of scores that stand side by side are told apart, each with its rank: the column of
the highest rank counts, one below zero never does."""
_STAGE = re.compile("|".join((_YEAR.pattern, *(pattern.pattern for _, pattern in _STAGES))))
_FROM_RANK = {Column.SCORE: 1, Column.EVIDENCE: 2}
"""Columns of which a header may name several, and the least rank with which one of them counts alone."""
_LONGEST_LABEL = 20
_DEEPEST_HEADER = 3
_BODY = 60
"""So many rows beneath a header tell numbers and text apart."""
NOTHING, _NOWHERE = Cell(text=""), range(0)


@lru_cache(maxsize=1024)
def label(text: str) -> Column | None:
    """The column that a header's text names."""
    if len(text) > 2 * _LONGEST_LABEL:
        return None
    return _named_by(normalized(text)) or _named_by(normalized(_ASIDE.sub("", text)))


def _named_by(bare: str) -> Column | None:
    if not bare or len(bare) > _LONGEST_LABEL:
        return None
    return next((column for column, pattern in _LABELS if pattern.fullmatch(bare)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Where each column of the form stands in a table."""

    spans: Mapping[Column, Sequence[int]]
    """Indexes in the table's grid, by column of the form: several where its label is merged or stands over several."""
    passed_over: Sequence[int] = ()
    """Indexes of columns of scores that are not asked for, by their labels: last year's, a first draft's."""
    borders: tuple[int, ...] = ()
    """Indexes in the table's grid at which cells of the header begin, those without a label too."""
    unnamed: str | None = None
    """The label above the columns that are taken for the evidence because they hold text, though the label does not say
    so; None where one does."""

    def cell(self, row: Row, column: Column) -> Cell:
        """The row's cell in a column of the form; an empty one where there is none.

        Where several columns are the evidence their texts are joined. Where several are the score and differ, the cell is
        doubtful (`several`); so it is where a score stands only in a column that is not asked for.
        """
        span = self.spans.get(column, _NOWHERE)
        if len(span) == 1 and not self.passed_over:
            return row[span[0]] if span[0] < len(row) else NOTHING
        cells = [row[index] for index in span if index < len(row)] or [NOTHING]
        if column is Column.SCORE:
            passed_over = [row[index] for index in self.passed_over if index < len(row)]
            return _score(cells) or _doubtful(passed_over) or cells[0]
        said = [cell for cell in cells if cell.text.strip() or cell.formula]
        if column is Column.EVIDENCE and len(said) > 1:
            texts = dict.fromkeys(cell.text.strip() for cell in said)
            return replace(said[0], text="\n".join(texts))
        return said[0] if said else cells[0]

    def read(self, row: Row, column: Column) -> Cell:
        """As `cell`, but an empty cell is doubtful where its content may stand in a neighbouring column."""
        cell, evidence = self.cell(row, column), column is Column.EVIDENCE
        if cell.text.strip() if evidence else not is_empty(cell):
            return cell
        guessed = evidence and self.unnamed is not None
        return replace(cell, several=True) if guessed or self._is_beside_more(row, column) else cell

    def _is_beside_more(self, row: Row, column: Column) -> bool:
        """Whether a neighbouring label has several filled cells beneath it in this row, one of which may belong here: words
        where this column is the evidence, a number where it is the score."""
        own = self.spans.get(column, _NOWHERE)
        for span in self.spans.values():
            if own and (span[-1] + 1 == own[0] or own[-1] + 1 == span[0]):
                said = [text for i in span if i < len(row) and (text := row[i].text.strip())]
                words = [parse_points(text) is Problem.NOT_A_NUMBER for text in said]
                if len(said) > 1 and (column is Column.EVIDENCE) in words:
                    return True
        return False

    def __contains__(self, column: Column) -> bool:
        return column in self.spans


def is_empty(cell: Cell) -> bool:
    """Whether a cell holds nothing that could be a score."""
    return not cell.formula and parse_points(cell.text) is Problem.EMPTY


def _score(cells: Sequence[Cell]) -> Cell | None:
    """The one score in these cells; a doubtful cell where they hold different ones, None where all are empty. Words do not
    count where a number stands beside them."""
    said = [cell for cell in cells if not is_empty(cell)]
    if len(said) < 2:
        return said[0] if said else None
    counting = [cell for cell in said if cell.formula or parse_points(cell.text) is not Problem.NOT_A_NUMBER]
    if len({cell.formula or parse_points(cell.text) for cell in counting}) < 2:
        return (counting or said)[0]
    return _doubtful(counting)


def _doubtful(cells: Sequence[Cell]) -> Cell | None:
    said = [cell for cell in cells if not is_empty(cell)]
    texts = [cell.text.strip() or cell.formula for cell in said]
    return replace(said[0], text="\n".join(texts), several=True) if said else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A header found in a table: its rows and the columns it names."""

    first: int
    last: int
    columns: Columns


def headers(rows: Sequence[Row], year: int) -> Iterator[Header]:
    """Every header of the form in a table, wherever it stands, also one over two or three rows.

    Of scores for several years those of the given one count.
    """
    labelled = [any(label(cell.text) for cell in row) for row in rows]
    index = 0
    while index < len(rows):
        found = _header_at(rows, index) if any(labelled[index : index + _DEEPEST_HEADER]) else None
        if found is None or _is_of_another_year(found, rows, year):
            index += 1
            continue
        header = _with_evidence(_told_apart(found, rows, year), rows)
        yield header
        index = header.last + 1


def _is_of_another_year(header: Header, rows: Sequence[Row], year: int) -> bool:
    """Whether there is one column of scores, and its label names another year."""
    span = header.columns.spans[Column.SCORE]
    years = _YEAR.findall("".join(_over(rows[header.first : header.last + 1], span[0])))
    return len(span) == 1 and bool(years and year) and str(year) not in years


def is_headed(rows: Sequence[Row]) -> bool:
    """Whether a table has a header of the form."""
    return next(headers(rows, 0), None) is not None


def _header_at(rows: Sequence[Row], index: int) -> Header | None:
    """The header that begins in this row: the fewest rows that name the most columns."""
    best: Header | None = None
    for depth in range(1, _DEEPEST_HEADER + 1):
        window = rows[index : index + depth]
        if len(window) < depth or not any(cell.text.strip() for cell in window[-1]):
            break
        below = rows[index + depth : index + depth + _BODY]
        columns = _named(window, below)
        if depth > 1 and len(_named(window[1:], below).spans) >= len(columns.spans):
            continue
        if _is_header(columns) and (best is None or len(columns.spans) > len(best.columns.spans)):
            best = Header(first=index, last=index + depth - 1, columns=columns)
    return best


def _told_apart(header: Header, rows: Sequence[Row], year: int) -> Header:
    """The header with only those columns of the score, and of the evidence, that count by their labels, where it names
    several. A row beneath it that tells them apart becomes part of the header."""
    spans = dict(header.columns.spans)
    if all(len(spans.get(column, ())) < 2 for column in _FROM_RANK):
        return header
    last = header.last + _is_beneath(header, rows)
    window = rows[header.first : last + 1]
    for column, least in _FROM_RANK.items():
        ranks = _ranks(window, spans.get(column, ()), year)
        best = max(ranks.values(), default=0)
        if best >= least:
            spans[column] = [index for index, rank in ranks.items() if rank == best]
    passed_over = [i for i in header.columns.spans[Column.SCORE] if i not in spans[Column.SCORE]]
    return replace(
        header, last=last, columns=Columns(spans=spans, passed_over=passed_over, borders=_borders(window))
    )


def _with_evidence(header: Header, rows: Sequence[Row]) -> Header:
    """The header; where no label names the evidence, the columns right of the score that mostly hold text are taken for it."""
    columns = header.columns
    if Column.EVIDENCE in columns:
        return header
    taken = {index for span in columns.spans.values() for index in span}
    scored = [row for row in rows[header.last + 1 :] if not is_empty(columns.cell(row, Column.SCORE))]
    beside = range(max(columns.spans[Column.SCORE]) + 1, len(rows[header.last]))
    found = [index for index in beside if index not in taken and _holds_text(scored, index)]
    if not found:
        return header
    window = rows[header.first : header.last + 1]
    label_above = " ".join(row[i].text for row in window for i in found if i < len(row) and row[i].text)
    spans = {**columns.spans, Column.EVIDENCE: found}
    return replace(header, columns=replace(columns, spans=spans, unnamed=label_above))


def _holds_text(rows: Sequence[Row], index: int) -> bool:
    said = [row for row in rows if index < len(row) and parse_points(row[index].text) is Problem.NOT_A_NUMBER]
    return 2 * len(said) > len(rows)


def _is_beneath(header: Header, rows: Sequence[Row]) -> bool:
    """Whether the row below a header is part of it: its words tell the columns of the score apart."""
    if header.last + 1 >= len(rows):
        return False
    columns, row = header.columns, rows[header.last + 1]
    if any(columns.cell(row, column).text.strip() for column in (Column.NO, Column.CRITERION)):
        return False
    texts = [row[index].text for index in columns.spans[Column.SCORE] if index < len(row)]
    return any(_STAGE.search(text) and parse_points(text) is Problem.NOT_A_NUMBER for text in texts)


def _ranks(window: Sequence[Row], span: Sequence[int], year: int) -> dict[int, int]:
    """The rank of each of several columns, by those rows of the header that do not say the same of all of them."""
    said = {index: _over(window, index) for index in span}
    telling = [n for n in range(len(window)) if len({texts[n] for texts in said.values()}) > 1]
    return {index: _rank("".join(texts[n] for n in telling), year) for index, texts in said.items()}


def _over(window: Sequence[Row], index: int) -> list[str]:
    """What each row of the header says of a column, normalized. A label that is merged over it from the left counts."""
    texts: list[str] = []
    for row in window:
        at = index if index < len(row) else 0
        while not any(texts) and at > 0 and row[at].merged and not row[at].text.strip():
            at -= 1
        texts.append(normalized(row[at].text))
    return texts


def _rank(text: str, year: int) -> int:
    """The rank of a column by its label: 3 for the year asked for, -3 for another year, else by `_STAGES`, else 0."""
    years = _YEAR.findall(text)
    if years:
        return 3 if str(year) in years else -3
    return next((rank for rank, pattern in _STAGES if pattern.search(text)), 0)


def _is_header(columns: Columns) -> bool:
    item = Column.CRITERION in columns or Column.NO in columns
    return len(columns.spans) >= 3 and Column.SCORE in columns and item


def names_columns(row: Row) -> bool:
    """Whether a row is the header of some table with criteria, the form's or another."""
    named = {column for cell in row if (column := label(cell.text)) is not None}
    return len(named) >= 3


def _named(window: Sequence[Row], below: Sequence[Row]) -> Columns:
    width = max(len(row) for row in window)
    named: dict[Column, list[range]] = {}
    for index in range(width):
        texts = [row[index].text for row in window if index < len(row)]
        column = label("".join(texts)) or (label(texts[-1]) if len(texts) > 1 else None)
        if column is not None:
            named.setdefault(column, []).append(range(index, _end(window, index, width)))
    if Column.SCORE in named:
        named[Column.SCORE] = _without_words(named[Column.SCORE], below)
    score = min((span.start for span in named.get(Column.SCORE, ())), default=0)
    named[Column.EVIDENCE] = _evidence(window, named.get(Column.EVIDENCE, ()), score)
    spans = {column: _spanned(window, column, spans) for column, spans in named.items() if spans}
    return Columns(spans=spans, borders=_borders(window))


def _without_words(spans: list[range], below: Sequence[Row]) -> list[range]:
    """Of several columns for the score those that do not mostly hold text: 自我评价 may also head the evidence."""
    if len(spans) < 2:
        return spans
    filled = [row for row in below if any(s.start < len(row) and not is_empty(row[s.start]) for s in spans)]
    return [span for span in spans if not filled or not _holds_text(filled, span.start)] or spans


def _evidence(window: Sequence[Row], spans: Sequence[range], score: int) -> list[range]:
    """The columns that are surely the evidence, else those right of the score that may be."""
    sure = [span for span in spans if _is_surely_evidence(window, span.start)]
    return sure or [span for span in spans if span.start > score]


def _is_surely_evidence(window: Sequence[Row], index: int) -> bool:
    return any(_EVIDENCE.fullmatch(normalized(row[index].text)) for row in window if index < len(row))


def _borders(window: Sequence[Row]) -> tuple[int, ...]:
    return tuple(sorted({index for row in window for index, cell in enumerate(row) if not cell.across}))


def _spanned(window: Sequence[Row], column: Column, spans: Sequence[range]) -> Sequence[int]:
    """The indexes of the first visible label of a column; of score and evidence those of all, of which `_told_apart` picks."""
    spans = [span for span in spans if not _is_hidden(window, span.start)] or spans
    if column is Column.SCORE:
        spans = [span for span in spans if _says_self(window, span.start)] or spans
    indexes = [index for span in (spans if column in _FROM_RANK else spans[:1]) for index in span]
    return [index for index in indexes if not _is_hidden(window, index)] or indexes


def _is_hidden(window: Sequence[Row], index: int) -> bool:
    return all(row[index].hidden for row in window if index < len(row))


def _says_self(window: Sequence[Row], index: int) -> bool:
    """Whether a label says 自 (自评分): it goes before a mere 得分 in the same header."""
    return any("自" in row[index].text for row in window if index < len(row))


def _end(window: Sequence[Row], index: int, width: int) -> int:
    """The end of the columns over which a label is merged."""
    end = index + 1
    while end < width and all(end < len(row) and not row[end].text.strip() for row in window):
        if not any(row[end].merged for row in window):
            break
        end += 1
    return end


def repeats_header(row: Row, columns: Columns) -> bool:
    """Whether a row is the header again, as on each page of a long table."""
    same = [column for column in columns.spans if label(columns.cell(row, column).text) is column]
    return len(same) >= 3


def inferred(rows: Sequence[Row], matcher: Matcher) -> Columns | None:
    """The columns of a table that has no header (a later page), by what stands in them.

    The column of criteria is the one that holds the rubric's own. The column of points is the one behind it that holds
    these items' points, and score, evidence and remark follow it.
    """
    matched = _criteria(rows, matcher)
    if matched is None:
        return None
    criterion, items = matched
    width = max(len(row) for row in rows)
    spans = {Column.CRITERION: range(criterion, criterion + 1)}
    no = next((c for c in range(criterion) if _holds_numbers(items, c)), None)
    points = next((c for c in range(criterion + 1, width) if _holds_points(items, c)), None)
    if no is not None:
        spans[Column.NO] = range(no, no + 1)
    if points is None or points + 2 >= width:
        return None
    following = (Column.POINTS, Column.SCORE, Column.EVIDENCE, Column.REMARK)
    spans |= {
        column: range(points + n, points + n + 1) for n, column in enumerate(following) if points + n < width
    }
    return Columns(spans=spans)


def _criteria(rows: Sequence[Row], matcher: Matcher) -> tuple[int, list[tuple[Row, Item]]] | None:
    found: dict[int, list[tuple[Row, Item]]] = {}
    for row in rows:
        for index, cell in enumerate(row):
            item = matcher.whole(normalized(cell.text))
            if item is not None:
                found.setdefault(index, []).append((row, item))
    votes = Counter({index: len({item.no for _, item in items}) for index, items in found.items()})
    if not votes or votes.most_common(1)[0][1] < 2:
        return None
    index = votes.most_common(1)[0][0]
    return index, found[index]


def _holds_numbers(items: Sequence[tuple[Row, Item]], index: int) -> bool:
    said = [parse_points(row[index].text) == item.no for row, item in items if index < len(row)]
    return sum(said) * 2 > len(said)


def _holds_points(items: Sequence[tuple[Row, Item]], index: int) -> bool:
    said = [parse_points(row[index].text) == item.points for row, item in items if index < len(row)]
    return sum(said) * 2 > len(said)
