"""File names from outside, made harmless."""

from __future__ import annotations

import pytest

from mailbot.names import safe_name


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("自评表.xlsx", "自评表.xlsx"),
        ("../../etc/passwd", "passwd"),
        ("C:\\报送\\自评表.xlsx", "自评表.xlsx"),
        ("a\r\nBcc: x.txt", "a Bcc: x.txt"),
        ("表\u202excod.exe", "表xcod.exe"),
        ("half\ud800.txt", "half.txt"),
        ("CON.txt", "_CON.txt"),
        ("console.txt", "console.txt"),
        ("..", ""),
        ("", ""),
        ("folder/", ""),
        ("长" * 300 + ".xlsx", "长" * 195 + ".xlsx"),
    ],
)
def test_keeps_what_is_harmless(name: str, safe: str) -> None:
    assert safe_name(name) == safe
