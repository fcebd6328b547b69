"""The corpus' forms in office files that are one XML or MIME file: Excel 2003, flat OpenDocument, saved web pages."""

from __future__ import annotations

import quopri
from collections.abc import Iterator
from functools import partial

from tests.forms.case import Case, Document, form_case
from tests.forms.faults import FAULTS
from tests.forms.flats import spreadsheet_xml
from tests.forms.office_cases import by_office
from tests.forms.paper import Paper, draw
from tests.forms.sheets import form_sheet, html_table, xlsx
from tests.forms.texts import docx


def cases() -> Iterator[Case]:
    """All of them."""
    paper = draw("excel 2003")
    make = partial(spreadsheet_xml, form_sheet(paper))
    yield form_case("excel-2003.xls", "SpreadsheetML", paper, make, writer="SpreadsheetML", needs="office")
    paper = FAULTS["many-faults"](draw("excel 2003 faults"))
    make = partial(spreadsheet_xml, form_sheet(paper))
    yield form_case(
        "excel-2003-faults.xls", "many faults", paper, make, writer="SpreadsheetML", needs="office"
    )
    paper = draw("fods")
    make = partial(by_office, partial(xlsx, form_sheet(paper)), "xlsx", "fods")
    yield form_case(
        "flat.fods",
        "flat OpenDocument",
        paper,
        make,
        writer="LibreOffice",
        format="ods",
        needs="office",
        once=True,
    )
    paper = draw("fodt")
    make = partial(by_office, partial(docx, paper), "docx", "odt", "fodt")
    yield form_case(
        "flat.fodt",
        "flat OpenDocument",
        paper,
        make,
        writer="LibreOffice",
        format="odt",
        needs="office",
        once=True,
    )
    paper = draw("mht")
    name = "saved-by-word.doc"
    yield Case(
        name=name,
        about="a web page in one file, as Word saves it",
        writer="MHTML",
        data=partial(_mht, paper),
        documents=(
            Document(filename=name, format="eml", role="other", covers=()),
            Document(filename="", format="html", container=name),
        ),
        assessment=paper.expected("", "table"),
        findings=paper.findings,
    )


def _mht(paper: Paper) -> bytes:
    page = quopri.encodestring(html_table(paper)).replace(b"\n", b"\r\n")
    return (
        b'MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="----=_NextPart_01D6"\r\n\r\n'
        b"------=_NextPart_01D6\r\nContent-Location: file:///C:/9A6B/form.htm\r\n"
        b'Content-Transfer-Encoding: quoted-printable\r\nContent-Type: text/html; charset="gb2312"\r\n\r\n'
        + page
        + b"\r\n------=_NextPart_01D6--\r\n"
    )
