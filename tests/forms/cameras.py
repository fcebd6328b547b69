"""What telephones make of a printed form: seen aslant, unevenly lit, curled, blurred, from a screen."""

from __future__ import annotations

import io
import math
from typing import Any

Page = Any
"""A page as an OpenCV image, blue-green-red."""


def photographed(page: Page, seed: int, *, aslant: float = 0.02) -> Page:
    """Seen aslant on a dark table under an uneven light; `aslant` is how far a corner may move, in parts of the width."""
    import cv2
    import numpy

    chance = numpy.random.default_rng(seed)
    high, wide = page.shape[:2]
    margin = int((aslant + 0.04) * wide)
    corners = numpy.array([[0, 0], [wide, 0], [wide, high], [0, high]], numpy.float32)
    moved = chance.uniform(-aslant * wide, aslant * wide, (4, 2)).astype(numpy.float32)
    size = (wide + 2 * margin, high + 2 * margin)
    matrix = cv2.getPerspectiveTransform(corners, corners + margin + moved)
    photo = cv2.warpPerspective(page, matrix, size, flags=cv2.INTER_CUBIC, borderValue=(62, 74, 88))
    across = numpy.linspace(0.78, 1.0, size[0])[None, :, None]
    down = numpy.linspace(1.0, 0.88, size[1])[:, None, None]
    return numpy.clip(photo.astype(float) * across * down, 0, 255).astype(numpy.uint8)


def shadowed(photo: Page) -> Page:
    """With the shadow of the hand that holds the telephone."""
    import cv2
    import numpy

    high, wide = photo.shape[:2]
    shade = numpy.ones((high, wide), numpy.float32)
    edge = numpy.array([[0.45, 1], [0.55, 0.55], [0.72, 0.4], [0.9, 0.5], [1, 0.35], [1, 1]])
    cv2.fillPoly(shade, [(edge * (wide, high)).astype(numpy.int32)], 0.5)
    soft = cv2.GaussianBlur(shade, (0, 0), wide / 70)[:, :, None]
    return (photo * soft).astype(numpy.uint8)


def curled(page: Page, part: float = 0.012) -> Page:
    """Paper that does not lie flat: its lines bend by this part of the height."""
    import cv2
    import numpy

    high, wide = page.shape[:2]
    x, y = numpy.meshgrid(numpy.arange(wide, dtype=numpy.float32), numpy.arange(high, dtype=numpy.float32))
    bend = numpy.sin(x / wide * math.pi).astype(numpy.float32) * numpy.float32(part * high)
    return cv2.remap(page, x, y + bend, cv2.INTER_CUBIC, borderValue=(255, 255, 255))


def unfocused(photo: Page, by: float) -> Page:
    """A little out of focus and moved."""
    import cv2
    import numpy

    kernel = numpy.eye(3) / 3
    return cv2.GaussianBlur(cv2.filter2D(photo, -1, kernel), (0, 0), by)


def from_screen(page: Page) -> Page:
    """A screen photographed: its dots beat against those of the camera."""
    import cv2
    import numpy

    high, wide = page.shape[:2]
    fine = cv2.resize(page, (2 * wide, 2 * high), interpolation=cv2.INTER_LINEAR).astype(numpy.float32)
    for colour in range(3):
        fine[:, colour::3, colour] *= 1.12
        fine[:, (colour + 1) % 3 :: 3, colour] *= 0.80
    fine[::3] *= 0.86
    seen = cv2.resize(fine, (int(0.93 * wide), int(0.93 * high)), interpolation=cv2.INTER_LINEAR)
    return numpy.clip(seen * (1.0, 0.97, 0.92), 0, 255).astype(numpy.uint8)


def dim(photo: Page, seed: int) -> Page:
    """Taken in the evening: dark, yellow and grainy."""
    import cv2
    import numpy

    chance = numpy.random.default_rng(seed)
    high, wide = photo.shape[:2]
    grain = cv2.resize(chance.normal(0, 14, (high // 2, wide // 2, 3)), (wide, high))
    dark = 0.5 * photo.astype(float) * (0.72, 0.92, 1.0) + grain + chance.normal(0, 5, photo.shape)
    return numpy.clip(dark, 0, 255).astype(numpy.uint8)


def shrunk(photo: Page, short: int = 1080) -> Page:
    """As a messenger sends it, its short side this many pixels."""
    import cv2

    scale = short / min(photo.shape[:2])
    return cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def as_taken(photo: Page, orientation: int, quality: int = 75) -> bytes:
    """As a camera's JPEG, lying as its sensor lay; its EXIF says how to turn it (6: clockwise, 3: over, 8: back)."""
    from PIL import Image

    quarters = {3: 2, 6: 1, 8: 3}[orientation]
    image = Image.fromarray(photo[:, :, ::-1]).rotate(90 * quarters, expand=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, exif=exif)
    return out.getvalue()


def as_heic(photo: Page) -> bytes:
    """As an iPhone keeps it."""
    import pillow_heif
    from PIL import Image

    out = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(photo[:, :, ::-1])).save(out, quality=60)
    return out.getvalue()
