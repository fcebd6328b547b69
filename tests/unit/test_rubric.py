"""The notice's form as data, word for word; and rubrics that do not hold together are refused."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from mailbot.errors import ConfigurationError
from mailbot.rubric import ThresholdKind, load
from tests.conftest import ROOT

NOTICE = """\
1|0|学术引领|10|举办国际性、全国性、区域性的高层次、跨学科、综合性学术交流活动,组织研学工作会。
4|0|学术引领|5|能围绕我省科技、经济和社会发展中的热点难点问题进行研讨和交流,并汇编形成论文集、白皮书。
5|0|学术引领|3|提升学会主办科技期刊的影响力,落实学会主办单位职责,加强学会对期刊编辑部等出版单位的管理,促进科技期刊与新兴媒体融合发展。
8|0|教育培训|2|举办会员继续教育培训,年度举办2期以上。
11|0|表彰举荐|5|定期开展优秀科技工作者宣传与表彰,设立科技奖项,举荐优秀科技人才,获得荣誉称号。
13|0|建家交友|5|积极搭建服务会员的平台,开展“科技工作者之家”创建活动,突出科技工作者主体地位,开展服务会员的特色活动2项以上。
14|0|建家交友|5|以发展个人会员为重点,优化学会会员结构,拓展会员种类,鼓励单位会员中的科技工作者以个人会员身份加入学会。有会员名册和会籍管理档案,重视会员发展工作,年内新增会员3-5%。
16|1|搭建平台|4|积极参加“科创中国”试点,参与创建学会企业联合体、学会服务站、创新驿站等平台,助力区域科技经济融合发展。
17|1|搭建平台|4|积极参加“千名专家进万企”活动,参与长三角助力创新联盟、科技服务团等协同创新组织,通过多种形式开展服务。加强与企业科协的联系,发挥企业会员作用,助力企业创新发展。
18|1|促进转化|4|发挥学会自身优势,组建相应的学科群、专家库,为地方产业转型升级提供决策服务,推动科技成果转化。
20|1|促进转化|3|助力中小企业的技术攻关和升级，与地方园区、企业签订相关协议，明确参与各方的工作目标、任务和职责。
24|2|开展活动|5|参与科技活动周、全国科普日、科技三下乡、乡村振兴等主题活动，参与科普讲师团、科普报告团、科技服务团开展多种形式的基层科普服务。
29|2|整合资源|4|参与科普视频、书籍、剧本、挂图、动漫、游戏等开发制作，提高会员的科普原创能力。
30|2|创新机制|3|建设科普志愿者服务队伍，动员科技专家志愿参与，扩大科普宣传社会影响；定期推出科普主题的微博、微信、微报（短信）、微视频、微电影等，实现个性化精准推送；推进科普信息化建设，精心设计线上线下结合的活动载体，注重传播实效。
33|3|开展调研|5|围绕省委省政府的重点工作和我省经济社会发展战略，开展前瞻性的科技决策咨询活动和课题调研。
35|3|获得肯定|5|通过省科协或有关部门报送科技工作者建议，获得省级及以上领导批示或被采纳推广。
36|4|组织建设|7|贯彻省科协党组2018年10号文件，在学会理事会层面建立党的工作小组，以党建带动学会建设。学会领导机构依法依规履职、按期换届和正常运转，设立权责明晰的监事会。制定较完整的各项规章制度；推进学会办事机构实体化和秘书处工作人员职业化，实施理事会聘任秘书长制，配备专职秘书长和工作人员。
41|4|财务管理|3|配备专门的财务人员，并定期接受相关管理部门的财务培训。
42|4|财务管理|2|执行《民间非营利组织会计制度》，账务处理准确及时，核算合规。资产造册管理，内容清楚，各种票据使用、管理规范，账目清楚、经费来源合法、使用合理。
45|4|社团评估|1|积极参加省民政厅组织的社团等级评估工作。
46|4|社团评估|5|被评为4A级（含）以上。
47|4|社团评估|1|列入省民政厅《全省性社会组织承接政府转移职能和购买服务推荐性目录》。
48|4|本职职能|2|承接专业技术人才水平评价和工程技术领域专业技术人员职业资格认定工作；开展团体标准研制、参与政府科技奖励推荐，成为科技计划、项目评估的承接者。
49|4|其他|5|建有信息员队伍，及时上报学会活动有关信息，每年在《浙江科协》、大众科技网、科技武林门微信公众号发表5次以上，有不定期的会讯，每年编发4期以上。
52|4|其他|2|按时报送年检材料，年检一次性通过。
"""
"""序号 | category | group | points | criterion, as printed in the notice's annex."""
CATEGORIES = (
    ("一、为科技工作者服务", 35),
    ("二、为创新驱动发展服务", 15),
    ("三、为提高全民素质服务", 12),
    ("四、为党和政府决策咨询服务", 10),
    ("五、加强自身建设", 28),
)
COUNT, PERCENT, LEVEL = ThresholdKind.COUNT, ThresholdKind.PERCENT, ThresholdKind.LEVEL
NEXT_YEAR = """
year = 2021
title = "2021年度省级学会工作自评表"
total = 3.5
[[category]]
name = "甲"
points = 2
[[category]]
name = "乙"
points = 1.5
[[item]]
no = 1
category = "甲"
group = ""
criterion = "举办学术会议。"
points = 2
[[item]]
no = 7
category = "乙"
group = "科普"
criterion = "举办科普活动3场以上。"
points = 0.5
  [[item.threshold]]
  kind = "count"
  minimum = 3
  unit = "场"
  words = ["活动"]
[[item]]
no = 9
category = "乙"
group = "科普"
criterion = "出版科普书籍。"
points = 1
"""


