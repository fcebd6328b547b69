"""What is damaged: one small whole document of each format, and mails that carry them."""

from __future__ import annotations

import io
import shutil
from email.message import EmailMessage

from mailbot import rubric as rubrics
from tests.conftest import ROOT
from tests.forms import writers
from tests.unit.documents import samples

RUBRIC = ROOT / "rubric" / "2020.toml"


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
    if shutil.which("bsdtar") or shutil.which("7z"):
        found["all.7z"] = samples.seven_zipped({"plan.txt": b"plan"})
    return found


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
    }
