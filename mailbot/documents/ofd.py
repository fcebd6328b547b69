"""Reads OFD files (GB/T 33190-2016): their text objects and lines, laid out as the pages of a PDF are."""

from __future__ import annotations

import math
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mailbot.documents.lines import Box, Char, Segment, is_slanted
from mailbot.documents.needs import NeedsHelp
from mailbot.documents.package import Package, attribute, local
from mailbot.documents.pages import Laid, lay, together
from mailbot.documents.text import first_lines
from mailbot.errors import UnreadableError, UnsupportedError
from mailbot.model import Format, ReadBy
from mailbot.reading import Extract, Need

if TYPE_CHECKING:
    from lxml import etree

_POINTS = 72 / 25.4
"""Points in a millimetre, the unit of OFD."""
_MOST_PAGES, _MOST_CHARS, _DEEPEST = 200, 600_000, 8
_ASCENT, _DESCENT = 0.88, 0.12
_FEWEST_CHARS = 8
_PAGE_FILLING = 20_000.0
"""Square millimetres, a third of A4."""
_NO_MEANING = frozenset("¤\ufffd")
_THIN = 1.0
_PATH = re.compile(r"[A-Za-z]|[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?")
_COORDINATES = {"S": 2, "M": 2, "L": 2, "Q": 4, "B": 6, "A": 7}
Matrix = tuple[float, float, float, float, float, float]
_SAME: Matrix = (1, 0, 0, 1, 0, 0)


def read(data: bytes) -> Extract:
    """Read an OFD's text.

    Raises UnreadableError, DangerousError; NeedsHelp where it is all scans, UnsupportedError where there is neither.
    """
    pages: list[Laid] = []
    chars = odd = 0
    with Package(data) as package:
        root, body = _document(package)
        found = [layers for _, layers in _pages(package, root)]
        for number, content in enumerate(found[:_MOST_PAGES], start=1):
            page = _Page()
            for layer in content:
                page.draw(layer, 0)
            chars, odd = chars + len(page.chars), odd + page.odd
            pages.append(lay(number, page.chars, page.segments, pages[-1].columns if pages else ()))
            if chars > _MOST_CHARS:
                break
        seal = _is_sealed(package, body)
    if chars < _FEWEST_CHARS or odd * 12 > chars + odd:
        if next(pictures(data), None) is not None:
            raise NeedsHelp(Need.OCR)
        raise UnsupportedError("this OFD holds no text; send it as PDF or docx")
    text, tables = together(pages)
    return Extract(
        format=Format.OFD,
        read_by=ReadBy.TEXT,
        text=text,
        tables=tables,
        headings=first_lines(text.split("\n")),
        seal=seal,
        truncated=len(found) > _MOST_PAGES or chars > _MOST_CHARS,
    )


def pictures(data: bytes) -> Iterator[bytes]:
    """The picture that fills each page, as it lies in the file; pages without one are passed over.

    Raises UnreadableError, DangerousError.
    """
    with Package(data) as package:
        root, _ = _document(package)
        for place, layers in _pages(package, root):
            objects = [item for layer in layers for item in layer.iter() if local(item) == "ImageObject"]
            largest = max(objects, key=_area, default=None)
            if largest is not None and _area(largest) >= _PAGE_FILLING:
                file = _media(package, (root, place)).get(attribute(largest, "ResourceID") or "")
                octets = package.octets(file) if file else None
                if octets:
                    yield octets


def _area(item: etree._Element) -> float:
    boundary = _numbers(attribute(item, "Boundary"))
    return boundary[2] * boundary[3] if len(boundary) == 4 else 0.0


