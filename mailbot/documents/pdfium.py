"""What stands on the pages of a PDF: characters, ruling lines, pictures; by PDFium, the engine of Chromium.

A page is turned so that its text is upright, whatever its /Rotate says. Points from its top left.
"""

from __future__ import annotations

import ctypes
import math
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from mailbot.documents.lines import Char, Segment
from mailbot.errors import EncryptedError, UnreadableError

_PASSWORD_ERROR = 4
_MOST_CHARS, _MOST_OBJECTS, _DEEPEST = 30_000, 30_000, 4
_FEWEST_CHARS, _FEWEST_BESIDE_PICTURE = 8, 60
_LARGE_PICTURE, _PAGE_SIZE = 0.3, 0.5
_OUTLINES = 300
_ODD_IN = 12
"""One character in so many without meaning, and none on the page is to be trusted."""
_OVERPRINTED_IN, _MOST_CUT_OFF = 25, 10
"""One character in so many printed on another, or so many cells cut off, and the text is not that of its cells."""
_NEAR = 6.0
_OWN_FONTS = (b"Chrome Serif MM", b"Chrome Sans MM")
"""PDFium's last resort: Latin alone."""
_LONGEST_NAME = 200
_CHINESE = 0x2E80
_THIN = 3.0
_SHORTEST = 3.0
_INVISIBLE = (3, 7)
_BLANKS = frozenset("\x00\t\n\r \u00a0\u2002\u2003\u3000\ufeff\u200b\x02")

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
    overprinted: int = 0
    """How many characters stand on others: rows too low for their text, of which it cannot be told what is whose."""

    @property
    def is_garbled(self) -> bool:
        if self.odd * _ODD_IN > len(self.chars) + self.odd:
            return True
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
    chars, odd, cut_off, unshaped, angle = _chars(text, shown.hidden)
    text.close()
    turn = _Turn(left, bottom, right, top, angle)
    placed = [Char(sign, *turn.box(*box), None, run) for sign, box, run in chars]
    return PageContent(
        width=turn.width,
        height=turn.height,
        chars=placed,
        overprinted=_overprinted(placed),
        segments=[Segment(*turn.box(*box)) for box in shown.rules],
        picture=shown.picture,
        paths=shown.paths,
        odd=odd,
        cut_off=cut_off,
        unshaped=unshaped,
    )


def _overprinted(chars: Sequence[Char]) -> int:
    """How many characters stand for the greater part on another one of another piece of text; bold print is none."""
    near: dict[tuple[int, int], list[Char]] = {}
    count = 0
    for char in chars:
        column, row = int(char.x // _NEAR), int(char.y // _NEAR)
        count += any(
            _stands_on(char, other)
            for place in ((column + dx, row + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1))
            for other in near.get(place, ())
        )
        near.setdefault((column, row), []).append(char)
    return count


def _stands_on(char: Char, other: Char) -> bool:
    return (
        char.run != other.run
        and char.text != other.text
        and abs(char.x - other.x) < 0.4 * min(char.x1 - char.x0, other.x1 - other.x0)
        and abs(char.y - other.y) < 0.6 * min(char.size, other.size)
    )


class _Turn:
    """From PDF space (y upwards, text in any of four directions) to the upright page."""

    def __init__(self, left: float, bottom: float, right: float, top: float, angle: int) -> None:
        self._edges = (left, bottom, right, top)
        self._angle = angle
        wide, high = right - left, top - bottom
        self.width, self.height = (high, wide) if angle in (90, 270) else (wide, high)

    def box(self, x0: float, y0: float, x1: float, y1: float) -> tuple[float, float, float, float]:
        left, bottom, right, top = self._edges
        match self._angle:
            case 270:  # text runs upwards: turn the page clockwise
                return y0 - bottom, x0 - left, y1 - bottom, x1 - left
            case 180:
                return right - x1, y0 - bottom, right - x0, y1 - bottom
            case 90:
                return top - y1, right - x1, top - y0, right - x0
            case _:
                return x0 - left, top - y1, x1 - left, top - y0


_Box = tuple[float, float, float, float]


def _chars(text: Any, hidden: bool) -> tuple[list[tuple[str, _Box, int]], int, int, bool, int]:
    """The characters with their boxes and runs, how many are not to be trusted, how many boxes cut some off, whether
    Chinese ones have no shape here, and the direction of the text."""
    from pypdfium2 import raw

    found: list[tuple[str, _Box, int]] = []
    angles: Counter[int] = Counter()
    runs: dict[int, _Run] = {}
    odd = 0
    unshaped = False
    cut: set[_Box] = set()
    box = raw.FS_RECTF()
    for index in range(min(raw.FPDFText_CountChars(text), _MOST_CHARS)):
        code = raw.FPDFText_GetUnicode(text, index)
        sign = chr(code) if code < 0x110000 else "\ufffd"
        if sign in _BLANKS or raw.FPDFText_IsGenerated(text, index) == 1:
            continue
        item = raw.FPDFText_GetTextObject(text, index)
        if hidden and item and raw.FPDFTextObj_GetTextRenderMode(item) in _INVISIBLE:
            continue
        raw.FPDFText_GetLooseCharBox(text, index, box)
        run = _run(item, runs, raw)
        unshaped |= code >= _CHINESE and run.font_lacks
        if run.clip is not None and not _shows(box, run.clip):
            cut.add(run.clip)
            continue
        if _is_odd(code) or raw.FPDFText_HasUnicodeMapError(text, index) == 1:
            odd += 1
            continue
        angle = raw.FPDFText_GetCharAngle(text, index)
        angles[round(math.degrees(angle) / 90) * 90 % 360 if angle >= 0 else 0] += 1
        found.append((sign, (box.left, box.bottom, box.right, box.top), run.number))
    return found, odd, len(cut), unshaped, max(angles, key=lambda a: angles[a], default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """A piece of text."""

    number: int
    clip: _Box | None = None
    """Beyond it nothing of the text shows."""
    font_lacks: bool = False
    """Whether the font is neither in the file nor on this machine."""


def _run(item: Any, runs: dict[int, _Run], raw: Any) -> _Run:
    address = int.from_bytes(item, sys.byteorder)
    if address not in runs:
        number = len(runs)
        runs[address] = (
            _Run(number=number, clip=_clip(item, raw), font_lacks=_font_lacks(item, raw))
            if address
            else _Run(number=number)
        )
    return runs[address]


def _font_lacks(item: Any, raw: Any) -> bool:
    """PDFium then takes a font of its own that has no Chinese: pieces of one character get no width, and are lost."""
    font = raw.FPDFTextObj_GetFont(item)
    if not font or raw.FPDFFont_GetIsEmbedded(font) == 1:
        return False
    family = ctypes.create_string_buffer(_LONGEST_NAME)
    raw.FPDFFont_GetFamilyName(font, family, _LONGEST_NAME)
    return family.value in _OWN_FONTS


def _clip(item: Any, raw: Any) -> _Box | None:
    path = raw.FPDFPageObj_GetClipPath(item)
    box: _Box | None = None
    x, y = ctypes.c_float(), ctypes.c_float()
    for number in range(max(0, min(raw.FPDFClipPath_CountPaths(path), 20)) if path else 0):
        points = []
        for index in range(min(raw.FPDFClipPath_CountPathSegments(path, number), 50)):
            raw.FPDFPathSegment_GetPoint(raw.FPDFClipPath_GetPathSegment(path, number, index), x, y)
            points.append((x.value, y.value))
        if points:
            xs, ys = [x for x, _ in points], [y for _, y in points]
            one = (min(xs), min(ys), max(xs), max(ys))
            box = one if box is None else _common(box, one)
    return box


def _common(one: _Box, other: _Box) -> _Box:
    return max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])


