"""The form as it really lies in documents: wherever, broken, reordered, numbered anew."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.model import Assessment, Code, ReadBy, Role
from mailbot.reading import Cell, Extract, Table
from tests.unit.form.build import (
    LABELS,
    NOS,
    ORDER,
    RUBRIC,
    Form,
    Line,
    blank,
    cell,
    changed,
    extract,
    faults,
    read,
)


def content(assessment: Assessment | None) -> object:
    assert assessment is not None
    items = [(i.no, i.score, i.score_text, i.evidence) for i in assessment.items]
    return assessment.organization, assessment.year, assessment.total, assessment.stated_total, items


RIGHT = content(read(Form()).assessment)


def assert_right(*extracts: Extract) -> None:
    examined = read(*extracts)
    assert faults(examined) == []
    assert content(examined.assessment) == RIGHT


# --- columns


@settings(deadline=None, max_examples=40)
@given(order=st.permutations(ORDER), read_by=st.sampled_from([ReadBy.CELLS, ReadBy.TABLE, ReadBy.TEXT]))
def test_columns_in_any_order(order: Sequence[str], read_by: ReadBy) -> None:
    assert_right(Form(order=order, read_by=read_by).extract())


@settings(deadline=None, max_examples=40)
@given(
    where=st.lists(st.integers(0, 8), max_size=3),
    text=st.sampled_from(["", "考核分", "部门意见", "附件编号"]),
    above=st.integers(0, 4),
    below=st.lists(st.sampled_from(["", "注：本表一式两份", "填表人：张三"]), max_size=3),
)
def test_extra_columns_and_rows_change_nothing(
    where: list[int], text: str, above: int, below: list[str]
) -> None:
    table = Form().table()
    rows = [list(row) for row in table.rows]
    for index in where:
        for number, row in enumerate(rows):
            row.insert(index, cell(text if number == 2 else ""))
    width = len(rows[0])
    empty = [cell() for _ in range(width)]
    note = [[cell(line), *empty[1:]] for line in below]
    whole = [*([empty] * above), *rows, *note]
    assert_right(extract([replace(table, rows=tuple(map(tuple, whole)))]))


@pytest.mark.parametrize(
    ("column", "label"),
    [
        ("score", "自评得分"),
        ("score", "得分"),
        ("score", "自评"),
        ("score", "自 评 分"),
        ("score", "自评\n分"),
        ("score", "自评分（分）"),
        ("score", "学会自评分"),
        ("score", "自评分（由学会填写）"),
        ("score", "自评分\n(保留1位小数)"),
        ("score", "2020年度自评分"),
        ("score", "本年度自评得分"),
        ("score", "实际得分"),
        ("score", "自我评价"),
        ("points", "分值【满分100】"),
        ("evidence", "自评依据\n（工作实效）"),
        ("evidence", "工作实效"),
        ("evidence", "自评依据"),
        ("evidence", "自评理由"),
        ("evidence", "主要工作"),
        ("evidence", "工作实绩"),
        ("evidence", "支撑材料"),
        ("evidence", "工作情况"),
        ("evidence", "具体情况"),
        ("evidence", "具体工作内容"),
        ("evidence", "得分说明"),
        ("criterion", "评价标准"),
        ("criterion", "内容"),
        ("points", "分 值"),
        ("points", "标准分"),
        ("no", "序 号"),
        ("no", "编号"),
    ],
)
def test_labels_in_other_words(column: str, label: str) -> None:
    assert_right(Form(labels={**LABELS, column: label}).extract())


def test_scores_of_another_year_alone_are_for_a_person() -> None:
    found = faults(read(Form(labels={**LABELS, "score": "2019年自评分"})))
    assert {code for code, _ in found} == {Code.FORM_LOW_CONFIDENCE}


def test_a_date_above_the_scores_is_not_the_year_that_they_are_for() -> None:
    assert_right(Form(labels={**LABELS, "score": "自评分（2021年1月填）"}).extract())


@pytest.mark.parametrize("score", ["自评分", "得分"])
def test_evidence_under_a_label_that_may_also_head_scores_is_for_a_person(score: str) -> None:
    found = faults(read(Form(labels={**LABELS, "score": score, "evidence": "自我评价"})))
    assert found == [(Code.FORM_LOW_CONFIDENCE, None)]


@pytest.mark.parametrize(
    ("column", "label"),
    [
        ("criterion", "评价内容（具体内容）"),
        ("criterion", "主要工作内容"),
        ("group", "重点工作情况"),
        ("remark", "扣分理由"),
        ("remark", "得分说明"),
    ],
)
def test_what_is_asked_for_and_what_the_office_writes_is_no_evidence(column: str, label: str) -> None:
    form = Form(labels={**LABELS, column: label})
    form.evidence[NOS[0]] = ""
    assert faults(read(form)) == [(Code.EVIDENCE_MISSING, NOS[0])]


@pytest.mark.parametrize("read_by", [ReadBy.CELLS, ReadBy.TABLE, ReadBy.TEXT])
@pytest.mark.parametrize("label", ["2020年度所做的事", ""])
def test_evidence_under_no_label_that_names_it_is_for_a_person(read_by: ReadBy, label: str) -> None:
    form = Form(read_by=read_by, labels={**LABELS, "evidence": label})
    form.evidence[8] = ""
    examined = read(form)
    assert faults(examined) == [(Code.FORM_LOW_CONFIDENCE, None), (Code.FORM_LOW_CONFIDENCE, 8)]
    assert examined.findings[0].found == label
    assert examined.assessment is not None
    assert examined.assessment.items[0].evidence == form.evidence[1]


@pytest.mark.parametrize("text", ["", "1"])
def test_a_column_without_text_is_no_evidence(text: str) -> None:
    form = Form(labels={**LABELS, "evidence": "年度"}, evidence=dict.fromkeys(NOS, text))
    assert faults(read(form)) == [(Code.EVIDENCE_MISSING, no) for no in NOS]


def test_the_offices_own_score_is_not_the_self_assessed_one() -> None:
    table = Form(labels={**LABELS, "score": "自评分"}).table()
    rows = [(*row[:5], cell("得分" if n == 2 else "1"), *row[5:]) for n, row in enumerate(table.rows)]
    assert_right(extract([replace(table, rows=tuple(rows))]))


def test_a_header_over_two_rows() -> None:
    table = Form().table()
    header = table.rows[2]
    first = tuple(
        cell("自评") if c.text == "自评分" else cell("", merged=True) if "依据" in c.text else c
        for c in header
    )
    second = tuple(
        cell("得分") if c.text == "自评分" else cell("依据") if "依据" in c.text else cell("", merged=True)
        for c in header
    )
    rows = (*table.rows[:2], first, second, *table.rows[3:])
    assert_right(extract([replace(table, rows=rows)]))


def test_a_score_column_over_two_columns_of_the_grid() -> None:
    table = Form().table()
    rows = []
    for n, row in enumerate(table.rows):
        score, other = row[5], cell("", merged=True)
        pair = (other, score) if n % 3 == 0 and n > 2 else (score, other)
        rows.append((*row[:5], *pair, *row[6:]))
    assert_right(extract([replace(table, rows=tuple(rows))]))


def beside(labels: Sequence[str], scores: Sequence[str | None]) -> Extract:
    """The form with 自评分 merged over columns that a second row of the header tells apart; None is the society's score."""
    table = Form().table()
    more = len(labels) - 1
    rows: list[tuple[Cell, ...]] = []
    for n, row in enumerate(table.rows):
        own = [replace(row[5], text=row[5].text if text is None else text) for text in scores]
        if n < 2 or n == len(table.rows) - 1:
            rows.append((*row[:6], *row_of("", more), *row[6:]))
        elif n == 2:
            rows.append((*row[:6], *(cell("", merged=True) for _ in range(more)), *row[6:]))
            rows.append((*row_of("", 5), *map(cell, labels), *row_of("", 2)))
        else:
            rows.append((*row[:5], *own, *row[6:]))
    return extract([replace(table, rows=tuple(rows))])


