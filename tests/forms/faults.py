"""Every fault that a form can have, and what only looks like one. Each takes a right form and spoils it, or seems to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal

from tests.forms.paper import NOS, RUBRIC, Paper, plain

Change = Callable[[Paper], Paper]
_FULL_WIDTH = str.maketrans("0123456789.", "０１２３４５６７８９．")
_NUMERALS = "零一二三四五六七八九"


def _claim(paper: Paper, no: int) -> Decimal:
    return paper.claims[no] or Decimal()


def _not_numbers(paper: Paper) -> Paper:
    for no, written in ((18, "优秀"), (33, "4-5"), (36, "6或7"), (49, "见附件"), (13, "4+1")):
        paper = paper.scored(no, written, None, "score.not_a_number")
    return paper


def _missing(*nos: int) -> Change:
    def change(paper: Paper) -> Paper:
        for no in nos:
            paper = paper.scored(no, "", None, "score.missing")
        return paper

    return change


def _wrong_sum(paper: Paper) -> Paper:
    stated = (paper.sum or Decimal()) + 2
    return paper.totalled(plain(stated), stated, "total.mismatch")


def _capped_sum(paper: Paper) -> Paper:
    """Points above the item's, and a total that was added up as if they were not."""
    paper = paper.scored(1, "12", 12, "score.over_max")
    stated = (paper.sum or Decimal()) - 2
    return paper.totalled(plain(stated), stated, "total.mismatch")


def _other_words(paper: Paper) -> Paper:
    words = "建立学会网站并及时更新，编辑出版科普图书，组织青少年科技竞赛和夏令营。"
    return replace(paper, criteria={30: words}).found("form.altered#30")


def _fewer_sessions(paper: Paper) -> Paper:
    words = RUBRIC.by_no[8].criterion.replace("2期", "1期")
    return replace(paper, criteria={8: words}).found("form.altered#8")


def _other_points(paper: Paper) -> Paper:
    return replace(paper, points={5: "5分"}).found("form.altered#5").scored(5, "4", 4, "score.over_max")


def _more_rows(paper: Paper) -> Paper:
    row = (
        "53",
        "",
        "",
        "承办政府部门委托的其他工作，受到表彰的酌情加分。",
        "5分",
        "3",
        "承办全省技能竞赛1次",
        "",
    )
    return replace(paper, added=(row,)).found("form.altered")


def _everything(paper: Paper) -> Paper:
    paper = (
        _missing(4)(paper).scored(8, "3", 3, "score.over_max").scored(18, "良好", None, "score.not_a_number")
    )
    return paper.scored(46, "-2", -2, "score.negative").because(29, "", "evidence.missing")


def _last_year(paper: Paper) -> Paper:
    title = paper.title.replace("2020", "2019")
    return replace(paper, title=title, year=2019).found("form.wrong_year")


def _last_years_own(paper: Paper) -> Paper:
    """Last year's form had other items: what it says of them is no fault of this year's."""
    changed = _last_year(replace(paper, points={1: "8分"}, criteria={20: "每年组织会员日活动一次以上。"}))
    return changed.scored(8, "", None)


FAULTS: Mapping[str, Change] = {
    "score-missing": _missing(8),
    "scores-missing": _missing(1, 20, 52),
    "score-not-a-number": _not_numbers,
    "score-over-max": lambda p: p.scored(45, "2", 2, "score.over_max"),
    "score-over-max-a-little": lambda p: p.scored(1, "10.5", "10.5", "score.over_max"),
    "score-negative": lambda p: p.scored(42, "-1", -1, "score.negative"),
    "total-missing": lambda p: p.totalled("", None, "total.missing"),
    "total-mismatch": _wrong_sum,
    "total-capped": _capped_sum,
    "evidence-missing": lambda p: p.because(20, "", "evidence.missing"),
    "evidence-only-a-word": lambda p: p.because(35, "无", "evidence.missing").because(
        41, " ", "evidence.missing"
    ),
    "evidence-unsupported": lambda p: p.because(
        8, "举办会员继续教育培训1期，参加80人", "evidence.unsupported"
    ).because(46, "2018年被评为3A级社会组织", "evidence.unsupported"),
    "organization-missing": lambda p: replace(p, organization=None),
    "wrong-year": _last_year,
    "wrong-year-other-items": _last_years_own,
    "altered-points": _other_points,
    "altered-text": _other_words,
    "altered-number": _fewer_sessions,
    "row-removed": lambda p: p.without(47),
    "row-added": _more_rows,
    "many-faults": _everything,
}
"""By what is wrong."""


