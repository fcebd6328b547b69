from __future__ import annotations

import pytest

from mailbot.form.heading import heading
from tests.unit.form.build import TITLE, Form, cell, extract, read


def named(text: str) -> str | None:
    return heading(extract(text=f"{TITLE}\n{text}\n"), ()).organization


@pytest.mark.parametrize(
    "text",
    [
        "填报单位：浙江省示例学会（盖章）",
        "填报单位: 浙江省示例学会 (盖章)",
        "填报单位：___浙江省示例学会___（盖章）",
        "填报单位（盖章）：浙江省示例学会",
        "填报单位 (公章) ： 浙江省示例学会",
        "填报单位：浙江省示例学会        填报时间：2021年1月8日",
        "填报单位：浙江省示例学会　　联系人：张三　电话：0571-1",
        "填报日期：2021年1月8日  填报单位：浙江省示例学会",
        "填报单位：\n浙江省示例学会（盖章）",
        "填 报 单 位：浙江省示例学会",
        "单位名称：浙江省示例学会",
        "学会名称\t浙江省示例学会",
        "填报单位:浙 江 省 示 例 学 会",
        "填报单位：浙江省示例学会2021年1月8日",
        "单位（盖章）：浙江省示例学会",
        "学会：浙江省示例学会（公章）  填报日期：2021年1月8日",
    ],
)
def test_the_name_behind_its_label(text: str) -> None:
    assert named(text) == "浙江省示例学会"


@pytest.mark.parametrize(
    "text",
    [
        "填报单位：",
        "填报单位：（盖章）",
        "填报单位: _____ (盖章)",
        "填报单位：　　　　　　（盖章）\n序号\t类别",
        "填报单位：XX学会",
        "填报单位：[图片]",
        "填报单位：          填报时间：2021年1月8日",
        "填报单位：\n一、为科技工作者服务",
        "各填报单位请注意截止时间",
        "单位：万元",
        "单位：省级学会工作人员",
        "",
    ],
)
def test_no_name(text: str) -> None:
    assert named(text) is None


def test_a_name_with_brackets_stays_whole() -> None:
    assert named("填报单位：浙江省示例学会(筹)（盖章）") == "浙江省示例学会(筹)"


@pytest.mark.parametrize("label", ["填报单位", "填报单位（盖章）：", "填报单位:"])
def test_the_name_in_the_next_cell(label: str) -> None:
    form = Form(organization="")
    table = form.table()
    row = (cell(label), cell("", merged=True), cell("浙江省示例学会（盖章）"), *(cell(),) * 5)
    above = extract([type(table)(rows=(table.rows[0], row, *table.rows[1:]))])
    below = extract([type(table)(rows=(*table.rows, row))])
    for given in (above, below):
        examined = read(given)
        assert examined.assessment is not None
        assert examined.assessment.organization == "浙江省示例学会"


def test_no_name_on_the_form() -> None:
    examined = read(Form(organization="填报单位：          （盖章）"))
    assert examined.assessment is not None
    assert examined.assessment.organization is None


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("2019年度省级学会工作自评表", 2019),
        ("附件：２０２０年度省级学会工作自评表", 2020),
        ("浙江省示例学会2020年度工作自评表", 2020),
        ("二〇二〇年度省级学会工作自评表", 2020),
        ("2020年度省级学会\n工作自评表", 2020),
        ("（2019年度）\n省级学会工作自评表", 2019),
        ("省级学会工作自评表（2019年度）", 2019),
        ("省级学会工作自评表（2021年）", None),
        ("省级学会工作自评表", None),
        ("2021年1月10日\n省级学会工作自评表", None),
        ("2021年1月10日省级学会工作自评表", None),
        (
            "我会于2019年认真填报了2018年度省级学会工作自评表，并根据反馈意见逐条整改落实，形成了长效机制，取得了良好效果",
            None,
        ),
        ("2019年工作总结", None),
    ],
)
def test_the_year_of_the_title(text: str, year: int | None) -> None:
    assert heading(extract(text=text), ()).year == year
