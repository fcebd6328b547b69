"""A person's work on what waits: decisions on mails and replies, drafts that a person sent, paper and points."""

from __future__ import annotations

import email
import io
import json
from collections.abc import Callable
from datetime import timedelta
from email.header import decode_header, make_header
from pathlib import Path

import pytest
from openpyxl import load_workbook
from typer.testing import Result

from mailbot.app import App
from mailbot.config import load
from mailbot.model import ReplyState
from mailbot.reports import Reports
from mailbot.store.ledger import first_broken
from mailbot.worker import only_worker
from tests.databases import on_sqlite
from tests.e2e.office import (
    ADDRESSES,
    DEADLINE,
    IN_TIME,
    KNOWN,
    OTHER,
    STRANGER,
    Office,
    form,
    mail,
    papers,
    run,
    text_document,
)

SIGNED = ("--by", "章伟", "--why", "电话核实")
Run = Callable[..., Result]


def letters(office: Office) -> list[tuple[str, str]]:
    """(kind by the subject, recipient) of everything that was sent, in order."""
    return [
        (
            str(make_header(decode_header(email.message_from_bytes(m.octets)["Subject"]))).partition("】")[0],
            m.to[0],
        )
        for m in office.sent
    ]


def kinds(office: Office) -> list[str]:
    return [kind.removeprefix("【") for kind, _ in letters(office)]


def body(office: Office, index: int = -1) -> str:
    message = email.message_from_bytes(office.sent[index].octets)
    parts = (p for p in message.walk() if p.get_content_type() == "text/plain")
    return next(parts).get_payload(decode=True).decode()  # type: ignore[union-attr]


def status_of(office: Office, name: str) -> str | None:
    found = [o["status"] for o in office.export()["organizations"] if o["name"] == name]
    return found[0] if found else None


def ledger(office: Office) -> list[tuple[str, dict[str, object]]]:
    with office.opened() as app:
        entries = list(app.store.ledger())
    assert first_broken(entries) is None
    return [(entry.kind, json.loads(entry.payload)) for entry in entries]


def digest(office: Office) -> str:
    with office.opened() as app:
        made, _ = Reports(app).digest()
    return made.text


def from_a_stranger(office: Office) -> None:
    """A whole submission under a name that is in no list: it waits for a person."""
    office.deliver(mail(papers(STRANGER), sender="new@yuncen.example.com"))
    office.round()


def test_what_waits_is_listed_with_its_reason(registered: Office) -> None:
    assert "nothing waits" in run(registered, "review")
    from_a_stranger(registered)
    listed = run(registered, "review")
    assert "new@yuncen.example.com" in listed
    assert "不在名册" in listed


def test_an_assigned_mail_is_acknowledged_and_counts_for_its_organization(registered: Office) -> None:
    from_a_stranger(registered)
    assert kinds(registered) == ["已收到，待人工核对"]
    assert "1封来件待核对" in digest(registered)
    said = run(registered, "review", "1", "--organization", OTHER, *SIGNED)
    assert "acknowledged" in said
    assert OTHER in said
    registered.round()
    assert letters(registered)[1:] == [("【接收回执", "new@yuncen.example.com")]
    assert status_of(registered, OTHER) == "complete"
    assert status_of(registered, STRANGER) is None
    assert "封来件待核对" not in digest(registered)
    assert "nothing waits" in run(registered, "review")
    ruled = [said for kind, said in ledger(registered) if kind == "ruled"]
    assert ruled == [
        {
            "message": 1,
            "ruling": "assign",
            "by": "章伟",
            "why": "电话核实",
            "organization": OTHER,
            "track": "society",
            "sentence": "",
        }
    ]


def test_the_same_command_again_sends_nothing_twice(registered: Office) -> None:
    from_a_stranger(registered)
    for _ in range(3):
        run(registered, "review", "1", "--organization", OTHER, *SIGNED)
        registered.round()
    assert kinds(registered) == ["已收到，待人工核对", "接收回执"]
    assert set(registered.sent_ids().values()) == {1}
    assert [kind for kind, _ in ledger(registered)].count("ruled") == 1
    assert "decided so already" in run(registered, "review", "1", "--organization", OTHER, *SIGNED)


