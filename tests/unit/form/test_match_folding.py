"""Folding only what can change is folding all of it."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from mailbot.form.match import folded

MARKS = st.sampled_from("\u0301\u0323\u3099\u309a\u1161\u11a8")
TEXTS = st.lists(
    st.one_of(st.characters(), MARKS, st.sampled_from("中文自评分，；①ﬁ가か（５）")), max_size=20
)


@given(TEXTS)
def test_it_is_nfkc(signs: list[str]) -> None:
    text = "".join(signs)
    assert folded(text) == unicodedata.normalize("NFKC", text)


def test_no_kept_sign_composes_with_what_stands_before_it() -> None:
    kept = {*range(0x80), 0x3001, 0x3002, *range(0x4E00, 0xA000)}
    assert all(unicodedata.normalize("NFKC", chr(code)) == chr(code) for code in kept)
    second = {
        int(parts[1], 16)
        for code in range(0x110000)
        if len(parts := unicodedata.decomposition(chr(code)).split()) == 2 and not parts[0].startswith("<")
    }
    assert not second & kept
