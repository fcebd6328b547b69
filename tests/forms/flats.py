"""Workbooks as Excel 2003 writes them in one XML file."""

from __future__ import annotations

from xml.sax.saxutils import escape

from tests.forms.sheets import Sheet, value

_SPACE = "urn:schemas-microsoft-com:office:spreadsheet"


def spreadsheet_xml(sheet: Sheet) -> bytes:
    """SpreadsheetML: merged cells leave the ones they cover out, and the next one says its index."""
    starts = {(r0, c0): (r1 - r0, c1 - c0) for r0, c0, r1, c1 in sheet.merged}
    covered = {
        (r, c) for r0, c0, r1, c1 in sheet.merged for r in range(r0, r1 + 1) for c in range(c0, c1 + 1)
    } - set(starts)
    rows = []
    for r, row in enumerate(sheet.rows):
        cells = "".join(
            _cell(text, c, starts.get((r, c), (0, 0)), numbers=sheet.numbers)
            for c, text in enumerate(row)
            if (r, c) not in covered
        )
        rows.append(f"<Row>{cells}</Row>")
    page = f'<Worksheet ss:Name="{sheet.name}"><Table>{"".join(rows)}</Table></Worksheet>'
    head = '<?xml version="1.0"?>\r\n<?mso-application progid="Excel.Sheet"?>\r\n'
    return f'{head}<Workbook xmlns="{_SPACE}" xmlns:ss="{_SPACE}">{page}</Workbook>'.encode()


def _cell(text: str, column: int, span: tuple[int, int], *, numbers: bool) -> str:
    down, across = span
    merge = (f' ss:MergeAcross="{across}"' if across else "") + (f' ss:MergeDown="{down}"' if down else "")
    kind = "String" if isinstance(value(text, numbers=numbers), (str, type(None))) else "Number"
    said = escape(text).replace("\n", "&#10;")
    data = f'<Data ss:Type="{kind}">{said}</Data>' if text else ""
    return f'<Cell ss:Index="{column + 1}"{merge}>{data}</Cell>'
