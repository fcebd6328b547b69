"""The corpus' files of LibreOffice: old formats, and what it makes of ours. Each conversion takes seconds: made once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import partial

from tests.forms.case import Case, form_case, other_case
from tests.forms.faults import FAULTS, NEAR_MISSES
from tests.forms.paper import Paper, draw
from tests.forms.sheets import form_sheet, xlsx
from tests.forms.texts import docx, docx_report
from tests.forms.word_cases import all_in_one
from tests.forms.writers import by_libreoffice

_WORD = ("doc", "odt", "rtf")
_WRITER = "LibreOffice"
_TO_WORD = {"doc": ("odt", "doc"), "odt": ("odt",), "rtf": ("odt", "rtf")}
"""By way of odt: straight on from python-docx, LibreOffice 7.4 loses the tables."""


def cases() -> Iterator[Case]:
    """All of them."""
    for ending in _WORD:
        paper = draw(f"office {ending}")
        yield _word("office-plain", ending, "the form, merged", paper)
    for what in ("score-missing", "score-over-max", "evidence-missing", "altered-points", "many-faults"):
        yield _word(f"office-fault-{what}", "doc", what, FAULTS[what](draw(f"office doc {what}")))
    for what in ("zeros", "numbers-in-every-way", "words-retouched", "long-evidence"):
        yield _word(f"office-near-{what}", "doc", what, NEAR_MISSES[what](draw(f"office doc {what}")))
    yield _word("office-fault-row-removed", "rtf", "row removed", FAULTS["row-removed"](draw("office rtf")))
    yield _word(
        "office-fault-total-mismatch", "odt", "wrong sum", FAULTS["total-mismatch"](draw("office odt"))
    )
    yield from _named_otherwise()
    yield from _sheets()
    yield from _pdfs()
    yield from _reports()


def by_office(make: Callable[[], bytes], source: str, *endings: str) -> bytes:
    """What LibreOffice makes of a file, turned into one format after the other."""
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        raise RuntimeError("LibreOffice is needed to write the files that are missing")
    return by_libreoffice(program, make(), source, *endings)


def _word(name: str, ending: str, about: str, paper: Paper) -> Case:
    make = partial(by_office, partial(docx, paper), "docx", *_TO_WORD[ending])
    return form_case(
        f"{name}.{ending}", about, paper, make, writer=_WRITER, format=ending, needs="office", once=True
    )


def _named_otherwise() -> Iterator[Case]:
    for name, about in (
        ("office-plain.wps", "a .wps that is a .doc inside"),
        ("office-doc-named.docx", "a .doc named .docx"),
    ):
        paper = draw(name)
        make = partial(by_office, partial(docx, paper), "docx", "odt", "doc")
        yield form_case(name, about, paper, make, writer=_WRITER, format="doc", needs="office", once=True)
    paper = draw("office all in one")
    make = partial(by_office, partial(all_in_one, paper), "docx", "odt", "doc")
    covers = ("form", "summary", "plan")
    yield form_case(
        "office-all-in-one.doc", "summary, plan and form", paper, make, writer=_WRITER, format="doc", covers=covers,
        needs="office", once=True,
    )  # fmt: skip


def _sheets() -> Iterator[Case]:
    for ending in ("xls", "ods", "xlsx"):
        paper = draw(f"office {ending}")
        source = "ods" if ending == "xlsx" else "xlsx"
        make = partial(
            by_office,
            partial(xlsx, form_sheet(paper)),
            "xlsx",
            *(("ods",) if source == "ods" else ()),
            ending,
        )
        yield form_case(f"office-plain.{ending}", "the form, merged", paper, make, writer=_WRITER, once=True)
    paper = FAULTS["many-faults"](draw("office many faults"))
    make = partial(by_office, partial(xlsx, form_sheet(paper)), "xlsx", "xls")
    yield form_case("office-fault-many.xls", "many faults", paper, make, writer=_WRITER, once=True)
    paper = NEAR_MISSES["zeros"](draw("office zeros"))
    make = partial(by_office, partial(xlsx, form_sheet(paper, numbers=False)), "xlsx", "ods")
    yield form_case("office-near-zeros.ods", "zeros", paper, make, writer=_WRITER, once=True)
    paper = draw("office html")
    make = partial(by_office, partial(xlsx, form_sheet(paper)), "xlsx", "html")
    yield form_case(
        "office-html.xls",
        "LibreOffice's HTML, saved as .xls",
        paper,
        make,
        writer=_WRITER,
        format="html",
        once=True,
    )


def _pdfs() -> Iterator[Case]:
    paper = draw("office pdf from docx")
    make = partial(by_office, partial(docx, paper), "docx", "odt", "pdf")
    yield form_case(
        "office-from-docx.pdf", "a Word file as PDF, portrait", paper, make, writer=_WRITER, once=True
    )
    paper = draw("office pdf from docx unmerged")
    make = partial(by_office, partial(docx, paper, merged=False), "docx", "odt", "pdf")
    yield form_case("office-from-docx-unmerged.pdf", "nothing merged", paper, make, writer=_WRITER, once=True)
    for what, change in (("many-faults", FAULTS["many-faults"]), ("zeros", NEAR_MISSES["zeros"])):
        paper = change(draw(f"office pdf {what}"))
        make = partial(by_office, partial(docx, paper), "docx", "odt", "pdf")
        yield form_case(f"office-{what}.pdf", what, paper, make, writer=_WRITER, once=True)
    paper = draw("office pdf from xlsx")
    make = partial(by_office, partial(_for_print, paper), "xlsx", "pdf")
    yield form_case(
        "office-from-xlsx.pdf", "a workbook as PDF, one page wide", paper, make, writer=_WRITER, once=True
    )
    for name, about, height in (
        ("rows-too-low", "rows too low: text is cut off", 15),
        ("rows-unset", "rows too low: lines printed over each other", 0),
    ):
        paper = draw(f"office {name}")
        make = partial(by_office, partial(_for_print, paper, height=height), "xlsx", "pdf")
        yield form_case(
            f"office-{name}.pdf", about, paper, make, writer=_WRITER, read_by="ocr", needs="eyes", once=True
        )
    paper = draw("office pdf from xlsx unruled")
    make = partial(by_office, partial(_for_print, paper, ruled=False), "xlsx", "pdf")
    yield form_case(
        "office-from-xlsx-unruled.pdf", "the same without borders", paper, make, writer=_WRITER, once=True
    )


def _lines(value: object, width: int) -> int:
    """How many lines a text takes in a column of so many Chinese characters."""
    return sum(max(1, -(-len(line) // width)) for line in str(value or "").split("\n"))


def _for_print(paper: Paper, *, ruled: bool = True, height: float | None = None) -> bytes:
    """A workbook laid out to be printed: wrapped text, landscape, one page wide.

    Its rows are as high as their text, of one `height`, or with 0 left to the program, which takes one line's.
    """

    def touch(book: object) -> None:
        from openpyxl.styles import Alignment, Border, Side

        page = book.active  # type: ignore[attr-defined]
        line = Side(style="thin") if ruled else Side()
        for row, cells in enumerate(page.iter_rows(min_row=4, max_col=8, values_only=True), start=4):
            lines = max(_lines(cells[3], 20), _lines(cells[6], 18), 2)
            if height != 0:
                page.row_dimensions[row].height = height or 15 * lines + 8
        for letter, width in zip("ABCDEFGH", (6, 16, 12, 48, 8, 8, 44, 8), strict=True):
            page.column_dimensions[letter].width = width
        for row in page.iter_rows(min_row=3, max_col=8):
            for cell in row:
                cell.alignment = Alignment(wrap_text=True, vertical="center")
                cell.border = Border(left=line, right=line, top=line, bottom=line)
        page.page_setup.orientation, page.page_setup.paperSize = "landscape", 9
        page.sheet_properties.pageSetUpPr.fitToPage = True
        page.page_setup.fitToHeight = 0

    return xlsx(form_sheet(paper, merged=ruled), touch=touch)


def _reports() -> Iterator[Case]:
    for kind, ending in (("summary", "doc"), ("plan", "rtf")):
        make = partial(by_office, partial(docx_report, kind, "浙江省公路学会"), "docx", *_TO_WORD[ending])
        yield other_case(
            f"office-{kind}.{ending}",
            f"a {kind}",
            make,
            writer=_WRITER,
            role=kind,
            covers=(kind,),
            needs="office",
            once=True,
        )
