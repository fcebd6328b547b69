"""Findings as the numbered points of a letter: grouped, in order of importance, each with what is wanted. Pure.

Only findings of severity error reach an organization; everything else is for staff.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from mailbot.model import Code, Finding, Role, Severity
from mailbot.reading import LAST_VOLUME
from mailbot.report.wording import LACKING, item_name, listed, numbers, points, quoted, why_no_score
from mailbot.rubric import Rubric

_MOST_LINES = 4
"""Most single cases written out under one point; the rest are named by their numbers."""
_CROWDED = 24
"""With more errors than this one case is written out under a point as an example."""
_NAMED_ITEMS = 3
"""Up to so many items of a group are named with their criterion."""
SCORES = (Code.SCORE_MISSING, Code.SCORE_NOT_A_NUMBER, Code.SCORE_OVER_MAX, Code.SCORE_NEGATIVE)
"""Faults whose mending changes the total."""
_ADVICE = {
    Code.DOCUMENT_UNREADABLE: "无法打开，可能已损坏，请确认在电脑上能正常打开，另存为docx、xlsx或pdf格式后重新发送",
    Code.DOCUMENT_ENCRYPTED: "设有打开密码，无法读取，请去掉密码后重新发送",
    Code.DOCUMENT_UNSUPPORTED: "的格式无法读取，请另存为docx、xlsx或pdf格式后重新发送",
    Code.DOCUMENT_EMPTY: "是空文件，没有内容，请检查后重新发送",
    Code.DOCUMENT_TOO_LARGE: "过大，无法读取，请压缩或拆分后重新发送",
}

_VOLUME = re.compile(r"\.(?:(?:zip|7z|rar)\.\d{3}|z\d{2}|part\d+\.rar)$", re.IGNORECASE)
"""One of several volumes of an archive."""
_OF_VOLUMES = "是分卷压缩包，无法读取，请把里面的文件直接作为附件发送，或改用不分卷的压缩包"

_COMMON = re.compile(r"\.(?:docx?|xlsx?|wps|et|pdf)$", re.IGNORECASE)
"""Endings of files that their senders take for readable ones."""
_STRANGE_INSIDE = (
    "的内容无法识别，可能已损坏或经加密软件加密，请确认未加密、在其他电脑上也能正常打开后重新发送"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherYear:
    """A summary or plan that came and is of another year than is asked for."""

    filename: str
    role: Role
    year: int
    """Of the summary, or of the plan where it is no summary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One numbered point: what it is and what is wanted, with the single cases where they differ."""

    text: str
    lines: tuple[str, ...] = ()


def for_sender(
    findings: Iterable[Finding],
    rubric: Rubric,
    *,
    form_came: bool,
    forgotten: bool = False,
    pictures: Sequence[str] = (),
    of_other_years: Sequence[OtherYear] = (),
) -> tuple[Point, ...]:
    """The points of a correction letter, most important first.

    `form_came`: a filled form has been received; `forgotten`: the mail names an attachment and carries none;
    `pictures`: file names of those in which nothing was recognized; `of_other_years`: what came in place of what lacks.
    """
    errors = [f for f in dict.fromkeys(findings) if f.severity is Severity.ERROR]
    most = _MOST_LINES if len(errors) <= _CROWDED else 1
    return tuple(
        point
        for write in (
            lambda found: _missing(
                found, pictures, tuple(_dated(of_other_years, rubric)), forgotten=forgotten
            ),
            _blank,
            _wrong_year,
            lambda found: _organization(found, form_came=form_came),
            lambda found: _altered(found, rubric, most),
            lambda found: _not_filled(found, rubric),
            lambda found: _not_a_number(found, rubric, most),
            lambda found: _over_max(found, rubric, most),
            lambda found: _negative(found, rubric, most),
            _total,
            lambda found: _without_evidence(found, rubric),
        )
        for point in write(errors)
    )


def _of(errors: Sequence[Finding], *codes: Code) -> list[Finding]:
    return [f for f in errors if f.code in codes]


def _missing(
    errors: Sequence[Finding], pictures: Sequence[str], dated: Sequence[str], *, forgotten: bool
) -> Iterator[Point]:
    """What lacks, joined with the files that could not be taken for it: one point, one advice."""
    roles = listed(LACKING[f.code] for f in _of(errors, *LACKING))
    files = (*_files(errors), *_links(errors), *((*_pictures(pictures, roles), *dated) if roles else ()))
    lacks = f"尚缺{roles}。" if roles else ""
    if len(files) > 1:
        yield Point(text=f"{lacks}来件中有下列文件不能采用，请处理后重新发送：", lines=files)
    elif files:
        yield Point(text=f"{lacks}来件中的{files[0]}")
    elif roles and forgotten:
        yield Point(text=f"邮件中提到附件，但收到的邮件里没有附件。请将{roles}作为附件重新发送。")
    elif roles:
        yield Point(text=f"尚缺{roles}，请补报。")


def _files(errors: Sequence[Finding]) -> Iterator[str]:
    files = _of(errors, *_ADVICE)
    volumes = [f for f in files if f.found == LAST_VOLUME or _VOLUME.search(f.document or "")]
    strange = [f for f in files if f not in volumes and _is_strange_inside(f)]
    left = [f for f in files if f not in volumes and f not in strange]
    for advice, found in (
        (_OF_VOLUMES, volumes),
        *((advice, _of(left, code)) for code, advice in _ADVICE.items()),
        (_STRANGE_INSIDE, strange),
    ):
        names = "".join(dict.fromkeys(quoted(f.document or "", 60) for f in found))
        if found:
            yield f"文件{names}{advice}。"


def _is_strange_inside(one: Finding) -> bool:
    """Whether a file has the name of a readable format and contents of none, as encrypting programs leave them.

    Its sender must not be asked to save it in the format whose name it bears already.
    """
    return (
        one.code is Code.DOCUMENT_UNSUPPORTED and not one.found and bool(_COMMON.search(one.document or ""))
    )


def _links(errors: Sequence[Finding]) -> Iterator[str]:
    links = _of(errors, Code.DELIVERY_LINK_ONLY)
    if links:
        names = "".join(dict.fromkeys(_link_name(f) for f in links))
        which = f"文件{names}" if names else "部分文件"
        yield (f"{which}是超大附件或网盘链接，没有随邮件送达，请把文件作为普通附件直接发送，过大的请先压缩。")


def _link_name(link: Finding) -> str:
    return "" if "://" in link.found else quoted(link.found, 60)


def _dated(documents: Sequence[OtherYear], rubric: Rubric) -> Iterator[str]:
    summary, plan = f"{rubric.year}年度工作总结", f"{rubric.year + 1}年度工作计划"
    wanted = {Role.SUMMARY: summary, Role.PLAN: plan, Role.SUMMARY_AND_PLAN: f"{summary}和{plan}"}
    for one in documents:
        yield f"文件{quoted(one.filename, 60)}是{one.year}年度的，请报送{wanted[one.role]}。"


def _pictures(names: Sequence[str], roles: str) -> Iterator[str]:
    if names:
        which = "".join(dict.fromkeys(quoted(name, 60) for name in names))
        yield f"图片{which}未能识读出内容；如系{roles}，请改发电子表格或文字文档，或重新拍摄、扫描清晰后发送。"


def _blank(errors: Sequence[Finding]) -> Iterator[Point]:
    for one in _of(errors, Code.FORM_BLANK)[:1]:
        yield Point(
            text=f"自评表{quoted(one.document or '', 60)}尚未填写自评分。请逐项填写自评分和自评依据后重新发送。"
        )


def _wrong_year(errors: Sequence[Finding]) -> Iterator[Point]:
    for one in _of(errors, Code.FORM_WRONG_YEAR)[:1]:
        wanted = f"{one.wanted}年度" if one.wanted.isdigit() else "本年度"
        found = f"，表上年度为{quoted(one.found)}" if one.found else ""
        yield Point(text=f"自评表不是{wanted}的表{found}。请改用{wanted}自评表填报。")


def _organization(errors: Sequence[Finding], *, form_came: bool) -> Iterator[Point]:
    if _of(errors, Code.ORGANIZATION_MISSING):
        where = "自评表“填报单位”一栏" if form_came else "邮件正文或材料标题中"
        yield Point(text=f"未能从来件中看出报送单位。请在{where}写明贵单位全称。")


def _altered(errors: Sequence[Finding], rubric: Rubric, most: int) -> Iterator[Point]:
    found = _of(errors, Code.FORM_ALTERED)
    if found:
        yield Point(
            text="自评表的项目与通知所附表格不一致。请按原表恢复项目、内容和分值，不要增减或改动：",
            lines=_limited(found, [_alteration(f, rubric) for f in found], most, _by_number),
        )


def _alteration(one: Finding, rubric: Rubric) -> str:
    now, due = quoted(one.found), quoted(one.wanted)
    if one.item is None:
        return f"表中多出一行{now}。" if now else "表中的行有增减。"
    if not now:
        return f"缺少{item_name(rubric, one.item)}。"
    name = item_name(rubric, one.item)
    if _is_number(one.wanted):
        return f"{name}分值现为{now}，应为{one.wanted.removesuffix('分')}分。"
    return f"{name}内容现为{now}" + (f"，应为{due}。" if due else "，与原表不同。")


def _is_number(text: str) -> bool:
    return text.removesuffix("分").replace(".", "", 1).isdecimal()


def _not_filled(errors: Sequence[Finding], rubric: Rubric) -> Iterator[Point]:
    items = _items(_of(errors, Code.SCORE_MISSING))
    if items:
        yield Point(text=f"{_group(items, rubric)}未填自评分。请补填；没有得分的请填0。")


def _without_evidence(errors: Sequence[Finding], rubric: Rubric) -> Iterator[Point]:
    found = _of(errors, Code.EVIDENCE_MISSING)
    written = next((quoted(f.found, 10) for f in found if f.found), "")
    said = f"（填{written}等的视为未填）" if written else ""
    if found:
        yield Point(text=f"{_group(_items(found), rubric)}未填自评依据{said}。请补填相应的工作实效。")


def _not_a_number(errors: Sequence[Finding], rubric: Rubric, most: int) -> Iterator[Point]:
    yield from _cases(
        _of(errors, Code.SCORE_NOT_A_NUMBER),
        rubric,
        lambda f: why_no_score(f.found),
        "请填写一个数字，如4或4.5",
        most,
    )


def _over_max(errors: Sequence[Finding], rubric: Rubric, most: int) -> Iterator[Point]:
    yield from _cases(
        _of(errors, Code.SCORE_OVER_MAX),
        rubric,
        lambda f: f"超过本项分值{_maximum(f, rubric)}",
        "请在分值以内重新填写",
        most,
    )


def _negative(errors: Sequence[Finding], rubric: Rubric, most: int) -> Iterator[Point]:
    yield from _cases(_of(errors, Code.SCORE_NEGATIVE), rubric, lambda _: "小于0", "没有得分的请填0", most)


def _total(errors: Sequence[Finding]) -> Iterator[Point]:
    """The total that is wrong, or that will be when a score has been mended: else that asks for a second letter."""
    rows_change = any(f.item is None or not f.found for f in _of(errors, Code.FORM_ALTERED))
    changed = "自评分改动后" if _of(errors, *SCORES) else "项目恢复后" if rows_change else ""
    if changed and not _of(errors, Code.TOTAL_MISMATCH):
        yield Point(text=f"{changed}，请将“总计”相应改为各项自评分之和。")
    for one in _of(errors, Code.TOTAL_MISMATCH)[:1]:
        summed = f"为{one.wanted.removesuffix('分')}分" if one.wanted else "与此不同"
        said = f"“总计”填{quoted(one.found)}，而各项自评分之和{summed}。"
        yield Point(text=said + wanted_of_total(errors))


def wanted_of_total(errors: Iterable[Finding]) -> str:
    """What is wanted of a total that is not the sum: the sum changes where scores are to be mended as well."""
    if any(f.code in SCORES for f in errors):
        return "请先更正上述自评分，再将“总计”改为更正后的各项自评分之和。"
    return "请核对各项自评分和总计，使两者一致。"


def _cases(
    found: Sequence[Finding], rubric: Rubric, wrong: Callable[[Finding], str], wanted: str, most: int
) -> Iterator[Point]:
    """One case in a sentence of its own; several as lines under what is wanted of them all."""
    said = [f"{_item(f, rubric)}自评分填{quoted(f.found, 20) or '的内容'}，{wrong(f)}。" for f in found]
    if len(found) == 1:
        yield Point(text=f"{said[0]}{wanted}。")
    elif found:
        yield Point(
            text=f"下列自评分需要更正，{wanted}：",
            lines=_limited(found, said, most, _as_written),
        )


def _limited(
    found: Sequence[Finding], said: Sequence[str], most: int, rest: Callable[[Sequence[Finding]], str]
) -> tuple[str, ...]:
    """Most single cases in full, and what the others have in common."""
    if len(found) <= most + 1:
        return tuple(dict.fromkeys(said))
    return (*dict.fromkeys(said[:most]), rest(found[most:]))


def _by_number(found: Sequence[Finding]) -> str:
    items = _items(found)
    return f"{numbers(items)}有同样问题。" if items else f"另有{len(found)}处同样问题。"


def _as_written(found: Sequence[Finding]) -> str:
    """第5、6项填“6”、第9项填“7”，均有同样问题。"""
    items: dict[str, list[int]] = {}
    for one in found:
        items.setdefault(quoted(one.found, 12) or "的内容", []).append(one.item or 0)
    return f"{'、'.join(f'{numbers(some)}填{what}' for what, some in items.items())}，均有同样问题。"


def _items(found: Iterable[Finding]) -> list[int]:
    return sorted({f.item for f in found if f.item is not None})


def _group(items: Sequence[int], rubric: Rubric) -> str:
    """第4、8、14项, a few of them with their criterion in short."""
    if len(items) == len(rubric.items):
        return f"全部{len(items)}项"
    if len(items) > _NAMED_ITEMS:
        return numbers(items)
    return "、".join(item_name(rubric, no) for no in items)


def _item(one: Finding, rubric: Rubric) -> str:
    return item_name(rubric, one.item) if one.item is not None else "表中"


def _maximum(one: Finding, rubric: Rubric) -> str:
    item = rubric.by_no.get(one.item or 0)
    most = points(item.points) if item else one.wanted.removesuffix("分")
    return f"{most}分" if most else ""