def row_of(text: str, width: int) -> tuple[Cell, ...]:
    return tuple(cell(text) for _ in range(width))


@pytest.mark.parametrize(
    ("labels", "scores"),
    [
        (("2019年", "2020年"), ("1", None)),
        (("2020年度", "2019年度"), (None, "1")),
        (("上年", "本年"), ("1", None)),
        (("秘书处初评", "理事会审定"), ("1", None)),
        (("初评", "复评", "最终得分"), ("1", "1", None)),
        (("自评", "省科协复核"), (None, "0.5")),
        (("分数", "说明"), (None, "按标准")),
        (("初评", "复核"), (None, None)),
    ],
)
def test_scores_side_by_side_are_told_apart_by_their_labels(
    labels: Sequence[str], scores: Sequence[str | None]
) -> None:
    assert_right(beside(labels, scores))


@pytest.mark.parametrize(
    ("labels", "scores"),
    [
        (("一稿", "二稿"), ("0.5", None)),
        (("秘书处初评", "复核"), ("0.5", None)),
        (("2018年", "2019年"), ("0.5", "1")),
        (("2019年", "2020年"), ("1", "")),
        (("理事会审定", "最终"), ("0.5", "1")),
    ],
)
def test_which_of_two_scores_counts_is_for_a_person(
    labels: Sequence[str], scores: Sequence[str | None]
) -> None:
    """Also where the column that would count is empty: it would be wrong to say that nothing was claimed."""
    examined = read(beside(labels, scores))
    assert faults(examined) == [(Code.FORM_LOW_CONFIDENCE, no) for no in NOS]
    assert examined.assessment is not None
    assert examined.assessment.total is None


