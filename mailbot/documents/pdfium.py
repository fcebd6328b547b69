"""What stands on the pages of a PDF: characters, ruling lines, pictures; by PDFium, the engine of Chromium.

A page is turned so that its text is upright, whatever its /Rotate says. Points from its top left.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby, islice
from operator import attrgetter, sub
from typing import Any

from mailbot.documents import pdftext
from mailbot.documents.lines import Box, Char, Segment
from mailbot.errors import EncryptedError, UnreadableError

_PASSWORD_ERROR = 4
_MOST_OBJECTS, _DEEPEST, _MOST_SEGMENTS = 30_000, 4, 2000
_FEWEST_CHARS, _FEWEST_BESIDE_PICTURE = 8, 60
_LARGE_PICTURE, _PAGE_SIZE = 0.3, 0.5
_OUTLINES = 300
_ODD_IN = 12
"""One character in so many without meaning, and none on the page is to be trusted."""
_OVERPRINTED_IN, _MOST_CUT_OFF = 25, 10
"""One character in so many printed on another, or so many cells cut off, and the text is not that of its cells."""
_NEAR = 6.0
_TALLEST = 3000.0
_STRIP = 50.0
_THIN = 3.0
_SHORTEST = 3.0
_WHITE = 240
"""From this on, of 255, a colour is the paper's."""

Matrix = tuple[float, float, float, float, float, float]
_SAME: Matrix = (1, 0, 0, 1, 0, 0)


@dataclass(slots=True)
class PageContent:
    """One page: what a person sees there."""

    width: float
    height: float
    chars: list[Char] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    picture: float = 0.0
    """Which part of the page its largest picture covers, 0..1."""
    paths: int = 0
    """Text may be drawn as outlines."""
    odd: int = 0
    """How many characters have no meaning that could be trusted (broken fonts)."""
    cut_off: int = 0
    """In how many cells some of the text does not show: rows too low for it."""
    unshaped: bool = False
    """Whether its Chinese has no shape here: the font is neither in the file nor on this machine."""
    covered: frozenset[Char] = frozenset()
    """The characters over which something white was drawn, as who corrects a PDF does."""
    overprinted: int = 0
    """How many characters stand on others: rows too low for their text, of which it cannot be told what is whose."""

    @property
    def is_garbled(self) -> bool:
        return self.odd * _ODD_IN > len(self.chars) + self.odd or self.hides_text

    @property
    def hides_text(self) -> bool:
        """Whether not all of its text shows: whoever looks at it sees less than was written."""
        return self.cut_off >= _MOST_CUT_OFF or self.overprinted * _OVERPRINTED_IN > len(self.chars)

    @property
    def has_text(self) -> bool:
        """Whether its words can be taken as they are. A scanner's mark on a scan is not its text."""
        fewest = _FEWEST_BESIDE_PICTURE if self.picture >= _PAGE_SIZE else _FEWEST_CHARS
        return len(self.chars) >= fewest and not self.is_garbled

    @property
    def needs_eyes(self) -> bool:
        """Whether it shows something that only recognition of characters can read."""
        if self.has_text:
            return False
        return self.is_garbled or self.picture >= _LARGE_PICTURE or self.paths >= _OUTLINES


@contextmanager
def opened(data: bytes) -> Iterator[Any]:
    """A PDF document. Raises EncryptedError, UnreadableError."""
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == _PASSWORD_ERROR:
            raise EncryptedError("the PDF wants a password") from error
        raise UnreadableError(f"no PDF that can be opened: {error}") from error
    try:
        yield document
    finally:
        document.close()


def content(document: Any, index: int) -> PageContent:
    """What one page shows, filled-in fields and notes included. A page that cannot be loaded is empty."""
    import pypdfium2
    from pypdfium2 import raw

    try:
        page = document[index]
        if raw.FPDFPage_GetAnnotCount(page) > 0:
            raw.FPDFPage_Flatten(page, raw.FLAT_NORMALDISPLAY)
            page.close()
            page = document[index]
        return _content(page)
    except pypdfium2.PdfiumError:
        return PageContent(595, 842)


