"""Reminders over real servers: who gets one, when, once a day, and never blindly again."""

from __future__ import annotations

import email
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.policy import default
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mailbot import cli
from mailbot.app import App
from mailbot.config import load
from mailbot.errors import DeliveryUncertainError, TemporaryError, UsageError
from mailbot.mail.smtp import Submission
from mailbot.model import ReplyState
from mailbot.outbox import Outbox
from mailbot.records import NAMES_OTHERS
from mailbot.reports import Reports
from tests.databases import on_sqlite
from tests.e2e.office import CHINA, IN_TIME, Office, form, mail, papers

THREE_DAYS_BEFORE = datetime(2021, 1, 12, 9, 30, tzinfo=CHINA)
REGISTRY = """\
name,track,aliases,emails
浙江省云岭学会,society,,office@yunling.example.com
浙江省星河研究会,society,,xinghe@example.com;mishu@example.com
浙江省青岚协会,society,,qinglan@example.com
浙江芯澜集团科协,enterprise,,kexie@example.com
浙江省无址学会,society,,
"""
TO_ALL = ["kexie@example.com", "mishu@example.com", "qinglan@example.com", "xinghe@example.com"]


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock(THREE_DAYS_BEFORE)


@pytest.fixture(autouse=True)
def campaign(office: Office) -> None:
    (office.directory / "organizations.csv").write_text(REGISTRY, encoding="utf-8")
    configure(office)


def configure(office: Office, reminders: str = "days = [7, 3, 1]", **more: str) -> None:
    office.configure(top='organizations = "organizations.csv"', more=f"[reminders]\n{reminders}", **more)


@contextmanager
def opened(office: Office, clock: Clock) -> Iterator[App]:
    with App.open(load(office.config_path), clock=clock) as app:
        yield app


def one_complete_and_one_faulty(office: Office, app: App) -> None:
    """云岭 is complete, 青岚 lacks the plan, the others have sent nothing; the letters are out of the way."""
    files = papers("浙江省青岚协会")
    del files["工作计划.docx"]
    office.deliver(mail(papers()), IN_TIME - timedelta(days=4))
    office.deliver(
        mail(files, sender="qinglan@example.com", message_id="<2@example.com>"), IN_TIME - timedelta(days=4)
    )
    app.run(once=True)
    assert len(office.sent) == 2


def reminders(office: Office) -> list[tuple[str, str]]:
    return sorted(
        (one.to[0], str(message["Subject"]))
        for one in office.sent
        if (message := email.message_from_bytes(one.octets, policy=default))["Auto-Submitted"]
        == "auto-generated"
    )


def test_those_who_are_not_complete_are_reminded_once_a_day_from_their_tracks_mailbox(
    office: Office, clock: Clock
) -> None:
    with opened(office, clock) as app:
        one_complete_and_one_faulty(office, app)
        assert app.remind()[0] == 4
        assert [to for to, _ in reminders(office)] == TO_ALL
        last_day = (THREE_DAYS_BEFORE + timedelta(days=2)).date()
        assert app.remind() == (0, last_day)
    senders = {one.to[0]: one.envelope_from for one in office.sent}
    assert senders["kexie@example.com"] == "enterprises@example.org"
    assert senders["qinglan@example.com"] == "societies@example.org"
    with opened(office, clock) as app:
        clock.now += timedelta(hours=8)
        app.run(once=True)
        assert app.remind()[0] == 0
        clock.now = THREE_DAYS_BEFORE + timedelta(days=2)
        app.run(once=True)
        assert app.remind()[0] == 4
    assert len(reminders(office)) == 8


def test_a_reminder_says_why_a_file_that_came_was_not_taken(office: Office, clock: Clock) -> None:
    """It said that the plan lacked to one who had sent it, empty, and asked for nothing else."""
    files = papers("浙江省青岚协会") | {"工作计划.docx": b""}
    letter = mail(files, sender="qinglan@example.com", message_id="<2@example.com>")
    office.deliver(letter, IN_TIME - timedelta(days=4))
    with opened(office, clock) as app:
        app.run(once=True)
        app.remind()
    (said,) = (m for m in office.sent[1:] if m.to == ("qinglan@example.com",))
    text = email.message_from_bytes(said.octets, policy=default).get_body(("plain",)).get_content()
    assert "尚缺下一年度工作计划。来件中的文件“工作计划.docx”是空文件" in text


