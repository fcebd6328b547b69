"""Workbooks as Excel, WPS and LibreOffice leave them."""

from __future__ import annotations

import datetime
import io
import zipfile

import openpyxl
import pytest

from mailbot.documents.needs import NeedsHelp
from mailbot.documents.spreadsheet import column_name, pictures, plain, read, typed
from mailbot.errors import DangerousError, EncryptedError, UnreadableError
from mailbot.model import Format, ReadBy
from mailbot.reading import Cell, Extract, Need, Table
from tests.forms.make_corpus import CORPUS
from tests.unit.documents import samples

_MOMENT = datetime.datetime.fromisoformat("2021-01-15T17:30:00")
_SHEET = "xl/worksheets/sheet1.xml"


def _xlsx(data: bytes) -> Extract:
    return read(data, Format.XLSX)


def _texts(table: Table) -> list[list[str]]:
    return [[cell.text for cell in row] for row in table.rows]


def _cell(extract: Extract, place: str) -> Cell:
    return next(cell for table in extract.tables for row in table.rows for cell in row if cell.place == place)


def test_reads_values_with_their_places() -> None:
    extract = _xlsx(samples.xlsx([["序号", "自评分"], [1, 8.5], [4, 5.0], [5, "无"]], "自评表"))
    assert extract.format is Format.XLSX
    assert extract.read_by is ReadBy.CELLS
    assert not extract.truncated
    (table,) = extract.tables
    assert (table.name, table.hidden) == ("自评表", False)
    assert _texts(table) == [["序号", "自评分"], ["1", "8.5"], ["4", "5"], ["5", "无"]]
    assert table.rows[1][1].place == "自评表!B2"
    assert extract.text == "序号\t自评分\n1\t8.5\n4\t5\n5\t无"
    assert extract.headings[0] == "序号\t自评分"


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (5.0, "5"),
        (8.5, "8.5"),
        (0.1 + 0.2, "0.3"),
        (89.99999999999999, "90"),
        (100.0, "100"),
        (1e-7, "0.0000001"),
        (-0.5, "-0.5"),
        (0.0, "0"),
        (-0.0, "0"),
        (13800138000.0, "13800138000"),
        (1e20, "100000000000000000000"),
        (float("nan"), "nan"),
        (7, "7"),
        (True, "TRUE"),
        (datetime.date(2021, 1, 15), "2021-01-15"),
        (_MOMENT, "2021-01-15 17:30:00"),
        (_MOMENT.replace(hour=0, minute=0), "2021-01-15"),
        (datetime.time(12, 0), "0.5"),
        (datetime.time(4, 48), "0.2"),
        (datetime.time(4, 30), "4:30"),
        (datetime.timedelta(days=4, hours=12), "4.5"),
        (datetime.timedelta(hours=4, minutes=30), "4:30"),
        ("两行\r\n文字", "两行\n文字"),
    ],
)
def test_shows_a_value_plainly(value: float | str | datetime.date, wanted: str) -> None:
    assert plain(value) == wanted


@pytest.mark.parametrize(
    ("code", "several"), [(";;;", True), ('"";"";', True), ("0;;", False), ("0.0", False)]
)
def test_a_number_that_its_format_hides_is_for_a_person(code: str, several: bool) -> None:
    """It shows nothing; whether somebody meant it to count is not known."""
    import xlwt

    book = openpyxl.Workbook()
    book.active.append([4, 5])
    book.active["A1"].number_format = code
    saved = io.BytesIO()
    book.save(saved)
    old, older = xlwt.Workbook(), io.BytesIO()
    page = old.add_sheet("Sheet1")
    page.write(0, 0, 4, xlwt.easyxf(num_format_str=code))
    page.write(0, 1, 5)
    old.save(older)
    for extract in (_xlsx(saved.getvalue()), read(older.getvalue(), Format.XLS)):
        assert [(cell.text, cell.several) for cell in extract.tables[0].rows[0]] == [
            ("4", several),
            ("5", False),
        ]


