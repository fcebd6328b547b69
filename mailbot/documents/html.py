"""Reads HTML: saved pages, tables pasted into a mail, and the HTML that programs export under the name of a workbook."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import TYPE_CHECKING

from mailbot.documents import text as texts
from mailbot.documents.markup import LOWERED, RAISED
from mailbot.documents.text import first_lines
from mailbot.errors import UnreadableError
from mailbot.model import Format, ReadBy
from mailbot.reading import Cell, Extract, Table

if TYPE_CHECKING:
    from lxml import etree

_CHARSET = re.compile(rb"charset\s*=\s*[\"']?([A-Za-z0-9_:.-]{2,40})", re.I)
_MOST_TEXT = 20_000_000
_MOST_ROWS, _MOST_COLUMNS, _MOST_CELLS = 5000, 200, 200_000
_UNSEEN = ("script", "style", "head", "template", "noframes", "object", "rt", "rp", "comment")
_OF_NOTES = re.compile(
    r"mso(?:com(?:anchor|off|txt)|footnotereference|endnotereference)|sd(?:foot|end)note(?:anc|sym)"
)
"""The classes of elements in which Word and LibreOffice put comments, and the marks of notes."""
_HIDDEN = re.compile(r"display\s*:\s*none|mso-hide\s*:\s*all", re.IGNORECASE)
_MAY_HIDE = frozenset({"span", "font", "p", "b", "i", "u", "tr", "td", "th"})
"""What is hidden for good; larger pieces may be shown by a script."""
_STRUCK = frozenset({"s", "strike", "del"})
_STRIKES = re.compile(r"text-decoration(?:-line)?\s*:[^;]*line-through", re.IGNORECASE)
_MOVED = {"sup": RAISED, "sub": LOWERED}
_LINES = re.compile(
    r"address|article|blockquote|br|center|d[dlt]|div|fieldset|footer|form|h[1-6]|header|hr|li|[ou]l|p|pre|section"
    r"|table|tbody|tfoot|thead|tr"
)
_CELL, _ROW = "\x01", "\x02"
_HEADINGS = ("h1", "h2", "h3", "h4", "title", "caption")


def read(data: bytes) -> Extract:
    """Read an HTML page and its tables. Raises UnreadableError."""
    charset = _CHARSET.search(data[:8192])
    page = texts.decode(data, charset[1].decode() if charset else "")
    root = _root(page[:_MOST_TEXT])
    titles = [title for name in _HEADINGS for element in root.iter(name) if (title := _line(element))]
    for element in [e for e in root.iter() if not isinstance(e.tag, str) or e.tag in _UNSEEN]:
        _drop(element)
    for element in [
        e for e in root.iter() if _is_hidden(e) or _is_of_note(e) or _is_struck_beside_other_text(e)
    ]:
        _drop(element)
    for element in root.iter("sup", "sub"):
        _move(element, _MOVED[element.tag])
    tables, truncated = _tables(root)
    lines = _text(root).split("\n")
    return Extract(
        format=Format.HTML,
        read_by=ReadBy.TABLE,
        text="\n".join(lines),
        tables=tables,
        headings=tuple(dict.fromkeys(titles)) or first_lines(lines),
        truncated=truncated or len(page) > _MOST_TEXT,
    )


def _root(page: str) -> etree._Element:
    from lxml import etree, html

    try:
        parser = html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False)
        return html.document_fromstring(page.replace("\0", "").encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError, AssertionError) as error:
        raise UnreadableError(f"no HTML: {error}") from error


def _is_hidden(element: etree._Element) -> bool:
    return element.tag in _MAY_HIDE and _HIDDEN.search(element.get("style", "")) is not None


def _is_of_note(element: etree._Element) -> bool:
    return _OF_NOTES.fullmatch(element.get("class", "").lower()) is not None


def _move(element: etree._Element, signs: Mapping[int, int]) -> None:
    """Replace the digits of a superscript or subscript by their own signs (¹, ₁): 4 with a mark of a note is not 41."""
    for part in element.iter():
        part.text = (part.text or "").translate(signs)
        if part is not element:
            part.tail = (part.tail or "").translate(signs)


def _is_struck(element: etree._Element) -> bool:
    return element.tag in _STRUCK or _STRIKES.search(element.get("style", "")) is not None


def _is_struck_beside_other_text(element: etree._Element) -> bool:
    """Whether an element within a cell is struck out, and something in the cell is not."""
    if not _is_struck(element):
        return False
    cell = next(element.iterancestors("td", "th"), None)
    if cell is None:
        return False
    struck = {e for e in cell.iter() if e is not cell and _is_struck(e)}
    inside = {e for each in struck for e in each.iter()}
    return any((e.text or "").strip() for e in cell.iter() if e not in inside) or any(
        (e.tail or "").strip() for e in cell.iter() if e is not cell and (e not in inside or e in struck)
    )


def _drop(element: etree._Element) -> None:
    """Take an element out and leave what follows it."""
    parent, before = element.getparent(), element.getprevious()
    if parent is None:
        return
    if before is not None:
        before.tail = (before.tail or "") + (element.tail or "")
    else:
        parent.text = (parent.text or "") + (element.tail or "")
    parent.remove(element)


def _line(element: etree._Element) -> str:
    return " ".join("".join(str(piece) for piece in element.itertext()).split())[:200]


def _text(top: etree._Element, *, within_cell: bool = False) -> str:
    """Running text, a line for each block and row, a tab between cells; nested tables are left out of a cell."""
    from lxml import etree

    pieces: list[str] = [_said(top.text, top)]
    skipped: etree._Element | None = None
    for event, element in etree.iterwalk(top, events=("start", "end")):
        if element is top or skipped is not None:
            if event == "end" and skipped is not None and element is skipped:
                skipped = None
                pieces.append(_said(element.tail, element))
        elif event == "end":
            pieces.append("\n" if _is_line(element) and element.tag != "br" else "")
            pieces.append(_said(element.tail, element))
        elif within_cell and element.tag == "table":
            skipped = element
        else:
            pieces.append(_start(element))
            pieces.append(_said(element.text, element))
    whole = re.sub(rf"[\n ]*{_CELL}", "\t", re.sub(r"[ \xa0]+", " ", "".join(pieces))).replace(_ROW, "")
    lines = (line.strip(" ") for line in whole.split("\n"))
    return "\n".join(line for line in lines if line.strip())


def _start(element: etree._Element) -> str:
    if element.tag in ("td", "th"):
        return _CELL if any(e.tag in ("td", "th") for e in element.itersiblings(preceding=True)) else ""
    return ("\n" if _is_line(element) else "") + (_ROW if element.tag == "tr" else "")


def _is_line(element: etree._Element) -> bool:
    return _LINES.fullmatch(str(element.tag)) is not None


def _said(text: str | None, element: etree._Element) -> str:
    """Text between tags: line ends in the source are blanks, save in preformatted text."""
    if not text or element.tag == "pre":
        return text or ""
    return re.sub(r"[ \t\r\n\f]+", " ", text)


def _tables(root: etree._Element) -> tuple[tuple[Table, ...], bool]:
    tables: list[Table] = []
    truncated = False
    left = _MOST_CELLS
    for number, element in enumerate(root.iter("table"), start=1):
        rows = list(_rows(element))
        grid, cut = _grid(rows[:_MOST_ROWS], number, left)
        left -= sum(len(row) for row in grid)
        truncated = truncated or cut or len(rows) > _MOST_ROWS
        if grid:
            tables.append(Table(rows=grid))
    return tuple(tables), truncated


def _rows(table: etree._Element) -> Iterator[etree._Element]:
    """A table's own rows, not those of tables within it."""
    for element in table:
        if element.tag == "tr":
            yield element
        elif element.tag in ("thead", "tbody", "tfoot"):
            yield from element.iterchildren("tr")


