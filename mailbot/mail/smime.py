"""The content of an opaque S/MIME signature (RFC 8551 §3.5.2, RFC 5652 §5). The signature itself is not judged.

CMS is read as BER, because signers stream it: indefinite lengths and octet strings in pieces. Bounded in depth.
"""

from __future__ import annotations

from collections.abc import Iterator

_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_SEQUENCE, _OID, _OCTETS, _EXPLICIT, _CONSTRUCTED = 0x30, 0x06, 0x04, 0xA0, 0x20
_MOST_DEPTH = 12


def signed_content(cms: bytes) -> bytes | None:
    """What was signed: a MIME entity. None where this is no signed data, or carries no content."""
    try:
        return _content(cms)
    except (ValueError, IndexError, StopIteration):
        return None


def _content(cms: bytes) -> bytes | None:
    outer = list(_children(cms, *_expect(cms, 0, _SEQUENCE)))
    if _value(cms, outer[0]) != _SIGNED_DATA:
        return None
    signed = list(_children(cms, *_expect(cms, outer[1][1], _SEQUENCE)))
    encapsulated = list(_children(cms, signed[2][1], signed[2][2]))
    if len(encapsulated) < 2 or encapsulated[1][0] != _EXPLICIT:
        return None
    inner = next(_children(cms, encapsulated[1][1], encapsulated[1][2]))
    return b"".join(_pieces(cms, inner, 0))


def _pieces(cms: bytes, element: tuple[int, int, int], depth: int) -> Iterator[bytes]:
    tag, start, end = element
    if tag == _OCTETS:
        yield cms[start:end]
    elif tag == _OCTETS | _CONSTRUCTED and depth < _MOST_DEPTH:
        for child in _children(cms, start, end):
            yield from _pieces(cms, child, depth + 1)
    else:
        raise ValueError("no octet string")


def _expect(cms: bytes, at: int, tag: int) -> tuple[int, int]:
    found, start, end, _ = _element(cms, at, 0)
    if found != tag:
        raise ValueError("another structure")
    return start, end


def _value(cms: bytes, element: tuple[int, int, int]) -> bytes:
    tag, start, end = element
    return cms[start:end] if tag == _OID else b""


def _children(cms: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(tag, start, end) of the contents of each element within a constructed one."""
    while start < end:
        tag, inner, inner_end, start = _element(cms, start, 0)
        yield tag, inner, inner_end


def _element(cms: bytes, at: int, depth: int) -> tuple[int, int, int, int]:
    """(tag, start and end of the contents, where the next element begins) of the element at `at` (X.690 §8.1)."""
    if depth > _MOST_DEPTH:
        raise ValueError("nested too deeply")
    tag, length, start = cms[at], cms[at + 1], at + 2
    if length == 0x80:
        end = start
        while cms[end : end + 2] != b"\x00\x00":
            end = _element(cms, end, depth + 1)[3]
        return tag, start, end, end + 2
    if length > 0x80:
        count = length & 0x7F
        length = int.from_bytes(cms[start : start + count], "big")
        start += count
    if start + length > len(cms):
        raise ValueError("cut off")
    return tag, start, start + length, start + length
