"""Every file of the corpus through the real reader: put a file and what is expected of it into `corpus/`, and it is a test."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mailbot.config import Limits
from mailbot.model import Code, finding
from mailbot.reader import Reader
from tests.conftest import ROOT, lacks_libarchive, require, require_chinese_font, require_extra_ocr
from tests.forms.case import SUFFIX
from tests.forms.expected import Verdict, files, judged, read_expected

CORPUS = Path(__file__).parent / "corpus"
_DRAWN = ("ocr", "eyes")
_BAR = 0.99
"""Of the items of all scans and photographs; of one file a single item may be left to a person."""
_ENOUGH_TO_JUDGE = 250


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with Reader(ROOT / "rubric" / "2020.toml", Limits(parse_seconds=160), children=1) as opened:
        yield opened


@pytest.fixture(scope="session")
def recognized() -> Iterator[list[Verdict]]:
    """How the scans and photographs were read that this process had; judged together at the end."""
    verdicts: list[Verdict] = []
    yield verdicts
    items = sum(verdict.items for verdict in verdicts)
    if items >= _ENOUGH_TO_JUDGE:
        assert sum(verdict.items_right for verdict in verdicts) >= _BAR * items


def _parameters() -> Iterator[object]:
    for path in files(CORPUS):
        expected = path.with_name(path.name + SUFFIX)
        drawn = expected.exists() and json.loads(expected.read_text(encoding="utf-8"))["needs"] in _DRAWN
        yield pytest.param(path, id=path.name, marks=[pytest.mark.slow] if drawn else [])


@pytest.mark.parametrize("path", tuple(_parameters()))
def test_is_read_as_it_was_written(reader: Reader, recognized: list[Verdict], path: Path) -> None:
    expected = read_expected(path)
    if expected.needs == "office":
        require("soffice", Path("/usr/bin/libreoffice"))
    if expected.drawn:
        require_extra_ocr()
    formats = {document["format"] for document in expected.documents}
    if lacks_libarchive() and formats & {"7z", "rar"}:
        pytest.skip("libarchive is not installed")
    if "pdf" in formats:
        require_chinese_font()
    verdict = judged(expected, reader.read_document(path))
    assert not verdict.faults, "\n".join(verdict.faults)
    assert verdict.silent == 0
    if expected.drawn and expected.legible:
        recognized.append(verdict)
        assert verdict.items_right >= verdict.items - 1
    elif not expected.drawn:
        assert verdict.items_right == verdict.evidence_right == verdict.items


def test_the_corpus_is_large_and_each_file_has_what_is_expected_of_it() -> None:
    found = files(CORPUS)
    assert len(found) >= 120
    beside = {path.name for path in CORPUS.iterdir() if path.name.endswith(SUFFIX)}
    assert beside == {path.name + SUFFIX for path in found}


def test_the_judge_sees_what_is_wrong(reader: Reader, tmp_path: Path) -> None:
    """A judge that finds nothing wrong with a wrong reading would prove nothing."""
    path = CORPUS / "plain.xlsx"
    reading = reader.read_document(path)
    assessment = reading.assessment
    assert assessment is not None
    expected = read_expected(path)
    assert judged(expected, reading).whole
    first, *others = assessment.items
    assert first.score is not None
    for wrong in (
        replace(assessment, items=(replace(first, score=first.score + 1), *others)),
        replace(assessment, items=(replace(first, evidence="另一段文字"), *others)),
        replace(assessment, items=tuple(others)),
        replace(assessment, organization="浙江省别的学会"),
        replace(assessment, year=2019),
        replace(assessment, total=None),
        None,
    ):
        assert judged(expected, replace(reading, assessment=wrong)).faults
    accused = replace(reading, findings=(finding(Code.SCORE_MISSING, item=1),))
    assert judged(expected, accused).faults
    shutil.copy(path, tmp_path / "copy.xlsx")
    assert judged(expected, reader.read_document(tmp_path / "copy.xlsx")).faults
