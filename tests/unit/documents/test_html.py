"""HTML as saved by browsers and exported by programs under other names."""

from __future__ import annotations

import pytest

from mailbot.documents.html import read
from mailbot.errors import UnreadableError
from mailbot.model import Format, ReadBy

_EXCEL = """<html xmlns:x="urn:schemas-microsoft-com:office:excel">
<head><meta http-equiv=Content-Type content="text/html; charset=gb2312"><title>自评表</title><style>td{}</style></head>
<body><!--[if gte mso 9]><xml><x:Name>Sheet1</x:Name></xml><![endif]--><script>var a = "<td>";</script>
<p>2020年度<b>自评</b>
表</p>
<table><thead><tr><td rowspan=2>类别</td><td colspan=2>指标</td><td>分</td></tr></thead>
<tr><td>会员<br>大会<p>朱镕喆</p></td><td></td><td>5<table><tr><td></td><td>内</td></tr></table>分</td></tr></table>
</body></html>"""


def test_reads_what_a_spreadsheet_program_exports() -> None:
    extract = read(_EXCEL.encode("gb18030"))
    assert (extract.format, extract.read_by, extract.truncated) == (Format.HTML, ReadBy.TABLE, False)
    assert extract.headings == ("自评表",)
    assert extract.text == "2020年度自评 表\n类别\t指标\t分\n会员\n大会\n朱镕喆\t\t5\n\t内\n分"


def test_spans_become_a_rectangle() -> None:
    outer, inner = read(_EXCEL.encode("gb18030")).tables
    assert [[(cell.text, cell.merged) for cell in row] for row in outer.rows] == [
        [("类别", False), ("指标", False), ("", True), ("分", False)],
        [("", True), ("会员\n大会\n朱镕喆", False), ("", False), ("5分", False)],
    ]
    assert [[cell.across for cell in row] for row in outer.rows] == [[False, False, True, False], [False] * 4]
    assert outer.rows[1][3].place == "表1 第2行第4列"
    assert [[cell.text for cell in row] for row in inner.rows] == [["", "内"]]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("4<sup>1</sup>", "4¹"),
        ("<p>CO<sub>2</sub></p>", "CO₂"),
        ("<p>4<a class=msocomanchor href='#_msocom_1'>[李1]</a></p>", "4"),
        ("<a class='comment-indicator'></a><comment>应为3分</comment>4", "4"),
        ("4<a class='sdfootnoteanc' href='#sdfootnote1sym'><sup>1</sup></a>", "4"),
        ("<a href='#_ftn1'><span class=MsoFootnoteReference>[1]</span></a>4", "4"),
        ("<table><tr><td>沙龙</td><td>3次</td></tr></table>", "沙龙 3次"),
    ],
)
def test_a_cell_holds_what_is_written_in_it(cell: str, text: str) -> None:
    page = f"<table><tr><td>13</td><td>{cell}</td></tr></table>"
    assert read(page.encode()).tables[0].rows[0][1].text == text


@pytest.mark.parametrize(
    "page",
    [
        "<p>朱镕喆</p>".encode(),
        "<p>朱镕喆</p>".encode("gb18030"),
        b"\xef\xbb\xbf" + "<p>朱镕喆</p>".encode(),
        "<p>朱镕喆</p>".encode("utf-16"),
        "<meta charset=gb2312><p>朱镕喆</p>".encode(),
        "<meta charset='utf-8'><p>朱镕喆</p>".encode("gb18030"),
        "<?xml version='1.0' encoding='utf-8'?><html><p>朱镕喆</p></html>".encode(),
    ],
)
def test_believes_the_octets_before_the_label(page: bytes) -> None:
    assert read(page).text == "朱镕喆"


def test_believes_a_label_that_can_be_true() -> None:
    assert read("<meta charset=big5><p>工作總結</p>".encode("big5")).text == "工作總結"


def test_uneven_rows_are_filled_up() -> None:
    (table,) = read(b"<table><tr><td>1<tr><td>2<td>3</table>").tables
    assert [[cell.text for cell in row] for row in table.rows] == [["1", ""], ["2", "3"]]


def test_a_rowspan_past_the_end_stops_there() -> None:
    (table,) = read(b"<table><tr><td rowspan=9999 colspan=0>1<td>2</table>").tables
    assert [[cell.text for cell in row] for row in table.rows] == [["1", "2"]]


@pytest.mark.parametrize(
    "page",
    [
        b"<table>" + b"<tr><td colspan=99999 rowspan=60000>x" * 3000 + b"</table>",
        b"<table><tr>" + b"<td>x" * 300 + b"</table>",
        b"<table>" + b"<tr><td>x" * 5001 + b"</table>",
        b"<table><tr>" + b"<td>x" * 200 + b"</tr>" + b"<tr><td>x" * 4000 + b"</table>",
    ],
)
def test_tables_are_cut_at_a_limit(page: bytes) -> None:
    extract = read(page)
    assert extract.truncated
    assert sum(len(row) for table in extract.tables for row in table.rows) <= 200_000


def test_deep_nesting_breaks_nothing() -> None:
    read(b"<div>" * 100_000 + b"<table><tr><td>" * 1000)


@pytest.mark.parametrize("page", [b"", b"   ", b"\x00\x01\x02\x03\xff\xfe\xfd" * 100])
def test_what_is_no_page_is_unreadable(page: bytes) -> None:
    with pytest.raises(UnreadableError):
        read(page)
