"""All files of a mail, through containers, help from outside, and faults."""

from __future__ import annotations

import dataclasses
import hashlib
import io
from collections.abc import Mapping, Sequence

import docx
import pytest
from PIL import Image

from mailbot.config import Limits
from mailbot.documents import read as module
from mailbot.documents.needs import Supplied
from mailbot.documents.read import ReadPart, read_parts
from mailbot.mail.parse import parse
from mailbot.model import Code, Format, ReadBy
from mailbot.reading import LAST_VOLUME, Extract, Need, Part
from tests.unit.documents import samples

_XLSX = samples.xlsx()
_EXTRACT = Extract(format=Format.PDF, read_by=ReadBy.OCR, text="recognized")


def _png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "white").save(out, "PNG")
    return out.getvalue()


def _docx() -> bytes:
    document = docx.Document()
    document.add_paragraph("2020年度工作总结")
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _parts(*files: tuple[str, bytes], content_type: str = "") -> list[Part]:
    return [
        Part(key=str(n), filename=name, content_type=content_type, data=data)
        for n, (name, data) in enumerate(files, start=1)
    ]


def _open_mail(data: bytes) -> tuple[Part, ...]:
    return parse(data, authserv_id=None, own_addresses=frozenset()).parts


def _read(
    parts: Sequence[Part],
    *,
    supplied: Mapping[str, Supplied] | None = None,
    begun: list[str] | None = None,
    **limits: int,
) -> tuple[ReadPart, ...]:
    return read_parts(
        parts,
        limits=Limits(**limits),
        supplied=supplied or {},
        begin=([] if begun is None else begun).append,
        open_mail=_open_mail,
    )


def _one(name: str, data: bytes, **limits: int) -> ReadPart:
    (part,) = _read(_parts((name, data)), **limits)
    return part


def test_reads_a_document() -> None:
    part = _one("自评表.xlsx", _XLSX)
    assert (part.key, part.filename, part.format) == ("1", "自评表.xlsx", Format.XLSX)
    assert (part.sha256, part.size) == (hashlib.sha256(_XLSX).hexdigest(), len(_XLSX))
    assert (part.code, part.reason, part.needs, part.data, part.container) == (None, "", None, None, None)
    assert part.extract is not None
    assert part.extract.text == "序号\t自评分\n1\t8.5"


@pytest.mark.parametrize(
    ("name", "data", "format_"),
    [
        ("自评表.doc", _XLSX, Format.XLSX),
        ("自评表.et", samples.xls(), Format.XLS),
        ("自评表.xlsx", samples.ods(), Format.ODS),
        ("自评表.xls", b"<html><table><tr><td>1</td></tr></table></html>", Format.HTML),
        ("总结.wps", _docx(), Format.DOCX),
        ("", "2020年度工作总结".encode(), Format.TEXT),
        ("a", b"1,2,3\n4,5,6\n7,8,9\n", Format.CSV),
    ],
)
def test_reads_by_the_octets_whatever_the_name(name: str, data: bytes, format_: Format) -> None:
    part = _one(name, data)
    assert part.format is format_
    assert part.extract is not None
    assert part.extract.format is format_


@pytest.mark.parametrize(
    ("name", "data", "code", "reason"),
    [
        ("a.xlsx", b"", Code.DOCUMENT_EMPTY, ""),
        ("a.xlsx", samples.locked_xlsx(), Code.DOCUMENT_ENCRYPTED, ""),
        ("a.xls", samples.locked_xls(), Code.DOCUMENT_ENCRYPTED, ""),
        pytest.param(
            "a.7z", samples.locked_seven_zip(), Code.DOCUMENT_ENCRYPTED, "", marks=samples.needs_libarchive
        ),
        ("a.xlsx", _XLSX[:-100], Code.DOCUMENT_UNREADABLE, ""),
        ("a.xls", samples.xls()[:2000], Code.DOCUMENT_UNREADABLE, ""),
        pytest.param(
            "a.zip",
            samples.zipped({"a.txt": b"abc" * 100})[:50],
            Code.DOCUMENT_UNREADABLE,
            "",
            marks=samples.needs_libarchive,
        ),
        ("a.zip", samples.last_volume(), Code.DOCUMENT_UNSUPPORTED, LAST_VOLUME),
        (
            "a.zip",
            samples.last_volume(begins_with_member=True),
            Code.DOCUMENT_UNSUPPORTED,
            LAST_VOLUME,
        ),
        ("a.ceb", b"\x01\x02\x03", Code.DOCUMENT_UNSUPPORTED, "ceb"),
        ("a.xlsx", b"MZ\x90\0" + b"\0" * 99, Code.DOCUMENT_UNSUPPORTED, "exe"),
        ("a.zip", samples.zipped({"zeros": bytes(80 * 2**20)}), Code.DOCUMENT_DANGEROUS, ""),
    ],
)
def test_says_why_a_file_is_not_read(name: str, data: bytes, code: Code, reason: str) -> None:
    part = _read(_parts((name, data)))[0]
    assert part.code is code
    assert reason in part.reason
    assert part.extract is None


