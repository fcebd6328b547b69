"""Parses a large mail without walking through the lines of its attachments; the message is the same."""

from __future__ import annotations

import email
import re
from collections.abc import Callable
from email.message import Message
from typing import Any

_WORTH_IT = 32_768
"""Octets from which on it pays."""
_RUN = re.compile(rb"(?:^[A-Za-z0-9+/]{16,998}+\r?\n){64,}+", re.M)
"""Lines that can neither be a header nor a delimiter: one such line stands for all of them but the last, whose line
break belongs to the delimiter."""


class _Message(Message):
    _payload: Any

    def restore(self, whole: Callable[[str], str]) -> None:
        """Put back what the marks in this part stand for."""
        if isinstance(self._payload, str):
            self._payload = whole(self._payload)
        if self.preamble:
            self.preamble = whole(self.preamble)
        if self.epilogue:
            self.epilogue = whole(self.epilogue)


def parsed(octets: bytes) -> Message:
    """What `email.message_from_bytes` makes of the octets."""
    if len(octets) < _WORTH_IT:
        return email.message_from_bytes(octets)
    mark = _mark(octets)
    runs: list[str] = []

    def replaced(run: re.Match[bytes]) -> bytes:
        lines = run.group()
        last = lines.rindex(b"\n", 0, -2) + 1
        runs.append(lines[:last].decode("ascii"))
        return b"%s%dx\n%s" % (mark, len(runs) - 1, lines[last:])

    message = email.message_from_bytes(_RUN.sub(replaced, octets), _Message)
    if runs:
        marks = re.compile(rf"{mark.decode()}(\d+)x\n")
        for part in message.walk():
            part.restore(lambda text: marks.sub(lambda found: runs[int(found[1])], text))
    return message


def _mark(octets: bytes) -> bytes:
    """Letters that do not occur in the mail."""
    mark = b"BULKxx"
    while mark in octets:
        mark += b"Qz"
    return mark
