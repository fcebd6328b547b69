"""The second reader of PDF tables, and when it is asked."""

from __future__ import annotations

import pytest

from mailbot import rubric as rubrics
from mailbot.documents import pdf, plumber
from mailbot.errors import UnreadableError
from tests.conftest import ROOT, require_chinese_font
from tests.forms import writers

RUBRIC = rubrics.load(ROOT / "rubric" / "2020.toml")
FORM = writers.pdf_form(RUBRIC, writers.full_scores(RUBRIC), writers.some_evidence(RUBRIC), merged=True)


def test_it_reads_every_score_of_a_ruled_form() -> None:
    rows = [row for table in plumber.tables(FORM) for row in table.rows]
    scores = {int(row[0].text): row[5].text for row in rows if row[0].text.isdigit()}
    assert scores == writers.full_scores(RUBRIC)
    assert any(cell.merged for row in rows for cell in row)


def test_it_is_asked_where_the_text_speaks_of_a_form_that_was_not_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    require_chinese_font()
    first = pdf.together

    def text_alone(pages: object) -> object:
        return first(pages)[0], ()  # type: ignore[arg-type]

    monkeypatch.setattr(pdf, "together", text_alone)
    assert pdf.read(FORM).tables == plumber.tables(FORM)


def test_what_is_no_pdf_is_unreadable() -> None:
    with pytest.raises(UnreadableError):
        plumber.tables(b"%PDF-1.4 nonsense")
