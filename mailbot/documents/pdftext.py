"""The characters of a PDF page as PDFium gives them, each with its box and the piece of text that it belongs to.

PDFium is asked about one character at a time, thousands for a page: its functions are called by plain addresses,
which takes half as long as with the pointer objects of pypdfium2.
"""

from __future__ import annotations

import ctypes
import math
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from typing import Any

from mailbot.documents.lines import Box, is_slanted

_INVISIBLE = (3, 7)
"""Render modes of text that does not show (ISO 32000-1, table 106)."""
_MOST_CHARS = 30_000
_OWN_FONTS = (b"Chrome Serif MM", b"Chrome Sans MM")
"""PDFium's last resort: Latin alone."""
_LONGEST_NAME = 200
_CHINESE = 0x2E80
_BLANKS = frozenset(map(ord, "\x00\t\n\r \u00a0\u2002\u2003\u3000\ufeff\u200b\x02"))
_BOX = struct.Struct("4f")
"""FS_RECTF: left, top, right, bottom."""
_Call = Callable[..., Any]
_Each = tuple[int, int | None, Box, int]
"""Of a character its code, the address of its text object, its box, and 1 where it has no code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What is written on a page, in the space of the PDF (y upwards)."""

    chars: list[tuple[str, Box, int]]
    """Sign, box (left, top, right, bottom) and the number of its run."""
    odd: int
    """How many characters have no meaning that could be trusted."""
    cut_off: int
    """How many clipping boxes cut some off."""
    unshaped: bool
    """Whether Chinese ones have no shape here."""
    angle: int
    """The direction of most of the text: 0, 90, 180 or 270 degrees."""
    addresses: tuple[int | None, ...]
    """Of each run that of its text object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """A piece of text."""

    number: int
    angle: int
    clip: Box | None = None
    """Beyond it nothing of the text shows."""
    font_lacks: bool = False
    """Whether the font is neither in the file nor on this machine."""
    hidden: bool = False
    """Whether it does not show, or is a watermark."""


def written(text: Any) -> Written:
    """Read a text page (FPDF_TEXTPAGE), what is invisible left out."""
    call = _calls()
    page = ctypes.cast(text, ctypes.c_void_p).value
    found: list[tuple[str, Box, int]] = []
    angles: Counter[int] = Counter()
    runs: dict[int | None, _Run] = {}
    lacking: dict[int, bool] = {}
    cut: set[Box] = set()
    odd = 0
    unshaped = False
    for index, (code, address, box, unmapped) in enumerate(_each(text, page, call)):
        if code in _BLANKS or (address is None and call["FPDFText_IsGenerated"](page, index) == 1):
            continue
        run = runs.get(address)
        if run is None:
            run = runs[address] = _run(len(runs), address, _degrees(page, index, call), lacking)
        if run.hidden:
            continue
        unshaped = unshaped or (run.font_lacks and code >= _CHINESE)
        sign = _sign(code)
        if run.clip is not None and not _shows(box, run.clip):
            cut.add(run.clip)
        elif unmapped == 1 or not sign:
            odd += 1
        else:
            angles[run.angle] += 1
            found.append((sign, box, run.number))
    angle = max(angles, key=lambda a: angles[a], default=0)
    return Written(
        chars=found, odd=odd, cut_off=len(cut), unshaped=unshaped, angle=angle, addresses=tuple(runs)
    )


def _each(text: Any, page: int | None, call: dict[str, _Call]) -> Iterator[_Each]:
    from pypdfium2 import raw

    count = min(max(raw.FPDFText_CountChars(text), 0), _MOST_CHARS)
    boxes = ctypes.create_string_buffer(_BOX.size * count)
    places = range(ctypes.addressof(boxes), ctypes.addressof(boxes) + _BOX.size * count, _BOX.size)
    for _ in map(call["FPDFText_GetLooseCharBox"], repeat(page), range(count), places):
        pass
    return zip(
        map(call["FPDFText_GetUnicode"], repeat(page), range(count)),
        map(call["FPDFText_GetTextObject"], repeat(page), range(count)),
        _BOX.iter_unpack(boxes.raw),
        map(call["FPDFText_HasUnicodeMapError"], repeat(page), range(count)),
        strict=True,
    )


@lru_cache(maxsize=1)
def _calls() -> dict[str, _Call]:
    """PDFium's functions on a character (page and index) and on an object, by address; the lock of the interpreter is
    kept."""
    from pypdfium2 import raw

    address, number = ctypes.c_void_p, ctypes.c_int
    kinds: dict[str, tuple[Any, ...]] = {
        "FPDFText_GetUnicode": (ctypes.c_uint, address, number),
        "FPDFText_IsGenerated": (number, address, number),
        "FPDFText_HasUnicodeMapError": (number, address, number),
        "FPDFText_GetTextObject": (address, address, number),
        "FPDFText_GetMatrix": (number, address, number, address),
        "FPDFText_GetLooseCharBox": (number, address, number, address),
        "FPDFTextObj_GetTextRenderMode": (number, address),
        "FPDFTextObj_GetFont": (address, address),
        "FPDFPageObj_GetClipPath": (address, address),
        "FPDFClipPath_CountPaths": (number, address),
        "FPDFClipPath_CountPathSegments": (number, address, number),
        "FPDFClipPath_GetPathSegment": (address, address, number, number),
        "FPDFPathSegment_GetPoint": (number, address, address, address),
    }
    return {name: ctypes.cast(getattr(raw, name), ctypes.PYFUNCTYPE(*kind)) for name, kind in kinds.items()}


def _run(number: int, item: int | None, degrees: float, lacking: dict[int, bool]) -> _Run:
    """`lacking` are the fonts of the page, and whether they lack Chinese, as far as they were asked."""
    angle = round(degrees / 90) * 90 % 360
    if item is None:
        return _Run(number=number, angle=angle)
    call = _calls()
    font = call["FPDFTextObj_GetFont"](item)
    if font and font not in lacking:
        lacking[font] = _lacks(font)
    return _Run(
        number=number,
        angle=angle,
        clip=clip(item),
        font_lacks=lacking.get(font, False),
        hidden=call["FPDFTextObj_GetTextRenderMode"](item) in _INVISIBLE or is_slanted(degrees),
    )


def _degrees(page: int | None, index: int, call: dict[str, _Call]) -> float:
    """The direction, clockwise, of the line of a character and of all of its run, which has one matrix. That of its strokes
    would not do, which lean in an italic made of an upright font."""
    matrix = (ctypes.c_float * 6)()
    known = call["FPDFText_GetMatrix"](page, index, ctypes.addressof(matrix))
    return -math.degrees(math.atan2(matrix[1], matrix[0])) % 360 if known else 0.0


def _lacks(address: int) -> bool:
    """PDFium then takes a font of its own that has no Chinese: pieces of one character get no width, and are lost."""
    from pypdfium2 import raw

    font = ctypes.cast(address, raw.FPDF_FONT)
    if raw.FPDFFont_GetIsEmbedded(font) == 1:
        return False
    family = ctypes.create_string_buffer(_LONGEST_NAME)
    raw.FPDFFont_GetFamilyName(font, family, _LONGEST_NAME)
    return family.value in _OWN_FONTS


def clip(item: int) -> Box | None:
    """The box outside of which an object does not show, in the space of what holds it; None where there is none."""
    call = _calls()
    path = call["FPDFPageObj_GetClipPath"](item)
    count = min(call["FPDFClipPath_CountPaths"](path), 20) if path else 0
    if count <= 0:
        return None
    box: Box | None = None
    x, y = ctypes.c_float(), ctypes.c_float()
    places = ctypes.addressof(x), ctypes.addressof(y)
    for number in range(count):
        points = []
        for index in range(min(call["FPDFClipPath_CountPathSegments"](path, number), 50)):
            segment = call["FPDFClipPath_GetPathSegment"](path, number, index)
            call["FPDFPathSegment_GetPoint"](segment, *places)
            points.append((x.value, y.value))
        if points:
            xs, ys = [x for x, _ in points], [y for _, y in points]
            one = (min(xs), min(ys), max(xs), max(ys))
            box = one if box is None else common(box, one)
    return box


def common(one: Box, other: Box) -> Box:
    """Where two boxes overlap."""
    return max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])


def _shows(box: Box, clip: Box) -> bool:
    """Whether the middle of a character lies within what is shown."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return clip[0] <= x <= clip[2] and clip[1] <= y <= clip[3]


@lru_cache(maxsize=8192)
def _sign(code: int) -> str:
    """The character of a code; '' where it has no meaning that could be trusted."""
    odd = code < 0x20 or code >= 0xFFFD or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xF900
    return "" if odd else chr(code)
