"""Files as they come in, written by real programs where one can write them, by hand where none can."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Mapping, Sequence

import openpyxl
import pytest
import xlwt

from tests.conftest import lacks_libarchive

needs_libarchive = pytest.mark.skipif(lacks_libarchive(), reason="libarchive is not installed")


def xlsx(rows: Sequence[Sequence[object]] = (("序号", "自评分"), (1, 8.5)), title: str = "Sheet1") -> bytes:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    return saved(book)


def saved(book: openpyxl.Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def locked_xlsx() -> bytes:
    from msoffcrypto.format.ooxml import OOXMLFile

    out = io.BytesIO()
    OOXMLFile(io.BytesIO(xlsx())).encrypt("secret", out)
    return out.getvalue()


def xls() -> bytes:
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("自评表")
    sheet.write_merge(0, 0, 0, 2, "省级学会工作自评表")
    for column, value in enumerate(("1", "会员大会", 8.5)):
        sheet.write(1, column, value)
    book.add_sheet("旧").visibility = 1
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def locked_xls() -> bytes:
    """An xls whose second record is the one that announces a password (FILEPASS)."""
    whole = xls()
    at = whole.index(b"\x09\x08\x10\x00\x00\x06\x05\x00")
    second = at + 4 + 16
    return whole[:second] + b"\x2f\x00" + whole[second + 2 :]


def ods(*, hidden: bool = False) -> bytes:
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.style import Style, TableProperties
    from odf.table import CoveredTableCell, Table, TableCell, TableRow
    from odf.text import P

    document = OpenDocumentSpreadsheet()
    style = Style(name="hid", family="table")
    style.addElement(TableProperties(display="false"))
    document.automaticstyles.addElement(style)
    for name in ("表一", *(("藏",) if hidden else ())):
        table = Table(name=name, stylename="hid") if name == "藏" else Table(name=name)
        row = TableRow()
        cell = TableCell(numbercolumnsspanned=2, valuetype="string")
        cell.addElement(P(text="合并"))
        row.addElement(cell)
        row.addElement(CoveredTableCell())
        table.addElement(row)
        row = TableRow()
        cell = TableCell(valuetype="float", value="8.50")
        cell.addElement(P(text="8.50"))
        row.addElement(cell)
        row.addElement(TableCell(formula="of:=SUM([.A2:.A2])"))
        table.addElement(row)
        document.spreadsheet.addElement(table)
    out = io.BytesIO()
    document.write(out)
    return out.getvalue()


def zipped(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def zipped_raw(name: bytes, data: bytes, *, flags: int = 0, extra: bytes = b"") -> bytes:
    """A stored ZIP with a name of given octets, as Windows tools write it."""
    check = zlib.crc32(data)
    common = struct.pack(
        "<HHHHHIIIHH", 20, flags, 0, 0, 0x21, check, len(data), len(data), len(name), len(extra)
    )
    local = b"PK\x03\x04" + common + name + extra + data
    central = b"PK\x01\x02\x14\x00" + common + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name + extra
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)
    return local + central + end


def last_volume(*, begins_with_member: bool = False) -> bytes:
    """The last of the volumes into which Info-ZIP's `zip -s` splits an archive."""
    whole = bytearray(zipped({"a.txt": bytes(999), "b.txt": b"b"}, zipfile.ZIP_STORED))
    end = whole.rindex(b"PK\5\6")
    whole[end + 4 : end + 8] = b"\3\0\3\0"
    return bytes(whole[whole.index(b"PK\3\4", 4) if begins_with_member else 500 :])