def test_a_new_society_is_accepted_under_its_own_name(registered: Office) -> None:
    from_a_stranger(registered)
    said = run(registered, "review", "1", "--accept", *SIGNED)
    assert f"{STRANGER} is not in organizations.csv: until it is added there" in said
    registered.round()
    assert kinds(registered)[-1] == "接收回执"
    assert status_of(registered, STRANGER) == "complete"
    findings = registered.export()["messages"][0]["findings"]
    assert [(f["code"], f["severity"]) for f in findings] == [("organization.unknown", "info")]


def test_accepting_settles_the_faults_of_what_came_and_not_what_never_came(registered: Office) -> None:
    faulty = papers(STRANGER, scores={8: "3"})
    del faulty["工作计划.docx"]
    registered.deliver(mail(faulty, sender="new@yuncen.example.com"))
    registered.round()
    said = run(registered, "review", "1", "--organization", OTHER, "--accept", *SIGNED)
    assert "plan.missing" in said
    assert "organizations.csv" not in said
    assert "score.over_max" not in said
    registered.round()
    assert kinds(registered)[-1] == "请补正"
    assert "第8项" not in body(registered)
    plan = {"工作计划.docx": text_document("2021年工作计划", OTHER)}
    registered.deliver(
        mail(plan, sender="new@yuncen.example.com", message_id="<2@yuncen.example.com>"),
        IN_TIME + timedelta(hours=1),
    )
    registered.round()
    assert kinds(registered)[-1] == "接收回执"
    assert status_of(registered, OTHER) == "complete"


def test_a_correction_says_what_the_person_wrote_and_stands_until_the_document_is_replaced(
    office: Office,
) -> None:
    office.deliver(mail(papers()))
    office.round()
    assert office.outcomes() == ["acknowledged"]
    sentence = "请在自评表首页加盖单位公章后扫描发来。"
    run(office, "review", "1", "--correct", sentence, *SIGNED)
    office.round()
    assert kinds(office) == ["接收回执", "请补正"]
    assert sentence in body(office)
    assert status_of(office, KNOWN) == "incomplete"
    office.deliver(
        mail({"自评表.xlsx": form(total="100")}, message_id="<2@yunling.example.com>"),
        IN_TIME + timedelta(hours=1),
    )
    office.round()
    assert kinds(office)[-1] == "接收回执"
    assert status_of(office, KNOWN) == "complete"


def test_a_second_correction_on_one_mail_is_refused_rather_than_lost(office: Office) -> None:
    office.deliver(mail(papers(scores={8: "3"})))
    office.round()
    said = run(office, "review", "1", "--correct", "请补充附件。", *SIGNED, status=2)
    assert "has had its correction letter" in said
    assert [kind for kind, _ in ledger(office)].count("ruled") == 0


def test_a_correction_of_papers_that_have_been_replaced_is_refused_rather_than_lost(office: Office) -> None:
    office.deliver(mail(papers()))
    changed = {"工作总结.docx": text_document("2020年工作总结（修改）", KNOWN)}
    office.deliver(mail(changed, message_id="<2@yunling.example.com>"), IN_TIME + timedelta(hours=1))
    office.round()
    sent = office.sent
    said = run(office, "review", "1", "--correct", "请补充财务情况。", *SIGNED, status=2)
    assert "have been replaced since, last by message 2" in said
    assert office.sent == sent
    assert [kind for kind, _ in ledger(office)].count("ruled") == 0
    run(office, "review", "2", "--correct", "请补充财务情况。", *SIGNED)
    office.round()
    assert "请补充财务情况。" in body(office)


def rebuilt_the_same(office: Office) -> None:
    """What a person decided holds, and is the same when the database is made again."""
    before = office.export()
    assert "all of it holds" in run(office, "verify")
    assert "would be" not in run(office, "rebuild")
    assert "all of it holds" in run(office, "verify")
    assert office.export() == before


def answered_and_superseded(office: Office, octets: bytes, marks: bytes = b"") -> None:
    """The same mail in both mailboxes: number 1 is answered, and gives way to number 2, which came first."""
    office.deliver(octets, IN_TIME + timedelta(minutes=1), mailbox="enterprises")
    office.round()
    office.deliver(marks + octets, IN_TIME)
    office.round()
    assert office.outcomes()[0] == "ignored"
    assert len(office.sent) == 1