def test_refuses_what_is_beyond_the_limit() -> None:
    part = _one("a.txt", b"a" * (2**20 + 1), document_mb=1)
    assert part.code is Code.DOCUMENT_TOO_LARGE


@pytest.mark.parametrize(
    ("data", "need"),
    [
        (samples.ole("WordDocument"), Need.OFFICE),
        (samples.ole("WpsContents"), Need.OFFICE),
        (samples.ole("ETData"), Need.OFFICE),
        (b"{\\rtf1 x}", Need.OFFICE),
        (samples.zipped({"mimetype": b"application/vnd.oasis.opendocument.text"}), Need.OFFICE),
        (_png(), Need.OCR),
    ],
)
def test_asks_for_what_it_may_not_do_itself(data: bytes, need: Need) -> None:
    part = _one("总结.doc", data)
    assert (part.needs, part.data, part.code, part.extract) == (need, data, None, None)


def test_lists_a_container_before_its_members() -> None:
    archive = samples.zipped({"自评表.xlsx": _XLSX, "总结.docx": _docx()})
    read = _read(_parts(("a.txt", b"abc"), ("材料.zip", archive)))
    assert [(p.key, p.filename, p.format, p.container) for p in read] == [
        ("1", "a.txt", Format.TEXT, None),
        ("2", "材料.zip", Format.ZIP, None),
        ("2.1", "自评表.xlsx", Format.XLSX, "材料.zip"),
        ("2.2", "总结.docx", Format.DOCX, "材料.zip"),
    ]
    assert [p.extract is not None for p in read] == [True, False, True, True]
    assert [p.code for p in read] == [None] * 4


@samples.needs_libarchive
def test_opens_archives_in_forwarded_mails() -> None:
    inner = samples.mail(attached=samples.rarred({"自评表.xlsx": _XLSX}))
    read = _read(_parts(("message.eml", inner), content_type="message/rfc822"))
    assert [(p.key, p.format, p.container) for p in read] == [
        ("1", Format.EML, None),
        ("1.1", Format.RAR, "message.eml"),
        ("1.1.1", Format.XLSX, "自评表.xlsx"),
    ]


def test_a_forwarded_mail_with_a_poor_head_is_one_by_its_declared_type() -> None:
    part = _parts(("message.eml", b"Subject: x\n\nabc\n"), content_type="message/rfc822")
    assert _read(part)[0].format is Format.EML


def _nested(depth: int) -> bytes:
    data = _XLSX
    for _ in range(depth):
        data = samples.zipped({"a.zip": data})
    return data


def test_opens_archives_in_archives_to_the_limit() -> None:
    read = _read(_parts(("a.zip", _nested(3))))
    assert [p.format for p in read] == [Format.ZIP] * 3 + [Format.XLSX]
    read = _read(_parts(("a.zip", _nested(4))))
    assert [p.code for p in read] == [None] * 3 + [Code.DOCUMENT_DANGEROUS]


def test_archives_of_one_mail_share_one_limit() -> None:
    first, second = (samples.zipped({f"{n}.txt": b"%d" % n * 700_000}, method=0) for n in (1, 2))
    read = _read(_parts(("1.zip", first), ("2.zip", second)), archive_mb=1)
    assert [(p.key, p.code) for p in read] == [("1", None), ("1.1", None), ("2", Code.DOCUMENT_TOO_LARGE)]


def test_what_came_before_an_archives_fault_is_read() -> None:
    archive = samples.zipped({"自评表.xlsx": _XLSX, "电影.mp4": b"x" * 1_100_000}, method=0)
    read = _read(_parts(("a.zip", archive)), archive_mb=1)
    assert [(p.key, p.code) for p in read] == [("1", Code.DOCUMENT_TOO_LARGE), ("1.1", None)]
    assert read[1].extract is not None


def test_tells_each_file_before_it_is_touched_and_the_end() -> None:
    begun: list[str] = []
    archive = samples.zipped({"a.txt": b"a", "b.txt": b"b"})
    _read(
        _parts(("x.zip", archive), ("y.txt", b"y"), ("z.txt", b"z")), begun=begun, supplied={"3": Supplied()}
    )
    assert begun == ["1", "1.1", "1.2", "2", ""]


