"""The corpus' scans: few of each kind, since each page takes seconds to recognize."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from tests.forms.camera_cases import by_scanning_app
from tests.forms.case import Case, form_case
from tests.forms.faults import FAULTS, NEAR_MISSES
from tests.forms.paper import Paper, draw
from tests.forms.pdfs import pdf
from tests.forms.scans import (
    Page,
    black_and_white,
    copied,
    encoded,
    faint,
    faxes,
    grey,
    noisy,
    on_old_paper,
    pages,
    scan_pdf,
    skewed,
    stamped,
)

_PRINT: Mapping[str, Any] = {"font_size": 8}


def cases() -> Iterator[Case]:
    """All of them."""
    yield from _plain()
    yield from _worn()
    yield from _stamped()
    yield from _filled()
    yield _mixed()
    yield _without_unicode()


def _plain() -> Iterator[Case]:
    """By how they were scanned."""
    scanned = _drawn_by(_scanned)
    yield scanned("scan-200.pdf", "scanned at 200 dpi, grey", "scan 200", dpi=200, degrees=0.6)
    about = "150 dpi, 1.8 degrees askew, noisy"
    yield scanned("scan-150-skewed.pdf", about, "scan 150", dpi=150, degrees=-1.8, strength=7)
    yield scanned("scan-300.pdf", "300 dpi, 3 degrees askew", "scan 300", dpi=300, degrees=3, quality=40)
    yield scanned("scan-skewed-left.pdf", "3 degrees askew to the left", dpi=200, degrees=-3)
    yield scanned("scan-pressed.pdf", "JPEG of quality 40", dpi=180, degrees=0.3, quality=40)
    yield scanned(
        "scan-upside-down.pdf", "the wrong way round", "scan upside down", dpi=170, degrees=0.4, turned=2
    )
    yield scanned("scan-sideways.pdf", "fed in by its short side", dpi=190, degrees=-0.4, turned=1)
    portrait = {"landscape": False, "font_size": 7}
    yield scanned("scan-portrait.pdf", "on upright sheets", dpi=220, degrees=0.7, printed=portrait)
    yield scanned("scan-merged.pdf", "with merged cells", dpi=200, degrees=-0.5, printed={"merged": True})
    yield scanned("scan-sans.pdf", "in a sans serif", dpi=170, degrees=0.9, printed={"embedded": True})
    bits = _drawn_by(_black_and_white, format="image")
    yield bits("scan-a3.png", "one A3 page in black and white", "a3", dpi=200)
    coarse = bits("scan-too-coarse.png", "so coarse that a person must look", "fax", dpi=150)
    yield replace(coarse, needs="eyes")
    yield _drawn_by(_faxed, format="image")("fax.tif", "a fax of two sheets")
    yield _drawn_by(_on_screen, format="image")("screenshot.png", "a picture of the screen")
    yield _drawn_by(by_scanning_app)("scan-by-app.pdf", "photographs made white and black by an app")


def _worn() -> Iterator[Case]:
    for name, about, worn in (
        ("scan-old-paper.pdf", "yellowed, its back showing through", lambda page, _: on_old_paper(page)),
        ("scan-copied.pdf", "from a worn copier: specks, broken lines, black edges", copied),
        ("scan-faint.pdf", "the toner at its end", lambda page, _: faint(page)),
    ):
        yield _drawn_by(_scanned)(name, about, dpi=180, degrees=0.5, worn=worn, coloured=True)


def _stamped() -> Iterator[Case]:
    for name, about, at, across in (
        ("scan-sealed.pdf", "with a red seal over 填报单位", (0.19, 0.115), 0.13),
        ("scan-seal-on-scores.pdf", "with a red seal over the scores", (0.62, 0.55), 0.22),
    ):
        key = "sealed" if name == "scan-sealed.pdf" else ""
        yield _drawn_by(_sealed)(name, about, key, at=at, across=across)


def _filled() -> Iterator[Case]:
    """By what is written on them."""
    paper = FAULTS["many-faults"](draw("scan faults"))
    make = partial(_scanned, paper, dpi=170, degrees=0.8)
    yield _drawn("scan-faults.pdf", "faults are doubts here, not accusations", paper, make)
    paper = NEAR_MISSES["zeros"](draw("scan zeros"))
    make = partial(_scanned, paper, dpi=200, degrees=-0.7)
    yield _drawn("scan-zeros.pdf", "dashes and strokes for zero, which look like ones", paper, make)
    for number, pens in enumerate(_PENS):
        paper = draw(f"by hand {number}")
        make = partial(_scanned, paper, dpi=200, degrees=0.4, printed={"pens": pens})
        yield _drawn(f"scan-by-hand-{number + 1}.pdf", "the scores written in by hand", paper, make)


_FONTS = Path("/usr/share/fonts/truetype")
_PENS = (
    (_FONTS / "fifthhorseman/dkg.ttf", _FONTS / "fifthhorseman/dkgIt.ttf", _FONTS / "breip/Breip.ttf"),
    (
        _FONTS / "rufscript/Rufscript010.ttf",
        _FONTS / "sjfonts/SteveHand.ttf",
        _FONTS / "sjfonts/Delphine.ttf",
    ),
)
"""Debian's fonts-dkg-handwriting, fonts-breip, fonts-rufscript and fonts-sjfonts."""


