"""What the XML of a workbook (xlsx) says beyond what calamine tells: formulas and errors, hidden rows, percentages, vast
sheets."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from html import unescape
from itertools import product
from typing import TYPE_CHECKING

from mailbot.documents.package import Package, attribute, declares_entities, local
from mailbot.errors import DangerousError, EncryptedError, UnreadableError

if TYPE_CHECKING:
    from lxml import etree

Place = tuple[int, int]
"""Row and column, from 0."""

_LARGEST_PICTURE = 400
MOST_ROWS, MOST_COLUMNS = 5000, 200
_LARGEST_UNPACKED = 256 * 2**20
_MOST_PLACES = 4_000_000
_FORMULA = re.compile(rb"<(?:\w+:)?f[ />]")
_ERRORS = (b't="e"', b"t='e'")
_FAR_DOWN = re.compile(rb'r="[A-Z]{1,3}\d{3}')
"""A sheet without a cell below row 99 is never vast, however wide."""
_FULL_CELL = re.compile(rb"<(?:\w+:)?c r=\"([A-Z]{1,3})(\d{1,7})\"[^>]*(?<!/)>")
_HIDDEN_ROW, _HIDDEN_COLUMN = (
    re.compile(rb'<(?:\w+:)?%s\b[^>]*\bhidden="(?:1|true)"[^>]*>' % name) for name in (b"row", b"col")
)
_ROW_NUMBER = re.compile(rb'\br="(\d{1,7})"')
_DRAWING = re.compile(rb"<(?:\w+:)?drawing\b")
_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_CELL_REFERENCE = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
_CELL_FORMATS = re.compile(rb"<(?:\w+:)?cellXfs\b.*?</(?:\w+:)?cellXfs>", re.DOTALL)
_CELL_FORMAT = re.compile(rb"<(?:\w+:)?xf\b[^>]*>")
_FORMAT_NUMBER = re.compile(rb'\bnumFmtId="(\d{1,5})"')
_OWN_FORMAT = re.compile(rb"<(?:\w+:)?numFmt\b[^>]*>")
_FORMAT_CODE = re.compile(rb'\bformatCode="([^"]*)"')
_LITERAL = re.compile(r'"[^"]*"|\\.')
_STYLED_NUMBER = re.compile(
    rb'<(?:\w+:)?c\b(?![^>]*\bt="(?:s|str|inlineStr)")[^>]*\bs="(\d{1,5})"[^>]*(?<!/)>'
)
PERCENTS = frozenset({9, 10})
"""The numbers of the formats 0% and 0.00%, which are in every workbook (ECMA-376 part 1, 18.8.30)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """One sheet."""

    formulas: Mapping[Place, str] = field(default_factory=dict)
    """Formulas without a value, and those whose value nobody calculated."""
    errors: Mapping[Place, str] = field(default_factory=dict)
    """Values that are errors: `#REF!`."""
    covered: Mapping[Place, bool] = field(default_factory=dict)
    """Continuations of merged cells, and whether each is more of the cell to its left."""
    uncalculated: frozenset[Place] = frozenset()
    """Where a formula has a value that nobody calculated."""
    shown: Mapping[Place, str] = field(default_factory=dict)
    """What is left of texts of which a part is struck out."""
    pictures: frozenset[Place] = frozenset()
    """Where pictures lie over cells."""
    percents: frozenset[Place] = frozenset()
    """Numbers that show as so many hundredths."""
    concealed: frozenset[Place] = frozenset()
    """Numbers that do not show, by their format (`;;;`)."""
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    vast: bool = False
    """Its outermost values lie so far apart that the rectangle between them would not fit into memory."""


def insides(package: Package) -> dict[str, Inside]:
    """By sheet name. Raises EncryptedError, UnreadableError, DangerousError."""
    _check(package.archive)
    book, (percents, concealing) = package.xml("xl/workbook.xml"), _odd_styles(package)
    settled = book is None or not any(map(_calculates, book))
    return {
        name: _inside(package, member, percents, concealing, settled=settled)
        for name, path in _sheet_paths(package, book).items()
        if (member := package.member(path)) is not None
    }


def _inside(
    package: Package,
    member: zipfile.ZipInfo,
    percents: frozenset[bytes],
    concealing: frozenset[bytes],
    *,
    settled: bool,
) -> Inside:
    octets = _octets(package, member)
    inside = _sheet(octets, settled=settled)
    if percents:
        inside = replace(inside, percents=frozenset(_styled(octets, percents)))
    if concealing:
        inside = replace(inside, concealed=frozenset(_styled(octets, concealing)))
    if _DRAWING.search(octets):
        places = (place for _, anchor in _anchors(package, member.filename) for place in _beneath(anchor))
        inside = replace(inside, pictures=frozenset(places))
    return inside


