"""A page as pixels: made upright and straight, its lines and its ink found. OpenCV, in the OCR child only."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from typing import Any

from mailbot.documents.lines import Segment
from mailbot.errors import DangerousError, UnreadableError

_MOST_PIXELS = 80_000_000
_LONGEST_SIDE = 3200
_SHORT_SIDE_POINTS = 595.0
_TABLE_PART = 0.12
"""A quadrilateral of lines smaller than this part of the page is not taken for the table."""
_COLOURED, _FEWEST_COLOURED = 40, 0.0002
_SLENDER = 8
"""A line is at least so many times as long as it is thick."""
Pixels = Any
"""A numpy array, BGR."""


def decoded(data: bytes, most: int) -> Iterator[Pixels]:
    """The pictures of a file (a TIFF has several), turned as their camera says. Raises UnreadableError, DangerousError."""
    import numpy
    from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

    _know_heif()
    Image.MAX_IMAGE_PIXELS = None
    try:
        with Image.open(io.BytesIO(data)) as file:
            for index, frame in enumerate(ImageSequence.Iterator(file)):
                if index == most:
                    return
                if frame.width * frame.height > _MOST_PIXELS:
                    raise DangerousError(f"a picture of {frame.width} times {frame.height} pixels")
                frame.draft("RGB", (_LONGEST_SIDE, _LONGEST_SIDE))
                upright = _on_white(ImageOps.exif_transpose(frame))
                upright.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
                yield numpy.ascontiguousarray(numpy.asarray(upright)[:, :, ::-1])
    except (
        UnidentifiedImageError,
        OSError,
        SyntaxError,
        TypeError,
        ValueError,
        EOFError,
        Image.DecompressionBombError,
    ) as error:
        raise UnreadableError(f"no picture that can be opened: {error}") from error


def _know_heif() -> None:
    """iPhones send HEIC."""
    try:
        import pillow_heif
    except ImportError:
        return
    pillow_heif.register_heif_opener()


def _on_white(image: Any) -> Any:
    from PIL import Image

    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        ground.alpha_composite(image)
        image = ground
    return image.convert("RGB")


def points_per_pixel(pixels: Pixels) -> float:
    """A page's short side is taken for that of A4."""
    return _SHORT_SIDE_POINTS / float(min(pixels.shape[:2]))


def gray(pixels: Pixels) -> Pixels:
    import cv2

    return cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)


