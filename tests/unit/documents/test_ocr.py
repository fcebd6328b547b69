"""Scans and photographs made from real pages: rendered, turned, bent, stained, photographed."""

from __future__ import annotations

import builtins
import dataclasses
import difflib
import io
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mailbot import rubric as rubrics
from mailbot.documents import ocr, picture, recognizer
from mailbot.documents.dimensions import worth_recognizing
from mailbot.errors import DangerousError, UnreadableError, UnsupportedError
from mailbot.model import Format, ReadBy
from mailbot.reading import Cell, Extract
from tests.conftest import require_chinese_font
from tests.forms import writers

WHOLE = rubrics.load(Path("rubric/2020.toml"))
RUBRIC = dataclasses.replace(WHOLE, items=WHOLE.items[:7])
SCORES = {1: "9.5", 4: "5", 5: "0", 8: "2", 11: "4", 13: "3.5"}
"""Item 14 is left empty."""
EVIDENCE = writers.some_evidence(RUBRIC)
GRID = [["".join(text.split()) for text in row] for row in writers.rows(RUBRIC, SCORES, EVIDENCE)]


@pytest.fixture(scope="module")
def page() -> Any:
    """The form as a picture at 200 dpi, in the colours of a photograph."""
    _owed()
    return _rendered(writers.pdf_form(RUBRIC, SCORES, EVIDENCE, font_size=10))


def _owed() -> None:
    pytest.importorskip("rapidocr")
    require_chinese_font()


def _rendered(data: bytes) -> Any:
    import pypdfium2

    with pypdfium2.PdfDocument(data) as document:
        return document[0].render(scale=200 / 72).to_pil().convert("RGB")


def _jpeg(image: Any, **more: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=75, **more)
    return out.getvalue()


def _cells(extract: Extract) -> list[list[Cell]]:
    return [list(row) for row in extract.tables[0].rows]


def _is_the_form(extract: Extract) -> None:
    """Every number right, and the words as good as right."""
    assert extract.read_by is ReadBy.OCR
    got = [["".join(cell.text.split()) for cell in row] for row in _cells(extract)]
    assert [[row[0], row[5]] for row in got] == [[row[0], row[5]] for row in GRID]
    for column in (3, 6):
        mine, theirs = ("".join(row[column] for row in rows) for rows in (got, GRID))
        assert difflib.SequenceMatcher(None, mine, theirs, autojunk=False).ratio() > 0.97


def _photographed(image: Any) -> Any:
    """Askew, unevenly lit, a little out of focus, with the table it lies on around it."""
    import cv2
    import numpy

    pixels = numpy.asarray(image)
    high, wide = pixels.shape[:2]
    here = numpy.array([[0, 0], [wide, 0], [wide, high], [0, high]], "float32")
    there = here * 0.9 + numpy.array([[70, 95], [110, 40], [95, 90], [20, 120]], "float32")
    bent = cv2.warpPerspective(
        pixels, cv2.getPerspectiveTransform(here, there), (wide, high), borderValue=(120, 100, 80)
    )
    lit = bent * numpy.linspace(0.7, 1.0, wide)[None, :, None]
    noise = numpy.random.default_rng(3).normal(0, 5, lit.shape)
    from PIL import Image

    return Image.fromarray(cv2.GaussianBlur(numpy.clip(lit + noise, 0, 255).astype("uint8"), (3, 3), 0.7))


def _stamped(image: Any, at: tuple[int, int]) -> Any:
    from PIL import ImageDraw

    stamped = image.copy()
    draw = ImageDraw.Draw(stamped)
    x, y = at
    draw.ellipse((x - 120, y - 120, x + 120, y + 120), outline=(205, 35, 40), width=7)
    draw.regular_polygon((x, y, 40), 5, fill=(205, 35, 40))
    return stamped


def test_a_scan_is_read_with_places_and_confidence(page: Any) -> None:
    extract = ocr.read(_jpeg(page), Format.IMAGE)
    _is_the_form(extract)
    assert (extract.format, extract.truncated) == (Format.IMAGE, False)
    assert extract.headings[0] == "2020年度省级学会工作自评表"
    rows = _cells(extract)
    assert rows[1][5].place == "第1页"
    assert rows[1][5].box is not None
    assert all((row[5].confidence or 0) > 0.9 and row[5].picture is None for row in rows[1:7])
    assert (rows[7][5].text, rows[7][5].confidence) == ("", None)


def test_a_photograph_lying_on_its_side_with_a_seal(page: Any) -> None:
    photograph = _photographed(_stamped(page, (430, 230)))
    extract = ocr.read(_jpeg(photograph.rotate(90, expand=True)), Format.IMAGE)
    _is_the_form(extract)
    assert extract.seal is True