def test_two_columns_of_scores_with_the_same_label() -> None:
    """Each with its evidence; the year may stand above."""
    table = Form().table()
    rows = [(*row[:7], row[5] if n == 2 else cell("1"), *row[6:]) for n, row in enumerate(table.rows)]
    examined = read(extract([replace(table, rows=tuple(rows))]))
    assert {code for code, _ in faults(examined)} == {Code.FORM_LOW_CONFIDENCE}
    years = [cell(text, merged=not text) for text in ("2020年", "", "2019年", "")]
    above = (*rows[2][:5], *years, *rows[2][9:])
    beneath = (*(cell("", merged=True) for _ in range(5)), *rows[2][5:9], cell("", merged=True))
    assert_right(extract([replace(table, rows=(*rows[:2], above, beneath, *rows[3:]))]))


def test_a_hidden_column_under_a_merged_label_does_not_count() -> None:
    table = Form().table()
    rows = [
        (*row[:5], cell("自评分" if n == 2 else "1", hidden=True), replace(row[5], merged=n == 2), *row[6:])
        for n, row in enumerate(table.rows)
    ]
    rows[2] = (*rows[2][:6], cell("", merged=True), *rows[2][7:])
    assert_right(extract([replace(table, rows=tuple(rows))]))


def test_evidence_in_two_columns_is_all_read() -> None:
    table = Form().table()
    rows = [
        (*row[:7], cell("佐证材料" if n == 2 else "见附件1" if n == 3 else ""), row[7])
        for n, row in enumerate(table.rows)
    ]
    examined = read(extract([replace(table, rows=tuple(rows))]))
    assert examined.findings == ()
    assert examined.assessment is not None
    assert examined.assessment.items[0].evidence == Form().evidence[1] + "\n见附件1"
    assert examined.assessment.items[1].evidence == Form().evidence[4]


def test_a_score_is_missing_beside_evidence_in_two_columns() -> None:
    form = Form(total="98")
    form.scores[8] = ""
    table = form.table()
    rows = [(*row[:7], cell("佐证材料" if n == 2 else "见附件1"), row[7]) for n, row in enumerate(table.rows)]
    assert faults(read(extract([replace(table, rows=tuple(rows))]))) == [(Code.SCORE_MISSING, 8)]


def test_a_form_without_category_group_and_remark() -> None:
    assert_right(Form(order=("no", "criterion", "points", "score", "evidence")).extract())


# --- which row is which item


def renumbered(lines: list[Line]) -> list[Line]:
    for number, line in enumerate(lines, start=1):
        line["no"] = cell(number)
    return lines


def unnumbered(lines: list[Line]) -> list[Line]:
    for line in lines:
        line["no"] = cell()
    return lines


@pytest.mark.parametrize("change", [renumbered, unnumbered, lambda lines: lines[::-1]])
def test_items_are_known_by_their_words(change: object) -> None:
    assert_right(Form(change=change).extract())  # type: ignore[arg-type]


def test_without_the_column_of_numbers() -> None:
    assert_right(Form(order=[c for c in ORDER if c != "no"]).extract())


def test_without_the_column_of_criteria_the_numbers_tell() -> None:
    order = [c for c in ORDER if c != "criterion"]
    assert_right(Form(order=order).extract())
    assert_right(Form(order=order, change=renumbered).extract())


def test_a_changed_row_of_a_renumbered_form_is_known_by_its_place() -> None:
    def change(lines: list[Line]) -> list[Line]:
        return changed(4, criterion="每年组织会员赴省外参观学习不少于一次，形式不限")(renumbered(lines))

    assert faults(read(Form(change=change))) == [(Code.FORM_ALTERED, 8)]


def test_numbers_with_dots() -> None:
    def dotted(lines: list[Line]) -> list[Line]:
        for line in lines:
            line["no"] = cell(line["no"].text + "、")
        return lines

    assert_right(Form(change=dotted).extract())


def test_rows_of_subtotals_and_categories_are_no_items() -> None:
    def change(lines: list[Line]) -> list[Line]:
        subtotal = {"no": cell("小计"), "points": cell("35分"), "score": cell("35")}
        heading = {"no": cell("二、为创新驱动发展服务（15分）"), "points": cell("15分")}
        return [*lines[:7], subtotal, heading, *lines[7:]]

    assert_right(Form(change=change).extract())


@pytest.mark.parametrize("digits", [40, 30_000])
def test_a_row_of_long_numbers_does_not_hold_the_reader_up(digits: int) -> None:
    row = {"criterion": cell("账户" + "6" * digits + "号")}
    assert_right(Form(change=lambda lines: [*lines[:7], row, *lines[7:]]).extract())


