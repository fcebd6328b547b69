"""Rounds of the whole program over real servers: what comes in, what goes out, and what never happens."""

from __future__ import annotations

import email
import io
import time
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from email.header import decode_header, make_header
from email.policy import default

import pytest
from PIL import Image
from typer.testing import CliRunner

from mailbot.app import App
from mailbot.cli import app as commands
from mailbot.config import load
from mailbot.demo.servers import SentMail
from mailbot.mail.imap import FolderState, ImapMailbox
from mailbot.reports import Reports
from mailbot.settle import Step
from mailbot.watcher import Watcher
from tests.conftest import ROOT, require_extra_ocr
from tests.databases import on_sqlite
from tests.e2e.office import (
    ADDRESSES,
    DEADLINE,
    IN_TIME,
    WRITES,
    Office,
    form,
    mail,
    papers,
    run,
    text_document,
)
from tests.unit.documents.samples import zipped


def subjects(office: Office) -> list[str]:
    return [
        str(make_header(decode_header(email.message_from_bytes(m.octets)["Subject"]))) for m in office.sent
    ]


def text_of(sent: SentMail) -> str:
    message = email.message_from_bytes(sent.octets, policy=default)
    return str(message.get_body(("plain",)).get_content())  # type: ignore[attr-defined]


def test_a_whole_submission_is_acknowledged_once_and_the_mailbox_left_as_it_was(office: Office) -> None:
    office.deliver(mail(papers()))
    before = office.imap.mails(ADDRESSES["societies"])
    assert office.round()
    assert office.outcomes() == ["acknowledged"]
    assert [m.to for m in office.sent] == [("office@yunling.example.com",)]
    assert subjects(office)[0].startswith("【接收回执】")
    assert office.imap.mails(ADDRESSES["societies"]) == before


def test_the_second_round_over_an_unchanged_mailbox_writes_and_sends_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.deliver(mail(papers()))
    office.deliver(mail(papers(scores={8: ""}), message_id="<2@yunling.example.com>"))
    office.round()
    sent = office.sent

    def explode(*args: object, **kwargs: object) -> None:
        raise AssertionError("a write in a round that has nothing to write")

    for owner, name in WRITES:
        monkeypatch.setattr(owner, name, explode)
    assert office.round()
    assert office.sent == sent


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Shanghai"])
@pytest.mark.parametrize(("seconds", "on_time"), [(0, True), (1, False)])
def test_the_deadline_whatever_the_clocks_of_host_server_and_sender_say(
    office: Office, monkeypatch: pytest.MonkeyPatch, zone: str, seconds: int, on_time: bool
) -> None:
    monkeypatch.setenv("TZ", zone)
    arrived = (DEADLINE + timedelta(seconds=seconds)).astimezone(timezone(timedelta(hours=-5)))
    sender_says = datetime(2021, 1, 1, tzinfo=UTC) if not on_time else datetime(2021, 2, 1, tzinfo=UTC)
    office.deliver(mail(papers(), date=sender_says), arrived)
    office.round()
    message = office.export()["messages"][0]
    assert message["received_at"] == f"2021-01-15T17:30:0{seconds}+08:00"
    assert message["on_time"] is on_time
    assert ("delivery.late" in office.codes()) is not on_time
    assert message["outcome"] == "acknowledged"


def test_parts_in_several_mails_add_up_and_each_is_answered(office: Office) -> None:
    whole = papers()
    office.deliver(mail({"自评表.xlsx": whole["自评表.xlsx"]}), IN_TIME)
    rest = {name: data for name, data in whole.items() if name != "自评表.xlsx"}
    office.deliver(mail(rest, message_id="<2@yunling.example.com>"), IN_TIME + timedelta(hours=1))
    office.round()
    assert office.outcomes() == ["correction", "acknowledged"]
    organization = office.export()["organizations"][0]
    assert (organization["status"], organization["total"]) == ("complete", 100)
    assert organization["completed_at"] == "2021-01-14T10:12:03+08:00"


def test_mails_of_one_organization_in_one_round_are_each_decided_once(office: Office) -> None:
    whole = papers()
    for number in range(5):
        office.deliver(
            mail(whole, message_id=f"<{number}@yunling.example.com>", body=f"第{number}稿，请查收。")
        )
    steps: Counter[Step] = Counter()
    with office.opened() as app:
        app.observe = lambda step, _message: steps.update([step])
        app.run(once=True)
    assert steps == dict.fromkeys(Step, 5)


