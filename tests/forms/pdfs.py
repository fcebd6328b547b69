"""Forms as PDF with text."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any
from xml.sax.saxutils import escape

from tests.forms.paper import Grid, Paper, merges
from tests.forms.writers import rotated, turn

_WIDTHS = (9, 22, 18, 66, 13, 14, 54, 12)
_SCORES = 5
_EMBEDDED = Path("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc")


def pdf(
    paper: Paper,
    *,
    ruled: bool = True,
    merged: bool = False,
    landscape: bool = True,
    repeat_header: bool = True,
    split_rows: bool = False,
    font_size: float = 8,
    rotation: int = 0,
    sideways: bool = False,
    password: str | None = None,
    embedded: bool = False,
    outer: bool = True,
    size: tuple[float, float] | None = None,
    before: tuple[str, ...] = (),
    rows: slice = slice(None),
    headed: bool = True,
    pens: Sequence[Path] = (),
) -> bytes:
    """The form over as many pages as it takes, by reportlab.

    `embedded` takes the characters from a font within the file; without `outer` the table has level lines only.
    `rows` writes a part of the form, without title and header unless it is `headed`. With `pens`, fonts like
    handwriting, the scores are written in by hand, each figure a little otherwise.
    """
    from reportlab import rl_config
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.pagesizes import landscape as turned
    from reportlab.lib.pdfencrypt import StandardEncryption
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer

    rl_config.invariant = 1
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=size or (turned(A4) if landscape else A4),
        leftMargin=28,
        rightMargin=28,
        topMargin=36,
        bottomMargin=36,
        title=paper.title,
        encrypt=StandardEncryption(password, canPrint=1) if password else None,
    )
    body, heading = _styles(font_size, embedded=embedded)
    whole = paper.grid()
    grid = [*([whole[0]] if headed else []), *whole[1:][rows]]
    hand = _hand(pens, font_size) if pens else escape
    table = _table(
        grid,
        body,
        document.width,
        hand,
        ruled=ruled,
        outer=outer,
        merged=merged,
        repeat_header=repeat_header,
        split_rows=split_rows,
    )
    top = [Paragraph(paper.title, heading), Paragraph(escape(paper.filler), body), Spacer(1, 6)]
    story = [*(Paragraph(line, body) for line in before), *(top if headed else ()), table]

    def on_page(canvas: Any, _: Any) -> None:
        if not sideways:
            turn(canvas, document.pagesize, rotation)

    document.build(story, onFirstPage=on_page, onLaterPages=on_page)
    return rotated(out.getvalue(), rotation) if rotation else out.getvalue()


def report_pdf(title: str, paragraphs: list[str]) -> bytes:
    """A summary or plan as PDF."""
    from reportlab import rl_config
    from reportlab.platypus import Paragraph, SimpleDocTemplate

    rl_config.invariant = 1
    body, heading = _styles(11, embedded=False)
    out = io.BytesIO()
    SimpleDocTemplate(out, title=title).build(
        [Paragraph(title, heading), *(Paragraph(text, body) for text in paragraphs)]
    )
    return out.getvalue()


def _styles(font_size: float, *, embedded: bool) -> tuple[Any, Any]:
    from reportlab.lib.enums import TA_CENTER
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfbase.ttfonts import TTFont

    if embedded:
        pdfmetrics.registerFont(TTFont("WenQuanYi", str(_EMBEDDED)))
    else:
        pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    name = "WenQuanYi" if embedded else "STSong-Light"
    body = ParagraphStyle("body", fontName=name, fontSize=font_size, leading=font_size * 1.3, wordWrap="CJK")
    return body, ParagraphStyle("heading", parent=body, fontSize=16, leading=24, alignment=TA_CENTER)


def _hand(pens: Sequence[Path], font_size: float) -> Callable[[str], str]:
    """Writes figures by hand: each one in another size, and each cell by one of the pens."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    for pen in pens:
        pdfmetrics.registerFont(TTFont(pen.stem, str(pen)))
    chance = Random("by hand")

    def written(text: str) -> str:
        name = chance.choice(pens).stem
        ink = chance.choice(("#20306e", "#1a1a1a"))
        return "".join(
            f'<font name="{name}" color="{ink}" size="{font_size * chance.uniform(1.5, 1.9):.1f}">{escape(c)}</font>'
            for c in text
        )

    return written


def _table(
    grid: Grid,
    body: Any,
    width: float,
    hand: Callable[[str], str],
    *,
    ruled: bool,
    outer: bool,
    merged: bool,
    repeat_header: bool,
    split_rows: bool,
) -> Any:
    from reportlab.platypus import Paragraph, Table

    written = [
        [hand(value) if column == _SCORES and number else escape(value) for column, value in enumerate(row)]
        for number, row in enumerate(grid)
    ]
    cells = [[Paragraph(value.replace("\n", "<br/>"), body) for value in row] for row in written]
    style: list[tuple[Any, ...]] = [("VALIGN", (0, 0), (-1, -1), "MIDDLE" if ruled and outer else "TOP")]
    if ruled:
        style.append(("GRID" if outer else "LINEBELOW", (0, 0), (-1, -1), 0.5, "black"))
    if merged:
        style += [("SPAN", (c0, r0), (c1, r1)) for r0, c0, r1, c1 in merges(grid)]
    return Table(
        cells,
        colWidths=[width * part / sum(_WIDTHS) for part in _WIDTHS],
        repeatRows=1 if repeat_header else 0,
        splitInRow=1 if split_rows else 0,
        style=style,
    )
