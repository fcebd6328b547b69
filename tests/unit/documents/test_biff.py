"""Workbooks of 1997: strings over several records, and what is struck out in them."""

from __future__ import annotations

import struct

import pytest

from mailbot.documents.biffstrings import Rich, strings, without_struck

_STRUCK = 7


def _string(text: str, *runs: tuple[int, int], wide: bool = True) -> bytes:
    head = struct.pack("<HB", len(text), wide | (8 if runs else 0))
    count = struct.pack("<H", len(runs)) if runs else b""
    return (
        head
        + count
        + text.encode("utf-16-le" if wide else "latin-1")
        + b"".join(struct.pack("<HH", *run) for run in runs)
    )


def _table(*made: bytes) -> bytes:
    return struct.pack("<II", len(made), len(made)) + b"".join(made)


def _texts(pieces: list[bytes]) -> list[str]:
    return [string.units.decode("utf-16-le") for string in strings(pieces)]


def test_strings_go_on_in_the_next_record_with_characters_of_another_width() -> None:
    whole = _table(_string("自评分", (1, 5), (2, 7)), _string("F4", wide=False), _string("依据"))
    assert _texts([whole]) == ["自评分", "F4", "依据"]
    for cut in (3, 21, 27, 32):
        assert _texts([whole[:cut], whole[cut:]]) == ["自评分", "F4", "依据"]
    first = _table(_string("第5分", wide=True))[:-2]
    assert _texts([first, b"\x00" + b"6"]) == ["第56"]
    assert _texts([first, b"\x01" + "分".encode("utf-16-le")]) == ["第5分"]


def test_a_table_that_is_cut_short_is_an_error() -> None:
    with pytest.raises(IndexError):
        strings([_table(_string("自评分"))[:-1]])


@pytest.mark.parametrize(
    ("text", "runs", "cell", "left"),
    [
        ("51", ((0, _STRUCK), (1, 5)), 5, "1"),
        ("51", ((1, 5),), _STRUCK, "1"),
        ("51", ((1, _STRUCK),), 5, "5"),
        ("51", ((0, _STRUCK),), 5, None),
        ("51", (), _STRUCK, None),
        ("51", ((1, 5),), 5, None),
        ("5 ", ((0, _STRUCK), (1, 5)), 5, None),
    ],
)
def test_what_is_struck_out_beside_other_text_is_left_out(
    text: str, runs: tuple[tuple[int, int], ...], cell: int, left: str | None
) -> None:
    rich = Rich(units=text.encode("utf-16-le"), runs=runs)
    assert without_struck(rich, lambda font: font == _STRUCK, cell) == left