def test_a_reminder_says_what_is_missing_and_brings_the_form_where_that_lacks(
    office: Office, clock: Clock
) -> None:
    with opened(office, clock) as app:
        one_complete_and_one_faulty(office, app)
        app.remind()
    said = {one.to[0]: email.message_from_bytes(one.octets, policy=default) for one in office.sent[2:]}
    faulty, silent = said["qinglan@example.com"], said["xinghe@example.com"]
    assert "尚缺下一年度工作计划" in faulty.get_body(("plain",)).get_content()
    assert list(faulty.iter_attachments()) == []
    assert "尚未收到贵单位的材料" in silent.get_body(("plain",)).get_content()
    names = [part.get_filename() for part in silent.iter_attachments()]
    assert names == ["2020年度省级学会工作自评表.xlsx", "2020年度省级学会工作自评表.docx"]
    assert list(said["kexie@example.com"].iter_attachments()) == []


@pytest.mark.parametrize(
    "now",
    [
        THREE_DAYS_BEFORE - timedelta(days=1),
        THREE_DAYS_BEFORE + timedelta(days=1),
        datetime(2021, 1, 15, 17, 31, tzinfo=CHINA),
    ],
)
def test_nobody_is_reminded_on_another_day_or_after_the_deadline(
    office: Office, clock: Clock, now: datetime
) -> None:
    configure(office, "days = [7, 3, 1, 0]" if now.day == 15 else "days = [7, 3, 1]")
    clock.now = now
    with opened(office, clock) as app:
        app.run(once=True)
        assert app.remind()[0] == 0
        outbox = app._outbox("societies", reminding=True)
        assert outbox.flush(threading.Event())
        outbox.close()
    assert reminders(office) == []


def test_without_days_there_are_no_reminders(office: Office, clock: Clock) -> None:
    office.configure(top='organizations = "organizations.csv"')
    with opened(office, clock) as app:
        app.run(once=True)
        with pytest.raises(UsageError, match=r"reminders\.days"):
            app.remind()
    assert reminders(office) == []


def test_the_worker_reminds_after_the_hour_and_answers_first(office: Office, clock: Clock) -> None:
    clock.now = datetime(2021, 1, 12, 8, 59, tzinfo=CHINA)
    with opened(office, clock) as app:
        one_complete_and_one_faulty(office, app)
        outbox = app._outbox("societies", reminding=True)
        assert outbox.flush(threading.Event())
        assert reminders(office) == []
        clock.now += timedelta(minutes=1)
        assert outbox.flush(threading.Event())
        assert [to for to, _ in reminders(office)] == TO_ALL[1:]
        outbox.close()


def test_who_has_sent_in_the_meantime_is_not_reminded(office: Office, clock: Clock) -> None:
    with opened(office, clock) as app:
        app.run(once=True)
        waiting = app._reminders("societies")
        waiting.look()
        office.deliver(mail(papers()), IN_TIME - timedelta(days=4))
        app.run(once=True)
        taken = []
        while (one := waiting.take()) is not None:
            taken.append(one.record.recipient)
    assert taken == ["xinghe@example.com", "mishu@example.com", "qinglan@example.com"]


def test_whose_mail_waits_for_a_person_is_not_told_that_nothing_came(office: Office, clock: Clock) -> None:
    with opened(office, clock) as app:
        one_complete_and_one_faulty(office, app)
        of_another = mail(papers(), sender="kexie@example.com", message_id="<3@example.com>")
        office.deliver(of_another, IN_TIME - timedelta(days=4))
        app.run(once=True)
        assert app.remind()[0] == 3
    assert [to for to, _ in reminders(office)] == [to for to in TO_ALL if to != "kexie@example.com"]