@on_sqlite
@pytest.mark.parametrize(
    "marks", [b"", b"Received: from mx.example.com; Thu, 14 Jan 2021 09:12:03 +0800\r\n"]
)
def test_a_decision_on_a_mail_whose_copy_was_answered_is_carried_out_and_sends_nothing_twice(
    registered: Office, marks: bytes
) -> None:
    answered_and_superseded(registered, mail(papers()), marks)
    said = run(registered, "review", "2", "--organization", OTHER, *SIGNED)
    assert "acknowledgement to office@yunling.example.com: sent" in said
    assert status_of(registered, KNOWN) == "not_received"
    assert status_of(registered, OTHER) == "complete"
    run(registered, "review", "2", "--correct", "请加盖公章。", *SIGNED)
    registered.round()
    assert kinds(registered) == ["接收回执", "请补正"]
    said = run(registered, "review", "2", "--correct", "请另附说明。", *SIGNED, status=2)
    assert "has had its correction letter" in said
    rebuilt_the_same(registered)


@on_sqlite
@pytest.mark.parametrize("minutes", [-1, 1])
@pytest.mark.parametrize(
    "marks", [b"", b"Received: from mx.example.com; Thu, 14 Jan 2021 09:12:03 +0800\r\n"]
)
def test_what_a_person_calls_no_submission_is_none_in_the_other_mailbox_either(
    registered: Office, marks: bytes, minutes: int
) -> None:
    octets = mail(papers())
    registered.deliver(octets, IN_TIME)
    registered.round()
    run(registered, "review", "1", "--no-submission", *SIGNED)
    registered.deliver(marks + octets, IN_TIME + timedelta(minutes=minutes), mailbox="enterprises")
    registered.round()
    assert registered.outcomes() == ["ignored", "ignored"]
    assert (kinds(registered), status_of(registered, KNOWN)) == (["接收回执"], "not_received")
    rebuilt_the_same(registered)


def test_a_second_correction_on_a_mail_whose_copy_had_one_is_refused(registered: Office) -> None:
    answered_and_superseded(registered, mail(papers(scores={8: "3"})))
    assert kinds(registered) == ["请补正"]
    said = run(registered, "review", "2", "--correct", "请加盖公章。", *SIGNED, status=2)
    assert "has had its correction letter" in said


def test_a_question_answered_by_hand_waits_no_longer_and_leaves_no_trace_of_a_submission(
    office: Office,
) -> None:
    office.deliver(mail({}, body=f"您好，请问{KNOWN}的自评表在哪里下载？"))
    office.round()
    assert office.outcomes() == ["review"]
    assert "carries nothing to accept" in run(office, "review", "1", "--accept", *SIGNED, status=2)
    run(office, "review", "1", "--no-submission", *SIGNED)
    office.round()
    assert office.outcomes() == ["ignored"]
    assert kinds(office) == ["已收到，待人工核对"]
    assert office.export()["organizations"] == []
    assert "nothing waits" in run(office, "review")


@on_sqlite
def test_a_mail_that_was_no_submission_is_one_after_all_where_a_person_says_whose(
    registered: Office,
) -> None:
    from_a_stranger(registered)
    run(registered, "review", "1", "--no-submission", *SIGNED)
    assert registered.outcomes() == ["ignored"]
    said = run(registered, "review", "1", "--organization", OTHER, *SIGNED)
    assert f"acknowledged, {OTHER}" in said
    registered.round()
    assert kinds(registered) == ["已收到，待人工核对", "接收回执"]
    assert status_of(registered, OTHER) == "complete"
    rebuilt_the_same(registered)
    run(registered, "review", "1", "--no-submission", *SIGNED)
    assert (registered.outcomes(), status_of(registered, OTHER)) == (["ignored"], "not_received")


def test_a_mail_in_junk_that_a_person_vouches_for_is_answered(office: Office) -> None:
    octets = mail(papers())
    office.deliver(octets, folder="Junk")
    office.round()
    assert office.sent == ()
    assert status_of(office, KNOWN) == "review"
    run(office, "review", "1", "--accept", *SIGNED)
    office.round()
    assert kinds(office) == ["接收回执"]
    assert status_of(office, KNOWN) == "complete"
    office.deliver(octets, IN_TIME + timedelta(days=1))
    office.round()
    assert sorted(office.outcomes()) == ["acknowledged", "ignored"]
    assert len(office.sent) == 1


