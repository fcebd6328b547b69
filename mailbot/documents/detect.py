"""What a file is, by its bytes and never by its name."""

from __future__ import annotations

import bz2
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable

from mailbot.documents import text
from mailbot.model import OLE_START, PDF_START, ZIP_START, Format
from mailbot.reading import LAST_VOLUME

_MAGIC = (
    (b"Rar!\x1a\x07", Format.RAR),
    (b"7z\xbc\xaf\x27\x1c", Format.SEVEN_ZIP),
    (b"\x78\x9f\x3e\x22", Format.TNEF),
    (PDF_START, Format.PDF),
    (b"\x89PNG\r\n\x1a\n", Format.IMAGE),
    (b"\xff\xd8\xff", Format.IMAGE),
    (b"GIF87a", Format.IMAGE),
    (b"GIF89a", Format.IMAGE),
    (b"II*\x00", Format.IMAGE),
    (b"MM\x00*", Format.IMAGE),
)
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif"})
_BMP_HEADERS = frozenset({12, 16, 40, 52, 56, 64, 108, 124})
_MIMETYPES = {
    b"application/vnd.oasis.opendocument.spreadsheet": Format.ODS,
    b"application/vnd.oasis.opendocument.text": Format.ODT,
}
_OF_OFFICE = frozenset({"[content_types].xml", "_rels/.rels", "docprops/app.xml", "docprops/core.xml"})
"""Parts of an Office file; openpyxl writes the first ones last, so that a file cut short lacks them."""
_LOCAL_SIZES = ((18, 22), (26, 28), (28, 30))
_HTML = re.compile(
    r"\s*(?:<\?xml[^>]{0,200}>\s*|<!--.{0,2000}?-->\s*)*<(?:!doctype\s+html|html|head|body|meta|table|div|style)\b",
    re.I | re.S,
)
_FRAGMENT = re.compile(r"\s*<[a-z][a-z0-9]{0,9}\b[^<>]{0,500}>.*<t[dh]\b", re.I | re.S)
"""A piece of a page with a table in it, as online forms hand out."""
_HEADER = re.compile(rb"(?:[!-9;-~]{1,60}:[^\n]*\n(?:[ \t][^\n]*\n)*)+")
_MAIL_HEADERS = frozenset(
    {
        b"from",
        b"to",
        b"subject",
        b"date",
        b"message-id",
        b"mime-version",
        b"content-type",
        b"received",
        b"return-path",
    }
)
_FLAT = (
    ("urn:schemas-microsoft-com:office:spreadsheet", Format.XLS),
    ("http://schemas.microsoft.com/office/word/2003/wordml", Format.DOC),
    ('office:mimetype="application/vnd.oasis.opendocument.spreadsheet"', Format.ODS),
    ('office:mimetype="application/vnd.oasis.opendocument.text"', Format.ODT),
)
"""Office files that are one XML file: of Excel and Word 2003, and flat OpenDocument."""
_FLAT_HEAD = 8192
_LONGEST_ZIP_END = 22 + 0xFFFF
_UNREAD = (
    (b"MZ", "exe"),
    (b"\x7fELF", "executable"),
    (b"CEB", "ceb"),
    (b"Founder CEB", "ceb"),
    (b"CAJ", "caj"),
    (b"HN\xc8\x00", "caj"),
    (b"KDH", "kdh"),
    (b"\xed\xab\xee\xdb", "rpm"),
    (b"%!PS", "ps"),
    (b"\x1f\x8b", "gz"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"ITSF", "chm"),
    (b"MSCF", "cab"),
    (b"SQLite format 3", "sqlite"),
    (b"ID3", "mp3"),
    (b"\x00\x00\x01\x00", "ico"),
    (b"L\x00\x00\x00\x01\x14\x02\x00", "lnk"),
)
_UNREAD_ENDING = re.compile(
    r"\.(cebx?|caj|kdh|nh|dps|pptx?|exe|msi|bat|com|scr|js|vbs|lnk|dwg|mp4|mov|avi|wmv|mp3|wav|vsd|xmind|mpp|psd|ai|cdr"
    r"|pages|numbers|key|msg|gd|sep|edc|dmg|iso|apk)$",
    re.I,
)


