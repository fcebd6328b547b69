"""The corpus' PDF files with text, by reportlab."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from tests.forms.case import Case, form_case, other_case
from tests.forms.faults import FAULTS, NEAR_MISSES
from tests.forms.paper import NOS, RUBRIC, Paper, draw
from tests.forms.pdfs import pdf, report_pdf
from tests.forms.texts import report

_LAYOUTS: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": ("landscape, ruled", {}),
    "merged": ("类别 and 项目 merged downwards", {"merged": True, "font_size": 6}),
    "portrait": ("portrait, over many pages", {"landscape": False}),
    "unruled": ("no lines at all", {"ruled": False}),
    "unruled-portrait": ("no lines, portrait", {"ruled": False, "landscape": False, "font_size": 7}),
    "level-lines": ("lines between rows only", {"outer": False}),
    "split-rows": ("rows cut by the end of a page", {"split_rows": True, "landscape": False}),
    "split-rows-no-header": (
        "the same, no header on later pages",
        {"split_rows": True, "repeat_header": False},
    ),
    "no-header-again": ("no header on later pages", {"repeat_header": False, "font_size": 10}),
    "unruled-no-header-again": ("no lines, one header", {"ruled": False, "repeat_header": False}),
    "rotated-90": ("pages with /Rotate 90", {"rotation": 90}),
    "rotated-180": ("pages with /Rotate 180", {"rotation": 180}),
    "rotated-270": ("pages with /Rotate 270", {"rotation": 270}),
    "sideways-90": ("pages that show sideways", {"rotation": 90, "sideways": True}),
    "sideways-270": ("pages that show sideways, the other way", {"rotation": 270, "sideways": True}),
    "embedded": ("characters of an embedded font", {"embedded": True}),
    "small": ("small print, all on one page", {"font_size": 5}),
    "large": ("large print", {"font_size": 12}),
    "a3": ("one A3 page", {"size": (1191, 842), "font_size": 7}),
}


def cases() -> Iterator[Case]:
    """All of them."""
    for kind, changes in (("fault", FAULTS), ("near", NEAR_MISSES)):
        for what, change in changes.items():
            paper = change(draw(f"pdf {what}"))
            yield _pdf(f"{kind}-{what}", f"{kind}: {what}", paper)
    for name, (about, options) in _LAYOUTS.items():
        yield _pdf(name, about, draw(f"pdf {name}"), **options)
    for what in ("score-missing", "evidence-missing", "row-removed", "altered-text"):
        paper = FAULTS[what](draw(f"pdf unruled {what}"))
        yield _pdf(f"unruled-{what}", f"no lines: {what}", paper, ruled=False)
        paper = FAULTS[what](draw(f"pdf split {what}"))
        yield _pdf(f"split-{what}", f"rows over pages: {what}", paper, landscape=False, split_rows=True)
    for name, about, nos in (
        ("cut-off", "three rows too low: only the last signs of their criteria show", (1, 17, 29)),
        ("cut-off-all", "all rows too low", NOS),
    ):
        yield _pdf(name, about, _cut_off(draw(f"pdf {name}"), nos))
    yield from _with_reports()
    paper = draw("pdf named doc")
    yield form_case(
        "pdf-named.docx", "a PDF named .docx", paper, partial(pdf, paper), writer="reportlab", format="pdf"
    )


def _cut_off(paper: Paper, nos: Sequence[int]) -> Paper:
    tails = {no: RUBRIC.by_no[no].criterion[-3:] for no in nos}
    return replace(paper, criteria=tails).found(*(f"form.low_confidence#{no}" for no in nos))


def _pdf(name: str, about: str, paper: Paper, **options: Any) -> Case:
    make = partial(pdf, paper, **options)
    return form_case(f"{name}.pdf", about, paper, make, writer="reportlab", once="rotation" in options)


def _with_reports() -> Iterator[Case]:
    paper = draw("pdf with summary")
    title, paragraphs = report("summary", paper.organization or "")
    make = partial(pdf, paper, before=(title, *paragraphs))
    yield form_case(
        "summary-and-form.pdf",
        "the summary, then the form",
        paper,
        make,
        writer="reportlab",
        covers=("form", "summary"),
    )
    empty = dict.fromkeys(paper.items, "")
    blank = replace(
        paper, organization=None, claims=dict.fromkeys(paper.items), written=empty, evidence=empty, total=""
    )
    yield other_case(
        "blank.pdf",
        "the template came back",
        partial(pdf, blank),
        writer="reportlab",
        role="form",
        findings=("form.blank",),
    )
    for kind in ("summary", "plan"):
        title, paragraphs = report(kind, "浙江省公路学会")
        yield other_case(
            f"{kind}.pdf",
            f"a {kind}",
            partial(report_pdf, title, paragraphs),
            writer="reportlab",
            role=kind,
            covers=(kind,),
        )
