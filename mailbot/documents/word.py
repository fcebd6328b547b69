"""Reads Word files (docx): a walk over the document's own XML, so that what Word forgives is forgiven here too."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mailbot.documents import markup, tabbed
from mailbot.documents.dimensions import could_be_page
from mailbot.documents.needs import NeedsHelp
from mailbot.documents.package import Package, attribute, local
from mailbot.documents.text import LONGEST_HEADING, first_lines
from mailbot.errors import DangerousError, UnreadableError
from mailbot.model import Format, ReadBy
from mailbot.reading import PICTURE, Cell, Extract, Need, Table

if TYPE_CHECKING:
    from lxml import etree

_FEW_CHARS = 120
"""Characters: a document of fewer says too little of itself, so that its pictures may be what was sent."""
_EMBEDDINGS = b"word/embeddings/"
_MEDIA, _LARGE = b"word/media/", 0.25
"""In a document with text, a picture that shows on a smaller part of a page is an illustration and no scanned page."""
_A4 = 7_560_000 * 10_692_000
"""Square English metric units."""
_MOST_HEADINGS = 60
_MOST_COLUMNS, _MOST_CELLS = 200, 200_000
_PICTURES = frozenset({"blip", "imagedata", "OLEObject", "sym"})
_OVERLAY = re.compile(r"\s*eq\s+\\o", re.IGNORECASE)
_HEADER = re.compile(r"word/header\d*\.xml")
_HEADING = re.compile(r"^(?:(?:heading|标题|toc heading)\s*\d*|title|subtitle|副标题)$", re.IGNORECASE)
_MOST_KNOWN = 64
_known_styles: dict[bytes, _Styles] = {}
"""Styles by the fingerprint of the part that defines them: nothing but a function of its octets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Styles:
    """What styles say, by their ids."""

    headings: frozenset[str]
    words: markup.Words


def read(data: bytes) -> Extract:
    """Read a docx. Raises UnreadableError, DangerousError.

    Raises NeedsHelp where pictures in it may be scanned pages; it carries the text read beside them, unless that is too
    short to tell what the document is.
    """
    extract = typed(data)
    if says_little(extract.text):
        if next(pictures(data), None) is not None:
            raise NeedsHelp(Need.OCR)
    elif _MEDIA in data and next(pictures(data, least=_LARGE), None) is not None:
        raise NeedsHelp(Need.OCR, extract)
    return extract


def pictures(data: bytes, *, least: float = 0.0) -> Iterator[bytes]:
    """The pictures that may be pages, in reading order; those that show on at least that part of a page.

    Raises UnreadableError, DangerousError.
    """
    with Package(data) as package:
        main = _main_part(package).lstrip("/")
        root = package.xml(main)
        files = package.related(main)
        found = root.iter("{*}blip", "{*}imagedata") if root is not None else ()
        shown = (_relation(picture) for picture in found if _share(picture) >= least)
        for file in dict.fromkeys(files[key] for key in shown if key in files):
            octets = package.octets(file)
            if octets and could_be_page(octets):
                yield octets


