"""Damage as the world does it, and worse: octets changed, cut, doubled and mixed, inside packages too."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable

_TELLING = (
    b"\x00", b"\xff\xff\xff\xff", b"\x00\x00\x00\x80", b"\x7f\xff\xff\xff", b"-1", b"99999999999", b"%s%n", b"\r\n\r\n",
    b"<!ENTITY x SYSTEM 'file:///etc/passwd'>", b"=?gb2312?B?", b'"', b"\x1b$B", b"\xe2\x80\xae", b"../../", b"boundary=",
)  # fmt: skip


def mutated(rng: random.Random, octets: bytes, other: bytes) -> bytes:
    """One damaged copy; half of the packages are damaged within a member."""
    if octets[:4] == b"PK\x03\x04" and rng.random() < 0.5:
        return _within_package(rng, octets, other)
    for _ in range(rng.randint(1, 6)):
        octets = rng.choice(_WAYS)(rng, octets, other)
    return octets


def _within_package(rng: random.Random, octets: bytes, other: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(octets)) as package:
        members = {name: package.read(name) for name in package.namelist()}
    victim = rng.choice(sorted(members))
    members[victim] = mutated(rng, members[victim], other)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in members.items():
            package.writestr(name, data)
    return out.getvalue()


def _flip(rng: random.Random, octets: bytes, other: bytes) -> bytes:
    changed = bytearray(octets)
    for _ in range(rng.randint(1, 8)):
        if changed:
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _insert(rng: random.Random, octets: bytes, other: bytes) -> bytes:
    at = rng.randint(0, len(octets))
    return octets[:at] + rng.choice(_TELLING) * rng.choice((1, 1, 1, 50)) + octets[at:]


def _span(rng: random.Random, octets: bytes) -> tuple[int, int]:
    start = rng.randint(0, len(octets))
    return start, min(len(octets), start + rng.choice((1, 4, 64, 1024)))


def _drop(rng: random.Random, octets: bytes, other: bytes) -> bytes:
    start, end = _span(rng, octets)
    return octets[:start] + octets[end:]


def _double(rng: random.Random, octets: bytes, other: bytes) -> bytes:
    start, end = _span(rng, octets)
    return octets[:end] + octets[start:end] * rng.choice((1, 2, 100)) + octets[end:]


def _cut(rng: random.Random, octets: bytes, other: bytes) -> bytes:
    return octets[: rng.randint(0, len(octets))]


def _splice(rng: random.Random, octets: bytes, other: bytes) -> bytes:
    start, end = _span(rng, other)
    at = rng.randint(0, len(octets))
    return octets[:at] + other[start:end] + octets[at:]


_WAYS: tuple[Callable[[random.Random, bytes, bytes], bytes], ...] = (
    _flip,
    _flip,
    _insert,
    _drop,
    _double,
    _cut,
    _splice,
)
