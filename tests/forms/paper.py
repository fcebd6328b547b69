"""A form as a society fills it in: what it claims, how it writes it down, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from random import Random

from mailbot import rubric as rubrics
from mailbot.demo.forms import Society
from mailbot.demo.forms import evidence as demo_evidence
from tests.forms.writers import HEADER

RUBRIC = rubrics.load(Path(__file__).resolve().parents[2] / "rubric" / "2020.toml")
NOS = tuple(item.no for item in RUBRIC.items)
Grid = list[list[str]]

_PLACES = ("浙江省", "浙江省", "浙江")
_FIELDS = (
    *("水产", "林业", "蚕桑", "测绘与地理信息", "计量测试", "电机动力", "岩土力学与工程", "中药材产业"),
    *("营养", "心理卫生", "针灸", "茶叶", "汽车工程", "纺织工程", "标准化", "照明电器", "公路", "生态"),
)
_KINDS = ("学会", "学会", "学会", "协会", "研究会")
_MORE = (
    "1.详见附件{n}；\n2.其余见年度工作总结第{n}页。",
    "（1）省级以上活动{n}次；（2）会员参与率92.5%，满意度≥95%。",
    "证明材料：《会议纪要》〔2020〕{n}号、签到表、照片等。",
    "其中 6月18日—20日在杭州举行，线上直播观看1.2万人次（腾讯会议、B站），经费50000元。",
)


def plain(number: Decimal) -> str:
    """A number as a person writes it."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(frozen=True, kw_only=True)
class Paper:
    """One filled form. `claims` is what is meant, `written` what stands in the cell."""

    organization: str | None
    claims: Mapping[int, Decimal | None]
    written: Mapping[int, str]
    evidence: Mapping[int, str]
    stated: Decimal | None
    total: str
    """What stands in the cell of the total."""
    findings: tuple[str, ...] = ()
    title: str = RUBRIC.title
    year: int | None = RUBRIC.year
    criteria: Mapping[int, str] = field(default_factory=dict)
    points: Mapping[int, str] = field(default_factory=dict)
    remarks: Mapping[int, str] = field(default_factory=dict)
    numbers: Mapping[int, str] = field(default_factory=dict)
    """What stands as 序号 where it is not the rubric's."""
    added: tuple[tuple[str, ...], ...] = ()
    """Rows that no item of the rubric is, as they stand below the items."""
    total_label: str = "总计"
    subtotals: bool = False

    @property
    def items(self) -> tuple[int, ...]:
        return tuple(no for no in NOS if no in self.claims)

    @property
    def sum(self) -> Decimal | None:
        known = [claim for claim in self.claims.values() if claim is not None]
        return sum(known, Decimal()) if known else None

    @property
    def filler(self) -> str:
        """The line that says who fills it in."""
        return f"填报单位：{self.organization or ''}（盖章）"

    def scored(self, no: int, written: str, claim: Decimal | int | str | None, *findings: str) -> Paper:
        """Another score, and the total changed along with it as far as it was right."""
        meant = None if claim is None else Decimal(claim)
        changed = replace(
            self,
            claims={**self.claims, no: meant},
            written={**self.written, no: written},
            findings=(*self.findings, *(f"{code}#{no}" for code in findings)),
        )
        was_right = self.stated == self.sum
        return changed.totalled(plain(changed.sum or Decimal()), changed.sum) if was_right else changed

    def because(self, no: int, evidence: str, *findings: str) -> Paper:
        """Another evidence."""
        return replace(
            self,
            evidence={**self.evidence, no: evidence},
            findings=(*self.findings, *(f"{code}#{no}" for code in findings)),
        )

    def totalled(self, written: str, stated: Decimal | None, *findings: str) -> Paper:
        """Another total."""
        return replace(self, total=written, stated=stated, findings=(*self.findings, *findings))

    def spelled(self, spell: Callable[[Decimal], str]) -> Paper:
        """The same numbers, written differently."""
        return replace(
            self,
            written={no: self.written[no] if c is None else spell(c) for no, c in self.claims.items()},
            total=spell(self.stated) if self.stated is not None else self.total,
        )

    def found(self, *findings: str) -> Paper:
        """With something more that is to be noticed."""
        return replace(self, findings=(*self.findings, *findings))

    def without(self, no: int) -> Paper:
        """The row of an item taken out."""
        claims = {n: claim for n, claim in self.claims.items() if n != no}
        left = replace(self, claims=claims)
        return left.totalled(plain(left.sum or Decimal()), left.sum).found(f"form.altered#{no}")

    def grid(self) -> Grid:
        """The rows of the form in eight columns: header, items, total. 类别 and 项目 stand in their first row only."""
        return [list(HEADER), *self._body(), self._last()]

    def _body(self) -> Iterator[list[str]]:
        sums = {category.name: category.points for category in RUBRIC.categories}
        category = group = ""
        for item in RUBRIC.items:
            if item.no not in self.claims:
                continue
            name = f"{item.category} ({plain(sums[item.category])}分)"
            if self.subtotals and category and name != category:
                yield ["", "", "", "小计", "", "", "", ""]
            first_of_group = (name, item.group) != (category, group)
            yield [
                self.numbers.get(item.no, str(item.no)),
                "" if name == category else name,
                item.group if first_of_group else "",
                self.criteria.get(item.no, item.criterion),
                self.points.get(item.no, f"{plain(item.points)}分"),
                self.written[item.no],
                self.evidence[item.no],
                self.remarks.get(item.no, ""),
            ]
            category, group = name, item.group
        yield from ([*row] for row in self.added)

    def _last(self) -> list[str]:
        return [self.total_label, "", "", "", f"{plain(RUBRIC.total)}分", self.total, "", ""]

    def expected(self, filename: str, read_by: str) -> dict[str, object]:
        """The assessment that a reader is to find."""
        return {
            "document": filename,
            "organization": self.organization,
            "year": self.year,
            "read_by": read_by,
            "items": [
                [no, None if (claim := self.claims[no]) is None else plain(claim), self.evidence[no]]
                for no in self.items
            ],
            "stated_total": None if self.stated is None else plain(self.stated),
            "total": None if self.sum is None else plain(self.sum),
        }