def _shows(box: Any, clip: _Box) -> bool:
    """Whether the middle of a character lies within what is shown."""
    x, y = (box.left + box.right) / 2, (box.bottom + box.top) / 2
    return bool(clip[0] <= x <= clip[2] and clip[1] <= y <= clip[3])


def _is_odd(code: int) -> bool:
    return code < 0x20 or code >= 0xFFFD or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xF900


@dataclass(slots=True)
class _Shown:
    rules: list[_Box] = field(default_factory=list)
    picture: float = 0.0
    paths: int = 0
    hidden: bool = False
    """Whether some text is invisible."""


def _shown(page: Any) -> _Shown:
    from pypdfium2 import raw

    left, bottom, right, top = page.get_bbox()
    whole = max((right - left) * (top - bottom), 1.0)
    shown = _Shown()
    for item, matrix in _objects(page, raw):
        match raw.FPDFPageObj_GetType(item):
            case raw.FPDF_PAGEOBJ_PATH:
                shown.paths += 1
                shown.rules += _rules(item, matrix, raw)
            case raw.FPDF_PAGEOBJ_IMAGE:
                x0, y0, x1, y1 = _bounds(item, matrix, raw)
                area = max(0.0, min(x1, right) - max(x0, left)) * max(0.0, min(y1, top) - max(y0, bottom))
                shown.picture = max(shown.picture, area / whole)
            case raw.FPDF_PAGEOBJ_TEXT:
                shown.hidden |= raw.FPDFTextObj_GetTextRenderMode(item) in _INVISIBLE
    return shown


def _objects(page: Any, raw: Any) -> Iterator[tuple[Any, Matrix]]:
    """The objects of a page and of the forms in it, each with the matrix to the page's space."""
    left = _MOST_OBJECTS
    todo: list[tuple[Any, Any, Any, Matrix, int]] = [
        (page, raw.FPDFPage_CountObjects, raw.FPDFPage_GetObject, _SAME, 0)
    ]
    while todo:
        holder, count, get, matrix, depth = todo.pop()
        for index in range(count(holder)):
            left -= 1
            if left < 0:
                return
            item = get(holder, index)
            if raw.FPDFPageObj_GetType(item) != raw.FPDF_PAGEOBJ_FORM:
                yield item, matrix
            elif depth < _DEEPEST:
                inner = _times(_matrix(item, raw), matrix)
                todo.append((item, raw.FPDFFormObj_CountObjects, raw.FPDFFormObj_GetObject, inner, depth + 1))


def _rules(item: Any, matrix: Matrix, raw: Any) -> Iterator[_Box]:
    """The level and plumb lines that a path draws, thin filled boxes included."""
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    raw.FPDFPath_GetDrawMode(item, fill, stroke)
    if not stroke.value:
        x0, y0, x1, y1 = _bounds(item, matrix, raw)
        if fill.value and min(x1 - x0, y1 - y0) <= _THIN and max(x1 - x0, y1 - y0) >= _SHORTEST:
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
    for index in range(min(raw.FPDFPath_CountSegments(item), 2000)):
        part = raw.FPDFPath_GetPathSegment(item, index)
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


def _bounds(item: Any, matrix: Matrix, raw: Any) -> _Box:
    """An object's box. PDFium gives it in the space of the form that holds the object."""
    x0, y0, x1, y1 = (ctypes.c_float() for _ in range(4))
    raw.FPDFPageObj_GetBounds(item, x0, y0, x1, y1)
    corners = [_moved(x, y, matrix) for x in (x0.value, x1.value) for y in (y0.value, y1.value)]
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