@pytest.mark.parametrize("column", ["no", "category", "group", "criterion"])
def test_a_subtotal_without_points_is_no_more_of_the_item_above(column: str) -> None:
    def change(lines: list[Line]) -> list[Line]:
        return [*lines[:7], {column: cell("小计"), "score": cell("35")}, *lines[7:]]

    assert_right(Form(change=change).extract())


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("criterion", "本类得分"),
        ("criterion", "单项合计"),
        ("criterion", "以上七项"),
        ("group", "自评得分"),
        ("no", ""),
    ],
)
@pytest.mark.parametrize("read_by", [ReadBy.CELLS, ReadBy.TABLE])
def test_a_row_that_adds_its_category_up_is_its_sum_whatever_it_is_called(
    column: str, text: str, read_by: ReadBy
) -> None:
    def change(lines: list[Line]) -> list[Line]:
        return [*lines[:7], {column: cell(text), "score": cell("35")}, *lines[7:]]

    assert_right(Form(change=change, read_by=read_by).extract())


def test_a_row_of_another_number_is_no_sum_of_its_category() -> None:
    def change(lines: list[Line]) -> list[Line]:
        return [*lines[:7], {"criterion": cell("承办其他工作"), "score": cell("34")}, *lines[7:]]

    assert faults(read(Form(change=change)))[0] == (Code.FORM_ALTERED, None)


def test_an_added_item_with_points_of_its_own_is_no_sum_of_its_category() -> None:
    def change(lines: list[Line]) -> list[Line]:
        added = {"criterion": cell("承办其他工作"), "points": cell("40分"), "score": cell("35")}
        return [*lines[:7], added, *lines[7:]]

    assert faults(read(Form(change=change)))[0] == (Code.FORM_ALTERED, None)


def beneath(*texts: str) -> Callable[[list[Line]], list[Line]]:
    """The evidence of each item in a row of its own below it."""

    def change(lines: list[Line]) -> list[Line]:
        rows = []
        for line in lines:
            said = [text.format(line["evidence"].text) for text in texts]
            more = dict(zip(("criterion", "points"), map(cell, said), strict=False))
            rows += [{**line, "evidence": cell()}, more]
        return rows

    return change


@pytest.mark.parametrize("texts", [("自评依据：{}",), ("自评依据", "{}"), ("工作实效:\n{}",)])
@pytest.mark.parametrize("read_by", [ReadBy.CELLS, ReadBy.TABLE])
def test_evidence_below_its_item_under_its_label(texts: tuple[str, ...], read_by: ReadBy) -> None:
    assert_right(Form(change=beneath(*texts), read_by=read_by).extract())


def test_words_below_an_item_without_evidence_are_for_a_person() -> None:
    found = faults(read(Form(change=beneath("{}"))))
    assert set(found) == {(Code.FORM_LOW_CONFIDENCE, no) for no in NOS}


def with_categories(
    column: str, number: str, behind: str = "", **more: str
) -> Callable[[list[Line]], list[Line]]:
    """Each category on a row of its own, its name in one of the columns."""

    def change(lines: list[Line]) -> list[Line]:
        rows: list[Line] = []
        for line in lines:
            for n, category in enumerate(RUBRIC.categories, start=1):
                if line["category"].text.startswith(category.name):
                    points = f"{category.points}"
                    name = category.name.partition("、")[2] + behind.format(points)
                    numbered = {"no": cell(number.format("零一二三四五"[n], n))}
                    head = numbered | {c: cell(text.format(points)) for c, text in more.items()}
                    rows.append(head | {column: cell(head.get(column, cell()).text + name)})
            rows.append(line | {"category": cell()})
        return rows

    return change


@pytest.mark.parametrize("read_by", [ReadBy.CELLS, ReadBy.TABLE])
@pytest.mark.parametrize(
    ("column", "number", "more"),
    [
        ("category", "{0}", {"points": "{}分"}),
        ("category", "{0}", {"points": "{}分", "score": "{}"}),
        ("category", "{1}", {"points": "{}分", "score": "{}"}),
        ("category", "", {"behind": "（{}分）", "score": "{}"}),
        ("criterion", "{0}", {"points": "{}分", "score": "{}"}),
        ("criterion", "", {"points": "{}分", "score": "{}", "evidence": "见各项"}),
        ("group", "", {"score": "{}", "behind": "小计"}),
        ("no", "{0}、", {"behind": "（{}分）", "score": "{}"}),
        ("no", "", {}),
    ],
)
def test_categories_on_rows_of_their_own_are_no_items(
    read_by: ReadBy, column: str, number: str, more: dict[str, str]
) -> None:
    change = with_categories(column, number, **more)
    assert_right(Form(read_by=read_by, change=change).extract())


