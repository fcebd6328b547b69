"""What stands above and below a form: its title with the year, who reports, and the total where no row states it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mailbot.form.columns import Row
from mailbot.form.match import folded
from mailbot.reading import PICTURE, Extract
from mailbot.registry import clean, organization_names

_YEAR = r"(?P<year>20[0-9]{2}|二[〇零○Oo0]{1}[〇零○Oo0一二三四五六七八九]{2})"
_TITLE = re.compile(
    rf"(?:附[件表][0-9一二三]?[:：]?)?[^0-9]{{0,20}}?{_YEAR}年?度?[^0-9。；;]{{0,25}}自评(?:估|价)?表.{{0,12}}"
)
_UNDATED = re.compile(r"[^0-9。；;]{0,30}自评(?:估|价)?表.{0,12}")
_DATED_BEHIND = re.compile(rf"[^0-9。；;]{{0,30}}自评(?:估|价)?表[(\[【]{_YEAR}年?度[)\]】]")
_YEAR_ALONE = re.compile(rf"[(\[【]?{_YEAR}年?度[)\]】]?[^0-9。；;自]{{0,20}}")
_NUMERALS = {"〇": "0", "零": "0", "○": "0", "O": "0", "o": "0"} | {
    n: str(i) for i, n in enumerate("〇一二三四五六七八九")
}

_WHO = "|".join(
    " *".join(word)
    for verb in ("填报", "填表", "申报", "自评", "报送", "上报")
    for word in (f"{verb}单位名称", f"{verb}学会名称", f"{verb}单位", f"{verb}学会")
)
_WHO += "|" + "|".join(" *".join(word) for word in ("单位名称", "学会名称", "单位全称", "学会全称"))
_LABEL = re.compile(rf"^(?:{_WHO})(?:\((?:盖?公?章|加盖公章|盖单位公章|单位盖章)\))?[:：]?")
_SHORT_LABEL = re.compile(r"^(?:单位|学会|协会)(?:\([^()]{0,8}章\))?[:：]")
"""A label only where the name of an organization follows: alone 单位 may also mean the unit of a column."""
_LABEL_INSIDE = re.compile(rf"(?:^|[\s|])(?:{_WHO})[ ]*(?:\([^()]{{0,8}}章\))?[ ]*[:：]")
_NEXT_LABEL = re.compile(
    r"(?:填报|填表|上报|报送|自评)?(?:日期|时间|人)(?:[:：]|$)|联系(?:人|电话|方式)|(?:自评)?(?:总得?分|总计|合计)[:：]|(?:电话|手机|邮箱|负责人)[:：]|[0-9]{4}年"
)
_PLACEHOLDER = re.compile(
    r"[xX×*＊某○]*(?:学会|协会|研究会)?|浙江省[xX×*＊_某○]*(?:学会|协会|研究会)|名称|全称|请填写.*|"
    + re.escape(PICTURE)
)
_TOTAL = re.compile(
    r"(?:[^0-9]{0,60}?自评(?:得?分)?(?:总得?分|合计|总计)|合计|总计|总得?分|合计得分)(?:得?分)?(?:为|是|共计?)?:?"
    r"(?P<number>[0-9]{1,3}(?:\.[0-9]{1,2})?)分?[。;]?"
)
_LONGEST_NAME, _LONGEST_LINE, _LONGEST_TEXT = 40, 400, 300_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What the surroundings of a form say."""

    year: int | None
    title: str
    """The line that states the year; '' where none does."""
    organization: str | None
    total: str = ""
    """The one number that a line of its own states as the sum."""


def heading(extract: Extract, around: Sequence[Row]) -> Heading:
    """Read title and 填报单位: from the rows around the form in its table first, else from the running text."""
    own = [line for row in around for cell in row for line in _lines(cell.text)]
    running = list(_outside(extract))
    title, year = _title(own)
    if year is None:
        title, year = _title([*(_folded(h) for h in extract.headings), *running])
    name = (
        _in_rows(around) or _in_lines(running) or _in_loose_rows(extract) or _behind_short_label(own, running)
    )
    return Heading(year=year, title=title, organization=name, total=_total([*own, *running]))


