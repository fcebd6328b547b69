"""The recognition of characters itself: rapidocr, its models in its wheel, no net. In the OCR child only."""

from __future__ import annotations

import re
from collections.abc import Sequence
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


def words(crops: Sequence[Pixels]) -> list[tuple[str, float]]:
    """What each picture of one line says, and how sure that is (0..1).

    A line is as sure as its characters are on the whole, but no surer than its least sure digit, and where it names
    who reports, than its least sure character: a slip in a sentence does no harm, there it does.
    """
    if not crops:
        return []
    engine = _engine()
    engine.update_params(use_det=False, use_cls=False, use_rec=True, return_word_box=True)
    found = engine.recognize_txt(list(crops))
    return [
        (text, min(float(score), _least(text, getattr(word, "confs", None) or ())))
        for text, score, word in zip(found.txts, found.scores, found.word_results, strict=True)
    ]


def _least(text: str, sure: Sequence[float]) -> float:
    """The least of the confidences of those characters that must be right; 0.5 where many are weak, 1 where none is."""
    weak = [score for sign, score in zip(text, sure, strict=False) if sign.isalnum() and score < _WEAK]
    if len(weak) * _MOST_WEAK_IN > len(text):
        return 0.5
    every = _WHO.search(text) is not None
    return min(
        (float(score) for sign, score in zip(text, sure, strict=False) if every or sign in _NUMERIC),
        default=1.0,
    )


def are_upside_down(crops: Sequence[Pixels]) -> bool:
    """Whether most of these pictures of lines stand on their head."""
    if not crops:
        return False
    _, found = _engine().cls_and_rotate([crop.copy() for crop in crops])
    votes: list[bool] = [str(label) == "180" for label, score in found.cls_res if score > 0.8]
    return 2 * sum(votes) > len(votes)