@pytest.mark.parametrize(
    ("files", "body"),
    [({"自评表.xlsx": form()}, "材料见附件"), ({}, "浙江省云岭学会"), ({}, "报送单位：浙江省云岭学会")],
)
def test_what_came_before_its_sender_named_the_organization_counts_once_he_has(
    office: Office, files: dict[str, bytes], body: str
) -> None:
    nameless = {
        "自评表.xlsx": form("　"),
        "总结.docx": text_document("2020年工作总结", ""),
        "计划.docx": text_document("2021年工作计划", ""),
    }
    stranger, other = "xiaowang@example.com", "else@example.com"
    office.deliver(mail(nameless, sender=stranger, subject="材料", message_id="<n1@x>"), IN_TIME)
    office.deliver(mail(nameless, sender=other, subject="材料", message_id="<n2@x>"), IN_TIME)
    office.round()
    assert office.outcomes() == ["correction", "correction"]
    named = mail(files, body=body, sender=stranger, subject="Re: 材料", message_id="<n3@x>")
    office.deliver(named, IN_TIME + timedelta(hours=1))
    office.round()
    first, second, third = office.export()["messages"]
    assert (third["outcome"], third["organization"]) == ("acknowledged", "浙江省云岭学会")
    assert (first["organization"], second["organization"]) == ("浙江省云岭学会", None)
    (organization,) = office.export()["organizations"]
    assert (organization["status"], organization["versions"]) == ("complete", 2)
    assert "总结.docx（2021年1月14日9:12收到）" in text_of(office.sent[-1])
    with office.opened() as app:
        assert [m.sender for m in app.store.nameless()] == [other]
    assert CliRunner().invoke(commands, ["verify", "--config", str(office.config_path)]).exit_code == 0


def test_the_faults_of_a_form_are_told_once_its_society_is_named_to_the_other_mailbox(office: Office) -> None:
    """An enterprise owes no form: its faults were passed over while nobody knew that it is a society's."""
    nameless = {
        "自评表.xlsx": form("　", scores={8: "9"}),
        "总结.docx": text_document("2020年工作总结", ""),
        "计划.docx": text_document("2021年工作计划", ""),
    }
    told = {"sender": "xiaowang@example.com", "subject": "材料"}
    office.deliver(mail(nameless, message_id="<n1@x>", **told), IN_TIME, mailbox="enterprises")
    office.round()
    assert office.codes() == {"organization.missing"}
    named = mail({}, body="浙江省云岭学会", message_id="<n2@x>", **told)
    office.deliver(named, IN_TIME + timedelta(hours=1), mailbox="enterprises")
    office.round()
    assert office.outcomes() == ["correction", "correction"]
    assert "score.over_max" in office.codes(1)
    assert "第8项" in text_of(office.sent[-1])


def test_a_question_with_the_name_is_for_a_person_and_takes_nothing_in(office: Office) -> None:
    nameless = {"自评表.xlsx": form("　")}
    office.deliver(
        mail(nameless, sender="xiaowang@example.com", subject="材料", message_id="<n1@x>"), IN_TIME
    )
    asked = "请问材料收到了吗？\n浙江省云岭学会"
    office.deliver(mail({}, body=asked, sender="xiaowang@example.com", message_id="<n2@x>"), IN_TIME)
    office.round()
    assert office.outcomes() == ["correction", "review"]
    assert office.export()["messages"][0]["organization"] is None


def test_who_answers_with_the_name_in_the_body_is_known_by_it(office: Office) -> None:
    nameless = {
        "总结.docx": text_document("2020年工作总结", ""),
        "计划.docx": text_document("2021年工作计划", ""),
    }
    sender = "xiaowang@example.com"
    first = mail({"总结.docx": nameless["总结.docx"]}, sender=sender, subject="材料", message_id="<n1@x>")
    office.deliver(first, IN_TIME, mailbox="enterprises")
    office.round()
    assert "organization.missing" in office.codes()
    body = "报送单位：浙江省能源集团科协\n附件为计划。\n\n-----原始邮件-----\n报送单位：浙江省交通集团科协"
    rest = {"计划.docx": nameless["计划.docx"]}
    office.deliver(
        mail(rest, sender=sender, subject="Re: 材料", body=body, message_id="<n2@x>"),
        IN_TIME + timedelta(hours=1),
        mailbox="enterprises",
    )
    office.round()
    assert office.outcomes() == ["correction", "acknowledged"]
    assert {m["organization"] for m in office.export()["messages"]} == {"浙江省能源集团科协"}


