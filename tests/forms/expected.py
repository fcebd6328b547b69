"""How well a file of the corpus was read: what was found against what is expected. For the tests and for `bench`."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz

from mailbot.model import Finding, ReadBy, Severity
from mailbot.reading import MailReading
from tests.forms.case import SUFFIX

_DOUBT = "form.low_confidence"
_SUBSTANTIALLY = 90.0
"""From this resemblance on (0..100) recognized evidence is the one that was written."""
_FORGIVEN = frozenset({_DOUBT, "evidence.unsupported", "total.missing"})
"""What may be said of a recognized form beyond what is so: a doubt is for a person, the others are hints for staff."""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What stands beside a file."""

    path: Path
    needs: str
    documents: tuple[Mapping[str, Any], ...]
    assessment: Mapping[str, Any] | None
    findings: Counter[str]

    @property
    def legible(self) -> bool:
        """Whether a program can read it. Of what is not, only silence and accusations are held against one."""
        return self.needs != "eyes"

    @property
    def drawn(self) -> bool:
        """Whether it is a scan or photograph, or as good as one."""
        return self.needs in ("ocr", "eyes")

    @property
    def format(self) -> str:
        """Of the file itself."""
        return str(self.documents[0]["format"])


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """How one file was read."""

    items: int = 0
    items_right: int = 0
    evidence_right: int = 0
    silent: int = 0
    """Items that are wrong although nothing was said of a doubt. Of recognized evidence only what matters counts:
    other numbers, or another text; a slip in a character harms nobody."""
    doubted: int = 0
    """Items that a person is asked to look at, right or wrong."""
    faults: tuple[str, ...] = ()
    """Everything that differs, in words; of a recognized form only what matters."""

    @property
    def whole(self) -> bool:
        """Whether all of a form was right."""
        return self.items_right == self.evidence_right == self.items and not self.faults


def read_expected(path: Path) -> Expected:
    """What is expected of a file of the corpus."""
    value = json.loads(path.with_name(path.name + SUFFIX).read_text(encoding="utf-8"))
    return Expected(
        path=path,
        needs=value["needs"],
        documents=tuple(value["documents"]),
        assessment=value["assessment"],
        findings=Counter(value["findings"]),
    )


def files(corpus: Path) -> tuple[Path, ...]:
    """The files of a corpus, without what is expected of them."""
    return tuple(sorted(path for path in corpus.iterdir() if not path.name.endswith(SUFFIX)))


def judged(expected: Expected, reading: MailReading) -> Verdict:
    """Compare a reading with what was written."""
    drawn = reading.assessment is not None and reading.assessment.read_by is ReadBy.OCR
    items = dict(_items(expected, reading)) if expected.assessment and reading.assessment else {}
    doubted = _doubted(reading)
    scores = {no for no, (score, _) in items.items() if score}
    evidence = {no for no, (_, said) in items.items() if said}
    wrong = (set(items) - scores) | (set(items) - evidence)
    read = {item.no for item in reading.assessment.items} if reading.assessment else set()
    harmful = {no for no in wrong if not drawn or no not in scores or _matters(expected, reading, no)}
    silent = harmful - doubted - (set(items) - read if None in doubted else set())
    faults = [
        *_documents(expected, reading),
        *_heads(expected, reading),
        *_findings(expected, reading, drawn),
    ]
    told = sorted(silent if drawn else wrong)
    faults += [_said(expected, reading, no) for no in told]
    return Verdict(
        items=len(expected.assessment["items"]) if expected.assessment else 0,
        items_right=len(scores),
        evidence_right=len(evidence),
        silent=len(silent),
        doubted=len(doubted - {None}),
        faults=tuple(faults),
    )


