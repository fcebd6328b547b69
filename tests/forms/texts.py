"""Forms and reports as Word files, and the papers that come beside a form."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

from mailbot.demo.forms import Society, filled
from mailbot.demo.forms import texts as demo_texts
from tests.forms.paper import Grid, Paper, merges
from tests.forms.sheets import repeatable


def saved(document: Any) -> bytes:
    """The file's bytes, the same at every run."""
    out = io.BytesIO()
    document.save(out)
    return repeatable(out.getvalue())


def new() -> Any:
    """An empty Word file."""
    import docx

    return docx.Document()


def add_form(document: Any, paper: Paper, *, merged: bool = True, grid: Grid | None = None) -> Any:
    """Title, 填报单位 and the table, at the end of a document; the table."""
    document.add_heading(paper.title, level=1)
    document.add_paragraph(paper.filler)
    return add_table(document, grid or paper.grid(), merged=merged)


def add_table(place: Any, grid: Grid, *, merged: bool = True) -> Any:
    """The grid as a table at the end of a document or cell."""
    width = len(grid[0])
    table = place.add_table(rows=len(grid), cols=width)
    with_style = getattr(place, "styles", None)
    if with_style is not None:
        table.style = "Table Grid"
    for cells, values in zip(table.rows, grid, strict=True):
        for cell, value in zip(cells.cells, values, strict=True):
            cell.text = value
    for r0, c0, r1, c1 in merges(grid) if merged else ():
        text = grid[r0][c0]
        table.cell(r0, c0).merge(table.cell(r1, c1)).text = text
    return table


def docx(paper: Paper, *, merged: bool = True, touch: Callable[[Any], None] = lambda _: None) -> bytes:
    """The form alone."""
    document = new()
    add_form(document, paper, merged=merged)
    touch(document)
    return saved(document)


def tabbed(paper: Paper, *, blanks: bool = True) -> list[str]:
    """The form's rows as lines of tabbed text, without a table; line breaks within cells are gone."""
    lines = []
    for row in paper.grid():
        cells = [" ".join(cell.split("\n")) for cell in row]
        lines.append("\t".join(cells if blanks else [cell for cell in cells if cell]))
    return [paper.title, paper.filler, *lines]


def report(kind: str, name: str, *, key: str = "", year: int = 2020) -> tuple[str, list[str]]:
    """Title and paragraphs of a `summary` or `plan`, with the signature beneath."""
    field = name.removeprefix("浙江省").rstrip("学会协研究")
    society = Society(key=key or name, name=name, email="", person="", field=field or "科技")
    told = demo_texts()[kind]
    shift = year - 2020
    paragraphs = [filled(text, society, kind) for text in told["paragraphs"]]
    lines = [_moved(text, shift) for text in (filled(told["title"], society), *paragraphs)]
    return lines[0], [*lines[1:], name, f"{2021 + shift}年1月8日"]


def _moved(text: str, years: int) -> str:
    if not years:
        return text
    return text.replace("2021", f"{2021 + years}").replace("2020", f"{2020 + years}")


def add_report(document: Any, title: str, paragraphs: Sequence[str]) -> None:
    """A report at the end of a document."""
    document.add_heading(title, level=0)
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)


def docx_report(kind: str, name: str, *, year: int = 2020) -> bytes:
    """A summary or plan as a Word file."""
    document = new()
    add_report(document, *report(kind, name, year=year))
    return saved(document)