def pictures(package: Package) -> Iterator[str]:
    """The parts that hold the pictures of all sheets, in the order in which they were pasted in."""
    for path in _sheet_paths(package, package.xml("xl/workbook.xml")).values():
        for part, anchor in _anchors(package, path):
            files = package.related(part.lstrip("/"))
            shown = (attribute(blip, "embed") or "" for blip in anchor.iter("{*}blip"))
            yield from (files[key] for key in shown if key in files)


def _anchors(package: Package, sheet: str) -> Iterator[tuple[str, etree._Element]]:
    """The drawings of a sheet, and the anchors of the pictures in them (ECMA-376 part 1, 20.5.2.33)."""
    for part in package.related(sheet).values():
        drawing = package.xml(part) if "/drawings/" in part and part.endswith(".xml") else None
        for anchor in drawing if drawing is not None else ():
            if next(anchor.iter("{*}pic"), None) is not None:
                yield part, anchor


def under_picture(top: int, left: int, bottom: int, right: int) -> Iterable[Place]:
    """The cells that a picture lies over; none beneath one so large that it is no evidence but the background."""
    rows, columns = range(top, min(bottom + 1, MOST_ROWS)), range(left, min(right + 1, MOST_COLUMNS))
    return product(rows, columns) if len(rows) * len(columns) <= _LARGEST_PICTURE else ()


def _beneath(anchor: etree._Element) -> Iterable[Place]:
    """From the cell in which an anchor begins to the one in which it ends, where it says so."""
    corners = [_corner(edge) for edge in anchor if local(edge) in ("from", "to")]
    return under_picture(*corners[0], *corners[-1]) if corners else ()


def _corner(edge: etree._Element) -> Place:
    row, column = (_child_text(edge, name) for name in ("row", "col"))
    return (int(row), int(column)) if row.isdecimal() and column.isdecimal() else (MOST_ROWS, MOST_COLUMNS)


def _calculates(properties: etree._Element) -> bool:
    """Whether a workbook is calculated anew when it is opened: what wrote it need not have done so (ECMA-376 part 1,
    18.2.2)."""
    return local(properties) == "calcPr" and properties.get("fullCalcOnLoad") in ("1", "true")


