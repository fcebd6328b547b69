"""OFD files written here after GB/T 33190-2016, from the characters and lines of a real PDF of the form."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest

from mailbot import rubric as rubrics
from mailbot.documents import ofd, pdfium
from mailbot.documents.lines import chunks, lines
from mailbot.errors import DangerousError, UnreadableError, UnsupportedError
from mailbot.model import Format, ReadBy
from tests.conftest import require_chinese_font
from tests.forms import writers

RUBRIC = rubrics.load(Path("rubric/2020.toml"))


@pytest.fixture(autouse=True)
def _chinese_font() -> None:
    require_chinese_font()


SCORES, EVIDENCE = writers.full_scores(RUBRIC), writers.some_evidence(RUBRIC)
WHOLE = [["".join(text.split()) for text in row] for row in writers.rows(RUBRIC, SCORES, EVIDENCE)]
NAMESPACE = 'xmlns:ofd="http://www.ofdspec.org/2016"'
MM = 25.4 / 72


def _package(pages: Sequence[str], *, sealed: bool = False, template: str = "") -> bytes:
    """An OFD of pages given by what is in their layers."""
    out = io.BytesIO()
    signatures = "<ofd:Signatures>/Doc_0/Signs/Signatures.xml</ofd:Signatures>" if sealed else ""
    listed = "".join(f'<ofd:Page ID="{n}" BaseLoc="Pages/Page_{n}/Content.xml"/>' for n in range(len(pages)))
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:

        def put(name: str, root: str, content: str) -> None:
            package.writestr(
                name, f'<?xml version="1.0" encoding="UTF-8"?><ofd:{root} {NAMESPACE}>{content}</ofd:{root}>'
            )

        put(
            "OFD.xml",
            "OFD",
            f"<ofd:DocBody><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot>{signatures}</ofd:DocBody>",
        )
        put(
            "Doc_0/Document.xml",
            "Document",
            "<ofd:CommonData><ofd:PageArea><ofd:PhysicalBox>0 0 297 210</ofd:PhysicalBox></ofd:PageArea>"
            '<ofd:TemplatePage ID="900" BaseLoc="Tpls/Tpl_0/Content.xml"/></ofd:CommonData>'
            f"<ofd:Pages>{listed}</ofd:Pages>",
        )
        put("Doc_0/Tpls/Tpl_0/Content.xml", "Page", _layer(template))
        if sealed:
            put(
                "Doc_0/Signs/Signatures.xml",
                "Signatures",
                '<ofd:Signature ID="1" Type="Seal" BaseLoc="S.xml"/>',
            )
        for number, page in enumerate(pages):
            use = '<ofd:Template TemplateID="900" ZOrder="Background"/>' if template else ""
            put(f"Doc_0/Pages/Page_{number}/Content.xml", "Page", use + _layer(page))
    return out.getvalue()


def _layer(content: str) -> str:
    return f'<ofd:Content><ofd:Layer ID="5">{content}</ofd:Layer></ofd:Content>'


def _text(
    text: str, x: float, y: float, size: float = 4.0, *, deltas: str | None = None, ctm: str = ""
) -> str:
    step = f' DeltaX="{deltas}"' if deltas is not None else ""
    turn = f' CTM="{ctm}"' if ctm else ""
    return (
        f'<ofd:TextObject ID="7" Boundary="{x} {y} 200 10" Font="3" Size="{size}"{turn}>'
        f'<ofd:TextCode X="0" Y="{size}"{step}>{escape(text)}</ofd:TextCode></ofd:TextObject>'
    )


def _line(x0: float, y0: float, x1: float, y1: float) -> str:
    return (
        f'<ofd:PathObject ID="8" Boundary="{x0} {y0} {x1 - x0 + 0.4} {y1 - y0 + 0.4}" LineWidth="0.2">'
        f"<ofd:AbbreviatedData>M 0 0 L {x1 - x0} {y1 - y0}</ofd:AbbreviatedData></ofd:PathObject>"
    )


def _from_pdf(data: bytes) -> list[str]:
    """The pages of a PDF as OFD objects: a text object for each run of characters, a path for each line."""
    pages = []
    with pdfium.opened(data) as document:
        for index in range(len(document)):
            page = pdfium.content(document, index)
            objects = []
            for line in lines(page.chars):
                for run in chunks(line):
                    deltas = " ".join(f"{(b.x0 - a.x0) * MM:.3f}" for a, b in pairwise(run))
                    top, size = run[0].top * MM, run[0].size * MM
                    objects.append(
                        _text("".join(c.text for c in run), run[0].x0 * MM, top, size, deltas=deltas)
                    )
            objects += [_line(s.x0 * MM, s.top * MM, s.x1 * MM, s.bottom * MM) for s in page.segments]
            pages.append("<ofd:PageBlock>" + "".join(objects) + "</ofd:PageBlock>")
    return pages


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
    extract = ofd.read(_package(_from_pdf(writers.pdf_form(RUBRIC, SCORES, EVIDENCE, **layout))))
    assert (extract.format, extract.read_by) == (Format.OFD, ReadBy.TEXT)
    assert _texts(extract) == WHOLE
    assert extract.headings[0] == RUBRIC.title
    assert extract.tables[0].rows[-1][0].place.startswith("第")


def test_deltas_may_be_grouped_and_an_object_scaled() -> None:
    grouped = _text("二〇二〇年度工作总结", 20, 20, 4.0, deltas="g 9 4")
    scaled = _text("下一年度工作计划已附", 10, 30, 8.0, deltas="g 9 8", ctm="0.5 0 0 0.5 0 0")
    extract = ofd.read(_package([grouped + scaled]))
    assert extract.text.split("\n") == ["二〇二〇年度工作总结", "下一年度工作计划已附"]


def test_a_template_is_part_of_each_page_that_uses_it() -> None:
    extract = ofd.read(
        _package([_text("本页正文内容若干字", 20, 60)], template=_text("浙江省示例学会文件", 20, 10))
    )
    assert extract.text.split("\n") == ["浙江省示例学会文件", "本页正文内容若干字"]


def test_an_electronic_seal_is_seen() -> None:
    page = _text("加盖电子印章的工作总结", 20, 20)
    assert ofd.read(_package([page], sealed=True)).seal is True
    assert ofd.read(_package([page])).seal is None


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
    ) + "".join(_line(x, 20, x, 20 + 3 * height) for x in columns)
    words = "".join(
        _text(text, columns[c] + 2, 22 + height * r)
        for r, row in enumerate(grid)
        for c, text in enumerate(row)
        if text
    )
    hidden = _text("看不见", 142, 34).replace("<ofd:TextObject", '<ofd:TextObject Visible="false"')
    assert _texts(ofd.read(_package([bars + words + hidden]))) == grid


def test_pictures_alone_are_unsupported() -> None:
    picture = '<ofd:ImageObject ID="6" Boundary="0 0 210 297" CTM="210 0 0 297 0 0" ResourceID="4"/>'
    with pytest.raises(UnsupportedError):
        ofd.read(_package([picture]))


def test_damaged_and_hostile_files() -> None:
    whole = _package([_text("一些文字一些文字一些文字", 20, 20)])
    for broken in (b"", whole[:200], whole[: len(whole) // 2]):
        with pytest.raises(UnreadableError):
            ofd.read(broken)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr("OFD.xml", '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>')
    with pytest.raises(DangerousError):
        ofd.read(out.getvalue())