def rendered(document: Any, index: int, *, dpi: int, most: int) -> Any:
    """A page as pixels (BGR), at most so many across. A page that cannot be loaded is blank."""
    import numpy
    import pypdfium2

    try:
        page = document[index]
        scale = min(dpi / 72, most / max(page.get_width(), page.get_height(), 1.0))
        return numpy.ascontiguousarray(page.render(scale=scale, may_draw_forms=False).to_numpy()[:, :, :3])
    except pypdfium2.PdfiumError:
        return numpy.full((1200, 800, 3), 255, "uint8")


def _content(page: Any) -> PageContent:
    left, bottom, right, top = page.get_bbox()
    shown = _shown(page)
    text = page.get_textpage()
    written = pdftext.written(text.raw)
    text.close()
    turned = _upright(left, bottom, right, top, written.angle)
    chars = list(map(_made, _placed(written.chars, turned)))
    beneath = _beneath(page, written, shown.covers) if shown.covers else ()
    wide, high = right - left, top - bottom
    lies = written.angle in (90, 270)
    return PageContent(
        width=high if lies else wide,
        height=wide if lies else high,
        chars=chars,
        covered=frozenset(chars[index] for index in beneath),
        overprinted=_overprinted(chars),
        segments=[Segment(*turned(*box)) for box in shown.rules],
        picture=shown.picture,
        paths=shown.paths,
        odd=written.odd,
        cut_off=written.cut_off,
        unshaped=written.unshaped,
    )


_made = partial(tuple.__new__, Char)
"""A Char from its fields in their order, in half the time."""


def _placed(chars: Iterable[tuple[str, Box, int]], turned: Callable[..., Box]) -> Iterator[tuple[Any, ...]]:
    for sign, (x0, y1, x1, y0), run in chars:
        yield (sign, *turned(x0, y0, x1, y1), None, run)


