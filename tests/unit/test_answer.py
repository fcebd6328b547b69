"""To whom an answer goes, what its reader may know, and when it waits for a person; over a real store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Literal

import pytest

from mailbot.answer import Answerer, check_templates, recipient
from mailbot.config import Config, load
from mailbot.decide import Arrival, decide
from mailbot.model import (
    Assessment,
    Code,
    Decision,
    Finding,
    Format,
    ItemReading,
    Organization,
    Outcome,
    ReadBy,
    ReplyKind,
    ReplyState,
    Request,
    Role,
    Track,
    finding,
)
from mailbot.reading import Address, Authentication, DocumentReading, Link, MailHead, MailReading
from mailbot.records import LOOK_FIRST, PERHAPS_SENT, Receipt, StoredMessage
from mailbot.registry import Identity
from mailbot.report.letters import BrokenTemplateError
from mailbot.rubric import load as load_rubric
from mailbot.store.history import BEGUN, REBUILT
from mailbot.store.store import NewReply, Settled, Store
from mailbot.submission import Terms
from tests.conftest import ROOT

RUBRIC = load_rubric(ROOT / "rubric/2020.toml")
NAME = "浙江省示例学会"
REGISTERED = Organization(name=NAME, track=Track.SOCIETY, emails=("Office@example.org",))
OVER = finding(Code.SCORE_OVER_MAX, item=8, found="3", wanted="2")
ALL = (Role.FORM, Role.SUMMARY, Role.PLAN)
MAILBOX = """
[[mailbox]]
name = "{name}"
track = "{track}"
address = "{name}@example.com"
requires = {requires}
[mailbox.imap]
host = "127.0.0.1"
username = "u"
password_env = "P"
[mailbox.smtp]
host = "127.0.0.1"
username = "u"
password_env = "P"
[mailbox.contact]
name = "章伟"
phone = "0571-00000000"
address = "杭州市示例路8号"
"""


class Office:
    """A store, a clock and an answerer: mails go in decided, answers come out recorded."""

    def __init__(self, directory: Path) -> None:
        (directory / "mailbot.toml").write_text(
            f"""
