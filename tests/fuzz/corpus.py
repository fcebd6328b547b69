"""What is damaged: small whole documents of each format, and mails that carry them."""

from __future__ import annotations

import binascii
import io
import shutil
import subprocess
import tempfile
from collections.abc import Collection
from email.message import EmailMessage
from pathlib import Path

from mailbot import rubric as rubrics
from tests.conftest import ROOT
from tests.forms import writers
from tests.unit.documents import samples

RUBRIC = ROOT / "rubric" / "2020.toml"
_CORPUS = ROOT / "tests" / "forms" / "corpus"
_REAL = (
    "blank.xls", "plain.et", "plain.ods", "office-plain.xls", "macros.xlsm", "html-gb2312.xls", "html-unmerged.html",
    "packed.7z", "packed.rar", "locked.rar", "packed.tar.gz", "winmail.dat", "forwarded.eml", "mail-with-zip.eml",
)  # fmt: skip
_SLOW = (
    "office-plain.rtf",
    "office-plain.odt",
    "office-plain.doc",
    "office-plain.wps",
    "fax.tif",
    "scan.ofd",
)
"""Converted by LibreOffice, or recognized: seconds each."""


def documents() -> dict[str, bytes]:
    """By file name; a format whose writer is not installed is left out."""
    rubric = rubrics.load(RUBRIC)
    scores, evidence = writers.full_scores(rubric), writers.some_evidence(rubric)
    form = writers.xlsx_form(rubric, scores, evidence, organization="浙江省云岭学会")
    word = writers.docx_form(rubric, scores, evidence, organization="浙江省云岭学会")
    found = {
        "form.xlsx": form,
        "form.docx": word,
        "form.csv": "序号,评价内容,分值,自评分\n1,举办学术交流,10,9\n".encode("gb18030"),
        "plan.txt": "2021年工作计划\n一、学术交流\n".encode("gb18030"),
        "form.html": "<table><tr><td>序号</td><td>自评分</td></tr><tr><td>1</td><td>9</td></tr></table>".encode(),
        "form.xls": samples.xls(),
        "form.ods": samples.ods(),
        "locked.xlsx": samples.locked_xlsx(),
        "all.zip": samples.zipped({"form.xlsx": form, "a/b.txt": b"x"}),
        "all.tar": samples.tarred({"form.xlsx": form}, "w:gz"),
        "winmail.dat": samples.tnef([(b"form.xlsx", form)]),
        "ole.et": samples.ole("Workbook"),
        "photo.png": _picture("PNG"),
        "photo.jpg": _picture("JPEG"),
    }
    if (ROOT / "mailbot/demo/data/qinglan-form.pdf").exists():
        found["form.pdf"] = (ROOT / "mailbot/demo/data/qinglan-form.pdf").read_bytes()
    ofds = {path.name for path in _CORPUS.glob("*.ofd")} - set(_SLOW)
    return found | _of_corpus(_REAL) | _of_corpus(ofds)


def slow_documents() -> dict[str, bytes]:
    """By file name, those that take seconds each."""
    return _of_corpus(_SLOW)


def _of_corpus(names: Collection[str]) -> dict[str, bytes]:
    return {name: (_CORPUS / name).read_bytes() for name in names}


def _picture(kind: str) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(out, kind)
    return out.getvalue()


def mail(files: dict[str, bytes], body: str = "您好，材料见附件。", **headers: str) -> bytes:
    """One mail with attachments."""
    message = EmailMessage()
    message["From"] = "学会秘书处 <office@yunling.example.com>"
    message["Subject"] = "2020年度工作总结材料"
    message["Message-ID"] = "<1@yunling.example.com>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(body, charset="utf-8" if files else "gb18030")
    for name, data in files.items():
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def mails(files: dict[str, bytes]) -> dict[str, bytes]:
    """Mails with some of these files, written nested and packed too."""
    small = {name: files[name] for name in ("form.csv", "plan.txt", "form.html")}
    return {
        "whole.eml": mail({"form.xlsx": files["form.xlsx"], "plan.txt": files["plan.txt"]}),
        "small.eml": mail(small),
        "nested.eml": mail({"forwarded.eml": mail(small)}),
        "question.eml": mail({}, "请问可以延期吗？"),
        "archive.eml": mail({"all.zip": files["all.zip"]}),
        "robot.eml": mail({}, Auto_Submitted="auto-replied"),
        "uuencoded.eml": mail({}, _uuencoded(files["form.csv"], "form.csv")),
        **_signed(small),
    }


def _uuencoded(octets: bytes, name: str) -> str:
    lines = (binascii.b2a_uu(octets[at : at + 45]).decode() for at in range(0, len(octets), 45))
    return f"begin 644 {name}\n{''.join(lines)}`\nend\n"


def _signed(files: dict[str, bytes]) -> dict[str, bytes]:
    """An S/MIME mail whose content lies within its signature."""
    openssl = shutil.which("openssl")
    if openssl is None:
        return {}
    with tempfile.TemporaryDirectory() as name:
        key, certificate = Path(name) / "key.pem", Path(name) / "certificate.pem"
        made = ["-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test", "-keyout", key, "-out", certificate]
        subprocess.run([openssl, "req", "-x509", *made], check=True, capture_output=True)
        sign = [
            "-sign",
            "-nodetach",
            "-signer",
            certificate,
            "-inkey",
            key,
            "-from",
            "office@yunling.example.com",
        ]
        done = subprocess.run([openssl, "smime", *sign], input=mail(files), check=True, capture_output=True)
    return {"signed.eml": done.stdout}