def test_a_reminder_that_a_crash_cut_off_is_not_sent_again_that_day(office: Office, clock: Clock) -> None:
    with opened(office, clock) as app:
        app.run(once=True)
        waiting = app._reminders("enterprises")
        waiting.look()
        assert waiting.take() is not None
    with opened(office, clock) as app:
        app.run(once=True)
        assert app.remind()[0] == 4
        assert "kexie@example.com" not in [to for to, _ in reminders(office)]
        made, _ = Reports(app).digest()
        assert "浙江芯澜集团科协（kexie@example.com）的报送提醒发送中，当天不再重发" in made.text


def test_an_uncertain_reminder_is_not_sent_again_and_shown_to_the_staff(
    office: Office, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object, **__: object) -> str:
        raise DeliveryUncertainError("no answer")

    with opened(office, clock) as app:
        app.run(once=True)
        with monkeypatch.context() as patch:
            patch.setattr(Submission, "send", lost)
            with pytest.raises(TemporaryError):
                app.remind()
        assert [r.state for r in app.store.reminders()] == [ReplyState.UNCERTAIN]
        first = app.store.reminders()[0].recipient
        assert app.remind()[0] == 4
        assert first not in [to for to, _ in reminders(office)]
        assert "报送提醒不知是否送达" in Reports(app).digest()[0].text


def test_what_the_server_did_not_take_is_tried_again_on_the_same_day(
    office: Office, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, **__: object) -> str:
        raise TemporaryError("450 try later")

    with opened(office, clock) as app:
        app.run(once=True)
        outbox = app._outbox("societies", reminding=True)
        with monkeypatch.context() as patch:
            patch.setattr(Submission, "send", busy)
            assert not outbox.flush(threading.Event())
        assert app.store.reminders() == ()
        clock.now += timedelta(minutes=2)
        assert outbox.flush(threading.Event())
        outbox.close()
        assert len(reminders(office)) == 4


def test_nobody_is_reminded_while_mails_may_lie_unread(office: Office, clock: Clock) -> None:
    with opened(office, clock) as app:
        with pytest.raises(TemporaryError, match="not read"):
            app.remind()
        app.run(once=True)
        clock.now += timedelta(hours=2)
        with pytest.raises(TemporaryError, match="not read"):
            app.remind()
    assert reminders(office) == []


def test_in_draft_mode_reminders_wait_in_the_drafts_folder(office: Office, clock: Clock) -> None:
    configure(office, replies='mode = "draft"\nmin_interval_seconds = 0')
    with opened(office, clock) as app:
        app.run(once=True)
        app.remind()
    assert office.sent == ()
    drafts = office.imap.mails("enterprises@example.org", "Drafts")
    assert [str(email.message_from_bytes(draft.octets, policy=default)["To"]) for draft in drafts] == [
        "kexie@example.com"
    ]


@on_sqlite
@pytest.mark.parametrize("renamed", [False, True])
def test_a_reminder_that_a_person_sent_from_drafts_is_sent(
    office: Office, clock: Clock, renamed: bool
) -> None:
    """Its mail program may give it another Message-ID; its namesake to the other address still waits."""
    configure(office, replies='mode = "draft"\nmin_interval_seconds = 0')
    with opened(office, clock) as app:
        app.run(once=True)
        assert app.remind()[0] == 5
    drafts = [
        email.message_from_bytes(m.octets) for m in office.imap.mails("societies@example.org", "Drafts")
    ]
    (mine,) = [draft for draft in drafts if draft["To"] == "xinghe@example.com"]
    if renamed:
        mine.replace_header("Message-ID", "<given-by-the-web-mail@example.org>")
    office.imap.deliver("societies@example.org", mine.as_bytes(), IN_TIME, "Sent Messages")
    clock.now += timedelta(hours=1)
    for _ in range(2):
        with opened(office, clock) as app:
            app.run(once=True)
            states = {r.recipient: r.state for r in app.store.reminders()}
    assert [to for to, state in states.items() if state is ReplyState.SENT] == ["xinghe@example.com"]
    assert set(states.values()) == {ReplyState.SENT, ReplyState.DRAFTED}
    assert office.sent == ()
    before = app.store.reminders()
    assert CliRunner().invoke(cli.app, ["rebuild", "--config", str(office.config_path)]).exit_code == 0
    with opened(office, clock) as app:
        assert app.store.reminders() == before


