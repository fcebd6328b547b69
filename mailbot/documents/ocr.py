"""Reads scans and photographs: each page made straight, its table found by its lines, every cell with its confidence.

Numbers are never believed on one look: a short cell is read a second time by itself and its strokes are counted.
Runs in a child of its own. Importing this module loads nothing heavy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from mailbot.documents import pdf, pdfium, picture, recognizer
from mailbot.documents.dimensions import dimensions
from mailbot.documents.grid import Grid, grids
from mailbot.documents.lines import Char
from mailbot.documents.pages import Laid, PageTable, lay, together
from mailbot.errors import UnsupportedError
from mailbot.model import Format, ReadBy
from mailbot.reading import Cell, Extract

_LEAST_LONG, _LEAST_SHORT = 600, 400
_MOST_PAGES = 20
_DPI = 200
_MOST_PIXELS_ACROSS = 3200
_SURE = 0.9
_DOUBTFUL = 0.5
_SHORT_TEXT = 5
_SHORT_COLUMN = 0.8
_WIDE_DIGIT = 0.62
"""A digit's width for its height; what is twice as wide is two digits that touch."""
_LEAST_SPECK = 0.28
"""A blot lower than this part of a line's height is no character."""
_NUMBER = re.compile(r"^[\d.]+$")
Pixels = Any


def worth_recognizing(data: bytes) -> bool:
    """Whether a picture is large enough to hold a page, by its header alone; True where it does not say."""
    size = dimensions(data)
    return size is None or (max(size) >= _LEAST_LONG and min(size) >= _LEAST_SHORT)


