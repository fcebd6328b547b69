"""The documents of one mail together: copies, conflicts, parts of one form."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mailbot.form.examine import Readable
from mailbot.model import Code, ReadBy, Role
from mailbot.reading import Table
from tests.unit.form.build import (
    NAME,
    NOS,
    RUBRIC,
    TITLE,
    Form,
    blank,
    cell,
    changed,
    extract,
    faults,
    read,
    the,
)


def page(
    first: int, last: int, *, header: bool, score: dict[int, str] | None = None, sure: float = 0.97
) -> Readable:
    """One photographed page of a form: the rows from one position to another."""
    form = Form(read_by=ReadBy.OCR, confidence=sure)
    form.scores |= score or {}
    rows = form.table().rows
    body = rows[3 + first : 3 + last]
    table = Table(rows=(*rows[:3], *body) if header else (*body, *(rows[-1:] if last == len(NOS) else ())))
    name = f"微信图片_{first}.jpg"
    return Readable(key=f"p{first}-{last}", filename=name, extract=extract([table], read_by=ReadBy.OCR))


def differing(no: int = 1, score: str = "9", **changes: object) -> Form:
    form = Form(**changes)  # type: ignore[arg-type]
    form.scores[no] = score
    return form


def test_nothing_came() -> None:
    examined = read()
    assert (examined.form_key, examined.findings, examined.roles) == (None, (), {})


def test_two_forms_that_differ_are_for_a_person() -> None:
    found = the(read(Form(), differing()), Code.FORM_CONFLICTING)
    assert found.found == "1.xlsx / 2.xlsx"


def test_two_forms_of_one_workbook_are_told_by_their_sheets() -> None:
    """The cell of the first score was named too, which tells nobody anything."""

    def sheet(name: str, form: Form) -> Table:
        rows = form.table().rows
        return Table(
            rows=tuple(
                tuple(replace(c, place=f"{name}!{c.place}") if c.place else c for c in row) for row in rows
            )
        )

    workbook = extract([sheet("初稿", Form()), sheet("定稿 二", differing())])
    assert the(read(workbook), Code.FORM_CONFLICTING).found == "1.xlsx 初稿 / 1.xlsx 定稿 二"


def test_two_forms_that_differ_in_evidence_or_name() -> None:
    other = Form()
    other.evidence[24] = "完全不同的依据"
    assert Code.FORM_CONFLICTING in {code for code, _ in faults(read(Form(), other))}
    named = Form(organization="填报单位：浙江省另一学会")
    assert Code.FORM_CONFLICTING in {code for code, _ in faults(read(Form(), named))}


@pytest.mark.parametrize("read_by", list(ReadBy))
def test_copies_in_other_formats_are_one_form(read_by: ReadBy) -> None:
    examined = read(Form(read_by=read_by), Form())
    assert examined.findings == ()
    assert examined.assessment is not None
    assert examined.assessment.read_by is ReadBy.CELLS
    assert examined.covers == {"1": (Role.FORM,), "2": (Role.FORM,)}


def test_a_copy_with_other_blanks_and_points_written_otherwise_is_the_same() -> None:
    scores = {i.no: f"{i.points}分" for i in RUBRIC.items}
    spaced = {no: " " + text.replace("，", ", ") for no, text in Form().evidence.items()}
    assert (
        read(Form(), Form(scores=scores, evidence=spaced, total="100", read_by=ReadBy.TABLE)).findings == ()
    )


def test_the_scan_of_the_stamped_paper_beside_the_file() -> None:
    assert read(Form(), differing(read_by=ReadBy.OCR, confidence=0.5)).findings == ()
    examined = read(Form(), differing(read_by=ReadBy.OCR, confidence=0.97))
    assert faults(examined)[0] == (Code.FORM_CONFLICTING, None)


@pytest.mark.parametrize("order", [1, -1])
def test_a_template_beside_a_filled_form_is_passed_over(order: int) -> None:
    examined = read(*[Form(), blank()][::order])
    assert examined.findings == ()
    assert examined.assessment is not None


def test_two_templates_are_said_once() -> None:
    assert faults(read(blank(), blank())) == [(Code.FORM_BLANK, None)]


@pytest.mark.parametrize("order", [1, -1])
def test_last_years_form_beside_this_years_is_passed_over(order: int) -> None:
    old = differing(title="2019年度省级学会工作自评表")
    examined = read(*[Form(), old][::order])
    assert examined.findings == ()
    assert examined.assessment is not None
    assert examined.assessment.year == 2020
    assert sorted(map(len, examined.covers.values())) == [0, 1]


def test_last_years_form_beside_the_template_is_of_the_wrong_year() -> None:
    assert faults(read(Form(title="2019年度省级学会工作自评表"), blank())) == [(Code.FORM_WRONG_YEAR, None)]


def test_a_list_of_evidence_laid_out_like_the_form_is_no_second_form() -> None:
    listed = Form(title="2020年度省级学会工作自评表佐证材料目录")
    listed.evidence = {no: f"材料{no}.pdf" for no in NOS}
    assert read(Form(), listed).findings == ()


# --- parts


@pytest.mark.parametrize("cut", [6, 10, 12, 18, 21])
def test_a_form_on_two_photographs(cut: int) -> None:
    examined = read(page(0, cut, header=True), page(cut, 25, header=False))
    assert examined.findings == ()
    assert examined.assessment is not None
    assert examined.assessment.total == 100
    assert [i.no for i in examined.assessment.items] == list(NOS)
    assert [len(covers) for covers in examined.covers.values()] == [1, 1]


def test_the_photographs_in_the_wrong_order() -> None:
    examined = read(page(18, 25, header=False), page(9, 18, header=False), page(0, 9, header=True))
    assert examined.findings == ()
    assert examined.assessment is not None
    assert examined.assessment.total == 100


def test_photographs_that_overlap() -> None:
    assert read(page(0, 14, header=True), page(12, 25, header=False)).findings == ()


def test_photographs_that_contradict_each_other_are_for_a_person() -> None:
    examined = read(page(0, 14, header=True), page(12, 25, header=False, score={30: "1"}))
    assert any(f.code.asks_a_person for f in examined.findings)


def test_the_doubtful_cell_names_its_own_photograph() -> None:
    examined = read(page(0, 12, header=True), page(12, 25, header=False, sure=0.5))
    assert {f.code for f in examined.findings} == {Code.FORM_LOW_CONFIDENCE}
    assert {f.document for f in examined.findings if f.item} == {"微信图片_12.jpg"}


def test_one_photograph_alone_is_for_a_person() -> None:
    examined = read(page(0, 10, header=True))
    assert {code for code, _ in faults(examined)} <= {Code.FORM_LOW_CONFIDENCE, Code.TOTAL_MISSING}
    assert (Code.FORM_LOW_CONFIDENCE, None) in faults(examined)
    assert examined.covers == {"p0-10": (Role.FORM,)}


def test_a_form_whose_table_cannot_be_made_out_is_for_a_person() -> None:
    given = Form(read_by=ReadBy.TEXT).extract()
    examined = read(replace(given, tables=(), text=given.text.replace("\t", "\n")))
    assert faults(examined) == [(Code.FORM_LOW_CONFIDENCE, None)]
    assert examined.form_key == "1"
    assert examined.covers == {"1": (Role.FORM,)}


def test_a_recognized_page_with_the_forms_title_is_for_a_person_though_no_criterion_is_whole() -> None:
    """Printed without wrapping, so that each column is cut off."""
    given = Form(read_by=ReadBy.OCR).extract()
    lines = [" ".join(cell.text[:6] for cell in row) for row in given.tables[0].rows[2:]]
    text = "\n".join((TITLE, f"填报单位：{NAME}", *lines)).replace("序号", "1")
    examined = read(replace(given, tables=(), text=text))
    assert faults(examined) == [(Code.FORM_LOW_CONFIDENCE, None)]
    assert examined.covers == {"1": (Role.FORM,)}


def test_changes_are_found_in_whatever_document() -> None:
    examined = read(Form(read_by=ReadBy.TABLE, change=changed(8, points="5分")))
    assert faults(examined) == [(Code.FORM_ALTERED, 8)]


def test_the_order_of_documents_does_not_matter_to_the_form() -> None:
    other = extract(text="2020年工作总结\n" + "学会工作" * 50)
    one, two = read(Form(), other), read(other, Form())
    assert one.assessment is not None
    assert two.assessment is not None
    assert one.assessment == replace(two.assessment, document="1.xlsx")


def test_an_added_column_of_the_office_changes_nothing() -> None:
    table = Form().table()
    rows = tuple((*row, cell("考核分" if n == 2 else "")) for n, row in enumerate(table.rows))
    assert read(extract([replace(table, rows=rows)])).findings == ()
