"""PDF files with text by reportlab and LibreOffice: one form, however it is laid out."""

from __future__ import annotations

import io
import itertools
import time
from pathlib import Path
from typing import Any

import pytest
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from mailbot import rubric as rubrics
from mailbot.documents import pdf
from mailbot.documents.needs import NeedsHelp
from mailbot.errors import EncryptedError, UnreadableError
from mailbot.model import Format, ReadBy
from mailbot.reading import Extract, Need
from tests.conftest import require, require_chinese_font
from tests.forms import writers

RUBRIC = rubrics.load(Path("rubric/2020.toml"))


@pytest.fixture(autouse=True)
def _chinese_font() -> None:
    require_chinese_font()


SCORES, EVIDENCE = writers.full_scores(RUBRIC), writers.some_evidence(RUBRIC)
pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))


def _squeezed(grid: Any) -> list[list[str]]:
    return [["".join(text.split()) for text in row] for row in grid]


def _texts(extract: Extract, table: int = 0) -> list[list[str]]:
    return _squeezed([[cell.text for cell in row] for row in extract.tables[table].rows])


WHOLE = _squeezed(writers.rows(RUBRIC, SCORES, EVIDENCE))


def _canvas(draw: Any, *, pages: int = 1) -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out)
    for page in range(pages):
        canvas.setFont("STSong-Light", 12)
        draw(canvas, page)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _picture(kind: str = "PNG") -> Any:
    from PIL import Image
    from reportlab.lib.utils import ImageReader

    out = io.BytesIO()
    Image.effect_noise((400, 560), 90).convert("RGB").save(out, kind)
    return ImageReader(io.BytesIO(out.getvalue()))


