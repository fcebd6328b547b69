"""What scanners, copiers and fax machines make of a printed form: turned a little, noisy, worn, stamped."""

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


def on_old_paper(page: Page) -> Page:
    """Yellowed, with the back of the sheet showing through."""
    import cv2
    import numpy

    back = cv2.GaussianBlur(page[:, ::-1], (0, 0), 2.5).astype(float)
    seen = page.astype(float) - 0.16 * (255 - back)
    return numpy.clip(seen * (0.80, 0.93, 0.97), 0, 255).astype(numpy.uint8)


def copied(page: Page, seed: int) -> Page:
    """From a copier that wants a service: specks, worn lines, black edges and the holes of the binder."""
    import cv2
    import numpy

    chance = numpy.random.default_rng(seed)
    high, wide = page.shape[:2]
    coarse = chance.normal(0, 1, (high // 6, wide // 6))
    worn = cv2.resize(coarse, (wide, high), interpolation=cv2.INTER_CUBIC)[:, :, None] > 1.6
    copy = numpy.where(worn, numpy.maximum(page, 185), page)
    for _ in range(160):
        x, y = int(chance.integers(wide)), int(chance.integers(high))
        cv2.circle(copy, (x, y), int(chance.integers(1, 3)), (70, 70, 70), -1)
    for y in (int(0.35 * high), int(0.65 * high)):
        cv2.circle(copy, (int(0.012 * wide), y), wide // 130, (25, 25, 25), -1)
    copy[: high // 90] = copy[:, : wide // 220] = 20
    return copy


def faint(page: Page) -> Page:
    """The toner at its end."""
    import numpy

    return (255 - 0.42 * (255 - page.astype(float))).astype(numpy.uint8)


def by_app(page: Page) -> Page:
    """What a telephone's scanning app makes of a photograph: paper white, ink black."""
    import cv2

    shade = cv2.cvtColor(page, cv2.COLOR_BGR2GRAY)
    flat = cv2.divide(shade, cv2.GaussianBlur(shade, (0, 0), 35), scale=255)
    hard = cv2.convertScaleAbs(flat, alpha=2.6, beta=-370)
    return cv2.cvtColor(hard, cv2.COLOR_GRAY2BGR)


def faxes(sheets: Sequence[Page]) -> bytes:
    """As a fax machine's TIFF: one bit, the sheets one after the other."""
    from PIL import Image

    out = io.BytesIO()
    bits = [
        Image.fromarray(sheet[:, :, ::-1]).convert("L").point(lambda v: 255 * (v > 160)).convert("1")
        for sheet in sheets
    ]
    bits[0].save(out, "TIFF", save_all=True, append_images=bits[1:], compression="group4", dpi=(200, 200))
    return out.getvalue()


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