def test_a_score_under_a_seal_is_read_or_doubted(page: Any) -> None:
    box = _cells(ocr.read(_jpeg(page), Format.IMAGE))[3][5].box
    assert box is not None
    scale = min(page.size) / 595
    middle = (int((box[0] + box[2]) / 2 * scale), int((box[1] + box[3]) / 2 * scale))
    extract = ocr.read(_jpeg(_stamped(page, middle)), Format.IMAGE)
    assert extract.seal is True
    wrong = [mine[5] for mine, theirs in zip(_cells(extract), GRID, strict=True) if mine[5].text != theirs[5]]
    assert 2 * len(wrong) < len(GRID)
    assert all((cell.confidence or 0) < 0.9 for cell in wrong)


_RED, _BLUE = (205, 35, 40), (30, 60, 190)


@pytest.mark.parametrize(
    ("shape", "colour"),
    [
        ("disc", _RED),
        ("ring", _BLUE),
        ("frame", _RED),
        ("bar", _RED),
        ("words", _RED),
        ("half", _RED),
        ("small ring", _RED),
    ],
)
def test_a_logo_is_no_seal(shape: str, colour: tuple[int, int, int]) -> None:
    pytest.importorskip("cv2")
    import numpy
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (1654, 1170), "white")
    draw = ImageDraw.Draw(image)
    match shape:
        case "disc":
            draw.ellipse((300, 300, 520, 520), fill=colour)
        case "ring":
            draw.ellipse((300, 300, 520, 520), outline=colour, width=8)
        case "frame":
            draw.rectangle((300, 300, 520, 520), outline=colour, width=8)
        case "bar":
            draw.rectangle((100, 150, 1550, 160), fill=colour)
        case "words":
            for left in range(300, 1300, 110):
                draw.regular_polygon((left, 200, 40), 4, fill=colour)
        case "half":
            draw.arc((300, 300, 520, 520), 180, 360, fill=colour, width=8)
        case "small ring":
            draw.ellipse((300, 300, 360, 360), outline=colour, width=5)
    pixels = numpy.ascontiguousarray(numpy.asarray(image)[:, :, ::-1])
    same, seen = picture.seal(pixels)
    assert seen is False
    assert (same == pixels).all()


def test_dashes_and_slashes_are_no_ones_and_never_certain() -> None:
    _owed()
    zeros = SCORES | {4: "/", 5: "-", 8: "—"}
    evidence = EVIDENCE | dict.fromkeys((4, 5, 8), "")
    extract = ocr.read(
        _jpeg(_rendered(writers.pdf_form(RUBRIC, zeros, evidence, font_size=10))), Format.IMAGE
    )
    cells = {row[0].text: row[5] for row in _cells(extract)}
    assert [cells[no].text for no in ("1", "4", "5", "8", "11")] == ["9.5", "/", "-", "-", "4"]
    assert all((cells[no].confidence or 0) <= 0.5 for no in ("4", "5", "8"))


def test_the_camera_s_orientation_is_obeyed_and_no_seal_is_seen(page: Any) -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 3
    extract = ocr.read(_jpeg(_photographed(page).rotate(180), exif=exif), Format.IMAGE)
    _is_the_form(extract)
    assert extract.seal is False


def test_a_blot_on_a_score_is_doubted_and_shown(page: Any) -> None:
    from PIL import Image, ImageDraw

    blotted = page.copy()
    box = _cells(ocr.read(_jpeg(page), Format.IMAGE))[2][5].box
    assert box is not None
    scale = min(page.size) / 595
    x, y = box[0] * scale, (box[1] + box[3]) / 2 * scale
    ImageDraw.Draw(blotted).line((x + 10, y + 14, x + 60, y - 14), fill="black", width=5)
    cell = _cells(ocr.read(_jpeg(blotted), Format.IMAGE))[2][5]
    assert (cell.confidence or 0) < 0.9
    assert cell.picture is not None
    assert Image.open(io.BytesIO(cell.picture)).size[0] > 20


def test_a_pdf_of_a_text_page_and_a_scan_takes_the_text_as_it_is(page: Any) -> None:
    data = _mixed(page)
    extract = ocr.read(data, Format.PDF)
    assert extract.read_by is ReadBy.OCR
    assert extract.text.startswith("2020年度工作总结，附自评表扫描件一页。")
    _is_the_form(extract)
    assert _cells(extract)[1][5].place == "第2页"


def test_scans_in_a_word_file_are_read_beside_what_is_typed(page: Any) -> None:
    import docx

    document = docx.Document()
    document.add_paragraph("附自评表扫描件一页。")
    document.add_picture(io.BytesIO(_jpeg(page)), width=docx.shared.Cm(16))
    out = io.BytesIO()
    document.save(out)
    extract = ocr.read(out.getvalue(), Format.DOCX)
    assert (extract.format, extract.read_by) == (Format.DOCX, ReadBy.OCR)
    assert extract.text.startswith("附自评表扫描件一页。")
    _is_the_form(extract)


def _mixed(image: Any) -> bytes:
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfgen.canvas import Canvas

    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(842, 595))
    canvas.setFont("STSong-Light", 12)
    canvas.drawString(72, 500, "2020年度工作总结，附自评表扫描件一页。")
    canvas.showPage()
    canvas.drawImage(ImageReader(io.BytesIO(_jpeg(image))), 0, 0, 842, 595)
    canvas.save()
    return out.getvalue()