def test_column_names() -> None:
    assert [column_name(n) for n in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


def test_sheets_that_begin_further_in_keep_their_places() -> None:
    book = openpyxl.Workbook()
    book.worksheets[0]["C3"] = "x"
    extract = _xlsx(samples.saved(book))
    assert _texts(extract.tables[0]) == [["", "", ""], ["", "", ""], ["", "", "x"]]
    assert _cell(extract, "Sheet!C3").text == "x"


def test_merged_cells_hold_their_text_once() -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet["A1"], sheet["C2"] = "类别", "分"
    sheet.merge_cells("A1:B2")
    extract = _xlsx(samples.saved(book))
    assert [[cell.merged for cell in row] for row in extract.tables[0].rows] == [
        [False, True, False],
        [True, True, False],
    ]
    assert [[cell.across for cell in row] for row in extract.tables[0].rows] == [[False, True, False]] * 2
    assert _texts(extract.tables[0]) == [["类别", "", ""], ["", "", "分"]]


def test_hidden_sheets_are_marked_and_not_in_the_text() -> None:
    book = openpyxl.Workbook()
    book.worksheets[0]["A1"] = "今年"
    book.create_sheet("旧")["A1"] = "去年"
    book["旧"].sheet_state = "veryHidden"
    book.create_sheet("更旧")["A1"] = "前年"
    book["更旧"].sheet_state = "hidden"
    extract = _xlsx(samples.saved(book))
    assert [(table.name, table.hidden) for table in extract.tables] == [
        ("Sheet", False),
        ("旧", True),
        ("更旧", True),
    ]
    assert extract.text == "今年"


def test_a_hidden_sheet_that_is_all_there_is_gives_the_text() -> None:
    book = openpyxl.Workbook()
    book.create_sheet("藏")["A1"] = "自评表"
    book["藏"].sheet_state = "hidden"
    assert _xlsx(samples.saved(book)).text == "自评表"


def _with_sum() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append([5, 3])
    sheet.append([4, 2])
    sheet.append(["=SUM(A1:A2)"])
    return samples.saved(book)


@pytest.mark.parametrize("value", [b"<v></v>", b"<v/>", b""])
def test_a_formula_without_a_value_is_given(value: bytes) -> None:
    data = samples.replaced(_with_sum(), {_SHEET: (b"<v></v>", value)})
    assert _cell(_xlsx(data), "Sheet!A3") == Cell(text="", place="Sheet!A3", formula="=SUM(A1:A2)")


def test_a_formula_with_a_value_is_its_value() -> None:
    data = samples.replaced(_with_sum(), {_SHEET: (b"<v></v>", b"<v>9</v>")})
    assert _cell(_xlsx(data), "Sheet!A3") == Cell(text="9", place="Sheet!A3")


def test_a_formula_whose_value_is_no_text_is_empty() -> None:
    data = samples.replaced(
        _with_sum(),
        {_SHEET: (b'<c r="A3"><f>SUM(A1:A2)</f><v></v>', b'<c r="A3" t="str"><f>IF(1,"")</f><v></v>')},
    )
    assert _cell(_xlsx(data), "Sheet!A3") == Cell(text="", place="Sheet!A3")


def test_a_shared_formula_is_moved_to_its_cell() -> None:
    data = samples.replaced(
        _with_sum(),
        {
            _SHEET: (
                b'<c r="A3"><f>SUM(A1:A2)</f><v></v></c>',
                b'<c r="A3"><f t="shared" ref="A3:B3" si="0">SUM(A1:A2)</f><v>9</v></c>'
                b'<c r="B3"><f t="shared" si="0"/></c>',
            )
        },
    )
    extract = _xlsx(data)
    assert _cell(extract, "Sheet!A3").text == "9"
    assert _cell(extract, "Sheet!B3").formula == "=SUM(B1:B2)"


def test_an_error_value_is_shown() -> None:
    data = samples.replaced(
        _with_sum(),
        {_SHEET: (b'<c r="A3"><f>SUM(A1:A2)</f><v></v>', b'<c r="A3" t="e"><f>X</f><v>#NAME?</v>')},
    )
    assert _cell(_xlsx(data), "Sheet!A3") == Cell(text="#NAME?", place="Sheet!A3")


def test_what_wps_writes_differently_is_read() -> None:
    """A dimension that is wrong, a fill that is empty (openpyxl refuses it)."""
    data = samples.replaced(
        _with_sum(),
        {
            _SHEET: (b'<dimension ref="A1:B3"/>', b'<dimension ref="A1"/>'),
            "xl/styles.xml": (b'<fill><patternFill patternType="gray125"/></fill>', b"<fill/>"),
        },
    )
    with pytest.raises(TypeError):
        openpyxl.load_workbook(io.BytesIO(data))
    extract = _xlsx(data)
    assert _texts(extract.tables[0]) == [["5", "3"], ["4", "2"], ["", ""]]
    assert _cell(extract, "Sheet!A3").formula == "=SUM(A1:A2)"


def test_many_rows_are_cut() -> None:
    extract = _xlsx(samples.xlsx([[n] for n in range(5001)]))
    assert extract.truncated
    assert len(extract.tables[0].rows) == 5000


def test_many_columns_are_cut() -> None:
    extract = _xlsx(samples.xlsx([list(range(201))]))
    assert extract.truncated
    assert len(extract.tables[0].rows[0]) == 200


def test_a_value_far_out_does_not_hide_the_near_ones() -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet["A1"], sheet["B2"], sheet["XFD1048576"] = "序号", 8.5, "slip of the key"
    extract = _xlsx(samples.saved(book))
    assert extract.truncated
    assert _texts(extract.tables[0]) == [["序号"] + [""] * 199, ["", "8.5"] + [""] * 198]


def test_reads_xls() -> None:
    extract = read(samples.xls(), Format.XLS)
    assert [(table.name, table.hidden) for table in extract.tables] == [("自评表", False), ("旧", True)]
    assert _texts(extract.tables[0]) == [["省级学会工作自评表", "", ""], ["1", "会员大会", "8.5"]]
    assert [cell.merged for cell in extract.tables[0].rows[0]] == [False, True, True]


def test_reads_ods() -> None:
    extract = read(samples.ods(hidden=True), Format.ODS)
    assert [(table.name, table.hidden) for table in extract.tables] == [("表一", False), ("藏", True)]
    assert _texts(extract.tables[0]) == [["合并", ""], ["8.5", ""]]
    assert extract.tables[0].rows[0][1].merged
    assert extract.tables[0].rows[0][1].across
    assert _cell(extract, "表一!B2").formula == "=SUM(A2:A2)"


def test_an_empty_workbook_has_an_empty_table() -> None:
    extract = _xlsx(samples.saved(openpyxl.Workbook()))
    assert extract.text == ""
    assert [table.rows for table in extract.tables] == [()]


@pytest.mark.parametrize(
    ("data", "format_"),
    [
        (samples.xlsx()[:-200], Format.XLSX),
        (samples.xlsx()[:300], Format.XLSX),
        (samples.zipped({"[Content_Types].xml": b"<a/>", "xl/workbook.xml": b"<nonsense"}), Format.XLSX),
        (samples.xls()[:2000], Format.XLS),
        (samples.ole("Workbook"), Format.XLS),
        (samples.ods()[:-100], Format.ODS),
        (samples.zipped({"mimetype": b"x"}), Format.ODS),
    ],
)
def test_what_is_damaged_is_unreadable(data: bytes, format_: Format) -> None:
    with pytest.raises(UnreadableError):
        read(data, format_)


def test_a_member_under_a_password_is_told() -> None:
    data = bytearray(samples.xlsx())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = bytes(data).index(mark)
        data[place + at] |= 1
    with pytest.raises(EncryptedError):
        _xlsx(bytes(data))


def test_a_bomb_is_not_unpacked() -> None:
    data = samples.zipped(
        {"[Content_Types].xml": b"<a/>", "xl/workbook.xml": b"<a/>", _SHEET: b" " * (257 * 2**20)},
        zipfile.ZIP_DEFLATED,
    )
    assert len(data) < 2**20
    with pytest.raises(DangerousError):
        _xlsx(data)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused(encoding: str) -> None:
    xml = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE a [<!ENTITY b "bb">]><worksheet>&b;</worksheet>'
    with zipfile.ZipFile(io.BytesIO(samples.xlsx())) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    data = samples.zipped({**parts, _SHEET: xml.encode(encoding)}, zipfile.ZIP_DEFLATED)
    with pytest.raises(DangerousError):
        _xlsx(data)


def _pasted(size: tuple[int, int], text: str = "") -> bytes:
    from openpyxl.drawing.image import Image
    from PIL import Image as Picture

    octets = io.BytesIO()
    Picture.effect_noise(size, 60).save(octets, "PNG")
    book = openpyxl.Workbook()
    book.active["A1"] = text
    book.active.add_image(Image(octets), "A2")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_scans_pasted_in_ask_for_recognition() -> None:
    data = _pasted((700, 900), "2020年度省级学会工作自评表")
    with pytest.raises(NeedsHelp) as wanted:
        _xlsx(data)
    assert (wanted.value.need, wanted.value.otherwise) == (Need.OCR, None)
    assert [len(picture) > 1000 for picture in pictures(data)] == [True]
    assert typed(data).text == "2020年度省级学会工作自评表"
    assert _xlsx(_pasted((300, 300), "会徽")).text == "会徽"
    assert _xlsx(_pasted((700, 900), "工作实效" * 40)).text == "工作实效" * 40


def test_formulas_that_nobody_calculated_are_a_doubt_where_no_office_program_does() -> None:
    data = (CORPUS / "uncalculated.xls").read_bytes()
    with pytest.raises(NeedsHelp) as raised:
        read(data, Format.XLS)
    assert raised.value.need is Need.OFFICE
    assert raised.value.otherwise is not None
    score = _cell(raised.value.otherwise, "Sheet1!F4")
    assert (score.text, score.formula) == ("", "=")


def _under_a_picture(rows: int, columns: int) -> bytes:
    from openpyxl.drawing.image import Image
    from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, TwoCellAnchor
    from PIL import Image as Picture

    octets = io.BytesIO()
    Picture.new("RGB", (40, 40), "red").save(octets, "PNG")
    book = openpyxl.Workbook()
    book.active["A1"], book.active["B2"] = 0.5, "B2"
    image = Image(octets)
    image.anchor = TwoCellAnchor(
        _from=AnchorMarker(col=0, row=0), to=AnchorMarker(col=columns - 1, row=rows - 1)
    )
    book.active.add_image(image)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_seal_over_small_scores_leaves_them_as_they_are() -> None:
    extract = _xlsx(_under_a_picture(2, 2))
    assert [[cell.text for cell in row] for row in extract.tables[0].rows] == [
        ["0.5", "[图片]"],
        ["[图片]", "B2"],
    ]
    assert not any(cell.several for row in extract.tables[0].rows for cell in row)


def test_a_picture_over_the_whole_sheet_is_in_no_cell() -> None:
    extract = _xlsx(_under_a_picture(5000, 200))
    assert [[cell.text for cell in row] for row in extract.tables[0].rows] == [["0.5", ""], ["", "B2"]]
