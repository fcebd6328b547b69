"""The corpus' files that cannot be read: under a password, cut short, empty, of no format that is read."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable, Iterator
from functools import partial

from tests.forms.case import Case, other_case
from tests.forms.paper import draw
from tests.forms.pdfs import pdf
from tests.forms.sheets import form_sheet, xls, xlsx
from tests.forms.texts import docx

_FILEPASS = b"\x2f\x00"
_BOF = b"\x09\x08\x10\x00\x00\x06\x05\x00"


def cases() -> Iterator[Case]:
    """All of them."""
    paper = draw("broken")
    book, text = partial(xlsx, form_sheet(paper)), partial(docx, paper)
    locked, unreadable = "document.encrypted", "document.unreadable"
    once = {"once": True}
    yield _case(
        "locked.xlsx", "under a password", partial(_encrypted, book), locked, format="unknown", **once
    )
    yield _case(
        "locked.docx", "under a password", partial(_encrypted, text), locked, format="unknown", **once
    )
    yield _case("locked.xls", "under a password", partial(_filepass, partial(xls, form_sheet(paper))), locked)
    yield _case("locked.pdf", "under a password", partial(pdf, paper, password="2021"), locked, **once)
    yield _case("cut-short.xlsx", "the upload broke off", partial(_cut, book), unreadable)
    yield _case("cut-short.docx", "the upload broke off", partial(_cut, text), unreadable)
    yield _case(
        "cut-short.xls", "the upload broke off", partial(_cut, partial(xls, form_sheet(paper))), unreadable
    )
    yield _case("cut-short.zip", "the upload broke off", partial(_cut, partial(_zip, book)), unreadable)
    for ending in ("xlsx", "docx", "pdf", "jpg"):
        yield _case(f"empty.{ending}", "zero bytes", bytes, "document.empty", format="unknown")
    noise = random.Random(27).randbytes(20_000)
    yield _case("noise.xlsx", "noise", lambda: b"\x00" + noise, "document.unsupported", format="unknown")
    yield _case("paper.ceb", "方正 CEB", lambda: b"CEB\x00" + noise, "document.unsupported", format="unknown")
    yield _case("paper.caj", "知网 CAJ", lambda: b"CAJ\x00" + noise, "document.unsupported", format="unknown")
    yield _case(
        "program.exe", "a program", lambda: b"MZ\x90\x00" + noise, "document.unsupported", format="unknown"
    )
    yield _case("bomb.zip", "a zip that unpacks to 64 MB of nothing", _bomb, "document.dangerous", once=True)
    yield _case("broken-xml.docx", "its XML is broken", partial(_broken_xml, text), unreadable)


def _case(
    name: str,
    about: str,
    make: Callable[[], bytes],
    code: str,
    *,
    format: str | None = None,
    once: bool = False,
) -> Case:
    return other_case(name, about, make, writer="broken", format=format, codes=(code,), once=once)


def _encrypted(make: Callable[[], bytes]) -> bytes:
    from msoffcrypto.format.ooxml import OOXMLFile

    out = io.BytesIO()
    OOXMLFile(io.BytesIO(make())).encrypt("2021", out)
    return out.getvalue()


def _filepass(make: Callable[[], bytes]) -> bytes:
    """The second record made the one that announces a password (MS-XLS 2.4.117)."""
    whole = make()
    second = whole.index(_BOF) + 4 + 16
    return whole[:second] + _FILEPASS + whole[second + 2 :]


def _cut(make: Callable[[], bytes]) -> bytes:
    whole = make()
    return whole[: len(whole) * 2 // 5]


def _zip(make: Callable[[], bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo("form.xlsx", (2021, 1, 12, 9, 0, 0)), make())
    return out.getvalue()


def _bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("form.xlsx", b"\0" * 64 * 2**20)
    return out.getvalue()


def _broken_xml(make: Callable[[], bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(make())) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            data = old.read(member)
            info = zipfile.ZipInfo(member.filename, (2021, 1, 12, 9, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(info, data[: len(data) // 2] if member.filename == "word/document.xml" else data)
    return out.getvalue()