def test_a_table_without_lines_is_never_certain() -> None:
    _owed()
    extract = ocr.read(
        _jpeg(_rendered(writers.pdf_form(RUBRIC, SCORES, EVIDENCE, ruled=False))), Format.IMAGE
    )
    assert "举办会员继续教育培训" in extract.text
    cells = [cell for table in extract.tables for row in table.rows for cell in row if cell.text]
    assert cells
    assert all((cell.confidence or 0) <= 0.5 for cell in cells)


def test_several_frames_are_pages_of_one_document(page: Any) -> None:
    from PIL import Image

    out = io.BytesIO()
    first = page.convert("L")
    blank = Image.new("L", page.size, 255)
    first.save(out, "TIFF", save_all=True, append_images=[blank], compression="tiff_lzw")
    seen: list[str] = []
    extract = ocr.read(out.getvalue(), Format.IMAGE, seen.append)
    _is_the_form(extract)
    assert len(seen) == 2
    assert extract.seal is None


def test_the_reading_child_s_limits_suffice(page: Any) -> None:
    """Memory bounded, no socket, no program, nothing written: as the worker runs it."""
    import msgspec

    from mailbot.documents.needs import Supplied
    from mailbot.documents.sandbox import Pool

    request = msgspec.msgpack.encode({"format": "image", "data": _jpeg(page)})
    with Pool("mailbot.child:serve_ocr", size=1, memory_mb=2048, seconds=120, preload=()) as pool:
        supplied = msgspec.msgpack.decode(pool.call(request), type=Supplied)
    assert supplied.extract is not None
    _is_the_form(supplied.extract)


@pytest.fixture
def _without_the_extra(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    genuine = builtins.__import__

    def refuse(name: str, *arguments: Any, **more: Any) -> Any:
        if name.partition(".")[0] == "rapidocr":
            raise ImportError(name)
        return genuine(name, *arguments, **more)

    recognizer._engine.cache_clear()
    monkeypatch.setattr(builtins, "__import__", refuse)
    yield
    recognizer._engine.cache_clear()


@pytest.mark.usefixtures("_without_the_extra")
def test_without_the_extra_a_scan_says_what_to_install_and_text_pages_are_kept() -> None:
    from PIL import Image

    image = Image.effect_noise((1200, 900), 60).convert("RGB")
    with pytest.raises(UnsupportedError, match="OCR is not installed"):
        ocr.read(_jpeg(image), Format.IMAGE)
    extract = ocr.read(_mixed(image), Format.PDF)
    assert (extract.read_by, extract.truncated) == (ReadBy.TEXT, True)
    assert extract.text == "2020年度工作总结，附自评表扫描件一页。"


def test_what_is_no_picture_is_unreadable_and_a_huge_one_refused() -> None:
    pytest.importorskip("rapidocr")
    from PIL import Image

    with pytest.raises(UnreadableError):
        ocr.read(b"\x89PNG\r\n\x1a\n" + bytes(100), Format.IMAGE)
    out = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(out, "PNG")
    with pytest.raises(DangerousError):
        ocr.read(out.getvalue(), Format.IMAGE)


def test_a_tiff_whose_second_page_does_not_say_its_width_is_unreadable() -> None:
    pytest.importorskip("rapidocr")
    from PIL import Image

    out, page = io.BytesIO(), Image.new("L", (40, 30))
    page.save(out, "TIFF", save_all=True, append_images=[page])
    image_width, another_tag = struct.pack("<HH", 256, 4), struct.pack("<HH", 60_000, 4)
    first, second = out.getvalue().rsplit(image_width, 1)
    with pytest.raises(UnreadableError, match="Missing dimensions"):
        ocr.read(first + another_tag + second, Format.IMAGE)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
@pytest.mark.parametrize(
    ("size", "worth"),
    [((600, 400), True), ((400, 600), True), ((599, 800), True), ((599, 399), False), ((3000, 120), False)],
)
def test_a_picture_is_worth_recognizing_by_its_size(kind: str, size: tuple[int, int], worth: bool) -> None:
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", size, "white").save(out, kind)
    assert worth_recognizing(out.getvalue()) is worth


@pytest.mark.parametrize("options", [{"lossless": True}, {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"}])
def test_the_variants_of_webp_tell_their_size(options: dict[str, Any]) -> None:
    from PIL import Image

    from mailbot.documents.dimensions import dimensions

    out = io.BytesIO()
    Image.new("RGB", (640, 480), "white").save(out, "WEBP", **options)
    assert dimensions(out.getvalue()) == (640, 480)


def test_an_iphone_s_picture_tells_its_size() -> None:
    heif = pytest.importorskip("pillow_heif")
    from PIL import Image

    heif.register_heif_opener()
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "white").save(out, "HEIF")
    assert worth_recognizing(out.getvalue()) is False


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\x00\xff\xff\xff\xff", b"RIFF....WEBPVP8 "]
)
def test_a_header_that_says_nothing_is_left_to_the_child(data: bytes) -> None:
    assert worth_recognizing(data)