def _media(package: Package, places: tuple[str, ...]) -> dict[str, str]:
    """The files of pictures by their ids, as the resources of the document and the page list them (§7.9)."""
    files: dict[str, str] = {}
    for place in places:
        owner = package.xml(place)
        for part in owner.iter() if owner is not None else ():
            if local(part) not in ("PublicRes", "DocumentRes", "PageRes") or not part.text:
                continue
            listed = _at(posixpath.dirname(place), part.text.strip())
            resources = package.xml(listed)
            if resources is None:
                continue
            base = _at(posixpath.dirname(listed), attribute(resources, "BaseLoc"))
            for media in (e for e in resources.iter() if local(e) == "MultiMedia"):
                file = next((e.text for e in media if local(e) == "MediaFile"), None)
                files[attribute(media, "ID") or ""] = _at(base, (file or "").strip())
    return files


def _document(package: Package) -> tuple[str, etree._Element]:
    """The path of the first document's root, and its entry in OFD.xml (§7.4)."""
    entry = package.xml("OFD.xml")
    for body in entry if entry is not None else ():
        if local(body) == "DocBody":
            for part in body:
                if local(part) == "DocRoot" and part.text:
                    return part.text.strip().lstrip("/"), body
    raise UnreadableError("there is no document in this OFD")


def _pages(package: Package, root: str) -> Iterator[tuple[str, list[etree._Element]]]:
    """For each page where it lies, and what is drawn on it: its templates' content and its own (§7.6, §7.7)."""
    document = package.xml(root)
    if document is None:
        raise UnreadableError(f"{root} is missing")
    base = posixpath.dirname(root)
    templates = {
        attribute(e, "ID"): _at(base, attribute(e, "BaseLoc"))
        for e in document.iter()
        if local(e) == "TemplatePage"
    }
    for page in (e for e in document.iter() if local(e) == "Page"):
        place = _at(base, attribute(page, "BaseLoc"))
        own = package.xml(place)
        if own is None:
            continue
        used = [templates.get(attribute(e, "TemplateID")) for e in own if local(e) == "Template"]
        below = [shown for place in used if place and (shown := package.xml(place)) is not None]
        yield place, [layer for shown in (*below, own) for layer in shown if local(layer) == "Content"]


def _at(base: str, place: str | None) -> str:
    if place and place.startswith("/"):
        return place.lstrip("/")
    return posixpath.normpath(posixpath.join(base, place or ""))


def _is_sealed(package: Package, body: etree._Element) -> bool | None:
    """Whether an electronic seal was set (§18.1)."""
    place = next((e.text for e in body if local(e) == "Signatures"), None)
    listed = package.xml(place.strip()) if place else None
    if listed is None:
        return None
    return any(local(e) == "Signature" and attribute(e, "Type") != "Sign" for e in listed) or None


