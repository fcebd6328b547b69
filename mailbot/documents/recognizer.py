"""The recognition of characters itself: rapidocr, its models in its wheel, no net. In the OCR child only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mailbot.errors import UnsupportedError

_LONGEST_SIDE = 1800
_NUMERIC = frozenset("0123456789+=|lIO")
"""Digits, and what they are taken for (4 for +, 1 for |)."""
_WEAK, _MOST_WEAK_IN = 0.6, 10
"""More than one weak character in so many, and the line may say another thing."""
_WHO = re.compile(r"(?:填报|填表|申报|单位|学会)[^,，。]{0,6}[:：]")
_SHAPE = [3, 48, 96]
"""Of a line for recognition: channels, height, least width. The usual 320 costs twice the time on short cells."""
_FIGURES = frozenset("0123456789.")
_BATCH = 6
_MARGIN = 0.12
"""Of paper above and below a line, in parts of its height."""
Pixels = Any


@lru_cache(maxsize=1)
def _engine() -> Any:
    try:
        from rapidocr import RapidOCR
    except ImportError as error:
        raise UnsupportedError("OCR is not installed: install mailbot with its extra [ocr]") from error
    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.max_side_len": _LONGEST_SIDE,
            "Rec.rec_img_shape": _SHAPE,
        }
    )


def is_installed() -> bool:
    """Whether the extra is there."""
    try:
        _engine()
    except UnsupportedError:
        return False
    return True


def text_boxes(pixels: Pixels) -> Pixels:
    """Quadrilaterals of the lines of text, an array of n times 4 times 2, from top left clockwise."""
    import numpy

    found = _engine()(pixels, use_det=True, use_cls=False, use_rec=False, return_word_box=False)
    boxes = getattr(found, "boxes", None)
    return numpy.zeros((0, 4, 2), "float32") if boxes is None else numpy.asarray(boxes, "float32")


@dataclass(frozen=True, slots=True)
class Words:
    """What the picture of one line says."""

    text: str
    sure: float
    """0..1: as sure as its characters are on the whole, but no surer than its least sure digit, and where it names
    who reports, than its least sure character: a slip in a sentence does no harm, there it does."""
    number: str
    """What it says if nothing but a number can stand there."""


def words(crops: Sequence[Pixels]) -> list[Words]:
    """What each picture of one line says."""
    import numpy

    reader = _engine()._load_rec_model()
    signs, figures = _signs()
    found: dict[int, Words] = {}
    padded = [_padded(crop) for crop in crops]
    by_length = sorted(range(len(padded)), key=lambda index: _ratio(padded[index]))
    for start in range(0, len(by_length), _BATCH):
        batch = by_length[start : start + _BATCH]
        most = max(_ratio(padded[batch[-1]]), _SHAPE[2] / _SHAPE[1])
        lines = numpy.stack([reader.resize_norm_img(padded[index], most) for index in batch])
        for index, chances in zip(batch, reader.session(lines), strict=True):
            text, sure = _said(chances, signs)
            number, _ = _said(chances[:, figures], [signs[figure] for figure in figures])
            found[index] = Words(text, _sureness(text, sure), number)
    return [found[index] for index in range(len(crops))]


def _padded(crop: Pixels) -> Pixels:
    """With some paper around: what fills its picture to the edges is read worse."""
    import cv2

    pad = max(1, round(_MARGIN * crop.shape[0]))
    return cv2.copyMakeBorder(crop, pad, pad, pad, pad, cv2.BORDER_REPLICATE)


def _ratio(crop: Pixels) -> float:
    return float(crop.shape[1]) / float(crop.shape[0])


@lru_cache(maxsize=1)
def _signs() -> tuple[list[str], list[int]]:
    """The signs that the model knows, the blank first, and which of them numbers are made of, the blank too."""
    signs = list(_engine()._load_rec_model().postprocess_op.character)
    return signs, [0, *(index for index, sign in enumerate(signs) if index and sign in _FIGURES)]


def _said(chances: Pixels, signs: Sequence[str]) -> tuple[str, list[float]]:
    """The likeliest signs along a line, repetitions and blanks left out (CTC), and the chance of each."""
    import numpy

    best = chances.argmax(axis=1)
    kept = (best != 0) & (numpy.diff(best, prepend=0) != 0)
    return "".join(signs[index] for index in best[kept]), chances.max(axis=1)[kept].tolist()


def _sureness(text: str, sure: Sequence[float]) -> float:
    """How sure a line is; 0.5 at most where many characters are weak."""
    if not sure:
        return 0.0
    weak = [score for sign, score in zip(text, sure, strict=False) if sign.isalnum() and score < _WEAK]
    if len(weak) * _MOST_WEAK_IN > len(text):
        return min(0.5, sum(sure) / len(sure))
    every = _WHO.search(text) is not None
    telling = (score for sign, score in zip(text, sure, strict=False) if every or sign in _NUMERIC)
    return min(sum(sure) / len(sure), *telling, 1.0)


def are_upside_down(crops: Sequence[Pixels]) -> bool:
    """Whether most of these pictures of lines stand on their head."""
    if not crops:
        return False
    _, found = _engine().cls_and_rotate([crop.copy() for crop in crops])
    votes: list[bool] = [str(label) == "180" for label, score in found.cls_res if score > 0.8]
    return 2 * sum(votes) > len(votes)
