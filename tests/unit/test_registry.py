"""Who reports: near-duplicates are never matched by a guess, and contradictions go to a person."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz import fuzz

from mailbot.model import Code, Format, Organization, Role, Track
from mailbot.reading import DocumentReading
from mailbot.registry import Identity, Registry, clean, core, identify, organization_names


def society(name: str, *aliases: str, emails: tuple[str, ...] = ()) -> Organization:
    return Organization(name=name, track=Track.SOCIETY, aliases=aliases, emails=emails)


MEDICAL = society("浙江省医学会", emails=("office@medical.example.org",))
PREVENTIVE = society("浙江省预防医学会", "预防医学会")
MATHEMATICS = society("浙江省数学会", emails=("shared@example.org", "Office@Maths.example.org"))
PHYSICS = society("浙江省物理学会", emails=("shared@example.org",))
CHINESE = society("浙江省中医药学会", "省中医药学会")
INTEGRATIVE = society("浙江省中西医结合学会")
ACUPUNCTURE = society("浙江省针灸学会", "针灸学会")
CHEMISTRY = society("浙江省化学会")
EDUCATION = society("浙江省高等教育学会")
ENERGY = Organization(name="浙江省能源集团有限公司科协", track=Track.ENTERPRISE, aliases=("浙能集团",))
REGISTRY = Registry(
    (
        MEDICAL,
        PREVENTIVE,
        MATHEMATICS,
        PHYSICS,
        CHINESE,
        INTEGRATIVE,
        ACUPUNCTURE,
        CHEMISTRY,
        EDUCATION,
        ENERGY,
    )
)


def told(
    registry: Registry | None = REGISTRY,
    *,
    form_name: str | None = None,
    senders: tuple[str, ...] = (),
    hints: tuple[tuple[str, str], ...] = (),
    papers: tuple[DocumentReading, ...] = (),
    introductions: tuple[tuple[str, str], ...] = (),
    learned: Organization | None = None,
    default_track: Track = Track.SOCIETY,
    has_form: bool = False,
) -> Identity:
    return identify(
        registry,
        form_name=form_name,
        senders=senders,
        hints=hints,
        papers=papers,
        introductions=introductions,
        learned=learned,
        default_track=default_track,
        has_form=has_form,
    )


def paper(title: str, *signed: str) -> DocumentReading:
    return DocumentReading(
        key="1",
        filename="总结.docx",
        format=Format.DOCX,
        role=Role.SUMMARY,
        sha256="",
        size=1,
        title=title,
        organizations=(*organization_names(title), *signed),
        covers=(Role.SUMMARY,),
    )


def codes(identity: Identity) -> list[Code]:
    return [f.code for f in identity.findings]


@pytest.mark.parametrize(
    ("written", "organization"),
    [
        ("浙江省医学会", MEDICAL),
        (" 浙江省 医学会（盖章）", MEDICAL),
        ("浙江省医学会___（ 公 章 ）", MEDICAL),
        ("（浙江省医学会）", MEDICAL),
        ("医学会", MEDICAL),
        ("省医学会", MEDICAL),
        ("浙江医学会", MEDICAL),
        ("浙江省医学会秘书处", MEDICAL),
        ("浙江省医学会办公室", MEDICAL),
        ("预防医学会", PREVENTIVE),
        ("省中医药学会", CHINESE),
        ("浙江省高等教育学学会", EDUCATION),
        ("浙江省能源集团科协", ENERGY),
        ("浙江省能源集团公司科学技术协会", ENERGY),
        ("浙能集团", ENERGY),
    ],
)
def test_a_name_is_known_in_the_forms_that_name_nobody_else(written: str, organization: Organization) -> None:
    assert REGISTRY.named(written) == organization


@pytest.mark.parametrize(
    "written",
    [
        "浙江省物埋学会",
        "浙江省理学会",
        "浙江省化学学会",
        "浙江省预防学会",
        "浙江省口腔医学会",
        "浙江省中医学会",
        "浙江省中西医学会",
        "浙江省中西医药结合学会",
        "杭州市医学会",
        "江苏省医学会",
        "中华医学会",
        "浙江省高等教育研究会",
        "浙江省",
        "省",
        "会",
        "",
        "（盖章）",
        "____",
    ],
)
def test_a_name_that_is_only_near_is_nobody_s(written: str) -> None:
    assert REGISTRY.named(written) is None


@pytest.mark.parametrize("missing", REGISTRY.organizations, ids=lambda o: o.name)
def test_no_organization_is_taken_for_another_that_is_registered(missing: Organization) -> None:
    others = Registry(tuple(o for o in REGISTRY.organizations if o != missing))
    assert others.named(missing.name) is None
    assert others.mentioned(f"{missing.name}2020年度工作总结") == ()


def test_a_name_that_two_own_is_nobody_s() -> None:
    one, other = society("浙江省甲学会", "浙江学会联盟"), society("浙江省乙学会", "浙江学会联盟")
    assert Registry((one, other)).named("浙江学会联盟") is None
    same_core = Registry((society("浙江省甲学会"), society("甲学会")))
    assert same_core.named("省甲学会") is None
    assert same_core.named("甲学会") == society("甲学会")


_CHARACTERS = st.sampled_from(
    "浙江省医学会预防数物理中药西结合针灸高等教育研究促进科协集团有限公司秘书处（盖章） _"
)


@given(st.text(_CHARACTERS, max_size=14) | st.text(max_size=8))
def test_what_is_matched_differs_in_nothing_that_tells_apart(written: str) -> None:
    found = REGISTRY.named(written)
    if found is None:
        return
    cores = [core(name) for name in (found.name, *found.aliases)]
    assert core(written) in cores or any(
        set(core(written)) == set(known) and fuzz.ratio(core(written), known) >= 92 for known in cores
    )


@given(st.data())
def test_one_character_changed_is_another_name(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([o.name for o in REGISTRY.organizations]))
    at = data.draw(st.integers(3, len(name) - 3))
    other = data.draw(_CHARACTERS.filter(lambda c: c not in "（）_ " and c != name[at]))
    changed = name[:at] + other + name[at + 1 :]
    found = REGISTRY.named(changed)
    assert found is None or core(changed) in {core(n) for n in (found.name, *found.aliases)}


@pytest.mark.parametrize(
    ("written", "cleaned"),
    [
        ("浙江省篆刻印章研究会（盖章）", "浙江省篆刻印章研究会"),
        ("浙江省甲学会（筹）", "浙江省甲学会(筹)"),
        ("浙江省甲学会(公章", "浙江省甲学会"),
        ("浙江省甲学会）", "浙江省甲学会"),
        ("ＡＢＣ学会", "ABC学会"),
        ("“浙江省甲学会”：", "浙江省甲学会"),
        ("\ufeff浙江省\u200b甲\u00ad学会\u202e", "浙江省甲学会"),
        ("浙江省甲学会\x1b\x9b\x07", "浙江省甲学会"),
    ],
)
def test_a_name_is_cleaned_and_not_mangled(written: str, cleaned: str) -> None:
    assert clean(written) == cleaned


@given(st.text())
def test_cleaning_twice_changes_nothing_more(written: str) -> None:
    once = clean(clean(written))
    assert clean(once) == once


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("浙江省物理学会2020年度工作总结", ("浙江省物理学会",)),
        ("2020年度 浙江省 物理学会 自评表.xlsx", ("浙江省物理学会",)),
        ("关于报送浙江省能源集团有限公司科协2020年总结的报告", ("浙江省能源集团有限公司科协",)),
        ("浙江省能源集团有限公司2020年度科协工作总结", ("浙江省能源集团有限公司",)),
        ("我单位中国石化镇海炼化公司科协", ("中国石化镇海炼化公司科协",)),
        ("浙江省预防医学会、浙江省医学会", ("浙江省预防医学会", "浙江省医学会")),
        ("浙江省科学技术协会：浙江省会计学会", ("浙江省会计学会",)),
        ("浙江大学科协", ("浙江大学科协",)),
        ("回复：关于上报2020年度省级学会和省属企业科协工作总结的通知", ()),
        ("各省级学会（协会、研究会、促进会）、省属企业科协：", ()),
        ("浙江省级学会工作总结", ()),
        ("报送至浙江省科协学会部", ()),
        ("浙江省科学技术协会学会部", ()),
        ("浙江省医学会心血管病学分会2020年总结", ()),
        ("请查收附件", ()),
        ("", ()),
    ],
)
def test_names_are_found_in_titles_and_subjects(text: str, names: tuple[str, ...]) -> None:
    assert organization_names(text) == names


@pytest.mark.parametrize(
    ("text", "organizations"),
    [
        ("浙江省预防医学会2020年总结", (PREVENTIVE,)),
        ("浙江省物理学会、浙江省数学会", (PHYSICS, MATHEMATICS)),
        ("针灸学会总结", (ACUPUNCTURE,)),
        ("浙江省针灸学会", (ACUPUNCTURE,)),
        ("杭州市针灸学会", ()),
        ("中国针灸学会", ()),
        ("江苏省中医药学会", ()),
        ("浙江省医学会心血管病学分会总结", ()),
        ("浙江省医学会议程", ()),
        ("浙能集团2020年", (ENERGY,)),
        ("2020年浙能集团工作总结", (ENERGY,)),
        ("关于报送针灸学会2020年度工作总结的报告", (ACUPUNCTURE,)),
        ("2020年杭州市针灸学会工作总结", ()),
    ],
)
def test_a_registered_name_is_found_where_it_stands_alone(
    text: str, organizations: tuple[Organization, ...]
) -> None:
    assert REGISTRY.mentioned(text) == organizations


def test_the_form_goes_before_everything_else() -> None:
    identity = told(
        form_name="浙江省医学会（盖章）",
        senders=("office@medical.example.org",),
        hints=(("subject", "浙江省物理学会"),),
        learned=PHYSICS,
        has_form=True,
    )
    assert identity == Identity(organization=MEDICAL, how="form")


def test_a_form_that_names_another_than_the_sender_is_a_contradiction() -> None:
    identity = told(form_name="浙江省物理学会", senders=("OFFICE@medical.example.org",), has_form=True)
    assert codes(identity) == [Code.ORGANIZATION_MISMATCH]
    assert (identity.findings[0].found, identity.findings[0].wanted) == ("浙江省物理学会", "浙江省医学会")
    assert identity.organization == PHYSICS


def test_an_address_shared_by_several_contradicts_what_none_of_them_is() -> None:
    senders = ("shared@example.org",)
    assert told(form_name="浙江省物理学会", senders=senders).findings == ()
    identity = told(form_name="浙江省医学会", senders=senders)
    assert codes(identity) == [Code.ORGANIZATION_MISMATCH]
    assert identity.findings[0].wanted == "浙江省数学会、浙江省物理学会"
    assert REGISTRY.all_of_sender(("office@maths.example.org",)) == (MATHEMATICS,)


@pytest.mark.parametrize(
    "titles",
    [
        ("浙江省物理学会2020年工作总结", "浙江省物理学会2021年工作计划"),
        ("浙江省物理学会2020年工作总结", "2021年工作计划"),
        ("省科协学会部 浙江物理学会\n2020年工作总结",),
        ("浙江省预防医学会2020年工作总结",),
    ],
)
def test_papers_that_are_another_s_by_their_titles_are_a_contradiction(titles: tuple[str, ...]) -> None:
    papers = tuple(map(paper, titles))
    by_sender = told(senders=("office@medical.example.org",), papers=papers)
    by_form = told(form_name="浙江省医学会", papers=papers, has_form=True)
    for identity in (by_sender, by_form):
        assert (identity.organization, codes(identity)) == (MEDICAL, [Code.ORGANIZATION_MISMATCH])
        assert identity.findings[0].wanted == "浙江省医学会"
        assert identity.findings[0].document == "总结.docx"


@pytest.mark.parametrize(
    ("form_name", "papers"),
    [
        ("浙江省医学会", (paper("浙江省医学会2020年工作总结"), paper("浙江省物理学会2021年工作计划"))),
        ("浙江省医学会", (paper("浙江省物理学会2020年工作总结"), paper("浙江省数学会2021年工作计划"))),
        ("浙江省医学会", (paper("浙江省物理学会、医学会2020年工作总结"),)),
        ("浙江省医学会", (paper("浙江省物理学会2020年工作总结", "浙江省医学会"),)),
        ("浙江省医学会", (paper("浙江省口腔医学会2020年工作总结"),)),
        ("浙江省医学会", (paper("浙江省医学会心血管病学分会2020年工作总结"),)),
        ("浙江省医学会", (paper("2020年工作总结", "浙江省物理学会"),)),
        ("浙江省预防医学会", (paper("预防医学会2020年工作总结"),)),
        ("浙江省预防医学会", (paper("浙江预防医学会2020年工作总结"),)),
        ("浙江省数学会", (paper("浙江省能源集团有限公司科协\n数学会2020年工作总结"),)),
    ],
)
def test_other_names_in_titles_are_none(form_name: str, papers: tuple[DocumentReading, ...]) -> None:
    assert told(form_name=form_name, papers=papers, has_form=True).findings == ()
    assert told(None, form_name=form_name, papers=papers, has_form=True).findings == ()


def test_a_sender_for_several_is_asked_which_and_contradicts_what_none_of_them_is() -> None:
    senders = ("shared@example.org",)
    nobody = told(senders=senders)
    assert (nobody.organization, codes(nobody)) == (None, [Code.ORGANIZATION_MISSING])
    assert nobody.findings[0].wanted == "浙江省数学会、浙江省物理学会"
    assert told(senders=senders, hints=(("title", "浙江省物理学会"),)).findings == ()
    other = told(senders=senders, hints=(("title", "浙江省医学会"),))
    assert (other.organization, codes(other)) == (MEDICAL, [Code.ORGANIZATION_MISMATCH])
    signed = (("signature", "浙江省医学会"),)
    assert codes(told(senders=senders, introductions=signed)) == [Code.ORGANIZATION_MISMATCH]


def test_files_named_after_another_are_a_contradiction_unless_a_title_says_whose_they_are() -> None:
    senders = ("office@medical.example.org",)
    nameless = replace(paper("2020年工作总结"), filename="浙江省物理学会2020年工作总结.docx")
    found = told(senders=senders, papers=(nameless,))
    assert (found.organization, codes(found)) == (MEDICAL, [Code.ORGANIZATION_MISMATCH])
    assert (found.findings[0].found, found.findings[0].document) == ("浙江省物理学会", nameless.filename)
    own = replace(paper("浙江省医学会2020年工作总结"), filename=nameless.filename)
    assert told(senders=senders, papers=(own,)).findings == ()
    other = replace(nameless, filename="浙江省数学会2020年工作总结.docx")
    nobody = told(papers=(nameless, other))
    assert (nobody.organization, codes(nobody)) == (None, [Code.ORGANIZATION_MISMATCH])


@pytest.mark.parametrize("registry", [REGISTRY, None])
@pytest.mark.parametrize("other", ["浙江省物理学会2020年工作总结", "浙江省口腔医学会2020年工作总结"])
def test_papers_of_several_are_nobodys_alone_whatever_the_subject_says(
    registry: Registry | None, other: str
) -> None:
    papers = (paper("浙江省医学会2020年工作总结"), paper(other))
    found = told(registry, papers=papers, hints=(("subject", "浙江省医学会材料"),), learned=MEDICAL)
    assert (found.organization, codes(found)) == (None, [Code.ORGANIZATION_MISMATCH])
    assert "浙江省医学会、" in found.findings[0].found
    plan = (papers[0], replace(papers[1], covers=(Role.PLAN,)))
    one = told(registry, papers=plan, hints=(("subject", "浙江省医学会材料"),)).organization
    assert one is not None
    assert one.name == MEDICAL.name


@pytest.mark.parametrize(
    "other", ["2021年工作计划", "浙江省医学会心血管病学分会2021年计划", "浙江医学会2021年工作计划"]
)
def test_papers_that_name_one_alone_are_his(other: str) -> None:
    papers = (paper("浙江省医学会2020年工作总结"), paper(other))
    assert told(papers=papers, hints=(("title", "浙江省医学会"),)).organization == MEDICAL


def test_a_name_in_no_entry_goes_to_a_person() -> None:
    identity = told(form_name="浙江省口腔医学会", senders=("office@medical.example.org",), has_form=True)
    assert codes(identity) == [Code.ORGANIZATION_UNKNOWN]
    assert identity.findings[0].found == "浙江省口腔医学会"
    assert identity.findings[0].wanted == "浙江省医学会"
    assert identity.organization == society("浙江省口腔医学会")
    by_title = told(hints=(("title", "浙江省口腔医学会"),))
    assert codes(by_title) == [Code.ORGANIZATION_UNKNOWN]


def test_the_registered_sender_goes_before_hints_and_an_empty_name_is_none() -> None:
    identity = told(
        form_name="____（盖章）",
        senders=("office@medical.example.org",),
        hints=(("title", "浙江省物理学会"),),
        has_form=True,
    )
    assert identity == Identity(organization=MEDICAL, how="sender")


def test_hints_are_taken_in_their_order_and_two_names_of_one_kind_decide_nothing() -> None:
    title, subject = ("title", "浙江省医学会"), ("subject", "浙江省物理学会总结")
    assert told(hints=(title, subject)) == Identity(organization=MEDICAL, how="title")
    assert told(hints=(subject, title)) == Identity(organization=PHYSICS, how="subject")
    two = (title, ("title", "浙江省数学会"), subject)
    assert told(hints=two) == Identity(organization=PHYSICS, how="subject")
    same = (title, ("title", "省医学会"), ("title", "医学会2020年总结"))
    assert told(hints=same).organization == MEDICAL
    both = (("subject", "浙江省医学会、浙江省数学会"),)
    assert codes(told(hints=both)) == [Code.ORGANIZATION_MISSING]
    apart = told(hints=(title, ("title", "浙江省数学会")))
    assert (apart.organization, codes(apart)) == (None, [Code.ORGANIZATION_MISMATCH])
    assert apart.findings[0].found == "浙江省医学会、浙江省数学会"


def test_an_alias_that_looks_like_no_name_is_found_in_a_title() -> None:
    titled = told(papers=(paper("浙能集团2020年工作总结"),), hints=(("subject", "浙江省物理学会"),))
    assert titled == Identity(organization=ENERGY, how="title")
    assert told(None, papers=(paper("浙能集团2020年工作总结"),)).organization is None


def test_what_the_body_says_of_its_writer_counts_where_titles_subject_and_file_names_name_nobody() -> None:
    said, signed = ("stated", "浙江省医学会"), ("signature", "浙江省物理学会 张三")
    assert told(introductions=(said, signed)) == Identity(organization=MEDICAL, how="stated")
    assert told(introductions=(said,), learned=PHYSICS).organization == MEDICAL
    assert told(hints=(("filename", "浙江省物理学会.docx"),), introductions=(said,)).organization == PHYSICS
    assert told(introductions=(("stated", "浙江省医学会,浙江省数学会"),)).organization is None
    assert told(None, introductions=(said,)).organization == society("浙江省医学会")


def test_the_body_settles_no_doubt_and_starts_none() -> None:
    titles = (("title", "浙江省医学会"), ("title", "浙江省数学会"))
    assert codes(told(hints=titles, introductions=(("stated", "浙江省医学会"),))) == [
        Code.ORGANIZATION_MISMATCH
    ]
    stranger = (("signature", "浙江大学科协 张三"),)
    assert codes(told(introductions=stranger)) == [Code.ORGANIZATION_UNKNOWN]
    assert codes(told(introductions=(("stated", "浙江大学科协"),), learned=PHYSICS)) == [
        Code.ORGANIZATION_UNKNOWN
    ]


def test_who_signs_from_his_employer_s_is_still_who_he_is_known_to_be() -> None:
    for signed in ("浙江大学科协 张三", "浙江省能源集团科协 张三"):
        identity = told(introductions=(("signature", signed),), learned=PHYSICS)
        assert identity == Identity(organization=PHYSICS, how="learned")
    alone = told(introductions=(("signature", "浙江省能源集团科协 张三"),))
    assert alone == Identity(organization=ENERGY, how="signature")


def test_what_earlier_mails_say_comes_last_and_nothing_at_all_is_missing() -> None:
    assert told(learned=PHYSICS) == Identity(organization=PHYSICS, how="learned")
    assert told(learned=PHYSICS, hints=(("title", "浙江省医学会"),)).organization == MEDICAL
    nobody = told(hints=(("subject", "材料报送"),))
    assert nobody.organization is None
    assert codes(nobody) == [Code.ORGANIZATION_MISSING]


def test_whom_earlier_mails_name_and_the_registry_does_not_is_unknown_still() -> None:
    stranger = society("浙江省陌生学会")
    found = told(learned=stranger)
    assert (found.organization, codes(found)) == (stranger, [Code.ORGANIZATION_UNKNOWN])
    assert told(None, learned=stranger) == Identity(organization=stranger, how="learned")


def test_without_a_registry_the_name_is_as_on_the_form_or_the_title() -> None:
    by_form = told(None, form_name="浙江省 示例学会（盖章）", senders=("a@example.org",), has_form=True)
    assert by_form == Identity(organization=society("浙江省示例学会"), how="form")
    by_title = told(None, hints=(("title", "浙江省示例学会2020年度工作总结"),))
    assert by_title == Identity(organization=society("浙江省示例学会"), how="title")
    two = told(None, hints=(("title", "浙江省甲学会"), ("title", "浙江省乙学会")))
    assert codes(two) == [Code.ORGANIZATION_MISSING]
    notice = told(None, hints=(("subject", "转发：关于上报2020年度省级学会和省属企业科协工作总结的通知"),))
    assert codes(notice) == [Code.ORGANIZATION_MISSING]


@pytest.mark.parametrize(
    "written", ["浙江医学会", "省医学会", "医学会", "浙江省医学会秘书处", "浙江省 医学会（盖章）"]
)
def test_without_a_registry_another_spelling_by_the_same_sender_is_no_other_organization(
    written: str,
) -> None:
    medical = society("浙江省医学会")
    assert told(None, form_name=written, learned=medical, has_form=True).organization == medical
    assert told(None, form_name=written, has_form=True).organization == society(clean(written))
    for other in ("浙江省预防医学会", "杭州市医学会", "浙江省医药学会", "浙江学会"):
        assert told(None, form_name=other, learned=medical, has_form=True).organization == society(other)
    assert told(None, form_name="省学会", learned=society("浙江学会")).organization == society("省学会")


def test_with_a_registry_another_spelling_is_looked_up_there_alone() -> None:
    unregistered = society("浙江省口腔医学会")
    identity = told(form_name="口腔医学会", learned=unregistered, has_form=True)
    assert (identity.organization, codes(identity)) == (society("口腔医学会"), [Code.ORGANIZATION_UNKNOWN])


def test_without_a_registry_two_spellings_in_one_mail_are_one_name() -> None:
    titles = (("title", "浙江省能源集团科协"), ("title", "浙江省能源集团有限公司科协"))
    identity = told(None, hints=titles)
    assert identity.organization is not None
    assert identity.organization.name == "浙江省能源集团有限公司科协"
    apart = told(None, hints=(*titles, ("title", "浙江省交通集团科协")))
    assert codes(apart) == [Code.ORGANIZATION_MISSING]


@pytest.mark.parametrize(
    ("name", "has_form", "default", "track"),
    [
        ("浙江省能源集团科协", False, Track.SOCIETY, Track.ENTERPRISE),
        ("浙江省能源集团有限公司", False, Track.SOCIETY, Track.ENTERPRISE),
        ("杭州银行科学技术协会", False, Track.SOCIETY, Track.ENTERPRISE),
        ("浙江省企业管理研究会", False, Track.ENTERPRISE, Track.SOCIETY),
        ("浙江省企业家协会", False, Track.ENTERPRISE, Track.SOCIETY),
        ("浙江省甲学会(筹)", False, Track.ENTERPRISE, Track.SOCIETY),
        ("浙江省能源集团科协", True, Track.SOCIETY, Track.SOCIETY),
        ("浙江省科技馆", False, Track.SOCIETY, Track.SOCIETY),
        ("浙江省科技馆", False, Track.ENTERPRISE, Track.ENTERPRISE),
    ],
)
def test_an_unregistered_name_tells_its_track(
    name: str, has_form: bool, default: Track, track: Track
) -> None:
    identity = told(None, form_name=name, has_form=has_form, default_track=default)
    assert identity.organization == Organization(name=name, track=track)


@given(st.text(max_size=60), st.text(max_size=20))
def test_any_text_has_an_answer(text: str, name: str) -> None:
    for registry in (REGISTRY, None):
        identity = told(registry, form_name=name, hints=(("subject", text),))
        assert identity.organization is not None or codes(identity) == [Code.ORGANIZATION_MISSING]


@pytest.mark.parametrize("name", ["浙江省医学会(筹)", "(筹)浙江省医学会"])
def test_brackets_that_do_not_go_around_a_name_belong_to_it(name: str) -> None:
    assert clean(name) == name


def test_a_name_that_resembles_two_is_nobodys() -> None:
    long = society("浙江省长三角一体化高等职业教育创新发展促进会")
    near = society("浙江省长三角一体化高等职业教育创新发展进促会")
    written = "浙江省长三角一体化高等职业教育创新发展促促进会"
    assert Registry((long,)).named(written) == long
    assert Registry((long, near)).named(written) is None


def test_spellings_of_one_organization_are_no_two() -> None:
    once = society("浙江省数学会", "省数学会", "浙江数学会")
    assert Registry((once,)).named("数学会秘书处") == once


@pytest.mark.parametrize(
    ("text", "organizations"),
    [
        ("浙江省医学会、浙江省预防医学会", (MEDICAL, PREVENTIVE)),
        ("浙江省预防医学会、浙江省医学会", (PREVENTIVE, MEDICAL)),
        ("现将浙江省医学会材料报上", (MEDICAL,)),
        ("杭州市针灸学会", ()),
    ],
)
def test_whom_a_text_mentions(text: str, organizations: tuple[Organization, ...]) -> None:
    assert REGISTRY.mentioned(text) == organizations


def test_a_name_within_anothers_is_not_mentioned() -> None:
    whole = society("浙江省能源集团有限公司科协")
    registry = Registry((whole, society("浙江省能源集团"), society("有限公司科协")))
    assert registry.mentioned("浙江省能源集团有限公司科协") == (whole,)


def test_a_name_that_holds_what_stands_around_others_is_found() -> None:
    named = society("浙江省目的地营销协会", "目的地协会")
    assert Registry((named,)).mentioned("目的地协会2020年工作总结") == (named,)
    assert Registry((named,)).mentioned("关于报送浙江省目的地营销协会2020年工作总结") == (named,)


def test_a_name_of_three_signs_tells_nobody_in_a_text() -> None:
    short = society("数学会")
    assert Registry((short,)).mentioned("数学会材料") == ()
    assert Registry((short,)).named("数学会") == short