@dataclass(slots=True)
class _Page:
    chars: list[Char] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    odd: int = 0

    def draw(self, holder: etree._Element, depth: int) -> None:
        for item in holder:
            match local(item):
                case "TextObject":
                    self._text(item)
                case "PathObject":
                    self._path(item)
                case "Layer" | "PageBlock" if depth < _DEEPEST:
                    self.draw(item, depth + 1)

    def _text(self, item: etree._Element) -> None:
        place = _Place.of(item)
        size = _numbers(attribute(item, "Size"))[:1]
        if place is None or place.slanted or not size or attribute(item, "Visible") == "false":
            return
        for code in item:
            if local(code) == "TextCode" and code.text:
                self._code(code, code.text.strip("\r\n"), place, size[0])

    def _code(self, code: etree._Element, text: str, place: _Place, size: float) -> None:
        x = (_numbers(attribute(code, "X")) or [0.0])[0]
        y = (_numbers(attribute(code, "Y")) or [size])[0]
        across, down = (
            _steps(attribute(code, "DeltaX"), len(text)),
            _steps(attribute(code, "DeltaY"), len(text)),
        )
        for index, sign in enumerate(text):
            width = size / 2 if sign.isascii() else size
            if not sign.isspace():
                self.odd += sign in _NO_MEANING or "\ue000" <= sign <= "\uf8ff"
                box = place.box(x, y - _ASCENT * size, x + width, y + _DESCENT * size)
                self.chars.append(Char(sign, *box))
            moved = index < len(across) or index < len(down)
            x += across[index] if index < len(across) else (0.0 if moved else width)
            y += down[index] if index < len(down) else 0.0

    def _path(self, item: etree._Element) -> None:
        place = _Place.of(item)
        data = next((e.text for e in item if local(e) == "AbbreviatedData"), None)
        if place is None or not data:
            return
        strokes = list(_strokes(data))
        if attribute(item, "Stroke") == "false":
            self._bar(strokes, place)
            return
        for (xa, ya), (xb, yb) in strokes:
            x0, top, x1, bottom = place.box(min(xa, xb), min(ya, yb), max(xa, xb), max(ya, yb))
            if min(x1 - x0, bottom - top) <= _THIN < max(x1 - x0, bottom - top):
                self.segments.append(Segment(x0, top, x1, bottom))

    def _bar(self, strokes: list[tuple[tuple[float, float], tuple[float, float]]], place: _Place) -> None:
        """A thin filled box is a line."""
        points = [point for stroke in strokes for point in stroke]
        if not points:
            return
        xs, ys = [x for x, _ in points], [y for _, y in points]
        x0, top, x1, bottom = place.box(min(xs), min(ys), max(xs), max(ys))
        if min(x1 - x0, bottom - top) <= 3 * _THIN < max(x1 - x0, bottom - top):
            self.segments.append(Segment(x0, top, x1, bottom))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an object's own space lies on the page: Boundary and CTM (§8.5)."""

    left: float
    top: float
    matrix: Matrix

    @classmethod
    def of(cls, item: etree._Element) -> _Place | None:
        boundary = _numbers(attribute(item, "Boundary"))
        if len(boundary) != 4:
            return None
        m = _numbers(attribute(item, "CTM"))
        matrix = (m[0], m[1], m[2], m[3], m[4], m[5]) if len(m) == 6 else _SAME
        return cls(boundary[0], boundary[1], matrix)

    @property
    def slanted(self) -> bool:
        return is_slanted(math.degrees(math.atan2(self.matrix[1], self.matrix[0])))

    def box(self, x0: float, y0: float, x1: float, y1: float) -> Box:
        """The box on the page in points."""
        a, b, c, d, e, f = self.matrix
        corners = [
            ((a * x + c * y + e + self.left) * _POINTS, (b * x + d * y + f + self.top) * _POINTS)
            for x in (x0, x1)
            for y in (y0, y1)
        ]
        xs, ys = [x for x, _ in corners], [y for _, y in corners]
        return min(xs), min(ys), max(xs), max(ys)


def _numbers(text: str | None) -> list[float]:
    try:
        return [float(part) for part in (text or "").split()]
    except ValueError:
        return []


def _steps(text: str | None, most: int) -> list[float]:
    """The distances between characters; `g 3 3.5` stands for three times 3.5 (§11.3)."""
    result: list[float] = []
    parts = iter((text or "").split())
    try:
        for part in parts:
            if part == "g":
                count, value = int(next(parts)), float(next(parts))
                result += [value] * min(max(count, 0), most)
            else:
                result.append(float(part))
            if len(result) >= most:
                break
    except (ValueError, StopIteration):
        return result
    return result


def _strokes(data: str) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    """The straight lines of a path (§9.2)."""
    parts = _PATH.findall(data)
    start = last = (0.0, 0.0)
    at = 0
    while at < len(parts):
        sign = parts[at]
        if sign == "C":
            yield last, start
            last, at = start, at + 1
            continue
        count = _COORDINATES.get(sign, 0)
        values = parts[at + 1 : at + 1 + count]
        if not count or len(values) < count or any(value.isalpha() for value in values):
            at += 1
            continue
        point = (float(values[-2]), float(values[-1]))
        if sign in "SM":
            start = point
        elif sign == "L":
            yield last, point
        last, at = point, at + 1 + count
