"""Whether nobody is asked for an encrypted workbook's password."""

from __future__ import annotations

import pytest

from mailbot.documents.locked import is_locked, opens_unasked
from mailbot.documents.rc4 import is_for_none, rc4
from mailbot.model import Format
from tests.forms.make_corpus import CORPUS


@pytest.mark.parametrize(
    ("key", "plain", "encrypted"),
    [
        (b"Key", b"Plaintext", "bbf316e8d940af0ad3"),
        (b"Wiki", b"pedia", "1021bf0420"),
        (b"Secret", b"Attack at dawn", "45a01f645fc35b383552544b9bf5"),
    ],
)
def test_rc4_is_the_known_one(key: bytes, plain: bytes, encrypted: str) -> None:
    assert rc4(key, plain).hex() == encrypted
    assert rc4(key, bytes.fromhex(encrypted)) == plain


def test_a_protected_structure_is_no_password_and_a_password_is_one() -> None:
    protected, locked = ((CORPUS / name).read_bytes() for name in ("protected.xls", "locked.xls"))
    assert (is_locked(protected, Format.XLS), opens_unasked(protected)) == (True, True)
    assert (is_locked(locked, Format.XLS), opens_unasked(locked)) == (True, False)


@pytest.mark.parametrize("octets", [b"", b"\x01\x00", b"\x01\x00\x01\x00\x01\x00" + bytes(47)])
def test_a_record_cut_short_tells_of_nothing(octets: bytes) -> None:
    assert not is_for_none(octets)
