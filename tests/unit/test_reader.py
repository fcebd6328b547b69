"""Whole mails through real children: nothing here is played by a stand-in but the file that kills its reader."""

from __future__ import annotations

import base64
import io
import os
import random
import signal
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from email.message import EmailMessage
from pathlib import Path

import docx
import msgspec
import openpyxl
import pytest
from PIL import Image

from mailbot import rubric as rubrics
from mailbot.child import serve
from mailbot.config import Limits
from mailbot.documents.sandbox import Parent, Pool
from mailbot.errors import DocumentError
from mailbot.model import Code, Format, ReadBy, Role, doubted
from mailbot.reader import Reader
from mailbot.reading import MailReading
from tests.conftest import ROOT, require_extra_ocr
from tests.forms import texts
from tests.forms.expected import files, read_expected
from tests.forms.paper import draw

RUBRIC = ROOT / "rubric" / "2020.toml"
CORPUS = ROOT / "tests" / "forms" / "corpus"
ITEMS = rubrics.load(RUBRIC).items
NAME = "浙江省示例学会"
EVERYTHING = frozenset({Role.FORM, Role.SUMMARY, Role.PLAN})


@pytest.fixture(scope="module")
def reader():
    with Reader(RUBRIC, Limits(parse_seconds=20), children=1) as opened:
        yield opened


