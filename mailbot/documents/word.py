"""Reads Word files (docx): a walk over the document's own XML, so that what Word forgives is forgiven here too."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mailbot.documents import tabbed
from mailbot.documents.package import Package, attribute, local
from mailbot.errors import DangerousError, UnreadableError
from mailbot.model import Format, ReadBy
from mailbot.reading import Cell, Extract, Table

if TYPE_CHECKING:
    from lxml import etree

_PICTURE = "[图片]"
"""Stands for a picture or an embedded object that is all a cell holds: it is not empty."""
_FIRST_LINES, _MOST_HEADINGS, _LONGEST_HEADING = 5, 60, 200
_MOST_COLUMNS, _MOST_CELLS = 200, 200_000
_HEADING = re.compile(r"^(?:(?:heading|标题|toc heading)\s*\d*|title|subtitle|副标题)$", re.IGNORECASE)
_UNSEEN = frozenset(
    {"del", "moveFrom", "Fallback", "instrText", "delText", "rPr", "pPr", "sectPr", "tblPr", "trPr", "tcPr"}
)
_SIGNS = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_BLOCKS = frozenset({"p", "tbl"})
_MOST_KNOWN = 64
_known_headings: dict[bytes, frozenset[str]] = {}
"""Heading styles by the hash of the part that defines them: nothing but a function of those octets."""


def read(data: bytes) -> Extract:
    """Read a docx. Raises UnreadableError, DangerousError."""
    with Package(data) as package:
        root = package.xml(_main_part(package))
        if root is None:
            raise UnreadableError("there is no document in this Word file")
        walk = _Walk(headings=_headings(package))
    try:
        walk.body(root)
    except RecursionError as error:
        raise DangerousError("nested deeper than any document") from error
    lines = [line for block in walk.lines for line in block.split("\n")]
    loose = tabbed.tables(line for block in walk.loose for line in block.split("\n"))
    return Extract(
        format=Format.DOCX,
        read_by=ReadBy.TABLE,
        text="\n".join(lines),
        tables=(*walk.tables, *loose),
        headings=tuple(walk.titles[:_MOST_HEADINGS]) or first_lines(lines),
    )


def first_lines(lines: list[str]) -> tuple[str, ...]:
    """The first lines that are not blank, where nothing marks a heading."""
    said = (line.strip()[:_LONGEST_HEADING] for line in lines if line.strip())
    return tuple(line for _, line in zip(range(_FIRST_LINES), said, strict=False))


def _main_part(package: Package) -> str:
    relations = package.xml("_rels/.rels")
    for relation in relations if relations is not None else ():
        if (attribute(relation, "Type") or "").endswith("/officeDocument"):
            return attribute(relation, "Target") or ""
    return "word/document.xml"


def _headings(package: Package) -> frozenset[str]:
    """The ids of the styles for headings; those of a template that many fill in are looked for once."""
    octets = package.octets("word/styles.xml")
    known = hashlib.sha256(octets or b"").digest()
    if known not in _known_headings:
        if len(_known_headings) >= _MOST_KNOWN:
            _known_headings.clear()
        _known_headings[known] = _heading_styles(package.xml("word/styles.xml"))
    return _known_headings[known]


def _heading_styles(styles: etree._Element | None) -> frozenset[str]:
    """The ids of the styles for titles and headings: by name, by outline level, or based on such a one."""
    found: set[str] = set()
    based: dict[str, str] = {}
    for style in styles if styles is not None else ():
        identity = attribute(style, "styleId")
        if identity is None or attribute(style, "type") != "paragraph":
            continue
        name = next((attribute(e, "val") or "" for e in style if local(e) == "name"), "")
        if _HEADING.match(name.strip()) or any(map(_outlined, style)):
            found.add(identity)
        parent = next((attribute(e, "val") for e in style if local(e) == "basedOn"), None)
        if parent:
            based[identity] = parent
    for identity in based:
        chain = [identity]
        while chain[-1] in based and based[chain[-1]] not in chain:
            chain.append(based[chain[-1]])
        if not found.isdisjoint(chain):
            found.add(identity)
    return frozenset(found)


def _outlined(properties: etree._Element) -> bool:
    """Whether paragraph properties give an outline level (9 is body text)."""
    return local(properties) == "pPr" and any(
        local(e) == "outlineLvl" and (attribute(e, "val") or "9") in "012345678" for e in properties
    )


@dataclass(slots=True)
class _Walk:
    """Collects what the document says, in reading order."""

    headings: frozenset[str]
    lines: list[str] = field(default_factory=list)
    """Paragraphs, and rows of tables with tabs between the cells."""
    loose: list[str] = field(default_factory=list)
    """The paragraphs outside of tables alone."""
    titles: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    cells: int = 0

    def body(self, root: etree._Element) -> None:
        for block in _blocks(root):
            if local(block) == "tbl":
                self._table(block)
                self.loose.append("")
            else:
                self._paragraph(block)

    def _paragraph(self, paragraph: etree._Element) -> None:
        text = _text(paragraph).rstrip()
        self.lines.append(text)
        self.loose.append(text)
        if text.strip() and self._is_heading(paragraph):
            self.titles.append(" ".join(text.split())[:_LONGEST_HEADING])
        for box in _boxes(paragraph):
            self.body(box)

    def _is_heading(self, paragraph: etree._Element) -> bool:
        properties = next((e for e in paragraph if local(e) == "pPr"), None)
        if properties is None:
            return False
        style = next((attribute(e, "val") for e in properties if local(e) == "pStyle"), None)
        return style in self.headings or _outlined(properties)

    def _table(self, table: etree._Element) -> None:
        number = len(self.tables) + 1
        self.tables.append(Table(rows=()))
        rows: list[list[Cell]] = []
        inner: list[etree._Element] = []
        for row in _rows(table):
            cells = list(self._row(row, f"表{number} 第{len(rows) + 1}行", inner))
            rows.append(cells)
            self.lines.append("\t".join(" ".join(cell.text.split()) for cell in cells))
        self.tables[number - 1] = Table(rows=_rectangle(rows, f"表{number}"))
        shown = len(self.lines)
        for nested in inner:
            self._table(nested)
        del self.lines[shown:]

    def _row(self, row: etree._Element, place: str, inner: list[etree._Element]) -> Iterator[Cell]:
        column = 0
        for _ in range(_before(row)):
            column += 1
            yield Cell(text="", place=f"{place}第{column}列")
        for cell in _within(row, "tc"):
            width, continued = _span(cell)
            self._count(width)
            for offset in range(width):
                column += 1
                merged = continued or offset > 0
                text = "" if merged else self._cell(cell, inner)
                yield Cell(text=text, place=f"{place}第{column}列", merged=merged)

    def _cell(self, cell: etree._Element, inner: list[etree._Element]) -> str:
        """A cell's text, that of its nested tables and boxes included."""
        said: list[str] = []
        for block in _blocks(cell):
            if local(block) == "tbl":
                inner.append(block)
                said += [_flat(row) for row in _rows(block)]
            else:
                said.append(_text(block))
                said += [_flat(box) for box in _boxes(block)]
        text = "\n".join(said).replace("\t", " ").strip()
        return text or (_PICTURE if _holds_picture(cell) else "")

    def _count(self, width: int) -> None:
        self.cells += width
        if width > _MOST_COLUMNS or self.cells > _MOST_CELLS:
            raise DangerousError("a table of more cells than any form has")


