"""With a scanner nothing is read that it has not let through; while it is away mails wait, and none is lost."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from mailbot import cli
from mailbot.app import App
from mailbot.check import Mark, check
from mailbot.config import load
from mailbot.reports import Reports
from tests import clamd
from tests.e2e.office import IN_TIME, Office, mail, papers
from tests.e2e.test_reminders import Clock
from tests.e2e.test_templates import subjects


@pytest.fixture(scope="module")
def server() -> Iterator[clamd.Clamd]:
    with clamd.Clamd() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock(IN_TIME + timedelta(minutes=1))


def scanned(office: Office, where: str) -> None:
    office.configure(more=f'[scanner]\nclamd = "{where}"\n')


def rounds(office: Office, clock: Clock, number: int, minutes: int = 3) -> None:
    for _ in range(number):
        with App.open(load(office.config_path), clock=clock) as app:
            app.run(once=True)
        clock.now += timedelta(minutes=minutes)


def _zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("自评表.xlsx", data)
    return out.getvalue()


def test_clean_mail_is_answered_as_ever(office: Office, server: clamd.Clamd) -> None:
    scanned(office, server.socket)
    office.deliver(mail(papers()))
    assert office.round()
    assert office.outcomes() == ["acknowledged"]


@pytest.mark.parametrize("wrap", [bytes, _zipped], ids=["plain", "zipped"])
def test_an_infected_file_is_not_read_and_a_person_looks(
    office: Office, server: clamd.Clamd, wrap: type
) -> None:
    scanned(office, server.socket)
    files = papers()
    form = files.pop("自评表.xlsx") + clamd.MARK
    name = "自评表.xlsx" if wrap is bytes else "自评表.zip"
    office.deliver(mail({name: wrap(form), **files}))
    assert office.round()
    [message] = office.export()["messages"]
    assert message["outcome"] == "review"
    dangerous = [f for f in message["findings"] if f["code"] == "document.dangerous"]
    assert len(dangerous) == 2
    assert all("Mailbot.Test.Mark" in f["detail"] for f in dangerous)
    assert message["assessment"] is None
    roles = {d["filename"]: d["role"] for d in message["documents"]}
    assert roles == {name: "other", "工作总结.docx": "summary", "工作计划.docx": "plan"}
    assert [r["kind"] for r in message["replies"]] == ["receipt"]


def test_while_the_scanner_is_away_mails_are_kept_and_wait_and_go_on_by_themselves(
    office: Office, clock: Clock, server: clamd.Clamd
) -> None:
    scanned(office, "/nowhere/clamd.ctl")
    office.deliver(mail(papers()))
    rounds(office, clock, 8)
    with office.opened() as app:
        (waiting,) = (m for m in app.store.messages() if m.outcome is None)
        assert waiting.outcome is None
        assert app.archive.path(waiting.sha256).exists()
        assert "病毒扫描服务不可用，1封来件等待处理" in Reports(app).digest()[0].text
    assert subjects(office) == []
    rounds(office, clock, 8)
    assert subjects(office) == ["【需处理】病毒扫描服务不可用，1封来件等待处理"]
    scanned(office, server.socket)
    rounds(office, clock, 2)
    assert office.outcomes() == ["acknowledged"]
    assert len(subjects(office)) == 2
    with office.opened() as app:
        assert "病毒扫描" not in Reports(app).digest()[0].text


def test_a_scanner_that_fails_at_one_file_in_a_mail_holds_the_mail_back(
    office: Office, clock: Clock, server: clamd.Clamd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mail as a whole was looked through; then the scanner goes away, in the middle of its files."""
    from mailbot.documents.scanner import Scanner

    scanned(office, server.socket)
    office.deliver(mail(papers()))
    inner, calls = Scanner.scan, []

    def goes_away(self: Scanner, octets: object) -> str:
        calls.append(octets)
        if len(calls) == 3:
            self._clamd = "/nowhere/clamd.ctl"
        return inner(self, octets)

    with monkeypatch.context() as patch:
        patch.setattr(Scanner, "scan", goes_away)
        rounds(office, clock, 1)
    assert office.outcomes() == [None]
    assert subjects(office) == []
    rounds(office, clock, 1)
    assert office.outcomes() == ["acknowledged"]


def test_a_file_too_large_for_the_scanner_waits_for_the_administrator(
    office: Office, clock: Clock, server: clamd.Clamd
) -> None:
    scanned(office, server.socket)
    office.deliver(mail({**papers(), "图.bin": bytes(clamd.STREAM_MAX)}))
    office.deliver(mail(papers("浙江省青岚协会"), sender="q@example.com", message_id="<2@example.com>"))
    rounds(office, clock, 15)
    assert office.outcomes() == [None, "acknowledged"]
    assert [s for s in subjects(office) if "病毒扫描" in s]


@pytest.mark.parametrize("wrap", [bytes, _zipped], ids=["plain", "zipped"])
def test_a_single_document_is_looked_through_too_and_read_says_so(
    office_on_sqlite: Office, server: clamd.Clamd, wrap: type
) -> None:
    scanned(office_on_sqlite, server.socket)
    for form, assessed in ((papers()["自评表.xlsx"], True), (papers()["自评表.xlsx"] + clamd.MARK, False)):
        said = json.loads(_read(office_on_sqlite, wrap(form), "json"))
        assert said["scanned_by"] == f"clamd at {server.socket}"
        assert (said["assessment"] is not None) is assessed
        named = [f["detail"] for f in said["findings"] if f["code"] == "document.dangerous"]
        assert ["Mailbot.Test.Mark" in detail for detail in named] == ([] if assessed else [True])
        assert f"looked through for malware by clamd at {server.socket}" in _read(
            office_on_sqlite, wrap(form), "table"
        )
    office_on_sqlite.configure()
    assert "scanned_by" not in json.loads(_read(office_on_sqlite, b"a", "json"))


def test_while_the_scanner_is_away_no_single_document_is_read(office_on_sqlite: Office) -> None:
    scanned(office_on_sqlite, "/nowhere/clamd.ctl")
    said = _read(office_on_sqlite, papers()["自评表.xlsx"], "table", status=75)
    assert "clamd at /nowhere/clamd.ctl: " in said
    assert "浙江省云岭学会" not in said


def _read(office: Office, data: bytes, form: str, status: int = 0) -> str:
    file = office.directory / "file"
    file.write_bytes(data)
    command = ["read", str(file), "--format", form, "--config", str(office.config_path)]
    said = CliRunner(env={"COLUMNS": "140"}).invoke(cli.app, command)
    assert said.exit_code == status, said.output
    return " ".join(said.output.split()) if form == "table" else said.output


def test_check_says_whether_it_answers(office: Office, clock: Clock, server: clamd.Clamd) -> None:
    marks = {}
    for where in (server.socket, "/nowhere/clamd.ctl"):
        scanned(office, where)
        marks |= {
            r.what: r.mark for r in check(load(office.config_path), clock) if r.what.startswith("scanner")
        }
    assert list(marks.values()) == [Mark.OK, Mark.UNREACHED]