templates = "templates"
[campaign]
name = "2020"
title = "2020年度工作总结"
opens = 2020-12-29T00:00:00+08:00
deadline = 2021-01-15T17:30:00+08:00
timezone = "Asia/Shanghai"
rubric = "{ROOT / "rubric/2020.toml"}"
"""
            + MAILBOX.format(name="societies", track="society", requires='["form", "summary", "plan"]')
            + MAILBOX.format(name="enterprises", track="enterprise", requires='["summary", "plan"]'),
            encoding="utf-8",
        )
        self.config: Config = load(directory / "mailbot.toml").model_copy(update={"templates": None})
        self.store = Store.open(f"sqlite:///{directory / 'mailbot.db'}")
        self.now = datetime.fromisoformat("2021-01-14T09:12:03+08:00")
        self.renew()

    def renew(self, **replies: object) -> None:
        """An answerer with these settings, as after a restart."""
        section = self.config.replies.model_copy(update=replies)
        self.config = self.config.model_copy(update={"replies": section})
        self.answerer = Answerer(self.config, RUBRIC, self.store, lambda: self.now)

    def receive(self, sha256: str = "") -> StoredMessage:
        last = self.store.position("societies", "INBOX")[1] + 1
        receipt = Receipt(
            mailbox="societies",
            folder="INBOX",
            uidvalidity=1,
            uid=last,
            sha256=sha256 or f"{last:064d}",
            size=9,
            received_at=self.now,
        )
        (number,) = self.store.record_receipts("societies", "INBOX", 1, last, [receipt], at=self.now)
        message = self.store.waiting_message(number)
        assert message is not None
        return message

    def decide(
        self, message: StoredMessage, reading: MailReading, organization: Organization | None
    ) -> Decision:
        terms = Terms(
            opens=self.config.campaign.opens,
            deadline=self.config.campaign.deadline,
            requires={Track.SOCIETY: ALL, Track.ENTERPRISE: ALL[1:]},
        )
        missing = () if organization else (finding(Code.ORGANIZATION_MISSING),)
        return decide(
            Arrival(message=message.id, received_at=message.received_at, mailbox_track=Track.SOCIETY),
            reading,
            Identity(organization=organization, how="form", findings=missing),
            self.store.contributions(organization.name) if organization else (),
            terms,
        )

    def record(
        self, message: StoredMessage, reading: MailReading, decision: Decision, replies: tuple[NewReply, ...]
    ) -> None:
        settled = Settled(
            message=message.id,
            head=reading.head,
            documents=reading.documents,
            assessment=reading.assessment,
            decision=decision,
            decided_at=self.now,
            replies=replies,
        )
        self.store.record_decisions([settled])

    def take(self, reading: MailReading, organization: Organization | None = REGISTERED) -> NewReply | None:
        message = self.receive()
        decision = self.decide(message, reading, organization)
        replies = self.answerer.answer(message, reading, decision)
        self.record(message, reading, decision, replies)
        self.now += timedelta(minutes=1)
        return replies[0] if replies else None


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    one = Office(tmp_path)
    yield one
    one.store.close()


def mail(
    *covers: Role,
    sender: str = "office@example.org",
    reply_to: tuple[str, ...] = (),
    findings: tuple[Finding, ...] = (),
    authentication: Authentication = Authentication.UNKNOWN,
    tag: str = "甲",
) -> MailReading:
    documents = tuple(
        DocumentReading(
            key=str(n),
            filename=f"{tag}{role.value}.xlsx",
            format=Format.XLSX,
            role=role,
            sha256=str(n) * 64,
            size=9,
            covers=(role,),
        )
        for n, role in enumerate(covers)
    )
    items = tuple(
        ItemReading(no=i.no, score=i.points, score_text=str(i.points), evidence="有") for i in RUBRIC.items
    )
    read = Assessment(
        organization=NAME, year=2020, read_by=ReadBy.CELLS, items=items, stated_total=None, total=Decimal(100)
    )
    return MailReading(
        head=MailHead(
            message_id=f"<{tag}{len(covers)}@example.org>".replace(tag, "x"),
            subject="报送",
            from_=(Address(name="", address=sender),),
            reply_to=tuple(Address(name="", address=address) for address in reply_to),
            references=("<r@example.org>",),
            authentication=authentication,
        ),
        documents=documents,
        assessment=read if Role.FORM in covers else None,
        findings=findings,
        form_key="0" if Role.FORM in covers else None,
    )


def opened(reply: NewReply | None) -> EmailMessage:
    assert reply is not None
    message = message_from_bytes(reply.octets, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def text(reply: NewReply | None) -> str:
    body = opened(reply).get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def files(reply: NewReply | None) -> list[str]:
    return [part.get_filename() or "" for part in opened(reply).iter_attachments()]


def test_a_whole_submission_is_acknowledged_in_its_thread(office: Office) -> None:
    reply = office.take(mail(*ALL))
    message = opened(reply)
    assert reply is not None
    assert (reply.kind, reply.state, reply.to) == (
        ReplyKind.ACKNOWLEDGEMENT,
        ReplyState.QUEUED,
        "office@example.org",
    )
    assert str(message["Subject"]).startswith(f"【接收回执】{NAME} 2020-000001-")
    assert str(message["From"]) == "章伟 <societies@example.com>"
    assert message["In-Reply-To"] == "<x3@example.org>"
    assert str(message["References"]).split() == ["<r@example.org>", "<x3@example.org>"]
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["Message-ID"] == reply.message_id
    assert "2021年1月14日9:12:03" in text(reply)


def test_the_same_mail_is_answered_by_the_same_bytes(office: Office) -> None:
    message, reading = office.receive(), mail(*ALL, findings=(OVER,))
    decision = office.decide(message, reading, REGISTERED)
    first = office.answerer.answer(message, reading, decision)
    office.renew()
    assert office.answerer.answer(message, reading, decision) == first


def test_each_message_and_kind_has_its_own_message_id(office: Office) -> None:
    ids = [reply.message_id for n in range(3) if (reply := office.take(mail(*ALL[: n + 1])))]
    assert len(set(ids)) == 3


@pytest.mark.parametrize("mode", ["send", "draft"])
def test_a_mail_is_answered_unless_replies_are_off(office: Office, mode: Literal["send", "draft"]) -> None:
    office.renew(mode=mode)
    assert office.take(mail(*ALL)) is not None
    office.renew(mode="off")
    assert office.take(mail(*ALL)) is None


def test_what_must_not_be_answered_is_not(office: Office) -> None:
    message, reading = office.receive(), mail(*ALL)
    ignored = Decision(outcome=Outcome.IGNORED, findings=(finding(Code.MESSAGE_DUPLICATE),))
    assert office.answerer.answer(message, reading, ignored) == ()
    assert office.take(mail(*ALL, authentication=Authentication.FAILED)) is None


@pytest.mark.parametrize(
    ("senders", "reply_to", "to"),
    [
        (("A@Example.org",), (), "a@example.org"),
        (("a@example.org",), ("b@example.org",), "b@example.org"),
        (("a@example.org",), ("societies@example.com",), "a@example.org"),
        (("a@example.org",), ("noreply@example.org", "b@example.org"), "b@example.org"),
        (("societies@example.com",), (), None),
        (("a@example.org", "b@example.org"), (), None),
        (("a@example.org\r\nBcc: c@example.org",), (), None),
        (("not an address",), (), None),
        ((), (), None),
    ],
)
def test_the_answer_goes_to_one_person_and_never_to_ourselves(
    senders: tuple[str, ...], reply_to: tuple[str, ...], to: str | None
) -> None:
    head = replace(
        mail().head,
        from_=tuple(Address(name="", address=a) for a in senders),
        reply_to=tuple(Address(name="", address=a) for a in reply_to),
    )
    assert recipient(head, frozenset({"societies@example.com", "enterprises@example.com"})) == to


def test_over_the_readers_daily_limit_an_answer_is_held_until_the_campaigns_next_day(office: Office) -> None:
    office.renew(max_per_sender_per_day=2)
    states = [reply.state for _ in range(3) if (reply := office.take(mail(*ALL)))]
    assert states == [ReplyState.QUEUED, ReplyState.QUEUED, ReplyState.HELD]
    office.now = datetime.fromisoformat("2021-01-14T23:59:59+08:00")
    assert (late := office.take(mail(*ALL))) is not None
    assert late.state is ReplyState.HELD
    office.now = datetime.fromisoformat("2021-01-15T00:00:00+08:00")
    assert (next_day := office.take(mail(*ALL))) is not None
    assert next_day.state is ReplyState.QUEUED


def test_over_the_organizations_daily_limit_an_answer_is_held_whoever_writes(office: Office) -> None:
    office.renew(max_per_organization_per_day=1)
    states = [r.state for n in range(2) if (r := office.take(mail(*ALL, sender=f"{n}@example.org")))]
    assert states == [ReplyState.QUEUED, ReplyState.HELD]


def test_letters_that_wait_for_one_commit_count_against_the_hourly_limit(office: Office) -> None:
    office.renew(max_per_hour=2)
    states = []
    for n in range(3):
        message, reading = office.receive(), mail(*ALL, sender=f"{n}@example.org")
        organization = Organization(name=f"浙江省第{n}学会", track=Track.SOCIETY)
        (reply,) = office.answerer.answer(message, reading, office.decide(message, reading, organization))
        states.append(reply.state)
    assert states == [ReplyState.QUEUED, ReplyState.QUEUED, ReplyState.HELD]


def test_a_registered_or_authenticated_sender_gets_the_marked_form_and_a_stranger_the_letter_alone(
    office: Office,
) -> None:
    faulty = (OVER,)
    marked = ["2020年度省级学会工作自评表（标注）.xlsx"]
    assert files(office.take(mail(*ALL, findings=faulty))) == marked
    passed = mail(*ALL, sender="b@example.org", findings=faulty, authentication=Authentication.PASSED)
    assert files(office.take(passed)) == marked
    stranger = office.take(mail(*ALL, sender="c@example.org", findings=faulty))
    assert files(stranger) == []
    assert "随信附上" not in text(stranger)


def test_who_sent_no_form_gets_a_blank_one(office: Office) -> None:
    reply = office.take(mail(Role.SUMMARY, Role.PLAN))
    assert files(reply) == ["2020年度省级学会工作自评表.xlsx", "2020年度省级学会工作自评表.docx"]
    assert "随信附上《2020年度省级学会工作自评表》（电子表格和文字文档各一份，任选其一）" in text(reply)


def test_after_enough_corrections_a_person_is_asked_to_telephone(office: Office) -> None:
    office.renew(max_corrections=2)
    for _ in range(2):
        first = office.take(mail(Role.FORM, findings=(OVER,)))
        assert first is not None
        assert (first.kind, first.state) == (ReplyKind.CORRECTION, ReplyState.QUEUED)
    message, reading = office.receive(), mail(Role.FORM, findings=(OVER,))
    decision = office.decide(message, reading, REGISTERED)
    held, receipt = office.answerer.answer(message, reading, decision)
    office.record(message, reading, decision, (held, receipt))
    assert (held.kind, held.state) == (ReplyKind.CORRECTION, ReplyState.HELD)
    assert held.note == "补正通知已发2次，请电话联系该单位"
    assert (receipt.kind, receipt.state) == (ReplyKind.RECEIPT, ReplyState.QUEUED)
    assert "将由工作人员核对" in text(receipt)
    assert "第8项" not in text(receipt)
    stored = [r for r in office.store.earlier_replies(NAME) if r.state is ReplyState.HELD]
    assert [r.error for r in stored] == [held.note]
    (again, _) = office.answerer.answer(message, reading, decision)
    assert again.state is ReplyState.HELD
    (ordered,) = office.answerer.answer(message, reading, decision, ordered=True)
    assert (ordered.kind, ordered.state) == (ReplyKind.CORRECTION, ReplyState.QUEUED)
    office.now += timedelta(minutes=1)
    whole = office.take(mail(*ALL))
    assert whole is not None
    assert whole.kind is ReplyKind.ACKNOWLEDGEMENT


def test_an_enterprise_is_asked_for_no_form(office: Office) -> None:
    enterprise = Organization(
        name="浙江省能源集团科协", track=Track.ENTERPRISE, emails=("office@example.org",)
    )
    reply = office.take(mail(Role.SUMMARY), enterprise)
    assert "自评" not in text(reply)
    assert "尚缺下一年度工作计划" in text(reply)
    assert files(reply) == []


def test_a_second_correction_refers_to_the_first_and_the_acknowledgement_closes_it(office: Office) -> None:
    evidence = finding(Code.EVIDENCE_MISSING, item=4)
    first = office.take(mail(Role.FORM, Role.SUMMARY, findings=(OVER, evidence)))
    assert "补正通知（编号" not in text(first)
    second = text(office.take(mail(Role.FORM, Role.PLAN, findings=(OVER,))))
    assert first is not None
    assert f"编号{first.subject.split()[-1]}），本件为第2次补正通知" in second
    assert "已补报下一年度工作计划，第4项自评依据已补填" in second
    third = office.take(mail(Role.FORM))
    assert third is not None
    assert third.kind is ReplyKind.ACKNOWLEDGEMENT
    assert "所列事项已全部补正" in text(third)
    assert "补正" not in text(office.take(mail(Role.FORM)))


def test_a_form_that_a_newer_one_has_replaced_is_not_found_fault_with(office: Office) -> None:
    older = office.receive()
    office.now += timedelta(minutes=1)
    office.take(mail(Role.FORM))
    reading = mail(Role.FORM, findings=(OVER,))
    decision = office.decide(older, reading, REGISTERED)
    (reply,) = office.answerer.answer(older, reading, decision)
    assert OVER.code in {f.code for f in decision.findings}
    assert "尚缺工作总结" in text(reply)
    assert "第8项" not in text(reply)


def test_a_letter_that_was_held_is_not_referred_to(office: Office) -> None:
    office.renew(max_per_sender_per_day=1)
    office.take(mail(*ALL))
    office.take(mail(Role.FORM, findings=(OVER,)))
    office.now += timedelta(days=1)
    assert "第2次" not in text(office.take(mail(Role.FORM, findings=(OVER,))))


def test_a_stranger_learns_nothing_of_what_the_society_sent(office: Office) -> None:
    unregistered = Organization(name=NAME, track=Track.SOCIETY)
    office.take(mail(*ALL[:2], sender="office@example.org", findings=(OVER,), tag="机密"), unregistered)
    reply = office.take(mail(Role.PLAN, sender="stranger@example.net", tag="乙"), unregistered)
    said = text(reply)
    assert "机密" not in said
    assert "第8项" not in said
    assert "自评表：此前已收到" in said
    assert "从其他邮箱报送的自评表有1处需要补正" in said
    assert "各项自评分之和" not in said
    assert "补正通知（编号" not in said


def test_reply_to_somebody_else_tells_him_nothing_of_the_past(office: Office) -> None:
    office.take(mail(*ALL[:2], findings=(OVER,), tag="机密"))
    forged = mail(Role.PLAN, sender="office@example.org", reply_to=("thief@example.net",))
    assert "机密" not in text(office.take(forged))


def test_the_society_itself_is_told_of_all_it_sent(office: Office) -> None:
    office.take(mail(*ALL[:2], sender="colleague@example.org", findings=(OVER,), tag="前"))
    said = office.take(mail(Role.PLAN, tag="后"))
    assert "前form.xlsx（2021年1月14日9:12收到）" in text(said)
    assert "第8项" in text(said)
    assert files(said) == ["2020年度省级学会工作自评表（标注）.xlsx"]


def test_a_receipt_for_a_doubtful_organization_names_nobody(office: Office) -> None:
    message, reading = office.receive(), mail(*ALL)
    mismatch = finding(Code.ORGANIZATION_MISMATCH, found=NAME, wanted="浙江省另一学会")
    decision = Decision(
        outcome=Outcome.REVIEW, findings=(mismatch, OVER), organization=REGISTERED, reply=ReplyKind.RECEIPT
    )
    (reply,) = office.answerer.answer(message, reading, decision)
    assert "学会" not in reply.subject
    assert "示例学会" not in text(reply)
    assert "另一学会" not in text(reply)
    assert "第8项" not in text(reply)
    assert files(reply) == []


def test_a_correction_that_asks_for_nothing_goes_out_as_a_receipt(office: Office) -> None:
    message, reading = office.receive(), mail(*ALL)
    decision = Decision(
        outcome=Outcome.CORRECTION, findings=(), organization=REGISTERED, reply=ReplyKind.CORRECTION
    )
    (reply,) = office.answerer.answer(message, reading, decision)
    assert reply.kind is ReplyKind.RECEIPT


def test_after_the_deadline_it_says_so_and_still_asks(office: Office) -> None:
    office.now = datetime.fromisoformat("2021-01-15T17:30:01+08:00")
    said = text(office.take(mail(*ALL, findings=(OVER,))))
    assert "收到时间：2021年1月15日17:30:01，晚于截止时间2021年1月15日17:30，已如实登记" in said
    assert "请尽快补正" in said


def test_a_good_version_in_time_is_said_to_count_still(office: Office) -> None:
    office.take(mail(*ALL))
    office.now = datetime.fromisoformat("2021-01-15T18:00:00+08:00")
    assert "已于2021年1月14日9:12:03按时报送完整材料，仍以该次材料为准" in text(office.take(mail(*ALL)))


def test_no_letter_is_written_with_a_broken_template_of_the_offices(office: Office, tmp_path: Path) -> None:
    templates = tmp_path / "templates"
    templates.mkdir()
    (templates / "acknowledgement.txt").write_text("{{ oops }}", encoding="utf-8")
    office.config = office.config.model_copy(update={"templates": templates})
    office.renew()
    with pytest.raises(BrokenTemplateError, match=r"acknowledgement\.txt: UndefinedError"):
        office.take(mail(*ALL))
    (templates / "acknowledgement.txt").write_text("{{ organization }}收", encoding="utf-8")
    assert text(office.take(mail(*ALL))).strip() == f"{NAME}收"


def test_check_is_content_with_templates_that_work(tmp_path: Path) -> None:
    (tmp_path / "receipt.txt").write_text("{{ organization }}：已收到。", encoding="utf-8")
    assert check_templates(tmp_path) == []


def test_check_finds_every_faulty_template(tmp_path: Path) -> None:
    assert check_templates(None) == []
    assert check_templates(tmp_path / "nowhere") == [f"{tmp_path / 'nowhere'}: there is no such directory"]
    (tmp_path / "receipt.html").write_text("{{ oops }}", encoding="utf-8")
    (tmp_path / "correction.txt").write_text("{% if %}", encoding="utf-8")
    (tmp_path / "recipt.txt").write_text("x", encoding="utf-8")
    faults = check_templates(tmp_path)
    assert [
        name for name in ("receipt.html", "correction.txt", "recipt.txt") if any(name in f for f in faults)
    ] == [
        "receipt.html",
        "correction.txt",
        "recipt.txt",
    ]
    assert len(faults) == 3


def thanks(to: NewReply | None, **changes: object) -> MailReading:
    """A few words on a letter of ours."""
    assert to is not None
    said = replace(
        mail().head, message_id="<thanks@example.org>", in_reply_to=to.message_id, text="收到，谢谢！"
    )
    return replace(mail(), head=replace(said, **changes))  # type: ignore[arg-type]


LINK = Link(url="https://mail.qq.com/cgi-bin/ftnExs_download?k=1", filename="自评表.xlsx")


def test_words_on_a_receipt_get_no_second_one_and_all_else_does(office: Office) -> None:
    receipt = office.take(replace(mail(), head=replace(mail().head, text="请问何时截止？", asks=True)))
    assert receipt is not None
    assert receipt.kind is ReplyKind.RECEIPT
    assert office.take(thanks(receipt)) is None
    assert office.take(thanks(receipt, asks=True)) is not None
    assert office.take(thanks(receipt, links=(LINK,))) is not None
    assert office.take(thanks(receipt, claims_attachment=True)) is not None
    assert office.take(thanks(receipt, in_reply_to="")) is not None
    doubtful = mail(Role.FORM, findings=(finding(Code.FORM_LOW_CONFIDENCE),))
    with_paper = replace(doubtful, head=replace(thanks(receipt).head, message_id="<paper@example.org>"))
    assert office.take(with_paper) is not None
    acknowledged = office.take(mail(*ALL))
    assert office.take(thanks(acknowledged)) is not None


def test_who_has_no_address_to_answer_to_gets_no_answer(office: Office) -> None:
    assert office.take(mail(*ALL, sender="noreply@example.org")) is None


def test_who_was_told_since_is_not_told_again(office: Office) -> None:
    begun = office.now
    first = office.take(mail(*ALL))
    assert first is not None
    message, reading = office.receive(), mail(*ALL)
    decision = office.decide(message, reading, REGISTERED)

    def told(since: datetime, one: MailReading = reading, said: Decision = decision) -> bool:
        return office.answerer.answer(message, one, said, untold_since=since) == ()

    assert told(begun)
    assert not told(begun + timedelta(seconds=1))
    assert not told(begun, mail(*ALL, sender="colleague@example.org"))
    assert not told(begun, said=replace(decision, outcome=Outcome.REVIEW, reply=ReplyKind.RECEIPT))


def test_only_corrections_that_went_out_for_other_mails_are_enough(office: Office) -> None:
    office.renew(max_corrections=1, max_per_sender_per_day=2)
    office.take(mail(*ALL))
    message, reading = office.receive(), mail(Role.FORM, findings=(OVER,))
    decision = office.decide(message, reading, REGISTERED)
    replies = office.answerer.answer(message, reading, decision)
    office.record(message, reading, decision, replies)
    assert [r.state for r in replies] == [ReplyState.QUEUED]
    assert [r.kind for r in office.answerer.answer(message, reading, decision)] == [ReplyKind.CORRECTION]
    office.now += timedelta(minutes=1)
    for_a_person = office.take(mail(Role.FORM, findings=(OVER,)))
    assert for_a_person is not None
    assert (for_a_person.kind, for_a_person.state) == (ReplyKind.CORRECTION, ReplyState.HELD)


def test_a_letter_that_was_held_is_none_of_those_that_are_enough(office: Office) -> None:
    office.renew(max_corrections=1, max_per_sender_per_day=1)
    office.take(mail(*ALL))
    for _ in range(2):
        held = office.take(mail(Role.FORM, findings=(OVER,)))
        assert held is not None
        assert (held.state, held.note) == (ReplyState.HELD, "")


def test_a_person_can_ask_for_what_no_finding_says(office: Office) -> None:
    message, reading = office.receive(), mail(*ALL)
    decision = replace(
        office.decide(message, reading, REGISTERED),
        outcome=Outcome.CORRECTION,
        reply=ReplyKind.CORRECTION,
        requests=(Request(message=message.id, sentence="请加盖公章。"),),
    )
    (reply,) = office.answerer.answer(message, reading, decision, ordered=True)
    assert reply.kind is ReplyKind.CORRECTION
    assert "请加盖公章。" in text(reply)


def test_what_came_before_a_database_was_rebuilt_is_answered_by_a_person(office: Office) -> None:
    before = office.receive()
    office.store.set_flag(REBUILT, office.now.isoformat())
    office.renew()
    reading = mail(*ALL)
    decision = office.decide(before, reading, REGISTERED)
    for ordered in (False, True):
        (reply,) = office.answerer.answer(before, reading, decision, ordered=ordered)
        assert (reply.state, reply.note) == (ReplyState.HELD, PERHAPS_SENT)
    office.now += timedelta(seconds=1)
    since = office.take(mail(*ALL))
    assert since is not None
    assert (since.state, since.note) == (ReplyState.QUEUED, "")


def test_what_came_before_a_database_was_begun_is_looked_for_before_it_is_answered(office: Office) -> None:
    office.store.set_flag(BEGUN, office.now.isoformat())
    office.renew()
    before = office.take(mail(*ALL))
    office.now += timedelta(seconds=1)
    since = office.take(mail(*ALL))
    assert before is not None
    assert since is not None
    assert (before.state, before.note) == (ReplyState.QUEUED, LOOK_FIRST)
    assert (since.state, since.note) == (ReplyState.QUEUED, "")


def test_an_ordered_letter_is_held_by_no_limit(office: Office) -> None:
    office.renew(max_per_sender_per_day=1)
    office.take(mail(*ALL))
    message, reading = office.receive(), mail(*ALL)
    decision = office.decide(message, reading, REGISTERED)
    states = [office.answerer.answer(message, reading, decision, ordered=o)[0].state for o in (False, True)]
    assert states == [ReplyState.HELD, ReplyState.QUEUED]


def test_the_thread_of_a_mail_without_references_is_that_of_the_mail_it_answers(office: Office) -> None:
    bare = replace(mail(*ALL), head=replace(mail(*ALL).head, references=(), in_reply_to="<0@example.org>"))
    assert str(opened(office.take(bare))["References"]).split() == ["<0@example.org>", "<x3@example.org>"]
    alone = replace(bare, head=replace(bare.head, in_reply_to=""))
    assert str(opened(office.take(alone))["References"]).split() == ["<x3@example.org>"]


def test_a_mail_that_stayed_on_the_server_has_its_own_message_id(office: Office) -> None:
    reading, ids = mail(*ALL), set()
    for _ in range(2):
        message = replace(office.receive(), sha256="")
        (reply,) = office.answerer.answer(message, reading, office.decide(message, reading, REGISTERED))
        ids.add(reply.message_id)
    assert len(ids) == 2


def test_the_letter_names_the_marked_form_or_the_blank_one(office: Office) -> None:
    marked = text(office.take(mail(*ALL, findings=(OVER,))))
    assert "《2020年度省级学会工作自评表（标注）》" in marked
    blank = text(office.take(mail(Role.SUMMARY, Role.PLAN), replace(REGISTERED, name="浙江省另一学会")))
    assert "《2020年度省级学会工作自评表》" in blank
    assert "标注" not in blank


def test_an_office_without_a_contact_writes_without_a_name(office: Office) -> None:
    boxes = tuple(box.model_copy(update={"contact": None}) for box in office.config.mailboxes)
    office.config = office.config.model_copy(update={"mailboxes": boxes})
    office.renew()
    assert str(opened(office.take(mail(*ALL)))["From"]) == "societies@example.com"