def _rectangle(rows: list[list[Cell]], name: str) -> tuple[tuple[Cell, ...], ...]:
    width = max((len(row) for row in rows), default=0)
    if width * len(rows) > _MOST_CELLS:
        raise DangerousError("a table of more cells than any form has")
    return tuple(
        (*row, *(Cell(text="", place=f"{name} 第{n}行第{c + 1}列") for c in range(len(row), width)))
        for n, row in enumerate(rows, start=1)
    )


def _blocks(parent: etree._Element) -> Iterator[etree._Element]:
    """Paragraphs and tables, whatever they are wrapped in (content controls, insertions, custom XML)."""
    for child in parent:
        name = local(child)
        if name in _BLOCKS:
            yield child
        elif name and name not in _UNSEEN and not _is_placeholder(child):
            yield from _blocks(child)


def _within(parent: etree._Element, wanted: str) -> Iterator[etree._Element]:
    """Rows of a table or cells of a row, through content controls."""
    for child in parent:
        name = local(child)
        if name == wanted:
            yield child
        elif name and name not in _UNSEEN and name not in _BLOCKS:
            yield from _within(child, wanted)


def _rows(table: etree._Element) -> Iterator[etree._Element]:
    """The rows that are not marked as deleted."""
    for row in _within(table, "tr"):
        properties = next((e for e in row if local(e) == "trPr"), None)
        if properties is None or not any(local(e) == "del" for e in properties):
            yield row


