"""How large a picture says it is, from its first bytes alone: nothing is decoded."""

from __future__ import annotations

import struct
from collections.abc import Callable

Size = tuple[int, int]
_LEAST_LONG, _LEAST_SHORT = 600, 400


def dimensions(data: bytes) -> Size | None:
    """Width and height in pixels; None for a kind of picture that is not known here."""
    for magic, at, measure in _KINDS:
        if data[at : at + len(magic)] == magic:
            try:
                return measure(data)
            except (struct.error, IndexError, ValueError):
                return None
    return None


def could_be_page(data: bytes) -> bool:
    """Whether it is a picture of a known kind, and large enough to hold a page."""
    size = dimensions(data)
    return size is not None and max(size) >= _LEAST_LONG and min(size) >= _LEAST_SHORT


def worth_recognizing(data: bytes) -> bool:
    """Whether a picture is large enough to hold a page, by its header alone; True where it does not say."""
    return dimensions(data) is None or could_be_page(data)


def _png(data: bytes) -> Size:
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _gif(data: bytes) -> Size:
    width, height = struct.unpack_from("<HH", data, 6)
    return width, height


def _bmp(data: bytes) -> Size:
    width, height = struct.unpack_from("<ii", data, 18)
    return width, abs(height)


def _jpeg(data: bytes) -> Size:
    """The frame header, found by going from marker to marker (ITU-T T.81 §B.1)."""
    at = 2
    while at < len(data):
        if data[at] != 0xFF:
            raise ValueError("no marker")
        marker = data[at + 1]
        if marker == 0xFF or 0xD0 <= marker <= 0xD8 or marker == 1:
            at += 1 if marker == 0xFF else 2
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        at += 2 + struct.unpack_from(">H", data, at + 2)[0]
    raise ValueError("no frame")


def _webp(data: bytes) -> Size:
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _tiff(data: bytes) -> Size:
    order = "<" if data[:2] == b"II" else ">"
    (at,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, at)
    found: dict[int, int] = {}
    for index in range(count):
        tag, kind, _ = struct.unpack_from(f"{order}HHI", data, at + 2 + 12 * index)
        if tag in (256, 257):
            form = f"{order}H" if kind == 3 else f"{order}I"
            found[tag] = struct.unpack_from(form, data, at + 10 + 12 * index)[0]
    if len(found) < 2:
        raise ValueError("no size")
    return found[256], found[257]


def _heif(data: bytes) -> Size:
    """The largest of the image spatial extents (ISO/IEC 23008-12 §6.5.3): tiles and thumbnails have their own."""
    sizes, at = [], data.find(b"ispe", 0, 65536)
    while at != -1:
        width, height = struct.unpack_from(">II", data, at + 8)
        sizes.append((width, height))
        at = data.find(b"ispe", at + 4, 65536)
    return max(sizes, key=lambda size: size[0] * size[1])


_KINDS: tuple[tuple[bytes, int, Callable[[bytes], Size]], ...] = (
    (b"\x89PNG\r\n\x1a\n", 0, _png),
    (b"\xff\xd8\xff", 0, _jpeg),
    (b"GIF8", 0, _gif),
    (b"BM", 0, _bmp),
    (b"WEBP", 8, _webp),
    (b"II*\x00", 0, _tiff),
    (b"MM\x00*", 0, _tiff),
    (b"ftyp", 4, _heif),
)
