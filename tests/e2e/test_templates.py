"""A broken template of the office's: replies wait, the staff are told, and nothing is lost."""

from __future__ import annotations

import email
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.policy import default
from pathlib import Path

import pytest

from mailbot.app import App
from mailbot.check import Mark, check
from mailbot.config import load
from mailbot.reports import Reports
from tests.e2e.office import IN_TIME, Office, mail, papers
from tests.e2e.test_reminders import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(IN_TIME + timedelta(minutes=1))


@pytest.fixture
def templates(office: Office) -> Path:
    text = office.config_path.read_text(encoding="utf-8")
    office.config_path.write_text(f'templates = "templates"\n{text}', encoding="utf-8")
    directory = office.directory / "templates"
    directory.mkdir()
    return directory


@contextmanager
def opened(office: Office, clock: Clock) -> Iterator[App]:
    with App.open(load(office.config_path), clock=clock) as app:
        yield app


def subjects(office: Office) -> list[str]:
    return [str(email.message_from_bytes(one.octets, policy=default)["Subject"]) for one in office.sent]


def test_a_reply_waits_for_its_template_and_goes_when_that_is_mended(
    office: Office, clock: Clock, templates: Path
) -> None:
    (templates / "acknowledgement.txt").write_text("{{ oops }}", encoding="utf-8")
    office.deliver(mail(papers()))
    files = papers("浙江省青岚协会")
    del files["工作计划.docx"]
    office.deliver(mail(files, sender="qinglan@example.com", message_id="<2@example.com>"))
    with opened(office, clock) as app:
        for _ in range(5):
            app.run(once=True)
            clock.now += timedelta(minutes=6)
        (waiting,) = (m for m in app.store.messages() if m.outcome is None)
        assert waiting.outcome is None
        assert [s[:5] for s in subjects(office)] == ["【请补正】", "【需处理】"]
        made, _ = Reports(app).digest()
        assert made.text.startswith("【需要人工处理】共1件：1条系统警报")
        assert "回复模板有错误，1封来件等待答复：acknowledgement.txt: UndefinedError" in made.text
        assert subjects(office)[1:] == ["【需处理】回复模板有错误，1封来件等待答复"]
        (templates / "acknowledgement.txt").write_text("{{ organization }}收", encoding="utf-8")
        app.run(once=True)
        assert all(m.outcome is not None for m in app.store.messages())
        assert subjects(office)[2].startswith("【接收回执】浙江省云岭学会")
        assert Reports(app).digest()[0].text.startswith("【无需人工处理】")
        (templates / "acknowledgement.txt").write_text("{{ oops }}", encoding="utf-8")
        office.deliver(mail(papers(), message_id="<3@yunling.example.com>"))
        app.run(once=True)
    assert subjects(office)[3:] == ["【需处理】回复模板有错误，1封来件等待答复"]


def test_a_broken_digest_template_does_not_keep_the_digest_back(
    office: Office, clock: Clock, templates: Path
) -> None:
    (templates / "digest.html").write_text("{% if %}", encoding="utf-8")
    with opened(office, clock) as app:
        Reports(app).digest(send=True)
    message = email.message_from_bytes(office.sent[0].octets, policy=default)
    assert "日报模板有错误，本日报按自带模板生成" in message.get_body(("plain",)).get_content()


@pytest.mark.parametrize("fault", ["{{ oops }}", "{% if %}", "{{ 1 / 0 }}"])
@pytest.mark.parametrize("name", ["acknowledgement.html", "reminder.txt", "digest.txt", "report_index.html"])
def test_check_names_a_broken_template_with_its_line(
    office: Office, clock: Clock, templates: Path, name: str, fault: str
) -> None:
    (templates / name).write_text(f"\n\n{fault}", encoding="utf-8")
    (result,) = [r for r in check(load(office.config_path), clock) if r.what == "templates"]
    assert result.mark is Mark.FAULT
    assert f"({templates / name}:3)" in result.said


@pytest.mark.parametrize("name", ["acknowledgement.txt", "receipt.html", "letter.txt", "digest.html"])
def test_an_empty_template_is_broken_and_sends_no_empty_mail(
    office: Office, clock: Clock, templates: Path, name: str
) -> None:
    (templates / name).write_text("\ufeff \n", encoding="utf-8")
    (result,) = [r for r in check(load(office.config_path), clock) if r.what == "templates"]
    assert result.mark is Mark.FAULT
    assert f"the file is empty ({templates / name}:1)" in result.said
    office.deliver(mail(papers()))
    office.round()
    assert ("【接收" in "".join(subjects(office))) is (name in ("receipt.html", "digest.html"))


def test_a_part_is_left_out_by_an_empty_file(office: Office, clock: Clock, templates: Path) -> None:
    for kind in ("txt", "html"):
        (templates / f"_paper.{kind}").touch()
    (result,) = [r for r in check(load(office.config_path), clock) if r.what == "templates"]
    assert result.mark is Mark.OK


def test_a_mark_at_a_templates_head_is_not_sent(office: Office, templates: Path) -> None:
    (templates / "acknowledgement.txt").write_text("\ufeff{{ organization }}收", encoding="utf-8")
    office.deliver(mail(papers()))
    office.round()
    message = email.message_from_bytes(office.sent[0].octets, policy=default)
    assert message.get_body(("plain",)).get_content().rstrip() == "浙江省云岭学会收"


def test_check_is_content_with_a_template_that_works(office: Office, clock: Clock, templates: Path) -> None:
    (templates / "digest.txt").write_text("{{ title }}：{{ headline }}", encoding="utf-8")
    (result,) = [r for r in check(load(office.config_path), clock) if r.what == "templates"]
    assert result.mark is Mark.OK
