"""One file of the corpus, and what a reader is to find in it: known from what was written, never from what was read."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.forms.paper import Paper

SUFFIX = ".expected.json"


@dataclass(frozen=True, kw_only=True)
class Document:
    """One document that a reader is to report."""

    filename: str
    format: str
    role: str = "form"
    covers: tuple[str, ...] = ("form",)
    codes: tuple[str, ...] = ()
    container: str | None = None


@dataclass(frozen=True, kw_only=True)
class Case:
    """One file of the corpus."""

    name: str
    about: str
    writer: str
    data: Callable[[], bytes]
    documents: tuple[Document, ...]
    assessment: dict[str, object] | None = None
    findings: tuple[str, ...] = ()
    """Code, and `#` and 序号 where it concerns an item."""
    needs: str = ""
    """`office` or `ocr` where it is not read without; `eyes` where OCR cannot read it either, and must say so."""
    once: bool = False
    """Whether its writer makes other bytes at every run, so that the file is only written where it is missing."""

    def expected(self) -> str:
        """What stands beside the file."""
        value: dict[str, Any] = {
            "about": self.about,
            "writer": self.writer,
            "needs": self.needs,
            "documents": [
                {
                    "filename": d.filename,
                    "format": d.format,
                    "role": d.role,
                    "covers": sorted(d.covers),
                    "codes": list(d.codes),
                    "container": d.container,
                }
                for d in self.documents
            ],
            "assessment": self.assessment,
            "findings": sorted(self.findings),
        }
        return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


READ_BY = {
    **dict.fromkeys(("xlsx", "xls", "ods", "csv", "et"), "cells"),
    **dict.fromkeys(("docx", "doc", "odt", "rtf", "wps", "html"), "table"),
    **dict.fromkeys(("pdf", "text"), "text"),
}


def form_case(
    name: str,
    about: str,
    paper: Paper,
    data: Callable[[], bytes],
    *,
    writer: str,
    format: str | None = None,
    read_by: str | None = None,
    covers: tuple[str, ...] = ("form",),
    needs: str = "",
    once: bool = False,
) -> Case:
    """A file that holds one filled form."""
    ending = format or name.rpartition(".")[2]
    return Case(
        name=name,
        about=about,
        writer=writer,
        data=data,
        documents=(Document(filename=name, format=ending, covers=covers),),
        assessment=paper.expected(name, read_by or READ_BY[ending]),
        findings=paper.findings,
        needs=needs,
        once=once,
    )


def other_case(
    name: str,
    about: str,
    data: Callable[[], bytes],
    *,
    writer: str,
    format: str | None = None,
    role: str = "other",
    covers: tuple[str, ...] = (),
    codes: tuple[str, ...] = (),
    findings: tuple[str, ...] = (),
    needs: str = "",
    once: bool = False,
) -> Case:
    """A file without a filled form."""
    document = Document(
        filename=name, format=format or name.rpartition(".")[2], role=role, covers=covers, codes=codes
    )
    return Case(
        name=name,
        about=about,
        writer=writer,
        data=data,
        documents=(document,),
        findings=findings,
        needs=needs,
        once=once,
    )