def test_the_form_of_the_notice_word_for_word() -> None:
    rubric = load(ROOT / "rubric" / "2020.toml")
    assert (rubric.year, rubric.title, rubric.total) == (2020, "2020年度省级学会工作自评表", 100)
    assert tuple((c.name, c.points) for c in rubric.categories) == CATEGORIES
    names = [name for name, _ in CATEGORIES]
    printed = [f"{i.no}|{names.index(i.category)}|{i.group}|{i.points}|{i.criterion}" for i in rubric.items]
    assert printed == NOTICE.splitlines()
    assert len(printed) == 25
    assert list(rubric.by_no) == [i.no for i in rubric.items]


def test_its_numbers_are_those_of_the_field() -> None:
    numbers = "1,4,5,8,11,13,14,16,17,18,20,24,29,30,33,35,36,41,42,45,46,47,48,49,52"
    rubric = load(ROOT / "rubric" / "2020.toml")
    assert ",".join(str(item.no) for item in rubric.items) == numbers
    assert rubric.by_no[18].group == rubric.by_no[20].group == "促进转化"
    assert rubric.by_no[48].group == "本职职能"
    assert sum(item.points for item in rubric.items) == 100


def test_its_countable_demands_are_data() -> None:
    rubric = load(ROOT / "rubric" / "2020.toml")
    demands = {
        item.no: [(t.kind, t.minimum, t.unit) for t in item.thresholds]
        for item in rubric.items
        if item.thresholds
    }
    assert demands == {
        8: [(COUNT, 2, "期")],
        13: [(COUNT, 2, "项")],
        14: [(PERCENT, 3, "%")],
        46: [(LEVEL, 4, "A")],
        49: [(COUNT, 5, "次"), (COUNT, 4, "期")],
    }


def test_another_year_s_form_is_as_good(tmp_path: Path) -> None:
    path = tmp_path / "2021.toml"
    path.write_text(NEXT_YEAR, encoding="utf-8")
    rubric = load(path)
    assert [(i.no, i.points) for i in rubric.items] == [(1, 2), (7, Decimal("0.5")), (9, 1)]
    assert rubric.total == Decimal("3.5")
    assert rubric.by_no[7].thresholds[0].words == ("活动",)


def faults(tmp_path: Path, *changes: tuple[str, str]) -> list[tuple[str, str]]:
    text = NEXT_YEAR
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "2021.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    assert {fault.file for fault in caught.value.faults} == {str(path)}
    return [(fault.key, fault.reason) for fault in caught.value.faults]


def test_all_that_does_not_add_up_is_told_at_once(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        ("total = 3.5", "total = 100"),
        ("points = 2", "points = 3"),
        ("no = 7", "no = 1"),
        ('category = "乙"', 'category = "丙"'),
    )
    assert found == [
        ("item[1].category", "丙 is no category; there are 甲, 乙"),
        ("item[1].no", "1 does not come after 1"),
        ("category[0].points", "says 3, its items add up to 2"),
        ("category[1].points", "says 1.5, its items add up to 1"),
        ("total", "says 100, the categories add up to 4.5"),
    ]


def test_all_that_is_badly_written_is_told_at_once(tmp_path: Path) -> None:
    found = dict(
        faults(
            tmp_path,
            ("year = 2021\n", ""),
            ("total = 3.5", "total = -1"),
            ('criterion = "举办学术会议。"', 'criterion = ""'),
            ('group = "科普"', 'grup = "科普"'),
            ('kind = "count"', 'kind = "counts"'),
            ("minimum = 3", "minimum = nan"),
            ('words = ["活动"]', "words = []"),
        )
    )
    assert set(found) == {
        "year",
        "total",
        "item[0].criterion",
        "item[1].group",
        "item[1].grup",
        "item[1].threshold[0].kind",
        "item[1].threshold[0].minimum",
        "item[1].threshold[0].words",
    }
    assert found["item[1].grup"] == "there is no such key; did you mean group?"
    assert found["year"] == "is missing"


@pytest.mark.parametrize(
    ("changes", "key", "reason"),
    [
        ([('name = "乙"', 'name = "甲"')], "category[1].name", "甲 stands already in category[0]"),
        ([("no = 1", "no = 0")], "item[0].no", "greater than 0"),
        ([("points = 0.5", "points = 0")], "item[1].points", "greater than 0"),
        ([("points = 0.5", "points = inf")], "item[1].points", "finite"),
        ([("year = 2021", "year = 21")], "year", "2000"),
        ([("[[item]]", "[[itm]]")], "itm", "did you mean item?"),
        ([("year = 2021", "year == 2021")], "", "is no TOML"),
    ],
)
def test_each_fault_names_its_key(
    tmp_path: Path, changes: list[tuple[str, str]], key: str, reason: str
) -> None:
    found = faults(tmp_path, *changes)
    assert any(k == key and re.search(re.escape(reason), r) for k, r in found), found


def test_a_rubric_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"2022\.toml: cannot be read"):
        load(tmp_path / "2022.toml")
