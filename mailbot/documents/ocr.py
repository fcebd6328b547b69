"""Reads scans and photographs: each page made straight, its table found by its lines, every cell with its confidence.

Numbers are never believed on one look: a short cell is read a second time by itself and its strokes are counted.
Runs in a child of its own. Importing this module loads nothing heavy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from mailbot.documents import ofd, pdfium, picture, recognizer, spreadsheet, word
from mailbot.documents.grid import Grid, grids
from mailbot.documents.lines import Char
from mailbot.documents.pages import Laid, PageTable, lay, together
from mailbot.documents.text import first_lines
from mailbot.errors import UnsupportedError
from mailbot.model import SURE, Format, ReadBy
from mailbot.reading import Cell, Extract

_MOST_PAGES = 20
_DPI = 200
_MOST_PIXELS_ACROSS = 3200
_DOUBTFUL = 0.5
_SHORT_TEXT = 5
_SHORT_COLUMN = 0.8
_WIDE_DIGIT = 0.62
"""A digit's width for its height; what is twice as wide is two digits that touch."""
_LEAST_STROKE = 0.35
"""A blot smaller than this part of a line's height is no character."""
_LEAST_POINT = 0.004
"""Of the square of a line's height: ink smaller than this is no point either."""
_NUMBER = re.compile(r"(?:0|[1-9]\d*)(?:\.\d+)?")
_LONE_STROKES = frozenset(("", "1", "一", "-", "—", "/", "|", "l", "I", "丨", "J", "j"))
_LEANING, _LYING, _DASH = 0.2, 1.2, 0.2
"""How far a slash leans on its way up, how much wider than high a dash is, and how wide for a line's height."""
_PICTURES: Mapping[Format, Callable[[bytes], Iterator[bytes]]] = {
    Format.OFD: ofd.pictures,
    Format.DOCX: word.pictures,
    Format.XLSX: spreadsheet.pictures,
}
_TYPED: Mapping[Format, Callable[[bytes], Extract]] = {
    Format.DOCX: word.typed,
    Format.XLSX: spreadsheet.typed,
}
"""What is written beside the pictures."""
Pixels = Any


def read(data: bytes, format: Format, progress: Callable[[str], None] = lambda _: None) -> Extract:
    """Recognize an image, or a PDF, an OFD, a docx or an xlsx of scans. `progress` is called before each page.

    Raises UnsupportedError where the extra is not installed and nothing can be read without it, UnreadableError,
    EncryptedError, DangerousError.
    """
    pages: list[Laid] = []
    seals: list[bool | None] = []
    unsure: list[str] = []
    unread = 0
    whole = 0
    able = recognizer.is_installed()
    for page in _pages(data, format):
        whole += 1
        if whole > _MOST_PAGES:
            break
        progress("ocr")
        if isinstance(page, Laid):
            pages.append(page)
        elif able:
            pixels, hides = page
            laid, seal, doubted = _recognized(pixels, whole, pages[-1].columns if pages else (), hides=hides)
            pages.append(laid)
            seals.append(seal)
            unsure += doubted
        else:
            unread += 1
    if unread and not pages:
        raise UnsupportedError("OCR is not installed: install mailbot with its extra [ocr]")
    text, tables = together(pages)
    if format in _TYPED:
        text = f"{_TYPED[format](data).text}\n{text}".strip()
    return Extract(
        format=format,
        read_by=ReadBy.OCR if able else ReadBy.TEXT,
        text=text,
        tables=tables,
        headings=first_lines(text.split("\n")),
        seal=any(seals) if any(seal is not None for seal in seals) else None,
        truncated=whole > _MOST_PAGES or unread > 0,
        unsure=tuple(unsure),
    )


def _pages(data: bytes, format: Format) -> Iterator[Laid | tuple[Pixels, bool]]:
    """Each page: laid out already where it is text that can be taken as it is, else its pixels, and whether they hide
    some of its text."""
    if format is not Format.PDF:
        holder = _PICTURES.get(format)
        pictures, most = (holder(data), 1) if holder else ((data,), _MOST_PAGES + 1)
        yield from ((pixels, False) for octets in pictures for pixels in picture.decoded(octets, most))
        return
    with pdfium.opened(data) as document:
        for index in range(min(len(document), _MOST_PAGES + 1)):
            page = pdfium.content(document, index)
            if page.needs_eyes:
                pixels = pdfium.rendered(document, index, dpi=_DPI, most=_MOST_PIXELS_ACROSS)
                yield pixels, page.hides_text
            else:
                yield lay(index + 1, page.chars, page.segments)


