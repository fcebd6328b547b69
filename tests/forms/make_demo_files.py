"""Makes the ready-made documents of the demo: a form and a summary as PDF, and a form under a password.

Run from the project's root: `python -m tests.forms.make_demo_files`. The PDFs need reportlab, a part of the
`dev` extra, and Debian's fonts-wqy-zenhei.
"""

from __future__ import annotations

import io
from pathlib import Path

from mailbot import rubric as rubrics
from mailbot.demo.forms import DATA, evidence, filled, scores, societies, texts, total, xlsx_form
from tests.forms.writers import chinese_font, pdf_form

ROOT = Path(__file__).resolve().parents[2]
FONT = Path("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc")
"""Debian's fonts-wqy-zenhei; embedded, so that the demo is read alike where no Chinese font is installed."""


def main() -> None:
    rubric = rubrics.load(ROOT / "rubric" / "2020.toml")
    society = societies()["qinglan"]
    form = pdf_form(
        rubric, scores(society, rubric), evidence(society, rubric), organization=society.name, font=FONT
    )
    (DATA / "qinglan-form.pdf").write_bytes(form)
    told = texts()["summary"]
    paragraphs = [filled(paragraph, society, "item 1") for paragraph in told["paragraphs"]]
    (DATA / "qinglan-summary.pdf").write_bytes(
        _pdf_text(filled(told["title"], society), paragraphs, society.name)
    )
    society = societies()["liuying"]
    of = scores(society, rubric)
    plain = xlsx_form(rubric, society.name, of, evidence(society, rubric), total(of))
    (DATA / "liuying-form-encrypted.xlsx").write_bytes(_encrypted(plain))


def _pdf_text(title: str, paragraphs: list[str], signature: str) -> bytes:
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Paragraph, SimpleDocTemplate

    body = ParagraphStyle(
        "body", fontName=chinese_font(FONT), fontSize=12, leading=20, wordWrap="CJK", firstLineIndent=24
    )
    heading = ParagraphStyle("heading", parent=body, fontSize=18, leading=36, alignment=1, firstLineIndent=0)
    right = ParagraphStyle("right", parent=body, alignment=2)
    out = io.BytesIO()
    story = [
        Paragraph(title, heading),
        *(Paragraph(text, body) for text in paragraphs),
        Paragraph(signature, right),
        Paragraph("2021年1月8日", right),
    ]
    SimpleDocTemplate(out, pagesize=A4, title=title, invariant=1).build(story)
    return out.getvalue()


def _encrypted(plain: bytes) -> bytes:
    from msoffcrypto.format.ooxml import OOXMLFile

    out = io.BytesIO()
    OOXMLFile(io.BytesIO(plain)).encrypt("2021", out)
    return out.getvalue()


if __name__ == "__main__":
    main()