def read(data: bytes, format: Format, progress: Callable[[str], None] = lambda _: None) -> Extract:
    """Recognize an image or a PDF of scans. `progress` is called before each page.

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
            laid, seal, doubted = _recognized(page, whole, pages[-1].columns if pages else ())
            pages.append(laid)
            seals.append(seal)
            unsure += doubted
        else:
            unread += 1
    if unread and not pages:
        raise UnsupportedError("OCR is not installed: install mailbot with its extra [ocr]")
    text, tables = together(pages)
    return Extract(
        format=format,
        read_by=ReadBy.OCR if able else ReadBy.TEXT,
        text=text,
        tables=tables,
        headings=pdf.headings(text),
        seal=any(seals) if any(seal is not None for seal in seals) else None,
        truncated=whole > _MOST_PAGES or unread > 0,
        unsure=tuple(unsure),
    )


def _pages(data: bytes, format: Format) -> Iterator[Laid | Pixels]:
    """Each page: laid out already where it is text that can be taken as it is, else its pixels."""
    if format is not Format.PDF:
        yield from picture.decoded(data, _MOST_PAGES + 1)
        return
    with pdfium.opened(data) as document:
        for index in range(min(len(document), _MOST_PAGES + 1)):
            page = pdfium.content(document, index)
            if page.needs_eyes:
                yield pdfium.rendered(document, index, dpi=_DPI, most=_MOST_PIXELS_ACROSS)
            else:
                yield lay(index + 1, page.chars, page.segments)


def _recognized(pixels: Pixels, number: int, columns: Sequence[Any]) -> tuple[Laid, bool | None, list[str]]:
    """The page laid out, whether it has a seal, and the lines that are not sure."""
    pixels, boxes = _upright(pixels)
    pixels, seal = picture.seal(pixels)
    pixels, boxes = picture.straightened(pixels, boxes)
    page = _Page.of(pixels)
    chars = page.chars(boxes)
    segments = picture.segments(page.masks, page.scale)
    laid = lay(number, chars, segments, columns)
    for table in (*(block for block in laid.blocks if isinstance(block, PageTable)), *laid.inner):
        _check(table, page)
        if not page.drawn:
            table.rows = [[_unsure(cell) for cell in row] for row in table.rows]
    unsure = [char.text for char in chars if char.confidence is not None and char.confidence < _SURE]
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
        pixels = picture.turned(pixels, 2)
        boxes = recognizer.text_boxes(pixels)
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
    """A straight page: its pixels without the lines, its ink, its lines, and how many points a pixel is."""

    bare: Pixels
    dark: Pixels
    masks: tuple[Pixels, Pixels]
    scale: float
    drawn: list[Grid]

    @classmethod
    def of(cls, pixels: Pixels) -> _Page:
        import cv2

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
        )

    def chars(self, boxes: Pixels) -> list[Char]:
        """The words on the page, none of them over more than one cell."""
        scale = self.scale
        frames = [frame for box in boxes for frame in self._within_cells(box)]
        found = recognizer.words([self.crop(*frame) for frame in frames])
        return [
            Char(text.strip(), x0 * scale, y0 * scale, x1 * scale, y1 * scale, score)
            for (x0, y0, x1, y1), (text, score) in zip(frames, found, strict=True)
            if text.strip()
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

    def marks(self, cell: Cell) -> list[tuple[int, int, int, int]]:
        """The separate strokes of ink in a cell, left to right: x, y, width, height in pixels."""
        import cv2

        if cell.box is None:
            return []
        x0, y0, x1, y1 = (round(value / self.scale) for value in cell.box)
        inside = self.dark[y0 + 3 : y1 - 3, x0 + 3 : x1 - 3]
        if inside.size == 0:
            return []
        count, _, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=8)
        least = 6.0 / self.scale * _LEAST_SPECK
        found = [
            (int(x) + x0 + 3, int(y) + y0 + 3, int(wide), int(high))
            for x, y, wide, high, area in stats[1:count]
            if max(wide, high) >= least * 2 and area >= least * 2
        ]
        return sorted(found)


@dataclass(slots=True)
class _Look:
    """A cell to be read again by itself."""

    row: list[Cell]
    column: int
    numeric: bool
    marks: list[tuple[int, int, int, int]]

    def crop(self, page: _Page) -> Pixels:
        x0, y0 = min(m[0] for m in self.marks), min(m[1] for m in self.marks)
        x1, y1 = max(m[0] + m[2] for m in self.marks), max(m[1] + m[3] for m in self.marks)
        return page.crop(x0, y0, x1, y1, pad=6)


def _check(table: PageTable, page: _Page) -> None:
    """Read the short cells again by themselves, and those that have ink and no text."""
    looks = []
    for column in range(len(table.xs) - 1):
        short = _is_short(table, column)
        for row in table.rows:
            cell = row[column]
            if cell.merged or not (short or not cell.text) or len(cell.text) > _SHORT_TEXT:
                continue
            marks = page.marks(cell)
            if marks and "\n" not in cell.text:
                looks.append(_Look(row, column, short, marks))
            elif cell.text and not marks:
                row[column] = _doubted(cell, page, _DOUBTFUL)
    for look, (text, score) in zip(looks, recognizer.words([look.crop(page) for look in looks]), strict=True):
        look.row[look.column] = _compared(look, text.strip(), score, page)


def _is_short(table: PageTable, column: int) -> bool:
    texts = [row[column].text for row in table.rows if row[column].text]
    return not texts or sum(len(text) <= _SHORT_TEXT for text in texts) >= _SHORT_COLUMN * len(texts)


def _compared(look: _Look, text: str, score: float, page: _Page) -> Cell:
    """The cell after the second look: certain only where both agree, and the strokes with them."""
    cell = look.row[look.column]
    if not cell.text:
        sure = score if text and _strokes_agree(text, look.marks) else min(score, _DOUBTFUL)
        return _doubted(replace(cell, text=text), page, sure)
    if not look.numeric:
        return cell
    agreed = text == cell.text and _strokes_agree(text, look.marks)
    return _doubted(cell, page, min(cell.confidence or 0.0, 1.0 if agreed else _DOUBTFUL))


def _strokes_agree(text: str, marks: Sequence[tuple[int, int, int, int]]) -> bool:
    """Whether there are as many strokes as a printed number has digits; other text is not counted."""
    if not _NUMBER.match(text):
        return True
    tallest = max(high for _, _, _, high in marks)
    digits = (wide for _, _, wide, high in marks if high >= 0.6 * tallest)
    counted = sum(max(1, round(wide / (_WIDE_DIGIT * tallest))) for wide in digits)
    return counted == sum(sign.isdigit() for sign in text)


def _unsure(cell: Cell) -> Cell:
    """A cell whose borders were guessed: without lines, recognition runs words of neighbours together."""
    return replace(cell, confidence=min(cell.confidence or _DOUBTFUL, _DOUBTFUL)) if cell.text else cell


def _doubted(cell: Cell, page: _Page, confidence: float) -> Cell:
    """The cell with this confidence, and with its picture where that is low."""
    shown = None
    if confidence < _SURE and cell.box is not None:
        x0, y0, x1, y1 = (value / page.scale for value in cell.box)
        shown = picture.png(page.crop(x0, y0, x1, y1, pad=0))
    return replace(cell, confidence=confidence, picture=shown)
