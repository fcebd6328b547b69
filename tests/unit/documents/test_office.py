"""Old formats through the office programs that are installed, and through ones that misbehave."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import pytest

from mailbot import rubric as rubrics
from mailbot.documents import office, word
from mailbot.errors import DoubtfulError, TemporaryError, UnreadableError, UnsupportedError
from mailbot.model import Format, ReadBy
from tests.conftest import require
from tests.forms import writers

RUBRIC = rubrics.load(Path("rubric/2020.toml"))
SCORES, EVIDENCE = writers.full_scores(RUBRIC), writers.some_evidence(RUBRIC)
WHOLE = writers.rows(RUBRIC, SCORES, EVIDENCE)


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Makes a script the only soffice, and the only program, that is found."""

    def install(script: str) -> None:
        program = tmp_path / "soffice"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))

    return install


@lru_cache
def _old(*steps: str) -> bytes:
    """The form as LibreOffice writes it in an old format."""
    return writers.by_libreoffice(require("soffice"), writers.docx_form(RUBRIC, SCORES, EVIDENCE), *steps)


@pytest.mark.parametrize(
    ("format", "steps"),
    [
        (Format.DOC, ("docx", "odt", "doc")),
        (Format.WPS, ("docx", "odt", "doc")),
        (Format.ODT, ("docx", "odt")),
        (Format.RTF, ("docx", "rtf")),
    ],
)
def test_old_word_files_become_docx(format: Format, steps: tuple[str, ...]) -> None:
    supplied = office.convert(_old(*steps), format, seconds=60)
    assert supplied.converted is not None
    table = word.read(supplied.converted).tables[0]
    assert [[cell.text for cell in row] for row in table.rows] == WHOLE


def test_a_wps_sheet_becomes_xlsx() -> None:
    import io

    import openpyxl

    old = writers.by_libreoffice(
        require("soffice"), writers.xlsx_form(RUBRIC, SCORES, EVIDENCE), "xlsx", "xls"
    )
    supplied = office.convert(old, Format.ET, seconds=60)
    assert supplied.converted is not None
    sheet = openpyxl.load_workbook(io.BytesIO(supplied.converted)).active
    assert sheet is not None
    assert [sheet.cell(row, 6).value for row in (4, 5, 29)] == [10, 5, 100]


def test_what_is_no_document_is_unreadable() -> None:
    require("soffice")
    with pytest.raises(UnreadableError):
        office.convert(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), Format.DOC, seconds=60)


def test_a_program_that_hangs_is_ended_with_all_it_started(
    only: Callable[[str], None], tmp_path: Path
) -> None:
    marks = tmp_path / "pids"
    only(f"echo $$ >> {marks}\n/bin/sleep 600 & echo $! >> {marks}\nwait")
    with pytest.raises(DoubtfulError, match="more than 1 s"):
        office.convert(b"x", Format.DOC, seconds=1)
    for process in map(int, marks.read_text().split()):
        _wait_until_gone(process)


def _wait_until_gone(process: int) -> None:
    for _ in range(200):
        state = Path(f"/proc/{process}/stat")
        try:
            if state.read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except OSError:
            return
        time.sleep(0.02)
    pytest.fail(f"process {process} lives on")


@pytest.mark.parametrize(
    ("script", "raised", "words"),
    [
        ("exit 1", DoubtfulError, "does not work on this machine"),
        ("kill -TERM $$", TemporaryError, "broken off from outside"),
    ],
)
def test_a_program_that_fails_by_itself_says_nothing_of_the_document(
    only: Callable[[str], None], script: str, raised: type[Exception], words: str
) -> None:
    only(script)
    with pytest.raises(raised, match=words):
        office.convert(b"x", Format.DOC, seconds=20)


def test_a_program_that_opens_nothing_has_a_fault(only: Callable[[str], None]) -> None:
    only("exit 1")
    assert "libreoffice-writer-nogui and libreoffice-calc-nogui installed?" in office.fault(seconds=20)


def test_a_program_that_works_has_no_fault() -> None:
    require("soffice")
    assert office.fault(seconds=60) == ""


def test_one_document_at_a_time_in_a_place_that_vanishes(only: Callable[[str], None], tmp_path: Path) -> None:
    log = tmp_path / "log"
    only(
        f'echo "begin $PWD" >> {log}\n/bin/sleep 0.1\n/bin/mkdir results\necho made > results/document.docx\n'
        f'echo "end $PWD" >> {log}'
    )
    threads = [
        threading.Thread(target=office.convert, args=(b"x", Format.RTF), kwargs={"seconds": 20})
        for _ in "abc"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = [line.split() for line in log.read_text().splitlines()]
    assert [word for word, _ in lines] == ["begin", "end"] * 3
    places = {place for _, place in lines}
    assert len(places) == 3
    assert not any(Path(place).exists() for place in places)


def test_macros_are_off_and_nothing_of_ours_is_inherited(
    only: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    only(
        f"/bin/cp profile/user/registrymodifications.xcu {kept}; /usr/bin/env >> {kept}; /bin/mkdir results; "
        "echo made > results/document.docx"
    )
    monkeypatch.setenv("MAILBOT_SOCIETIES_PASSWORD", "geheim")
    assert office.convert(b"x", Format.ODT, seconds=20).converted == b"made\n"
    said = kept.read_text()
    assert '"DisableMacrosExecution" oor:op="fuse"><value>true' in said
    assert "geheim" not in said


def test_bubblewrap_hides_the_machine(tmp_path: Path) -> None:
    program = require("bwrap")
    if not office._wraps(program):
        pytest.skip("the kernel allows no namespaces here")
    secret = tmp_path / "secret"
    secret.write_text("geheim")
    work = tmp_path / "work"
    work.mkdir()
    seen = office._run(["cat", str(secret)], work, 10)
    assert seen == b""
    assert office._run(["cat", "/proc/net/dev"], work, 10).count(b":") == 1


def test_antiword_gives_words_and_is_not_trusted_with_a_table(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import io

    import docx

    antiword, program = require("antiword"), require("soffice")
    document = docx.Document()
    for number in range(12):
        document.add_paragraph(f"2020年度工作总结第{number}段，全年举办学术交流活动。")
    plain = io.BytesIO()
    document.save(plain)
    words = writers.by_libreoffice(program, plain.getvalue(), "docx", "odt", "doc")
    form = _old("docx", "odt", "doc")
    (tmp_path / "antiword").symlink_to(antiword)
    monkeypatch.setenv("PATH", str(tmp_path))
    extract = office.convert(words, Format.DOC, seconds=20).extract
    assert extract is not None
    assert (extract.format, extract.read_by) == (Format.DOC, ReadBy.TEXT)
    assert "第11段，全年举办学术交流活动。" in extract.text
    with pytest.raises(UnsupportedError, match="libreoffice-writer"):
        office.convert(form, Format.DOC, seconds=20)


@pytest.mark.parametrize("format", [Format.DOC, Format.WPS, Format.ODT, Format.RTF, Format.ET])
def test_without_an_office_program_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, format: Format
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnsupportedError, match=f"install libreoffice-.*{format.value}"):
        office.convert(b"x", format, seconds=5)
