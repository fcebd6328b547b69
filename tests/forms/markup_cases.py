"""The corpus' Word files that hold more than they show: struck out, hidden or deleted scores beside the ones that count."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from functools import partial
from typing import Any

from tests.forms.case import Case, form_case
from tests.forms.paper import draw
from tests.forms.texts import docx

_MAIN = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def cases() -> Iterator[Case]:
    """All of them."""
    for name, about, touch, merged in (
        ("struck-out", "the old score struck out before the new one", _strike, True),
        ("struck-out-above", "the old score struck out on a line of its own", _strike_above, True),
        ("hidden-by-style", "the old score hidden by a character style", _hide_by_style, True),
        ("phonetic-guides", "scores with phonetic guides", _guide, True),
        ("fields", "scores as results of fields, with notes and comments", _field, True),
        ("score-in-text-box", "each score in a text box in its cell", _box, True),
        ("score-in-nested-table", "each score in a table in its cell", _nest, False),
        ("rows-in-content-controls", "each row in a content control", _control_rows, True),
        ("numbered-by-word", "序号 as an automatic list", _number, False),
        ("raised", "scores set in superscript", _raise, True),
        ("hidden-row", "an item's old row, hidden", _hide_row, False),
        ("deleted-row", "an item's old row, deleted with tracked changes", _delete_row, False),
        ("deleted-column", "a column of old scores, deleted with tracked changes", _delete_column, False),
    ):
        paper = draw(f"docx {name}")
        make = partial(docx, paper, merged=merged, touch=touch)
        yield form_case(f"{name}.docx", about, paper, make, writer="python-docx")


def _score_cells(document: Any) -> Iterator[Any]:
    for row in document.tables[0].rows[1:-1]:
        yield row.cells[5]


def _scores(document: Any) -> Iterator[Any]:
    for cell in _score_cells(document):
        yield cell.paragraphs[0]


def _parsed(xml: str) -> Any:
    from docx.oxml import parse_xml

    return parse_xml(xml)


def _element(name: str) -> Any:
    from docx.oxml import OxmlElement

    return OxmlElement(name)


def _strike(document: Any) -> None:
    for paragraph in _scores(document):
        old, text = paragraph.runs[0], paragraph.text
        old.text, old.font.strike = "1", True
        paragraph.add_run(text)


def _strike_above(document: Any) -> None:
    for paragraph in _scores(document):
        paragraph.insert_paragraph_before().add_run("1").font.double_strike = True


def _hide_by_style(document: Any) -> None:
    from docx.enum.style import WD_STYLE_TYPE

    style = document.styles.add_style("Hidden", WD_STYLE_TYPE.CHARACTER)
    style.font.hidden = True
    for paragraph in _scores(document):
        paragraph.add_run("3").style = style


def _guide(document: Any) -> None:
    for paragraph in _scores(document):
        text = paragraph.text
        paragraph.clear()
        paragraph._p.append(
            _parsed(
                f"<w:r {_MAIN}><w:ruby><w:rt><w:r><w:t>7</w:t></w:r></w:rt>"
                f"<w:rubyBase><w:r><w:t>{text}</w:t></w:r></w:rubyBase></w:ruby></w:r>"
            )
        )


def _field(document: Any) -> None:
    for paragraph in _scores(document):
        text = paragraph.text
        paragraph.clear()
        for part in (
            '<w:fldChar w:fldCharType="begin"/>',
            '<w:instrText xml:space="preserve"> =3+4 </w:instrText>',
            '<w:fldChar w:fldCharType="separate"/>',
            f"<w:t>{text}</w:t>",
            '<w:fldChar w:fldCharType="end"/>',
            '<w:footnoteReference w:id="2"/>',
            '<w:commentReference w:id="0"/>',
        ):
            paragraph._p.append(_parsed(f"<w:r {_MAIN}>{part}</w:r>"))


def _box(document: Any) -> None:
    for paragraph in _scores(document):
        content = f"<w:txbxContent><w:p><w:r><w:t>{paragraph.text}</w:t></w:r></w:p></w:txbxContent>"
        paragraph.clear()
        paragraph._p.append(
            _parsed(
                f'<w:r {_MAIN} xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
                ' xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"'
                ' xmlns:v="urn:schemas-microsoft-com:vml"><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing>'
                f"<wps:wsp><wps:txbx>{content}</wps:txbx></wps:wsp></w:drawing></mc:Choice><mc:Fallback><w:pict>"
                f"<v:shape><v:textbox>{content}</v:textbox></v:shape></w:pict></mc:Fallback></mc:AlternateContent></w:r>"
            )
        )


def _nest(document: Any) -> None:
    for cell in _score_cells(document):
        text, cell.text = cell.text, ""
        cell.add_table(1, 1).cell(0, 0).text = text


def _control_rows(document: Any) -> None:
    for row in list(document.tables[0]._tbl.tr_lst)[1:]:
        control, content = _element("w:sdt"), _element("w:sdtContent")
        row.addprevious(control)
        control.append(content)
        content.append(row)


def _number(document: Any) -> None:
    for row in document.tables[0].rows[1:-1]:
        row.cells[0].text = ""
        row.cells[0].paragraphs[0].style = "List Number"


def _raise(document: Any) -> None:
    for paragraph in _scores(document):
        paragraph.runs[0].font.superscript = True


def _copied_row(document: Any) -> Any:
    """An item's row once more above it, with another score."""
    row = document.tables[0]._tbl.tr_lst[3]
    copy = deepcopy(row)
    row.addprevious(copy)
    document.tables[0].rows[3].cells[5].paragraphs[0].runs[0].text = "0.1"
    return copy


def _hide_row(document: Any) -> None:
    _copied_row(document).get_or_add_trPr().append(_element("w:hidden"))


def _delete_row(document: Any) -> None:
    _copied_row(document).get_or_add_trPr().append(_element("w:del"))


def _delete_column(document: Any) -> None:
    for row in document.tables[0]._tbl.tr_lst:
        cell = row.tc_lst[5]
        copy = deepcopy(cell)
        cell.addprevious(copy)
        copy.get_or_add_tcPr().append(_element("w:cellDel"))
