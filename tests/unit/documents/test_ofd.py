"""OFD files written here after GB/T 33190-2016, from the characters and lines of a real PDF of the form."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from mailbot import rubric as rubrics
from mailbot.documents import ofd
from mailbot.documents.needs import NeedsHelp
from mailbot.errors import DangerousError, UnreadableError, UnsupportedError
from mailbot.model import Format, ReadBy
from tests.conftest import require_chinese_font
from tests.forms import writers
from tests.forms.ofds import line, package, pages, picture, text

RUBRIC = rubrics.load(Path("rubric/2020.toml"))


@pytest.fixture(autouse=True)
def _chinese_font() -> None:
    require_chinese_font()


SCORES, EVIDENCE = writers.full_scores(RUBRIC), writers.some_evidence(RUBRIC)
WHOLE = [["".join(text.split()) for text in row] for row in writers.rows(RUBRIC, SCORES, EVIDENCE)]


def _texts(extract: Any) -> list[list[str]]:
    return [["".join(cell.text.split()) for cell in row] for row in extract.tables[0].rows]


@pytest.mark.parametrize(
    "layout",
    [
        {},
        {"ruled": False},
        {"split_rows": True, "repeat_header": False, "landscape": False},
        {"merged": True},
    ],
)
def test_the_form_is_one_table(layout: dict[str, Any]) -> None:
    extract = ofd.read(package(pages(writers.pdf_form(RUBRIC, SCORES, EVIDENCE, **layout))))
    assert (extract.format, extract.read_by) == (Format.OFD, ReadBy.TEXT)
    assert _texts(extract) == WHOLE
    assert extract.headings[0] == RUBRIC.title
    assert extract.tables[0].rows[-1][0].place.startswith("第")


def test_deltas_may_be_grouped_and_an_object_scaled() -> None:
    grouped = text("二〇二〇年度工作总结", 20, 20, 4.0, deltas="g 9 4")
    scaled = text("下一年度工作计划已附", 10, 30, 8.0, deltas="g 9 8", ctm="0.5 0 0 0.5 0 0")
    extract = ofd.read(package([grouped + scaled]))
    assert extract.text.split("\n") == ["二〇二〇年度工作总结", "下一年度工作计划已附"]


def test_a_template_is_part_of_each_page_that_uses_it() -> None:
    extract = ofd.read(
        package([text("本页正文内容若干字", 20, 60)], template=text("浙江省示例学会文件", 20, 10))
    )
    assert extract.text.split("\n") == ["浙江省示例学会文件", "本页正文内容若干字"]


def test_an_electronic_seal_is_seen() -> None:
    page = text("加盖电子印章的工作总结", 20, 20)
    assert ofd.read(package([page], sealed=True)).seal is True
    assert ofd.read(package([page])).seal is None


def test_filled_bars_are_lines_and_hidden_text_is_not_read() -> None:
    grid = [
        ["序号", "项目", "分值", "自评分", "备注"],
        ["1", "学术引领", "10分", "9", ""],
        ["4", "研讨交流", "5分", "5", ""],
    ]
    columns, height = (20, 40, 80, 110, 140, 170), 12
    bars = "".join(
        f'<ofd:PathObject ID="9" Boundary="20 {20 + height * n} 150 0.3" Stroke="false" Fill="true"><ofd:AbbreviatedData>'
        "M 0 0 L 150 0 L 150 0.3 L 0 0.3 C</ofd:AbbreviatedData></ofd:PathObject>"
        for n in range(4)
    ) + "".join(line(x, 20, x, 20 + 3 * height) for x in columns)
    words = "".join(
        text(said, columns[c] + 2, 22 + height * r)
        for r, row in enumerate(grid)
        for c, said in enumerate(row)
        if said
    )
    hidden = text("看不见", 142, 34).replace("<ofd:TextObject", '<ofd:TextObject Visible="false"')
    assert _texts(ofd.read(package([bars + words + hidden]))) == grid


def test_a_slanted_watermark_is_not_read() -> None:
    across = text("内部资料", 20, 24, 20.0, ctm="0.7071 0.7071 -0.7071 0.7071 0 0")
    extract = ofd.read(package([text("二〇二〇年度工作总结", 20, 20) + across]))
    assert extract.text == "二〇二〇年度工作总结"


def test_a_scan_wants_recognition_and_its_pictures_are_found() -> None:
    scan = package([picture("4"), picture("5")], pictures={"4": b"first", "5": b"second"})
    with pytest.raises(NeedsHelp):
        ofd.read(scan)
    assert list(ofd.pictures(scan)) == [b"first", b"second"]


@pytest.mark.parametrize("page", ["", picture("4"), picture("4", 30, 30)])
def test_neither_text_nor_a_page_in_a_picture_is_unsupported(page: str) -> None:
    with pytest.raises(UnsupportedError):
        ofd.read(package([page], pictures={"9": b"logo"} if "30" not in page else {"4": b"logo"}))


def test_damaged_and_hostile_files() -> None:
    whole = package([text("一些文字一些文字一些文字", 20, 20)])
    for broken in (b"", whole[:200], whole[: len(whole) // 2]):
        with pytest.raises(UnreadableError):
            ofd.read(broken)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("OFD.xml", '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>')
    with pytest.raises(DangerousError):
        ofd.read(out.getvalue())
