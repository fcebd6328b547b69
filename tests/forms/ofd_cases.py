"""The corpus' OFD files: forms and reports as OFD printers and as WPS write them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from tests.forms import ofds
from tests.forms.case import Case, form_case, other_case
from tests.forms.faults import FAULTS, NEAR_MISSES
from tests.forms.paper import Paper, draw
from tests.forms.pdfs import pdf, report_pdf
from tests.forms.scans import encoded, grey, pages
from tests.forms.texts import report


def cases() -> Iterator[Case]:
    """All of them."""
    for name, about, wps, layout in (
        ("plain", "landscape, over pages", False, {}),
        ("portrait", "rows cut by the end of a page", False, {"landscape": False, "split_rows": True}),
        ("merged", "类别 and 项目 merged downwards", False, {"merged": True, "font_size": 6}),
        ("unruled", "no lines", False, {"ruled": False}),
        ("by-wps", "as WPS exports it: each character an object with a matrix", True, {}),
        ("by-wps-portrait", "the same, portrait", True, {"landscape": False, "font_size": 7}),
    ):
        yield _form(name, about, draw(f"ofd {name}"), wps=wps, **layout)
    for what in ("score-missing", "score-over-max", "many-faults", "row-removed"):
        yield _form(f"fault-{what}", what, FAULTS[what](draw(f"ofd {what}")), wps=what == "many-faults")
    for what in ("zeros", "numbers-in-every-way"):
        yield _form(f"near-{what}", what, NEAR_MISSES[what](draw(f"ofd {what}")), wps=what == "zeros")
    for kind in ("summary", "plan"):
        yield other_case(
            f"{kind}.ofd",
            f"a {kind}, with a letterhead as template",
            partial(_report, kind),
            writer="GB/T 33190",
            role=kind,
            covers=(kind,),
        )
    paper = draw("ofd scan")
    yield form_case(
        "scan.ofd",
        "scanned pages alone",
        paper,
        partial(_scan, paper),
        writer="GB/T 33190",
        read_by="ocr",
        needs="ocr",
        once=True,
    )


def _form(name: str, about: str, paper: Paper, *, wps: bool = False, **layout: Any) -> Case:
    make = partial(_made, paper, wps=wps, **layout)
    return form_case(f"{name}.ofd", about, paper, make, writer="GB/T 33190", read_by="text")


def _made(paper: Paper, *, wps: bool, **layout: Any) -> bytes:
    return ofds.package(ofds.pages(pdf(paper, **layout), wps=wps))


def _report(kind: str) -> bytes:
    title, paragraphs = report(kind, "浙江省公路学会")
    return ofds.package(
        ofds.pages(report_pdf(title, paragraphs)), template=ofds.text("浙江省公路学会", 150, 5, 3.5)
    )


def _scan(paper: Paper) -> bytes:
    scans = pages(pdf(paper, font_size=8), dpi=200)
    found = {str(number): encoded(grey(page), ".jpg") for number, page in enumerate(scans, start=40)}
    return ofds.package([ofds.picture(number, 297, 210) for number in found], pictures=found)