def test_what_waited_only_for_an_earlier_mail_goes_on_with_it(registered: Office) -> None:
    whole = papers(STRANGER)
    sender = "new@yuncen.example.com"
    registered.deliver(mail({"自评表.xlsx": whole.pop("自评表.xlsx")}, sender=sender), IN_TIME)
    registered.deliver(
        mail(whole, sender=sender, message_id="<2@yuncen.example.com>"), IN_TIME + timedelta(hours=1)
    )
    registered.round()
    assert registered.outcomes() == ["review", "review"]
    run(registered, "review", "1", "--organization", OTHER, *SIGNED)
    run(registered, "review", "2", "--organization", OTHER, *SIGNED)
    registered.round()
    assert status_of(registered, OTHER) == "complete"
    assert registered.outcomes()[1] == "acknowledged"
    assert set(registered.sent_ids().values()) == {1}


def test_moving_a_mail_takes_it_from_the_organization_that_had_it(registered: Office) -> None:
    registered.deliver(mail(papers(KNOWN)))
    registered.round()
    assert status_of(registered, KNOWN) == "complete"
    run(registered, "review", "1", "--organization", OTHER, *SIGNED)
    assert status_of(registered, KNOWN) == "not_received"
    assert status_of(registered, OTHER) == "complete"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("99", "--accept", *SIGNED), "there is no message 99"),
        (("1", "--accept"), "--by WHO --why TEXT"),
        (("1", *SIGNED), "say what is to be done"),
        (
            ("1", "--accept", "--no-submission", *SIGNED),
            "only one of --accept, --correct and --no-submission",
        ),
        (("1", "--organization", "浙江省没有学会", *SIGNED), "no organization"),
        (("--accept", *SIGNED), "of which message"),
        (("1", "--correct", "  ", *SIGNED), "wants a sentence"),
        (("--reply", "1", "--send", *SIGNED), "not among those that wait"),
        (("--reply", "1", *SIGNED), "--send or --drop"),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(
    registered: Office, arguments: tuple[str, ...], reason: str
) -> None:
    from_a_stranger(registered)
    before = ledger(registered)
    assert reason in run(registered, "review", *arguments, status=2)
    assert ledger(registered) == before


def test_a_robots_mail_is_left_alone(office: Office) -> None:
    office.deliver(mail({}, headers={"Auto-Submitted": "auto-replied"}))
    office.round()
    assert "waits for nobody" in run(office, "review", "1", "--accept", *SIGNED, status=2)


def test_papers_under_a_robots_sign_are_shown_and_taken_in_by_a_person(registered: Office) -> None:
    registered.deliver(mail(papers(KNOWN), headers={"Auto-Submitted": "auto-generated"}))
    registered.round()
    assert registered.outcomes() == ["ignored"]
    shown = digest(registered)
    assert "有1封未处理的邮件带有附件，请看是否漏收" in shown
    assert "来件编号1，文件：自评表.xlsx（自评表）、工作总结.docx（工作总结）" in shown
    assert "message.automatic" in run(registered, "review")
    said = run(registered, "review", "1", "--organization", KNOWN, *SIGNED)
    assert "acknowledged" in said
    registered.round()
    assert registered.sent == ()
    assert status_of(registered, KNOWN) == "complete"
    assert registered.codes() == {"message.automatic"}
    assert "message.automatic" not in run(registered, "review")
    assert "请看是否漏收" not in digest(registered)


def test_papers_that_the_office_hands_on_itself_are_shown_and_its_letters_are_not(
    registered: Office,
) -> None:
    registered.deliver(mail(papers(KNOWN), sender=ADDRESSES["enterprises"], subject="代云岭学会报送"))
    letter = mail(
        papers(KNOWN), sender=ADDRESSES["societies"], message_id=f"<mailbot.{'0' * 32}@example.org>"
    )
    registered.deliver(letter)
    registered.round()
    assert "有1封未处理的邮件带有附件，请看是否漏收" in digest(registered)
    assert "代云岭学会报送" in run(registered, "review")
    run(registered, "review", "1", "--organization", KNOWN, *SIGNED)
    registered.round()
    assert (status_of(registered, KNOWN), registered.sent) == ("complete", ())
    assert "请看是否漏收" not in digest(registered)


