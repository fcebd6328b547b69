"""Parses a large mail without walking through the lines of its attachments; the message is the same.

Nor does it hold them as text: an attachment is decoded from the mail's own octets, so that a large mail is held once
as it came and once decoded.
"""

from __future__ import annotations

import binascii
import email
import io
import re
from collections.abc import Iterable, Iterator
from email.message import Message
from typing import Any

_WORTH_IT = 32_768
"""Octets from which on it pays."""
_LINE = re.compile(rb"^[A-Za-z0-9+/]{16,998}+(\r?\n)", re.M)
"""A line that can neither be a header nor a delimiter."""
_DIGITS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_LINES = 64
"""So many lines of one length are looked at together."""
_AT_ONCE = 2**20
_Pieces = list[bytes | memoryview]


class _Message(Message):
    _payload: Any
    _pieces: _Pieces | None = None
    """The payload, while lines of it are left out of `_payload`."""

    def restore(self, mark: re.Pattern[str], runs: list[memoryview]) -> None:
        """Put back what the marks in this part stand for; in its payload when somebody asks for it as text."""
        if isinstance(self._payload, str) and mark.search(self._payload):
            self._pieces = _pieces(self._payload, mark, runs)
            if not self._payload.isascii():
                self._restore_payload()
        if self.preamble:
            self.preamble = _text(_pieces(self.preamble, mark, runs))
        if self.epilogue:
            self.epilogue = _text(_pieces(self.epilogue, mark, runs))

    def get_payload(self, i: int | None = None, decode: bool = False) -> Any:
        if self._pieces is not None:
            if decode and str(self.get("content-transfer-encoding", "")).lower() == "base64":
                octets = _decoded(self._pieces)
                if octets is not None:
                    return octets
            self._restore_payload()
        return super().get_payload(i, decode)  # type: ignore[call-overload]

    def _restore_payload(self) -> None:
        if self._pieces is not None:
            self._payload, self._pieces = _text(self._pieces), None


def parsed(octets: bytes) -> Message:
    """What `email.message_from_bytes` makes of the octets."""
    if len(octets) < _WORTH_IT:
        return email.message_from_bytes(octets)
    mark = _mark(octets)
    runs: list[memoryview] = []
    short: list[bytes] = []
    at = 0
    for start, end in _runs(octets):
        short += (octets[at:start], b"%s%dx\n" % (mark, len(runs)))
        runs.append(memoryview(octets)[start:end])
        at = end
    message = email.message_from_bytes(b"".join((*short, octets[at:])), _Message)
    if runs:
        marks = re.compile(rf"{mark.decode()}(\d+)x\n")
        for part in message.walk():
            part.restore(marks, runs)
    return message


def _runs(octets: bytes) -> Iterator[tuple[int, int]]:
    """Where lines of base64 begin and end for which one line can stand; the last of them, whose line break may belong
    to a delimiter, is none of these."""
    line = _LINE.search(octets)
    while line is not None:
        start, width = line.span()[0], len(line[0])
        end = start
        while _is_even(octets[end : end + width * _LINES], width, line[1]):
            end += width * _LINES
        if end > start:
            yield start, end - width
        line = _LINE.search(octets, max(end, line.end()))


def _is_even(block: bytes, width: int, line_end: bytes) -> bool:
    """Whether these are lines of base64 of that width."""
    return block[width - 1 :: width] == b"\n" * _LINES and block.translate(None, _DIGITS) == line_end * _LINES


def _mark(octets: bytes) -> bytes:
    """Letters that do not occur in the mail."""
    mark = b"BULKxx"
    while mark in octets:
        mark += b"Qz"
    return mark


def _pieces(text: str, mark: re.Pattern[str], runs: list[memoryview]) -> _Pieces:
    """The octets of a text in order, its marks replaced by what they stand for."""
    between = mark.split(text)
    return [
        runs[int(piece)] if number % 2 else piece.encode("ascii", "surrogateescape")
        for number, piece in enumerate(between)
    ]


def _text(pieces: _Pieces) -> str:
    return "".join(str(piece, "ascii", "surrogateescape") for piece in pieces)


def _decoded(pieces: Iterable[bytes | memoryview]) -> bytes | None:
    """What base64 says, decoded a little at a time; None where it is not faultless, which `email` deals with."""
    octets = io.BytesIO()
    digits = b""
    try:
        for piece in pieces:
            for at in range(0, len(piece), _AT_ONCE):
                more = bytes(piece[at : at + _AT_ONCE]).replace(b"\n", b"").replace(b"\r", b"")
                if not more:
                    continue
                if digits.endswith(b"="):
                    return None
                digits = digits[len(digits) & ~3 :] + more
                octets.write(binascii.a2b_base64(digits[: len(digits) & ~3], strict_mode=True))
    except binascii.Error:
        return None
    return None if len(digits) % 4 else octets.getvalue()