def replaced(package: bytes, changes: Mapping[str, tuple[bytes, bytes]]) -> bytes:
    """A ZIP package in which a piece of a member was replaced; fails where the piece is not there."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            data = old.read(info)
            if info.filename in changes:
                before, after = changes[info.filename]
                assert before in data, (info.filename, data[:2000])
                data = data.replace(before, after)
            new.writestr(info.filename, data)
    return out.getvalue()


def tarred(members: Mapping[str, bytes], mode: str = "w", encoding: str = "utf-8") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=tarfile.GNU_FORMAT, encoding=encoding) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def seven_zipped(members: Mapping[str, bytes]) -> bytes:
    """By libarchive; nothing without it, and then what uses it is skipped (`needs_libarchive`)."""
    if lacks_libarchive():
        return b""
    import libarchive

    blocks: list[bytes] = []

    def write(block: bytes) -> int:
        blocks.append(bytes(block))
        return len(block)

    with libarchive.custom_writer(write, "7zip") as archive:
        for name, data in members.items():
            archive.add_file_from_memory(name, len(data), data)
    return b"".join(blocks)


def locked_seven_zip() -> bytes:
    """A 7z whose header is encrypted: the coder that it names is 7zAES."""
    packed = b"\x00" * 16
    coder = b"\x01\x24\x06\xf1\x07\x01\x02\x53\x00"
    header = b"\x17\x06\x00\x01\x09\x10\x00" + b"\x07\x0b\x01\x00" + coder + b"\x0c\x10\x00\x00"
    start = struct.pack("<QQI", len(packed), len(header), zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\x00\x04" + struct.pack("<I", zlib.crc32(start)) + start + packed + header


def rarred(members: Mapping[str, bytes], *, locked: bool = False) -> bytes:
    """A RAR 5 archive of stored members (RAR 5.0 archive format, technote)."""

    def vint(number: int) -> bytes:
        out = bytearray()
        while number > 0x7F:
            out.append(number & 0x7F | 0x80)
            number >>= 7
        return bytes([*out, number])

    def block(body: bytes) -> bytes:
        sized = vint(len(body)) + body
        return struct.pack("<I", zlib.crc32(sized)) + sized

    out = b"Rar!\x1a\x07\x01\x00" + block(vint(1) + vint(0) + vint(0))
    for name, data in members.items():
        octets = name.encode()
        encryption = vint(1) + vint(0) + vint(0) + bytes([15]) + b"\x00" * 32
        extra = vint(len(encryption)) + encryption if locked else b""
        file = vint(4) + vint(len(data)) + vint(0o100644) + struct.pack("<I", zlib.crc32(data))
        file += vint(0) + vint(1) + vint(len(octets)) + octets
        flags = 2 | (1 if locked else 0)
        head = vint(2) + vint(flags) + (vint(len(extra)) if locked else b"") + vint(len(data)) + file + extra
        out += block(head) + data
    return out + block(vint(5) + vint(0) + vint(0))


def tnef(members: Sequence[tuple[bytes, bytes]]) -> bytes:
    """A winmail.dat with attachments by name (MS-OXTNEF)."""

    def attribute(level: int, kind: int, type_: int, data: bytes) -> bytes:
        head = struct.pack("<BHHI", level, kind, type_, len(data))
        return head + data + struct.pack("<H", sum(data) & 0xFFFF)

    out = b"\x78\x9f\x3e\x22\x01\x00" + attribute(1, 0x9006, 8, b"\x00\x00\x01\x00")
    out += attribute(1, 0x9007, 6, struct.pack("<II", 936, 0))
    for name, data in members:
        out += attribute(2, 0x9002, 6, b"\x01\x00" + b"\xff" * 4 + b"\x00" * 8)
        out += attribute(2, 0x8010, 1, name + b"\0")
        out += attribute(2, 0x800F, 6, data)
    return out


def mail(*, attached: bytes = b"", subject: str = "report") -> bytes:
    from email.message import EmailMessage

    message = EmailMessage()
    message["From"], message["To"] = "a@example.org", "b@example.org"
    message["Subject"], message["Message-ID"] = subject, "<1@example.org>"
    message.set_content("见附件")
    if attached:
        message.add_attachment(
            attached, maintype="application", subtype="octet-stream", filename="自评表.xlsx"
        )
    return message.as_bytes()


def ole(*names: str) -> bytes:
    """An OLE file with small streams of these names (MS-CFB)."""
    free, end, fat = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16
    head += struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + b"\0" * 6
    head += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 0x1000, end, 0, end, 0)
    head += struct.pack("<I", 0) + struct.pack("<I", free) * 108
    table = struct.pack("<III", fat, end, end) + struct.pack("<I", free) * 125
    entries = [_entry("Root Entry", 5, 1 if names else free)]
    entries += [
        _entry(name, 2, free, right=i + 2 if i + 1 < len(names) else free) for i, name in enumerate(names)
    ]
    entries += [b"\0" * 128] * (4 - len(entries))
    return head + table + b"".join(entries[:4]) + b"\0" * 512


def _entry(name: str, kind: int, child: int, right: int = 0xFFFFFFFF) -> bytes:
    octets = (name + "\0").encode("utf-16-le")
    out = octets.ljust(64, b"\0") + struct.pack("<HBB", len(octets), kind, 1)
    out += struct.pack("<III", 0xFFFFFFFF, right, child) + b"\0" * 36
    return (out + struct.pack("<IQ", 0xFFFFFFFE, 0)).ljust(128, b"\0")
