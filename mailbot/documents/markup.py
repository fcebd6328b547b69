"""What of a Word file's XML a person sees: paragraphs, rows and words without what was deleted, hidden or struck out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailbot.documents.package import attribute, local

if TYPE_CHECKING:
    from lxml import etree

_UNSEEN = frozenset(
    {
        *("del", "moveFrom", "Fallback", "instrText", "delText", "rt"),
        *("rPr", "pPr", "sectPr", "tblPr", "trPr", "tcPr"),
    }
)
"""`rt` is the reading that stands above a word (phonetic guide)."""
_SIGNS = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_BLOCKS = frozenset({"p", "tbl"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Reads the words of paragraphs and cells. What is struck out counts only where nothing else stands there."""

    hidden: frozenset[str]
    """The ids of character styles that do not show."""
    struck: bool = False

    def of_paragraph(self, paragraph: etree._Element) -> str:
        """A paragraph's own words, without those in its boxes."""
        return "".join(self._pieces(paragraph)) or "".join(self._all()._pieces(paragraph))

    def of_cell(self, cell: etree._Element) -> str:
        """A cell's words, those of its nested tables and boxes included."""
        return self._of_cell(cell) or self._all()._of_cell(cell)

    def _all(self) -> Words:
        return Words(hidden=self.hidden, struck=True)

    def _of_cell(self, cell: etree._Element) -> str:
        said: list[str] = []
        for block in blocks(cell):
            if local(block) == "tbl":
                said += [self._flat(row) for row in rows(block)]
            else:
                said.append("".join(self._pieces(block)))
                said += [self._flat(box) for box in boxes(block)]
        return "\n".join(said).replace("\t", " ").strip()

    def _flat(self, parent: etree._Element) -> str:
        return " ".join(text for block in blocks(parent) for text in (self._whole(block),) if text)

    def _whole(self, block: etree._Element) -> str:
        if local(block) == "tbl":
            return "\n".join(self._flat(row) for row in rows(block))
        said = ("".join(self._pieces(block)), *map(self._flat, boxes(block)))
        return " ".join(" ".join(said).split())

    def _pieces(self, parent: etree._Element) -> Iterator[str]:
        for child in parent:
            name = local(child)
            if name == "t":
                yield child.text or ""
            elif name in _SIGNS:
                yield _SIGNS[name]
            elif name == "txbxContent" or name in _UNSEEN or not name:
                continue
            elif name == "r":
                yield from self._run(child)
            elif name == "ddList":
                yield _chosen(child)
            elif not _is_placeholder(child):
                yield "/" if name == "den" else ""
                yield from self._pieces(child)

    def _run(self, run: etree._Element) -> Iterator[str]:
        properties = next((e for e in run if local(e) == "rPr"), None)
        if properties is None:
            yield from self._pieces(run)
            return
        style = next((attribute(e, "val") for e in properties if local(e) == "rStyle"), None)
        if is_set(properties, "vanish") or style in self.hidden:
            return
        if not self.struck and (is_set(properties, "strike") or is_set(properties, "dstrike")):
            return
        raised = next((attribute(e, "val") for e in properties if local(e) == "vertAlign"), None)
        moved = {"superscript": RAISED, "subscript": LOWERED}.get(raised or "", {})
        yield from (piece.translate(moved) for piece in self._pieces(run))


def blocks(parent: etree._Element) -> Iterator[etree._Element]:
    """Paragraphs and tables, whatever they are wrapped in (content controls, insertions, custom XML)."""
    for child in parent:
        name = local(child)
        if name in _BLOCKS:
            yield child
        elif name and name not in _UNSEEN and not _is_placeholder(child):
            yield from blocks(child)


def rows(table: etree._Element) -> Iterator[etree._Element]:
    """The rows that are neither marked as deleted nor hidden."""
    for row in _within(table, "tr"):
        properties = next((e for e in row if local(e) == "trPr"), ())
        if not any(local(e) == "del" for e in properties) and not is_set(properties, "hidden"):
            yield row


def cells(row: etree._Element) -> Iterator[etree._Element]:
    """The cells that are not marked as deleted."""
    for cell in _within(row, "tc"):
        properties = next((e for e in cell if local(e) == "tcPr"), ())
        if not any(local(e) == "cellDel" for e in properties):
            yield cell


def _within(parent: etree._Element, wanted: str) -> Iterator[etree._Element]:
    """Rows of a table or cells of a row, through content controls."""
    for child in parent:
        name = local(child)
        if name == wanted:
            yield child
        elif name and name not in _UNSEEN and name not in _BLOCKS:
            yield from _within(child, wanted)


def boxes(paragraph: etree._Element) -> Iterator[etree._Element]:
    """The text boxes anchored in a paragraph, each once (the fallback for old programs repeats them)."""
    for child in paragraph:
        name = local(child)
        if name == "txbxContent":
            yield child
        elif name and name not in _UNSEEN:
            yield from boxes(child)


def is_set(properties: Iterable[etree._Element], name: str) -> bool:
    """Whether a property that is on or off is on (ECMA-376 part 1, 17.17.4)."""
    return any(local(e) == name and attribute(e, "val") not in ("0", "false", "off") for e in properties)


def _chosen(choices: etree._Element) -> str:
    """The entry of a drop-down field that shows (ECMA-376 part 1, 17.16.9)."""
    told = {local(e): attribute(e, "val") or "" for e in choices}
    entries = [attribute(e, "val") or "" for e in choices if local(e) == "listEntry"]
    number = told.get("result") or told.get("default") or "0"
    return entries[int(number)] if number.isdecimal() and int(number) < len(entries) else ""


def _is_placeholder(control: etree._Element) -> bool:
    """A content control that nobody has filled in shows its instruction, which is no text of the sender's."""
    return local(control) == "sdt" and any(
        local(e) == "showingPlcHdr"
        for properties in control
        if local(properties) == "sdtPr"
        for e in properties
    )