def test_takes_what_was_supplied() -> None:
    files = [
        ("a.pdf", _png()),
        ("b.png", _png()),
        ("c.doc", samples.ole("WordDocument")),
        ("d.zip", _nested(1)),
    ]
    refused = Supplied(code=Code.DOCUMENT_UNREADABLE, reason="died")
    supplied = {
        "1": Supplied(extract=_EXTRACT),
        "2": Supplied(),
        "3": Supplied(converted=_docx()),
        "4": refused,
    }
    begun: list[str] = []
    read = _read(_parts(*files), supplied=supplied, begun=begun)
    assert [p.needs for p in read] == [None] * 4
    assert read[0].extract is _EXTRACT
    assert (read[1].extract, read[1].code) == (None, None)
    assert read[2].extract is not None
    assert "工作总结" in read[2].extract.text
    assert (read[2].format, read[2].extract.format) == (Format.DOC, Format.DOC)
    assert (read[3].code, read[3].reason) == (Code.DOCUMENT_UNREADABLE, "died")
    assert begun == ["3+", ""]


def test_a_conversion_that_kills_its_reader_is_given_up() -> None:
    supplied = {
        "1": Supplied(converted=_docx()),
        "1+": Supplied(code=Code.DOCUMENT_UNREADABLE, reason="died"),
    }
    (part,) = _read(_parts(("a.doc", samples.ole("WordDocument"))), supplied=supplied)
    assert (part.code, part.reason, part.extract) == (Code.DOCUMENT_UNREADABLE, "died", None)


def test_a_text_stands_whose_pictures_could_not_be_recognized() -> None:
    supplied = {"1": Supplied(extract=_EXTRACT, code=Code.MESSAGE_UNPROCESSABLE, reason="timeout")}
    (read,) = _read(_parts(("总结.docx", _docx())), supplied=supplied)
    assert (read.extract, read.code, read.reason) == (_EXTRACT, Code.MESSAGE_UNPROCESSABLE, "timeout")


def test_scans_in_a_converted_file_are_recognized_under_a_key_of_their_own() -> None:
    parts = _parts(("a.doc", samples.ole("WordDocument")))
    converted = _scanned_docx()
    supplied = {"1": Supplied(converted=converted)}
    (part,) = _read(parts, supplied=supplied)
    assert (part.key, part.needs, part.format, part.data) == ("1+", Need.OCR, Format.DOCX, converted)
    (part,) = _read(parts, supplied={**supplied, "1+": Supplied(extract=_EXTRACT)})
    assert (part.key, part.needs, part.format, part.code) == ("1", None, Format.DOC, None)
    assert part.extract is not None
    assert (part.extract.text, part.extract.format) == (_EXTRACT.text, Format.DOC)


def _scanned_docx() -> bytes:
    picture, out = io.BytesIO(), io.BytesIO()
    Image.new("L", (700, 900), 255).save(picture, "PNG")
    document = docx.Document()
    document.add_picture(io.BytesIO(picture.getvalue()))
    document.save(out)
    return out.getvalue()


def test_a_conversion_that_cannot_be_read_either_ends_there() -> None:
    for converted in (samples.ole("WordDocument"), b"", _XLSX[:-100]):
        supplied = {"1": Supplied(converted=converted)}
        (part,) = _read(_parts(("a.doc", samples.ole("WordDocument"))), supplied=supplied)
        assert part.code in (Code.DOCUMENT_UNREADABLE, Code.DOCUMENT_EMPTY)
        assert part.needs is None


def test_hands_back_large_documents_in_need_by_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_TO_PASS_ON", 100)
    scans = _parts(*((f"{n}.rtf", b"{\\rtf1" + b"x" * 70) for n in range(3)))
    supplied: dict[str, Supplied] = {}
    for turn in ("1", "2", "3"):
        read = _read(scans, supplied=supplied)
        assert [p.key for p in read if p.data is not None] == [turn]
        supplied[turn] = Supplied()
    assert [p.needs for p in _read(scans, supplied=supplied)] == [None] * 3


def test_whatever_a_reader_library_raises_is_the_documents_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(data: bytes) -> Extract:
        raise RecursionError("too deep")

    monkeypatch.setattr(module, "_READERS", {Format.TEXT: broken})
    part = _one("a.txt", b"abc")
    assert (part.code, part.reason) == (Code.DOCUMENT_UNREADABLE, "RecursionError: too deep")


def test_want_of_memory_is_nobodys_fault_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def hungry(data: bytes) -> Extract:
        raise MemoryError

    monkeypatch.setattr(module, "_READERS", {Format.TEXT: hungry})
    with pytest.raises(MemoryError):
        _one("a.txt", b"abc")


def test_reading_twice_gives_the_same() -> None:
    parts = _parts(("a.zip", _nested(2)), ("b.xls", samples.xls()), ("c.doc", samples.ole("WordDocument")))
    first, second = _read(parts), _read(parts)
    assert [dataclasses.asdict(p) for p in first] == [dataclasses.asdict(p) for p in second]