def _total(lines: Sequence[str]) -> str:
    bare = ("".join(line.split()) for line in lines)
    stated = {match["number"] for line in bare if (match := _TOTAL.fullmatch(line)) is not None}
    return stated.pop() if len(stated) == 1 else ""


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace("\xa0", " ")


def _lines(text: str) -> list[str]:
    return [line for line in _folded(text).splitlines() if line.strip()]


def _outside(extract: Extract) -> Iterable[str]:
    """Lines of the running text that do not come from a table of many columns."""
    for line in folded(extract.text[:_LONGEST_TEXT]).replace("\xa0", " ").splitlines():
        if line.strip() and line.strip().count("\t") < 3:
            yield line[:_LONGEST_LINE]


def form_titles(lines: Iterable[str]) -> tuple[str, ...]:
    """Those of the lines that read as the title of a self-assessment form, dated or not."""
    bare = ("".join(line.split()) for line in lines)
    return tuple(
        line for line in bare if len(line) <= 60 and (_TITLE.fullmatch(line) or _UNDATED.fullmatch(line))
    )


def _title(lines: Sequence[str]) -> tuple[str, int | None]:
    """The title's line and year. The rubric's year need not be known here: the last title that is dated counts."""
    bare = ["".join(line.split()) for line in lines]
    found: tuple[str, int | None] = ("", None)
    for index, line in enumerate(bare):
        if len(line) > 60:
            continue
        match = _TITLE.fullmatch(line) or _DATED_BEHIND.fullmatch(line)
        if match is None and _UNDATED.fullmatch(line):
            near = bare[max(0, index - 1) : index] + bare[index + 1 : index + 2]
            match = next((m for each in near if (m := _YEAR_ALONE.fullmatch(each))), None)
        if match is not None:
            found = (line, _year(match["year"]))
    return found


def _year(text: str) -> int:
    return int("".join(_NUMERALS.get(character, character) for character in text))


def _in_rows(rows: Sequence[Row]) -> str | None:
    """The name in a table: behind its label in the same cell, or in the next cells of its row."""
    for row in rows:
        for index, cell in enumerate(row):
            for line in _lines(cell.text):
                match = _LABEL.match("".join(line.split()))
                if match is None:
                    continue
                behind = _in_lines([line])
                if behind is not None:
                    return behind
                following = (_name(other.text) for other in row[index + 1 :] if other.text.strip())
                name = next(following, None)
                if name is not None:
                    return name
    return None


def _in_loose_rows(extract: Extract) -> str | None:
    """The name in a small table of its own above the form."""
    for table in extract.tables:
        if len(table.rows) <= 6:
            name = _in_rows(table.rows)
            if name is not None:
                return name
    return None


def _behind_short_label(*texts: Sequence[str]) -> str | None:
    bare = ("".join(line.split()) for lines in texts for line in lines)
    names = (_name(line[match.end() :]) for line in bare if (match := _SHORT_LABEL.match(line)) is not None)
    return next((name for name in names if name and organization_names(name) == (name,)), None)


def _in_lines(lines: Sequence[str]) -> str | None:
    for index, line in enumerate(lines):
        match = _LABEL_INSIDE.search(line) or _LABEL.match(line)
        if match is None:
            continue
        name = _name(line[match.end() :])
        if name is None and index + 1 < len(lines):
            name = _name_below(lines[index + 1])
        if name is not None:
            return name
    return None


def _name_below(line: str) -> str | None:
    """The name on the line beneath its label, where it is nothing but a name."""
    name = _name(line)
    return name if name is not None and organization_names(name) == (name,) else None


def _name(text: str) -> str | None:
    """A name cleaned of blanks, underscores and (盖章), without what follows it on its line; None if nothing is left."""
    said = _folded(text).replace("\t", " ").strip()
    said = said.split("\n")[0]
    following = _NEXT_LABEL.search(said)
    if following:
        said = said[: following.start()]
    name = clean(said)
    if name.count("(") > name.count(")"):
        name += ")"
    if not name or len(name) > _LONGEST_NAME or _PLACEHOLDER.fullmatch(name) or _LABEL.match(name):
        return None
    return name
