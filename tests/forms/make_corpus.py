"""Writes the corpus: `python -m tests.forms.make_corpus`, from the project's root.

Files of programs that make other bytes at every run (LibreOffice, encryption, degraded pages) are only written where
they are missing; what is expected of each file is written anew always.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from tests.forms import (
    archive_cases,
    broken_cases,
    camera_cases,
    flat_cases,
    hidden_cases,
    markup_cases,
    ofd_cases,
    office_cases,
    old_sheet_cases,
    pdf_cases,
    picture_cases,
    sheet_cases,
    word_cases,
)
from tests.forms.case import SUFFIX, Case

CORPUS = Path(__file__).parent / "corpus"
_SOURCES = (
    sheet_cases,
    word_cases,
    pdf_cases,
    flat_cases,
    hidden_cases,
    old_sheet_cases,
    markup_cases,
    ofd_cases,
    office_cases,
    archive_cases,
    broken_cases,
    picture_cases,
    camera_cases,
)


def cases() -> Iterator[Case]:
    """The whole corpus; each name once."""
    names: set[str] = set()
    for source in _SOURCES:
        for case in source.cases():
            if case.name in names:
                raise ValueError(f"{case.name} is there twice")
            names.add(case.name)
            yield case


def main() -> None:
    parser = argparse.ArgumentParser(prog="make_corpus", description=__doc__)
    parser.add_argument("--only", default="", help="only files whose name contains this")
    only: str = parser.parse_args().only
    CORPUS.mkdir(exist_ok=True)
    for case in cases():
        if only not in case.name:
            continue
        path = CORPUS / case.name
        if not (case.once and path.exists()):
            path.write_bytes(case.data())
        (CORPUS / (case.name + SUFFIX)).write_text(case.expected(), encoding="utf-8")


if __name__ == "__main__":
    main()