def embedded(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The names and octets of the files that lie in a docx as objects; the data of a chart are none.

    Raises UnreadableError, DangerousError.
    """
    if _EMBEDDINGS not in data:
        return
    with Package(data) as package:
        for part in package.related(_main_part(package).lstrip("/")).values():
            octets = package.octets(part) if _EMBEDDINGS.decode() in part.lower() else None
            if octets:
                yield posixpath.basename(part), octets


def says_little(text: str) -> bool:
    """Whether a text is too short to tell what the document is."""
    return len("".join(text.split())) < _FEW_CHARS


def _share(picture: etree._Element) -> float:
    """On which part of an A4 page a picture shows; 1 where nothing says so (ECMA-376 part 1, 20.4.2.7)."""
    for place in picture.iterancestors("{*}inline", "{*}anchor"):
        for extent in place.iterchildren("{*}extent"):
            return _number(extent.get("cx")) * _number(extent.get("cy")) / _A4
    return 1.0


def _relation(picture: etree._Element) -> str:
    return attribute(picture, "embed") or attribute(picture, "id") or ""


def typed(data: bytes) -> Extract:
    """What is written in a docx, whatever its pictures show. Raises UnreadableError, DangerousError."""
    with Package(data) as package:
        root = package.xml(_main_part(package))
        if root is None:
            raise UnreadableError("there is no document in this Word file")
        walk = _Walk(styles=_styles(package))
        header = _header(package, walk.styles.words)
        walk.boxed = next(root.iter("{*}txbxContent"), None) is not None
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
        header=header,
    )


def _main_part(package: Package) -> str:
    relations = package.xml("_rels/.rels")
    for relation in relations if relations is not None else ():
        if (attribute(relation, "Type") or "").endswith("/officeDocument"):
            return attribute(relation, "Target") or ""
    return "word/document.xml"


def _header(package: Package, words: markup.Words) -> tuple[str, ...]:
    """The lines of the page headers, each once; a broken one says nothing."""
    lines: dict[str, None] = {}
    for name in filter(_HEADER.fullmatch, package.names()):
        try:
            root = package.xml(name)
        except UnreadableError:
            continue
        for paragraph in root.iter("{*}p") if root is not None else ():
            lines |= dict.fromkeys(words.of_paragraph(paragraph).split("\n"))
    return first_lines(list(lines))


def _styles(package: Package) -> _Styles:
    """The styles that matter; those of a template that many fill in are looked for once."""
    known = package.fingerprint("word/styles.xml")
    if known not in _known_styles:
        if len(_known_styles) >= _MOST_KNOWN:
            _known_styles.clear()
        styles = package.xml("word/styles.xml")
        _known_styles[known] = _Styles(
            headings=_such(styles, "paragraph", _heads),
            words=markup.Words(hidden=_such(styles, "character", _hides)),
        )
    return _known_styles[known]


def _such(styles: etree._Element | None, kind: str, fits: Callable[[etree._Element], bool]) -> frozenset[str]:
    """The ids of the styles of a kind that fit, or are based on such a one."""
    found: set[str] = set()
    based: dict[str, str] = {}
    for style in styles if styles is not None else ():
        identity = attribute(style, "styleId")
        if identity is None or attribute(style, "type") != kind:
            continue
        if fits(style):
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


def _heads(style: etree._Element) -> bool:
    """Whether a style is for titles and headings: by name, or by outline level."""
    name = next((attribute(e, "val") or "" for e in style if local(e) == "name"), "")
    return bool(_HEADING.match(name.strip())) or any(map(_outlined, style))


def _hides(style: etree._Element) -> bool:
    return any(markup.is_set(properties, "vanish") for properties in style if local(properties) == "rPr")


def _outlined(properties: etree._Element) -> bool:
    """Whether paragraph properties give an outline level (9 is body text)."""
    return local(properties) == "pPr" and any(
        local(e) == "outlineLvl" and (attribute(e, "val") or "9") in "012345678" for e in properties
    )


@dataclass(slots=True)
class _Walk:
    """Collects what the document says, in reading order."""

    styles: _Styles
    lines: list[str] = field(default_factory=list)
    """Paragraphs, and rows of tables with tabs between the cells."""
    loose: list[str] = field(default_factory=list)
    """The paragraphs outside of tables alone."""
    titles: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    cells: int = 0
    boxed: bool = False
    """Whether there are text boxes."""

    def body(self, root: etree._Element) -> None:
        for block in markup.blocks(root):
            if local(block) == "tbl":
                self._table(block)
                self.loose.append("")
            else:
                self._paragraph(block)

    def _paragraph(self, paragraph: etree._Element) -> None:
        text = self.styles.words.of_paragraph(paragraph).rstrip()
        self.lines.append(text)
        self.loose.append(text)
        if text.strip() and self._is_heading(paragraph):
            self.titles.append(" ".join(text.split())[:LONGEST_HEADING])
        for box in markup.boxes(paragraph) if self.boxed else ():
            self.body(box)

    def _is_heading(self, paragraph: etree._Element) -> bool:
        properties = next((e for e in paragraph if local(e) == "pPr"), None)
        if properties is None:
            return False
        style = next((attribute(e, "val") for e in properties if local(e) == "pStyle"), None)
        return style in self.styles.headings or _outlined(properties)

    def _table(self, table: etree._Element) -> None:
        number = len(self.tables) + 1
        self.tables.append(Table(rows=()))
        rows: list[list[Cell]] = []
        inner: list[etree._Element] = []
        for row in markup.rows(table):
            cells = list(self._row(row, f"表{number} 第{len(rows) + 1}行", inner))
            rows.append(cells)
            self.lines += _as_lines(cells)
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
        for cell in markup.cells(row):
            width, continued = _span(cell)
            self._count(width)
            for offset in range(width):
                column += 1
                across = offset > 0
                merged = continued or across
                text = "" if merged else self._cell(cell, inner)
                yield Cell(text=text, place=f"{place}第{column}列", merged=merged, across=across)

    def _cell(self, cell: etree._Element, inner: list[etree._Element]) -> str:
        inner += [block for block in markup.blocks(cell) if local(block) == "tbl"]
        return self.styles.words.of_cell(cell) or (PICTURE if _holds_picture(cell) else "")

    def _count(self, width: int) -> None:
        self.cells += width
        if width > _MOST_COLUMNS or self.cells > _MOST_CELLS:
            raise DangerousError("a table of more cells than any form has")


def _as_lines(cells: list[Cell]) -> list[str]:
    """A row as it is found in the running text: one line, except where a page is laid out as a single cell."""
    if len(cells) == 1:
        return cells[0].text.split("\n")
    return ["\t".join(" ".join(cell.text.split()) for cell in cells)]


def _rectangle(rows: list[list[Cell]], name: str) -> tuple[tuple[Cell, ...], ...]:
    width = max((len(row) for row in rows), default=0)
    if width * len(rows) > _MOST_CELLS:
        raise DangerousError("a table of more cells than any form has")
    return tuple(
        (*row, *(Cell(text="", place=f"{name} 第{n}行第{c + 1}列") for c in range(len(row), width)))
        for n, row in enumerate(rows, start=1)
    )


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


def _holds_picture(cell: etree._Element) -> bool:
    """Whether a cell holds a picture, or what is no text either: a sign of a symbol font, a number in a drawn circle."""
    return any(local(e) in _PICTURES or _draws(e) for e in cell.iter())


def _draws(element: etree._Element) -> bool:
    """Whether a field lays signs over each other: EQ \\o."""
    return local(element) == "instrText" and _OVERLAY.match(element.text or "") is not None