def _drawn_by(make: Callable[..., bytes], *, format: str = "pdf") -> Callable[..., Case]:
    """What makes a case of a right form, of its name and of how it was scanned."""

    def case(name: str, about: str, key: str = "", **how: Any) -> Case:
        paper = draw(key or name)
        return _drawn(name, about, paper, partial(make, paper, **how), format=format)

    return case


def _drawn(name: str, about: str, paper: Paper, make: Callable[[], bytes], *, format: str = "pdf") -> Case:
    return form_case(
        name, about, paper, make, writer="scanner", format=format, read_by="ocr", needs="ocr", once=True
    )


def _scanned(
    paper: Paper,
    *,
    dpi: int,
    degrees: float,
    strength: float = 4,
    turned: int = 0,
    coloured: bool = False,
    quality: int = 60,
    printed: Mapping[str, Any] | None = None,
    worn: Callable[[Page, int], Page] = lambda page, _: page,
) -> bytes:
    import numpy

    scans = []
    for seed, page in enumerate(pages(pdf(paper, **{**_PRINT, **(printed or {})}), dpi=dpi)):
        scan = noisy(skewed(worn(page, seed), degrees), strength, seed)
        scans.append(numpy.ascontiguousarray(numpy.rot90(grey(scan) if not coloured else scan, turned)))
    return scan_pdf(scans, dpi=dpi, quality=quality)


def _sealed(paper: Paper, *, at: tuple[float, float], across: float) -> bytes:
    scans = []
    for seed, page in enumerate(pages(pdf(paper, **_PRINT), dpi=170)):
        sealed = stamped(page, at, across) if seed == 0 else page
        scans.append(noisy(skewed(sealed, 0.5), 3, seed))
    return scan_pdf(scans, dpi=170)


def _black_and_white(paper: Paper, *, dpi: int) -> bytes:
    (page,) = pages(pdf(paper, size=(1191, 842), font_size=7), dpi=dpi)
    return black_and_white(skewed(page, 0.5))


def _faxed(paper: Paper) -> bytes:
    return faxes(
        [noisy(skewed(page, 0.4), 8, n) for n, page in enumerate(pages(pdf(paper, **_PRINT), dpi=200))]
    )


def _on_screen(paper: Paper) -> bytes:
    (page,) = pages(pdf(paper, size=(1191, 842), font_size=7), dpi=150)
    return encoded(page, ".png")


def _mixed() -> Case:
    """The first page with text, the second one scanned."""
    paper = draw("mixed")

    def make() -> bytes:
        import pypdfium2

        whole = pdf(paper, **_PRINT)
        scanned = scan_pdf(
            [grey(noisy(skewed(page, 0.5), 4, 1)) for page in pages(whole, dpi=180)[1:]], dpi=180
        )
        out = io.BytesIO()
        with pypdfium2.PdfDocument.new() as joined:
            joined.import_pages(pypdfium2.PdfDocument(whole), pages=[0])
            joined.import_pages(pypdfium2.PdfDocument(scanned))
            joined.save(out)
        return out.getvalue()

    return _drawn("mixed-pages.pdf", "one page with text, one scanned", paper, make)


def _without_unicode() -> Case:
    """A font that does not say which characters its glyphs are: `(cid:…)`."""
    paper = draw("without unicode")
    paper = replace(paper, evidence={no: text.replace("\n", "") for no, text in paper.evidence.items()})

    def make() -> bytes:
        whole = pdf(paper, embedded=True, **_PRINT)
        broken = re.sub(rb"/ToUnicode \d+ 0 R", lambda found: b" " * len(found[0]), whole)
        if broken == whole:
            raise ValueError("the font says nothing of Unicode")
        return broken

    return _drawn("font-without-unicode.pdf", "a font that does not tell its characters", paper, make)