def test_a_folder_in_an_archive_names_the_organization_unless_it_is_one_of_evidence(office: Office) -> None:
    archive = zipped(
        {
            "浙江省能源集团科协/总结.docx": text_document("2020年工作总结", ""),
            "浙江省能源集团科协/计划.docx": text_document("2021年工作计划", ""),
            "浙江省海塘学会/获奖证书.docx": text_document("荣誉证书", ""),
        }
    )
    office.deliver(mail({"材料.zip": archive}, subject="材料"), mailbox="enterprises")
    office.round()
    (message,) = office.export()["messages"]
    assert (message["outcome"], message["organization"]) == ("acknowledged", "浙江省能源集团科协")


def test_who_sends_for_two_organizations_is_asked_for_the_name_alone(office: Office) -> None:
    both = "joint@example.com"
    (office.directory / "organizations.csv").write_text(
        f"name,track,aliases,emails\n浙江省云岭学会,society,,{both}\n浙江省海塘学会,society,,{both}\n"
    )
    office.configure(top='organizations = "organizations.csv"')
    whole = papers()
    plan = text_document("2021年工作计划", "")
    del whole["工作计划.docx"]
    office.deliver(mail(whole, sender=both, message_id="<n1@x>"), IN_TIME)
    nameless = mail({"工作计划.docx": plan}, sender=both, subject="补充", message_id="<n2@x>")
    office.deliver(nameless, IN_TIME + timedelta(hours=1))
    other = papers("浙江省海塘学会")
    del other["工作计划.docx"]
    office.deliver(
        mail(other, sender=both, subject="海塘", message_id="<n3@x>"), IN_TIME + timedelta(hours=2)
    )
    office.round()
    assert office.outcomes() == ["correction", "correction", "correction"]
    assert [m["organization"] for m in office.export()["messages"]] == [
        "浙江省云岭学会",
        None,
        "浙江省海塘学会",
    ]
    said = text_of(office.sent[1])
    assert "未能从来件中看出报送单位" in said
    assert "尚缺" not in said
    answered = email.message_from_bytes(office.sent[0].octets)["Message-ID"]
    reply = mail(
        {"工作计划.docx": plan},
        sender=both,
        subject="Re: 补充",
        message_id="<n4@x>",
        headers={"In-Reply-To": str(answered)},
    )
    office.deliver(reply, IN_TIME + timedelta(hours=3))
    office.round()
    last = office.export()["messages"][3]
    assert (last["outcome"], last["organization"]) == ("acknowledged", "浙江省云岭学会")


def test_without_a_registry_a_sender_s_other_spelling_adds_to_the_same_submission(office: Office) -> None:
    whole = papers("浙江省云岭学会")
    del whole["工作计划.docx"]
    office.deliver(mail(whole), IN_TIME)
    plan = {"工作计划.docx": text_document("2021年工作计划", "浙江云岭学会")}
    office.deliver(mail(plan, message_id="<2@yunling.example.com>"), IN_TIME + timedelta(hours=1))
    stranger = mail(plan, sender="else@example.com", message_id="<3@example.com>")
    office.deliver(stranger, IN_TIME + timedelta(hours=2))
    office.round()
    assert office.outcomes() == ["correction", "acknowledged", "correction"]
    names = [m["organization"] for m in office.export()["messages"]]
    assert names == ["浙江省云岭学会", "浙江省云岭学会", "浙江云岭学会"]