def _zeros(paper: Paper) -> Paper:
    for no, written in zip((5, 11, 20, 30, 47, 48), ("0", "无", "/", "-", "—", "０分"), strict=True):
        paper = paper.scored(no, written, 0).because(no, "")
    return paper


def _numeral(number: Decimal) -> str:
    whole, _, part = plain(number).partition(".")
    tens, ones = divmod(int(whole), 10)
    said = _NUMERALS[ones] if ones or not tens else ""
    if tens:
        said = ("" if tens == 1 else _NUMERALS[tens]) + "十" + said
    return said + ("点" + "".join(_NUMERALS[int(digit)] for digit in part) if part else "")


def _ways(paper: Paper) -> Paper:
    spell: tuple[Change | Callable[[Decimal], str], ...] = (
        lambda n: f"{plain(n)}分",
        lambda n: plain(n).translate(_FULL_WIDTH),
        lambda n: f"{n:.1f}",
        _numeral,
        lambda n: f" {plain(n)} ",
        lambda n: f"{n:.2f}分",
        lambda n: f"得{plain(n)}分",
        lambda n: f"{_numeral(n)}分",
    )
    written = {no: spell[i % len(spell)](_claim(paper, no)) for i, no in enumerate(NOS)}  # type: ignore[arg-type]
    return replace(paper, written=written, total=f"{plain(paper.stated or Decimal())}分")  # type: ignore[arg-type]


def _retouched(paper: Paper) -> Paper:
    """The same words with other signs, blanks and line breaks, and a slip of the pen."""
    criteria = {
        no: RUBRIC.by_no[no].criterion.replace(",", "，").replace("。", "").replace("、", "､ ") for no in NOS
    }
    criteria[13] = criteria[13].replace("“", "「").replace("”", "」")
    criteria[24] = criteria[24].replace("主题活动", "主题 活动\n")
    criteria[36] = criteria[36].replace("专职秘书长", "专职的秘书长")
    return replace(paper, criteria=criteria)


def _in_remarks(paper: Paper) -> Paper:
    for no in (17, 42):
        paper = replace(paper.because(no, ""), remarks={**paper.remarks, no: f"见佐证材料第{no}页"})
    return paper


def _anew(paper: Paper) -> Paper:
    return replace(paper, numbers={no: str(place) for place, no in enumerate(NOS, start=1)})


def _long(paper: Paper) -> Paper:
    told = "；".join(
        f"{month}月举办“浙江省第{month + 3}届学术沙龙”（总第{month}期），参会{month * 17}人，交流报告{month}篇"
        for month in range(1, 13)
    )
    return paper.because(1, f"全年共举办学术会议12场：{told}。").because(
        36, "1、党建工作小组3人；\n2、2019年12月换届；\n3、监事会3人；\n4、制度18项；\n5、专职5人。"
    )


NEAR_MISSES: Mapping[str, Change] = {
    "zeros": _zeros,
    "numbers-with-units": lambda p: p.spelled(lambda n: f"{plain(n)}分"),
    "numbers-full-width": lambda p: p.spelled(lambda n: plain(n).translate(_FULL_WIDTH)),
    "numbers-in-words": lambda p: p.spelled(_numeral),
    "numbers-in-every-way": _ways,
    "words-retouched": _retouched,
    "points-without-unit": lambda p: replace(p, points={i.no: plain(i.points) for i in RUBRIC.items}),
    "evidence-in-remarks": _in_remarks,
    "numbered-anew": _anew,
    "without-numbers": lambda p: replace(p, numbers=dict.fromkeys(NOS, "")),
    "subtotals": lambda p: replace(p, subtotals=True),
    "total-called-otherwise": lambda p: replace(p, total_label="合 计"),
    "title-otherwise": lambda p: replace(p, title="附表：2020年度 省级学会工作自评估表"),
    "long-evidence": _long,
}
"""What is right, although it looks odd."""