def detect(data: bytes) -> Format:
    """The format of a file; unknown for an empty one."""
    if not data:
        return Format.UNKNOWN
    for magic, known in _MAGIC:
        if data.startswith(magic):
            return known
    if data.startswith(OLE_START):
        return _ole_format(ole_streams(data))
    if data.startswith((ZIP_START, b"PK\x05\x06", b"PK\x07\x08PK")):
        return _zip_format(data)
    if _is_image(data):
        return Format.IMAGE
    if _is_tar(data) or _is_tar(_unpacked_start(data)):
        return Format.TAR
    if data[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{\\rtf"):
        return Format.RTF
    if PDF_START in data[:1024] and (b"%%EOF" in data[-2048:] or b" obj" in data):
        return Format.PDF
    return _text_format(data)


def unread_kind(data: bytes, filename: str) -> str:
    """What a file of no readable format probably is, in a word: `ceb`, `exe`; '' where nothing tells."""
    for magic, kind in _UNREAD:
        if data.startswith(magic):
            return kind
    streams = ole_streams(data)
    if "powerpoint document" in streams:
        return "ppt"
    if any(stream.startswith("__properties_version") for stream in streams):
        return "msg"
    if data[4:8] == b"ftyp":
        return "video"
    if is_last_volume(data):
        return LAST_VOLUME
    ending = _UNREAD_ENDING.search(filename)
    return ending[1].lower() if ending else ""


def is_last_volume(data: bytes) -> bool:
    """Whether a ZIP archive ends here that began in another file (APPNOTE 4.3.16: the number of this disk)."""
    end = data.rfind(b"PK\x05\x06", max(0, len(data) - _LONGEST_ZIP_END))
    return end >= 0 and 0 < int.from_bytes(data[end + 4 : end + 6], "little") < 0xFFFF


def ole_streams(data: bytes) -> frozenset[str]:
    """Names of the streams and storages of an OLE file, in lower case; of a damaged one those that stand in its bytes."""
    import olefile

    if not data.startswith(OLE_START):
        return frozenset()
    try:
        with olefile.OleFileIO(io.BytesIO(data)) as ole:
            return frozenset(name.lower() for path in ole.listdir(storages=True) for name in path)
    except (OSError, ValueError, TypeError, IndexError, AttributeError, LookupError, RecursionError):
        return _damaged_streams(data)


def _damaged_streams(data: bytes) -> frozenset[str]:
    """By name, or by what a workbook (MS-XLS 2.4.21) and a Word document (MS-DOC 2.5.2) begin with."""
    known = ("Workbook", "Book", "WordDocument", "EncryptedPackage", "EncryptionInfo")
    named = {name.lower() for name in known if f"{name}\0".encode("utf-16-le") in data}
    if not named and b"\x09\x08\x10\x00\x00\x06\x05\x00" in data:
        return frozenset({"workbook"})
    if not named and data[512:516] == b"\xec\xa5\xc1\x00":
        return frozenset({"worddocument"})
    return frozenset(named)


def _ole_format(streams: frozenset[str]) -> Format:
    if not {"encryptedpackage", "encryptioninfo"}.isdisjoint(streams):
        return Format.UNKNOWN
    if not {"workbook", "book"}.isdisjoint(streams):
        return Format.XLS
    if "worddocument" in streams:
        return Format.DOC
    if any(stream.startswith("et") and "data" in stream for stream in streams):
        return Format.ET
    if any("wps" in stream or stream == "matost" for stream in streams):
        return Format.WPS
    return Format.UNKNOWN


def _zip_format(data: bytes) -> Format:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names: Iterable[str] = archive.namelist()
            mimetype = archive.read("mimetype") if _small(archive, "mimetype") else b""
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, zlib.error, EOFError):
        names, mimetype = _local_names(data), data[38:120]
    for declared, known in _MIMETYPES.items():
        if mimetype.startswith(declared):
            return known
    lowered = {name.replace("\\", "/").lstrip("/").lower() for name in names}
    if "ofd.xml" in lowered:
        return Format.OFD
    if any(name.startswith("index/") and name.endswith(".iwa") for name in lowered):
        return Format.UNKNOWN  # Pages, Numbers and Keynote: nobody knows the names of their parts
    if not lowered.isdisjoint(_OF_OFFICE):
        if any(name.startswith("xl/") for name in lowered):
            return Format.XLSX
        if any(name.startswith("word/") for name in lowered):
            return Format.DOCX
    return Format.ZIP


def _small(archive: zipfile.ZipFile, name: str) -> bool:
    return name in archive.NameToInfo and archive.getinfo(name).file_size < 200


def _local_names(data: bytes) -> list[str]:
    """The members' names of a ZIP file whose directory at its end is missing (APPNOTE 4.3.7)."""
    names: list[str] = []
    at = 0
    while data[at : at + 4] == ZIP_START and len(names) < 1000:
        size, name, extra = (int.from_bytes(data[at + a : at + b], "little") for a, b in _LOCAL_SIZES)
        names.append(data[at + 30 : at + 30 + name].decode("utf-8", "replace"))
        after = at + 30 + name + extra
        at = after + size if size else max(data.find(ZIP_START, after), after)
    return names


def _is_image(data: bytes) -> bool:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return True
    if data[4:8] == b"ftyp":
        return data[8:12] in _HEIC_BRANDS
    return data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in _BMP_HEADERS


def _is_tar(data: bytes) -> bool:
    """By the checksum of the first header (POSIX.1 ustar, and the older form without a magic)."""
    head = data[:512]
    if len(head) < 512 or not head[0]:
        return False
    try:
        stated = int(head[148:156].strip(b"\0 ") or b"x", 8)
    except ValueError:
        return False
    return stated == sum(head) - sum(head[148:156]) + 8 * 32


def _unpacked_start(data: bytes) -> bytes:
    """The first octets of what was packed with gzip, bzip2 or xz; b'' for anything else."""
    unpack: Callable[[bytes], bytes]
    if data.startswith(b"\x1f\x8b"):
        gzip = zlib.decompressobj(31)
        unpack = lambda octets: gzip.decompress(octets, 512)  # noqa: E731
    elif data.startswith(b"BZh"):
        unpack = lambda octets: bz2.BZ2Decompressor().decompress(octets, 512)  # noqa: E731
    elif data.startswith(b"\xfd7zXZ\x00"):
        unpack = lambda octets: lzma.LZMADecompressor(memlimit=2**27).decompress(octets, 512)  # noqa: E731
    else:
        return b""
    try:
        return unpack(data[: 2**20])
    except (OSError, zlib.error, lzma.LZMAError, EOFError, ValueError):
        return b""


def _text_format(data: bytes) -> Format:
    if is_mail(data):
        return Format.EML
    decoded = text.decode_strictly(data)
    if decoded is None:
        return Format.UNKNOWN
    if _HTML.match(decoded[:8192]):
        return Format.HTML
    if decoded.lstrip().startswith("<?xml"):
        return next((known for sign, known in _FLAT if sign in decoded[:_FLAT_HEAD]), Format.UNKNOWN)
    if _FRAGMENT.match(decoded[:8192]):
        return Format.HTML
    return Format.CSV if text.delimiter(decoded) else Format.TEXT


def is_flat(data: bytes) -> bool:
    """Whether an office file is one XML file rather than what its format usually is."""
    return data[:64].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xfe\xff \t\r\n").startswith(b"<?xml")


def is_mail(data: bytes) -> bool:
    """Whether this begins with the header of a mail, or of a web page saved in one file (mht)."""
    head = _HEADER.match(data[:65536].removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n"))
    if head is None:
        return False
    names = {
        line.partition(b":")[0].lower() for line in head[0].split(b"\n") if line[:1] not in (b" ", b"\t")
    }
    if {b"mime-version", b"content-type"} <= names and b"multipart/related" in head[0].lower():
        return True
    return len(names & _MAIL_HEADERS) >= 3 and not names.isdisjoint(
        {b"mime-version", b"message-id", b"received", b"return-path", b"date"}
    )