@pytest.mark.parametrize("read_by", [ReadBy.CELLS, ReadBy.TABLE])
def test_a_category_in_other_words_is_known_by_its_points(read_by: ReadBy) -> None:
    def change(lines: list[Line]) -> list[Line]:
        head = {"criterion": cell("学会工作的其他方面"), "points": cell("12分"), "score": cell("12")}
        sums = {"points": cell("35分"), "score": cell("35")}
        return [*lines[:7], sums, *lines[7:11], head, *lines[11:]]

    assert_right(Form(read_by=read_by, change=change).extract())


@pytest.mark.parametrize(
    "label",
    [
        *("总计", "合计", "总 计", "总分", "合 计：", "总计（分）", "自评得分合计", "自评分合计", "自评总分"),
        *("各项合计", "最终得分", "累计", "總計", "自评结果"),
        *("总计（满分100分）", "总分（满分：100）", "合计（自评得分）", "学会自评总得分", "总计 满分100分"),
    ],
)
def test_labels_of_the_total(label: str) -> None:
    table = Form().table()
    last = (cell(label), *table.rows[-1][1:])
    assert_right(extract([replace(table, rows=(*table.rows[:-1], last))]))


def test_a_total_in_a_row_of_its_own_beneath_the_points() -> None:
    table = Form().table()
    points = (*table.rows[-1][:5], cell(), *table.rows[-1][6:])
    own = (cell("自评总分"), *table.rows[-1][1:4], cell(), *table.rows[-1][5:])
    assert_right(extract([replace(table, rows=(*table.rows[:-1], points, own))]))


@pytest.mark.parametrize("points", ["100分", "105分", ""])
def test_points_of_the_items_beside_a_bonus_are_not_the_total(points: str) -> None:
    table = Form().table()
    rows = [
        (cell(name), *(cell() for _ in ORDER[1:4]), cell(most), cell(score), *(cell() for _ in ORDER[6:]))
        for name, most, score in (("基础分", "100分", "100"), ("附加分", "5分", "5"), ("总计", points, "105"))
    ]
    examined = read(extract([replace(table, rows=(*table.rows[:-1], *rows))]))
    assert faults(examined) == [(Code.FORM_LOW_CONFIDENCE, None)]
    assert examined.assessment is not None
    assert examined.assessment.stated_total == 105


def test_the_offices_own_total_beneath_is_none() -> None:
    table = Form().table()
    office = (cell("考核结果"), *table.rows[-1][1:5], cell("90"), *table.rows[-1][6:])
    assert_right(extract([replace(table, rows=(*table.rows, office))]))


def test_a_total_written_behind_its_label() -> None:
    form = Form(total="")
    form.scores[1] = "9"
    table = form.table()
    last = (cell("总计：99分"), *table.rows[-1][1:])
    examined = read(extract([replace(table, rows=(*table.rows[:-1], last))]))
    assert examined.findings == ()
    assert examined.assessment is not None
    assert examined.assessment.stated_total == 99


def with_sums(*, points: bool, label: str = "合计") -> Callable[[list[Line]], list[Line]]:
    """The sum of each category below its items."""

    def change(lines: list[Line]) -> list[Line]:
        rows: list[Line] = []
        for line, item in zip(lines, RUBRIC.items, strict=True):
            rows.append(line)
            if item is [i for i in RUBRIC.items if i.category == item.category][-1]:
                full = next(c.points for c in RUBRIC.categories if c.name == item.category)
                beside = {"points": cell(f"{full}分")} if points else {}
                rows.append({"no": cell(label), "score": cell(full, place="F小")} | beside)
        return rows

    return change


@pytest.mark.parametrize("read_by", [ReadBy.CELLS, ReadBy.TABLE, ReadBy.TEXT])
@pytest.mark.parametrize("points", [True, False])
def test_a_categorys_sum_under_the_same_word_is_not_the_total(read_by: ReadBy, points: bool) -> None:
    form = Form(read_by=read_by, change=with_sums(points=points))
    assert_right(form.extract())
    form.total = "99"
    assert faults(read(form)) == [(Code.TOTAL_MISMATCH, None)]
    form.total = ""
    assert faults(read(form)) == [(Code.TOTAL_MISSING, None)]


@pytest.mark.parametrize("label", ["合计", "总分"])
def test_a_total_under_the_word_of_the_categories_sums(label: str) -> None:
    table = Form(change=with_sums(points=True, label=label)).table()
    last = (cell(label), *table.rows[-1][1:])
    assert_right(extract([replace(table, rows=(*table.rows[:-1], last))]))


def test_a_total_without_its_word_is_no_score_of_the_last_item() -> None:
    table = Form().table()
    last = (cell(), *table.rows[-1][1:])
    examined = read(extract([replace(table, rows=(*table.rows[:-1], last))]))
    assert faults(examined) == [(Code.TOTAL_MISSING, None)]
    assert examined.assessment is not None
    assert examined.assessment.total == 100