def _grid(rows: list[etree._Element], table: int, most: int) -> tuple[tuple[tuple[Cell, ...], ...], bool]:
    """The rectangle of cells that rows with colspan and rowspan make (HTML standard, 4.9.12)."""
    placed: dict[tuple[int, int], Cell] = {}
    truncated = False
    for row, element in enumerate(rows):
        column = 0
        for cell in element.iterchildren("td", "th"):
            while (row, column) in placed:
                column += 1
            down, right = _span(cell, "rowspan"), _span(cell, "colspan")
            bottom = min(row + (down or len(rows)), len(rows))
            end = min(column + max(right, 1), _MOST_COLUMNS)
            if column >= _MOST_COLUMNS or len(placed) + (bottom - row) * (end - column) > most:
                truncated = True
                break
            for r, c in product(range(row, bottom), range(column, end)):
                more = Cell(text="", place=_place(table, (r, c)), merged=True, across=c > column)
                placed.setdefault((r, c), more)
            text = _text(cell, within_cell=True) or _text(cell)
            placed[row, column] = Cell(text=text.replace("\t", " "), place=_place(table, (row, column)))
            column = end
    width = max((column for _, column in placed), default=-1) + 1
    if width * len(rows) > most:
        return (), True
    grid = tuple(
        tuple(
            placed.get((row, column)) or Cell(text="", place=_place(table, (row, column)))
            for column in range(width)
        )
        for row in range(len(rows))
    )
    return (grid if width else ()), truncated


def _span(cell: etree._Element, name: str) -> int:
    value = cell.get(name, "1").strip()
    return int(value) if value.isdecimal() and len(value) < 6 else 1


def _place(table: int, at: tuple[int, int]) -> str:
    return f"表{table} 第{at[0] + 1}行第{at[1] + 1}列"