def test_papers_of_another_registered_organization_replace_nothing_and_a_person_is_asked(
    office: Office,
) -> None:
    (office.directory / "organizations.csv").write_text(
        "name,track,aliases,emails\n浙江省云岭学会,society,,office@yunling.example.com\n浙江省海塘学会,society,,\n"
    )
    office.configure(top='organizations = "organizations.csv"')
    office.deliver(mail(papers()), IN_TIME)
    others = {
        "工作总结.docx": text_document("2020年工作总结", "浙江省海塘学会"),
        "工作计划.docx": text_document("2021年工作计划", "浙江省海塘学会"),
    }
    office.deliver(mail(others, message_id="<2@yunling.example.com>"), IN_TIME + timedelta(hours=1))
    office.deliver(
        mail({"自评表.xlsx": form(), **others}, sender="else@example.com", message_id="<3@example.com>"),
        IN_TIME + timedelta(hours=2),
    )
    office.round()
    assert office.outcomes() == ["acknowledged", "review", "review"]
    assert "organization.mismatch" in office.codes(1) & office.codes(2)
    said = office.export()["messages"][1]["findings"][0]["detail"]
    assert said.startswith("文件“工作总结.docx”的标题写的是“浙江省海塘学会”")
    assert office.export()["organizations"][0]["versions"] == 1


def test_a_letter_says_of_what_year_the_summary_is_and_which_photograph_says_nothing(office: Office) -> None:
    require_extra_ocr()
    noise = io.BytesIO()
    Image.effect_noise((900, 1200), 90).save(noise, "JPEG")
    files = {
        "微信图片.jpg": noise.getvalue(),
        "总结.docx": text_document("2019年工作总结", "浙江省云岭学会"),
        "计划.docx": text_document("2021年工作计划", "浙江省云岭学会"),
    }
    office.deliver(mail(files), IN_TIME)
    office.round()
    said = text_of(office.sent[0])
    assert "文件“总结.docx”是2019年度的，请报送2020年度工作总结。" in said
    assert "图片“微信图片.jpg”未能识读出内容；如系自评表、工作总结，" in said
    assert "总结.docx（2019年度工作总结）" in said


def test_staff_see_why_a_document_was_not_taken_while_it_lacks(office: Office) -> None:
    office.deliver(mail({**papers(), "工作总结.docx": b""}), IN_TIME)
    office.round()
    with office.opened() as app:
        made, _ = Reports(app).digest()
        (record,) = app.organizations()
    assert [f.code.value for f in record.unread] == ["document.empty"]
    assert "缺可读取的工作总结；文件“工作总结.docx”是空文件" in made.text
    office.deliver(mail(papers(), message_id="<2@yunling.example.com>"), IN_TIME + timedelta(hours=1))
    office.round()
    with office.opened() as app:
        assert app.organizations()[0].unread == ()


def test_the_same_mail_in_both_mailboxes_is_one(office: Office) -> None:
    octets = mail(papers())
    office.deliver(octets, IN_TIME + timedelta(seconds=5), mailbox="societies")
    office.deliver(b"Received: from elsewhere\r\n" + octets, IN_TIME, mailbox="enterprises")
    office.round()
    by_mailbox = {m["mailbox"]: m for m in office.export()["messages"]}
    assert by_mailbox["enterprises"]["outcome"] == "acknowledged"
    assert by_mailbox["societies"]["outcome"] == "ignored"
    assert len(office.sent) == 1


def test_two_different_mails_with_one_message_id_are_two(office: Office) -> None:
    """Programs that know a mail by its Message-ID alone lose the second."""
    for name in ("浙江省云岭学会", "浙江省海塘学会"):
        office.deliver(mail(papers(name), sender=f"office@{ord(name[3])}.example.com"))
    assert office.round()
    messages = office.export()["messages"]
    assert [m["organization"] for m in messages] == ["浙江省云岭学会", "浙江省海塘学会"]
    assert office.outcomes() == ["acknowledged", "acknowledged"]
    assert len(office.sent) == 2