LAYOUTS = {
    "landscape": {},
    "portrait": {"landscape": False},
    "large type": {"font_size": 12},
    "merged": {"merged": True},
    "no repeated heading": {"repeat_header": False},
    "rows cut by pages": {"split_rows": True, "repeat_header": False, "landscape": False, "font_size": 12},
    "rows cut below a repeated heading": {"split_rows": True, "landscape": False},
    "no lines": {"ruled": False},
    "no lines, portrait": {"ruled": False, "landscape": False},
    "no lines, rows cut": {"ruled": False, "repeat_header": False, "split_rows": True, "font_size": 12},
    "turned 90": {"rotation": 90},
    "turned 180": {"rotation": 180},
    "turned 270": {"rotation": 270, "landscape": False},
    "shown sideways": {"rotation": 90, "sideways": True},
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_the_form_over_several_pages_is_one_table(layout: dict[str, Any]) -> None:
    extract = pdf.read(writers.pdf_form(RUBRIC, SCORES, EVIDENCE, **layout))
    assert (extract.format, extract.read_by, extract.truncated) == (Format.PDF, ReadBy.TEXT, False)
    assert _texts(extract) == WHOLE
    assert len(extract.tables) == 1
    assert extract.headings[:2] == (RUBRIC.title, "填报单位：浙江省示例学会（盖章）")


def test_empty_cells_stay_empty_and_long_evidence_stays_whole() -> None:
    evidence = dict.fromkeys(EVIDENCE, "全年举办学术交流活动12场，参加人数1,260人次，汇编论文集3部。" * 4)
    extract = pdf.read(
        writers.pdf_form(
            RUBRIC, {1: "9.5", 4: "0"}, evidence, landscape=False, split_rows=True, repeat_header=False
        )
    )
    assert _texts(extract) == _squeezed(writers.rows(RUBRIC, {1: "9.5", 4: "0"}, evidence))


def test_cells_know_their_page_and_box_and_whether_they_continue_another() -> None:
    rows = pdf.read(writers.pdf_form(RUBRIC, SCORES, EVIDENCE, merged=True)).tables[0].rows
    assert (rows[1][0].place, rows[-1][0].place) == ("第1页", "第3页")
    assert [cell.merged for cell in rows[2]] == [False, True, True] + [False] * 5
    assert [cell.across for cell in rows[2]] == [False] * 8
    assert [cell.across for cell in rows[-1]] == [False, True, True, True] + [False] * 4
    box = rows[1][5].box
    assert box is not None
    assert box[0] < box[2] < 842
    assert box[1] < box[3] < 595


def test_text_comes_in_reading_order_with_wrapped_lines_joined() -> None:
    def draw(canvas: Any, page: int) -> None:
        for number, line in enumerate(
            ("2020年度工作总结", "一、全年共举办学术交流活动" * 3, "十二场。", "特此报告。")
        ):
            canvas.drawString(72, 760 - 20 * number, line)
        canvas.drawCentredString(297, 30, f"- {page + 1} -")

    text = pdf.read(_canvas(draw, pages=2)).text.split("\n")
    assert text[:3] == ["2020年度工作总结", "一、全年共举办学术交流活动" * 3 + "十二场。", "特此报告。"]
    assert "- 1 -" not in text


@pytest.mark.parametrize(("size", "place"), [(18, 180), (12, 220), (24, 60)])
def test_a_title_is_not_joined_with_the_line_beneath_it(size: int, place: int) -> None:
    """It may be what reaches furthest right: a page number, or what stands above it, is all the text besides."""

    def draw(canvas: Any, _: int) -> None:
        canvas.setFont("STSong-Light", size)
        canvas.drawString(place, 780, "2020年度省级学会工作自评表")
        canvas.setFont("STSong-Light", 12)
        canvas.drawString(60, 750, "填报单位：浙江省公路学会")
        canvas.drawString(280, 40, "— 1 —")

    assert pdf.read(_canvas(draw)).text.splitlines()[:2] == [
        "2020年度省级学会工作自评表",
        "填报单位：浙江省公路学会",
    ]


def test_a_table_whose_last_page_has_only_the_total_is_one_table() -> None:
    """There the page shows fewer column lines, the first four cells being merged."""
    rows = pdf.read(writers.pdf_form(RUBRIC, SCORES, EVIDENCE, merged=True, repeat_header=False)).tables
    assert len(rows) == 1
    assert [cell.text for cell in rows[0].rows[-1]] == ["总计", "", "", "", "100分", "100", "", ""]


def test_rules_between_rows_alone_and_open_sides() -> None:
    columns = (60, 120, 300, 380, 460)
    grid = [["序号", "评价内容", "分值", "自评分"]] + [
        [str(n), f"内容{n}", "5分", str(n % 5)] for n in range(1, 12)
    ]

    def draw(canvas: Any, page: int) -> None:
        for number, row in enumerate(grid):
            for x, text in zip(columns, row, strict=False):
                canvas.drawString(x + 4, 700 - 24 * number, text)
            canvas.line(60, 693 - 24 * number, 460, 693 - 24 * number)
        if page == 1:
            for x in columns[1:-1]:
                canvas.line(x, 717, x, 693 - 24 * 11)
            canvas.line(60, 717, 460, 717)

    assert _texts(pdf.read(_canvas(draw))) == grid
    only_inner = pdf.read(_canvas(lambda canvas, _: draw(canvas, 1)))
    assert _texts(only_inner) == grid


def test_filled_in_fields_are_read() -> None:
    def draw(canvas: Any, page: int) -> None:
        canvas.drawString(72, 700, "本页是可填写的自评表，自评分：")
        canvas.acroForm.textfield(name="score", value="95", x=260, y=690, width=60, height=24)

    assert "95" in pdf.read(_canvas(draw)).text


def test_text_hidden_behind_an_edge_is_not_read() -> None:
    def draw(canvas: Any, page: int) -> None:
        path = canvas.beginPath()
        path.rect(70, 690, 100, 30)
        canvas.clipPath(path, stroke=0)
        canvas.drawString(72, 700, "可见文字可见文字看不见的文字")

    assert pdf.read(_canvas(draw)).text == "可见文字可见文字"


def test_a_scan_asks_for_recognition() -> None:
    picture = _picture()

    def scan(canvas: Any, page: int) -> None:
        canvas.drawImage(picture, 0, 0, 595, 842)

    def marked(canvas: Any, page: int) -> None:
        scan(canvas, page)
        canvas.drawString(40, 20, "由 扫描全能王 扫描创建")

    def searchable(canvas: Any, page: int) -> None:
        scan(canvas, page)
        text = canvas.beginText(72, 700)
        text.setTextRenderMode(3)
        for _ in range(20):
            text.textLine("扫描仪自己认出的文字，认错了也没有人知道")
        canvas.drawText(text)

    for draw in (scan, marked, searchable):
        with pytest.raises(NeedsHelp) as asked:
            pdf.read(_canvas(draw))
        assert asked.value.need is Need.OCR


def test_a_scan_beside_text_asks_for_recognition_unless_the_text_has_the_form() -> None:
    import pypdfium2

    picture = _picture()
    scan = _canvas(lambda canvas, _: canvas.drawImage(picture, 0, 0, 595, 842))
    words = _canvas(lambda canvas, _: canvas.drawString(72, 700, "2020年度工作总结，附件为扫描件。"))

    def joined(*parts: bytes) -> bytes:
        out = io.BytesIO()
        whole = pypdfium2.PdfDocument.new()
        for part in parts:
            whole.import_pages(pypdfium2.PdfDocument(part))
        whole.save(out)
        return out.getvalue()

    with pytest.raises(NeedsHelp):
        pdf.read(joined(words, scan))
    form = writers.pdf_form(RUBRIC, SCORES, EVIDENCE)
    assert _texts(pdf.read(joined(form, scan))) == WHOLE


def test_a_font_without_meaning_asks_for_recognition() -> None:
    garbled = writers.pdf_form(RUBRIC, SCORES, EVIDENCE).replace(b"/UniGB-UCS2-H", b"/Identity-H  ")
    with pytest.raises(NeedsHelp):
        pdf.read(garbled)


def test_a_password_is_named_and_an_owner_password_is_no_hindrance() -> None:
    from reportlab.lib.pdfencrypt import StandardEncryption

    with pytest.raises(EncryptedError):
        pdf.read(writers.pdf_form(RUBRIC, SCORES, EVIDENCE, password="geheim"))
    out = io.BytesIO()
    canvas = Canvas(out, encrypt=StandardEncryption("", ownerPassword="geheim"))
    canvas.setFont("STSong-Light", 12)
    canvas.drawString(72, 700, "只设了权限密码的文件也能读")
    canvas.save()
    assert pdf.read(out.getvalue()).text == "只设了权限密码的文件也能读"


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7\n", b"%PDF-1.4 nonsense" * 40])
def test_damaged_files_are_unreadable(data: bytes) -> None:
    with pytest.raises(UnreadableError):
        pdf.read(data)


def test_reading_stops_at_two_hundred_pages() -> None:
    extract = pdf.read(
        _canvas(lambda canvas, page: canvas.drawString(72, 700, f"正文内容第{page + 1}段到此"), pages=203)
    )
    assert extract.truncated
    assert "第200段" in extract.text
    assert "第201段" not in extract.text


def test_what_libreoffice_prints_from_word() -> None:
    """Narrow columns, rows cut by nearly every one of ten pages, blanks between digits and signs."""
    printed = writers.by_libreoffice(
        require("soffice"), writers.docx_form(RUBRIC, SCORES, EVIDENCE), "docx", "pdf"
    )
    assert _texts(pdf.read(printed)) == WHOLE


@pytest.mark.parametrize(
    ("touch", "doubtful"),
    [
        (lambda _: None, False),
        (lambda canvas: canvas.line(108, 704, 116, 704), True),
        (lambda canvas: canvas.line(108, 698, 126, 698), False),
        (lambda canvas: canvas.rect(108, 703.6, 8, 0.8, stroke=0, fill=1), True),
    ],
    ids=["plain", "struck out", "underlined", "struck out by a box"],
)
def test_a_digit_that_is_struck_out_makes_its_number_doubtful(touch: Any, doubtful: bool) -> None:
    def draw(canvas: Any, _: int) -> None:
        canvas.grid([50, 100, 150, 200], [640, 665, 690, 715])
        for row, texts in enumerate((("4", "51", "8"), ("5", "2", "3"), ("8", "2.5", "6"))):
            for column, text in enumerate(texts):
                canvas.drawString(60 + 50 * column, 700 - 25 * row, text)
        touch(canvas)

    ((first, *others),) = [table.rows for table in pdf.read(_canvas(draw)).tables]
    assert [cell.several for cell in first] == [False, doubtful, False]
    assert not any(cell.several for row in others for cell in row)


@pytest.mark.parametrize(("white", "doubtful"), [(True, True), (False, False)])
def test_a_digit_that_was_painted_over_makes_its_number_doubtful(white: bool, doubtful: bool) -> None:
    """As who corrects a PDF does: the old number is still there, and 5 made 3 was 53."""

    def draw(canvas: Any, _: int) -> None:
        for row, (no, score) in enumerate((("1", "9"), ("4", "5"), ("5", "1"))):
            for column, text in enumerate((no, f"内容{no}", "5分", score)):
                canvas.rect(60 + 90 * column, 700 - 24 * row, 90, 24)
                canvas.drawString(64 + 90 * column, 707 - 24 * row, text)
        canvas.setFillColorRGB(*((1, 1, 1) if white else (0.9, 0.9, 0.2)), alpha=1 if white else 0.4)
        canvas.rect(332, 678, 84, 20, stroke=0, fill=1)
        canvas.setFillColorRGB(0, 0, 0)
        canvas.drawString(340, 683, "3")

    scores = [row[3] for row in pdf.read(_canvas(draw)).tables[0].rows]
    assert [(cell.text, cell.several) for cell in scores] == [("9", False), ("53", doubtful), ("1", False)]


@pytest.mark.parametrize(("slant", "text", "several"), [(45, "5", False), (30, "5", False), (0, "5协", True)])
def test_a_watermark_is_no_part_of_the_cells_that_it_crosses(slant: int, text: str, several: bool) -> None:
    """One that stands level is not told from the text, and makes a doubt of it."""

    def draw(canvas: Any, _: int) -> None:
        for column, said in enumerate(("1", "内容", "10分", "5")):
            canvas.rect(60 + 90 * column, 700, 90, 24)
            canvas.rect(60 + 90 * column, 724, 90, 24)
            canvas.drawString(64 + 90 * column, 707, said)
        canvas.translate(350, 706)
        canvas.rotate(slant)
        canvas.setFont("STSong-Light", 40)
        canvas.setFillColorRGB(0.85, 0.85, 0.85)
        canvas.drawString(0, -12, "协")

    cell = pdf.read(_canvas(draw)).tables[0].rows[-1][3]
    assert ("".join(cell.text.split()), cell.several) == (text, several)


@pytest.mark.parametrize("lean", [0.2, 0.333])
def test_an_italic_made_of_an_upright_font_is_read(lean: float) -> None:
    """As of Chinese fonts, which have no italics: its strokes lean, its line is level, and it was taken for a watermark."""

    def draw(canvas: Any, _: int) -> None:
        for column, said in enumerate(("1", "内容", "10分", "5")):
            canvas.rect(60 + 90 * column, 700, 90, 24)
            canvas.rect(60 + 90 * column, 724, 90, 24)
            text = canvas.beginText()
            text.setTextTransform(1, 0, lean, 1, 64 + 90 * column, 707)
            text.textOut(said)
            canvas.drawText(text)

    assert [cell.text for cell in pdf.read(_canvas(draw)).tables[0].rows[-1]] == ["1", "内容", "10分", "5"]


def _in_a_corner(canvas: Any, path: Any) -> None:
    corner = canvas.beginPath()
    corner.rect(0, 0, 100, 40)
    canvas.clipPath(corner, stroke=0)
    path.rect(0, 0, 596, 842)


def _out_of_sight(canvas: Any, path: Any) -> None:
    corner = canvas.beginPath()
    corner.rect(420, 0, 100, 600)
    canvas.clipPath(corner, stroke=0)
    path.rect(60, 650, 300, 100)


def _around_the_page(_: Any, path: Any) -> None:
    path.rect(0, 0, 596, 842)
    path.rect(20, 20, 556, 802)


@pytest.mark.parametrize("paint", [_in_a_corner, _out_of_sight, _around_the_page])
def test_white_that_covers_no_text_makes_nothing_doubtful(paint: Any) -> None:
    """The page painted white within narrow bounds, as by browsers, and a frame around it."""

    def draw(canvas: Any, _: int) -> None:
        for row in range(3):
            for column, text in enumerate(("1", "内容", "5分", "5")):
                canvas.rect(60 + 90 * column, 700 - 24 * row, 90, 24)
                canvas.drawString(64 + 90 * column, 707 - 24 * row, text)
        path = canvas.beginPath()
        paint(canvas, path)
        canvas.setFillColorRGB(1, 1, 1)
        canvas.drawPath(path, stroke=0, fill=1, fillMode=0)

    rows = pdf.read(_canvas(draw)).tables[0].rows
    assert not any(cell.several for row in rows for cell in row)


def test_a_page_of_many_white_boxes_holds_nobody_up() -> None:
    """As a map or a diagram has them; each was compared with each character."""

    def draw(canvas: Any, _: int) -> None:
        canvas.setFont("Helvetica", 4)
        for line in range(150):
            canvas.drawString(20, 10 + 5 * line, "1234567890" * 10)
        canvas.setFillColorRGB(1, 1, 1)
        for number in range(12_000):
            canvas.rect(20 + number * 7 % 500, 20 + number * 13 % 800, 5, 5, stroke=0, fill=1)

    data = _canvas(draw)
    begun = time.process_time()
    pdf.read(data)
    assert time.process_time() - begun < 6


def test_a_number_over_the_border_of_its_cell_is_doubtful() -> None:
    """10 was 1, and the evidence beside it began with 0."""

    def draw(canvas: Any, _: int) -> None:
        for row, score in enumerate(("10", "9", "10")):
            for column, said in enumerate((str(row), "内容", score, "举办学术年会")):
                canvas.rect(60 + 90 * column, 700 - 24 * row, 90, 24)
                canvas.drawString((64 if row or column != 2 else 143) + 90 * column, 707 - 24 * row, said)

    rows = pdf.read(_canvas(draw)).tables[0].rows
    assert [(row[2].text, row[2].several) for row in rows] == [("1", True), ("9", False), ("10", False)]


@pytest.mark.parametrize(
    ("second", "aside", "below"), [("3", 0, 2), ("3", 2, 0), ("5", 2.5, 2)], ids=["over", "beside", "shadow"]
)
def test_digits_that_stand_on_each_other_make_a_doubt(second: str, aside: float, below: float) -> None:
    """One set over another, or a shadow: 5 was 53, or 55."""

    def draw(canvas: Any, _: int) -> None:
        for row, score in enumerate(("9", "5", "10")):
            for column, said in enumerate((str(row), "内容", "5分", score)):
                canvas.rect(60 + 90 * column, 700 - 24 * row, 90, 24)
                canvas.drawString(64 + 90 * column, 707 - 24 * row, said)
        canvas.drawString(334 + aside, 683 - below, second)
        canvas.drawString(60, 560, "说明：自评分请对照分值填写，自评依据请简要填写工作实效。")

    scores = [row[3] for row in pdf.read(_canvas(draw)).tables[0].rows]
    assert [cell.several for cell in scores] == [False, True, False]


def test_a_smaller_digit_behind_others_makes_its_number_doubtful() -> None:
    def draw(canvas: Any, _: int) -> None:
        canvas.grid([50, 100, 150, 200], [640, 665, 690, 715])
        for row, texts in enumerate((("4", "1", "8"), ("5", "21", "3"), ("8", "2分", "6"))):
            for column, text in enumerate(texts):
                canvas.drawString(60 + 50 * column, 700 - 25 * row, text)
        canvas.setFont("STSong-Light", 7)
        canvas.drawString(117, 705, "1")

    (table,) = pdf.read(_canvas(draw)).tables
    assert [cell.several for row in table.rows for cell in row] == [False, True, *[False] * 7]


def test_no_text_is_lost_where_one_border_of_a_later_page_is_not_quite_the_others() -> None:
    def draw(canvas: Any, page: int) -> None:
        for number, edge in enumerate((411, 411, 411) if page == 0 else (409, 414, 409)):
            top = 700 - 40 * number
            for left, right in itertools.pairwise((40, 200, edge, 560)):
                canvas.rect(left, top, right - left, 40)
                canvas.drawString(left + 8, top + 14, f"{page}{number}{'abc'[(40, 200, edge).index(left)]}")

    extract = pdf.read(_canvas(draw, pages=2))
    said = [
        text for table in extract.tables for row in table.rows for cell in row if (text := cell.text.strip())
    ]
    assert sorted(said) == sorted(
        f"{page}{row}{column}" for page in (0, 1) for row in range(3) for column in "abc"
    )


def test_of_two_pages_printed_on_one_the_left_one_comes_first() -> None:
    def draw(canvas: Any, page: int) -> None:
        for left, top, half in ((40, 680, "a"), (320, 720, "b")):
            columns, rows = [left + 36 * n for n in range(7)], [top - 20 * n for n in range(11)]
            canvas.grid(columns, rows)
            for row in range(10):
                canvas.drawString(left + 6, top - 15 - 20 * row, f"{page}{half}{row}")

    extract = pdf.read(_canvas(draw, pages=2))
    first = [row[0].text for table in extract.tables for row in table.rows]
    assert first == [f"{page}{half}{row}" for page in (0, 1) for half in "ab" for row in range(10)]


def test_a_form_in_pieces_is_read_by_the_first_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(canvas: Any, page: int) -> None:
        for left in (20, 300):
            canvas.grid([left + 45 * n for n in range(7)], [720 - 20 * n for n in range(8)])
            for column, label in enumerate(("序号", "内容", "分值", "自评分", "自评依据", "备注")):
                canvas.setFont("STSong-Light", 8)
                canvas.drawString(left + 4 + 45 * column, 706, label)
            canvas.drawString(left + 4, 686, f"{page}{left}")

    monkeypatch.setattr(
        "mailbot.documents.plumber.tables", lambda _: pytest.fail("a second reader was asked")
    )
    assert "1300" in pdf.read(_canvas(draw, pages=2)).text
