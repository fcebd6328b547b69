"""What scanners and telephones make of a printed form: turned a little, noisy, unevenly lit, seen aslant, stamped."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

Page = Any
"""A page as an OpenCV image, blue-green-red."""


def pages(pdf: bytes, *, dpi: int) -> list[Page]:
    """The pages of a PDF, printed."""
    import numpy
    import pypdfium2

    with pypdfium2.PdfDocument(pdf) as document:
        return [
            numpy.ascontiguousarray(page.render(scale=dpi / 72).to_numpy()[:, :, :3]) for page in document
        ]


def skewed(page: Page, degrees: float) -> Page:
    """Laid on the glass a little askew."""
    import cv2

    high, wide = page.shape[:2]
    matrix = cv2.getRotationMatrix2D((wide / 2, high / 2), degrees, 1.0)
    grown = int(abs(math.sin(math.radians(degrees))) * max(high, wide)) + 2
    matrix[:, 2] += grown / 2
    return cv2.warpAffine(
        page, matrix, (wide + grown, high + grown), flags=cv2.INTER_CUBIC, borderValue=(255, 255, 255)
    )


def noisy(page: Page, strength: float, seed: int) -> Page:
    """With a sensor's noise and a slight blur."""
    import cv2
    import numpy

    noise = numpy.random.default_rng(seed).normal(0, strength, page.shape)
    blurred = cv2.GaussianBlur(page, (3, 3), 0.6).astype(float)
    return numpy.clip(blurred + noise, 0, 255).astype(numpy.uint8)


def grey(page: Page) -> Page:
    """Without colour."""
    import cv2

    return cv2.cvtColor(cv2.cvtColor(page, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)


def photographed(page: Page, seed: int) -> Page:
    """Seen aslant on a dark table under an uneven light."""
    import cv2
    import numpy

    chance = numpy.random.default_rng(seed)
    high, wide = page.shape[:2]
    margin = int(0.06 * wide)
    corners = numpy.array([[0, 0], [wide, 0], [wide, high], [0, high]], numpy.float32)
    seen = corners + margin + chance.uniform(-0.02 * wide, 0.02 * wide, (4, 2)).astype(numpy.float32)
    size = (wide + 2 * margin, high + 2 * margin)
    matrix = cv2.getPerspectiveTransform(corners, seen)
    photo = cv2.warpPerspective(page, matrix, size, flags=cv2.INTER_CUBIC, borderValue=(62, 74, 88))
    across = numpy.linspace(0.78, 1.0, size[0])[None, :, None]
    down = numpy.linspace(1.0, 0.88, size[1])[:, None, None]
    return numpy.clip(photo.astype(float) * across * down, 0, 255).astype(numpy.uint8)


def stamped(page: Page, at: tuple[float, float], across: float = 0.13) -> Page:
    """With a red round seal; `at` is its middle in parts of width and height."""
    import cv2
    import numpy

    high, wide = page.shape[:2]
    middle = (int(at[0] * wide), int(at[1] * high))
    radius = int(across * min(wide, high) / 2)
    ink = numpy.full_like(page, 255)
    red = (40, 30, 210)
    cv2.circle(ink, middle, radius, red, max(3, radius // 14), cv2.LINE_AA)
    points = []
    for corner in range(10):
        angle, reach = math.pi * (corner / 5 - 0.5), radius * (0.34 if corner % 2 == 0 else 0.14)
        points.append((middle[0] + reach * math.cos(angle), middle[1] + reach * math.sin(angle)))
    cv2.fillPoly(ink, [numpy.array(points, numpy.int32)], red, cv2.LINE_AA)
    for tick in range(24):
        angle = math.pi * (0.75 + 1.5 * tick / 24)
        x, y = (middle[0] + radius * 0.76 * math.cos(angle), middle[1] + radius * 0.76 * math.sin(angle))
        cv2.rectangle(ink, (int(x - 4), int(y - 5)), (int(x + 4), int(y + 5)), red, 2)
    return numpy.minimum(page, ink)


def encoded(page: Page, ending: str, quality: int = 70) -> bytes:
    """As a file."""
    import cv2

    ok, data = cv2.imencode(ending, page, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not ok:
        raise ValueError(ending)
    return bytes(data)


def black_and_white(page: Page) -> bytes:
    """As a fax machine's PNG of one bit."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(page[:, :, ::-1]).convert("L").point(lambda v: 255 * (v > 150)).convert("1").save(
        out, "PNG"
    )
    return out.getvalue()


def scan_pdf(scans: Sequence[Page], *, dpi: int, quality: int = 60) -> bytes:
    """The pages as a scanner's PDF of JPEGs."""
    from reportlab import rl_config
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    rl_config.invariant = 1
    out = io.BytesIO()
    canvas = Canvas(out)
    for page in scans:
        high, wide = page.shape[:2]
        canvas.setPageSize((wide * 72 / dpi, high * 72 / dpi))
        image = ImageReader(io.BytesIO(encoded(page, ".jpg", quality)))
        canvas.drawImage(image, 0, 0, wide * 72 / dpi, high * 72 / dpi)
        canvas.showPage()
    canvas.save()
    return out.getvalue()
