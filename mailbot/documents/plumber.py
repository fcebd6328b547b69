"""A second reader for PDF tables: pdfplumber, slower, asked where the first found no form that the text speaks of."""

from __future__ import annotations

import io

from mailbot.errors import UnreadableError
from mailbot.reading import Cell, Table

_MOST_PAGES = 20


def tables(data: bytes) -> tuple[Table, ...]:
    """The ruled tables of the first pages. Raises UnreadableError where pdfplumber cannot read the file."""
    import pdfplumber
    from pdfplumber.utils.exceptions import PdfminerException

    try:
        with pdfplumber.open(io.BytesIO(data)) as pdf:
            return tuple(
                Table(rows=tuple(_row(cells, page.page_number) for cells in found))
                for page in pdf.pages[:_MOST_PAGES]
                for found in page.extract_tables()
                if found
            )
    except (PdfminerException, ValueError, KeyError, TypeError) as error:
        raise UnreadableError(f"the PDF cannot be read: {error}") from error


def _row(cells: list[str | None], page: int) -> tuple[Cell, ...]:
    """pdfplumber gives None for the continuation of a merged cell, and '' for an empty one."""
    return tuple(Cell(text=cell or "", place=f"第{page}页", merged=cell is None) for cell in cells)
