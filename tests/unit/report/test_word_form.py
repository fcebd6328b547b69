"""The blank official form as a Word file: what it holds, and that it is read back as what it is."""

from __future__ import annotations

import io
from pathlib import Path

import docx

from mailbot.model import Code, Format, Role
from mailbot.reader import read_document
from mailbot.report.word_form import blank_word_form
from mailbot.rubric import load
from tests.conftest import ROOT

PATH = ROOT / "rubric/2020.toml"
RUBRIC = load(PATH)
SCORE, EVIDENCE = 5, 6


def test_it_holds_every_item_of_the_rubric_with_its_points() -> None:
    table = docx.Document(io.BytesIO(blank_word_form(RUBRIC))).tables[0]
    rows = [[cell.text for cell in row.cells] for row in table.rows]
    assert rows[0][:5] == ["序号", "类别", "项目", "评价内容", "分值"]
    assert [(int(r[0]), r[3]) for r in rows[1:-1]] == [(i.no, i.criterion) for i in RUBRIC.items]
    assert [r[4] for r in rows[1:-1]] == [f"{i.points}分" for i in RUBRIC.items]
    assert all(r[SCORE] == r[EVIDENCE] == "" for r in rows[1:])
    assert rows[-1][0] == rows[-1][3] == "总计"
    assert rows[-1][4] == "100分"
    assert rows[1][1] == rows[7][1] == "一、为科技工作者服务（35分）"


def test_it_is_read_as_a_blank_form(tmp_path: Path) -> None:
    file = tmp_path / "form.docx"
    file.write_bytes(blank_word_form(RUBRIC))
    reading = read_document(file, PATH)
    assert [(d.format, d.role) for d in reading.documents] == [(Format.DOCX, Role.FORM)]
    assert [f.code for f in reading.findings] == [Code.FORM_BLANK]


def test_filled_in_it_is_read_without_a_fault(tmp_path: Path) -> None:
    document = docx.Document(io.BytesIO(blank_word_form(RUBRIC)))
    document.paragraphs[1].text = "填报单位：浙江省云岭学会（盖章）"
    table = document.tables[0]
    for row, item in enumerate(RUBRIC.items, 1):
        table.cell(row, SCORE).text = str(item.points)
        table.cell(row, EVIDENCE).text = "年内举办3次，新增会员4.2%，被评为5A级，发表12次，会讯8期"
    table.cell(len(RUBRIC.items) + 1, SCORE).text = "100"
    file = tmp_path / "form.docx"
    document.save(str(file))
    reading = read_document(file, PATH)
    assert reading.assessment is not None
    assert reading.assessment.organization == "浙江省云岭学会"
    assert reading.assessment.total == reading.assessment.stated_total == RUBRIC.total
    assert [f for f in reading.findings if f.code is not Code.EVIDENCE_UNSUPPORTED] == []


def test_the_same_form_is_the_same_file() -> None:
    assert blank_word_form(RUBRIC) == blank_word_form(RUBRIC)