def test_a_note_that_quotes_a_criterion_is_no_item() -> None:
    table = Form(total="99").table()
    last = (cell("合计"), *(cell() for _ in ORDER[1:5]), *table.rows[-1][5:])
    note = (cell(f"说明：“{RUBRIC.items[0].criterion}”含线上会议。"), *(cell() for _ in ORDER[1:]))
    rows = (*table.rows[:3], note, *table.rows[3:-1], last, note)
    assert faults(read(extract([replace(table, rows=rows)]))) == [(Code.TOTAL_MISMATCH, None)]


def test_another_total_below_the_forms_own_says_nothing() -> None:
    table = Form().table()
    other = (cell("总计"), *(cell() for _ in ORDER[1:5]), cell("20000"), cell(), cell())
    assert_right(extract([replace(table, rows=(*table.rows, other))]))


def test_categories_in_tables_of_their_own_with_their_sums() -> None:
    table = Form(read_by=ReadBy.TABLE, change=with_sums(points=False)).table()
    cuts = [n for n, row in enumerate(table.rows, start=1) if row[0].text == "合计"]
    assert_right(extract(parts(table, *cuts[:-1], header=True), read_by=ReadBy.TABLE))
    assert_right(extract(parts(table, *cuts, header=False), read_by=ReadBy.TABLE))


def test_sums_of_all_categories_and_no_total_are_no_wrong_total() -> None:
    table = Form(change=with_sums(points=False)).table()
    examined = read(extract([replace(table, rows=table.rows[:-1])]))
    assert faults(examined) == [(Code.FORM_LOW_CONFIDENCE, None)]
    table = Form(change=lambda lines: with_sums(points=True)(lines)[:-1]).table()
    assert faults(read(extract([replace(table, rows=table.rows[:-1])]))) == [(Code.TOTAL_MISSING, None)]


# --- broken over rows, tables and sheets


def parts(table: Table, *cuts: int, header: bool = False) -> list[Table]:
    edges = [0, *cuts, len(table.rows)]
    found = []
    for start, end in itertools.pairwise(edges):
        rows = table.rows[start:end]
        if header and start:
            rows = (table.rows[2], *rows)
        found.append(replace(table, rows=rows))
    return found


@settings(deadline=None, max_examples=30)
@given(
    cuts=st.lists(st.integers(6, 25), max_size=3, unique=True).map(sorted),
    header=st.booleans(),
    read_by=st.sampled_from(ReadBy),
)
def test_a_form_over_several_tables(cuts: list[int], header: bool, read_by: ReadBy) -> None:
    tables = parts(Form(read_by=read_by).table(), *cuts, header=header)
    assert_right(extract(tables, read_by=read_by))


def test_a_header_repeated_within_the_table() -> None:
    table = Form().table()
    rows = (*table.rows[:12], table.rows[2], *table.rows[12:20], table.rows[2], *table.rows[20:])
    assert_right(extract([replace(table, rows=rows)]))


def test_a_later_table_that_is_no_form_adds_nothing() -> None:
    other = Table(rows=tuple((cell(n), *(cell("会议") for _ in range(7))) for n in (1, 4, 5, 8, 11)))
    people = Table(rows=((cell("序号"), cell("姓名"), cell("单位")), (cell(1), cell("张三"), cell("大学"))))
    assert_right(extract([people, Form().table(), people, other]))


def pieces(line: Line, criterion: int, evidence: int, *, number_first: bool) -> list[Line]:
    """A row cut by a page's end."""
    first, second = dict(line), dict(line)
    for column, at in (("criterion", criterion), ("evidence", evidence)):
        first[column] = replace(line[column], text=line[column].text[:at])
        second[column] = replace(line[column], text=line[column].text[at:])
    without = second if number_first else first
    for column in ("no", "points", "score", "group", "category"):
        without[column] = cell()
    return [first, second]


@settings(deadline=None, max_examples=150)
@given(
    no=st.sampled_from(NOS),
    cuts=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    number_first=st.booleans(),
    read_by=st.sampled_from([ReadBy.TEXT, ReadBy.OCR]),
    new_table=st.booleans(),
)
def test_a_row_broken_over_two_pages(
    no: int, cuts: tuple[float, float], number_first: bool, read_by: ReadBy, new_table: bool
) -> None:
    def change(lines: list[Line]) -> list[Line]:
        index = NOS.index(no)
        words = lines[index]["criterion"].text
        said = lines[index]["evidence"].text
        cut = min(max(7, round(cuts[0] * len(words))), len(words))
        broken = pieces(lines[index], cut, round(cuts[1] * len(said)), number_first=number_first)
        return [*lines[:index], *broken, *lines[index + 1 :]]

    table = Form(change=change, read_by=read_by).table()
    cut = 3 + NOS.index(no) + 1
    tables = parts(table, cut) if new_table else [table]
    assert_right(extract(tables, read_by=read_by))


