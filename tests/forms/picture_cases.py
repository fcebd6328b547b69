"""The corpus' scans and photographs: few, since each page takes seconds to recognize."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from tests.forms.archive_cases import zipped
from tests.forms.case import Case, Document, form_case
from tests.forms.faults import FAULTS, NEAR_MISSES
from tests.forms.paper import Paper, draw
from tests.forms.pdfs import pdf
from tests.forms.scans import (
    black_and_white,
    encoded,
    grey,
    noisy,
    pages,
    photographed,
    scan_pdf,
    skewed,
    stamped,
)

_PRINT = {"font_size": 8}


def cases() -> Iterator[Case]:
    """All of them."""
    paper = draw("scan 200")
    yield _drawn(
        "scan-200.pdf", "scanned at 200 dpi, grey", paper, partial(_scanned, paper, dpi=200, degrees=0.6)
    )
    paper = draw("scan 150")
    make = partial(_scanned, paper, dpi=150, degrees=-1.8, strength=7)
    yield _drawn("scan-150-skewed.pdf", "150 dpi, 1.8 degrees askew, noisy", paper, make)
    paper = draw("sealed")
    yield _drawn("scan-sealed.pdf", "with a red seal over 填报单位", paper, partial(_sealed, paper))
    paper = draw("a3")
    make = partial(_black_and_white, paper, dpi=200)
    yield _drawn("scan-a3.png", "one A3 page in black and white", paper, make, format="image")
    paper = draw("fax")
    make = partial(_black_and_white, paper, dpi=150)
    fax = _drawn("scan-too-coarse.png", "so coarse that a person must look", paper, make, format="image")
    yield replace(fax, needs="eyes")
    paper = FAULTS["many-faults"](draw("scan faults"))
    make = partial(_scanned, paper, dpi=170, degrees=0.8)
    yield _drawn("scan-faults.pdf", "faults are doubts here, not accusations", paper, make)
    paper = NEAR_MISSES["zeros"](draw("scan zeros"))
    make = partial(_scanned, paper, dpi=200, degrees=-0.7)
    zeros = _drawn("scan-zeros.pdf", "dashes and strokes for zero, which look like ones", paper, make)
    yield replace(zeros, needs="eyes")
    paper = draw("scan upside down")
    make = partial(_scanned, paper, dpi=170, degrees=0.4, turned=2)
    yield _drawn("scan-upside-down.pdf", "laid in the wrong way round", paper, make)
    yield _photographs()
    yield _mixed()
    yield _without_unicode()


def _drawn(name: str, about: str, paper: Paper, make: Callable[[], bytes], *, format: str = "pdf") -> Case:
    return form_case(
        name, about, paper, make, writer="scanner", format=format, read_by="ocr", needs="ocr", once=True
    )


def _scanned(paper: Paper, *, dpi: int, degrees: float, strength: float = 4, turned: int = 0) -> bytes:
    import numpy

    scans = []
    for seed, page in enumerate(pages(pdf(paper, **_PRINT), dpi=dpi)):
        scan = grey(noisy(skewed(page, degrees), strength, seed))
        scans.append(numpy.ascontiguousarray(numpy.rot90(scan, turned)))
    return scan_pdf(scans, dpi=dpi)


def _sealed(paper: Paper) -> bytes:
    scans = []
    for seed, page in enumerate(pages(pdf(paper, **_PRINT), dpi=170)):
        scans.append(noisy(skewed(stamped(page, (0.19, 0.115)) if seed == 0 else page, 0.5), 3, seed))
    return scan_pdf(scans, dpi=170)


def _black_and_white(paper: Paper, *, dpi: int) -> bytes:
    (page,) = pages(pdf(paper, size=(1191, 842), font_size=7), dpi=dpi)
    return black_and_white(skewed(page, 0.5))


def _photographs() -> Case:
    """One form over several photographs in an archive."""
    paper = draw("photographs")
    name = "photographs.zip"
    made = [
        photographed(page, seed) for seed, page in enumerate(pages(pdf(paper, **_PRINT), dpi=190), start=3)
    ]
    names = [f"微信图片_2021011209{n:02d}.jpg" for n in range(len(made))]

    def make() -> bytes:
        return zipped(
            {n: encoded(noisy(p, 4, i), ".jpg", 75) for i, (n, p) in enumerate(zip(names, made, strict=True))}
        )

    photos = (Document(filename=n, format="image", container=name) for n in names)
    return Case(
        name=name,
        about="two photographs of one form, aslant, unevenly lit",
        writer="telephone",
        data=make,
        documents=(Document(filename=name, format="zip", role="other", covers=()), *photos),
        assessment=paper.expected(names[0], "ocr"),
        needs="ocr",
        once=True,
    )


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
