"""Whether an encrypted xls is one that Excel opens without asking: its structure is protected, its contents are not.

Such a workbook is encrypted under a password that stands for none (MS-XLS 2.2.10; MS-OFFCRYPTO 2.3.6).
"""

from __future__ import annotations

import hashlib
from itertools import cycle, islice

_FOR_NONE = "VelvetSweatshop"
_HEADER = bytes.fromhex("0100 0100 0100")
"""Of a FILEPASS record: RC4, version 1.1 (MS-XLS 2.4.117)."""
_PART = 16
"""Octets of the salt, of the verifier and of its hash."""


def is_for_none(filepass: bytes) -> bool:
    """Whether a FILEPASS record's contents are fulfilled by the password that nobody is asked for."""
    if not filepass.startswith(_HEADER) or len(filepass) < len(_HEADER) + 3 * _PART:
        return False
    salt, rest = filepass[len(_HEADER) :][:_PART], filepass[len(_HEADER) + _PART :][: 2 * _PART]
    told = rc4(key(salt, block=0), rest)
    return hashlib.md5(told[:_PART], usedforsecurity=False).digest() == told[_PART:]


def key(salt: bytes, *, block: int) -> bytes:
    """The key of a block of 1,024 octets of the workbook's stream."""
    word = _md5(_FOR_NONE.encode("utf-16-le"))[:5]
    return _md5(_md5((word + salt) * 16)[:5] + block.to_bytes(4, "little"))


def _md5(octets: bytes) -> bytes:
    return hashlib.md5(octets, usedforsecurity=False).digest()


def rc4(key: bytes, octets: bytes) -> bytes:
    """Encrypt or decrypt, which is the same."""
    state = list(range(256))
    j = 0
    for i, octet in enumerate(islice(cycle(key), 256)):
        j = (j + state[i] + octet) % 256
        state[i], state[j] = state[j], state[i]
    out = bytearray()
    i = j = 0
    for octet in octets:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(octet ^ state[(state[i] + state[j]) % 256])
    return bytes(out)