def test_the_staffs_answer_to_a_digest_is_answered_by_nobody_and_its_files_are_shown(
    registered: Office,
) -> None:
    registered.deliver(mail(papers(KNOWN)))
    registered.round()
    with registered.opened() as app:
        reports = Reports(app)
        reports.digest(send=True)
        book = app.staff.workbook(app.clock())
    theirs = str(email.message_from_bytes(registered.sent[-1].octets)["Message-ID"])
    thread = {"In-Reply-To": theirs, "References": theirs}
    before = len(registered.sent)
    for number, files in enumerate(({}, {"2020汇总表.xlsx": book}), 2):
        answer = mail(
            files,
            sender="staff@example.org",
            subject="回复：【收件日报】",
            body="收到，已填好。",
            message_id=f"<{number}@staff>",
            headers=thread,
        )
        registered.deliver(answer, IN_TIME + timedelta(minutes=number))
    registered.round()
    assert registered.outcomes() == ["acknowledged", "ignored", "ignored"]
    assert len(registered.sent) == before
    assert "2020汇总表.xlsx" in run(registered, "review")
    assert "有1封未处理的邮件带有附件" in digest(registered)


def test_a_summary_workbook_of_ours_is_no_paper_and_tells_nothing_of_its_sender(registered: Office) -> None:
    registered.deliver(mail(papers(KNOWN)))
    registered.round()
    with registered.opened() as app:
        book = app.staff.workbook(app.clock())
    sent = mail({"2020汇总表.xlsx": book}, sender="staff@example.org", message_id="<2@staff>")
    registered.deliver(sent, IN_TIME + timedelta(minutes=1))
    registered.round()
    message = registered.export()["messages"][1]
    assert message["organization"] is None
    assert [d["role"] for d in message["documents"]] == ["other"]


def test_a_robots_mail_that_is_no_submission_is_shown_no_longer(registered: Office) -> None:
    registered.deliver(mail({"通讯.pdf": b"%PDF-1.4 news"}, headers={"List-Id": "<news.example.com>"}))
    letter = mail(
        {"自评表.xlsx": form()}, sender=ADDRESSES["societies"], message_id="<mailbot.1@example.org>"
    )
    registered.deliver(letter)
    registered.round()
    assert "有1封未处理的邮件带有附件" in digest(registered)
    run(registered, "review", "1", "--no-submission", *SIGNED)
    assert "未处理的邮件带有附件" not in digest(registered)
    assert "nothing waits" in run(registered, "review")
    assert registered.sent == ()


@on_sqlite
def test_a_held_correction_that_was_mended_since_is_named_as_that(office: Office) -> None:
    office.configure(replies="max_per_sender_per_day = 1\nmin_interval_seconds = 0")
    office.deliver(mail(papers()), IN_TIME)
    faulty = mail({"自评表.xlsx": form(scores={8: ""})}, message_id="<2@yunling.example.com>")
    office.deliver(faulty, IN_TIME + timedelta(minutes=1))
    office.round()
    said = "该单位其后来件已齐全"
    assert said not in run(office, "review") + digest(office)
    mended = mail({"自评表.xlsx": form()}, message_id="<3@yunling.example.com>")
    office.deliver(mended, IN_TIME + timedelta(minutes=2))
    office.round()
    for shown in (run(office, "review"), digest(office)):
        assert shown.count(said) == 1


@on_sqlite
@pytest.mark.parametrize(("choice", "state", "letters_sent"), [("--send", "sent", 2), ("--drop", "held", 1)])
def test_a_held_reply_goes_or_is_dropped_as_a_person_says(
    office: Office, choice: str, state: str, letters_sent: int
) -> None:
    office.configure(replies="max_per_sender_per_day = 1\nmin_interval_seconds = 0")
    office.deliver(mail(papers(scores={8: ""})), IN_TIME)
    office.deliver(mail(papers(), message_id="<2@yunling.example.com>"), IN_TIME + timedelta(minutes=1))
    office.round()
    assert "held" in run(office, "review")
    assert "1封答复未能发出" in digest(office)
    assert "发往该邮箱、该单位或一小时内的答复已达上限" in digest(office)
    run(office, "review", "--reply", "2", choice, *SIGNED)
    assert "not among those" in run(office, "review", "--reply", "2", choice, *SIGNED, status=2)
    office.round()
    office.round()
    reply = office.export()["messages"][1]["replies"][0]
    assert (reply["state"], reply["dropped"]) == (
        state,
        None if choice == "--send" else "章伟：电话核实",
    )
    assert len(office.sent) == letters_sent
    assert "nothing waits" in run(office, "review")
    assert "答复未能发出" not in digest(office)
    before = office.export()
    assert "all of it holds" in run(office, "verify")
    run(office, "rebuild")
    assert "all of it holds" in run(office, "verify")
    assert office.export() == before