def test_evidence_in_rows_of_its_own_beside_merged_cells() -> None:
    def change(lines: list[Line]) -> list[Line]:
        merged = {c: cell("", merged=True) for c in ORDER}
        return [lines[0], {**merged, "evidence": cell("二、组织研学工作会")}, *lines[1:]]

    for read_by in (ReadBy.CELLS, ReadBy.TABLE):
        examined = read(Form(change=change, read_by=read_by))
        assert examined.findings == ()
        assert examined.assessment is not None
        assert examined.assessment.items[0].evidence.endswith("\n二、组织研学工作会")


@pytest.mark.parametrize("read_by", [ReadBy.CELLS, ReadBy.TABLE, ReadBy.TEXT])
@pytest.mark.parametrize("merged", [True, False])
@pytest.mark.parametrize(("first", "second"), [("6", "4"), ("5", "5"), ("-", "10"), ("六", "四")])
def test_two_scores_for_one_item_are_for_a_person(
    read_by: ReadBy, merged: bool, first: str, second: str
) -> None:
    """Nobody wrote `6 4` into a cell: whether 10 is meant is not for us to say."""

    def change(lines: list[Line]) -> list[Line]:
        below = {c: cell("", merged=merged) for c in ORDER} | {"score": cell(second, place="F4")}
        return [changed(1, score=first)(lines)[0], below, *lines[1:]]

    examined = read(Form(read_by=read_by, change=change, total="100"))
    assert faults(examined) == [(Code.FORM_LOW_CONFIDENCE, 1)]
    assert examined.assessment is not None
    assert (examined.assessment.items[0].score, examined.assessment.total) == (None, 90)


@pytest.mark.parametrize("read_by", [ReadBy.CELLS, ReadBy.TABLE])
def test_an_item_on_two_rows_that_are_not_merged(read_by: ReadBy) -> None:
    def change(lines: list[Line]) -> list[Line]:
        score = lines[0]["score"]
        first = lines[0] | {"score": cell()}
        below = {c: cell() for c in ORDER} | {"score": score, "evidence": cell("另：区域性会议2场")}
        return [first, below, *lines[1:]]

    examined = read(Form(read_by=read_by, change=change))
    assert examined.findings == ()
    assert examined.assessment is not None
    item = examined.assessment.items[0]
    assert (item.score, item.evidence.splitlines()[-1]) == (10, "另：区域性会议2场")


@pytest.mark.parametrize("merged", [(), ("score",)])
def test_evidence_in_rows_of_its_own_beside_empty_cells(merged: tuple[str, ...]) -> None:
    def change(lines: list[Line]) -> list[Line]:
        more = [
            {c: cell("", merged=c in merged) for c in ORDER} | {"evidence": cell(text)}
            for text in ("二、组织研学工作会", "三、举办沙龙")
        ]
        return [lines[0], *more, *lines[1:]]

    examined = read(Form(change=change))
    assert examined.findings == ()
    assert examined.assessment is not None
    assert examined.assessment.items[0].evidence.endswith("\n二、组织研学工作会\n三、举办沙龙")


def with_row_above(**texts: str) -> Callable[[list[Line]], list[Line]]:
    """The first item's row once more above it, with other texts."""

    def change(lines: list[Line]) -> list[Line]:
        return [lines[0] | {column: cell(text) for column, text in texts.items()}, *lines]

    return change


@pytest.mark.parametrize("read_by", [ReadBy.CELLS, ReadBy.TABLE, ReadBy.TEXT])
@pytest.mark.parametrize(
    ("column", "text"),
    [("no", "例"), ("no", "示例1"), ("category", "（样例）"), ("group", "填写示例："), ("no", "例如")],
)
def test_a_row_that_says_it_is_an_example_is_none(read_by: ReadBy, column: str, text: str) -> None:
    texts = {"score": "8", "evidence": "举办年会1次", column: text}
    assert_right(Form(read_by=read_by, change=with_row_above(**texts), total="100").extract())


@pytest.mark.parametrize("read_by", [ReadBy.CELLS, ReadBy.TABLE, ReadBy.TEXT])
@pytest.mark.parametrize("texts", [{"score": "8"}, {"score": "8", "evidence": "2次"}, {"evidence": "2次"}])
def test_which_of_two_rows_of_an_item_counts_is_for_a_person(read_by: ReadBy, texts: dict[str, str]) -> None:
    examined = read(Form(read_by=read_by, change=with_row_above(**texts), total="100"))
    assert faults(examined) == [(Code.FORM_LOW_CONFIDENCE, 1)]
    assert examined.assessment is not None
    assert (examined.assessment.items[0].score, examined.assessment.total) == (None, 90)


@pytest.mark.parametrize("texts", [{}, {"score": "", "evidence": ""}])
def test_an_items_row_that_stands_there_twice_and_says_nothing_else(texts: dict[str, str]) -> None:
    assert_right(Form(change=with_row_above(**texts), total="100").extract())


