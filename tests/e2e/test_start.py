"""What each command imports: a start costs nothing that its command does not need."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.office import Office, mail, open_office, papers

_COMMAND = """
import json, sys
from mailbot.cli import app
try:
    app(sys.argv[1:])
except SystemExit as ended:
    assert not ended.code, ended.code
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""
_DOCUMENTS = {"openpyxl", "pdfplumber", "pypdfium2", "python_calamine", "docx", "lxml", "PIL"}
_LETTERS = {"jinja2", "css_inline", "mailbot.answer", "mailbot.report.letters"}
_READING = {"mailbot.intake", "mailbot.reader", "multiprocessing.forkserver", "rapidfuzz"}
_FETCHING = {"imapclient", "mailbot.worker", "mailbot.outbox"}
_DATABASES = {"alembic", "sqlalchemy.orm", "sqlalchemy.dialects.postgresql"}
_SELDOM_NEEDED = _DOCUMENTS | _LETTERS | _READING | _DATABASES


def imported(*command: str) -> set[str]:
    """Names of all modules that are there when the command has ended."""
    ended = subprocess.run([sys.executable, "-c", _COMMAND, *command], check=True, capture_output=True)
    return set(json.loads(ended.stderr.splitlines()[-1]))


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[Office]:
    """An office on SQLite in which all that came has been decided and answered."""
    with open_office(tmp_path) as office:
        office.deliver(mail(papers()))
        assert office.round()
        yield office


def test_help_imports_nothing_but_the_command_line() -> None:
    modules = imported("--help")
    own = {name for name in modules if name.startswith("mailbot.")}
    assert own == {"mailbot.cli", "mailbot.commandline", "mailbot.errors", "mailbot.log"}
    assert not modules & {"pydantic", "sqlalchemy", "imapclient", "rich", "msgspec"}


def test_a_round_with_nothing_new_imports_only_what_looks(idle: Office) -> None:
    modules = imported("run", "--once", "--config", str(idle.config_path))
    assert "mailbot.watcher" in modules
    assert not modules & (_SELDOM_NEEDED | {"rich", "mailbot.mail.compose", "mailbot.reports"})


def test_a_round_with_a_new_mail_imports_what_reads_and_answers(idle: Office) -> None:
    idle.deliver(mail(papers(), message_id="<second@example.com>"))
    modules = imported("run", "--once", "--config", str(idle.config_path))
    assert {"mailbot.intake", "mailbot.report.letters", "multiprocessing.forkserver"} <= modules


@pytest.mark.parametrize(
    "command", [("export", "--format", "json"), ("export", "--format", "csv"), ("ledger",)]
)
def test_what_is_written_for_programs_imports_no_letters(idle: Office, command: tuple[str, ...]) -> None:
    modules = imported(*command, "--config", str(idle.config_path))
    assert not modules & (_SELDOM_NEEDED | _FETCHING | {"rich"})


def test_status_imports_neither_mail_nor_documents(idle: Office) -> None:
    modules = imported("status", "--config", str(idle.config_path))
    assert "rich" in modules
    assert not modules & (_SELDOM_NEEDED | _FETCHING)
