"""Builds extracts of forms cell by cell, as a reader would give them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from mailbot import rubric as rubrics
from mailbot.form.examine import Examined, Readable, examine
from mailbot.model import Code, Finding, Format, ReadBy
from mailbot.reading import Cell, Extract, Table

RUBRIC = rubrics.load(Path(__file__).resolve().parents[3] / "rubric" / "2020.toml")
NOS = tuple(item.no for item in RUBRIC.items)
LABELS = {
    "no": "序号",
    "category": "类别",
    "group": "项目",
    "criterion": "评价内容",
    "points": "分值",
    "score": "自评分",
    "evidence": "自评依据(工作实效)",
    "remark": "备注",
}
ORDER = tuple(LABELS)
TITLE = "2020年度省级学会工作自评表"
NAME = "浙江省示例学会"
EVIDENCE = {
    8: "举办会员继续教育培训3期",
    13: "开展服务会员特色活动4项",
    14: "年内新增会员4.2%",
    46: "2018年被评为5A级社会组织",
    49: "在《浙江科协》等发表信息12次，编发会讯6期",
}

Line = dict[str, Cell]


def cell(text: object = "", **more: object) -> Cell:
    return Cell(text=str(text), **more)  # type: ignore[arg-type]


@dataclass
class Form:
    """A form that a society filled in, all right until something is changed."""

    scores: dict[int, str] = field(default_factory=lambda: {i.no: str(i.points) for i in RUBRIC.items})
    evidence: dict[int, str] = field(
        default_factory=lambda: {n: EVIDENCE.get(n, f"第{n}项工作按要求完成，见总结") for n in NOS}
    )
    title: str = TITLE
    organization: str = f"填报单位：{NAME}（盖章）"
    total: str | None = None
    order: Sequence[str] = ORDER
    labels: Mapping[str, str] = field(default_factory=lambda: dict(LABELS))
    read_by: ReadBy = ReadBy.CELLS
    change: Callable[[list[Line]], list[Line]] = lambda lines: lines
    """What is done to the rows of the items, each known by column."""
    confidence: float | None = None
    name: str = "Sheet1"
    hidden: bool = False

    def lines(self) -> list[Line]:
        lines: list[Line] = []
        before = None
        for item in RUBRIC.items:
            category = f"{item.category}（{points_of(item.category)}分）"
            first = category != before
            before = category
            lines.append(
                {
                    "no": cell(item.no),
                    "category": cell(category if first else "", merged=not first),
                    "group": cell(item.group),
                    "criterion": cell(item.criterion),
                    "points": cell(f"{item.points}分"),
                    "score": cell(self.scores[item.no], place=f"F{item.no}", confidence=self.confidence),
                    "evidence": cell(self.evidence[item.no], place=f"G{item.no}", confidence=self.confidence),
                    "remark": cell(),
                }
            )
        return self.change(lines)

    def stated(self) -> str:
        if self.total is not None:
            return self.total
        try:
            return str(sum(Decimal(score or "0") for score in self.scores.values()))
        except ArithmeticError:
            return ""

    def table(self) -> Table:
        top = (self.title, self.organization)
        rows = [self._row({self.order[0]: cell(text)}) for text in top if text]
        rows.append(self._row({column: cell(self.labels[column]) for column in self.order}))
        rows += [self._row(line) for line in self.lines()]
        label = next(c for c in self.order if c in ("no", "category", "group", "criterion"))
        rows.append(
            self._row(
                {
                    label: cell("总计"),
                    "points": cell("100分"),
                    "score": cell(self.stated(), place="F总"),
                }
            )
        )
        return Table(rows=tuple(rows), name=self.name, hidden=self.hidden)

    def _row(self, line: Line) -> tuple[Cell, ...]:
        return tuple(line.get(column, cell()) for column in self.order)

    def extract(self) -> Extract:
        return extract([self.table()], read_by=self.read_by)


def points_of(category: str) -> Decimal:
    return next(c.points for c in RUBRIC.categories if c.name == category)


def text_of(tables: Iterable[Table]) -> str:
    return "\n".join(
        "\t".join(" ".join(c.text.split()) for c in row) for table in tables for row in table.rows
    )


def extract(tables: Sequence[Table] = (), *, text: str = "", read_by: ReadBy = ReadBy.CELLS) -> Extract:
    formats = {ReadBy.CELLS: Format.XLSX, ReadBy.TABLE: Format.DOCX, ReadBy.TEXT: Format.PDF}
    whole = "\n".join(part for part in (text, text_of(tables)) if part)
    return Extract(
        format=formats.get(read_by, Format.IMAGE), read_by=read_by, text=whole, tables=tuple(tables)
    )


def document(text: str, name: str = "新建文档.docx", key: str = "9") -> Readable:
    return Readable(key=key, filename=name, extract=extract(text=text, read_by=ReadBy.TABLE))


def read(*forms: Form | Extract | Readable) -> Examined:
    """Examine forms and documents as if they had come in one mail."""
    readables = []
    for number, form in enumerate(forms, start=1):
        if isinstance(form, Readable):
            readables.append(form)
            continue
        given = form.extract() if isinstance(form, Form) else form
        readables.append(Readable(key=str(number), filename=f"{number}.xlsx", extract=given))
    return examine(readables, RUBRIC)


def blank(**changes: object) -> Form:
    return Form(scores=dict.fromkeys(NOS, ""), evidence=dict.fromkeys(NOS, ""), total="", **changes)  # type: ignore[arg-type]


def faults(examined: Examined) -> list[tuple[Code, int | None]]:
    return [(f.code, f.item) for f in examined.findings]


def the(examined: Examined, code: Code) -> Finding:
    (found,) = (f for f in examined.findings if f.code is code)
    return found


def changed(no: int, **texts: object) -> Callable[[list[Line]], list[Line]]:
    """A change of some cells in the row of an item."""

    def change(lines: list[Line]) -> list[Line]:
        for line in lines:
            if line["no"].text == str(no):
                for column, new in texts.items():
                    line[column] = new if isinstance(new, Cell) else replace(line[column], text=str(new))
        return lines

    return change
