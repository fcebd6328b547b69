"""Reads PDF files with text: tables with lines and without, rows cut by pages, pages in any direction."""

from __future__ import annotations

from mailbot.documents import pdfium, plumber
from mailbot.documents.needs import NeedsHelp
from mailbot.documents.pages import Laid, lay, together
from mailbot.documents.text import first_lines
from mailbot.errors import DoubtfulError
from mailbot.model import Format, ReadBy
from mailbot.reading import Extract, Need, Table

_MOST_PAGES = 200
_MOST_CHARS = 600_000
_FORM_ROWS, _FORM_COLUMNS = 20, 6
"""A table of this size in the text, or in pieces, is what the file is about; scans beside it are its evidence."""
_NO_FONT = "its Chinese font is not in the file, and none is installed here (fonts-noto-cjk)"
_FORM_LABELS = ("序号", "自评分", "自评依据")


def read(data: bytes) -> Extract:
    """Read a PDF's text.

    Raises EncryptedError, UnreadableError; DoubtfulError where it has no Chinese font of its own and this machine
    neither; NeedsHelp where pages are scans or garbled.
    """
    pages: list[Laid] = []
    scans = garbled = chars = 0
    with pdfium.opened(data) as document:
        count = len(document)
        for index in range(min(count, _MOST_PAGES)):
            page = pdfium.content(document, index)
            if page.unshaped:
                raise DoubtfulError(_NO_FONT)
            garbled += page.is_garbled
            scans += page.needs_eyes
            chars += len(page.chars)
            known = pages[-1].columns if pages else ()
            pages.append(lay(index + 1, page.chars, page.segments, known, page.covered))
            if chars > _MOST_CHARS:
                break
    text, tables = together(pages)
    has_form = sum(len(table.rows) for table in tables if _is_wide(table)) >= _FORM_ROWS
    if garbled or (scans and not has_form):
        raise NeedsHelp(Need.OCR)
    if not has_form and all(label in text for label in _FORM_LABELS):
        tables = plumber.tables(data) or tables
    return Extract(
        format=Format.PDF,
        read_by=ReadBy.TEXT,
        text=text,
        tables=tables,
        headings=first_lines(text.split("\n")),
        truncated=count > _MOST_PAGES or chars > _MOST_CHARS,
    )


def _is_wide(table: Table) -> bool:
    return len(table.rows[0]) >= _FORM_COLUMNS
