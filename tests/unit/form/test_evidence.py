from __future__ import annotations

import pytest

from mailbot.form.evidence import unsupported
from tests.unit.form.build import RUBRIC


def units(no: int, text: str) -> list[str]:
    return [threshold.unit for threshold in unsupported(RUBRIC.by_no[no], text)]


@pytest.mark.parametrize(
    ("no", "text"),
    [
        (8, "举办培训3期"),
        (8, "举办继续教育培训两期"),
        (8, "线上培训1期，线下培训1期"),
        (8, "第一期继续教育培训班5月举办，第二期9月举办"),
        (8, "2020年6月举办培训班2次，200人次参加"),
        (8, "全年举办培训十余场"),
        (8, "每月举办会员培训"),
        (8, "1.5月举办心血管培训班；2、9月举办护理培训班"),
        (8, "①心血管培训班②护理培训班"),
        (8, "举办《心血管》培训班和《护理》培训班"),
        (8, "举办培训班，培训会员500名"),
        (8, "举办培训 ３ 期"),
        (8, "多期培训"),
        (13, "开展特色活动4项"),
        (13, "组织会员沙龙、会员日等活动五次"),
        (13, "(1)会员日活动\n(2)青年沙龙\n(3)走访会员"),
        (14, "新增会员4%"),
        (14, "年内新增会员３．５％"),
        (14, "会员增长百分之四"),
        (14, "新增个人会员120人"),
        (14, "会员由1000人增加到1050人"),
        (46, "被评为5A级"),
        (46, "４Ａ级社会组织"),
        (46, "AAAA级"),
        (46, "获评AAAAA"),
        (46, "2018年评为四A级"),
        (46, "由3A升为4A"),
        (49, "在《浙江科协》发表信息6篇，编发会讯4期"),
        (49, "在浙江科协、大众科技网、科技武林门发表信息，共6篇。每季编发会讯"),
        (49, "报送信息12条；学会简报每月一期"),
        (49, "在《浙\n江科\n协》发\n表信息\n12次，编发会\n讯6\n期。"),
        (8, "举办继续教\n育培训3\n期"),
    ],
)
def test_borne_out_or_not_clearly_less(no: int, text: str) -> None:
    assert units(no, text) == []


@pytest.mark.parametrize(
    ("no", "text", "unit"),
    [
        (8, "举办培训1期", "期"),
        (8, "举办了会员继续教育培训", "期"),
        (8, "2020年6月举办一期培训班，200人次参加", "期"),
        (8, "见附件2", "期"),
        (13, "开展特色活动1项", "项"),
        (14, "新增会员2%", "%"),
        (14, "积极发展会员", "%"),
        (46, "3A级", "A"),
        (46, "AAA级社会组织", "A"),
        (46, "积极参加等级评估", "A"),
        (49, "在《浙江科协》发表信息3篇，编发会讯4期", "次"),
        (49, "在《浙江科协》发表信息6篇，编发会讯2期", "期"),
        (49, "在《浙江科协》发表信息6篇", "期"),
    ],
)
def test_not_borne_out(no: int, text: str, unit: str) -> None:
    assert units(no, text) == [unit]


def test_items_that_count_nothing_are_never_doubted() -> None:
    assert all(units(item.no, "是") == [] for item in RUBRIC.items if not item.thresholds)


def test_a_cell_of_empty_lines_and_digits_ends() -> None:
    assert units(8, f"举办{chr(10) * 300_000}{'1' * 300_000}") == ["期"]