def form() -> bytes:
    """The notice's form as a workbook: one point each."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["2020年度省级学会工作自评表"])
    sheet.append([f"填报单位：{NAME}（盖章）"])
    sheet.append(["序号", "类别", "项目", "评价内容", "分值", "自评分", "自评依据(工作实效)", "备注"])
    for item in ITEMS:
        sheet.append(
            [item.no, item.category, item.group, item.criterion, f"{item.points}分", 1, "开展活动6次", ""]
        )
    sheet.append(["总计", "", "", "", "100分", len(ITEMS), "", ""])
    return saved(book)


def saved(document: openpyxl.Workbook | docx.document.Document) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def text(title: str, sentence: str) -> bytes:
    document = docx.Document()
    document.add_heading(title, 0)
    for _ in range(12):
        document.add_paragraph(sentence)
    document.add_paragraph(NAME)
    return saved(document)


def summary() -> bytes:
    return text(
        f"{NAME}2020年度工作总结",
        "2020年，我会共举办学术交流活动12次，完成了全年各项任务，取得了较好的成效。",
    )


def plan() -> bytes:
    return text(
        f"{NAME}2021年度工作计划", "2021年，我会将继续举办学术交流活动，拟组织科普讲座，计划新增会员。"
    )


def put(folder: Path, *files: tuple[str, bytes], body: str = "见附件，请查收。", **headers: str) -> Path:
    message = EmailMessage()
    usual = {
        "From": f"{NAME} <zhang@society.example.com>",
        "To": "societies@example.org",
        "Subject": "报送材料",
    }
    for name, value in (usual | {key.replace("_", "-"): value for key, value in headers.items()}).items():
        message[name] = value
    message.set_content(body)
    for name, data in files:
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    path = folder / "mail"
    path.write_bytes(message.as_bytes())
    return path


def read(reader: Reader, path: Path) -> MailReading:
    return reader.read_mail(
        path, authserv_id=None, own_addresses=("societies@example.org",), required=EVERYTHING
    )


FILES = (("新建文档.xlsx", form()), ("1.docx", summary()), ("2.docx", plan()))


def test_a_whole_submission(reader, tmp_path):
    reading = read(reader, put(tmp_path, *FILES))
    assert [(d.filename, d.format, d.role) for d in reading.documents] == [
        ("新建文档.xlsx", Format.XLSX, Role.FORM),
        ("1.docx", Format.DOCX, Role.SUMMARY),
        ("2.docx", Format.DOCX, Role.PLAN),
    ]
    assert reading.form_key == reading.documents[0].key
    assert reading.assessment.organization == NAME
    assert reading.assessment.read_by is ReadBy.CELLS
    assert reading.assessment.year == 2020
    assert reading.assessment.total == reading.assessment.stated_total == Decimal(len(ITEMS))
    assert [item.no for item in reading.assessment.items] == [item.no for item in ITEMS]
    assert not [f for f in reading.findings if f.severity.value == "error"]
    assert reading.head.subject == "报送材料"
    assert reading.head.claims_attachment


@pytest.mark.parametrize(
    ("body", "subject"),
    [
        ("总结和自评表见附件。2021年我会计划召开学术年会一次，举办培训班两期，开展科普活动五场。", "材料"),
        ("总结和自评表见附件。\n明年打算：\n1、5月 学术年会；\n2、9月 科普日；\n3、11月 培训班。", "材料"),
        ("请查收。", "2020年工作总结（含2021年工作计划）"),
        ("计划已写在总结最后部分，请查收。", "材料"),
    ],
)
def test_a_plan_in_the_mails_own_words_is_for_a_person_where_no_other_came(reader, tmp_path, body, subject):
    first, second = read(reader, put(tmp_path, *FILES[:2], body=body, Subject=subject)).documents
    assert (first.findings, [doubted(f) for f in second.findings]) == ((), [(Role.PLAN,)])
    whole = read(reader, put(tmp_path, *FILES, body=body, Subject=subject))
    assert [d.findings for d in whole.documents] == [(), (), ()]


@pytest.mark.parametrize(
    "body",
    [
        "总结和自评表见附件，2021年工作计划待理事会通过后再报。",
        "2020年我会举办年会，开展科普，组织培训，情况见总结。新的一年，祝老师工作顺利！",
        "我会定于2021年1月20日召开会员大会换届，届时开展培训。",
    ],
)
def test_a_cover_letter_is_no_plan(reader, tmp_path, body):
    assert [d.findings for d in read(reader, put(tmp_path, *FILES[:2], body=body)).documents] == [(), ()]


def test_the_same_mail_is_read_the_same_twice_and_by_another_child(reader, tmp_path):
    path = put(tmp_path, *FILES)
    with Reader(RUBRIC, Limits(), children=2) as other:
        assert read(reader, path) == read(reader, path) == read(other, path)


def test_no_document_sees_what_its_child_read_before(reader, monkeypatch):
    """In a child that has read others, in any order, each is read as in one that never saw another."""
    paths = [path for path in files(CORPUS) if read_expected(path).needs == ""][::16]
    with monkeypatch.context() as fresh:
        fresh.setattr("mailbot.documents.sandbox._RECYCLE_AFTER", 1)
        alone = {path: reader.read_document(path) for path in paths}
    for path in (*reversed(paths), *paths):
        assert reader.read_document(path) == alone[path], path.name


def test_a_large_mail_is_held_once_as_it_came_and_once_decoded(tmp_path):
    more = random.Random(1).randbytes(36 * 2**20)
    path = put(tmp_path, *FILES, ("附件.bin", b"placeholder"))
    octets = path.read_bytes()
    path.write_bytes(octets.replace(base64.b64encode(b"placeholder"), base64.encodebytes(more)))
    assert path.stat().st_size > 48 * 2**20
    with Reader(RUBRIC, Limits(parse_memory_mb=320), children=1) as small:
        reading = read(small, path)
    assert reading.documents[-1].size == len(more)
    assert reading.assessment.organization == NAME


def test_a_forwarded_mail_is_opened(reader, tmp_path):
    inner = put(tmp_path, *FILES).read_bytes()
    outer = EmailMessage()
    outer["From"] = "chair@society.example.com"
    outer["Subject"] = "转发: 报送材料"
    outer.set_content("转发学会材料")
    outer.add_attachment(inner, maintype="application", subtype="octet-stream", filename="报送材料.eml")
    path = tmp_path / "outer"
    path.write_bytes(outer.as_bytes())
    reading = read(reader, path)
    assert {(d.filename, d.container) for d in reading.documents if d.role is not Role.OTHER} == {
        (name, "报送材料.eml") for name, _ in FILES
    }
    assert reading.assessment.total == Decimal(len(ITEMS))


def test_what_comes_under_a_robots_sign_is_read_too_for_a_person_who_takes_it_in(reader, tmp_path):
    reading = read(reader, put(tmp_path, *FILES, Auto_Submitted="auto-replied"))
    assert reading.head.automatic == "Auto-Submitted: auto-replied"
    assert {d.filename for d in reading.documents} == {name for name, _ in FILES}
    assert reading.assessment is not None


def test_a_question_carries_nothing(reader, tmp_path):
    reading = read(reader, put(tmp_path, body="请问截止时间是哪天？"))
    assert reading.documents == ()
    assert not reading.head.claims_attachment
    longer = (
        "章老师：您好！\n请问年会总结和党建工作总结\n是否也要一并报送？\n"
        + "我会去年举办的活动较多，材料还在整理。" * 8
    )
    assert read(reader, put(tmp_path, body=longer)).documents == ()


def test_scans_in_word_of_which_nothing_can_be_made_out_are_for_a_person(reader, tmp_path):
    require_extra_ocr()
    picture, out = io.BytesIO(), io.BytesIO()
    Image.effect_noise((700, 900), 20).save(picture, "PNG")
    document = docx.Document()
    document.add_picture(io.BytesIO(picture.getvalue()))
    document.save(out)
    reading = read(reader, put(tmp_path, ("自评表.xlsx", form()), ("2020年工作总结.docx", out.getvalue())))
    (found,) = reading.documents[1].findings
    assert (found.code, found.document) == (Code.MESSAGE_UNPROCESSABLE, "2020年工作总结.docx")
    assert reading.documents[1].covers == ()


def test_a_scanned_page_of_which_nothing_can_be_made_out_may_be_the_paper_that_lacks(reader, tmp_path):
    require_extra_ocr()
    page, photograph = io.BytesIO(), io.BytesIO()
    Image.effect_noise((700, 900), 20).save(page, "PDF")
    Image.effect_noise((700, 900), 20).save(photograph, "JPEG")
    files = (*FILES[:2], ("扫描件.pdf", page.getvalue()), ("IMG_0013.jpg", photograph.getvalue()))
    *_, scan, picture = read(reader, put(tmp_path, *files)).documents
    assert [doubted(f) for f in scan.findings] == [(Role.SUMMARY, Role.PLAN)]
    assert picture.findings == ()


def _with_picture(folder: Path, size: tuple[int, int]) -> Path:
    """A question above a picture that its HTML shows: noise, so that it has many octets."""
    out = io.BytesIO()
    Image.effect_noise(size, 90).save(out, "PNG")
    message = EmailMessage()
    message["From"] = "chair@society.example.com"
    message["Subject"] = "请教"
    message.set_content("请问什么时候截止？")
    message.add_alternative("<p>请问什么时候截止？</p><img src='cid:a1'>", subtype="html")
    html = message.get_payload()[1]
    html.add_related(out.getvalue(), "image", "png", cid="<a1>", filename="a.png", disposition="inline")
    path = folder / "picture"
    path.write_bytes(message.as_bytes())
    return path


def test_a_logo_in_the_words_is_no_document_and_what_may_be_a_page_is_one(reader, tmp_path):
    logo = _with_picture(tmp_path, (300, 300))
    assert logo.stat().st_size > 80_000
    assert read(reader, logo).documents == ()
    page = _with_picture(tmp_path, (700, 900))
    assert [d.filename for d in read(reader, page).documents] == ["a.png"]
    assert read(reader, page).head.asks


def test_a_form_pasted_into_the_mail(reader, tmp_path):
    rows = "".join(
        f"<tr><td>{i.no}</td><td>{i.category}</td><td>{i.criterion}</td><td>{i.points}分</td><td>1</td><td>6次</td></tr>"
        for i in ITEMS
    )
    html = (
        f"<p>2020年度省级学会工作自评表</p><p>填报单位：{NAME}</p><table><tr><td>序号</td><td>类别</td><td>评价内容</td>"
        f"<td>分值</td><td>自评分</td><td>自评依据</td></tr>{rows}</table>"
    )
    message = EmailMessage()
    message["From"] = "zhang@society.example.com"
    message.set_content(html, subtype="html")
    path = tmp_path / "mail"
    path.write_bytes(message.as_bytes())
    reading = read(reader, path)
    assert [(d.filename, d.format, d.role) for d in reading.documents] == [("", Format.HTML, Role.FORM)]
    assert reading.assessment.total == Decimal(len(ITEMS))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", Code.DOCUMENT_EMPTY),
        (form()[:2000], Code.DOCUMENT_UNREADABLE),
        (b"\x00\x01\x02\x03" * 50, Code.DOCUMENT_UNSUPPORTED),
    ],
)
def test_a_file_that_cannot_be_read_leaves_the_others(reader, tmp_path, data, code):
    reading = read(reader, put(tmp_path, ("坏.xlsx", data), *FILES))
    broken = reading.documents[0]
    assert [f.code for f in broken.findings] == [code]
    assert broken.findings[0].document == "坏.xlsx"
    assert [d.role for d in reading.documents[-3:]] == [Role.FORM, Role.SUMMARY, Role.PLAN]


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x00" * 1000,
        "不知所云".encode("gb18030"),
        random.Random(1).randbytes(5000),
        b"From nobody\r\n\r\n\r\n",
    ],
)
def test_a_mail_of_nonsense_has_a_reading(reader, tmp_path, octets):
    path = tmp_path / "mail"
    path.write_bytes(octets)
    reading = read(reader, path)
    assert reading.assessment is None
    assert [d.role for d in reading.documents if d.role is not Role.OTHER] == []


def test_a_mail_built_to_break_readers_is_an_error_and_the_next_is_read(reader, tmp_path):
    path = tmp_path / "bomb"
    path.write_bytes(
        b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n" + b"--B\r\n\r\n" * 30_000
    )
    with pytest.raises(DocumentError):
        read(reader, path)
    assert len(read(reader, put(tmp_path, *FILES)).documents) == 3


def test_one_document_alone(reader, tmp_path):
    path = tmp_path / "自评表.xlsx"
    path.write_bytes(form())
    reading = reader.read_document(path)
    assert [(d.filename, d.role) for d in reading.documents] == [("自评表.xlsx", Role.FORM)]
    assert reading.assessment.total == Decimal(len(ITEMS))


def test_formulas_that_no_office_program_calculates_are_for_a_person(reader, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    reading = reader.read_document(CORPUS / "uncalculated.xls")
    assert {f.code for f in reading.findings if f.item is not None} == {Code.FORM_LOW_CONFIDENCE}
    assert [(d.role, d.findings) for d in reading.documents] == [(Role.FORM, ())]


def test_a_form_in_word_is_taken_as_it_is_written_whatever_photographs_are_beside_it(reader, tmp_path):
    photograph = io.BytesIO()
    Image.effect_noise((700, 900), 60).save(photograph, "PNG")
    path = tmp_path / "自评表.docx"
    paper = draw("photograph")
    path.write_bytes(
        texts.docx(paper, touch=lambda document: document.add_picture(photograph, width=5_760_000))
    )
    assessment = reader.read_document(path).assessment
    assert (assessment.read_by, assessment.total) == (ReadBy.TABLE, paper.sum)


# --- files that kill their child ----------------------------------------------------------------------------------


def pdf(octets_of_content: int) -> bytes:
    """A page whose content unpacks to this many octets; four hundred million of them abort the library that reads it."""
    content = zlib.compress(b"0 0 m 1 1 l S\n" * (octets_of_content // 14), 9)
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R>>",
        b"<</Filter/FlateDecode/Length %d>>stream\n" % len(content) + content + b"\nendstream",
    )
    out, places = b"%PDF-1.4\n", []
    for number, written in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj" % number + written + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + (
        b"xref\n0 5\n0000000000 65535 f \n"
        + table
        + b"trailer<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % len(out)
    )


REFUSED = {Code.DOCUMENT_UNREADABLE, Code.DOCUMENT_TOO_LARGE, Code.DOCUMENT_DANGEROUS}


def test_a_file_that_kills_its_child_leaves_the_others(tmp_path):
    files = [*FILES]
    files.insert(1, ("炸弹.pdf", pdf(400 * 2**20)))
    with Reader(RUBRIC, Limits(parse_seconds=20, parse_memory_mb=512), children=1) as reader:
        reading = read(reader, put(tmp_path, *files))
        assert read(reader, tmp_path / "mail") == reading
    bomb = reading.documents[1]
    assert bomb.filename == "炸弹.pdf"
    assert {f.code for f in bomb.findings} <= REFUSED
    assert bomb.findings
    assert [d.role for d in reading.documents if d is not bomb] == [Role.FORM, Role.SUMMARY, Role.PLAN]
    assert reading.assessment.total == Decimal(len(ITEMS))


@contextmanager
def reading_by(target: str) -> Iterator[Reader]:
    """A reader whose one child runs this in place of `serve`."""
    with Reader(RUBRIC, Limits(parse_seconds=20), children=1) as reader:
        reader._pool = reader._stack.enter_context(
            Pool(f"tests.unit.test_reader:{target}", size=1, memory_mb=512, seconds=20, preload=())
        )
        yield reader


def test_a_child_that_is_killed_once_is_no_fault_of_the_file_s(tmp_path):
    path = put(tmp_path, *FILES)
    with reading_by("slow") as reader, ThreadPoolExecutor(1) as thread:
        reader.warm()
        reading = thread.submit(read, reader, path)
        time.sleep(0.5)
        os.kill(reader._pool._children[0]._process.pid, signal.SIGKILL)
        assert [d.findings for d in reading.result(20).documents] == [(), (), ()]


def test_a_file_that_our_own_code_stumbles_over_is_for_a_person(tmp_path):
    """Its sender did nothing wrong: no letter may ask for it to be mended."""
    with reading_by("stumbling") as reader:
        reading = read(reader, put(tmp_path, *FILES))
    assert [d.role for d in reading.documents] == [Role.OTHER, Role.SUMMARY, Role.PLAN]
    (found,) = reading.documents[0].findings
    assert (found.code, found.found) == (
        Code.MESSAGE_UNPROCESSABLE,
        "raised at 1: IndexError: string index out of range",
    )
    assert found.code.asks_a_person


def slow(request: bytes, parent: Parent) -> bytes:
    """What a child does that is long at it."""
    time.sleep(1)
    return serve(request, parent)


def stumbling(request: bytes, parent: Parent) -> bytes:
    """What a child does whose code has a fault that the first file brings out."""
    if not msgspec.msgpack.decode(request)["supplied"]:
        parent.progress("1")
        raise IndexError("string index out of range")
    return serve(request, parent)


def test_a_scan_after_the_recognizer_ran_out_of_memory_has_a_fresh_one(tmp_path):
    """A used child without memory left would refuse every honest scan after it."""
    require_extra_ocr()
    import cv2
    import numpy

    with Reader(RUBRIC, Limits(), children=1) as reader:
        exhausted = Pool("tests.unit.test_reader:exhausted", size=1, memory_mb=512, seconds=20, preload=())
        reader._ocr = exhausted
        path = tmp_path / "微信图片.png"
        picture = numpy.full((900, 700, 3), 255, "uint8")
        cv2.putText(picture, "2020", (80, 300), cv2.FONT_HERSHEY_SIMPLEX, 4, (0, 0, 0), 9)
        path.write_bytes(bytes(cv2.imencode(".png", picture)[1]))
        (document,) = reader.read_document(path).documents
        assert reader._ocr is not exhausted
    assert document.findings == ()


@pytest.mark.parametrize("memory_mb", [256, 512, 768])
def test_a_scan_for_which_the_memory_does_not_do_is_for_a_person(memory_mb):
    """No letter may go out on account of what our own limits kept from being read."""
    require_extra_ocr()
    scan = ROOT / "tests" / "forms" / "corpus" / "scan-a3.png"
    with Reader(RUBRIC, Limits(parse_memory_mb=256, ocr_memory_mb=memory_mb), children=1) as reader:
        reading = reader.read_document(scan)
    (found,) = (f for d in reading.documents for f in d.findings)
    assert found.code is Code.MESSAGE_UNPROCESSABLE
    assert found.code.asks_a_person


def exhausted(_request: bytes, _parent: object) -> bytes:
    """What the spent child does."""
    return bytes(8 * 2**30)


def test_two_files_that_kill_their_child(tmp_path):
    bomb = pdf(400 * 2**20)
    with Reader(RUBRIC, Limits(parse_seconds=20, parse_memory_mb=512), children=1) as reader:
        reading = read(reader, put(tmp_path, ("a.pdf", bomb), *FILES, ("b.pdf", bomb)))
    assert [bool(d.findings) for d in reading.documents] == [True, False, False, False, True]
    assert reading.assessment.total == Decimal(len(ITEMS))


def test_a_file_that_kills_its_child_alone(tmp_path):
    path = tmp_path / "炸弹.pdf"
    path.write_bytes(pdf(400 * 2**20))
    with Reader(RUBRIC, Limits(parse_seconds=20, parse_memory_mb=512), children=1) as reader:
        (document,) = reader.read_document(path).documents
    assert {f.code for f in document.findings} <= REFUSED
    assert document.findings


@pytest.mark.parametrize(
    ("name", "title"),
    [("总结.docx", f"{NAME}2020年度工作总结"), ("佐证材料3：合作单位总结.docx", "")],
)
def test_a_report_named_as_evidence_says_nothing_of_its_sender(reader, tmp_path, name, title):
    reading = read(reader, put(tmp_path, (name, summary())))
    assert reading.documents[0].title == title