@on_sqlite
@pytest.mark.parametrize("refused", [False, True])
def test_a_correction_that_is_let_go_after_the_deadline_does_not_ask_for_it_before(
    office: Office, refused: bool
) -> None:
    """Held by a limit, or refused by the server: in both cases it has not left."""
    office.configure(replies=f"max_per_hour = {2 if refused else 1}\nmin_interval_seconds = 0")
    office.deliver(mail(papers()), IN_TIME)
    faulty = mail(papers(OTHER, scores={8: ""}), sender="a@haitang.example.com", message_id="<2@x>")
    office.deliver(faulty, IN_TIME + timedelta(minutes=1))
    with App.open(load(office.config_path), clock=lambda: DEADLINE - timedelta(minutes=20)) as app:
        if refused:
            office.smtp.refuse("RCPT", "550 5.7.1 not now", times=2)
        app.run(once=True)
        (stuck,) = app.store.replies_in(ReplyState.HELD, ReplyState.FAILED)[-1:]
        number, before = stuck.id, len(office.sent)
    run(office, "review", "--reply", str(number), "--send", *SIGNED)
    office.round()
    assert len(office.sent) == before + 1
    assert "截止时间2021年1月15日17:30已过，请尽快补正" in body(office)
    assert "距截止还有" not in body(office)
    reply = office.export()["messages"][1]["replies"][0]
    assert (reply["state"], reply["message_id"]) == ("sent", stuck.message_id)
    assert "all of it holds" in run(office, "verify")


def test_a_correction_whose_mail_is_gone_from_the_archive_is_not_written_anew(office: Office) -> None:
    office.configure(replies="max_per_sender_per_day = 1\nmin_interval_seconds = 0")
    office.deliver(mail(papers()), IN_TIME)
    second = mail(papers(scores={8: ""}), message_id="<2@yunling.example.com>")
    office.deliver(second, IN_TIME + timedelta(minutes=1))
    office.round()
    gone = office.directory / "storage" / "archive" / f"{office.export()['messages'][1]['sha256']}.eml"
    gone.unlink()
    for wanted in (("--reply", "2", "--send"), ("2", "--correct", "请补充")):
        said = run(office, "review", *wanted, *SIGNED, status=1).replace("\n", "")
        assert f"the mail itself is not there any more: {gone}" in said
    run(office, "review", "--reply", "2", "--drop", *SIGNED)


def test_a_letter_on_a_decision_that_a_person_has_changed_does_not_leave_any_more(registered: Office) -> None:
    registered.configure(
        replies="max_per_hour = 1\nmin_interval_seconds = 0", top='organizations = "organizations.csv"'
    )
    registered.deliver(mail(papers(KNOWN)), IN_TIME)
    registered.deliver(
        mail(papers(STRANGER), sender="new@yuncen.example.com", message_id="<2@yuncen.example.com>"),
        IN_TIME + timedelta(minutes=1),
    )
    registered.round()
    assert registered.export()["messages"][1]["replies"][0]["state"] == "held"
    run(registered, "review", "2", "--accept", *SIGNED)
    registered.round()
    states = {r["kind"]: (r["state"], r["dropped"]) for r in registered.export()["messages"][1]["replies"]}
    assert states == {"receipt": ("held", "superseded"), "acknowledgement": ("sent", None)}


def test_a_draft_that_a_person_has_sent_is_sent(office: Office) -> None:
    office.configure(replies='mode = "draft"\nmin_interval_seconds = 0')
    office.deliver(mail(papers()))
    office.deliver(mail(papers(), message_id="<2@yunling.example.com>"), IN_TIME + timedelta(minutes=1))
    office.round()
    first, _second = office.imap.mails(ADDRESSES["societies"], "Drafts")
    renamed = email.message_from_bytes(first.octets)
    del renamed["Message-ID"]
    renamed["Message-ID"] = "<given-by-the-web-mail@example.org>"
    office.imap.deliver(ADDRESSES["societies"], renamed.as_bytes(), IN_TIME, "Sent Messages")
    office.round()
    assert [m["replies"][0]["state"] for m in office.export()["messages"]] == ["sent", "drafted"]
    assert len(office.imap.mails(ADDRESSES["societies"], "Drafts")) == 2


