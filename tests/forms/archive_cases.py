"""The corpus' archives and forwarded mails, as Chinese programs pack them."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from email.message import EmailMessage
from functools import partial
from typing import Any

from tests.forms.case import READ_BY, Case, Document
from tests.forms.faults import FAULTS
from tests.forms.paper import Paper, draw
from tests.forms.pdfs import pdf
from tests.forms.sheets import form_sheet, xlsx
from tests.forms.texts import docx, docx_report, new, saved
from tests.unit.documents.samples import locked_seven_zip, rarred, tnef

_TIME = (2021, 1, 12, 9, 0, 0)
Members = Mapping[str, bytes]
Pack = Callable[[Members], bytes]

_SPACES = {
    "w": "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "o": "urn:schemas-microsoft-com:office:office",
    "r": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
}


def cases() -> Iterator[Case]:
    """All of them."""
    for name, about, pack in (
        ("gbk-names.zip", "names in GBK without the flag", partial(zipped, encoding="gb18030")),
        ("utf-8-names.zip", "names in UTF-8 with the flag", partial(zipped, encoding="utf-8", flag=True)),
        ("mac-names.zip", "names in UTF-8 without the flag, macOS's files beside", _mac),
        ("packed.7z", "7z", _seven_zip),
        ("packed.rar", "rar 5", rarred),
        ("packed.tar.gz", "tar, gzip", _tar),
        ("packed.tar", "tar, names in GBK", partial(_tar, mode="w", encoding="gb18030")),
        ("zip-named.rar", "a zip named .rar", partial(zipped, encoding="gb18030")),
    ):
        yield _packed(name, about, draw(name), pack)
    yield _packed("faults.zip", "a form with faults", FAULTS["many-faults"](draw("faults.zip")), zipped)
    yield _packed("forwarded.eml", "a forwarded mail", draw("forwarded.eml"), _mail)
    yield _packed("winmail.dat", "Outlook's own", draw("winmail.dat"), _winmail)
    yield from _nested()
    yield from _several()
    yield from _locked()
    yield from _objects()


def zipped(members: Members, *, encoding: str = "gb18030", flag: bool = False) -> bytes:
    """A zip whose names have given octets, with or without the flag that says that they are UTF-8."""
    out = io.BytesIO()
    marks = {}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, (name, data) in enumerate(members.items()):
            octets = name.encode(encoding)
            placeholder = f"{number}".rjust(len(octets), "~")
            marks[placeholder.encode()] = octets
            info = zipfile.ZipInfo(placeholder, _TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    packed = out.getvalue()
    for placeholder, octets in marks.items():
        packed = packed.replace(placeholder, octets)
    return _flagged(packed) if flag else packed


def _flagged(packed: bytes) -> bytes:
    """The flag of UTF-8 names set in every header (APPNOTE 4.4.4, bit 11)."""
    whole = bytearray(packed)
    for magic, at in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):
        start = whole.find(magic)
        while start >= 0:
            whole[start + at] |= 0x08
            start = whole.find(magic, start + 4)
    return bytes(whole)


def _mac(members: Members) -> bytes:
    beside = {f"__MACOSX/._{name}": b"\x00\x05\x16\x07" + b"\0" * 40 for name in members}
    return zipped({**members, **beside, "材料/.DS_Store": b"\0\0\0\1Bud1"}, encoding="utf-8")


def _tar(members: Members, *, mode: str = "w:gz", encoding: str = "utf-8") -> bytes:
    out = io.BytesIO()
    options: dict[str, Any] = {"format": tarfile.GNU_FORMAT, "encoding": encoding}
    with tarfile.open(fileobj=out, mode=mode.partition(":")[0], **options) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), 1610413200
            archive.addfile(info, io.BytesIO(data))
    if mode == "w":
        return out.getvalue()
    import gzip

    return gzip.compress(out.getvalue(), mtime=0)


def _seven_zip(
    members: Members, *, kind: str = "7zip", options: str = "", passphrase: str | None = None
) -> bytes:
    import libarchive

    blocks: list[bytes] = []

    def write(block: bytes) -> int:
        blocks.append(bytes(block))
        return len(block)

    with libarchive.custom_writer(write, kind, options=options, passphrase=passphrase) as archive:
        for name, data in members.items():
            archive.add_file_from_memory(name, len(data), data)
    return b"".join(blocks)


def _mail(members: Members) -> bytes:
    message = EmailMessage()
    message["From"], message["To"] = "zhang@society.example.com", "li@society.example.com"
    message["Subject"], message["Date"] = "年度材料", "Tue, 12 Jan 2021 09:00:00 +0800"
    message["Message-ID"], message["MIME-Version"] = "<corpus@society.example.com>", "1.0"
    message.set_content("材料见附件。")
    for name, data in members.items():
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    message.set_boundary("=_corpus_boundary_=")
    return message.as_bytes()


def _winmail(members: Members) -> bytes:
    return tnef([(name.encode("gb18030"), data) for name, data in members.items()])


_FORMATS = {"zip": "zip", "rar": "rar", "7z": "7z", "gz": "tar", "tar": "tar", "eml": "eml", "dat": "tnef"}


def _submission(paper: Paper) -> tuple[Members, list[Document]]:
    """A form, a summary and a plan, with their names."""
    name = paper.organization or ""
    members = {
        "2020年自评表.xlsx": xlsx(form_sheet(paper)),
        "材料1.docx": docx_report("summary", name),
        "材料2（朱镕喆）.docx": docx_report("plan", name),
    }
    roles = (("xlsx", "form"), ("docx", "summary"), ("docx", "plan"))
    return members, [
        Document(filename=file, format=format_, role=role, covers=(role,))
        for file, (format_, role) in zip(members, roles, strict=True)
    ]


def _packed(name: str, about: str, paper: Paper, pack: Pack) -> Case:
    members, documents = _submission(paper)
    format_ = "zip" if name == "zip-named.rar" else _FORMATS[name.rpartition(".")[2]]
    own = Document(filename=name, format=format_, role="other", covers=())
    return Case(
        name=name,
        about=about,
        writer="archive",
        data=partial(pack, members),
        documents=(own, *(_within(document, name) for document in documents)),
        assessment=paper.expected(documents[0].filename, READ_BY["xlsx"]),
        findings=paper.findings,
        once=name.endswith(".7z"),
    )


def _within(document: Document, container: str) -> Document:
    return Document(
        filename=document.filename,
        format=document.format,
        role=document.role,
        covers=document.covers,
        codes=document.codes,
        container=container,
    )


def _nested() -> Iterator[Case]:
    paper = draw("nested.zip")
    members, documents = _submission(paper)
    inner = zipped(members)
    for name, about, outer, format_, pack in (
        ("nested.zip", "a zip in a zip", "内层.zip", "zip", zipped),
        ("mail-with-zip.eml", "a zip in a forwarded mail", "内层.zip", "zip", _mail),
    ):
        yield Case(
            name=name,
            about=about,
            writer="archive",
            data=partial(pack, {outer: inner}),
            documents=(
                Document(filename=name, format=_FORMATS[name.rpartition(".")[2]], role="other", covers=()),
                Document(filename=outer, format=format_, role="other", covers=(), container=name),
                *(_within(document, outer) for document in documents),
            ),
            assessment=paper.expected(documents[0].filename, READ_BY["xlsx"]),
        )


def _several() -> Iterator[Case]:
    paper = draw("same form twice")
    yield _of_forms(
        "same-form-twice.zip", "the form as xlsx and as PDF", paper, {"表.xlsx": paper, "表.pdf": paper}
    )
    other = draw("another form")
    chosen = paper.found("form.conflicting")
    yield _of_forms(
        "two-forms.zip", "two forms that differ", chosen, {"表一.xlsx": chosen, "表二.docx": other}
    )
    older = FAULTS["wrong-year"](draw("older in zip"))
    both = {"2019.docx": older, "2020.xlsx": paper}
    yield _of_forms(
        "beside-last-year.zip", "last year's form beside", paper, both, passed_over=("2019.docx",)
    )


def _of_forms(
    name: str, about: str, counting: Paper, forms: Mapping[str, Paper], passed_over: Sequence[str] = ()
) -> Case:
    makers = {"xlsx": lambda p: xlsx(form_sheet(p)), "docx": docx, "pdf": pdf}
    members = {file: makers[file.rpartition(".")[2]](paper) for file, paper in forms.items()}
    inside = [
        Document(
            filename=file,
            format=file.rpartition(".")[2],
            covers=() if file in passed_over else ("form",),
            container=name,
        )
        for file in forms
    ]
    file = next(file for file, paper in forms.items() if paper is counting)
    return Case(
        name=name,
        about=about,
        writer="archive",
        data=partial(zipped, members),
        documents=(Document(filename=name, format="zip", role="other", covers=()), *inside),
        assessment=counting.expected(file, READ_BY[file.rpartition(".")[2]]),
        findings=counting.findings,
    )


def _objects() -> Iterator[Case]:
    paper = draw("embedded.docx")
    name, inside = "embedded.docx", "Microsoft_Excel_Sheet1.xlsx"
    yield Case(
        name=name,
        about="the form as an Excel object in a Word file",
        writer="python-docx",
        data=partial(_embedding, paper, inside),
        documents=(
            Document(filename=name, format="docx", role="other", covers=()),
            Document(filename=inside, format="xlsx", container=name),
        ),
        assessment=paper.expected(inside, READ_BY["xlsx"]),
    )


def _embedding(paper: Paper, inside: str) -> bytes:
    from docx.opc.constants import RELATIONSHIP_TYPE
    from docx.opc.packuri import PackURI
    from docx.opc.part import Part
    from docx.oxml import parse_xml

    document = new()
    document.add_paragraph("附件：自评情况见下表。")
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    place, package = PackURI(f"/word/embeddings/{inside}"), document.part.package
    relation = document.part.relate_to(
        Part(place, kind, xlsx(form_sheet(paper)), package), RELATIONSHIP_TYPE.PACKAGE
    )
    spaces = " ".join(f'xmlns:{prefix}="{space}"' for prefix, space in _SPACES.items())
    shown = f'<o:OLEObject Type="Embed" ProgID="Excel.Sheet.12" DrawAspect="Content" r:id="{relation}"/>'
    document.element.body.insert(1, parse_xml(f"<w:p {spaces}><w:r><w:object>{shown}</w:object></w:r></w:p>"))
    return saved(document)


def _locked() -> Iterator[Case]:
    members, _ = _submission(draw("locked"))
    for name, about, make, format_ in (
        ("locked.zip", "a zip under a password", partial(_locked_zip, members), "zip"),
        ("locked-aes.zip", "a zip under AES", partial(_locked_zip, members, "aes256"), "zip"),
        ("locked.rar", "a rar under a password", partial(rarred, members, locked=True), "rar"),
        ("locked.7z", "a 7z with an encrypted header", locked_seven_zip, "7z"),
    ):
        yield Case(
            name=name,
            about=about,
            writer="archive",
            data=make,
            documents=(
                Document(
                    filename=name, format=format_, role="other", covers=(), codes=("document.encrypted",)
                ),
            ),
            once=name.endswith(".zip"),
        )


def _locked_zip(members: Members, cipher: str = "zipcrypt") -> bytes:
    return _seven_zip(members, kind="zip", options=f"zip:encryption={cipher}", passphrase="2021")
