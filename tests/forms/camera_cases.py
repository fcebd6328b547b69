"""The corpus' photographs: a form over several pictures in one archive, as telephones take and messengers send them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from tests.forms.archive_cases import zipped
from tests.forms.cameras import (
    Page,
    as_heic,
    as_taken,
    curled,
    dim,
    from_screen,
    photographed,
    shadowed,
    shrunk,
    unfocused,
)
from tests.forms.case import Case, Document
from tests.forms.faults import FAULTS
from tests.forms.paper import Paper, draw
from tests.forms.pdfs import pdf
from tests.forms.scans import by_app, encoded, noisy, pages, scan_pdf, stamped

_PRINT: Mapping[str, Any] = {"font_size": 8}
_Taken = Callable[[Page, int], bytes]
"""A photograph's file, from a page and which page it is."""


def cases() -> Iterator[Case]:
    """All of them."""
    yield _case("photographs.zip", "two photographs of one form, aslant, unevenly lit", _plain)
    yield _case("photo-aslant.zip", "seen far aslant", _aslant)
    yield _case("photo-shadow.zip", "with the hand's shadow over the table", _shadow)
    yield _case("photo-curled.zip", "paper that does not lie flat", _curled)
    yield _case("photo-unfocused.zip", "a little out of focus and moved", _unfocused)
    yield _case("photo-evening.zip", "dark, yellow and grainy", _evening)
    yield _case("photo-screen.zip", "a screen photographed, with moiré", _screen)
    yield _case("photo-messenger.zip", "1080 pixels wide, as a messenger sends it", _messenger, font_size=10)
    yield _case("photo-exif.zip", "lying on their sides, and EXIF says so", _by_exif)
    yield _case("photo-sideways.zip", "lying on their sides and heads, and nothing says so", _sideways)
    yield _case("photo-sealed.zip", "with a seal over the scores", _sealed)
    yield _case("photo.heic.zip", "an iPhone's HEIC", _iphone, ending=".heic")
    faulty = FAULTS["score-over-max"](FAULTS["score-missing"](draw("photo faults")))
    yield _case("photo-faults.zip", "faults are doubts here, not accusations", _plain, paper=faulty)


def _case(
    name: str,
    about: str,
    taken: _Taken,
    *,
    font_size: int = 8,
    paper: Paper | None = None,
    ending: str = ".jpg",
) -> Case:
    paper = paper or draw(name.partition(".")[0])
    sheets = pages(pdf(paper, font_size=font_size), dpi=190)
    names = [f"微信图片_2021011209{n:02d}{ending}" for n in range(len(sheets))]
    photos = (Document(filename=n, format="image", container=name) for n in names)
    return Case(
        name=name,
        about=about,
        writer="telephone",
        data=partial(_archive, names, sheets, taken),
        documents=(Document(filename=name, format="zip", role="other", covers=()), *photos),
        assessment=paper.expected(names[0], "ocr"),
        findings=paper.findings,
        needs="ocr",
        once=True,
    )


def _archive(names: Sequence[str], sheets: Sequence[Page], taken: _Taken) -> bytes:
    return zipped({name: taken(sheet, n) for n, (name, sheet) in enumerate(zip(names, sheets, strict=True))})


def _jpeg(photo: Page, quality: int) -> bytes:
    return encoded(photo, ".jpg", quality)


def _plain(page: Page, n: int) -> bytes:
    return _jpeg(noisy(photographed(page, n + 3), 4, n), 75)


def _aslant(page: Page, n: int) -> bytes:
    return _jpeg(noisy(photographed(page, n + 11, aslant=0.06), 4, n), 60)


def _shadow(page: Page, n: int) -> bytes:
    return _jpeg(noisy(shadowed(photographed(page, n + 5)), 4, n), 60)


def _curled(page: Page, n: int) -> bytes:
    return _jpeg(noisy(photographed(curled(page), n + 7), 4, n), 60)


def _unfocused(page: Page, n: int) -> bytes:
    return _jpeg(noisy(unfocused(photographed(page, n + 21), 1.1), 3, n), 60)


def _evening(page: Page, n: int) -> bytes:
    return _jpeg(dim(photographed(page, n + 31), n), 70)


def _screen(page: Page, n: int) -> bytes:
    return _jpeg(noisy(photographed(from_screen(page), n + 41), 3, n), 60)


def _messenger(page: Page, n: int) -> bytes:
    return _jpeg(shrunk(noisy(photographed(page, n + 51), 4, n)), 55)


def _by_exif(page: Page, n: int) -> bytes:
    return as_taken(noisy(photographed(page, n + 61), 4, n), (6, 8, 3)[n % 3], 65)


def _sideways(page: Page, n: int) -> bytes:
    import numpy

    lying = numpy.rot90(noisy(photographed(page, n + 71), 4, n), (1, 2, 3)[n % 3])
    return _jpeg(numpy.ascontiguousarray(lying), 60)


def _sealed(page: Page, n: int) -> bytes:
    sealed = stamped(page, (0.64, 0.42), across=0.2) if n == 0 else page
    return _jpeg(noisy(photographed(sealed, n + 81), 4, n), 70)


def _iphone(page: Page, n: int) -> bytes:
    return as_heic(noisy(photographed(page, n + 91), 3, n))


def by_scanning_app(paper: Paper) -> bytes:
    """Photographs that an application made straight, white and black, as one PDF."""
    sheets = pages(pdf(paper, **_PRINT), dpi=180)
    photos = [noisy(photographed(sheet, n + 101, aslant=0.008), 4, n) for n, sheet in enumerate(sheets)]
    return scan_pdf([by_app(photo) for photo in photos], dpi=180, quality=50)
