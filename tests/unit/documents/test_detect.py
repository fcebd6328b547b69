"""What a file is, by its bytes."""

from __future__ import annotations

import bz2
import gzip
import io

import pytest
from PIL import Image

from mailbot.documents.detect import detect, unread_kind
from mailbot.documents.locked import is_locked
from mailbot.model import Format
from tests.unit.documents import samples

_PROSE = "2020年度工作总结\n一、会员大会，理事会，学术会议。\n二、科普, 培训\n" * 5


def _picture(kind: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "white").save(out, kind)
    return out.getvalue()


def _package(*names: str) -> bytes:
    return samples.zipped(dict.fromkeys(names, b"<a/>"))


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (samples.xlsx(), Format.XLSX),
        (samples.xls(), Format.XLS),
        (samples.ods(), Format.ODS),
        (samples.zipped({"mimetype": b"application/vnd.oasis.opendocument.text"}), Format.ODT),
        (_package("[Content_Types].xml", "word/document.xml"), Format.DOCX),
        (_package("[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin"), Format.XLSX),
        (_package("[Content_Types].xml", "ppt/presentation.xml"), Format.ZIP),
        (_package("OFD.xml", "Doc_0/Document.xml"), Format.OFD),
        (_package("xl/说明.txt", "自评表.txt"), Format.ZIP),
        (samples.ole("WordDocument", "1Table"), Format.DOC),
        (samples.ole("Workbook", "ETExtData"), Format.XLS),
        (samples.ole("Book"), Format.XLS),
        (samples.ole("ETData"), Format.ET),
        (samples.ole("WpsContents"), Format.WPS),
        (samples.ole("PowerPoint Document"), Format.UNKNOWN),
        (samples.locked_xlsx(), Format.UNKNOWN),
        (samples.zipped({"a.txt": b"a"}), Format.ZIP),
        (_package("Index/Document.iwa", "Metadata/Properties.plist"), Format.UNKNOWN),
        (samples.rarred({"a.txt": b"a"}), Format.RAR),
        (b"Rar!\x1a\x07\x00" + b"\0" * 20, Format.RAR),
        pytest.param(samples.seven_zipped({"a.txt": b"a"}), Format.SEVEN_ZIP, marks=samples.needs_libarchive),
        (samples.tarred({"a.txt": b"a"}), Format.TAR),
        (samples.tarred({"a.txt": b"a"}, "w:gz"), Format.TAR),
        (samples.tarred({"a.txt": b"a"}, "w:bz2"), Format.TAR),
        (samples.tarred({"a.txt": b"a"}, "w:xz"), Format.TAR),
        (gzip.compress(b"no tar" * 200), Format.UNKNOWN),
        (bz2.compress(b"no tar" * 200), Format.UNKNOWN),
        (samples.tnef([(b"a.txt", b"a")]), Format.TNEF),
        (b"%PDF-1.4\n1 0 obj\n%%EOF", Format.PDF),
        (b"\r\n\0junk from a gateway\n%PDF-1.4\n1 0 obj<<>>endobj\n%%EOF\n", Format.PDF),
        (_picture("PNG"), Format.IMAGE),
        (_picture("JPEG"), Format.IMAGE),
        (_picture("GIF"), Format.IMAGE),
        (_picture("BMP"), Format.IMAGE),
        (_picture("TIFF"), Format.IMAGE),
        (_picture("WEBP"), Format.IMAGE),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", Format.IMAGE),
        (b"\0\0\0\x18ftypisom\0\0\0\0isom", Format.UNKNOWN),
        (b"{\\rtf1\\ansi hello}", Format.RTF),
        (b"\xef\xbb\xbf\r\n{\\rtf1\\ansi hello}", Format.RTF),
        (b"<html><body><table><tr><td>1</td></tr></table></body></html>", Format.HTML),
        (b"\xef\xbb\xbf <!-- saved -->\n<!DOCTYPE html><p>x", Format.HTML),
        ("<table><tr><td>序号</td></tr></table>".encode("gb18030"), Format.HTML),
        ("<html>宽".encode("utf-16"), Format.HTML),
        (
            b"<?xml version='1.0'?><Workbook xmlns='urn:schemas-microsoft-com:office:spreadsheet'/>",
            Format.XLS,
        ),
        (
            b"<?xml version='1.0'?><w:wordDocument xmlns:w='http://schemas.microsoft.com/office/word/2003/wordml'/>",
            Format.DOC,
        ),
        (b"<?xml version='1.0'?><invoice><number>1</number></invoice>", Format.UNKNOWN),
        (
            b'MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="x"\r\n\r\n--x\r\n\r\ntext\r\n--x--\r\n',
            Format.EML,
        ),
        (samples.mail(), Format.EML),
        (b"\r\n" + samples.mail(), Format.EML),
        (_PROSE.encode(), Format.TEXT),
        (_PROSE.encode("gb18030"), Format.TEXT),
        (_PROSE.encode("utf-16"), Format.TEXT),
        (b"From: the society\nTo: the office\nSubject: report\n\ntext", Format.TEXT),
        ("序号,指标,自评分\n1,大会,5\n4,理事会,3\n".encode("gb18030"), Format.CSV),
        ("序号;指标;自评分\n1;大会;5\n4;理事会;3\n".encode(), Format.CSV),
        (b"\x01\x02\x03\x00\xff" * 50, Format.UNKNOWN),
        (b"MZ\x90\x00" + b"\0" * 60, Format.UNKNOWN),
        (b"", Format.UNKNOWN),
    ],
)
def test_knows_it_by_its_bytes(data: bytes, wanted: Format) -> None:
    assert detect(data) is wanted


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (samples.xlsx(), Format.XLSX),
        (samples.ods(), Format.ODS),
        (samples.xls(), Format.XLS),
        (samples.zipped({"自评表.xlsx": samples.xlsx()}), Format.ZIP),
    ],
)
def test_knows_a_truncated_file_for_what_it_was(data: bytes, wanted: Format) -> None:
    assert detect(data[: len(data) * 3 // 4]) is wanted


@pytest.mark.parametrize(
    ("data", "locked"),
    [
        (samples.locked_xlsx(), True),
        (samples.locked_xls(), True),
        (samples.xlsx(), False),
        (samples.xls(), False),
        (samples.ods(), False),
        (
            samples.replaced(samples.ods(), {"META-INF/manifest.xml": (b"/>", b"><m:encryption-data/>")}),
            True,
        ),
        (samples.ole("WordDocument"), False),
    ],
)
def test_knows_a_password(data: bytes, locked: bool) -> None:
    assert is_locked(data, detect(data)) is locked


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (b"MZ\x90", "自评表.xlsx", "exe"),
        (b"Founder CEB 1.0", "x", "ceb"),
        (b"CAJ\0", "x.pdf", "caj"),
        (samples.ole("PowerPoint Document"), "x.doc", "ppt"),
        (samples.ole("__properties_version1.0"), "x", "msg"),
        (b"\x01\x02", "演示.dps", "dps"),
        (b"\x01\x02", "x.docx", ""),
        (b"\x01\x02", "", ""),
    ],
)
def test_names_what_is_not_read(data: bytes, name: str, kind: str) -> None:
    assert unread_kind(data, name) == kind