@pytest.mark.parametrize("first", ADDRESSES)
def test_of_the_same_mail_in_both_mailboxes_the_copy_received_first_is_answered(
    office_on_sqlite: Office, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, look = office_on_sqlite, Watcher.round

    def slow_for_the_first(watcher: Watcher) -> bool:
        time.sleep(0.6 if watcher._mailbox.name == first else 0)
        return look(watcher)

    monkeypatch.setattr(Watcher, "round", slow_for_the_first)
    octets = mail(papers())
    for seconds, mailbox in enumerate(sorted(ADDRESSES, key=lambda name: name != first)):
        office.deliver(octets, IN_TIME + timedelta(seconds=seconds), mailbox=mailbox)
    office.round()
    kinds = {
        (m["mailbox"] == first): (m["outcome"], [r["kind"] for r in m["replies"]])
        for m in office.export()["messages"]
    }
    assert kinds == {True: ("acknowledged", ["acknowledgement"]), False: ("ignored", [])}


def test_a_copy_that_takes_the_place_of_an_answered_one_is_not_said_to_be_unanswered(office: Office) -> None:
    """One account was away: 已齐全（未回信） was told of the copy that counts, whose letter stands with the other."""
    octets = mail(papers())
    office.deliver(octets, IN_TIME + timedelta(minutes=10))
    office.round()
    office.deliver(octets, IN_TIME, mailbox="enterprises")
    office.round()
    assert (office.outcomes(), len(office.sent)) == (["ignored", "acknowledged"], 1)
    with office.opened() as app:
        told = Reports(app).digest()[0].text
    assert "浙江省云岭学会：新报送，已回执" in told
    assert "未回信" not in told


def test_no_copy_changes_the_receipt_time_of_a_mail_that_was_judged_by_it(office: Office) -> None:
    octets, late = mail(papers()), DEADLINE + timedelta(minutes=1)
    office.deliver(octets, late)
    office.round()
    for minutes in (-10, 10):
        office.deliver(octets, DEADLINE + timedelta(minutes=minutes))
        office.round()
    exported = office.export()
    assert [m["outcome"] for m in exported["messages"]] == ["acknowledged", "ignored", "ignored"]
    assert {m["received_at"] for m in exported["messages"]} == {late.isoformat()}
    assert [(o["on_time"], o["completed_at"]) for o in exported["organizations"]] == [
        (False, late.isoformat())
    ]
    assert len(office.sent) == 1


def test_a_correction_names_every_fault_and_the_mended_form_is_acknowledged(office: Office) -> None:
    faulty = papers(scores={8: "3", 11: "", 13: "很好"}, evidence={1: ""}, total="60")
    office.deliver(mail(faulty), IN_TIME)
    office.round()
    assert office.outcomes() == ["correction"]
    assert {"score.over_max", "score.missing", "score.not_a_number", "evidence.missing"} <= office.codes()
    office.deliver(
        mail({"自评表（修改）.xlsx": form()}, message_id="<2@yunling.example.com>"),
        IN_TIME + timedelta(hours=3),
    )
    office.round()
    assert office.outcomes() == ["correction", "acknowledged"]
    assert [s[: s.index("】") + 1] for s in subjects(office)] == ["【请补正】", "【接收回执】"]


def test_nobody_is_answered_who_should_not_be(office: Office) -> None:
    office.deliver(mail({}, headers={"Auto-Submitted": "auto-replied"}, message_id="<1@x.example.com>"))
    office.deliver(mail({}, subject="自动回复:材料", message_id="<2@x.example.com>"))
    office.deliver(
        mail(
            papers(),
            headers={"Authentication-Results": "mx.qq.com; dmarc=fail"},
            message_id="<3@x.example.com>",
        )
    )
    office.deliver(mail(papers(), message_id="<4@x.example.com>"), folder="Junk")
    office.deliver(mail(papers(), message_id="<5@x.example.com>"), datetime(2020, 12, 1, tzinfo=UTC))
    office.round()
    by_id = {m["message_id"]: m["outcome"] for m in office.export()["messages"]}
    assert [by_id[f"<{n}@x.example.com>"] for n in (1, 2, 3, 4, 5)] == [
        "ignored",
        "ignored",
        "review",
        "review",
        "ignored",
    ]
    assert office.sent == ()


def test_an_enterprise_owes_no_form(office: Office) -> None:
    both = {"总结和计划.docx": text_document("科协2020年工作总结和2021年工作计划", "浙江云岭集团")}
    office.deliver(mail(both, sender="kx@group.example.com"), mailbox="enterprises")
    office.round()
    assert office.outcomes() == ["acknowledged"]


def test_what_cannot_be_read_has_an_outcome_and_the_next_mail_is_taken(office: Office) -> None:
    office.deliver(b"", IN_TIME)
    office.deliver(b"\xff\xfe\x00nonsense\x00" * 100, IN_TIME + timedelta(seconds=1))
    office.deliver(
        mail({"自评表.xlsx": form()[:1000]}, message_id="<3@x.example.com>"), IN_TIME + timedelta(seconds=2)
    )
    office.deliver(
        mail({"照片.bin": bytes(30 * 2**20)}, message_id="<4@x.example.com>"), IN_TIME + timedelta(seconds=3)
    )
    office.deliver(mail(papers(), message_id="<5@x.example.com>"), IN_TIME + timedelta(seconds=4))
    office.round()
    outcomes = office.outcomes()
    assert len(outcomes) == 5
    assert None not in outcomes
    assert outcomes[-1] == "acknowledged"


def test_who_wrote_to_the_other_mailbox_is_told_where_his_own_paper_goes(office: Office) -> None:
    """An enterprise was told to post its paper to the societies' contact."""
    (office.directory / "organizations.csv").write_text(
        "name,track,aliases,emails\n浙江云岭集团科协,enterprise,,\n", encoding="utf-8"
    )
    office.configure(top='organizations = "organizations.csv"')
    before, _, after = office.config_path.read_text(encoding="utf-8").rpartition("章伟")
    other = f'{before}毛老师{after.rstrip()}\naddress = "2113室"\n'
    office.config_path.write_text(other, encoding="utf-8")
    both = {"总结和计划.docx": text_document("2020年工作总结和2021年工作计划", "浙江云岭集团科协")}
    office.deliver(mail(both, sender="kx@group.example.com"), mailbox="societies")
    office.round()
    (letter,) = office.sent
    assert "寄送至2113室，毛老师收" in text_of(letter)
    assert "联系人：毛老师" in text_of(letter)


def test_an_archive_is_called_one_beside_the_papers_that_it_held(office: Office) -> None:
    """It was 其他材料, which nobody had sent."""
    office.deliver(mail({"材料.zip": zipped(papers())}))
    office.round()
    (letter,) = office.sent
    lines = text_of(letter).splitlines()
    assert lines[lines.index("本次来件中的文件：") + 1] == "  · 材料.zip（压缩包）"


def test_a_dead_mailbox_does_not_hold_up_the_other(office: Office) -> None:
    text = office.config_path.read_text()
    port = f"port = {office.imap.port}"
    office.config_path.write_text(text.replace(port, "port = 1", 1))
    office.deliver(mail(papers()), mailbox="enterprises")
    assert not office.round()
    assert office.outcomes() == ["acknowledged"]


def test_drafts_are_laid_into_the_drafts_folder_and_nothing_is_sent(office: Office) -> None:
    office.configure(replies='mode = "draft"\nmin_interval_seconds = 0')
    office.deliver(mail(papers()))
    office.round()
    assert office.sent == ()
    assert len(office.imap.mails(ADDRESSES["societies"], "Drafts")) == 1
    assert office.export()["messages"][0]["replies"][0]["state"] == "drafted"


def test_over_the_senders_daily_limit_a_reply_is_held(office: Office) -> None:
    office.configure(replies="max_per_sender_per_day = 1\nmin_interval_seconds = 0")
    office.deliver(mail(papers(scores={8: ""})), IN_TIME)
    office.deliver(mail(papers(), message_id="<2@yunling.example.com>"), IN_TIME + timedelta(minutes=1))
    office.round()
    states = [m["replies"][0]["state"] for m in office.export()["messages"]]
    assert states == ["sent", "held"]
    assert len(office.sent) == 1


def test_another_uidvalidity_answers_nobody_again(office: Office) -> None:
    office.deliver(mail(papers()))
    office.round()
    office.imap.renew(ADDRESSES["societies"])
    office.round()
    assert office.outcomes() == ["acknowledged"]
    assert len(office.sent) == 1


def test_a_scan_that_our_limits_keep_from_being_read_brings_no_correction_letter(office: Office) -> None:
    require_extra_ocr()
    office.configure(more="[limits]\nparse_memory_mb = 256\nocr_memory_mb = 256")
    scan = (ROOT / "tests" / "forms" / "corpus" / "scan-a3.png").read_bytes()
    office.deliver(mail({"自评表.png": scan}))
    office.round()
    assert office.outcomes() == ["review"]
    assert "message.unprocessable" in office.codes()
    assert [subject[: subject.index("】") + 1] for subject in subjects(office)] == ["【已收到，待人工核对】"]


def test_the_digest_that_is_sent_is_the_one_that_is_shown(office: Office) -> None:
    office.deliver(mail(papers()))
    office.round()
    with office.opened() as app:
        made, _ = Reports(app).digest(send=True)
        later, _ = Reports(app).digest()
    sent = email.message_from_bytes(office.sent[-1].octets)
    text = next(part for part in sent.walk() if part.get_content_type() == "text/plain")
    assert text.get_payload(decode=True).decode().split() == made.text.split()
    assert "浙江省云岭学会" in made.text
    assert later.text != made.text


@on_sqlite
def test_what_is_committed_a_moment_after_a_digest_is_told_by_the_next(office: Office) -> None:
    """A decision is stamped when it is made, and shares its commit with others that are made later."""
    now = [IN_TIME + timedelta(hours=1)]
    office.deliver(mail(papers()))
    with App.open(load(office.config_path), clock=lambda: now[0]) as app:
        assert "新报送和更正（0）" in Reports(app).digest(send=True)[0].text
        now[0] -= timedelta(seconds=2)
        app.run(once=True)
        told = []
        for hour in (1, 2):
            now[0] = IN_TIME + timedelta(hours=1 + hour)
            told.append("新报送和更正（1）" in Reports(app).digest(send=True)[0].text)
        now[0] += timedelta(seconds=5)
        told.append("新报送和更正（1）" in Reports(app).digest(send=True)[0].text)
    assert told == [True, False, False]


def test_a_worker_that_stays_looks_into_junk_only_now_and_then(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("mailbot.watcher.time.monotonic", lambda: now)
    with office.opened() as app:
        watcher = app.worker()._watchers[0]
        assert watcher.round()
        office.deliver(mail(papers()), folder="Junk")
        office.deliver(mail(papers(), message_id="<2@yunling.example.com>"))
        assert watcher.round()
        assert [row.folder for row in app.store.messages()] == ["INBOX"]
        now += 300
        assert watcher.round()
        assert [row.folder for row in app.store.messages()] == ["INBOX", "Junk"]


def test_a_junk_folder_that_is_not_there_is_named_and_holds_up_nothing(office: Office) -> None:
    """Each round failed, a worker that stays looked every five minutes only, and staff were told that nothing is read."""
    rewritten = office.config_path.read_text(encoding="utf-8").replace('"Junk"', '"垃圾邮件"')
    office.config_path.write_text(rewritten, encoding="utf-8")
    office.deliver(mail(papers()))
    assert office.round()
    assert [one.to for one in office.sent] == [("office@yunling.example.com",)]
    with office.opened() as app:
        watcher = app.worker()._watchers[0]
        assert [watcher.round(), watcher.round()] == [True, True]
        assert len(watcher._folders()) == 1
        made = Reports(app).digest()[0]
    assert "中没有文件夹 垃圾邮件" in made.text
    assert "2条系统警报" in made.text
    assert "异常" in made.text
    assert run(office, "status").count("there is no such folder") == 2
    rewritten = rewritten.replace('"垃圾邮件"', '"Junk"')
    office.config_path.write_text(rewritten, encoding="utf-8")
    assert office.round()
    with office.opened() as app:
        assert "系统警报" not in Reports(app).digest()[0].text


def test_an_inbox_that_dies_is_told_of_though_junk_could_not_be_read_before(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [datetime(2021, 1, 14, 12, tzinfo=UTC)]
    refused: list[str] = []
    examine = ImapMailbox._examine

    def refuse(self: ImapMailbox, folder: str) -> FolderState:
        return examine(self, "nowhere" if folder in refused else folder)

    monkeypatch.setattr(ImapMailbox, "_examine", refuse)
    told = []
    for refused[:] in [["Junk"], ["Junk", "INBOX"], ["Junk"]]:
        with office.opened() as app:
            app.clock = lambda: now[0]
            for _ in range(2):
                assert not app.run(once=True)
                now[0] += timedelta(hours=1)
        told.append(len(office.sent))
    assert told == [0, 2, 4]


def test_mails_from_files_and_a_folder_of_earlier_are_no_silent_mailbox(office: Office) -> None:
    path = office.directory / "one.eml"
    path.write_bytes(mail(papers()))
    with office.opened() as app:
        assert app.ingest("societies", [path]) == (1, 1)
    assert office.round()
    config = office.config_path.read_text(encoding="utf-8")
    office.config_path.write_text(config.replace('junk_folder = "Junk"\n', ""), encoding="utf-8")
    with office.opened() as app:
        app.run(once=True)
        made = Reports(app).digest()[0]
    assert made.text.startswith("【无需人工处理】"), made.text
    assert "ingest" not in made.text
    assert "垃圾箱" not in made.text


def test_a_question_beside_the_papers_is_answered_by_nobody_and_staff_are_told(office: Office) -> None:
    asks = "您好，材料见附件，请查收。请问纸质盖章件可以晚几天寄吗？"
    office.deliver(mail(papers(), body=asks))
    other = papers("浙江省星河研究会")
    polite = "材料见附件，如有问题请联系我。收到请回复！"
    office.deliver(mail(other, sender="a@xinghe.example.com", message_id="<2@x>", body=polite))
    assert office.round()
    assert office.outcomes() == ["acknowledged", "acknowledged"]
    letters = {one.to[0]: text_of(one) for one in office.sent}
    assert "来信中提出的问题，我们将另行答复。" in letters["office@yunling.example.com"]
    assert "另行答复" not in letters["a@xinghe.example.com"]
    with office.opened() as app:
        made, _ = Reports(app).digest()
    assert "■ 报送材料时另有提问的来件，请答复（1）" in made.text
    assert "来信：请问纸质盖章件可以晚几天寄吗？" in made.text


def test_who_has_written_for_several_is_asked_for_the_name_alone_and_it_stays_nobodys(office: Office) -> None:
    one, other, sender = "浙江省云岭学会", "浙江省星河研究会", "agency@example.com"
    for number, name in enumerate((one, other)):
        whole = mail(papers(name), sender=sender, message_id=f"<{number}@agency>")
        office.deliver(whole, IN_TIME + timedelta(minutes=number))
    plan = {"补充计划.docx": text_document("2021年工作计划", "")}
    nameless = mail(plan, sender=sender, message_id="<3@agency>", subject="补充计划")
    office.deliver(nameless, IN_TIME + timedelta(hours=1))
    assert office.round()
    assert office.outcomes() == ["acknowledged", "acknowledged", "correction"]
    letter = text_of(office.sent[-1])
    assert "请在邮件正文或材料标题中写明贵单位全称" in letter
    assert "尚缺" not in letter
    assert one not in letter
    assert other not in letter
    mended = mail({"自评表.xlsx": form(one, scores={8: "1"})}, sender=sender, message_id="<4@agency>")
    office.deliver(mended, IN_TIME + timedelta(hours=2))
    assert office.round()
    assert {o["name"]: o["documents"]["plan"] for o in office.export()["organizations"]} == {
        one: "工作计划.docx", other: "工作计划.docx",
    }  # fmt: skip


def test_words_on_a_receipt_get_no_second_one_and_a_question_does(office: Office) -> None:
    thanks = "您好，我已收到您的邮件，会尽快处理。祝工作愉快！"
    for number, said in enumerate((thanks, thanks, "请问纸质件寄到哪里？"), 1):
        answered = str(email.message_from_bytes(office.sent[-1].octets)["Message-ID"]) if office.sent else ""
        headers = {"In-Reply-To": answered} if answered else {}
        words = mail({}, body=said, subject="Re: 总结", message_id=f"<{number}@y>", headers=headers)
        office.deliver(words, IN_TIME + timedelta(hours=number))
        assert office.round()
    assert office.outcomes() == ["review", "review", "review"]
    assert [[r["kind"] for r in m["replies"]] for m in office.export()["messages"]] == [
        ["receipt"], [], ["receipt"],
    ]  # fmt: skip


def test_each_digest_says_of_a_silent_one_that_its_mail_was_passed_over(registered: Office) -> None:
    registered.deliver(mail(papers(), headers={"Auto-Submitted": "auto-generated"}))
    registered.round()
    for _ in range(2):
        with registered.opened() as app:
            made, _ = Reports(app).digest(send=True)
        assert "该邮箱有来件未处理，请看是否漏收（来件编号1）" in made.text