def _before(row: etree._Element) -> int:
    """How many columns a row leaves out at its start."""
    for properties in row:
        if local(properties) == "trPr":
            for e in properties:
                if local(e) == "gridBefore":
                    return min(_number(attribute(e, "val")), _MOST_COLUMNS)
    return 0


def _span(cell: etree._Element) -> tuple[int, bool]:
    """How many columns a cell takes, and whether it continues the one above it or to its left."""
    width, continued = 1, False
    properties = next((e for e in cell if local(e) == "tcPr"), None)
    for e in properties if properties is not None else ():
        name, value = local(e), attribute(e, "val")
        if name == "gridSpan":
            width = max(1, _number(value))
        elif name in ("vMerge", "hMerge"):
            continued = continued or value in (None, "continue", "cont")
    return width, continued


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 9 else 0


def _text(paragraph: etree._Element) -> str:
    """A paragraph's own words: neither deletions, nor hidden text, nor what stands in its boxes."""
    return "".join(_pieces(paragraph))


def _pieces(parent: etree._Element) -> Iterator[str]:
    for child in parent:
        name = local(child)
        if name == "t":
            yield child.text or ""
        elif name in _SIGNS:
            yield _SIGNS[name]
        elif name == "txbxContent" or name in _UNSEEN or not name:
            continue
        elif not _is_hidden(child) and not _is_placeholder(child):
            yield from _pieces(child)


def _is_hidden(run: etree._Element) -> bool:
    return local(run) == "r" and any(
        local(e) == "vanish" and attribute(e, "val") not in ("0", "false", "off")
        for properties in run
        if local(properties) == "rPr"
        for e in properties
    )


def _is_placeholder(control: etree._Element) -> bool:
    """A content control that nobody has filled in shows its instruction, which is no text of the sender's."""
    return local(control) == "sdt" and any(
        local(e) == "showingPlcHdr"
        for properties in control
        if local(properties) == "sdtPr"
        for e in properties
    )


def _boxes(paragraph: etree._Element) -> Iterator[etree._Element]:
    """The text boxes anchored in a paragraph, each once (the fallback for old programs repeats them)."""
    for child in paragraph:
        name = local(child)
        if name == "txbxContent":
            yield child
        elif name and name not in _UNSEEN:
            yield from _boxes(child)


def _flat(parent: etree._Element) -> str:
    return " ".join(text for block in _blocks(parent) for text in (_whole(block),) if text)


def _whole(block: etree._Element) -> str:
    if local(block) == "tbl":
        return "\n".join(_flat(row) for row in _rows(block))
    return " ".join(" ".join((_text(block), *map(_flat, _boxes(block)))).split())


def _holds_picture(cell: etree._Element) -> bool:
    return any(local(e) in ("blip", "imagedata", "OLEObject") for e in cell.iter())