def _overprinted(chars: Sequence[Char]) -> int:
    """How many characters stand for the greater part on another one of another piece of text; bold print is none."""
    near: dict[tuple[int, int], list[Char]] = {}
    count = 0
    for char in _crowded(chars):
        column, row = int(char.x // _NEAR), int(char.y // _NEAR)
        count += any(
            _stands_on(char, other)
            for place in ((column + dx, row + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1))
            for other in near.get(place, ())
        )
        near.setdefault((column, row), []).append(char)
    return count


def _crowded(chars: Sequence[Char]) -> list[Char]:
    """The characters of those pieces of text that reach into each other as far as `_stands_on` asks: mostly none."""
    pieces = [list(piece) for _, piece in groupby(chars, key=attrgetter("run"))]
    spans: dict[int, list[tuple[float, float, int]]] = {}
    for number, piece in enumerate(pieces):
        _, x0s, tops, x1s, bottoms, _, _ = zip(*piece, strict=True)
        aside = 0.29 * min(map(sub, x1s, x0s))
        above = 0.19 * min(map(sub, bottoms, tops))
        for band in range(_band(min(tops) + above), _band(max(bottoms) - above) + 1):
            spans.setdefault(band, []).append((min(x0s) + aside, max(x1s) - aside, number))
    crowded: set[int] = set()
    for level in spans.values():
        reach, farthest = -math.inf, 0
        for left, right, number in sorted(level):
            if left < reach:
                crowded |= {number, farthest}
            if right > reach:
                reach, farthest = right, number
    return [char for number in sorted(crowded) for char in pieces[number]]


def _band(y: float) -> int:
    """In which strip of the page a height lies; all that is off the page lies in the outermost ones."""
    return int(min(max(y, 0.0), _TALLEST) // _NEAR)


def _stands_on(char: Char, other: Char) -> bool:
    return (
        char.run != other.run
        and char.text != other.text
        and abs(char.x - other.x) < 0.4 * min(char.x1 - char.x0, other.x1 - other.x0)
        and abs(char.y - other.y) < 0.6 * min(char.size, other.size)
    )


def _upright(left: float, bottom: float, right: float, top: float, angle: int) -> Callable[..., Box]:
    """What takes a box (x0, y0, x1, y1) from PDF space, y upwards and text at this angle, to the upright page."""
    match angle:
        case 270:  # text runs upwards: turn the page clockwise
            return lambda x0, y0, x1, y1: (y0 - bottom, x0 - left, y1 - bottom, x1 - left)
        case 180:
            return lambda x0, y0, x1, y1: (right - x1, y0 - bottom, right - x0, y1 - bottom)
        case 90:
            return lambda x0, y0, x1, y1: (top - y1, right - x1, top - y0, right - x0)
        case _:
            return lambda x0, y0, x1, y1: (x0 - left, top - y1, x1 - left, top - y0)


@dataclass(slots=True)
class _Shown:
    rules: list[Box] = field(default_factory=list)
    covers: list[tuple[int, Box]] = field(default_factory=list)
    """White boxes, and when they were drawn."""
    picture: float = 0.0
    paths: int = 0


def _shown(page: Any) -> _Shown:
    from pypdfium2 import raw

    left, bottom, right, top = page.get_bbox()
    whole = max((right - left) * (top - bottom), 1.0)
    shown = _Shown()
    for number, (item, matrix) in enumerate(_objects(page, raw)):
        match raw.FPDFPageObj_GetType(item):
            case raw.FPDF_PAGEOBJ_PATH:
                shown.paths += 1
                fill, stroke = _draw_mode(item, raw)
                shown.rules += _rules(item, matrix, raw, fill=fill, stroke=stroke)
                shown.covers += [(number, box) for box in _covers(item, matrix, raw)] if fill else ()
            case raw.FPDF_PAGEOBJ_IMAGE:
                x0, y0, x1, y1 = _bounds(item, matrix, raw)
                area = max(0.0, min(x1, right) - max(x0, left)) * max(0.0, min(y1, top) - max(y0, bottom))
                shown.picture = max(shown.picture, area / whole)
    return shown


def _objects(page: Any, raw: Any) -> Iterator[tuple[Any, Matrix]]:
    """The objects of a page, its forms and what is in them, as they are drawn, each with the matrix to the page's space."""
    return islice(_within(page, _SAME, 0, raw), _MOST_OBJECTS)


def _within(holder: Any, matrix: Matrix, depth: int, raw: Any) -> Iterator[tuple[Any, Matrix]]:
    """The objects in a page, or deeper in a form."""
    count = (raw.FPDFFormObj_CountObjects if depth else raw.FPDFPage_CountObjects)(holder)
    get = raw.FPDFFormObj_GetObject if depth else raw.FPDFPage_GetObject
    for index in range(count):
        item = get(holder, index)
        yield item, matrix
        if depth < _DEEPEST and raw.FPDFPageObj_GetType(item) == raw.FPDF_PAGEOBJ_FORM:
            yield from _within(item, _times(_matrix(item, raw), matrix), depth + 1, raw)


def _covers(item: Any, matrix: Matrix, raw: Any) -> Iterator[Box]:
    """The box of a filled path if that is white, as far as it shows, and wide and high enough to hide a character.

    None of one in several pieces, as a frame around the page, which hides nothing within.
    """
    if raw.FPDFPageObj_HasTransparency(item):
        return
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    raw.FPDFPageObj_GetFillColor(item, red, green, blue, alpha)
    if min(red.value, green.value, blue.value) < _WHITE or not _is_one_piece(item, raw):
        return
    box, clip = _bounds(item, _SAME, raw), pdftext.clip(_address(item))
    if clip is not None:
        box = pdftext.common(box, clip)
    x0, y0, x1, y1 = _moved_box(box, matrix)
    if box[0] < box[2] and box[1] < box[3] and min(x1 - x0, y1 - y0) > _THIN:
        yield x0, y0, x1, y1


def _is_one_piece(item: Any, raw: Any) -> bool:
    kinds = [raw.FPDFPathSegment_GetType(part) for part in _parts(item, raw)]
    return kinds.count(raw.FPDF_SEGMENT_MOVETO) == 1


def _parts(item: Any, raw: Any) -> Iterator[Any]:
    """The segments of a path."""
    count = min(raw.FPDFPath_CountSegments(item), _MOST_SEGMENTS)
    return (raw.FPDFPath_GetPathSegment(item, index) for index in range(count))


def _draw_mode(item: Any, raw: Any) -> tuple[bool, bool]:
    """Whether a path is filled, and whether it is drawn as a line."""
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    raw.FPDFPath_GetDrawMode(item, fill, stroke)
    return fill.value != 0, stroke.value != 0


def _address(item: Any) -> int:
    return ctypes.cast(item, ctypes.c_void_p).value or 0


def _beneath(page: Any, written: pdftext.Written, covers: Sequence[tuple[int, Box]]) -> Iterator[int]:
    """Which of the characters lie beneath what was drawn after them."""
    from pypdfium2 import raw

    drawn: dict[int | None, int] = {
        _address(item): number
        for number, (item, _) in enumerate(_objects(page, raw))
        if raw.FPDFPageObj_GetType(item) == raw.FPDF_PAGEOBJ_TEXT
    }
    when = [drawn.get(address, math.inf) for address in written.addresses]
    first = min(when, default=math.inf)
    later: dict[int, list[tuple[int, Box]]] = {}
    for number, box in covers:
        for strip in range(_strip(box[1]), _strip(box[3]) + 1) if number > first else ():
            later.setdefault(strip, []).append((number, box))
    for index, (_, (x0, y1, x1, y0), run) in enumerate(written.chars):
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        near = later.get(_strip(y), ())
        if any(
            number > when[run] and box[0] <= x <= box[2] and box[1] <= y <= box[3] for number, box in near
        ):
            yield index


def _strip(y: float) -> int:
    """In which of the strips of a page a height lies: what covers a character has one in common with it."""
    return round(min(max(-_TALLEST, y), _TALLEST) / _STRIP)


def _rules(item: Any, matrix: Matrix, raw: Any, *, fill: bool, stroke: bool) -> Iterator[Box]:
    """The level and plumb lines that a path draws, thin filled boxes included."""
    if not stroke:
        x0, y0, x1, y1 = _bounds(item, matrix, raw)
        if fill and min(x1 - x0, y1 - y0) <= _THIN and max(x1 - x0, y1 - y0) >= _SHORTEST:
            yield x0, y0, x1, y1
        return
    for (xa, ya), (xb, yb) in _strokes(item, _times(_matrix(item, raw), matrix), raw):
        wide, high = abs(xa - xb), abs(ya - yb)
        if max(wide, high) >= _SHORTEST and min(wide, high) <= 1.0:
            yield min(xa, xb), min(ya, yb), max(xa, xb), max(ya, yb)


_Point = tuple[float, float]


def _strokes(item: Any, matrix: Matrix, raw: Any) -> Iterator[tuple[_Point, _Point]]:
    start = last = (0.0, 0.0)
    x, y = ctypes.c_float(), ctypes.c_float()
    for part in _parts(item, raw):
        raw.FPDFPathSegment_GetPoint(part, x, y)
        point = _moved(x.value, y.value, matrix)
        match raw.FPDFPathSegment_GetType(part):
            case raw.FPDF_SEGMENT_MOVETO:
                start = point
            case raw.FPDF_SEGMENT_LINETO:
                yield last, point
        last = point
        if raw.FPDFPathSegment_GetClose(part):
            yield last, start


def _bounds(item: Any, matrix: Matrix, raw: Any) -> Box:
    """An object's box. PDFium gives it in the space of the form that holds the object."""
    x0, y0, x1, y1 = (ctypes.c_float() for _ in range(4))
    raw.FPDFPageObj_GetBounds(item, x0, y0, x1, y1)
    return _moved_box((x0.value, y0.value, x1.value, y1.value), matrix)


def _moved_box(box: Box, matrix: Matrix) -> Box:
    corners = [_moved(x, y, matrix) for x in box[::2] for y in box[1::2]]
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return min(xs), min(ys), max(xs), max(ys)


def _matrix(item: Any, raw: Any) -> Matrix:
    m = raw.FS_MATRIX()
    return (m.a, m.b, m.c, m.d, m.e, m.f) if raw.FPDFPageObj_GetMatrix(item, m) else _SAME


def _times(m: Matrix, n: Matrix) -> Matrix:
    """First m, then n (ISO 32000-1 §8.3.4)."""
    return (
        m[0] * n[0] + m[1] * n[2],
        m[0] * n[1] + m[1] * n[3],
        m[2] * n[0] + m[3] * n[2],
        m[2] * n[1] + m[3] * n[3],
        m[4] * n[0] + m[5] * n[2] + n[4],
        m[4] * n[1] + m[5] * n[3] + n[5],
    )


def _moved(x: float, y: float, m: Matrix) -> _Point:
    return m[0] * x + m[2] * y + m[4], m[1] * x + m[3] * y + m[5]
