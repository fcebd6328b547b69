"""docs/interface.md against the code: every word, code and key that others may rely on stands there."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import pytest

from mailbot.model import Code, Format, Outcome, ReadBy, ReplyKind, ReplyState, Role, Severity, Status, Track
from mailbot.report.export import write_json
from tests.conftest import ROOT
from tests.unit.report.sample import CONFIG, MESSAGES, ORGANIZATIONS, RUBRIC

PAGE = (ROOT / "docs" / "interface.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `([a-z]+\.[a-z_]+)` \| (\w+)(?:, (or info|review))? \|", PAGE, re.M)
EITHER = {code for code in Code if code.value.startswith("document.") and code is not Code.DOCUMENT_DANGEROUS}


def test_every_finding_stands_there_once_with_its_severity() -> None:
    assert [code for code, *_ in ROWS] == list(dict.fromkeys(code for code, *_ in ROWS))
    assert {code: (severity, more) for code, severity, more in ROWS} == {
        code.value: (
            code.severity.value,
            "or info" if code in EITHER else "review" if code.asks_a_person else "",
        )
        for code in Code
    }


@pytest.mark.parametrize(
    "words", [Outcome, ReplyKind, ReplyState, Status, Role, Track, Severity, Format, ReadBy]
)
def test_every_word_stands_there(words: type[StrEnum]) -> None:
    assert [word.value for word in words if f"`{word.value}`" not in PAGE] == []


def test_every_key_of_the_export_stands_there() -> None:
    stream = io.BytesIO()
    write_json(stream, config=CONFIG, rubric=RUBRIC, messages=MESSAGES, organizations=ORGANIZATIONS)
    keys = set(_keys(json.loads(stream.getvalue())))
    assert {"receipt_hash", "score", "dropped", "completed_at"} <= keys
    assert sorted(key for key in keys if f"`{key}`" not in PAGE) == []


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _keys(each)
