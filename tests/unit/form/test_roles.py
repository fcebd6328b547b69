"""What a document is: realistic texts of the papers that societies send."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mailbot.form.prose import lines_of
from mailbot.form.roles import entitling_lines
from mailbot.model import Role
from mailbot.reading import Table
from tests.unit.form.build import NOS, RUBRIC, Form, blank, cell, document, extract, read, text_of

BODY = (
    "2020年，在省科协的指导和理事长的带领下，学会围绕中心工作，开展了学术交流、科普服务和会员服务，全年共举办学术会议5次，"
    "取得了较好成绩。现将一年来的主要工作总结如下。"
)
WORK = "学会先后举办学术年会、青年论坛和继续教育培训班，累计参会1200人次，圆满完成了年初确定的任务，会员满意度明显提高。"
AHEAD = "2021年，学会将继续加强党的建设，计划举办学术年会1次，力争会员增长5%，进一步加强科普服务，继续做好决策咨询。"
SIGNED = "浙江省示例学会\n2021年1月8日"
SUMMARY = f"浙江省示例学会2020年工作总结\n{BODY}\n一、学术交流\n{WORK}\n二、科学普及\n{WORK}\n{SIGNED}"
PLAN = f"浙江省示例学会2021年工作计划\n{AHEAD}\n一、学术交流\n{AHEAD}\n{SIGNED}"
NOTICE = (
    "浙江省科学技术协会学会部\n浙科协学发〔2020〕27号\n关于上报2020年度省级学会和省属企业科协工作总结的通知\n"
    "各省级学会（协会、研究会、促进会）、省属企业科协：\n根据省科协工作安排，现将2020年度省级学会和省属企业科协工作总结"
    "有关事项通知如下：\n请各单位于2021年1月15日17:30前报送本年度工作总结及下一年度工作计划、省级学会工作自评表。"
)


def told(text: str, name: str = "新建文档.docx") -> tuple[Role, set[str], int | None]:
    examined = read(document(text, name))
    return examined.roles["9"], {role.value for role in examined.covers["9"]}, examined.years.get("9")


@pytest.mark.parametrize(
    "title",
    [
        "2020年工作总结",
        "浙江省示例学会2020年度工作总结",
        "浙江省示例学会\n2020年度工作总结",
        "浙江省示例学会\n2020 年 工 作 总 结",
        "２０２０年工作总结",
        "二〇二〇年工作总结",
        "浙江省示例学会二O二0年工作总结",
        "2020-2021年度工作总结",
        "浙江省示例学会2020年工作综述",
        "关于2020年度工作情况的报告",
        "浙江省示例学会2020年工作报告",
        "2020年浙江省示例学会工作总结",
        "2020年工作情况说明",
        "浙江省学术交流研究会2020年度工作总结",
        "2019-2020年度工作总结",
        "工作总结",
        "（2020年度）\n工作总结",
    ],
)
def test_a_summary(title: str) -> None:
    assert told(f"{title}\n{BODY}\n{WORK}\n{SIGNED}") == (Role.SUMMARY, {"summary"}, 2020)


@pytest.mark.parametrize(
    "title",
    [
        "2021年工作计划",
        "浙江省示例学会2021年度工作计划",
        "2021年工作思路",
        "2021年工作要点",
        "2021年度工作打算",
        "浙江省示例学会2021年重点工作安排",
        "下一年度工作计划",
        "工作计划",
        "2021年学术活动计划",
    ],
)
def test_a_plan(title: str) -> None:
    assert told(f"{title}\n{AHEAD}\n{AHEAD}\n{SIGNED}") == (Role.PLAN, {"plan"}, 2021)


@pytest.mark.parametrize(
    "title",
    [
        "2020年工作总结和2021年工作计划",
        "浙江省示例学会2020年度工作总结及2021年度工作计划",
        "2020年工作总结暨2021年工作思路",
        "2020年度工作总结及下一年度工作计划",
        "2020年工作总结与2021年工作打算",
        "浙江省示例学会\n2020年工作总结\n暨2021年工作要点",
        "2021年工作计划暨2020年工作总结",
        "2020年工作总结与计划",
    ],
)
def test_both_in_one(title: str) -> None:
    role, covers, year = told(f"{title}\n{BODY}\n{WORK}\n{AHEAD}\n{SIGNED}")
    assert (role, covers, year) == (Role.SUMMARY_AND_PLAN, {"summary", "plan"}, 2020)


@pytest.mark.parametrize(
    "section",
    [
        "三、2021年工作计划",
        "第三部分 2021年工作思路",
        "（三）下一年度工作打算",
        "三、存在问题和下一步工作打算",
        "2021年工作安排",
        "三、2021年重点工作。2021年我会将围绕以下方面开展工作：一是继续举办年会，二是做好科普，三是加强党建，四是发展会员",
        "三、下一步工作",
        "三、明年工作计划",
        "四、新一年工作打算",
        "三、工作计划",
        "三、存在问题和工作打算",
        "三、2021年工作方向",
        "三、下一步努力方向",
        "三、未来工作展望",
        "三、存在问题和今后努力方向",
        "三、二O二一年工作安排",
        "三、2021年",
        "三、展望2021年",
        "三、打算",
        "三、2021年工作总体安排",
        "三、未来工作计划",
        "三、问题与展望",
        "三、21年工作计划",
        "工作计划（2021年）",
        "附：2021年工作计划",
        "附件1：浙江省示例学会2021年度工作计划",
        "附件1 2021年度工作计划",
    ],
)
def test_a_plan_as_the_last_section_of_a_summary(section: str) -> None:
    role, covers, _ = told(
        f"浙江省示例学会2020年工作总结\n{BODY}\n一、学术\n{WORK}\n{section}\n{AHEAD}\n{SIGNED}"
    )
    assert (role, covers) == (Role.SUMMARY_AND_PLAN, {"summary", "plan"})


@pytest.mark.parametrize(
    "line",
    [
        "三、2020年工作计划完成情况",
        "四、参与制定2021年度科技计划",
        "我会还参与了省科协2021年工作计划的讨论，提出了许多建议，得到了有关部门的充分肯定。",
        "二、组织实施人才计划",
        "三、凝心聚力，共创未来",
        "三、未来科学家培养计划",
        "三、未来科技论坛工作",
        "二、承办2021年",
        "2021年度",
        "三、今后努力方向",
    ],
)
def test_a_summary_that_only_speaks_of_plans(line: str) -> None:
    assert told(f"浙江省示例学会2020年工作总结\n{BODY}\n{line}\n{WORK}\n{SIGNED}")[1] == {"summary"}


@pytest.mark.parametrize(
    "heading",
    [
        "三、2021年总体目标",
        "三、2021年工作要抓好以下几点",
        "2021年拟开展的活动：",
        "三、筹划2021",
        "三、展望未来，再谱新篇",
    ],
)
def test_intentions_under_a_heading_that_calls_them_no_plan_are_for_a_person(heading: str) -> None:
    def doubtful(beneath: str) -> bool:
        text = f"浙江省示例学会2020年工作总结\n{BODY}\n一、学术\n{WORK}\n{heading}\n{beneath}\n{SIGNED}"
        examined = read(document(text))
        assert examined.covers["9"] == (Role.SUMMARY,)
        return examined.may_be.keys() == {"9"}

    assert doubtful(AHEAD.removeprefix("2021年，"))
    assert not doubtful(WORK)
    assert not doubtful("另行报送。")


@pytest.mark.parametrize(
    "heading",
    [
        "三、举办未来科学家夏令营",
        "（三）筹备2021年学术年会",
        "三、启动2021年创新论坛的筹备",
        "四、召开“展望2035”论坛",
    ],
)
def test_a_heading_of_what_was_done_is_none_of_what_is_to_come(heading: str) -> None:
    done = "组织学生30人参加，开展科普，推进基地建设，提升了学会的影响。"
    examined = read(
        document(f"浙江省示例学会2020年工作总结\n{BODY}\n一、学术\n{WORK}\n{heading}\n{done}\n{SIGNED}")
    )
    assert (examined.covers["9"], examined.may_be.keys()) == ((Role.SUMMARY,), set())


@pytest.mark.parametrize(
    "beneath",
    ["我会地址：杭州市下城区武林广场8号，邮编310003，欢迎各位领导莅临", "浙江省示例学会，2021年1月8日"],
)
def test_what_stands_beneath_the_name_of_an_enclosure_is_no_plan_unless_it_tells_something(
    beneath: str,
) -> None:
    text = f"浙江省示例学会2020年工作总结\n{BODY}\n{WORK}\n附件：2021年工作计划\n{beneath}"
    assert told(text)[1] == {"summary"}


def test_a_plan_in_few_words_is_for_a_person() -> None:
    assert read(document(f"{SUMMARY}\n三、2021年工作计划\n继续举办年会，加强科普。")).may_be.keys() == {"9"}
    beside = read(extract([Form().table()], text=f"{SUMMARY}\n三、2021年总体目标\n{AHEAD}"))
    assert (beside.covers["1"], beside.may_be.keys()) == ((Role.FORM, Role.SUMMARY), {"1"})


def test_a_year_told_under_the_title_of_a_plan_is_for_a_person() -> None:
    both = read(document(f"2020年工作及2021年计划\n{BODY}\n{WORK}\n2021年计划\n{AHEAD}\n{SIGNED}"))
    assert (both.covers["9"], both.may_be.keys()) == ((Role.PLAN,), {"9"})
    assert read(document(PLAN)).may_be.keys() == set()


def test_what_is_written_beside_its_label_is_beneath_a_heading() -> None:
    text = f"学会名称\t浙江省示例学会\n2020年工作总结\t{BODY}\n{WORK}\n2021年工作计划\t{AHEAD}"
    assert told(text)[1] == {"summary", "plan"}


def test_a_report_on_five_years_is_for_a_person() -> None:
    text = f"浙江省示例学会“十三五”工作总结\n{BODY}\n{WORK}\n{SIGNED}"
    examined = read(document(text))
    assert (examined.covers["9"], examined.may_be.keys()) == ((), {"9"})
    dated = text.replace("“十三五”工作总结", "“十三五”暨2020年工作总结")
    assert told(dated)[1] == {"summary"}


@pytest.mark.parametrize(
    "title",
    [
        "“十三五”收官之年工作总结\n浙江省示例学会（2020年）",
        "浙江省示例学会工作总结\n——十三五规划收官之年工作总结",
    ],
)
def test_the_last_of_five_years_is_one_year(title: str) -> None:
    assert told(f"{title}\n{BODY}\n{WORK}\n{SIGNED}")[1] == {"summary"}


@pytest.mark.parametrize(
    ("title", "covers"),
    [
        ("浙江省示例学会2020年工作总结\n目录\n学术交流\n专业委员会工作情况\n科普工作", {"summary"}),
        ("浙江省示例学会2020年工作总结（含分会工作情况）及2021年工作计划", {"summary", "plan"}),
    ],
)
def test_the_title_of_the_whole_holds_where_its_parts_are_named_behind_it(
    title: str, covers: set[str]
) -> None:
    assert told(f"{title}\n{BODY}\n{WORK}\n{SIGNED}")[1] == covers


@pytest.mark.parametrize("part", ["青年工作委员会", "茶文化专业委员会", "分会", "党支部"])
def test_the_report_of_a_part_of_the_society_is_for_a_person(part: str) -> None:
    examined = read(document(SUMMARY.replace("浙江省示例学会2020年", f"浙江省示例学会{part}2020年")))
    assert (examined.roles["9"], examined.covers["9"]) == (Role.EVIDENCE, ())
    assert examined.may_be.keys() == {"9"}


@pytest.mark.parametrize(
    ("text", "covers"),
    [
        (SUMMARY.replace("示例学会2020年", "示例学会2021年"), set()),
        (SUMMARY.replace("示例学会2020年", "示例学会2019年"), set()),
        (PLAN.replace("示例学会2021年", "示例学会2020年"), set()),
    ],
)
def test_a_title_whose_year_the_text_belies_is_for_a_person(text: str, covers: set[str]) -> None:
    examined = read(document(text))
    assert {role.value for role in examined.covers["9"]} == covers
    assert examined.may_be.keys() == {"9"}


def test_papers_of_another_year_by_title_and_text_are_that() -> None:
    for text in (SUMMARY, PLAN):
        older = text.replace("2020", "2019").replace("2021", "2020")
        examined = read(document(older))
        assert (examined.covers["9"], examined.may_be.keys()) == ((), set())


def test_an_undated_plan_of_what_was_done_is_none() -> None:
    assert told(f"{SUMMARY}\n三、工作计划\n{WORK}")[1] == {"summary"}
    old = SUMMARY.replace("2020", "2019").replace("2021", "2020")
    assert told(f"{old}\n三、工作计划\n{AHEAD.removeprefix('2021年，')}")[1] == set()


@pytest.mark.parametrize(
    "plan",
    [
        "1、办好年会。\n2、发展会员100名。\n3、科普活动10场。",
        "序号\t活动\t时间\n1\t学术年会\t5月，杭州\n2\t青年论坛\t9月，宁波",
        "一、继续办好学术年会，做好科普。\n二、发展会员100名。",
    ],
)
def test_a_short_plan_within_a_summary_counts(plan: str) -> None:
    assert told(f"{SUMMARY}\n三、2021年工作计划\n{plan}")[1] == {"summary", "plan"}


def test_a_heading_without_text_is_no_plan() -> None:
    assert told(f"{SUMMARY}\n三、2021年工作计划\n另附。\n{SIGNED}")[1] == {"summary"}


ON_THE_WAY = (
    "感谢省科协长期以来对我会工作的关心和支持。近期办公室搬迁，邮件可能分多次发送，请老师留意查收。" * 4
)
LISTS = [
    f"我会本次报送的材料共三份：\n1、2020年度工作总结\n2、2021年工作计划\n3、自评表\n{ON_THE_WAY}",
    f"报送材料清单\n1、自评表\n2、2020年度工作总结\n3、2021年工作计划\n{ON_THE_WAY}",
    f"报送材料清单\n2020年度工作总结\n2021年工作计划\n{ON_THE_WAY}",
    f"两份材料待理事长审定后再报：\n2020年度工作总结\n2021年工作计划\n{ON_THE_WAY}",
    f"因理事会改期，\n一、2020年工作总结\n二、2021年工作计划\n需待理事会审议通过后才能报送。\n{ON_THE_WAY}",
    f"想请教：\n1、2020年工作总结有没有字数要求？\n2、2021年工作计划要不要经理事会审议？\n{ON_THE_WAY}",
]


@pytest.mark.parametrize("name", ["", "报送说明.docx"])
@pytest.mark.parametrize("text", LISTS)
def test_what_only_names_the_papers_is_none_of_them(text: str, name: str) -> None:
    assert told(f"章老师：\n您好！\n{text}" if not name else text, name)[:2] == (Role.OTHER, set())


def test_the_papers_beneath_a_list_of_them_count() -> None:
    assert told(f"{LISTS[1]}\n{SUMMARY}\n{PLAN}")[1] == {"summary", "plan"}


@pytest.mark.parametrize(
    "text",
    [
        f"{SUMMARY}\n{PLAN}",
        f"浙江省示例学会\n2020年工作总结\n暨2021年工作要点\n{BODY}\n{WORK}\n{AHEAD}",
        f"一、2020年工作总结\n（一）学术\n{WORK}\n{BODY}\n二、2021年工作计划\n（一）学术\n{AHEAD}",
    ],
)
def test_papers_written_into_a_mail_count(text: str) -> None:
    assert told(f"章老师：\n您好！\n{text}", "")[1] == {"summary", "plan"}


def test_a_mail_that_praises_the_year_in_passing_is_no_summary() -> None:
    praise = "一年来，在贵会的指导下，我会圆满完成了各项工作，取得了一定成绩。"
    assert told(f"章老师：\n您好！\n{praise}学会近期活动较多。\n{ON_THE_WAY}", "")[1] == set()


def test_a_letter_of_ours_kept_as_a_file_is_none_of_the_papers() -> None:
    letter = (
        "浙江省示例学会：\n您好！贵单位报送2020年度省级学会工作总结材料的邮件已收到。经核对，以下内容需要补正。\n"
        "1. 尚缺下一年度工作计划，请补报。\n截至目前已收到的材料：\n  · 总结.docx（工作总结）\n本邮件由系统自动发出。"
    )
    assert told(letter, "补正通知.pdf")[:2] == (Role.OTHER, set())


def test_last_years_papers_do_not_count() -> None:
    old = SUMMARY.replace("2020", "2019").replace("2021", "2020")
    assert told(old) == (Role.SUMMARY, set(), 2019)
    assert told(PLAN.replace("2021", "2020")) == (Role.PLAN, set(), 2020)
    both = f"2019年工作总结和2020年工作计划\n{BODY}".replace("2020年，", "2019年，")
    assert told(both) == (Role.SUMMARY_AND_PLAN, set(), 2019)
    assert told(old.replace("2019年工作", "二〇一九年工作")) == (Role.SUMMARY, set(), 2019)
    assert told(PLAN.replace("2021年工作", "二〇二〇年工作")) == (Role.PLAN, set(), 2020)
    assert told(f"工作总结\n{BODY}\n{WORK}".replace("2020", "2018")) == (Role.SUMMARY, set(), 2018)


LONG = f"{BODY}\n{WORK}\n{WORK}"
PLAIN = (
    "学会落实理事会决议，加强组织建设，推进学科发展，做好会员服务，参与标准编写，提高期刊质量，建立青年委员会。\n"
    * 3
)


@pytest.mark.parametrize(
    "text",
    [
        f"浙江省示例学会年度工作总结\n{LONG}\n浙江省示例学会\n2020年1月8日".replace("2020年，", ""),
        f"工作总结\n{LONG}\n2019年获评4A级社会组织。".replace("2020年，", ""),
        f"工作计划\n2019年，{AHEAD[6:]}",
        f"浙江省示例学会工作总结\n{LONG}\n浙江省示例学会\n2021年1月8日".replace("2020年，", "2019年，"),
        f"工作计划\n2020年，{AHEAD[6:]}\n浙江省示例学会\n2021年1月8日",
        f"浙江省示例学会监事会2020年工作报告\n{PLAIN}\n{SIGNED}",
        f"浙江省示例学会2020年党建和业务工作总结\n{LONG}\n{SIGNED}",
        f"浙江省示例学会2020年度学术交流与科普工作总结\n{LONG}\n{SIGNED}",
        f"浙江省示例学会2020年度述职报告\n{PLAIN}\n{SIGNED}",
        f"凝心聚力 砥砺前行\n{PLAIN}\n{SIGNED}",
    ],
)
def test_what_may_be_one_of_the_papers_is_in_doubt(text: str) -> None:
    examined = read(document(text))
    assert (examined.covers["9"], examined.may_be.keys()) == ((), {"9"})


CALENDAR = "1、3月 五届三次理事会；\n2、5月 学术年会；\n3、6月 科技工作者日；\n4、9月 全国科普日；\n5、11月 青年论坛；"
PAST = CALENDAR.replace("3月", "2020年3月")


@pytest.mark.parametrize(
    ("text", "name", "may_be"),
    [
        (f"浙江省示例学会2021年工作意见\n{CALENDAR}", "材料.docx", "plan"),
        (f"2021年活动安排\n{SIGNED}", "材料.docx", "plan"),
        (f"浙江省示例学会2021年工作方案\n{AHEAD}\n{SIGNED}", "材料.docx", "plan"),
        (f"来年活动\n{SIGNED}", "材料.docx", "plan"),
        (f"浙江省示例学会2021年科普工作计划\n{AHEAD}\n{SIGNED}", "材料.docx", "plan"),
        (f"浙江省示例学会党建工作计划\n{AHEAD}\n{SIGNED}", "材料.docx", "plan"),
        (f"浙江省示例学会21年党建工作计划\n{AHEAD}\n{SIGNED}", "材料.docx", "plan"),
        (f"浙江省示例学会工作方案\n{AHEAD}\n{AHEAD}\n{SIGNED}", "材料.docx", "summary plan"),
        (CALENDAR, "2021年.docx", "summary plan"),
        (f"行事历\n{CALENDAR}", "材料.docx", "summary plan"),
        (
            "活动表\n序号\t时间\t内容\n1\t3月\t年会\n2\t5月\t论坛\n3\t6月\t参观\n4\t9月\t科普\n",
            "a.xlsx",
            "summary plan",
        ),
        (f"浙江省示例学会大事记\n{PAST}", "材料.docx", "summary"),
        (f"浙江省示例学会2020年年报\n{SIGNED}", "材料.docx", "summary"),
        (f"2020年工作亮点\n{SIGNED}", "材料.docx", "summary"),
        (f"浙江省示例学会2020年活动总结\n{PAST}", "材料.docx", "summary plan"),
        ("1.年会一次\n2.科普日一次", "总结.docx", "summary"),
        ("1.3月开理事会\n2.5月开年会", "2021年工作计划.docx", "plan"),
        ("", "2021年工作计划.docx", "plan"),
        ("", "2020年工作总结.pdf", "summary"),
        (f"回首2020 展望2021\n{LONG}\n{AHEAD}\n{SIGNED}", "材料.docx", "plan"),
        (f"浙江省示例学会2020年工作总结及2021年行事历\n{LONG}\n{CALENDAR}\n{SIGNED}", "材料.docx", "plan"),
        (f"2020年工作总结\n{LONG}\n{SIGNED}", "2020年工作总结（含2021年工作计划）.docx", "plan"),
        (
            f"关于印发《2021年工作意见》的通知\n各分会：\n现将《2021年工作意见》印发给你们。\n2021年工作意见\n{CALENDAR}",
            "文件.docx",
            "plan",
        ),
    ],
)
def test_what_is_titled_as_no_other_paper_of_the_year_is_in_doubt(text: str, name: str, may_be: str) -> None:
    examined = read(document(text, name))
    assert examined.may_be == {"9": tuple(map(Role, may_be.split()))}
    assert not set(examined.covers["9"]) & set(examined.may_be["9"])


def test_a_sheet_that_is_named_after_a_plan_may_be_one() -> None:
    rows = ((cell("内容"), cell("负责人")), (cell("举办年会"), cell("张三")))
    sheet = Table(rows=rows, name="2021年工作计划")
    assert read(extract([sheet], text=text_of([sheet]))).may_be == {"1": (Role.PLAN,)}
    assert read(extract([replace(sheet, name="Sheet1")], text=text_of([sheet]))).may_be == {}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (f"学术年会日程\n{SIGNED}", "2021年1月8日.docx"),
        ("", "IMG_20210108.jpg"),
        ("", "工作照2021.1.8.jpg"),
        (f"浙江省示例学会2021年学术年会名单\n{CALENDAR}", "材料.docx"),
        (f"关于召开2021年学术年会的通知\n各位理事：\n{WORK}", "材料.docx"),
        (f"浙江省示例学会2019年大事记\n{CALENDAR.replace('3月', '2019年3月')}", "材料.docx"),
        ("", "2019年工作总结.docx"),
        (f"2020年度市直机关工作目标考核自评表\n{PAST}", "材料.xlsx"),
        (f"2020年度重点工作申报表\n{PAST}", "材料.docx"),
        (f"浙江省示例学会2020年会员发展情况\n{PAST}", "材料.docx"),
        (f"浙江省示例学会2020年科普工作计划\n{WORK}", "材料.docx"),
        (f"浙江省示例学会学术年会实施方案\n{AHEAD}\n{AHEAD}\n{SIGNED}", "材料.docx"),
    ],
)
def test_a_date_or_another_papers_title_is_no_doubt(text: str, name: str) -> None:
    examined = read(document(text, name))
    assert (examined.covers["9"], examined.may_be) == ((), {})


HELD = (
    "会议听取了秘书长所作的2020年工作总结和2021年工作计划。会议认为，学会一年来在学术交流、科普服务、组织建设等方面取得了"
    "显著成绩，全年共举办学术活动12场，圆满完成各项任务。会议强调，2021年学会要进一步加强建设，继续办好年会，力争会员增长。"
)


@pytest.mark.parametrize(
    "title",
    [
        "浙江省示例学会理事会会议记录",
        "浙江省示例学会2020年度总结大会议程",
        "我会召开2020年工作总结暨2021年工作计划会议",
        "浙江省示例学会2020年度工作总结会",
        "浙江省示例学会2020年工作总结暨表彰大会",
    ],
)
def test_what_is_on_a_meeting_on_the_papers_is_none_of_them(title: str) -> None:
    assert (
        told(f"{title}\n{HELD}\n一、理事长作2020年工作总结报告\n二、秘书长作2021年工作计划说明")[1] == set()
    )


@pytest.mark.parametrize(
    "title",
    [
        "2020年度总结表彰大会上的工作报告",
        "在五届三次会员代表大会上的工作报告",
        "2020年工作总结\n（五届三次理事会会议文件）",
        "2020年工作总结及学会2021年工作计划",
        "2020年工作总结、2021年工作计划及学术会议安排",
    ],
)
def test_a_report_to_a_meeting_is_one(title: str) -> None:
    assert "summary" in told(f"{title}\n{LONG}\n{SIGNED}")[1]


@pytest.mark.parametrize(
    "text",
    [
        f"2020年工作总结\n1、召开理事会\n2、成立青年工作委员会\n新建骨科分会\n{LONG}\n筹建浙江省示例学会外科分会",
        f"2020年工作总结\n{BODY}\n青年工作委员会\n{WORK}\n骨科分会\n{WORK}",
        f"2020年工作总结\n各专业委员会\n{LONG}",
        f"2020年工作总结\n学会下设骨科专业委员会\n{LONG}",
        f"2020年工作总结\n学术工作委员会、科普工作委员会\n{LONG}",
        f"2020年工作总结\n{LONG}\n{SIGNED}\n分支机构名单\n浙江省示例学会骨科分会\n浙江省示例学会外科分会",
    ],
)
def test_a_part_of_which_is_told_is_no_author(text: str) -> None:
    assert told(text)[1] == {"summary"}


@pytest.mark.parametrize(
    "lines",
    [
        ["时间\t内容\t承办", "春季\t召开理事会\t秘书处", "秋季\t科技下乡\t浙江省示例学会骨科分会"],
        ["内容\t承办", "召开理事会\t秘书处", "开展科技下乡\t浙江省示例学会骨科分会"],
    ],
)
def test_a_part_that_stands_in_a_table_is_no_author(lines: list[str]) -> None:
    table = Table(rows=tuple(tuple(map(cell, line.split("\t"))) for line in lines))
    plan = extract([table], text=f"2021年工作计划\n{text_of([table])}")
    assert read(plan).covers["1"] == (Role.PLAN,)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("工作计划\n在总结2020年工作的基础上，新的一年，" + AHEAD[6:], "2021年工作计划.docx"),
        (
            f"{LONG}\n2019年获评4A级社会组织。\n{SIGNED}".replace("2020年，", "工作总结\n"),
            "2020年工作总结.docx",
        ),
    ],
)
def test_the_files_name_dates_an_undated_paper_that_tells_of_the_year_before(text: str, name: str) -> None:
    role = Role.PLAN if "计划" in name else Role.SUMMARY
    assert (read(document(text, name)).covers["9"], read(document(text)).may_be.keys()) == ((role,), {"9"})


def test_a_heading_that_says_what_will_be_held_is_one() -> None:
    assert told(f"2020年工作总结\n{LONG}\n三、2021年工作计划（召开换届大会）\n{AHEAD}")[1] == {
        "summary",
        "plan",
    }
    held = read(document(f"2020年工作总结\n{LONG}\n三、2021年工作计划及召开换届大会\n{AHEAD}"))
    assert Role.PLAN in held.may_be["9"]


@pytest.mark.parametrize(
    "text",
    [
        f"2020年工作总结\n浙江省示例学会青年工作委员会\n{LONG}",
        f"2020年工作总结\n{LONG}\n浙江省示例学会骨科分会\n2021年1月8日",
    ],
)
def test_a_part_of_the_society_that_stands_beneath_the_title_or_signs_is_for_a_person(text: str) -> None:
    examined = read(document(text))
    assert (examined.covers["9"], examined.may_be) == ((), {"9": (Role.SUMMARY,)})


@pytest.mark.parametrize(
    "text",
    [
        *(SUMMARY, PLAN, SUMMARY.replace("2020", "2019").replace("2021", "2020"), NOTICE),
        *(f"{title}\n{LONG}" for title in ("会议签到表", "浙江省示例学会会员管理办法（试行）", "合作协议")),
    ],
)
def test_what_tells_what_it_is_is_in_no_doubt(text: str) -> None:
    assert read(document(text)).may_be.keys() == set()


def test_a_report_written_as_a_letter_counts_and_a_letter_that_passes_it_on_does_not() -> None:
    opening = (
        "浙江省示例学会文件\n关于报送2020年度工作总结及2021年工作计划的报告\n浙江省科协学会部：\n现报告如下："
    )
    report = f"{opening}\n{LONG}\n{LONG}\n{AHEAD}\n{SIGNED}"
    assert told(report) == (Role.SUMMARY_AND_PLAN, {"summary", "plan"}, 2020)
    assert told(f"{opening}\n{BODY}\n{SIGNED}\n特此报告，请审阅。")[1] == set()


def test_this_years_summary_with_an_old_plan_in_it_counts_for_the_summary() -> None:
    text = f"2020年工作总结\n{BODY}\n{WORK}\n二、2020年工作计划\n{WORK}"
    assert told(text)[1] == {"summary"}


@pytest.mark.parametrize(
    "title",
    [
        "2020年继续教育培训工作总结",
        "浙江省示例学会2020年学术年会总结",
        "全国科普日活动总结",
        "2020年度财务工作报告",
        "获奖证书",
        "会议签到表",
        "佐证材料",
        "附件材料目录",
        "关于召开2020年学术年会的通知",
    ],
)
def test_reports_on_one_matter_and_evidence_count_for_nothing(title: str) -> None:
    role, covers, _ = told(
        f"{title}\n活动于2020年5月举办，参加人员200人，专家10人，现场气氛热烈，媒体作了报道。\n{SIGNED}"
    )
    assert covers == set()
    assert role in (Role.EVIDENCE, Role.OTHER)


def test_the_notice_sent_back_is_no_summary() -> None:
    assert told(NOTICE, "2020年工作总结.pdf") == (Role.OTHER, set(), None)
    table = blank().table()
    notice = extract([table], text=NOTICE)
    examined = read(notice)
    assert examined.roles == {"1": Role.OTHER}
    assert examined.findings == ()


def test_a_form_filled_in_within_the_notice_is_the_form() -> None:
    examined = read(extract([Form().table()], text=NOTICE))
    assert examined.covers == {"1": (Role.FORM,)}
    assert examined.findings == ()


def test_a_letter_that_passes_papers_on_is_none_of_them() -> None:
    letter = (
        "关于报送2020年度工作总结和2021年工作计划的函\n省科协学会部：\n根据通知要求，现将我会2020年度工作总结、"
        f"2021年工作计划和自评表报上，请审阅。\n附件：1.2020年工作总结\n2.2021年工作计划\n{SIGNED}"
    )
    assert told(letter)[:2] == (Role.OTHER, set())
    assert told(f"{letter}\n{SUMMARY}")[1] == {"summary"}


def test_the_file_name_speaks_only_where_the_text_says_nothing() -> None:
    assert told(PLAN, "2020年工作总结.docx")[0] is Role.PLAN
    assert told(SUMMARY, "2021年工作计划.docx")[1] == {"summary"}
    untitled = f"各位会员：\n{WORK}\n{WORK}\n{WORK}"
    assert told(untitled, "2020年工作总结.doc") == (Role.SUMMARY, {"summary"}, 2020)
    assert told(untitled, "2019年工作总结.doc")[1] == set()


@pytest.mark.parametrize(
    "name",
    ["微信图片_20210108101112.jpg", "新建 Microsoft Word 文档.docx", "扫描全能王 2021-01-08 10.11.pdf"],
)
@pytest.mark.parametrize("text", [SUMMARY, PLAN, f"各位会员：\n{WORK}\n{WORK}\n{WORK}", ""])
def test_the_names_that_phones_and_programs_give_say_nothing(name: str, text: str) -> None:
    assert told(text, name) == told(text, "")


def test_a_document_without_text_counts_for_nothing() -> None:
    assert told("", "2020年工作总结.doc") == (Role.SUMMARY, set(), None)
    assert told("", "2021年工作计划.pdf")[:2] == (Role.PLAN, set())
    assert told("", "微信图片_20210108.jpg") == (Role.OTHER, set(), None)
    assert told("", "佐证材料.jpg")[0] is Role.EVIDENCE


def test_a_text_without_title_is_told_by_its_tense() -> None:
    assert told(f"{BODY}{WORK}{WORK}")[1] == {"summary"}
    assert told(f"{AHEAD}{AHEAD}我会还拟举办展览，力争明年再上新台阶。")[1] == {"plan"}
    news = "本报讯 昨日，某大学举行开学典礼，三千名新生参加，校长致辞勉励新生努力学习，天气晴朗。" * 4
    assert told(news)[:2] == (Role.OTHER, set())


# --- beside a form


def with_text(text: str, form: Form | None = None) -> set[str]:
    table = (form or Form()).table()
    given = extract([table], text=text)
    whole = f"{text}\n{text_of([table])}"
    return {role.value for role in read(replace(given, text=whole)).covers["1"]}


def test_form_summary_and_plan_in_one_document() -> None:
    assert with_text(f"{SUMMARY}\n{PLAN}") == {"form", "summary", "plan"}
    assert with_text(SUMMARY) == {"form", "summary"}
    assert with_text(f"{SUMMARY}\n三、2021年工作计划\n{AHEAD}") == {"form", "summary", "plan"}


def test_form_summary_and_plan_on_sheets_of_one_workbook() -> None:
    sheets = (
        Form().table(),
        *(Table(rows=tuple((cell(line),) for line in t.split("\n"))) for t in (SUMMARY, PLAN)),
    )
    examined = read(extract(sheets, text=text_of(sheets)))
    assert set(examined.covers["1"]) == {Role.FORM, Role.SUMMARY, Role.PLAN}


@pytest.mark.parametrize("said", ["", "计划"])
def test_a_plan_in_a_table_on_a_sheet_beside_the_form(said: str) -> None:
    lines = [
        "浙江省示例学会2021年度工作计划",
        "序号\t时间\t内容\t负责人\t备注",
        f"1\t3月\t{said}召开理事会，审议年度工作\t张三\t",
        f"2\t5月\t{said}举办学术年会和青年论坛\t李四\t",
        f"3\t9月\t{said}开展科技下乡，培训农技人员500人次\t王五\t",
        f"4\t11月\t{said}召开会员代表大会\t张三\t",
    ]
    plan = Table(rows=tuple(tuple(cell(text) for text in line.split("\t")) for line in lines))
    sheets = (Form().table(), plan)
    assert set(read(extract(sheets)).covers["1"]) == {Role.FORM, Role.PLAN}
    hidden = (Form().table(), replace(plan, hidden=True))
    assert read(extract(hidden)).covers["1"] == (Role.FORM,)


def test_a_blank_form_beside_a_summary_counts_for_the_summary_alone() -> None:
    assert with_text(SUMMARY, blank()) == {"summary"}


def test_titles_in_evidence_or_in_a_list_of_enclosures_are_no_summary() -> None:
    form = Form()
    form.evidence[52] = "2020年工作总结\n2021年工作计划\n均已按时报送"
    assert with_text("", form) == {"form"}
    assert with_text("附件：1.2020年工作总结\n2.2021年工作计划") == {"form"}


def test_the_form_alone_is_no_summary() -> None:
    examined = read(Form())
    assert examined.covers == {"1": (Role.FORM,)}


# --- names


def test_names_in_title_and_signature() -> None:
    examined = read(document(SUMMARY))
    assert examined.organizations == {"9": ("浙江省示例学会",)}
    other = SUMMARY.replace(WORK, "与浙江省物理学会、浙江省化学会共同举办论坛，效果良好。" * 3)
    assert read(document(other)).organizations == {"9": ("浙江省示例学会",)}


def test_a_title_ends_at_the_line_that_names_the_paper() -> None:
    headed = "浙江省示例学会\n2020年度工作总结\n与浙江省物理学会合办年会\n2021年2月"
    assert entitling_lines(extract(text=headed)) == "浙江省示例学会\n2020年度工作总结"
    assert entitling_lines(extract(text="浙江省示例学会\n与浙江省物理学会合办年会")) == ""


def test_the_page_header_tells_what_the_text_does_not() -> None:
    def told_under(text: str, *header: str) -> tuple[set[str], tuple[str, ...]]:
        examined = read(replace(document(text), extract=replace(document(text).extract, header=header)))
        return {role.value for role in examined.covers["9"]}, examined.organizations["9"]

    own = "浙江省示例学会"
    assert told_under(f"{CALENDAR}\n6、12月 召开大会，举办青年会员培训班。", own, "2021年工作计划") == (
        {"plan"},
        (own,),
    )
    assert told_under("另附。", own, "2021年工作计划")[0] == set()
    assert told_under(f"2021年工作计划\n{AHEAD}", "2020年工作总结")[0] == {"plan"}
    assert told_under(f"{own}理事会会议议程\n{LONG}", f"{own}2020年工作总结")[0] == set()
    assert told_under(f"关于召开2020年工作总结大会的通知\n{LONG}", f"{own}2020年工作总结")[0] == set()
    assert told_under(SUMMARY, "浙江省护理学会")[1] == (own,)


def test_names_in_evidence_are_others() -> None:
    assert read(document("荣誉证书\n浙江省物理学会\n2020年5月")).organizations == {"9": ()}


def test_an_enterprises_summary() -> None:
    text = SUMMARY.replace("浙江省示例学会", "浙江示例集团有限公司科协")
    examined = read(document(text))
    assert examined.covers == {"9": (Role.SUMMARY,)}
    assert examined.organizations == {"9": ("浙江示例集团有限公司科协",)}


def test_criteria_quoted_as_headings_of_evidence_are_no_form() -> None:
    text = "2020年度省级学会工作自评表佐证材料\n" + "\n".join(
        f"{i.no}. {i.criterion}\n见下图" for i in RUBRIC.items
    )
    examined = read(document(text))
    assert examined.form_key is None
    assert examined.roles["9"] is Role.EVIDENCE
    assert len(NOS) == 25


@pytest.mark.parametrize(
    ("line", "bare"),
    [
        ("21年工作计划", "2021年工作计划"),
        ("学会20年工作总结", "学会2020年工作总结"),
        ("成立20年工作总结", "成立20年工作总结"),
        ("老秘书长做了18年工作", "老秘书长做了18年工作"),
        ("有15年工作经验", "有15年工作经验"),
        ("1.20年工作", "1.20年工作"),
    ],
)
def test_a_year_of_two_digits_is_told_from_a_span_of_time(line: str, bare: str) -> None:
    assert lines_of(line) == (bare,)


@pytest.mark.parametrize(
    "said", ["关于", "召开", "分会", "学会", "浙江省示例学会", "计划", "总结含", "不确定，故", "1月"]
)
def test_hostile_lines_end(said: str) -> None:
    line = said * (300_000 // len(said))
    given = extract([Table(rows=((cell(line),),), name=line)], text=f"{line}\n{line}\n{line}")
    assert read(given).covers["1"] == ()
