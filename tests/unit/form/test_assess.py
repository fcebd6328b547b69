"""Each finding on a form: the fault, and the near-miss that must not be accused."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from mailbot.model import Code, ReadBy, Severity
from mailbot.reading import Extract
from tests.unit.form.build import (
    EVIDENCE,
    NOS,
    RUBRIC,
    Form,
    Line,
    blank,
    cell,
    changed,
    extract,
    faults,
    read,
    the,
)


def with_score(no: int, text: str, **more: object) -> Form:
    form = Form(**more)  # type: ignore[arg-type]
    form.scores[no] = text
    return form


@pytest.mark.parametrize(("text", "score"), [("18", "1.8"), ("3", "3"), ("25", "25")])
def test_a_recognized_number_is_given_its_lost_point_and_doubted(text: str, score: str) -> None:
    """Item 8 has two points: 18 can hardly be meant, and 1.8 is for a person to confirm."""
    examined = read(with_score(8, text, read_by=ReadBy.OCR, confidence=0.98))
    assert examined.assessment is not None
    assert [item.score for item in examined.assessment.items if item.no == 8] == [Decimal(score)]
    assert 8 in {each.item for each in examined.findings if each.code is Code.FORM_LOW_CONFIDENCE}


def test_a_right_form_has_no_finding() -> None:
    examined = read(Form())
    assert examined.findings == ()
    assert examined.assessment is not None
    assert [item.no for item in examined.assessment.items] == list(NOS)
    assert examined.assessment.total == examined.assessment.stated_total == 100
    assert examined.assessment.organization == "浙江省示例学会"
    assert examined.assessment.year == 2020
    assert examined.assessment.items[3].evidence == EVIDENCE[8]
    assert examined.assessment.items[3].score_place == "F8"


def test_the_same_form_gives_the_same_assessment() -> None:
    assert read(Form()) == read(Form())


# --- scores


def test_an_empty_score() -> None:
    found = the(read(with_score(8, "")), Code.SCORE_MISSING)
    assert (found.item, found.wanted, found.place, found.document) == (8, "2", "F8", "1.xlsx")


@pytest.mark.parametrize("text", ["0", "无", "/", "-", "—"])
def test_a_zero_is_not_empty(text: str) -> None:
    examined = read(with_score(8, text, total="98"))
    assert examined.findings == ()
    assert examined.assessment is not None
    assert examined.assessment.total == 98


def test_a_score_that_is_no_number() -> None:
    examined = read(with_score(8, "优"))
    assert faults(examined) == [(Code.SCORE_NOT_A_NUMBER, 8), (Code.TOTAL_MISSING, None)]
    assert the(examined, Code.SCORE_NOT_A_NUMBER).found == "优"
    assert examined.assessment is not None
    assert examined.assessment.total == 98


@pytest.mark.parametrize("text", ["2分", "２", "2.0", "二", "二分", "两分"])
def test_a_score_in_other_writing_is_a_number(text: str) -> None:
    assert read(with_score(8, text, total="100")).findings == ()


def test_above_the_points_and_below_zero() -> None:
    found = the(read(with_score(8, "3")), Code.SCORE_OVER_MAX)
    assert (found.item, found.found, found.wanted) == (8, "3", "2")
    assert faults(read(with_score(8, "-1"))) == [(Code.SCORE_NEGATIVE, 8)]


def test_exactly_the_points_is_allowed_and_not_capped_in_the_sum() -> None:
    assert read(with_score(8, "2.00")).findings == ()
    over = read(with_score(8, "3"))
    assert over.assessment is not None
    assert over.assessment.total == 101


def test_a_formula_of_numbers_is_computed_and_another_is_for_a_person() -> None:
    computed = read(Form(change=changed(8, score=cell("", formula="=SUM(1,1)"))))
    assert computed.findings == ()
    other = read(Form(change=changed(8, score=cell("", formula="=D5*0.5"))))
    assert faults(other) == [(Code.FORM_LOW_CONFIDENCE, 8)]


def test_a_score_that_is_a_picture_is_for_a_person() -> None:
    assert faults(read(with_score(8, "[图片]", total="100"))) == [(Code.FORM_LOW_CONFIDENCE, 8)]


# --- totals


def test_no_total() -> None:
    found = the(read(Form(total="")), Code.TOTAL_MISSING)
    assert (found.severity, found.wanted) == (Severity.WARNING, "100")


def test_another_total() -> None:
    found = the(read(Form(total="99")), Code.TOTAL_MISMATCH)
    assert (found.found, found.wanted, found.place) == ("99", "100", "F总")


THIRDS = dict.fromkeys((1, 4, 5, 8), "1.666666667")
"""As averages are read: in ten digits. The sum of all items is 86.666666668."""


@pytest.mark.parametrize("total", ["86.66666667", "86.666666668", "86.67", "86.7", "87"])
def test_the_rounded_total_of_calculated_scores(total: str) -> None:
    assert read(Form(scores=Form().scores | THIRDS, total=total)).findings == ()


def test_calculated_scores_in_all_their_digits() -> None:
    """As programs export them to csv and HTML."""
    thirds = dict.fromkeys((1, 4, 5, 8), "1.66666666666667")
    read_ = read(Form(scores=Form().scores | thirds, total="86.6666666666667"))
    assert read_.findings == ()
    assert read_.assessment is not None
    assert read_.assessment.stated_total is not None


def test_a_total_of_what_calculated_scores_show_is_for_a_person() -> None:
    shown = the(read(Form(scores=Form().scores | THIRDS, total="86.8")), Code.FORM_LOW_CONFIDENCE)
    assert (shown.found, shown.place) == ("86.8", "F总")
    assert faults(read(Form(scores=Form().scores | THIRDS, total="96.7"))) == [(Code.TOTAL_MISMATCH, None)]
    written = Form().scores | {1: "9.66"}
    assert faults(read(Form(scores=written, total="99.7"))) == [(Code.TOTAL_MISMATCH, None)]


@pytest.mark.parametrize("total", ["100", "100分", "１００", "100.0", "一百分"])
def test_the_right_total_in_any_writing(total: str) -> None:
    assert read(Form(total=total)).findings == ()


def test_a_total_is_not_judged_while_a_score_is_unread() -> None:
    assert faults(read(with_score(8, "优", total="100"))) == [(Code.SCORE_NOT_A_NUMBER, 8)]


@pytest.mark.parametrize("score", ["2¹", "½"])
def test_a_number_with_a_note_s_mark_is_for_a_person(score: str) -> None:
    assert faults(read(with_score(8, score, total="100"))) == [(Code.FORM_LOW_CONFIDENCE, 8)]


def test_a_score_in_one_cell_with_its_evidence_is_for_a_person() -> None:
    def together(said: str) -> Form:
        form = with_score(8, said, total="100")
        form.change = changed(8, evidence=cell("", merged=True, across=True))
        return form

    assert faults(read(together("2分，举办培训3期"))) == [(Code.FORM_LOW_CONFIDENCE, 8)]
    assert faults(read(together("已举办"))) == [(Code.SCORE_NOT_A_NUMBER, 8)]


def test_a_total_of_decimals_is_exact() -> None:
    form = with_score(8, "0.1")
    form.scores[14] = "0.2"
    form.total = "93.3"
    assert read(form).findings == ()


def with_total_formula(formula: str) -> Extract:
    table = Form().table()
    last = [cell("", formula=formula) if c.place == "F总" else c for c in table.rows[-1]]
    return extract([replace(table, rows=(*table.rows[:-1], tuple(last)))])


def test_a_sum_formula_without_value_is_computed() -> None:
    examined = read(with_total_formula("=SUM(F1:F52)"))
    assert examined.findings == ()
    assert examined.assessment is not None
    assert examined.assessment.stated_total == 100


def test_a_sum_formula_that_leaves_items_out_states_no_total() -> None:
    found = the(read(with_total_formula("=SUM(F1:F47)")), Code.TOTAL_MISSING)
    assert (found.found, found.wanted) == ("=SUM(F1:F47)", "100")


# --- evidence


@pytest.mark.parametrize("text", ["", "  ", "/", "—", "无"])
def test_points_without_evidence(text: str) -> None:
    form = Form()
    form.evidence[24] = text
    found = the(read(form), Code.EVIDENCE_MISSING)
    assert (found.item, found.place) == (24, "G24")


def test_evidence_is_not_asked_for_zero_points() -> None:
    form = with_score(24, "0")
    form.evidence[24] = ""
    assert read(form).findings == ()


def test_evidence_may_be_a_picture_or_stand_in_the_remark() -> None:
    form = Form()
    form.evidence[24] = "[图片]"
    assert read(form).findings == ()
    form = Form(change=changed(24, remark="见附件3佐证材料"))
    form.evidence[24] = ""
    assert read(form).findings == ()


def test_items_that_share_a_merged_evidence_cell() -> None:
    form = Form(change=changed(42, evidence=cell("", merged=True)))
    examined = read(form)
    assert examined.findings == ()
    assert examined.assessment is not None
    shared = {i.no: i.evidence for i in examined.assessment.items}
    assert shared[42] == shared[41] != ""


def test_evidence_below_the_threshold_is_a_hint_for_staff() -> None:
    form = Form()
    form.evidence[8] = "举办培训1期"
    found = the(read(form), Code.EVIDENCE_UNSUPPORTED)
    assert (found.item, found.severity, found.wanted) == (8, Severity.INFO, "2期")


# --- blank


def test_the_template_alone_is_blank_and_nothing_else() -> None:
    examined = read(blank())
    assert faults(examined) == [(Code.FORM_BLANK, None)]
    assert examined.findings[0].document == "1.xlsx"
    assert examined.assessment is None
    assert examined.form_key is None
    assert examined.covers == {"1": ()}


@pytest.mark.parametrize("total", ["", "0", "0分"])
def test_the_templates_total_may_be_computed_to_zero(total: str) -> None:
    form = blank()
    form.total = total
    assert faults(read(form)) == [(Code.FORM_BLANK, None)]


def test_all_zero_is_filled_in() -> None:
    form = Form(scores=dict.fromkeys(NOS, "0"), evidence=dict.fromkeys(NOS, ""))
    examined = read(form)
    assert examined.findings == ()
    assert examined.assessment is not None
    assert examined.assessment.total == 0


def test_one_evidence_makes_it_a_form_with_missing_scores() -> None:
    form = blank()
    form.evidence[1] = "举办年会"
    assert (Code.SCORE_MISSING, 1) in faults(read(form))
    assert Code.FORM_BLANK not in {code for code, _ in faults(read(form))}


# --- year


def test_a_form_of_another_year() -> None:
    examined = read(Form(title="2019年度省级学会工作自评表"))
    found = the(examined, Code.FORM_WRONG_YEAR)
    assert (found.found, found.wanted) == ("2019", "2020")
    assert faults(examined) == [(Code.FORM_WRONG_YEAR, None)]
    assert [role.value for role in examined.covers["1"]] == ["form"]
    assert examined.years == {"1": 2019}


def test_another_years_form_with_other_items_is_only_of_the_wrong_year() -> None:
    def other_items(lines: list[Line]) -> list[Line]:
        for n, line in enumerate(lines):
            line["criterion"] = cell(f"往年的评价标准第{n}条，与今年不同，说的是别的事情")
            line["points"] = cell("4分")
        return lines

    examined = read(Form(title="2019年度省级学会工作自评表", change=other_items))
    assert faults(examined) == [(Code.FORM_WRONG_YEAR, None)]
    assert examined.form_key == "1"


@pytest.mark.parametrize(
    "title",
    [
        "２０２０年度省级学会工作自评表",
        "2020年省级学会工作自评表",
        "二〇二〇年度省级学会工作自评表",
        "附件：2020 年度省级学会工作自评表",
        "省级学会工作自评表",
        "省级学会工作自评表\n（2020年度）",
        "",
    ],
)
def test_the_right_year_or_none(title: str) -> None:
    assert read(Form(title=title)).findings == ()


@pytest.mark.parametrize(
    "title",
    ["二〇一九年度省级学会工作自评表", "省级学会工作自评表\n（2019年度）", "2021年度省级学会工作自评表"],
)
def test_the_wrong_year_however_written(title: str) -> None:
    assert (Code.FORM_WRONG_YEAR, None) in faults(read(Form(title=title)))


def test_years_in_evidence_and_dates_say_nothing() -> None:
    form = Form(title="省级学会工作自评表", organization="填报单位：浙江省示例学会（盖章） 2021年1月8日")
    form.evidence[24] = "已报送2019年度省级学会工作自评表"
    assert read(form).findings == ()


# --- altered


def test_points_changed() -> None:
    found = the(read(Form(change=changed(8, points="5分"))), Code.FORM_ALTERED)
    assert (found.item, found.found, found.wanted) == (8, "5分", "2")


def test_points_are_judged_by_the_rubric() -> None:
    form = with_score(8, "5", change=changed(8, points="5分"))
    assert (Code.SCORE_OVER_MAX, 8) in faults(read(form))


@pytest.mark.parametrize("text", ["2", "２分", "2.0", "2 分", "二分", ""])
def test_points_written_otherwise(text: str) -> None:
    assert read(Form(change=changed(8, points=text))).findings == ()


@pytest.mark.parametrize("text", ["1 0", "1\n0", "6.5  3分"])
def test_a_number_spread_over_its_cell_on_a_page_is_for_a_person(text: str) -> None:
    """Set wide, or with what does not show beside it; elsewhere the blank was typed."""
    on_page = changed(1, score=cell(text, box=(0.0, 0.0, 30.0, 10.0)))
    assert faults(read(Form(change=on_page, read_by=ReadBy.TEXT)))[0] == (Code.FORM_LOW_CONFIDENCE, 1)


def test_points_that_may_be_read_amiss_are_for_a_person() -> None:
    marked = changed(8, points=cell("25分", several=True))
    assert faults(read(Form(change=marked))) == [(Code.FORM_LOW_CONFIDENCE, 8)]


def test_words_changed() -> None:
    words = "举办会员联谊活动和会员代表座谈，每年不限次数，形式不限。"
    assert faults(read(Form(change=changed(8, criterion=words)))) == [(Code.FORM_ALTERED, 8)]


def test_only_a_number_in_the_words_changed() -> None:
    found = the(
        read(Form(change=changed(8, criterion="举办会员继续教育培训,年度举办1期以上。"))), Code.FORM_ALTERED
    )
    assert found.item == 8
    assert (Code.FORM_ALTERED, 46) in faults(
        read(Form(change=changed(46, criterion="被评为3A级（含）以上。")))
    )


@pytest.mark.parametrize(
    "text",
    [
        "举办会员继续教育培训，年度举办２期以上",
        "举办会员继续教育\n培训,年度举办 2期\n以上。",
        "举办会员继续教育培训,年度举办2期以上。（含线上培训）",
        "举办会员继续教育培训；年度举办2 期以上",
    ],
)
def test_words_written_otherwise(text: str) -> None:
    assert read(Form(change=changed(8, criterion=text))).findings == ()


@pytest.mark.parametrize("read_by", [ReadBy.CELLS, ReadBy.TABLE, ReadBy.TEXT])
def test_an_item_removed_is_altered_and_not_missing(read_by: ReadBy) -> None:
    without = Form(
        read_by=read_by, change=lambda lines: [line for line in lines if line["no"].text != "20"], total="97"
    )
    found = the(read(without), Code.FORM_ALTERED)
    assert (found.item, found.found) == (20, "")
    assert found.wanted.startswith("助力中小企业的技术攻关")
    assert len(read(without).findings) == 1


def _with_another(lines: list[Line]) -> list[Line]:
    extra = {
        "no": cell("53"),
        "criterion": cell("承办中国科协年会分会场等重大活动的加分项。"),
        "points": cell("5分"),
        "score": cell("5"),
        "evidence": cell("承办一次"),
    }
    return [*lines, extra]


def test_an_item_added_has_no_item_number() -> None:
    found = the(read(Form(change=_with_another, total="100")), Code.FORM_ALTERED)
    assert found.item is None
    assert found.found.startswith("承办中国科协年会")


@pytest.mark.parametrize("read_by", [ReadBy.CELLS, ReadBy.TABLE])
def test_an_added_item_of_few_words_is_known_by_its_own_number(read_by: ReadBy) -> None:
    def numbered(lines: list[Line]) -> list[Line]:
        return [*lines, lines[0] | {"no": cell("53"), "criterion": cell("加分项")}]

    found = the(read(Form(read_by=read_by, change=numbered)), Code.FORM_ALTERED)
    assert (found.item, found.found) == (None, "加分项")
    torn = read(Form(read_by=ReadBy.TEXT, change=numbered))
    assert "加分项" not in [finding.found for finding in torn.findings]


@pytest.mark.parametrize("read_by", [ReadBy.CELLS, ReadBy.TABLE])
def test_a_row_that_numbers_the_columns_or_says_none_is_no_added_item(read_by: ReadBy) -> None:
    def counted(lines: list[Line]) -> list[Line]:
        return [{column: cell(number) for number, column in enumerate(lines[0], start=1)}, *lines]

    def none(lines: list[Line]) -> list[Line]:
        return [*lines, lines[0] | {"no": cell("53"), "criterion": cell("无"), "score": cell("0")}]

    assert faults(read(Form(read_by=read_by, change=counted))) == []
    assert faults(read(Form(read_by=read_by, change=none))) == []


def test_a_total_that_includes_the_added_row_was_added_up_rightly() -> None:
    assert faults(read(Form(change=_with_another, total="105"))) == [(Code.FORM_ALTERED, None)]
    assert (Code.TOTAL_MISMATCH, None) in faults(read(Form(change=_with_another, total="104")))


@pytest.mark.parametrize("read_by", [ReadBy.CELLS, ReadBy.TABLE])
@pytest.mark.parametrize(
    ("column", "name"),
    [("no", "附加分"), ("category", "附加分"), ("group", "加分项"), ("criterion", "附加分")],
)
def test_a_total_that_includes_a_bonus_is_for_a_person(read_by: ReadBy, column: str, name: str) -> None:
    def change(lines: list[Line]) -> list[Line]:
        bonus = {"points": cell("5分"), "score": cell("3"), "evidence": cell("国家级表彰")}
        return [*lines, bonus | {column: cell(name)}]

    examined = read(Form(read_by=read_by, change=change, total="103"))
    assert faults(examined) == [(Code.FORM_LOW_CONFIDENCE, None)]
    assert examined.findings[0].found == name
    assert examined.assessment is not None
    assert (examined.assessment.total, examined.assessment.stated_total) == (100, 103)
    assert faults(read(Form(read_by=read_by, change=change, total="100"))) == []
    assert faults(read(Form(read_by=read_by, change=change, total="102"))) == [(Code.TOTAL_MISMATCH, None)]


def test_an_item_whose_row_could_not_be_made_out_is_for_a_person() -> None:
    form = Form(read_by=ReadBy.TEXT, change=lambda lines: [x for x in lines if x["no"].text != "20"])
    given = form.extract()
    seen = replace(given, text=given.text + "\n" + RUBRIC.by_no[20].criterion)
    assert faults(read(seen)) == [(Code.FORM_LOW_CONFIDENCE, 20)]


def test_what_was_not_read_to_its_end_is_for_a_person() -> None:
    form = Form(change=lambda lines: lines[:-2])
    cut = replace(form.extract(), truncated=True)
    assert {code for code, _ in faults(read(cut))} <= {Code.FORM_LOW_CONFIDENCE, Code.TOTAL_MISSING}
    assert (Code.FORM_LOW_CONFIDENCE, 52) in faults(read(cut))


@pytest.mark.parametrize(
    "words", ["会。", "举办国际性、", "高层次、跨学科", "综合性学术交流活动,组织研学工作会。"]
)
def test_a_piece_of_a_criterion_in_a_page_was_cut_off_and_not_altered(words: str) -> None:
    form = Form(read_by=ReadBy.TEXT, change=changed(1, criterion=words))
    assert faults(read(form)) == [(Code.FORM_LOW_CONFIDENCE, 1)]
    form = Form(read_by=ReadBy.TABLE, change=changed(1, criterion=words))
    assert faults(read(form)) == [(Code.FORM_ALTERED, 1)]


def test_a_page_that_shows_pieces_of_the_criteria_alone_is_the_form() -> None:
    def change(lines: list[Line]) -> list[Line]:
        return [line | {"criterion": cell(line["criterion"].text[-3:])} for line in lines]

    examined = read(Form(read_by=ReadBy.TEXT, change=change))
    assert faults(examined) == [(Code.FORM_LOW_CONFIDENCE, no) for no in NOS]
    assert examined.assessment is not None
    assert examined.assessment.total == 100


# --- recognized from pictures


def test_a_sure_scan_is_as_good_as_any() -> None:
    examined = read(Form(read_by=ReadBy.OCR, confidence=0.98))
    assert examined.findings == ()
    assert examined.assessment is not None
    assert examined.assessment.items[0].confidence == 0.98


def test_an_unsure_cell_is_for_a_person() -> None:
    picture = cell("2", place="第1页", confidence=0.62, picture=b"png")
    examined = read(Form(read_by=ReadBy.OCR, confidence=0.98, change=changed(8, score=picture)))
    found = the(examined, Code.FORM_LOW_CONFIDENCE)
    assert (found.item, found.found, found.place, found.severity) == (8, "2", "第1页", Severity.WARNING)
    assert examined.assessment is not None
    assert examined.assessment.items[3].picture == b"png"


@pytest.mark.parametrize(
    "form",
    [
        with_score(8, "3", read_by=ReadBy.OCR),
        with_score(8, "", read_by=ReadBy.OCR),
        with_score(8, "优", read_by=ReadBy.OCR),
        with_score(8, "-1", read_by=ReadBy.OCR),
        Form(read_by=ReadBy.OCR, total="99"),
        Form(read_by=ReadBy.OCR, change=changed(8, points="7分")),
        Form(read_by=ReadBy.OCR, change=changed(8, criterion="举办会员联谊活动和会员代表座谈，不限次数。")),
        Form(read_by=ReadBy.OCR, change=lambda lines: lines[:10] + lines[11:]),
        Form(read_by=ReadBy.OCR, change=_with_another),
        Form(read_by=ReadBy.OCR, title="2019年度省级学会工作自评表"),
        Form(read_by=ReadBy.OCR, evidence=dict.fromkeys(NOS, "")),
        blank(read_by=ReadBy.OCR),
    ],
)
def test_a_scan_never_leads_to_an_accusation(form: Form) -> None:
    found = read(form).findings
    assert any(f.code is Code.FORM_LOW_CONFIDENCE for f in found)
    assert not any(f.severity is Severity.ERROR for f in found)


def test_a_name_that_was_not_recognized_for_sure_is_for_a_person() -> None:
    form = Form(read_by=ReadBy.OCR).extract()
    assert Code.FORM_LOW_CONFIDENCE not in {f.code for f in read(form).findings}
    doubted = replace(form, unsure=("填报单位：浙江省示例学会（盖章）",))
    assert the(read(doubted), Code.FORM_LOW_CONFIDENCE).found == "浙江省示例学会"


def test_a_stroke_without_evidence_may_be_a_dash_or_a_one() -> None:
    """It is 一 for —, and was said to lack its evidence."""
    form = with_score(47, "一", total="99")
    form.evidence[47] = ""
    assert faults(read(form)) == [(Code.FORM_LOW_CONFIDENCE, 47)]


def test_evidence_that_nobody_calculated_is_for_a_person() -> None:
    link = changed(8, evidence=cell("", formula='=HYPERLINK("附件8.docx","见附件")'))
    assert faults(read(Form(change=link))) == [(Code.FORM_LOW_CONFIDENCE, 8)]


def test_a_recognized_dash_may_be_a_one() -> None:
    assert faults(read(with_score(47, "一", read_by=ReadBy.OCR, total="100"))) == [
        (Code.FORM_LOW_CONFIDENCE, 47)
    ]
    assert faults(read(with_score(47, "一", total="100"))) == []


def test_a_layout_that_was_misread_is_no_accusation() -> None:
    """Half the scores of a PDF stand in other cells' texts: rather our reading than the society's writing."""
    form = Form(read_by=ReadBy.TEXT, scores=dict.fromkeys(NOS, ""), total="")
    found = read(form).findings
    assert {f.code for f in found} == {Code.FORM_LOW_CONFIDENCE, Code.TOTAL_MISSING}
    form = Form(read_by=ReadBy.TEXT)
    form.scores[8] = form.scores[33] = ""
    assert faults(read(form)) == [(Code.SCORE_MISSING, 8), (Code.SCORE_MISSING, 33)]
