"""File names from outside, made harmless. Values only."""

from __future__ import annotations

import re

UNSEEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    r"\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Control and direction characters, halves of characters and what is none: never shown, never kept."""
_DEVICE = re.compile(r"^(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)", re.I)


def safe_name(name: str) -> str:
    """A file name without folders, control characters or device names, at most 200 characters."""
    visible = " ".join(UNSEEN.sub("", name).split())
    base = visible.replace("\\", "/").rsplit("/", 1)[-1].strip(". ")
    base = _DEVICE.sub(lambda device: f"_{device.group()}", base)
    if len(base) > 200:
        stem, dot, ending = base.rpartition(".")
        base = f"{stem[: 199 - len(ending)]}{dot}{ending}" if dot and len(ending) < 10 else base[:200]
    return base
