"""Plain text and CSV in every charset that Chinese programs save in."""

from __future__ import annotations

import pytest

from mailbot.documents import text
from mailbot.errors import UnreadableError
from mailbot.model import Format, ReadBy

_WORDS = "朱镕喆：2020年度工作总结"


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_reads_every_charset_and_line_end(charset: str, line_end: str) -> None:
    extract = text.read(f"{_WORDS}{line_end}一、会议".encode(charset))
    assert extract.text == f"{_WORDS}\n一、会议"
    assert (extract.format, extract.read_by, extract.tables) == (Format.TEXT, ReadBy.TEXT, ())
    assert extract.headings[0] == _WORDS


def test_reads_text_that_is_slightly_damaged() -> None:
    damaged = _WORDS.encode("gb18030") * 20 + b"\xff\x00"
    assert text.read(damaged).text.startswith(_WORDS)


def test_what_is_no_text_is_unreadable() -> None:
    with pytest.raises(UnreadableError):
        text.read(bytes(range(256)) * 10)


def test_lines_with_tabs_become_a_table() -> None:
    lines = ["自评表", *(f"{n}\t指标{n}\t要求\t{n}.5" for n in range(1, 9))]
    (table,) = text.read("\n".join(lines).encode()).tables
    assert [cell.text for cell in table.rows[0]] == ["1", "指标1", "要求", "1.5"]
    assert len(table.rows) == 8
    assert text.read("\n".join(lines[:8]).encode()).tables == ()


@pytest.mark.parametrize("sign", [",", ";"])
def test_reads_csv(sign: str) -> None:
    data = (
        f'序号{sign}指标{sign}自评分\r\n1{sign}"会员{sign}\r\n大会"{sign}5\r\n4{sign}理事会{sign}\r\n'.encode(
            "gb18030"
        )
    )
    extract = text.read_csv(data)
    (table,) = extract.tables
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["序号", "指标", "自评分"],
        ["1", f"会员{sign}\n大会", "5"],
        ["4", "理事会", ""],
    ]
    assert table.rows[1][2].place == "第2行第3列"
    assert (extract.format, extract.read_by) == (Format.CSV, ReadBy.CELLS)


def test_csv_is_cut_at_a_limit() -> None:
    extract = text.read_csv(b"1,2,3\n" * 5001)
    assert extract.truncated
    assert len(extract.tables[0].rows) == 5000
    assert text.read_csv(b",".join([b"1"] * 300) + b"\n").truncated


def test_a_field_beyond_all_measure_is_unreadable() -> None:
    with pytest.raises(UnreadableError):
        text.read_csv(b'a,b,"' + b"x" * 200_000)


@pytest.mark.parametrize(
    ("said", "sign"),
    [
        ("1,2,3\n4,5,6\n7,8,9", ","),
        ("a;b;c\nd;e;f\ng;h;i", ";"),
        ("1,2\n3,4\n5,6", ""),
        ("1,2,3\n4,5,6", ""),
        ("We met, talked, and left.\nThen nothing.\nAt last, we wrote.\nEnd", ""),
        ("一、会员，大会，理事\n二、学术，科普，培训\n三、智库，建家，党建", ""),
    ],
)
def test_tells_separated_values_from_prose(said: str, sign: str) -> None:
    assert text.delimiter(said) == sign