def _recognized(
    pixels: Pixels, number: int, columns: Sequence[Any], *, hides: bool
) -> tuple[Laid, bool | None, list[str]]:
    """The page laid out, whether it has a seal, and the lines that are not sure."""
    pixels, boxes = _upright(pixels)
    pixels, seal = picture.seal(pixels)
    pixels, boxes = picture.straightened(pixels, boxes)
    page = _Page.of(pixels, boxes)
    chars = page.chars(boxes)
    segments = picture.segments(page.masks, page.scale)
    laid = lay(number, chars, segments, columns)
    for table in (*(block for block in laid.blocks if isinstance(block, PageTable)), *laid.inner):
        _check(table, page)
        if hides or not page.drawn:
            table.rows = [[_unsure(cell) for cell in row] for row in table.rows]
    unsure = [char.text for char in chars if char.confidence is not None and char.confidence < SURE]
    return laid, seal, unsure


def _upright(pixels: Pixels) -> tuple[Pixels, Pixels]:
    """The page turned so that its text can be read, and the boxes of its lines."""
    boxes = recognizer.text_boxes(pixels)
    wide, high = _sides(boxes)
    if int((high > 1.5 * wide).sum()) > int((wide > 1.5 * high).sum()):
        pixels = picture.turned(pixels, 1)
        boxes = recognizer.text_boxes(pixels)
        wide, high = _sides(boxes)
    longest = sorted(range(len(boxes)), key=lambda index: -wide[index])[:12]
    if recognizer.are_upside_down([_around(pixels, boxes[index]) for index in longest]):
        high, wide = pixels.shape[:2]
        pixels, boxes = picture.turned(pixels, 2), ((wide, high) - boxes)[:, (2, 3, 0, 1)]
    return pixels, boxes


def _sides(boxes: Pixels) -> tuple[Pixels, Pixels]:
    import numpy

    if not len(boxes):
        return numpy.zeros(0), numpy.zeros(0)
    return numpy.ptp(boxes[:, :, 0], axis=1), numpy.ptp(boxes[:, :, 1], axis=1)


def _around(pixels: Pixels, box: Pixels) -> Pixels:
    x0, y0 = (max(0, int(v)) for v in box.min(axis=0))
    x1, y1 = (int(v) + 1 for v in box.max(axis=0))
    return pixels[y0 : max(y1, y0 + 2), x0 : max(x1, x0 + 2)]


@dataclass(slots=True)
class _Page:
    """A straight page: its pixels without the lines, its ink, its lines, and how many points a pixel is.

    `tall` is the height of its lines of text in pixels.
    """

    bare: Pixels
    dark: Pixels
    masks: tuple[Pixels, Pixels]
    scale: float
    drawn: list[Grid]
    tall: float

    @classmethod
    def of(cls, pixels: Pixels, boxes: Pixels) -> _Page:
        import cv2
        import numpy

        dark = picture.ink(pixels)
        masks = picture.rules(dark)
        scale = picture.points_per_pixel(pixels)
        lines = cv2.dilate(cv2.bitwise_or(*masks), cv2.getStructuringElement(cv2.MORPH_RECT, (5, 5)))
        bare = picture.erased(pixels, masks)
        return cls(
            bare,
            cv2.bitwise_and(dark, cv2.bitwise_not(lines)),
            masks,
            scale,
            grids(picture.segments(masks, scale)),
            float(numpy.median(_sides(boxes)[1])) if len(boxes) else 0.0,
        )

    def chars(self, boxes: Pixels) -> list[Char]:
        """The words on the page, none of them over more than one cell."""
        scale = self.scale
        frames = [frame for box in boxes for frame in self._within_cells(box)]
        found = recognizer.words([self.crop(*frame) for frame in frames])
        return [
            Char(said.text.strip(), x0 * scale, y0 * scale, x1 * scale, y1 * scale, said.sure)
            for (x0, y0, x1, y1), said in zip(frames, found, strict=True)
            if said.text.strip()
        ]

    def crop(self, x0: float, y0: float, x1: float, y1: float, pad: int = 3) -> Pixels:
        high, wide = self.bare.shape[:2]
        left, top = max(0, int(x0) - pad), max(0, int(y0) - pad)
        return self.bare[
            top : max(top + 4, min(high, int(y1) + pad)), left : max(left + 4, min(wide, int(x1) + pad))
        ]

    def _within_cells(self, box: Pixels) -> Iterator[tuple[float, float, float, float]]:
        """The box of a line of text, cut where it reaches from one cell into the next."""
        (x0, y0), (x1, y1) = box.min(axis=0), box.max(axis=0)
        middle = (y0 + y1) / 2
        cuts = [float(x0), float(x1)]
        for grid in self.drawn:
            for place in grid.xs:
                x, y = place / self.scale, middle * self.scale
                if x0 < x < x1 and grid.at(place - 2, y) is not grid.at(place + 2, y):
                    cuts.append(x)
        cuts.sort()
        for left, right in pairwise(cuts):
            if right - left >= 0.3 * (y1 - y0) and self._inked(left, y0, right, y1):
                yield left, float(y0), right, float(y1)

    def _inked(self, x0: float, y0: float, x1: float, y1: float) -> bool:
        return bool(self.dark[int(max(y0, 0)) : int(y1), int(max(x0, 0)) : int(x1)].any())

    def strokes(self, cell: Cell) -> _Strokes | None:
        """The ink in a cell; None where there is none that is larger than a speck."""
        import cv2
        import numpy

        if cell.box is None:
            return None
        x0, y0, x1, y1 = (round(value / self.scale) for value in cell.box)
        inside = self.dark[y0 + 3 : y1 - 3, x0 + 3 : x1 - 3]
        if inside.size == 0:
            return None
        mended = cv2.morphologyEx(inside, cv2.MORPH_CLOSE, numpy.ones((3, 1), "uint8"))
        count, _, stats, _ = cv2.connectedComponentsWithStats(mended, connectivity=8)
        every = sorted(
            (int(x) + x0 + 3, int(y) + y0 + 3, int(wide), int(high))
            for x, y, wide, high, area in stats[1:count]
            if area >= _LEAST_POINT * self.tall * self.tall
        )
        least = self.tall * _LEAST_STROKE
        large = [mark for mark in every if max(mark[2:]) >= least]
        if len(every) == 1 and not large and every[0][2] >= max(_LYING * every[0][3], _DASH * self.tall):
            large = every
        return _Strokes(large, [mark for mark in every if mark not in large]) if large else None