def _items(expected: Expected, reading: MailReading) -> Iterator[tuple[int, tuple[bool, bool]]]:
    """For each item of the form: whether its score and its evidence are right."""
    assert expected.assessment is not None
    assert reading.assessment is not None
    drawn = reading.assessment.read_by is ReadBy.OCR
    found = {item.no: item for item in reading.assessment.items}
    for no, score, evidence in expected.assessment["items"]:
        item = found.pop(no, None)
        if item is None:
            yield no, (False, False)
        else:
            yield no, (_same(score, item.score), _text(evidence, drawn) == _text(item.evidence, drawn))
    for no in found:
        yield no, (False, False)


def _same(wanted: str | None, found: Decimal | None) -> bool:
    return found is None if wanted is None else found == Decimal(wanted)


def _text(text: str, drawn: bool) -> str:
    """Blanks and line breaks do not count, nor do signs where characters were recognized."""
    bare = "".join(text.split())
    if not drawn:
        return bare
    return "".join(c for c in unicodedata.normalize("NFKC", bare) if c.isalnum())


def _matters(expected: Expected, reading: MailReading, no: int) -> bool:
    """Whether recognized evidence has other numbers than what was written, or is another text."""
    assert expected.assessment is not None
    assert reading.assessment is not None
    wanted = next((_text(text, True) for n, _, text in expected.assessment["items"] if n == no), "")
    found = next((_text(i.evidence, True) for i in reading.assessment.items if i.no == no), "")
    return _digits(wanted) != _digits(found) or fuzz.ratio(wanted, found) < _SUBSTANTIALLY


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())


def _doubted(reading: MailReading) -> set[int | None]:
    return {f.item for f in reading.findings if f.code == _DOUBT}


def _documents(expected: Expected, reading: MailReading) -> Iterator[str]:
    found = [
        {
            "filename": d.filename,
            "format": d.format.value,
            "role": d.role.value,
            "covers": sorted(role.value for role in d.covers),
            "codes": [f.code.value for f in d.findings],
            "container": d.container,
        }
        for d in reading.documents
    ]
    if found != list(expected.documents):
        yield f"documents {found}, wanted {list(expected.documents)}"


def _heads(expected: Expected, reading: MailReading) -> Iterator[str]:
    wanted, found = expected.assessment, reading.assessment
    if wanted is None or found is None:
        if (wanted is None) is not (found is None):
            yield f"assessment {'found' if found else 'missing'}"
        return
    drawn = found.read_by is ReadBy.OCR
    said = {
        "document": found.document,
        "organization": found.organization,
        "year": found.year,
        "read_by": found.read_by.value,
    }
    for key, value in said.items():
        doubted = drawn and key == "organization" and None in _doubted(reading)
        if value != wanted[key] and not doubted:
            yield f"{key} {value}, wanted {wanted[key]}"
    for key, number in (("stated_total", found.stated_total), ("total", found.total)):
        if not _same(wanted[key], number) and not (drawn and _doubted(reading)):
            yield f"{key} {number}, wanted {wanted[key]}"


def _findings(expected: Expected, reading: MailReading, drawn: bool) -> Iterator[str]:
    found = Counter(map(_named, reading.findings))
    if not drawn:
        if found != expected.findings:
            more, less = found - expected.findings, expected.findings - found
            yield f"findings beyond: {sorted(more.elements())}, lacking: {sorted(less.elements())}"
        return
    for finding in reading.findings:
        if finding.severity is Severity.ERROR or finding.code not in _FORGIVEN:
            yield f"a recognized form was accused of {_named(finding)}"
    doubted = _doubted(reading)
    for name in expected.findings:
        no = int(name.partition("#")[2]) if "#" in name else None
        if no not in doubted and None not in doubted and name not in found:
            yield f"{name} was passed over without a doubt"


def _named(finding: Finding) -> str:
    return finding.code.value + (f"#{finding.item}" if finding.item is not None else "")


def _said(expected: Expected, reading: MailReading, no: int) -> str:
    assert expected.assessment is not None
    assert reading.assessment is not None
    wanted = next(([score, text] for n, score, text in expected.assessment["items"] if n == no), None)
    found = next(([i.score, i.evidence] for i in reading.assessment.items if i.no == no), None)
    return f"item {no}: {found}, wanted {wanted}"
