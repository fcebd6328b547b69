"""The table of outcomes, read aloud: each case is a rule of the contract."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from mailbot.decide import Arrival, decide, unprocessable
from mailbot.model import (
    Assessment,
    Code,
    Contribution,
    Finding,
    Format,
    Organization,
    Outcome,
    Piece,
    ReadBy,
    ReplyKind,
    Role,
    Ruling,
    RulingKind,
    Severity,
    Status,
    Track,
    doubt,
    finding,
)
from mailbot.reading import Address, Authentication, DocumentReading, Link, MailHead, MailReading
from mailbot.registry import Identity
from mailbot.submission import Terms, counting, fold, sides_differ, status

DEADLINE = datetime(2021, 1, 15, 9, 30, tzinfo=UTC)
TERMS = Terms(
    opens=datetime(2020, 12, 28, 16, tzinfo=UTC),
    deadline=DEADLINE,
    requires={
        Track.SOCIETY: (Role.FORM, Role.SUMMARY, Role.PLAN),
        Track.ENTERPRISE: (Role.SUMMARY, Role.PLAN),
    },
)
SOCIETY = Organization(name="浙江省示例学会", track=Track.SOCIETY)
KNOWN = Identity(organization=SOCIETY, how="form", findings=())
ALL = (Role.FORM, Role.SUMMARY, Role.PLAN)


def head(**changes: object) -> MailHead:
    given: dict[str, object] = {
        "message_id": "<1@example.org>",
        "subject": "材料报送",
        "from_": (Address(name="", address="office@example.org"),),
        "reply_to": (),
    }
    return MailHead(**{**given, **changes})  # type: ignore[arg-type]


def document(
    *covers: Role, key: str = "1", finding_: Finding | None = None, **changes: object
) -> DocumentReading:
    found = DocumentReading(
        key=key,
        filename=f"{key}.docx",
        format=Format.DOCX,
        role=covers[0] if covers else Role.OTHER,
        sha256=key * 64,
        size=10,
        covers=covers,
        findings=(finding_,) if finding_ else (),
    )
    return replace(found, **changes)  # type: ignore[arg-type]


def reading(
    *covers: Role,
    findings: tuple[Finding, ...] = (),
    extra: tuple[DocumentReading, ...] = (),
    **head_changes: object,
) -> MailReading:
    documents = tuple(document(role, key=str(n)) for n, role in enumerate(covers, 1))
    form_key = next((d.key for d in documents if Role.FORM in d.covers), None)
    assessment = Assessment(
        organization=SOCIETY.name,
        year=2020,
        read_by=ReadBy.CELLS,
        items=(),
        stated_total=None,
        total=Decimal(90),
    )
    return MailReading(
        head=head(**head_changes),
        documents=(*documents, *extra),
        assessment=assessment if form_key else None,
        findings=findings,
        form_key=form_key,
    )


def arrival(message: int = 1, *, at: datetime = DEADLINE, **changes: object) -> Arrival:
    given: dict[str, object] = {"message": message, "received_at": at, "mailbox_track": Track.SOCIETY}
    return Arrival(**{**given, **changes})  # type: ignore[arg-type]


def codes(findings: tuple[Finding, ...]) -> set[str]:
    return {f.code.value for f in findings}


def test_a_whole_submission_is_acknowledged() -> None:
    decision = decide(arrival(), reading(*ALL), KNOWN, (), TERMS)
    assert (decision.outcome, decision.reply) == (Outcome.ACKNOWLEDGED, ReplyKind.ACKNOWLEDGEMENT)
    assert decision.findings == ()
    assert decision.versions[0].state is Status.COMPLETE


@pytest.mark.parametrize(
    "how", [{"title": "浙江省示例学会2020年总结"}, {"filename": "浙江省示例学会总结.docx"}]
)
def test_beside_anothers_paper_the_one_that_names_the_organization_counts(how: dict[str, str]) -> None:
    own = document(Role.SUMMARY, key="9", **how)
    beside = reading(*ALL, extra=(own, document(Role.SUMMARY, key="8")))
    (version,) = decide(arrival(), beside, KNOWN, (), TERMS).versions
    assert version.summary is not None
    assert version.summary.filename == own.filename
    assert version.plan is not None
    assert version.plan.filename == "3.docx"


def test_the_mails_own_words_take_the_place_of_no_file() -> None:
    body = replace(
        document(Role.SUMMARY, key="9"), filename="", title=f"{KNOWN.organization.name}2020年工作总结"
    )
    (version,) = decide(arrival(), reading(*ALL, extra=(body,)), KNOWN, (), TERMS).versions
    assert version.summary is not None
    assert version.summary.filename == "2.docx"


def test_what_lacks_is_named_all_at_once() -> None:
    decision = decide(arrival(), reading(Role.SUMMARY), KNOWN, (), TERMS)
    assert (decision.outcome, decision.reply) == (Outcome.CORRECTION, ReplyKind.CORRECTION)
    assert codes(decision.findings) == {"form.missing", "plan.missing"}


@pytest.mark.parametrize(
    ("seconds", "late"),
    [(-1, False), (0, False), (0.9, False), (1, True)],
    ids=["before", "at", "within", "after"],
)
def test_the_deadline_is_whole_seconds_and_belongs_to_on_time(seconds: float, late: bool) -> None:
    decision = decide(arrival(at=DEADLINE + timedelta(seconds=seconds)), reading(*ALL), KNOWN, (), TERMS)
    assert decision.outcome is Outcome.ACKNOWLEDGED
    assert ("delivery.late" in codes(decision.findings)) is late
    assert decision.versions[0].on_time is not late


@pytest.mark.parametrize(
    ("how", "changes", "code"),
    [
        ({}, {"automatic": "Auto-Submitted: auto-replied"}, "message.automatic"),
        ({"duplicate_of": 3}, {}, "message.duplicate"),
        ({"at": TERMS.opens - timedelta(seconds=1)}, {}, "message.out_of_campaign"),
    ],
)
def test_what_is_ignored_is_never_answered(
    how: dict[str, object], changes: dict[str, object], code: str
) -> None:
    decision = decide(arrival(**how), reading(*ALL, **changes), KNOWN, (), TERMS)
    assert (decision.outcome, decision.reply) == (Outcome.IGNORED, None)
    assert codes(decision.findings) == {code}
    assert decision.contribution is None


@pytest.mark.parametrize(
    ("how", "changes", "code"),
    [
        ({"junk": True}, {}, "delivery.in_junk"),
        ({}, {"authentication": Authentication.FAILED}, "sender.unauthenticated"),
        (
            {},
            {"from_": (Address(name="", address="a@example.org"), Address(name="", address="b@example.org"))},
            "sender.unauthenticated",
        ),
    ],
)
def test_a_mail_not_trusted_goes_to_a_person_unanswered_and_touches_no_submission(
    how: dict[str, object], changes: dict[str, object], code: str
) -> None:
    good = decide(arrival(1), reading(*ALL), KNOWN, (), TERMS).contribution
    assert good is not None
    decision = decide(arrival(2, **how), reading(Role.FORM, **changes), KNOWN, (good,), TERMS)
    assert (decision.outcome, decision.reply) == (Outcome.REVIEW, None)
    assert code in codes(decision.findings)
    assert decision.contribution is None
    assert [v.message for v in decision.versions] == [1]


def test_review_goes_before_correction_and_keeps_the_errors_for_staff() -> None:
    doubtful = finding(Code.FORM_LOW_CONFIDENCE)
    decision = decide(arrival(), reading(Role.FORM, findings=(doubtful,)), KNOWN, (), TERMS)
    assert (decision.outcome, decision.reply) == (Outcome.REVIEW, ReplyKind.RECEIPT)
    assert codes(decision.findings) == {"form.low_confidence", "summary.missing", "plan.missing"}


def test_a_question_without_documents_is_for_a_person() -> None:
    decision = decide(arrival(), reading(text="请问自评表在哪里下载？"), KNOWN, (), TERMS)
    assert (decision.outcome, decision.reply) == (Outcome.REVIEW, ReplyKind.RECEIPT)
    assert codes(decision.findings) == {"message.inquiry"}
    assert decision.versions == ()


PICTURE = document(format=Format.IMAGE)
NOTICE = document(key="2")
EMPTY_FORM = document(key="3", role=Role.FORM)
BLANK = finding(Code.FORM_BLANK, document="3.docx")


@pytest.mark.parametrize(
    ("came", "findings"),
    [
        ((PICTURE,), ()),
        ((NOTICE,), ()),
        ((PICTURE, NOTICE), ()),
        ((EMPTY_FORM,), (BLANK,)),
        ((document(format=Format.IMAGE, finding_=finding(Code.DOCUMENT_UNSUPPORTED)),), ()),
    ],
)
@pytest.mark.parametrize("claims", [True, False])
def test_a_question_stays_one_with_a_screenshot_the_notice_or_an_empty_form(
    came: tuple[DocumentReading, ...], findings: tuple[Finding, ...], claims: bool
) -> None:
    asked = reading(
        findings=findings, extra=came, text="请问这一项怎么填？", asks=True, claims_attachment=claims
    )
    held = decide(arrival(1), reading(*ALL), KNOWN, (), TERMS).contribution
    assert held is not None
    for earlier in ((), (held,)):
        decision = decide(arrival(2), asked, KNOWN, earlier, TERMS)
        assert (decision.outcome, decision.reply) == (Outcome.REVIEW, ReplyKind.RECEIPT)
        assert "message.inquiry" in codes(decision.findings)
        assert not codes(decision.findings) & {"form.missing", "summary.missing", "plan.missing"}
        assert decision.contribution is None


def test_a_correction_whose_file_was_forgotten_is_for_a_person_where_all_is_there() -> None:
    whole = decide(arrival(1), reading(*ALL), KNOWN, (), TERMS).contribution
    part = decide(arrival(1), reading(Role.FORM), KNOWN, (), TERMS).contribution
    assert whole is not None
    assert part is not None
    for came in (
        reading(text="更正后的自评表见附件", claims_attachment=True),
        reading(extra=(EMPTY_FORM,), findings=(BLANK,), text="更正后的自评表见附件", claims_attachment=True),
    ):
        forgotten = decide(arrival(2), came, KNOWN, (whole,), TERMS)
        assert (forgotten.outcome, forgotten.reply) == (Outcome.REVIEW, ReplyKind.RECEIPT)
        assert "message.inquiry" in codes(forgotten.findings)
        assert decide(arrival(2), came, KNOWN, (part,), TERMS).outcome is Outcome.CORRECTION


@pytest.mark.parametrize(("name", "outcome"), [("自评表（更正）", "correction"), ("合影", "acknowledged")])
def test_a_correction_that_cannot_be_read_is_asked_for_again(name: str, outcome: str) -> None:
    whole = decide(arrival(1), reading(*ALL), KNOWN, (), TERMS).contribution
    assert whole is not None
    locked = finding(Code.DOCUMENT_ENCRYPTED, document=f"{name}.xlsx")
    came = reading(extra=(document(key="4", finding_=locked, filename=f"{name}.xlsx"),))
    decision = decide(arrival(2), came, KNOWN, (whole,), TERMS)
    assert decision.outcome.value == outcome
    assert decision.versions[-1].state is Status.COMPLETE


def test_a_doubt_whether_a_document_is_a_paper_asks_a_person_only_while_one_lacks() -> None:
    doubtful = document(key="4", finding_=doubt("4.docx", "?"))
    lacking = decide(arrival(1), reading(Role.FORM, Role.PLAN, extra=(doubtful,)), KNOWN, (), TERMS)
    assert (lacking.outcome, lacking.reply) == (Outcome.REVIEW, ReplyKind.RECEIPT)
    form_lacks = decide(arrival(1), reading(Role.SUMMARY, Role.PLAN, extra=(doubtful,)), KNOWN, (), TERMS)
    assert (form_lacks.outcome, codes(form_lacks.findings)) == (Outcome.CORRECTION, {"form.missing"})
    assert decide(arrival(1), reading(*ALL, extra=(doubtful,)), KNOWN, (), TERMS).findings == ()
    no_summary = document(key="4", finding_=doubt("4.docx", "?", (Role.PLAN,)))
    decision = decide(arrival(1), reading(Role.FORM, Role.PLAN, extra=(no_summary,)), KNOWN, (), TERMS)
    assert decision.outcome is Outcome.CORRECTION
    assert lacking.contribution is not None
    summary = decide(arrival(2), reading(Role.SUMMARY), KNOWN, (lacking.contribution,), TERMS)
    assert (summary.outcome, summary.versions[-1].state) == (Outcome.ACKNOWLEDGED, Status.COMPLETE)


@pytest.mark.parametrize(
    "came",
    [
        reading(Role.SUMMARY, asks=True),
        reading(extra=(document(key="4", role=Role.SUMMARY),), asks=True),
        reading(extra=(document(key="4", role=Role.EVIDENCE),), asks=True),
        reading(extra=(PICTURE, document(key="4", finding_=finding(Code.DOCUMENT_UNREADABLE))), asks=True),
        reading(extra=(document(format=Format.IMAGE, role=Role.SUMMARY),), text="请审阅"),
        reading(extra=(NOTICE,), text="请审阅"),
        reading(extra=(PICTURE,), text="材料见附件", claims_attachment=True),
        reading(extra=(PICTURE,)),
        reading(extra=(EMPTY_FORM,), findings=(BLANK,), text="请查收"),
    ],
)
def test_what_may_be_a_paper_is_taken_for_one_also_beside_a_question(came: MailReading) -> None:
    decision = decide(arrival(), came, KNOWN, (), TERMS)
    assert decision.outcome is Outcome.CORRECTION
    assert "message.inquiry" not in codes(decision.findings)


def test_words_with_a_picture_and_no_claim_are_for_a_person() -> None:
    came = reading(extra=(PICTURE,), text="纸质件已寄出，快递单如图。")
    assert codes(decide(arrival(), came, KNOWN, (), TERMS).findings) == {"message.inquiry"}


def test_a_forgotten_attachment_is_a_correction() -> None:
    decision = decide(arrival(), reading(claims_attachment=True), KNOWN, (), TERMS)
    assert decision.outcome is Outcome.CORRECTION
    assert codes(decision.findings) == {"form.missing", "summary.missing", "plan.missing"}


def test_a_cloud_link_is_named_beside_what_lacks() -> None:
    link = Link(url="https://mail.qq.com/cgi-bin/ftnExs_download?k=1", filename="自评表.xlsx")
    decision = decide(arrival(), reading(Role.SUMMARY, Role.PLAN, links=(link,)), KNOWN, (), TERMS)
    assert decision.outcome is Outcome.CORRECTION
    assert codes(decision.findings) == {"delivery.link_only", "form.missing"}


@pytest.mark.parametrize(
    ("covers", "severity"), [(ALL, Severity.INFO), ((Role.FORM, Role.PLAN), Severity.ERROR)]
)
def test_an_unreadable_file_is_an_error_only_where_something_lacks(
    covers: tuple[Role, ...], severity: Severity
) -> None:
    broken = document(key="9", finding_=finding(Code.DOCUMENT_UNREADABLE, document="9.docx"))
    decision = decide(arrival(), reading(*covers, extra=(broken,)), KNOWN, (), TERMS)
    found = next(f for f in decision.findings if f.code is Code.DOCUMENT_UNREADABLE)
    assert found.severity is severity
    assert decision.outcome is (Outcome.ACKNOWLEDGED if severity is Severity.INFO else Outcome.CORRECTION)


def test_a_blank_form_stands_alone_and_beside_a_filled_one_is_passed_over() -> None:
    blank = finding(Code.FORM_BLANK, document="表.xlsx")
    alone = decide(
        arrival(),
        reading(Role.SUMMARY, Role.PLAN, findings=(blank,), extra=(document(key="8"),)),
        KNOWN,
        (),
        TERMS,
    )
    assert codes(alone.findings) == {"form.blank"}
    assert alone.outcome is Outcome.CORRECTION
    good = decide(arrival(1), reading(*ALL), KNOWN, (), TERMS).contribution
    assert good is not None
    beside = decide(arrival(2), reading(findings=(blank,), extra=(document(key="8"),)), KNOWN, (good,), TERMS)
    assert beside.outcome is Outcome.ACKNOWLEDGED


def test_parts_in_several_mails_add_up() -> None:
    first = decide(arrival(1), reading(Role.FORM), KNOWN, (), TERMS)
    assert first.contribution is not None
    second = decide(
        arrival(2, at=DEADLINE + timedelta(hours=1)),
        reading(Role.SUMMARY, Role.PLAN),
        KNOWN,
        (first.contribution,),
        TERMS,
    )
    assert second.outcome is Outcome.ACKNOWLEDGED
    assert [v.state for v in second.versions] == [Status.INCOMPLETE, Status.COMPLETE]
    assert not second.versions[-1].on_time


def test_an_older_mail_decided_later_is_judged_by_what_is_held_now() -> None:
    newer = decide(arrival(2), reading(Role.FORM, Role.SUMMARY), KNOWN, (), TERMS)
    assert newer.contribution is not None
    older = decide(
        arrival(1, at=DEADLINE - timedelta(minutes=1)),
        reading(Role.PLAN),
        KNOWN,
        (newer.contribution,),
        TERMS,
    )
    assert older.outcome is Outcome.ACKNOWLEDGED


def test_an_error_in_the_form_stands_until_a_newer_form_replaces_it() -> None:
    over = finding(Code.SCORE_OVER_MAX, item=8, found="3", wanted="2")
    first = decide(arrival(1), reading(*ALL, findings=(over,)), KNOWN, (), TERMS)
    assert first.outcome is Outcome.CORRECTION
    assert first.contribution is not None
    other = decide(arrival(2), reading(Role.PLAN), KNOWN, (first.contribution,), TERMS)
    assert other.outcome is Outcome.CORRECTION
    assert over in other.findings
    mended = decide(arrival(3), reading(Role.FORM), KNOWN, (first.contribution,), TERMS)
    assert mended.outcome is Outcome.ACKNOWLEDGED


def piece(message: int) -> Piece:
    return Piece(filename="a.xlsx", sha256="a" * 64, message=message)


def whole(message: int, at: datetime, *errors: Finding) -> Contribution:
    one = piece(message)
    return Contribution(
        message=message,
        received_at=at,
        form=one,
        summary=one,
        plan=one,
        form_findings=errors,
        total=Decimal(message),
    )


def test_the_last_complete_version_in_time_counts_and_later_ones_are_kept_beside_it() -> None:
    over = finding(Code.SCORE_OVER_MAX, item=8)
    hour = timedelta(hours=1)
    versions = fold(
        [
            whole(1, DEADLINE - 3 * hour),
            whole(2, DEADLINE - 2 * hour),
            whole(3, DEADLINE - hour, over),
            whole(4, DEADLINE + hour),
        ],
        Track.SOCIETY,
        TERMS,
    )
    counts = counting(versions)
    assert counts is not None
    assert (counts.message, counts.total) == (2, Decimal(2))
    assert [v.state for v in versions][2] is Status.INCOMPLETE
    assert status(versions) is Status.COMPLETE


def test_without_a_complete_version_in_time_the_newest_counts() -> None:
    versions = fold(
        [whole(1, DEADLINE + timedelta(hours=1)), whole(2, DEADLINE + timedelta(hours=2))],
        Track.SOCIETY,
        TERMS,
    )
    counts = counting(versions)
    assert counts is not None
    assert counts.message == 2
    assert status(()) is Status.NOT_RECEIVED


def test_nobody_is_told_that_something_lacks_while_a_mail_that_may_hold_it_waits_for_a_person() -> None:
    bomb = document(key="7", finding_=finding(Code.DOCUMENT_DANGEROUS, document="7.zip"))
    first = decide(arrival(1), reading(Role.FORM, extra=(bomb,)), KNOWN, (), TERMS)
    assert first.outcome is Outcome.REVIEW
    assert first.contribution is not None
    second = decide(arrival(2), reading(Role.PLAN), KNOWN, (first.contribution,), TERMS)
    assert (second.outcome, second.reply) == (Outcome.REVIEW, ReplyKind.RECEIPT)
    third = decide(arrival(3), reading(Role.SUMMARY, Role.PLAN), KNOWN, (first.contribution,), TERMS)
    assert third.outcome is Outcome.ACKNOWLEDGED


def test_an_enterprise_in_the_societies_mailbox_owes_no_form_and_is_taken() -> None:
    enterprise = Identity(
        organization=Organization(name="浙江省能源集团科协", track=Track.ENTERPRISE),
        how="subject",
        findings=(),
    )
    decision = decide(arrival(), reading(Role.SUMMARY_AND_PLAN), enterprise, (), TERMS)
    assert decision.outcome is Outcome.CORRECTION
    both = reading(extra=(document(Role.SUMMARY, Role.PLAN),))
    decision = decide(arrival(), both, enterprise, (), TERMS)
    assert decision.outcome is Outcome.ACKNOWLEDGED
    assert codes(decision.findings) == {"delivery.wrong_mailbox"}


def test_a_mail_left_on_the_server_goes_to_a_person() -> None:
    nobody = Identity(organization=None, how="none", findings=())
    decision = decide(arrival(oversized=True), reading(), nobody, (), TERMS)
    assert decision.outcome is Outcome.REVIEW
    assert codes(decision.findings) == {"document.too_large"}


def test_nothing_is_said_to_lack_in_a_mail_that_nobody_has_seen() -> None:
    """Its form, summary, plan and organization were said to lack."""
    late = arrival(at=DEADLINE + timedelta(hours=1), oversized=True)
    missing = finding(Code.ORGANIZATION_MISSING)
    nobody = Identity(organization=None, how="none", findings=(missing,))
    decision = decide(late, reading(), nobody, (), TERMS)
    assert (decision.outcome, codes(decision.findings)) == (
        Outcome.REVIEW,
        {"document.too_large", "delivery.late"},
    )


def test_a_blank_form_stays_a_blank_form_until_a_filled_one_comes() -> None:
    blank = finding(Code.FORM_BLANK, document="表.xlsx")
    first = decide(arrival(1), reading(findings=(blank,), extra=(document(key="8"),)), KNOWN, (), TERMS)
    assert codes(first.findings) == {"form.blank", "summary.missing", "plan.missing"}
    assert first.contribution is not None
    second = decide(arrival(2), reading(Role.SUMMARY, Role.PLAN), KNOWN, (first.contribution,), TERMS)
    assert codes(second.findings) == {"form.blank"}
    assert next(f.document for f in second.findings) == "表.xlsx"
    third = decide(arrival(3), reading(*ALL, findings=(blank,), extra=(document(key="8"),)), KNOWN, (), TERMS)
    assert (third.outcome, third.findings) == (Outcome.ACKNOWLEDGED, ())


def test_an_enterprise_is_not_asked_for_the_form_that_it_sent_blank() -> None:
    enterprise = Identity(organization=Organization(name="甲科协", track=Track.ENTERPRISE), how="subject")
    blank = finding(Code.FORM_BLANK, document="表.xlsx")
    decision = decide(
        arrival(mailbox_track=Track.ENTERPRISE),
        reading(Role.SUMMARY, Role.PLAN, findings=(blank,), extra=(document(key="8"),)),
        enterprise,
        (),
        TERMS,
    )
    assert (decision.outcome, decision.findings) == (Outcome.ACKNOWLEDGED, ())


@pytest.mark.parametrize("code", [Code.SCORE_OVER_MAX, Code.FORM_LOW_CONFIDENCE, Code.FORM_WRONG_YEAR])
def test_no_fault_is_found_with_a_form_that_nobody_owes(code: Code) -> None:
    """An enterprise, which owes none, was asked to correct the scores of the form that it sent along."""
    enterprise = Identity(organization=Organization(name="甲科协", track=Track.ENTERPRISE), how="subject")
    came = reading(*ALL, findings=(finding(code, item=8, found="3", wanted="2"),))
    decision = decide(arrival(mailbox_track=Track.ENTERPRISE), came, enterprise, (), TERMS)
    assert (decision.outcome, decision.findings) == (Outcome.ACKNOWLEDGED, ())
    assert decision.versions[0].form is not None
    assert decide(arrival(), came, KNOWN, (), TERMS).outcome is not Outcome.ACKNOWLEDGED


def test_whether_a_form_is_owed_is_judged_by_whose_it_turns_out_to_be() -> None:
    """A society's form without a name came to the enterprises' mailbox: its faults were gone when the name was told."""
    over = finding(Code.SCORE_OVER_MAX, item=8, found="3", wanted="2")
    nobody = Identity(organization=None, how="none", findings=(finding(Code.ORGANIZATION_MISSING),))
    came = reading(*ALL, findings=(over,))
    first = decide(arrival(mailbox_track=Track.ENTERPRISE), came, nobody, (), TERMS)
    assert codes(first.findings) == {"organization.missing"}
    assert first.contribution is not None
    named = decide(arrival(2), reading(), KNOWN, (first.contribution,), TERMS, names_papers=True)
    assert (named.outcome, named.findings) == (Outcome.CORRECTION, (over,))
    (version,) = fold((first.contribution,), Track.ENTERPRISE, TERMS)
    assert (version.state, version.findings) == (Status.COMPLETE, ())


def test_errors_of_a_form_that_a_newer_one_has_replaced_ask_for_nothing() -> None:
    newer = decide(arrival(2), reading(*ALL), KNOWN, (), TERMS).contribution
    assert newer is not None
    over = finding(Code.SCORE_OVER_MAX, item=8, found="3", wanted="2")
    doubt = finding(Code.FORM_LOW_CONFIDENCE, item=5)
    earlier = DEADLINE - timedelta(hours=1)
    older = decide(arrival(1, at=earlier), reading(*ALL, findings=(over, doubt)), KNOWN, (newer,), TERMS)
    assert (older.outcome, older.reply) == (Outcome.ACKNOWLEDGED, ReplyKind.ACKNOWLEDGEMENT)
    assert codes(older.findings) == {"score.over_max", "form.low_confidence"}
    assert {f.severity for f in older.findings} == {Severity.INFO}
    assert [v.state for v in older.versions] == [Status.REVIEW, Status.COMPLETE]


def test_doubt_about_a_form_that_is_replaced_keeps_nobody_waiting() -> None:
    doubt = finding(Code.FORM_LOW_CONFIDENCE, item=5)
    first = decide(arrival(1), reading(Role.FORM, findings=(doubt,)), KNOWN, (), TERMS)
    assert first.outcome is Outcome.REVIEW
    assert first.contribution is not None
    same = decide(arrival(2), reading(Role.SUMMARY), KNOWN, (first.contribution,), TERMS)
    assert same.outcome is Outcome.REVIEW
    clean = decide(arrival(2), reading(Role.FORM, Role.SUMMARY), KNOWN, (first.contribution,), TERMS)
    assert clean.outcome is Outcome.CORRECTION
    assert codes(clean.findings) == {"plan.missing"}


def test_a_form_that_stands_is_asked_about_again_with_every_mail() -> None:
    altered = finding(Code.FORM_ALTERED, item=8, found="5分", wanted="2分")
    first = decide(arrival(1), reading(*ALL, findings=(altered,)), KNOWN, (), TERMS).contribution
    assert first is not None
    second = decide(arrival(2), reading(Role.PLAN), KNOWN, (first,), TERMS)
    assert (second.outcome, codes(second.findings)) == (Outcome.CORRECTION, {"form.altered"})


def test_warnings_and_hints_ask_for_no_correction() -> None:
    noticed = (finding(Code.TOTAL_MISSING), finding(Code.EVIDENCE_UNSUPPORTED, item=8))
    decision = decide(
        arrival(at=DEADLINE + timedelta(days=3), time_disputed=True),
        reading(*ALL, findings=noticed),
        KNOWN,
        (),
        TERMS,
    )
    assert decision.outcome is Outcome.ACKNOWLEDGED
    assert codes(decision.findings) == {
        "total.missing",
        "evidence.unsupported",
        "delivery.late",
        "delivery.time_disputed",
    }


@pytest.mark.parametrize("code", [c for c in Code if c.asks_a_person and c.value.startswith(("form", "doc"))])
def test_what_only_a_person_can_decide_is_a_review_with_a_receipt(code: Code) -> None:
    over = finding(Code.SCORE_OVER_MAX, item=8)
    if code is Code.DOCUMENT_DANGEROUS:
        mail = reading(*ALL, findings=(over,), extra=(document(key="7", finding_=finding(code)),))
    else:
        mail = reading(*ALL, findings=(over, finding(code)))
    decision = decide(arrival(), mail, KNOWN, (), TERMS)
    assert (decision.outcome, decision.reply) == (Outcome.REVIEW, ReplyKind.RECEIPT)
    assert codes(decision.findings) == {"score.over_max", code.value}
    assert decision.versions[-1].state is Status.REVIEW


@pytest.mark.parametrize(
    ("code", "counted", "reply"),
    [
        (Code.ORGANIZATION_UNKNOWN, True, ReplyKind.RECEIPT),
        (Code.ORGANIZATION_MISMATCH, False, ReplyKind.RECEIPT),
        (Code.ORGANIZATION_MISSING, True, ReplyKind.CORRECTION),
    ],
)
def test_who_it_is(code: Code, counted: bool, reply: ReplyKind) -> None:
    organization = None if code is Code.ORGANIZATION_MISSING else SOCIETY
    identity = Identity(organization=organization, how="form", findings=(finding(code),))
    decision = decide(arrival(), reading(*ALL), identity, (), TERMS)
    assert codes(decision.findings) == {code.value}
    assert decision.reply is reply
    assert (decision.contribution is not None) is counted


def test_a_mail_not_trusted_tells_staff_all_that_is_wrong_with_it() -> None:
    identity = Identity(organization=SOCIETY, how="form", findings=(finding(Code.ORGANIZATION_MISMATCH),))
    blank = finding(Code.FORM_BLANK, document="表.xlsx")
    broken = document(key="9", finding_=finding(Code.DOCUMENT_UNREADABLE, document="9.docx"))
    decision = decide(arrival(), reading(Role.PLAN, findings=(blank,), extra=(broken,)), identity, (), TERMS)
    assert decision.outcome is Outcome.REVIEW
    assert codes(decision.findings) == {"organization.mismatch", "form.blank", "document.unreadable"}
    assert {f.severity for f in decision.findings} == {
        Severity.ERROR,
        finding(Code.ORGANIZATION_MISMATCH).severity,
    }


def test_a_mail_from_nobody_is_for_a_person() -> None:
    decision = decide(arrival(), reading(*ALL, from_=()), KNOWN, (), TERMS)
    assert (decision.outcome, decision.reply) == (Outcome.REVIEW, None)
    assert codes(decision.findings) == {"sender.unauthenticated"}


def test_a_mail_that_could_not_be_read_is_for_a_person_and_accuses_no_sender() -> None:
    nobody = Identity(organization=None, how="none", findings=(finding(Code.ORGANIZATION_MISSING),))
    broken = MailReading(head=head(from_=()), documents=(), findings=(finding(Code.MESSAGE_UNPROCESSABLE),))
    decision = decide(arrival(), broken, nobody, (), TERMS)
    assert decision.outcome is Outcome.REVIEW
    assert "sender.unauthenticated" not in codes(decision.findings)
    given_up = unprocessable("ValueError: x")
    assert (given_up.outcome, given_up.reply) == (Outcome.REVIEW, None)
    assert codes(given_up.findings) == {"message.unprocessable"}


def test_a_question_is_no_submission_whoever_asks() -> None:
    nobody = Identity(organization=None, how="none", findings=(finding(Code.ORGANIZATION_MISSING),))
    decision = decide(arrival(at=DEADLINE + timedelta(hours=1)), reading(), nobody, (), TERMS)
    assert codes(decision.findings) == {"message.inquiry", "delivery.late"}
    good = decide(arrival(1), reading(*ALL), KNOWN, (), TERMS).contribution
    assert good is not None
    asked = decide(arrival(2), reading(), KNOWN, (good,), TERMS)
    assert (asked.outcome, asked.contribution) == (Outcome.REVIEW, None)
    assert [v.message for v in asked.versions] == [1]


def test_the_same_documents_under_a_new_message_id_are_answered_again() -> None:
    first = decide(arrival(1), reading(*ALL), KNOWN, (), TERMS)
    assert first.contribution is not None
    again = reading(*ALL, message_id="<2@example.org>")
    second = decide(arrival(2), again, KNOWN, (first.contribution,), TERMS)
    assert (second.outcome, second.reply) == (Outcome.ACKNOWLEDGED, ReplyKind.ACKNOWLEDGEMENT)
    assert [v.number for v in second.versions] == [1, 2]


def test_what_is_automatic_is_ignored_even_where_it_would_be_for_a_person() -> None:
    mail = reading(*ALL, automatic="List-Id", authentication=Authentication.FAILED)
    decision = decide(arrival(junk=True, duplicate_of=4), mail, KNOWN, (), TERMS)
    assert (decision.outcome, codes(decision.findings)) == (Outcome.IGNORED, {"message.automatic"})


def test_the_first_second_of_the_campaign_belongs_to_it() -> None:
    decision = decide(arrival(at=TERMS.opens), reading(*ALL), KNOWN, (), TERMS)
    assert decision.outcome is Outcome.ACKNOWLEDGED


def test_a_link_is_an_error_also_where_nothing_lacks() -> None:
    link = Link(url="https://mail.qq.com/cgi-bin/ftnExs_download?k=1", expires="2021年2月1日")
    decision = decide(arrival(), reading(*ALL, links=(link,)), KNOWN, (), TERMS)
    assert (decision.outcome, codes(decision.findings)) == (Outcome.CORRECTION, {"delivery.link_only"})
    assert (decision.findings[0].found, decision.findings[0].wanted) == (link.url, "2021年2月1日")


def test_a_form_with_errors_after_a_good_one_asks_for_correction_and_takes_nothing_away() -> None:
    good = whole(1, DEADLINE - timedelta(hours=2))
    over = finding(Code.SCORE_OVER_MAX, item=8)
    decision = decide(arrival(2), reading(Role.FORM, findings=(over,)), KNOWN, (good,), TERMS)
    assert decision.outcome is Outcome.CORRECTION
    assert [v.state for v in decision.versions] == [Status.COMPLETE, Status.INCOMPLETE]
    counts = counting(decision.versions)
    assert counts is not None
    assert counts.message == 1
    assert status(decision.versions) is Status.COMPLETE


NOBODY = Identity(organization=None, how="none", findings=())
LINK = Link(url="https://mail.qq.com/cgi-bin/ftnExs_download?k=1", filename="自评表.xlsx")


def held(*covers: Role, message: int = 1) -> Contribution:
    contribution = decide(arrival(message), reading(*covers), KNOWN, (), TERMS).contribution
    assert contribution is not None
    return contribution


@pytest.mark.parametrize(
    "came",
    [
        reading(links=(LINK,), text="见链接"),
        reading(extra=(EMPTY_FORM,), findings=(finding(Code.FORM_LOW_CONFIDENCE),), asks=True),
        MailReading(head=head(text="请查收"), documents=(PICTURE,), form_key=PICTURE.key),
        MailReading(
            head=head(text="图"), documents=(replace(PICTURE, findings=(finding(Code.DOCUMENT_UNREADABLE),)),)
        ),
    ],
    ids=["a link", "a doubt about a form", "a form in a picture", "a picture that cannot be read"],
)
def test_what_hands_something_in_is_no_mere_question(came: MailReading) -> None:
    assert "message.inquiry" not in codes(decide(arrival(), came, KNOWN, (), TERMS).findings)


@pytest.mark.parametrize(
    "came", [reading(links=(LINK,), claims_attachment=True), reading(Role.FORM, claims_attachment=True)]
)
def test_where_something_came_no_correction_was_forgotten(came: MailReading) -> None:
    assert "message.inquiry" not in codes(decide(arrival(2), came, KNOWN, (held(*ALL),), TERMS).findings)


def test_without_a_claim_an_empty_form_to_what_is_whole_is_no_forgotten_correction() -> None:
    came = reading(extra=(EMPTY_FORM,), findings=(BLANK,), text="请查收")
    decision = decide(arrival(2), came, KNOWN, (held(*ALL),), TERMS)
    assert (decision.outcome, decision.findings) == (Outcome.ACKNOWLEDGED, ())


def test_the_name_alone_answers_whose_the_papers_are() -> None:
    named = reading(text="浙江省示例学会")
    answered = decide(arrival(2), named, KNOWN, (held(*ALL),), TERMS, names_papers=True)
    assert (answered.outcome, answered.reply) == (Outcome.ACKNOWLEDGED, ReplyKind.ACKNOWLEDGEMENT)
    asking = replace(named, head=replace(named.head, asks=True))
    asked = decide(arrival(2), asking, KNOWN, (held(*ALL),), TERMS, names_papers=True)
    assert "message.inquiry" in codes(asked.findings)


def test_a_copy_is_a_copy_whatever_a_person_decided() -> None:
    assigned = Ruling(message=1, kind=RulingKind.ASSIGN, by="章伟", why="电话核对", at=DEADLINE)
    decision = decide(arrival(duplicate_of=3), reading(*ALL), KNOWN, (), TERMS, rulings=(assigned,))
    assert (decision.outcome, codes(decision.findings)) == (Outcome.IGNORED, {"message.duplicate"})


def test_what_belongs_to_nobody_is_no_version_of_anybodys() -> None:
    decision = decide(arrival(), reading(*ALL), NOBODY, (), TERMS)
    assert decision.versions == ()
    assert decision.contribution is not None
    assert decision.requests == ()


def test_a_disputed_time_is_told_with_the_one_that_the_header_names() -> None:
    stamped = DEADLINE - timedelta(hours=3)
    late = arrival(at=DEADLINE + timedelta(hours=1), time_disputed=True)
    found = {
        f.code: f.found for f in decide(late, reading(*ALL, received=stamped), KNOWN, (), TERMS).findings
    }
    assert found[Code.DELIVERY_TIME_DISPUTED] == stamped.isoformat()


def test_of_a_mail_left_on_the_server_nobody_can_say_that_it_only_asks() -> None:
    assert codes(decide(arrival(oversized=True), reading(), NOBODY, (), TERMS).findings) >= {
        "document.too_large"
    }
    assert "message.inquiry" not in codes(
        decide(arrival(oversized=True), reading(), NOBODY, (), TERMS).findings
    )


def test_two_times_differ_where_one_is_late() -> None:
    late = DEADLINE + timedelta(seconds=1)
    assert sides_differ(DEADLINE, late, DEADLINE)
    assert sides_differ(late, DEADLINE, DEADLINE)
    assert not sides_differ(late, late + timedelta(days=1), DEADLINE)
    assert not sides_differ(None, late, DEADLINE)


def test_a_blank_form_without_a_name_is_named_without_one() -> None:
    nameless = reading(Role.SUMMARY, Role.PLAN, findings=(finding(Code.FORM_BLANK),), extra=(EMPTY_FORM,))
    (blank,) = decide(arrival(), nameless, KNOWN, (), TERMS).findings
    assert blank == finding(Code.FORM_BLANK)


def test_a_link_is_told_by_its_file() -> None:
    (told,) = decide(arrival(), reading(*ALL, links=(LINK,)), KNOWN, (), TERMS).findings
    assert told.found == LINK.filename


def test_what_a_mail_contributes() -> None:
    over, doubtful = finding(Code.SCORE_OVER_MAX, item=8), finding(Code.FORM_LOW_CONFIDENCE, item=5)
    form = decide(arrival(), reading(*ALL, findings=(over, doubtful, BLANK)), KNOWN, (), TERMS).contribution
    assert form is not None
    assert (form.form_findings, form.review, form.total, form.blank_form) == ((over, doubtful), (), 90, None)
    apart = decide(
        arrival(), reading(Role.SUMMARY, findings=(over, doubtful), extra=(EMPTY_FORM,)), KNOWN, (), TERMS
    ).contribution
    assert apart is not None
    assert (apart.form, apart.form_findings, apart.review, apart.blank_form) == (None, (), (doubtful,), None)
    nameless = reading(Role.SUMMARY, findings=(finding(Code.FORM_BLANK),), extra=(EMPTY_FORM,))
    blank = decide(arrival(), nameless, KNOWN, (), TERMS).contribution
    assert blank is not None
    assert (blank.total, blank.blank_form) == (None, "")


def test_what_of_a_mail_that_is_not_trusted_cannot_be_read_is_an_error_where_it_lacks_something() -> None:
    broken = document(key="9", finding_=finding(Code.DOCUMENT_UNREADABLE, document="9.docx"))

    def severity(*covers: Role) -> Severity:
        came = reading(*covers, extra=(broken,), authentication=Authentication.FAILED)
        decision = decide(arrival(), came, KNOWN, (), TERMS)
        return next(f.severity for f in decision.findings if f.code is Code.DOCUMENT_UNREADABLE)

    assert severity(*ALL) is Severity.INFO
    assert severity(Role.FORM, Role.PLAN) is Severity.ERROR


def test_a_broken_file_named_like_a_paper_asks_for_nothing_beside_the_papers_that_came() -> None:
    locked = document(key="4", finding_=finding(Code.DOCUMENT_ENCRYPTED, document="自评表（更正）.xlsx"))
    decision = decide(arrival(), reading(*ALL, extra=(locked,)), KNOWN, (), TERMS)
    assert decision.outcome is Outcome.ACKNOWLEDGED


def test_a_blank_form_beside_a_form_that_stands_is_told_to_nobody() -> None:
    over = finding(Code.SCORE_OVER_MAX, item=8)
    first = decide(arrival(1), reading(*ALL, findings=(over,)), KNOWN, (), TERMS).contribution
    assert first is not None
    again = decide(arrival(2), reading(Role.FORM, findings=(over, BLANK)), KNOWN, (first,), TERMS)
    assert [f.code for f in again.findings] == [Code.SCORE_OVER_MAX]


@pytest.mark.parametrize("earlier", [(), (held(Role.FORM, Role.PLAN),)])
def test_a_doubt_about_a_form_that_was_not_found_stands(earlier: tuple[Contribution, ...]) -> None:
    doubtful = finding(Code.FORM_LOW_CONFIDENCE)
    decision = decide(arrival(2), reading(Role.SUMMARY, findings=(doubtful,)), KNOWN, earlier, TERMS)
    assert doubtful in decision.findings
    assert decision.outcome is Outcome.REVIEW


def test_what_is_no_error_of_a_file_stays_what_it_is_where_nothing_lacks() -> None:
    noticed = finding(Code.DOCUMENT_TOO_LARGE, document="9.docx", severity=Severity.WARNING)
    came = reading(*ALL, extra=(document(key="9", finding_=noticed),))
    assert decide(arrival(), came, KNOWN, (), TERMS).findings == (noticed,)


def test_a_question_asks_nobody_for_anything() -> None:
    assert decide(arrival(), reading(), KNOWN, (), TERMS).requests == ()