_Mark = tuple[int, int, int, int]
"""A connected piece of ink: x, y, width, height in pixels."""


@dataclass(slots=True)
class _Strokes:
    """The ink in a cell, each from left to right: what may be signs, and what is smaller."""

    marks: list[_Mark]
    small: list[_Mark]

    @property
    def tallest(self) -> int:
        return max(high for _, _, _, high in self.marks)

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Around the signs and what is small and near them."""
        left, right = self.marks[0][0], max(x + wide for x, _, wide, _ in self.marks)
        top, bottom = min(y for _, y, _, _ in self.marks), max(y + high for _, y, _, high in self.marks)
        near = self.tallest
        kept = [m for m in self.small if left - near < m[0] < right + near and top <= m[1] <= bottom]
        return (
            min(left, *(m[0] for m in kept), left),
            min(top, *(m[1] for m in kept), top),
            max(right, *(m[0] + m[2] for m in kept), right),
            max(bottom, *(m[1] + m[3] for m in kept), bottom),
        )

    @property
    def digits(self) -> list[int]:
        """For each sign as tall as a digit, how many digits it is as wide as."""
        return [
            max(1, round(wide / (_WIDE_DIGIT * self.tallest)))
            for _, _, wide, high in self.marks
            if high >= 0.6 * self.tallest
        ]

    @property
    def point(self) -> int | None:
        """Before which sign a point stands; None where none does."""
        tall = [mark for mark in self.marks if mark[3] >= 0.6 * self.tallest]
        for x, y, wide, high in self.small:
            foot = max(mark[1] + mark[3] for mark in tall)
            before = sum(mark[0] + mark[2] / 2 < x + wide / 2 for mark in tall)
            if 0 < before < len(tall) and y + high > foot - 0.35 * self.tallest and high < 0.4 * self.tallest:
                return before
        return None

    def agree(self, text: str) -> bool:
        """Whether there are as many strokes as a printed number has digits; other text is not counted."""
        if not text or text.strip("0123456789."):
            return True
        if not _NUMBER.fullmatch(text) or (self.point is not None and "." not in text):
            return False
        return sum(self.digits) == sum(sign.isdigit() for sign in text)

    def pointed(self, text: str) -> str:
        """The digits with the point that stands between them."""
        if self.point is None or not text.isdigit() or len(text) != len(self.digits):
            return text
        return f"{text[: self.point]}.{text[self.point :]}"


@dataclass(slots=True)
class _Look:
    """A cell to be read again by itself."""

    row: list[Cell]
    column: int
    short: bool
    """Whether it is in a column of short texts."""
    figures: bool
    """Whether it is in a column of numbers."""
    strokes: _Strokes

    @property
    def cell(self) -> Cell:
        return self.row[self.column]

    def put(self, page: _Page, text: str, confidence: float) -> None:
        self.row[self.column] = _doubted(replace(self.cell, text=text), page, confidence)

    def crop(self, page: _Page) -> Pixels:
        return page.crop(*self.strokes.box, pad=6)


def _check(table: PageTable, page: _Page) -> None:
    """Read the short cells again by themselves, and those that have ink and no text."""
    looks = [look for column in range(len(table.xs) - 1) for look in _looks(table, column, page)]
    crops = [look.crop(page) for look in looks]
    disputed = []
    for look, crop, said in zip(looks, crops, recognizer.words(crops), strict=True):
        _compare(look, said, page)
        stroke = _lone_stroke(look, crop, page.tall) if look.figures else ""
        if stroke in ("-", "/") or stroke not in ("", look.cell.text):
            look.put(page, stroke, _DOUBTFUL)
        elif look.figures and (look.cell.confidence or 0.0) < SURE:
            disputed.append((look, said, picture.softened(crop)))
    again = recognizer.words([crop for _, _, crop in disputed])
    for (look, said, _), third in zip(disputed, again, strict=True):
        _settle(look, (said, third), page)


def _looks(table: PageTable, column: int, page: _Page) -> Iterator[_Look]:
    short, figures = _is_short(table, column), _is_of_numbers(table, column)
    for row in table.rows:
        cell = row[column]
        if cell.merged or not (short or not cell.text) or len(cell.text) > _SHORT_TEXT:
            continue
        strokes = page.strokes(cell)
        if strokes and "\n" not in cell.text:
            yield _Look(row, column, short, figures, strokes)
        elif cell.text and not strokes:
            row[column] = _doubted(cell, page, _DOUBTFUL)


def _is_short(table: PageTable, column: int) -> bool:
    texts = [row[column].text for row in table.rows if row[column].text]
    return not texts or sum(len(text) <= _SHORT_TEXT for text in texts) >= _SHORT_COLUMN * len(texts)


def _is_of_numbers(table: PageTable, column: int) -> bool:
    texts = [row[column].text for row in table.rows[1:] if row[column].text]
    return 2 * sum(_NUMBER.fullmatch(text) is not None for text in texts) > len(texts)


def _compare(look: _Look, said: recognizer.Words, page: _Page) -> None:
    """The cell after the second look: certain only where both agree, and the strokes with them."""
    text, before = said.text.strip(), look.cell
    if not before.text:
        sure = said.sure if text and look.strokes.agree(text) else min(said.sure, _DOUBTFUL)
        look.put(page, text, sure)
    elif look.short:
        agreed = text == before.text and look.strokes.agree(text)
        look.put(page, before.text, min(before.confidence or 0.0, 1.0 if agreed else _DOUBTFUL))


def _settle(look: _Look, seen: Sequence[recognizer.Words], page: _Page) -> None:
    """What a disputed number most likely is; certain after all where three looks say the same, and the strokes."""
    before = look.cell
    same = all(said.text == before.text == said.number for said in seen)
    if same and look.strokes.agree(before.text):
        look.put(page, before.text, max(before.confidence or 0.0, *(said.sure for said in seen)))
        return
    texts = (before.text, *(text for said in seen for text in (said.text.strip(), said.number)))
    numbers = [text for text in map(look.strokes.pointed, texts) if _NUMBER.fullmatch(text)]
    likeliest = max(
        numbers, key=lambda text: (look.strokes.agree(text), numbers.count(text)), default=before.text
    )
    look.put(page, likeliest, min(before.confidence or 0.0, _DOUBTFUL))


def _lone_stroke(look: _Look, crop: Pixels, tall: float) -> str:
    """A dash, a slash or a one, which recognition takes for each other; '' for anything else.

    Ones lean too where a hand wrote them, but something stands beside them in the row: what was done for the points.
    """
    if len(look.strokes.marks) != 1:
        return ""
    _, _, wide, high = look.strokes.marks[0]
    if wide > _LYING * high and high < _LEAST_STROKE * tall:
        return "-"
    if high < wide or look.cell.text not in _LONE_STROKES:
        return ""
    alone = not any(cell.text for cell in look.row[look.column + 1 :])
    return "/" if alone and picture.lean(crop) > _LEANING else "1"


def _unsure(cell: Cell) -> Cell:
    """A cell whose borders were guessed, or whose text may go on: without lines recognition runs neighbours together."""
    return replace(cell, confidence=min(cell.confidence or _DOUBTFUL, _DOUBTFUL)) if cell.text else cell


def _doubted(cell: Cell, page: _Page, confidence: float) -> Cell:
    """The cell with this confidence, and with its picture where that is low."""
    shown = None
    if confidence < SURE and cell.box is not None:
        x0, y0, x1, y1 = (value / page.scale for value in cell.box)
        shown = picture.png(page.crop(x0, y0, x1, y1, pad=0))
    return replace(cell, confidence=confidence, picture=shown)
