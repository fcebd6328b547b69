"""The guides in both languages against each other and against the program: each command and option stands in both."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup

from mailbot.cli import app
from tests.conftest import ROOT

PAIRS = [("README.md", "README.zh-CN.md"), ("docs/operator.md", "docs/operator.zh-CN.md")]
PROGRAM = typer.main.get_command(app)
assert isinstance(PROGRAM, TyperGroup)
OF_OTHER_PROGRAMS = {"--exclude", "--home-dir", "--now", "--system"}
OPTIONS = {option for command in PROGRAM.commands.values() for one in command.params for option in one.opts}


def said(path: Path) -> tuple[set[str], set[str], set[str]]:
    """The commands, the options and the targets of make that a guide names."""
    code = " ".join(re.findall(r"```.*?```|`[^`]+`", path.read_text(encoding="utf-8"), re.S))
    return (
        set(re.findall(r"(?<!/)\bmailbot ([a-z]+)\b(?!\.)", code)),
        set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", code)),
        set(re.findall(r"\bmake ([a-z]+)\b", code)),
    )


@pytest.mark.parametrize(("english", "chinese"), PAIRS)
def test_both_languages_name_the_same_commands_and_options(english: str, chinese: str) -> None:
    assert said(ROOT / english) == said(ROOT / chinese)


@pytest.mark.parametrize("name", [name for pair in PAIRS for name in pair])
def test_what_a_guide_names_is_there(name: str) -> None:
    commands, options, targets = said(ROOT / name)
    assert commands <= set(PROGRAM.commands)
    assert options - OPTIONS <= OF_OTHER_PROGRAMS
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert [target for target in targets if not re.search(rf"(?m)^{target}:", makefile)] == []


@pytest.mark.parametrize("name", PAIRS[0])
def test_a_readme_lists_every_command(name: str) -> None:
    commands, _, targets = said(ROOT / name)
    assert commands | (targets & {"demo"}) == set(PROGRAM.commands)
