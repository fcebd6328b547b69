"""Word files by python-docx, with what Word and WPS put into them written in by hand."""

from __future__ import annotations

import io
import zipfile
from copy import deepcopy
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from mailbot import rubric as rubrics
from mailbot.documents import word
from mailbot.documents.needs import NeedsHelp
from mailbot.errors import DangerousError, UnreadableError
from mailbot.model import Format, ReadBy
from mailbot.reading import Need
from tests.forms import writers

RUBRIC = rubrics.load(Path("rubric/2020.toml"))
SCORES, EVIDENCE = writers.full_scores(RUBRIC), writers.some_evidence(RUBRIC)


def _saved(document: Any) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _changed(data: bytes, name: str, content: bytes) -> bytes:
    """The package with one part replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            new.writestr(member, content if member == name else old.read(member))
    return out.getvalue()


def _texts(extract: Any, table: int = 0) -> list[list[str]]:
    return [[cell.text for cell in row] for row in extract.tables[table].rows]


@pytest.mark.parametrize("merged", [True, False])
def test_the_form_is_one_table_of_the_same_cells(merged: bool) -> None:
    extract = word.read(writers.docx_form(RUBRIC, SCORES, EVIDENCE, merged=merged))
    assert (extract.format, extract.read_by) == (Format.DOCX, ReadBy.TABLE)
    assert _texts(extract) == writers.rows(RUBRIC, SCORES, EVIDENCE)
    assert len(extract.tables) == 1
    assert extract.headings == ("2020年度省级学会工作自评表",)


def test_cells_know_their_place_and_whether_they_continue_another() -> None:
    rows = word.read(writers.docx_form(RUBRIC, SCORES, EVIDENCE)).tables[0].rows
    assert rows[2][4].place == "表1 第3行第5列"
    assert [cell.merged for cell in rows[1]] == [False] * 8
    assert [cell.merged for cell in rows[2]] == [False, True, True] + [False] * 5
    assert [cell.merged for cell in rows[-1]] == [False, True, True, True] + [False] * 4
    assert [cell.across for cell in rows[2]] == [False] * 8
    assert [cell.across for cell in rows[-1]] == [False, True, True, True] + [False] * 4


def test_text_comes_in_reading_order_with_tabs_between_cells() -> None:
    document = docx.Document()
    document.add_paragraph("前言")
    table = document.add_table(rows=2, cols=2)
    table.cell(0, 0).text, table.cell(0, 1).text = "甲\n乙", "丙"
    table.cell(1, 0).text = "丁"
    document.add_paragraph("后记")
    assert word.read(_saved(document)).text == "前言\n甲 乙\t丙\n丁\t\n后记"


def test_headings_are_styled_paragraphs_else_the_first_lines() -> None:
    document = docx.Document()
    document.add_paragraph("浙江省示例学会文件")
    document.add_heading("2020年度工作总结", level=0)
    document.add_heading("一、主要工作", level=2)
    assert word.read(_saved(document)).headings == ("2020年度工作总结", "一、主要工作")
    plain = docx.Document()
    for number in range(7):
        plain.add_paragraph("")
        plain.add_paragraph(f"第{number}段")
    assert word.read(_saved(plain)).headings == ("第0段", "第1段", "第2段", "第3段", "第4段")


def test_a_style_based_on_a_heading_and_an_outline_level_make_headings() -> None:
    document = docx.Document()
    style = document.styles.add_style("我的章节", 1)
    style.base_style = document.styles["Heading 1"]
    document.add_paragraph("总结", style="我的章节")
    leveled = document.add_paragraph("计划")
    leveled._p.get_or_add_pPr().append(parse_xml(f'<w:outlineLvl {nsdecls("w")} w:val="0"/>'))
    document.add_paragraph("正文")
    assert word.read(_saved(document)).headings == ("总结", "计划")


@pytest.mark.parametrize(("record", "at"), [(b"PK\x01\x02", 16), (b"PK\x03\x04", 30)])
def test_damaged_styles_are_damaged_also_where_the_same_were_read_before(record: bytes, at: int) -> None:
    """Their checksum in the directory (APPNOTE 4.3.12), and their name in their own header."""
    data = writers.docx_form(RUBRIC, SCORES, EVIDENCE)
    size = {b"PK\x01\x02": 46, b"PK\x03\x04": 30}[record]
    start = next(
        found
        for found in range(len(data))
        if data.startswith(record, found) and data.startswith(b"word/styles.xml", found + size)
    )
    damaged = bytearray(data)
    damaged[start + at] ^= 1
    word.read(data)
    with pytest.raises(UnreadableError):
        word.read(bytes(damaged))


def test_the_styles_of_one_document_say_nothing_of_the_next() -> None:
    document = docx.Document()
    document.add_paragraph("浙江省示例学会文件")
    document.add_heading("2020年度工作总结", level=1)
    styled = _saved(document)
    with zipfile.ZipFile(io.BytesIO(styled)) as archive:
        styles = archive.read("word/styles.xml")
    plain = styles.replace(b'w:val="heading 1"', b'w:val="body 1"').replace(b"w:outlineLvl", b"w:ignored")
    other = _changed(styled, "word/styles.xml", plain)
    for _ in range(2):
        assert word.read(styled).headings == ("2020年度工作总结",)
        assert word.read(other).headings == ("浙江省示例学会文件", "2020年度工作总结")


def test_a_nested_table_is_a_further_table_and_its_text_stays_in_the_cell() -> None:
    document = docx.Document()
    outer = document.add_table(rows=1, cols=2)
    outer.cell(0, 0).text = "自评依据"
    inner = outer.cell(0, 1).add_table(rows=2, cols=2)
    inner.cell(0, 0).text, inner.cell(0, 1).text = "会议", "3次"
    inner.cell(1, 0).text, inner.cell(1, 1).text = "培训", "2期"
    extract = word.read(_saved(document))
    assert _texts(extract, 1) == [["会议", "3次"], ["培训", "2期"]]
    assert _texts(extract)[0] == ["自评依据", "会议 3次\n培训 2期"]
    assert extract.text.count("培训") == 1


def test_a_text_box_is_read_once() -> None:
    document = docx.Document()
    box = "<w:txbxContent><w:p><w:r><w:t>填报单位：浙江省示例学会</w:t></w:r></w:p></w:txbxContent>"
    document.add_paragraph("抬头")._p.append(
        parse_xml(
            f'<w:r {nsdecls("w")} xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
            'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" '
            'xmlns:v="urn:schemas-microsoft-com:vml"><mc:AlternateContent>'
            f'<mc:Choice Requires="wps"><w:drawing><wps:wsp><wps:txbx>{box}</wps:txbx></wps:wsp></w:drawing></mc:Choice>'
            f"<mc:Fallback><w:pict><v:shape><v:textbox>{box}</v:textbox></v:shape></w:pict></mc:Fallback>"
            "</mc:AlternateContent></w:r>"
        )
    )
    assert word.read(_saved(document)).text == "抬头\n填报单位：浙江省示例学会"


def test_the_page_header_is_kept_apart_and_may_be_broken() -> None:
    document = docx.Document()
    document.add_paragraph("正文")
    section = document.sections[0]
    section.header.paragraphs[0].text = "浙江省示例学会\n2021年工作计划"
    section.different_first_page_header_footer = True
    section.first_page_header.paragraphs[0].text = "浙江省示例学会"
    data = _saved(document)
    extract = word.read(data)
    assert (extract.header, extract.text) == (("浙江省示例学会", "2021年工作计划"), "正文")
    names = [name for name in zipfile.ZipFile(io.BytesIO(data)).namelist() if "header" in name]
    for name in names:
        data = _changed(data, name, b"<w:hdr")
    assert (word.read(data).header, word.read(data).text) == ((), "正文")


def test_deleted_hidden_and_placeholder_text_is_not_read() -> None:
    document = docx.Document()
    table = document.add_table(rows=1, cols=3)
    ns = nsdecls("w")
    runs = (
        f"<w:del {ns}><w:r><w:delText>9</w:delText></w:r></w:del>",
        f"<w:r {ns}><w:rPr><w:vanish/></w:rPr><w:t>8</w:t></w:r>",
        f"<w:sdt {ns}><w:sdtPr><w:showingPlcHdr/></w:sdtPr><w:sdtContent><w:r><w:t>单击此处</w:t></w:r></w:sdtContent></w:sdt>",
    )
    for cell, run in zip(table.row_cells(0), runs, strict=True):
        cell.paragraphs[0]._p.append(parse_xml(run))
    kept = table.cell(0, 0).paragraphs[0]._p
    kept.append(parse_xml(f"<w:ins {ns}><w:r><w:t>7</w:t></w:r></w:ins>"))
    assert _texts(word.read(_saved(document))) == [["7", "", ""]]


@pytest.mark.parametrize(
    ("chosen", "shown"),
    [
        ('<w:result w:val="1"/>', "1"),
        ('<w:default w:val="2"/>', "2"),
        ('<w:result w:val="0"/><w:default w:val="2"/>', "0"),
        ("", "0"),
        ('<w:result w:val="9"/>', ""),
    ],
)
def test_a_drop_down_field_says_what_was_chosen(chosen: str, shown: str) -> None:
    document = docx.Document()
    cell = document.add_table(rows=1, cols=1).cell(0, 0)
    entries = "".join(f'<w:listEntry w:val="{n}"/>' for n in range(3))
    for run in (
        f'<w:fldChar w:fldCharType="begin"><w:ffData><w:ddList>{chosen}{entries}</w:ddList></w:ffData></w:fldChar>',
        "<w:instrText> FORMDROPDOWN </w:instrText>",
        '<w:fldChar w:fldCharType="end"/>',
    ):
        cell.paragraphs[0]._p.append(parse_xml(f"<w:r {nsdecls('w')}>{run}</w:r>"))
    assert _texts(word.read(_saved(document))) == [[shown]]


def test_cells_in_content_controls_and_rows_that_start_late_keep_the_grid() -> None:
    document = docx.Document()
    table = document.add_table(rows=2, cols=3)
    table.cell(0, 2).text = "三"
    second = table.rows[1]._tr
    second.remove(second.tc_lst[0])
    second.get_or_add_trPr().append(parse_xml(f'<w:gridBefore {nsdecls("w")} w:val="1"/>'))
    cell = second.tc_lst[0]
    control = parse_xml(f"<w:sdt {nsdecls('w')}><w:sdtContent/></w:sdt>")
    second.replace(cell, control)
    control[0].append(cell)
    cell.p_lst[0].append(parse_xml(f"<w:r {nsdecls('w')}><w:t>二</w:t></w:r>"))
    assert _texts(word.read(_saved(document))) == [["", "", "三"], ["", "二", ""]]


def test_a_cell_that_holds_only_a_picture_is_not_empty() -> None:
    from PIL import Image

    picture = io.BytesIO()
    Image.new("RGB", (20, 20), "red").save(picture, "PNG")
    document = docx.Document()
    table = document.add_table(rows=1, cols=2)
    table.cell(0, 0).paragraphs[0].add_run().add_picture(io.BytesIO(picture.getvalue()))
    assert _texts(word.read(_saved(document))) == [["[图片]", ""]]


def _noise(size: tuple[int, int]) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.effect_noise(size, 60).save(out, "PNG")
    return out.getvalue()


_REPORT = "一年来，我会举办学术年会三场。" * 10


def _pasted(*pictures: bytes, text: str = "", width: int = 16) -> bytes:
    document = docx.Document()
    document.add_paragraph(text)
    for picture in pictures:
        document.add_picture(io.BytesIO(picture), width=docx.shared.Cm(width))
    return _saved(document)


@pytest.mark.parametrize(
    "sign",
    [
        '<w:sym w:font="Wingdings" w:char="F0FC"/>',
        '<w:fldChar w:fldCharType="begin"/><w:instrText> eq \\o\\ac(○,4)</w:instrText><w:fldChar w:fldCharType="end"/>',
    ],
)
def test_a_cell_that_holds_only_a_drawn_sign_is_not_empty(sign: str) -> None:
    """A tick of a symbol font, and ④ as Word makes it."""
    document = docx.Document()
    table = document.add_table(rows=1, cols=2)
    run = parse_xml(f"<w:r {nsdecls('w')}>{sign}</w:r>")
    table.cell(0, 0).paragraphs[0]._p.append(run)
    table.cell(0, 1).text = "4"
    table.cell(0, 1).paragraphs[0]._p.append(deepcopy(run))
    assert _texts(word.read(_saved(document))) == [["[图片]", "4"]]


def test_scans_pasted_in_ask_for_recognition_and_come_in_reading_order() -> None:
    pages = (_noise((700, 900)), _noise((900, 700)))
    data = _pasted(pages[1], _noise((300, 300)), pages[0], pages[1], text="2020年度工作总结")
    with pytest.raises(NeedsHelp) as wanted:
        word.read(data)
    assert wanted.value.need is Need.OCR
    assert tuple(word.pictures(data)) == (pages[1], pages[0])
    assert word.typed(data).text.strip() == "2020年度工作总结"


@pytest.mark.parametrize(
    ("size", "text", "width"),
    [((300, 300), "活动照片", 16), ((700, 900), _REPORT, 9), ((300, 300), _REPORT, 16)],
)
def test_small_pictures_ask_for_nothing(size: tuple[int, int], text: str, width: int) -> None:
    assert word.read(_pasted(_noise(size), text=text, width=width)).text.startswith(text)


def test_scans_beside_a_text_ask_for_recognition_and_the_text_stands_without() -> None:
    with pytest.raises(NeedsHelp) as wanted:
        word.read(_pasted(_noise((700, 900)), text=_REPORT))
    assert wanted.value.need is Need.OCR
    assert wanted.value.otherwise is not None
    assert wanted.value.otherwise.text.startswith(_REPORT)


def test_the_form_as_lines_with_tabs_becomes_a_table() -> None:
    document = docx.Document()
    document.add_paragraph("2020年度省级学会工作自评表")
    for row in writers.rows(RUBRIC, SCORES, EVIDENCE):
        document.add_paragraph("\t".join(row))
    document.add_paragraph("以上属实")
    extract = word.read(_saved(document))
    trimmed = [[text.strip() for text in row] for row in writers.rows(RUBRIC, SCORES, EVIDENCE)]
    assert _texts(extract) == trimmed
    assert extract.tables[0].rows[1][5].place == "第3行第6列"


def test_seven_tabbed_lines_are_no_table() -> None:
    document = docx.Document()
    for _ in range(7):
        document.add_paragraph("a\tb\tc\td")
    assert word.read(_saved(document)).tables == ()


def test_styles_may_be_missing_and_relations_lead_nowhere() -> None:
    data = writers.docx_form(RUBRIC, SCORES, EVIDENCE)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        new.writestr("word/document.xml", old.read("word/document.xml"))
    assert _texts(word.read(out.getvalue())) == writers.rows(RUBRIC, SCORES, EVIDENCE)


def test_the_strict_variant_is_read_too() -> None:
    data = writers.docx_form(RUBRIC, SCORES, EVIDENCE)
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        strict = package.read("word/document.xml").replace(
            b"http://schemas.openxmlformats.org/wordprocessingml/2006/main",
            b"http://purl.oclc.org/ooxml/wordprocessingml/main",
        )
    assert _texts(word.read(_changed(data, "word/document.xml", strict))) == writers.rows(
        RUBRIC, SCORES, EVIDENCE
    )


def test_damaged_files_are_unreadable() -> None:
    data = writers.docx_form(RUBRIC, SCORES, EVIDENCE)
    for broken in (
        data[: len(data) // 2],
        b"PK\x03\x04" + bytes(100),
        b"",
        _changed(data, "word/document.xml", b"<w"),
    ):
        with pytest.raises(UnreadableError):
            word.read(broken)
    flipped = bytearray(data)
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        start = package.getinfo("word/document.xml").header_offset + 200
    flipped[start : start + 40] = bytes(40)
    with pytest.raises(UnreadableError):
        word.read(bytes(flipped))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused(encoding: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("geheim")
    xml = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE d [<!ENTITY x SYSTEM "{secret.as_uri()}">]><d>&x;</d>'
    data = _changed(writers.docx_form(RUBRIC, {}, {}), "word/document.xml", xml.encode(encoding))
    with pytest.raises(DangerousError):
        word.read(data)


def test_a_bomb_is_refused_by_what_it_declares() -> None:
    bomb = _changed(writers.docx_form(RUBRIC, {}, {}), "word/document.xml", bytes(60 * 2**20))
    assert len(bomb) < 200_000
    with pytest.raises(DangerousError):
        word.read(bomb)


def test_a_span_of_a_million_columns_is_refused() -> None:
    document = docx.Document()
    table = document.add_table(rows=1, cols=1)
    properties = table.cell(0, 0)._tc.get_or_add_tcPr()
    properties.append(parse_xml(f'<w:gridSpan {nsdecls("w")} w:val="1000000"/>'))
    with pytest.raises(DangerousError):
        word.read(_saved(document))


def test_a_page_laid_out_in_a_single_cell_keeps_its_lines():
    document = docx.Document()
    document.add_table(rows=1, cols=1).cell(0, 0).text = "2020年工作总结\n一、学术交流\n二、2021年工作计划"
    extract = word.read(_saved(document))
    assert extract.text.splitlines() == ["2020年工作总结", "一、学术交流", "二、2021年工作计划"]
