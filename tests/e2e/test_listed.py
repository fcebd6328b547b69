"""An organization that the list of organizations calls otherwise than before is the same one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from mailbot.app import App
from mailbot.config import load
from mailbot.errors import TemporaryError
from mailbot.reports import Reports
from tests.e2e.office import CHINA, IN_TIME, Office, mail, papers
from tests.e2e.test_rebuild import contents, lose_database, run
from tests.e2e.test_rounds import subjects, text_of

OLD, NEW = "浙江省云岭学会", "浙江省云岭科技学会"
SENDER = "office@yunling.example.com"
HEAD = "name,track,aliases,emails\n"
BEFORE = f"{HEAD}{OLD},society,,{SENDER}\n浙江省星河研究会,society,,xinghe@example.com\n"
RENAMED = BEFORE.replace(f"{OLD},society,", f"{NEW},society,{OLD}")
ENTERPRISE = BEFORE.replace(f"{OLD},society", f"{OLD},enterprise")
LACKS_PLAN = {name: data for name, data in papers(OLD).items() if "计划" not in name}
LATER = IN_TIME + timedelta(hours=2)


@pytest.fixture(autouse=True)
def registered(office: Office) -> None:
    office.configure(top='organizations = "organizations.csv"', more="[reminders]\ndays = [7, 3, 1]")
    listed(office, BEFORE)


def listed(office: Office, text: str) -> None:
    (office.directory / "organizations.csv").write_text(text, encoding="utf-8")


def organizations(office: Office) -> dict[str, Any]:
    return {one["name"]: one for one in office.export()["organizations"]}


@pytest.fixture
def corrected(office: Office) -> Office:
    """A society that has sent all but its plan, was told so, and whose paper copy has come."""
    office.deliver(mail(LACKS_PLAN))
    assert office.round()
    assert office.outcomes() == ["correction"]
    assert run(office, "paper", OLD, "--received", "2021-01-13")[0] == 0
    return office


def test_who_is_renamed_keeps_what_was_sent_under_the_old_name(corrected: Office) -> None:
    listed(corrected, RENAMED)
    plan = mail({"计划.docx": papers(NEW)["工作计划.docx"]}, message_id="<2@y>", subject="补报")
    corrected.deliver(plan, LATER)
    assert corrected.round()
    assert corrected.outcomes() == ["correction", "acknowledged"]
    assert subjects(corrected)[1].startswith(f"【接收回执】{NEW}")
    assert "所列事项已全部补正" in text_of(corrected.sent[1])
    found = organizations(corrected)
    assert set(found) == {NEW, "浙江省星河研究会"}
    assert found[NEW]["status"] == "complete"
    with corrected.opened() as app:
        assert str(app.organization(OLD).paper_received) == "2021-01-13"
        made, _ = Reports(app).digest()
        assert OLD not in made.text.replace(NEW, "")
    assert run(corrected, "verify")[0] == 0
    assert run(corrected, "rescore")[1].endswith("0 messages would change\n")
    assert corrected.round()
    assert len(corrected.sent) == 2


def test_what_came_under_both_names_is_one_submission(corrected: Office) -> None:
    listed(corrected, BEFORE + f"{NEW},society,,\n")
    plan = mail({"计划.docx": papers(NEW)["工作计划.docx"]}, message_id="<2@y>", sender="b@other.example.com")
    corrected.deliver(plan, LATER)
    assert corrected.round()
    assert {name: one["status"] for name, one in organizations(corrected).items()} == {
        OLD: "incomplete", NEW: "incomplete", "浙江省星河研究会": "not_received",
    }  # fmt: skip
    listed(corrected, RENAMED)
    assert corrected.round()
    assert organizations(corrected)[NEW]["status"] == "complete"
    assert len(organizations(corrected)) == 2
    assert run(corrected, "verify")[0] == 0


def test_a_rebuilt_database_has_the_names_of_today(corrected: Office, spare: str) -> None:
    run(corrected, "review", "1", "--organization", OLD, "--by", "章伟", "--why", "电话核实")
    listed(corrected, RENAMED)
    ledger = corrected.directory / "ledger.jsonl"
    assert run(corrected, "ledger", "--output", str(ledger))[0] == 0
    lose_database(corrected, spare)
    corrected.configure(top='organizations = "organizations.csv"')
    code, said = run(corrected, "rebuild", "--ledger", str(ledger))
    assert (code, "would be" in said) == (0, False), said
    assert run(corrected, "verify")[0] == 0
    assert {row["organization"] for row in contents(corrected)["messages"]} == {NEW}
    assert {
        row["name"]: row["paper_received"] is not None for row in contents(corrected)["organizations"]
    } == {NEW: True}


def opened(office: Office) -> App:
    """On a day of reminders."""
    return App.open(load(office.config_path), clock=lambda: datetime(2021, 1, 14, 9, 30, tzinfo=CHINA))


def test_who_is_renamed_is_reminded_of_what_lacks_and_not_of_all(corrected: Office) -> None:
    listed(corrected, RENAMED)
    with opened(corrected) as app, app.alone():
        letters = {to: letter.text for to, letter in app.reminder_letters()}
    assert "尚缺下一年度工作计划" in letters[(SENDER,)]
    assert "自评表" not in letters[(SENDER,)].split("尚缺")[1].split("。")[0]


def test_nobody_is_reminded_while_a_worker_still_has_the_old_list(corrected: Office) -> None:
    with opened(corrected) as working, working.alone():
        listed(corrected, RENAMED)
        with opened(corrected) as app, pytest.raises(TemporaryError):
            app.remind()
        assert f"{OLD} → {NEW} (society)" in run(corrected, "check")[1]
    assert len(corrected.sent) == 1


def test_a_corrected_track_says_at_once_what_is_owed(office: Office) -> None:
    form_alone_lacks = {name: data for name, data in papers(OLD).items() if "自评表" not in name}
    office.deliver(mail(form_alone_lacks))
    assert office.round()
    assert organizations(office)[OLD]["status"] == "incomplete"
    listed(office, ENTERPRISE)
    assert office.round()
    assert organizations(office)[OLD]["status"] == "complete"
    assert len(office.sent) == 1
    listed(office, BEFORE)
    assert office.round()
    assert organizations(office)[OLD]["status"] == "incomplete"
    assert run(office, "verify")[0] == 0


def test_more_words_from_a_stranger_do_not_complete_what_waits_for_a_person(office: Office) -> None:
    stranger = "浙江省陌生学会"
    office.deliver(mail(papers(stranger), sender="new@mosheng.example.com"))
    assert office.round()
    more = mail({}, sender="new@mosheng.example.com", message_id="<2@y>", body="补充材料见附件。")
    office.deliver(more, LATER)
    assert office.round()
    assert office.outcomes() == ["review", "review"]
    assert organizations(office)[stranger]["status"] == "review"
    assert [subject for subject in subjects(office) if "接收回执" in subject] == []