def test_with_replies_off_nobody_is_reminded(office: Office, clock: Clock) -> None:
    configure(office, replies='mode = "off"')
    with opened(office, clock) as app:
        app.run(once=True)
        assert app.remind()[0] == 0
    assert office.sent == ()


def test_a_broken_template_of_the_offices_keeps_reminders_back(
    office: Office, clock: Clock, tmp_path: Path
) -> None:
    templates = tmp_path / "templates"
    templates.mkdir()
    (templates / "reminder.txt").write_text("{{ oops }}", encoding="utf-8")
    text = office.config_path.read_text(encoding="utf-8")
    office.config_path.write_text(f'templates = "templates"\n{text}', encoding="utf-8")
    with opened(office, clock) as app:
        app.run(once=True)
        assert app.remind()[0] == 0
        assert app.store.reminders() == ()
        (templates / "reminder.txt").write_text("{{ organization }}", encoding="utf-8")
        assert app.remind()[0] == 5


def test_dry_run_shows_each_reminder_and_sends_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailbot.opened.utc_now", lambda: THREE_DAYS_BEFORE)
    monkeypatch.setattr(App.open.__func__, "__kwdefaults__", {"clock": lambda: THREE_DAYS_BEFORE})
    said = CliRunner().invoke(cli.app, ["remind", "--dry-run", "--config", str(office.config_path)])
    assert said.exit_code == 0, said.output
    assert "To: xinghe@example.com, mishu@example.com\nSubject: 【报送提醒】浙江省星河研究会" in said.output
    assert "4 organizations would be reminded now; nothing was sent" in said.output
    assert office.sent == ()


def test_outbox_without_reminders_has_nothing_to_remind_of(office: Office, clock: Clock) -> None:
    with opened(office, clock) as app:
        outbox = Outbox(app.config.mailboxes[0], app.config, app.store, clock)
        assert outbox.remind(threading.Event())
    assert office.sent == ()


def test_whose_papers_may_lie_in_what_waits_is_not_said_to_have_sent_nothing(
    office: Office, clock: Clock
) -> None:
    both = {
        f"{k}.{n}": d
        for k, of in enumerate(("浙江省云岭学会", "浙江省星河研究会"))
        for n, d in papers(of).items()
    }
    office.deliver(mail(both, sender="agency@example.com"))
    with opened(office, clock) as app:
        assert app.run(once=True)
        addresses = {address for to, _ in app.reminder_letters() for address in to}
        (message,) = app.store.for_a_person()
        made = app.staff.digest(clock())
    assert addresses == {"qinglan@example.com", "kexie@example.com"}
    (conflict,) = message.findings
    assert "浙江省云岭学会 / " in conflict.found
    assert "浙江省星河研究会" in conflict.found
    assert f"其材料可能在待核对的来件中（来件编号{message.id}）" in made.text


def test_whose_papers_wait_under_an_earlier_name_is_not_reminded(office: Office, clock: Clock) -> None:
    renamed = REGISTRY.replace("浙江省星河研究会,society,,", "浙江省星河研究会,society,浙江省银河研究会,")
    (office.directory / "organizations.csv").write_text(renamed, encoding="utf-8")
    both = {f"{of}.xlsx": form(of) for of in ("浙江省云岭学会", "浙江省银河研究会")}
    office.deliver(mail(both, sender="agency@example.com"))
    with opened(office, clock) as app:
        assert app.run(once=True)
        addresses = {address for to, _ in app.reminder_letters() for address in to}
        (message,) = app.store.for_a_person()
    assert any("浙江省银河研究会" in one.found for one in message.findings if one.code in NAMES_OTHERS)
    assert addresses == {"qinglan@example.com", "kexie@example.com"}