def ink(pixels: Pixels) -> Pixels:
    """What is darker than the paper around it, as 255; uneven light does not matter."""
    import cv2

    shade = gray(pixels)
    window = max(31, min(shade.shape) // 40 | 1)
    return cv2.adaptiveThreshold(shade, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, window, 14)


def rules(dark: Pixels, part: int = 18) -> tuple[Pixels, Pixels]:
    """The level and the plumb lines in the ink, as masks; lines shorter than that part of the page are none.

    Between two plumb lines a level one may be a third as long: a narrow column beside a merged cell has no longer ones.
    """
    import cv2

    length = max(24, min(dark.shape) // part)
    flat = cv2.dilate(dark, cv2.getStructuringElement(cv2.MORPH_RECT, (1, 3)))
    high = cv2.dilate(dark, cv2.getStructuringElement(cv2.MORPH_RECT, (3, 1)))
    plumb = _opened(high, (1, length))
    short = _between(_opened(flat, (max(16, length // 3), 1)), plumb)
    return cv2.bitwise_or(_opened(flat, (length, 1)), short), plumb


def _opened(dark: Pixels, size: tuple[int, int]) -> Pixels:
    import cv2

    return cv2.morphologyEx(dark, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_RECT, size))


def _between(level: Pixels, plumb: Pixels) -> Pixels:
    """Those of the level lines that have a plumb line at both ends."""
    import cv2
    import numpy

    _, labels, stats, _ = cv2.connectedComponentsWithStats(level, connectivity=8)
    near = cv2.dilate(plumb, numpy.ones((5, 9), "uint8"))
    kept = [
        bool(near[y : y + high, x].any() and near[y : y + high, x + wide - 1].any())
        for x, y, wide, high, _ in stats
    ]
    kept[0] = False
    return numpy.asarray(kept, "uint8")[labels] * numpy.uint8(255)


def segments(masks: tuple[Pixels, Pixels], scale: float) -> list[Segment]:
    """The lines in points. Strokes of large type, thick and short, are none."""
    import cv2

    found = []
    for mask, is_level in zip(masks, (True, False), strict=True):
        count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        for index in range(1, count):
            x, y, wide, high = (int(value) for value in stats[index][:4])
            long = wide if is_level else high
            thick = int(stats[index][cv2.CC_STAT_AREA]) / max(long, 1)
            if long < _SLENDER * thick:
                continue
            x0, y0, x1, y1 = (v * scale for v in (x, y, x + wide, y + high))
            middle = (y0 + y1) / 2 if is_level else (x0 + x1) / 2
            found.append(Segment(x0, middle, x1, middle) if is_level else Segment(middle, y0, middle, y1))
    return found


def turned(pixels: Pixels, quarters: int) -> Pixels:
    """The picture turned clockwise by quarters."""
    import numpy

    return numpy.ascontiguousarray(numpy.rot90(pixels, -quarters))


def straightened(pixels: Pixels, boxes: Pixels) -> tuple[Pixels, Pixels]:
    """The page with level lines of text and a rectangular table, and the boxes of its text moved along.

    `boxes` are quadrilaterals of lines of text, an array of n times 4 times 2.
    """
    import cv2
    import numpy

    high, wide = pixels.shape[:2]
    matrix = numpy.eye(3)
    slope = _slope(boxes)
    if abs(slope) > 0.002:
        centre = (wide / 2, high / 2)
        matrix = numpy.vstack([cv2.getRotationMatrix2D(centre, math.degrees(slope), 1.0), [0, 0, 1]])
        pixels = cv2.warpPerspective(pixels, matrix, (wide, high), borderMode=cv2.BORDER_REPLICATE)
    corners = _table_corners(pixels)
    if corners is not None:
        second = _to_rectangle(corners)
        pixels = cv2.warpPerspective(pixels, second, (wide, high), borderMode=cv2.BORDER_REPLICATE)
        matrix = second @ matrix
    if len(boxes):
        flat = cv2.perspectiveTransform(boxes.reshape(1, -1, 2).astype("float32"), matrix.astype("float32"))
        boxes = flat.reshape(-1, 4, 2)
    return pixels, boxes


def _slope(boxes: Pixels) -> float:
    """By how much the lines of text fall, in radians: what the longer half of them agree on."""
    import numpy

    if not len(boxes):
        return 0.0
    along = boxes[:, 1] - boxes[:, 0]
    length = numpy.hypot(along[:, 0], along[:, 1])
    tall = numpy.hypot(*(boxes[:, 3] - boxes[:, 0]).T)
    long = length > 4 * tall
    if long.sum() < 3:
        return 0.0
    return float(numpy.median(numpy.arctan2(along[long][:, 1], along[long][:, 0])))


def _table_corners(pixels: Pixels) -> Pixels | None:
    """The four corners of the largest frame of lines, if it stands askew."""
    import cv2
    import numpy

    high, wide = pixels.shape[:2]
    level, plumb = rules(ink(pixels), part=36)
    lines = cv2.dilate(cv2.bitwise_or(level, plumb), numpy.ones((5, 5), "uint8"))
    contours, _ = cv2.findContours(lines, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    frame = max(contours, key=lambda c: cv2.contourArea(cv2.convexHull(c)), default=None)
    if frame is None or cv2.contourArea(cv2.convexHull(frame)) < _TABLE_PART * high * wide:
        return None
    hull = cv2.convexHull(frame)
    corners = cv2.approxPolyDP(hull, 0.02 * cv2.arcLength(hull, True), True).reshape(-1, 2).astype("float32")
    if len(corners) != 4:
        return None
    sums, differences = corners.sum(axis=1), corners[:, 0] - corners[:, 1]
    order = [int(sums.argmin()), int(differences.argmax()), int(sums.argmax()), int(differences.argmin())]
    if len(set(order)) != 4:
        return None
    corners = corners[order]
    askew = max(
        abs(float(corners[a][axis] - corners[b][axis]))
        for a, b, axis in ((0, 1, 1), (2, 3, 1), (0, 3, 0), (1, 2, 0))
    )
    return corners if askew > 0.002 * wide else None


def _to_rectangle(corners: Pixels) -> Pixels:
    import cv2
    import numpy

    left = float(corners[[0, 3], 0].mean())
    right = float(corners[[1, 2], 0].mean())
    top = float(corners[[0, 1], 1].mean())
    bottom = float(corners[[2, 3], 1].mean())
    target = numpy.array([[left, top], [right, top], [right, bottom], [left, bottom]], "float32")
    return cv2.getPerspectiveTransform(corners, target)


def erased(pixels: Pixels, masks: tuple[Pixels, Pixels]) -> Pixels:
    """The page without its lines, so that none is read as a character."""
    import cv2
    import numpy

    high, wide = pixels.shape[:2]
    lines = cv2.dilate(cv2.bitwise_or(*masks), numpy.ones((3, 3), "uint8"))
    coarse = cv2.resize(pixels, (max(wide // 4, 1), max(high // 4, 1)), interpolation=cv2.INTER_AREA)
    ground = cv2.dilate(cv2.medianBlur(coarse, 9), numpy.ones((3, 3), "uint8"))
    ground = cv2.resize(ground, (wide, high), interpolation=cv2.INTER_LINEAR)
    result = pixels.copy()
    result[lines > 0] = ground[lines > 0]
    return result


def softened(pixels: Pixels) -> Pixels:
    """A little out of focus: the steps of a coarse scan's strokes smoothed away."""
    import cv2

    return cv2.GaussianBlur(pixels, (0, 0), 0.8)


def lean(pixels: Pixels) -> float:
    """By how much a single dark stroke leans to the right on its way up, in parts of its height."""
    import numpy

    shade = gray(pixels)
    rows, columns = numpy.nonzero(shade < (float(shade.min()) + float(numpy.median(shade))) / 2)
    spread = float(rows.var()) if len(rows) else 0.0
    return -float(numpy.cov(rows, columns)[0, 1]) / spread if spread and len(rows) > 2 else 0.0


def seal(pixels: Pixels) -> tuple[Pixels, bool | None]:
    """The page without its red round seals, and whether one was seen; None for a picture without colours."""
    import cv2
    import numpy

    colours = cv2.cvtColor(pixels, cv2.COLOR_BGR2HSV)
    if float((colours[::4, ::4, 1] > _COLOURED).mean()) < _FEWEST_COLOURED:
        return pixels, None
    red = _red(colours, least=60)
    joined = cv2.morphologyEx(red, cv2.MORPH_CLOSE, numpy.ones((25, 25), "uint8"))
    contours, _ = cv2.findContours(joined, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    short = min(pixels.shape[:2])
    seen = False
    for contour in contours:
        (x, y), radius = cv2.minEnclosingCircle(contour)
        if 0.05 * short <= radius <= 0.25 * short and _is_ring(red, x, y, radius):
            seen, pixels = True, _lifted(pixels, colours, (x, y), radius)
    return pixels, seen


def _red(colours: Pixels, least: int) -> Pixels:
    """Where it is red, as 255; what is printed in black below a seal stays out."""
    hue, saturation, value = colours[:, :, 0], colours[:, :, 1], colours[:, :, 2]
    return (((hue < 12) | (hue > 165)) & (saturation > least) & (value > 110)).astype("uint8") * 255


def _lifted(pixels: Pixels, colours: Pixels, centre: tuple[float, float], radius: float) -> Pixels:
    """The page without the red inside a circle: red light passes red ink, and shows what is printed below it."""
    import cv2
    import numpy

    circle = numpy.zeros(pixels.shape[:2], "uint8")
    cv2.circle(circle, (round(centre[0]), round(centre[1])), round(1.1 * radius), 255, -1)
    stain = cv2.bitwise_and(cv2.dilate(_red(colours, least=25), numpy.ones((5, 5), "uint8")), circle)
    strong = cv2.bitwise_and(_red(colours, least=120), circle) > 0
    clean = (circle > 0) & (stain == 0)
    if not strong.any() or not clean.any():
        return pixels
    full = max(float(numpy.quantile(pixels[:, :, 2][strong], 0.35)), 1.0)
    light = numpy.clip(pixels[:, :, 2] / full, 0, 1)[:, :, None]
    result = pixels.copy()
    result[stain > 0] = (light * numpy.median(pixels[clean], axis=0))[stain > 0]
    return result


def _is_ring(red: Pixels, x: float, y: float, radius: float) -> bool:
    """Whether there is red all around near the edge of the circle, and not all over it."""
    import numpy

    rows, columns = numpy.nonzero(red)
    distance = numpy.hypot(columns - x, rows - y)
    edge = (distance > 0.8 * radius) & (distance < 1.1 * radius)
    angles = numpy.arctan2(rows[edge] - y, columns[edge] - x)
    filled = len(numpy.unique((angles / (2 * math.pi) * 36).astype(int)))
    inside = float((distance <= radius).sum()) / (math.pi * radius * radius)
    return filled >= 26 and 0.04 < inside < 0.75


def png(pixels: Pixels) -> bytes:
    """The pixels as PNG."""
    import cv2

    done, octets = cv2.imencode(".png", pixels)
    return octets.tobytes() if done else b""