def _check(archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    if any(member.flag_bits & 1 for member in members):
        raise EncryptedError("its parts need a password")
    if sum(member.file_size for member in members) > _LARGEST_UNPACKED:
        raise DangerousError("a workbook that unpacks to more than any workbook")


def _octets(package: Package, member: zipfile.ZipInfo) -> bytes:
    octets = package.unpacked(member)
    if declares_entities(octets):
        raise DangerousError(f"{member.filename} declares a document type or entities")
    return octets


def _sheet_paths(package: Package, book: etree._Element | None) -> dict[str, str]:
    """Sheet names and the parts that hold them (ECMA-376 part 1, 18.2.19 and 12.3.24)."""
    relations = package.xml("xl/_rels/workbook.xml.rels")
    if book is None or relations is None:
        return {}
    targets = {attribute(r, "Id") or "": attribute(r, "Target") or "" for r in relations}
    return {
        attribute(sheet, "name") or "": _part_name(targets.get(attribute(sheet, "id") or "", ""))
        for sheet in book.iter()
        if local(sheet) == "sheet"
    }


def _part_name(target: str) -> str:
    return posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")


def _sheet(octets: bytes, *, settled: bool) -> Inside:
    """`settled` is whether its formulas' values are results: else a zero may be what was written for want of one."""
    hides = b"hidden" in octets
    known = Inside(
        vast=_is_vast(octets),
        hidden_rows=frozenset(_hidden_rows(octets)) if hides else frozenset(),
        hidden_columns=frozenset(_hidden_columns(octets)) if hides else frozenset(),
    )
    if not _FORMULA.search(octets) and not any(error in octets for error in _ERRORS):
        return known
    from lxml import etree

    empty = ("",) if settled else ("", "0")
    formulas: dict[Place, str] = {}
    errors: dict[Place, str] = {}
    uncalculated: set[Place] = set()
    shared: dict[str, tuple[str, str]] = {}
    try:
        for place, cell in _cells(octets):
            value = _child_text(cell, "v")
            formula = next((child for child in cell if local(child) == "f"), None)
            if cell.get("t") == "e":
                errors[place] = value
            elif formula is not None and value in empty and cell.get("t") != "str":
                formulas[place] = _formula(formula, cell.get("r", ""), shared)
                if value:
                    uncalculated.add(place)
            elif formula is not None:
                _formula(formula, cell.get("r", ""), shared)
    except etree.XMLSyntaxError as error:
        raise UnreadableError(f"a sheet is no XML: {error}") from error
    return replace(known, formulas=formulas, errors=errors, uncalculated=frozenset(uncalculated))


def _hidden_rows(octets: bytes) -> Iterator[int]:
    """Rows from 0 (ECMA-376 part 1, 18.3.1.73)."""
    for found in _HIDDEN_ROW.finditer(octets):
        number = _ROW_NUMBER.search(found[0])
        if number is not None:
            yield int(number[1]) - 1


def _hidden_columns(octets: bytes) -> Iterator[int]:
    """Columns from 0 (ECMA-376 part 1, 18.3.1.13)."""
    for found in _HIDDEN_COLUMN.finditer(octets):
        first, last = (re.search(rb'\b%s="(\d{1,6})"' % edge, found[0]) for edge in (b"min", b"max"))
        if first is not None and last is not None:
            yield from range(int(first[1]) - 1, min(int(last[1]), MOST_COLUMNS))


def is_percent(code: str) -> bool:
    """Whether a number format multiplies by a hundred: one that only writes the sign behind the number does not."""
    return "%" in _LITERAL.sub("", code)


def conceals(code: str) -> bool:
    """Whether a number format shows nothing of a number above zero: `;;;`."""
    first, *others = code.split(";")
    return bool(others) and first.strip(' "') == ""


def _odd_styles(package: Package) -> tuple[frozenset[bytes], frozenset[bytes]]:
    """The numbers of the cell styles that show percentages, and of those that show nothing (ECMA-376 part 1, 18.8.10 and
    18.8.31)."""
    member = package.member("xl/styles.xml")
    octets = _octets(package, member) if member is not None else b""
    percents, concealing = {b"%d" % number for number in PERCENTS}, set()
    if b"%" in octets:
        percents |= set(_own_formats(octets, is_percent))
    if b";" in octets:
        concealing |= set(_own_formats(octets, conceals))
    formats = _CELL_FORMATS.search(octets)
    if formats is None:
        return frozenset(), frozenset()
    return _with_formats(formats[0], percents), _with_formats(formats[0], concealing)


def _with_formats(formats: bytes, wanted: Collection[bytes]) -> frozenset[bytes]:
    if not any(b'numFmtId="%s"' % number in formats for number in wanted):
        return frozenset()
    numbers = (_FORMAT_NUMBER.search(found) for found in _CELL_FORMAT.findall(formats))
    return frozenset(b"%d" % index for index, found in enumerate(numbers) if found and found[1] in wanted)


def _own_formats(styles: bytes, fits: Callable[[str], bool]) -> Iterator[bytes]:
    for found in _OWN_FORMAT.findall(styles):
        number, code = _FORMAT_NUMBER.search(found), _FORMAT_CODE.search(found)
        if number and code and fits(unescape(code[1].decode("utf-8", "replace"))):
            yield number[1]


def _styled(octets: bytes, styles: frozenset[bytes]) -> Iterator[Place]:
    if not any(b's="%s"' % style in octets for style in styles):
        return
    for found in _STYLED_NUMBER.finditer(octets):
        reference = _CELL_REFERENCE.search(found[0])
        if found[1] in styles and reference:
            yield int(reference[2]) - 1, column_number(reference[1].decode())


def _is_vast(octets: bytes) -> bool:
    if not _FAR_DOWN.search(octets):
        return False
    last_row = last_column = 0
    for found in _FULL_CELL.finditer(octets):
        last_row = max(last_row, int(found[2]))
        last_column = max(last_column, column_number(found[1].decode()))
    return last_row * (last_column + 1) > _MOST_PLACES


def _cells(octets: bytes) -> Iterator[tuple[Place, etree._Element]]:
    """The cells of a sheet within bounds; each is gone after the next one was asked for."""
    from lxml import etree

    events = etree.iterparse(
        io.BytesIO(octets),
        tag=("{*}c", "{*}row"),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
    )
    for _, element in events:
        if local(element) == "row":
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
            continue
        reference = _REFERENCE.fullmatch(element.get("r", ""))
        if reference is None:
            continue
        row, column = int(reference[2]) - 1, column_number(reference[1])
        if row >= MOST_ROWS:
            return
        if column < MOST_COLUMNS:
            yield (row, column), element


def _child_text(element: etree._Element, name: str) -> str:
    return next((child.text or "" for child in element if local(child) == name), "").strip()


def _formula(element: etree._Element, reference: str, shared: dict[str, tuple[str, str]]) -> str:
    """A formula with its `=`; one that is shared with another cell is moved to here (ECMA-376 part 1, 18.3.1.40)."""
    text = (element.text or "").strip()
    key = element.get("si", "")
    if text:
        text = f"={text}"
        if element.get("t") == "shared":
            shared[key] = (text, reference)
        return text
    if key not in shared:
        return "="
    from openpyxl.formula.translate import Translator, TranslatorError

    original, origin = shared[key]
    try:
        return str(Translator(original, origin=origin).translate_formula(reference))
    except (TranslatorError, ValueError):
        return "="


def column_number(letters: str) -> int:
    """0 for A, 26 for AA."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1