def test_a_hidden_row_below_an_item_was_written_over() -> None:
    def change(lines: list[Line]) -> list[Line]:
        old = {c: cell("", hidden=True) for c in ORDER} | {"score": cell("4", hidden=True)}
        return [lines[0], old, *lines[1:]]

    assert_right(Form(change=change).extract())


def test_another_sheet_is_no_more_of_the_last_item() -> None:
    other = Table(rows=((*(cell(),) * 5, cell("3"), cell("会务"), cell()),), name="费用")
    assert_right(extract([Form().table(), other]))


def test_tabbed_text_with_cells_left_out() -> None:
    """As `48\\t本职 职能\\t承接…`: the category, merged above, is not there at all."""

    def left_out(line: Line) -> tuple[Cell, ...]:
        row = tuple(line[c] for c in ORDER)
        return row if line["category"].text else (row[0], *row[2:], cell())

    form = Form(read_by=ReadBy.TABLE)
    table = form.table()
    rows = (*table.rows[:3], *(left_out(line) for line in form.lines()), table.rows[-1])
    assert_right(extract([replace(table, rows=rows)], read_by=ReadBy.TABLE))


# --- sheets


def test_the_form_on_any_sheet() -> None:
    other = Table(rows=((cell("说明"),), (cell("请填写第二张表"),)), name="说明")
    assert_right(extract([other, Form(name="自评表").table()]))


def test_categories_on_sheets_of_their_own() -> None:
    table = Form().table()
    sheets = [replace(part, name=f"Sheet{n}") for n, part in enumerate(parts(table, 10, 16, header=True))]
    assert_right(extract(sheets))


def test_a_hidden_sheet_counts_only_alone() -> None:
    other = Form(hidden=True, scores=dict.fromkeys(NOS, "1"), name="旧")
    assert_right(extract([other.table(), Form().table()]))
    assert_right(extract([Form(hidden=True).table()]))


def test_the_template_on_another_sheet_is_passed_over() -> None:
    assert_right(extract([blank(name="空表").table(), Form(name="已填").table()]))


def test_two_forms_that_differ_on_visible_sheets() -> None:
    other = Form(name="Sheet2")
    other.scores[1] = "9"
    assert (Code.FORM_CONFLICTING, None) in faults(read(extract([Form().table(), other.table()])))


def test_the_same_form_twice_on_visible_sheets_is_one() -> None:
    assert_right(extract([Form().table(), Form(name="副本").table()]))


def test_two_forms_one_beneath_the_other() -> None:
    other = Form()
    other.scores[1] = "9"
    rows = (*Form().table().rows, *other.table().rows)
    assert (Code.FORM_CONFLICTING, None) in faults(read(extract([Table(rows=rows)])))


# --- what is not the form


def test_another_offices_form_is_not_the_form() -> None:
    labels = ("序号", "一级指标", "评价内容", "分值", "自评分", "自评依据")
    rows = [tuple(map(cell, labels))]
    rows += [
        tuple(map(cell, (n, "党建", f"全国学会评估第{n}条：会员代表大会按期召开情况", 4, 4, "是")))
        for n in range(1, 26)
    ]
    table = Table(rows=((cell("2020年度全国学会综合能力自评表"), *(cell(),) * 5), *rows))
    examined = read(extract([table]))
    assert examined.assessment is None
    assert examined.findings == ()
    assert examined.covers == {"1": ()}


def test_our_own_form_is_one_though_none_of_its_criteria_can_be_recognized() -> None:
    def shortened(lines: list[Line]) -> list[Line]:
        return [{**line, "criterion": cell(f"{line['criterion'].text[:5]}…")} for line in lines]

    examined = read(Form(change=shortened))
    assert faults(examined) == [(Code.FORM_LOW_CONFIDENCE, None)]
    assert examined.covers == {"1": (Role.FORM,)}


def test_criteria_without_a_score_are_not_the_form() -> None:
    rows = tuple((cell(i.no), cell(i.criterion), cell(f"附件{i.no}")) for i in RUBRIC.items)
    head = (cell("序号"), cell("评价内容"), cell("佐证材料"))
    assert read(extract([Table(rows=(head, *rows))])).form_key is None


def test_points_and_evidence_without_a_score_are_not_the_form() -> None:
    order = ("no", "criterion", "points", "evidence")
    assert (
        read(Form(order=order, title="", labels={**LABELS, "evidence": "佐证材料"}).extract()).form_key
        is None
    )


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.lists(
            st.sampled_from(["", "序号", "自评分", "评价内容", "1", "总计", "5分", RUBRIC.items[0].criterion])
        ),
        max_size=12,
    )
)
def test_any_table_is_examined_without_fail(texts: list[list[str]]) -> None:
    read(extract([Table(rows=tuple(tuple(map(cell, row)) for row in texts))]))
