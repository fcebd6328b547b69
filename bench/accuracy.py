"""`python -m bench.accuracy`: how much of the corpus is read right, and how long it takes, for each format."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mailbot.config import Limits
from mailbot.reader import Reader
from tests.forms.expected import Expected, Verdict, files, judged, read_expected

_ROOT = Path(__file__).resolve().parent.parent
_CORPUS = _ROOT / "tests" / "forms" / "corpus"
_PACKED, _UNREADABLE = "archives and mails", "what cannot be read"
_SCANS, _PHOTOGRAPHS, _HARD = "scans", "photographs", "scans for a person"
_ORDER = (
    "xlsx",
    "xls",
    "ods",
    "csv",
    "html",
    "docx",
    "doc",
    "odt",
    "rtf",
    "text",
    "pdf",
    _PACKED,
    _UNREADABLE,
    _SCANS,
    _PHOTOGRAPHS,
    _HARD,
)
_ARCHIVES = frozenset({"zip", "7z", "rar", "tar", "eml", "tnef"})


@dataclass(slots=True)
class _Tally:
    """What was counted over the files of one format."""

    files: int = 0
    forms: int = 0
    whole: int = 0
    items: int = 0
    items_right: int = 0
    evidence_right: int = 0
    silent: int = 0
    doubted: int = 0
    accused: int = 0
    """Files with anything else that is not as it should be: a role, a finding, a total."""
    seconds: list[float] = field(default_factory=list)
    per_page: list[float] = field(default_factory=list)

    def add(self, expected: Expected, verdict: Verdict, seconds: float) -> None:
        self.files += 1
        self.silent += verdict.silent
        self.accused += bool(verdict.faults)
        self.seconds.append(seconds)
        self.per_page.append(seconds / pages(expected.path))
        if verdict.items:
            self.forms += 1
            self.whole += verdict.whole
            self.items += verdict.items
            self.items_right += verdict.items_right
            self.evidence_right += verdict.evidence_right
            self.doubted += verdict.doubted


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="bench.accuracy", description=__doc__)
    parser.add_argument(
        "--without-ocr", action="store_true", help="leave out scans and photographs, which take minutes"
    )
    parser.add_argument("--show", action="store_true", help="say what is wrong with each file")
    arguments = parser.parse_args()
    accuracy(ocr=not arguments.without_ocr, show=arguments.show)


def accuracy(*, ocr: bool = True, show: bool = False) -> None:
    """Read the corpus and print what was right, for each format."""
    tallies: dict[str, _Tally] = {}
    with Reader(_ROOT / "rubric" / "2020.toml", Limits(parse_seconds=300), children=1) as reader:
        reader.read_document(_CORPUS / "plain.xlsx")
        for expected in map(read_expected, files(_CORPUS)):
            if expected.drawn and not ocr:
                continue
            begin = time.perf_counter()
            verdict = judged(expected, reader.read_document(expected.path))
            seconds = time.perf_counter() - begin
            tallies.setdefault(_kind(expected), _Tally()).add(expected, verdict, seconds)
            if show:
                for fault in verdict.faults:
                    print(f"{expected.path.name}: {fault}")
    print("\n".join(_lines(tallies)))


def _kind(expected: Expected) -> str:
    if expected.drawn:
        if not expected.legible:
            return _HARD
        return _PHOTOGRAPHS if expected.format in _ARCHIVES else _SCANS
    if expected.format in _ARCHIVES:
        return _PACKED
    return _UNREADABLE if expected.format == "unknown" else expected.format


def pages(path: Path) -> int:
    """How many pages or photographs a file has; 1 where it has no pages."""
    import zipfile

    import pypdfium2
    from PIL import Image

    data = path.read_bytes()
    try:
        if data.startswith(b"%PDF"):
            with pypdfium2.PdfDocument(data) as document:
                return max(len(document), 1)
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                return max(sum(name.endswith((".jpg", ".heic")) for name in archive.namelist()), 1)
        if path.suffix == ".tif":
            with Image.open(path) as sheets:
                return int(getattr(sheets, "n_frames", 1))
    except (pypdfium2.PdfiumError, zipfile.BadZipFile):
        pass
    return 1


_COLUMNS = (
    *("format", "files", "forms wholly right", "items right", "evidence right"),
    *("doubted items", "silent errors", "median time", "a page"),
)


def _lines(tallies: dict[str, _Tally]) -> Iterator[str]:
    yield f"| {' | '.join(_COLUMNS)} |"
    yield f"|{' --- |' * len(_COLUMNS)}"
    for kind in sorted(tallies, key=lambda k: _ORDER.index(k) if k in _ORDER else len(_ORDER)):
        tally = tallies[kind]
        cells = (
            kind,
            str(tally.files),
            f"{tally.whole} of {tally.forms}",
            _part(tally.items_right, tally.items),
            _part(tally.evidence_right, tally.items),
            str(tally.doubted),
            str(tally.silent),
            _time(tally.seconds),
            _time(tally.per_page),
        )
        yield f"| {' | '.join(cells)} |"
    wrong = sum(tally.accused for tally in tallies.values())
    count = sum(tally.files for tally in tallies.values())
    yield f"\nOf {count} files {wrong} had anything else wrong: a role, a finding, a total, a name."
    yield "A silent error is a wrong score, or evidence with other numbers or of another meaning (less than 90 % alike),"
    yield "of which no doubt was said; a slip in a character counts under evidence right. Forms for a person are those"
    yield "that OCR was found unable to read: lines printed over each other or cut off, 15 pixels to a character."


def _part(right: int, of: int) -> str:
    return f"{100 * right / of:.2f} % of {of}" if of else "-"


def _time(seconds: list[float]) -> str:
    middle = sorted(seconds)[len(seconds) // 2]
    return f"{middle:.1f} s" if middle >= 1 else f"{1000 * middle:.0f} ms"


if __name__ == "__main__":
    main()