def test_paper_is_noted_also_of_who_has_not_written(registered: Office) -> None:
    run(registered, "paper", OTHER, "--received", "2021-01-18", "--sealed")
    with registered.opened() as app:
        record = app.organization(OTHER)
    assert (str(record.paper_received), record.paper_sealed, record.status) == (
        "2021-01-18",
        True,
        "not_received",
    )
    assert "no organization" in run(
        registered, "paper", "浙江省没有学会", "--received", "2021-01-18", status=2
    )
    assert ("noted", "2021-01-18") in [(k, said.get("paper_received")) for k, said in ledger(registered)]
    registered.deliver(mail(papers(OTHER), sender="x@haitang.example.com"))
    registered.round()
    with registered.opened() as app:
        assert app.organization(OTHER).paper_sealed is True


class Returned:
    """The 汇总表 as staff fill it in."""

    def __init__(self, office: Office) -> None:
        self.path = office.directory / "汇总表.xlsx"
        run(office, "export", "--format", "xlsx", "--output", str(self.path))
        self.book = load_workbook(self.path)
        self.sheet = self.book["汇总表"]
        self._at = {cell.value: cell.column for cell in self.sheet[1]}

    def fill(self, name: str, head: str, value: object) -> str:
        """Fill in one cell; returns where it is."""
        rows = {self.sheet.cell(n, self._at["单位名称"]).value: n for n in range(2, self.sheet.max_row + 1)}
        cell = self.sheet.cell(rows[name], self._at[head])
        cell.value = value
        return f"汇总表!{cell.coordinate}"

    def save(self) -> str:
        self.book.save(self.path)
        return str(self.path)


def test_what_staff_fill_in_the_workbook_is_shown_and_then_taken_back(registered: Office) -> None:
    run(registered, "paper", KNOWN, "--received", "2021-01-16", "--sealed")
    table = Returned(registered)
    table.fill(KNOWN, "考核分", 92.5)
    table.fill(KNOWN, "备注", "党建材料齐；纸质件已盖章；联系人已更换")
    table.fill(OTHER, "纸质件", "2021年1月18日（未盖章）")
    path = table.save()
    shown = run(registered, "import", path)
    assert f"{KNOWN}  备注: （空） → 党建材料齐；联系人已更换; 考核分: （空） → 92.5" in shown
    assert "--yes keeps them" in shown
    with registered.opened() as app:
        assert app.organization(KNOWN).staff_points is None
    assert "2 organizations change, 0 mails are decided; kept" in run(registered, "import", path, "--yes")
    with registered.opened() as app:
        known, other = app.organization(KNOWN), app.organization(OTHER)
    assert (str(known.staff_points), known.note) == ("92.5", "党建材料齐；联系人已更换")
    assert (str(other.paper_received), other.paper_sealed) == ("2021-01-18", False)
    assert run(registered, "import", path).strip() == "nothing changes"


def test_the_workbook_as_it_was_exported_changes_nothing(registered: Office) -> None:
    registered.deliver(mail({"自评表.xlsx": form()}), IN_TIME)
    registered.deliver(mail(papers(), message_id="<2@yunling.example.com>"), IN_TIME + timedelta(days=3))
    registered.round()
    run(registered, "paper", KNOWN, "--received", "2021-01-16")
    table = Returned(registered)
    table.fill(KNOWN, "考核分", 88)
    run(registered, "import", table.save(), "--yes")
    again = Returned(registered)
    assert "按时收到第1版" in str([cell.value for cell in again.sheet[2]])
    assert run(registered, "import", again.save()).strip() == "nothing changes"


def test_every_mismatch_is_named_at_once_with_its_cell_and_nothing_is_kept(registered: Office) -> None:
    table = Returned(registered)
    over = table.fill(KNOWN, "考核分", 101)
    table.fill(KNOWN, "备注", "好")
    text = table.fill(OTHER, "考核分", "优秀")
    day = table.fill(OTHER, "纸质件", "已收到")
    stranger = table.fill(OTHER, "单位名称", "浙江省没有学会")
    before = ledger(registered)
    said = run(registered, "import", table.save(), "--yes", status=2)
    for cell, reason in (
        (over, "over the 100 points"),
        (text, "no number"),
        (day, "no date"),
        (stranger, "no organization"),
    ):
        assert any(cell in line and reason in line for line in said.splitlines()), (cell, said)
    assert ledger(registered) == before