def draw(key: str) -> Paper:
    """A right form; another key, another society with other points and other evidence."""
    chance = Random(f"paper {key}")
    name = f"{chance.choice(_PLACES)}{chance.choice(_FIELDS)}{chance.choice(_KINDS)}"
    society = Society(key=key, name=name, email="", person="", field=name.removeprefix("浙江省")[:2])
    claims: dict[int, Decimal | None] = {}
    evidence = demo_evidence(society, RUBRIC)
    for item in RUBRIC.items:
        less = chance.choice(("0", "0", "0", "0.5", "1", "1.5", "0.2"))
        claims[item.no] = max(item.points - Decimal(less), Decimal("0.5"))
        if chance.random() < 0.3:
            evidence[item.no] += "\n" + chance.choice(_MORE).format(n=chance.randint(2, 30))
    paper = Paper(
        organization=name,
        claims=claims,
        written={no: plain(claim or Decimal()) for no, claim in claims.items()},
        evidence=evidence,
        stated=None,
        total="",
    )
    return paper.totalled(plain(paper.sum or Decimal()), paper.sum)


def merges(
    grid: Sequence[Sequence[str]], columns: Sequence[int] = (1, 2)
) -> Iterator[tuple[int, int, int, int]]:
    """The cells that are merged downwards, and 总计 to the right: first row, first column, last row, last column."""
    last = len(grid) - 1
    for column in columns:
        start = 1
        for row in range(2, last + 1):
            if row == last or grid[row][column]:
                if row - 1 > start:
                    yield start, column, row - 1, column
                start = row
    yield last, 0, last, 3
