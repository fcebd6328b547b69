"""A PDF whose Chinese font is neither in the file nor on the machine: read by nobody, held against nobody."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mailbot import rubric as rubrics
from mailbot.documents import pdf
from mailbot.errors import DoubtfulError
from mailbot.model import Code
from tests.conftest import ROOT, require
from tests.forms import writers

RUBRIC = rubrics.load(ROOT / "rubric" / "2020.toml")
EMBEDDED = ROOT / "mailbot" / "demo" / "data" / "qinglan-form.pdf"


def read_without_fonts(path: Path) -> str:
    """What `mailbot read` prints on a machine that has no font."""
    command = [require("bwrap"), "--bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    for folder in (Path("/usr/share/fonts"), Path("/usr/local/share/fonts")):
        command += ["--tmpfs", str(folder)] if folder.is_dir() else []
    read = [sys.executable, "-m", "mailbot", "read", str(path), "--format", "json"]
    done = subprocess.run(
        [*command, *read], cwd=ROOT, check=False, capture_output=True, text=True, timeout=60
    )
    if "namespace" in done.stderr:
        pytest.skip("the kernel allows no namespaces here")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_form_without_its_font_is_for_a_person_and_no_score_is_read(tmp_path: Path) -> None:
    path = tmp_path / "form.pdf"
    path.write_bytes(writers.pdf_form(RUBRIC, writers.full_scores(RUBRIC), writers.some_evidence(RUBRIC)))
    said = read_without_fonts(path)
    assert f'"code": "{Code(DoubtfulError.code)}"' in said
    assert '"assessment": null' in said
    assert "score." not in said


def test_a_form_with_its_font_in_it_is_read_alike_everywhere() -> None:
    pdf.read(EMBEDDED.read_bytes())
    said = read_without_fonts(EMBEDDED)
    assert '"findings": []' in said
    assert '"total": 92.5' in said