def test_doubled_rows_formulas_and_dates_as_text_are_named_or_taken(registered: Office) -> None:
    table = Returned(registered)
    name = table.fill(OTHER, "单位名称", KNOWN)
    formula = table.fill(KNOWN, "考核分", "=40+50")
    day = table.fill(KNOWN, "纸质件", "2021-02-30")
    said = run(registered, "import", table.save(), "--yes", status=2)
    for cell, reason in (
        (name, f"{KNOWN} stands in B"),
        (formula, "考核分: the formula '=40+50' without its value"),
        (day, "纸质件: '2021-02-30' is no date"),
    ):
        assert any(cell in line and reason in line for line in said.splitlines()), (cell, said)
    table = Returned(registered)
    table.fill(KNOWN, "纸质件", "2021.1.18")
    table.fill(OTHER, "纸质件", 44214)
    assert "'44214' is no date (2021-01-18, with" in run(registered, "import", table.save(), status=2)
    table.fill(OTHER, "纸质件", None)
    assert f"{KNOWN}  纸质件: （空） → 2021-01-18" in run(registered, "import", table.save())


def test_a_workbook_of_before_two_organizations_were_merged_is_taken_unless_it_contradicts_itself(
    registered: Office,
) -> None:
    returned = Returned(registered)
    returned.fill(OTHER, "考核分", 88)
    returned.fill(KNOWN, "备注", "已合并")
    path = returned.save()
    merged = f"name,track,aliases,emails\n{KNOWN},society,{OTHER},office@yunling.example.com\n"
    (registered.directory / "organizations.csv").write_text(merged, encoding="utf-8")
    said = run(registered, "import", path, "--yes")
    assert "考核分: （空） → 88" in said
    assert "1 organizations change" in said
    record = registered.export()
    assert [o["name"] for o in record["organizations"]] == [KNOWN]
    returned.fill(KNOWN, "考核分", 90)
    said = run(registered, "import", returned.save(), "--yes", status=2)
    assert f"汇总表!B3: is {KNOWN} now, and another row of it has another 考核分: leave one" in said


def test_another_workbook_or_another_campaigns_is_refused(registered: Office, tmp_path: Path) -> None:
    table = Returned(registered)
    table.sheet.oddHeader.center.text = "2019年度省级学会和省属企业科协工作总结汇总表 · 汇总表"
    assert "another campaign" in run(registered, "import", table.save(), status=2)
    path = tmp_path / "自评表.xlsx"
    path.write_bytes(form())
    assert "no sheet 汇总表" in run(registered, "import", str(path), status=2)
    path.write_bytes(io.BytesIO(b"PK\x03\x04 no workbook").getvalue())
    assert "no xlsx workbook" in run(registered, "import", str(path), status=2)
    assert "cannot be read" in run(registered, "import", str(tmp_path / "none.xlsx"), status=2)
    saved_by_wps = path.rename(tmp_path / "汇总表.et")
    said = run(registered, "import", str(saved_by_wps), status=2).replace("\n", " ")
    assert "save it as .xlsx" in said
    table = Returned(registered)
    table.sheet.delete_cols(table._at["差额"])
    assert "column 差额 is missing" in run(registered, "import", table.save(), status=2)
    table = Returned(registered)
    table.sheet.cell(1, table._at["考核分"]).value = "考核得分"
    said = run(registered, "import", table.save(), status=2)
    head = f"汇总表!{table.sheet.cell(1, table._at['考核分']).coordinate}"
    assert "汇总表!1: the column 考核分 is missing" in said
    assert f"{head}: '考核得分' is no column of it" in said


def test_while_a_worker_is_running_the_worker_carries_the_decision_out(registered: Office) -> None:
    from_a_stranger(registered)
    with only_worker(registered.directory / "storage"):
        assert "decides it anew" in run(registered, "review", "1", "--accept", *SIGNED)
        assert registered.outcomes() == ["review"]
    registered.round()
    assert registered.outcomes() == ["acknowledged"]
    assert kinds(registered)[-1] == "接收回执"


def test_of_two_doubtful_forms_the_settled_one_waits_no_longer(registered: Office) -> None:
    for number in (1, 2):
        octets = mail(
            papers(STRANGER, scores={1: str(number)}),
            sender="new@yuncen.example.com",
            message_id=f"<{number}@yuncen.example.com>",
        )
        registered.deliver(octets, IN_TIME + timedelta(minutes=number))
    registered.round()
    run(registered, "review", "1", "--accept", *SIGNED)
    listed = digest(registered)
    assert "1封来件待核对" in listed
    run(registered, "review", "2", "--accept", *SIGNED)
    registered.round()
    assert registered.outcomes() == ["acknowledged", "acknowledged"]
    assert kinds(registered).count("接收回执") == 1
    assert "nothing waits" in run(registered, "review")
