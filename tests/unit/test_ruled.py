"""What a person's verdict changes in a decision, and what it leaves alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from mailbot.decide import decide
from mailbot.model import (
    Code,
    Decision,
    Format,
    Outcome,
    ReplyKind,
    Request,
    Role,
    Ruling,
    RulingKind,
    Severity,
    Status,
    Track,
    finding,
    verdict,
)
from mailbot.reading import Authentication, Link
from mailbot.registry import Identity
from mailbot.submission import counting, fold
from tests.unit.test_decide import ALL, DEADLINE, KNOWN, SOCIETY, TERMS, arrival, document, reading

HOUR = timedelta(hours=1)
UNKNOWN = Identity(
    organization=SOCIETY, how="form", findings=(finding(Code.ORGANIZATION_UNKNOWN, found=SOCIETY.name),)
)
DOUBT = finding(Code.FORM_LOW_CONFIDENCE, item=8)
FAULT = finding(Code.SCORE_OVER_MAX, item=8, found="3", wanted="2")


def ruling(kind: RulingKind, **changes: object) -> Ruling:
    given: dict[str, object] = {"message": 1, "kind": kind, "by": "章伟", "why": "核对过", "at": DEADLINE}
    return Ruling(**{**given, **changes})  # type: ignore[arg-type]


ACCEPT = ruling(RulingKind.ACCEPT)
CORRECT = ruling(RulingKind.CORRECT, sentence="请加盖公章。")


def by_code(decision: Decision) -> dict[Code, Severity]:
    return {f.code: f.severity for f in decision.findings}


def test_what_came_with_a_question_can_be_accepted() -> None:
    came = reading(extra=(document(format=Format.IMAGE),), text="请问这样可以吗？", asks=True)
    held = decide(arrival(1), reading(Role.FORM, Role.PLAN), KNOWN, (), TERMS).contribution
    assert held is not None
    accepted = decide(arrival(2), came, KNOWN, (held,), TERMS, rulings=(ACCEPT,))
    assert accepted.outcome is Outcome.ACKNOWLEDGED
    summary = accepted.versions[-1].summary
    assert summary is not None
    assert (summary.message, summary.filename) == (2, "1.docx")


@pytest.mark.parametrize("identity", [UNKNOWN, KNOWN])
def test_accepting_settles_doubts_and_faults_of_what_came(identity: Identity) -> None:
    doubtful = reading(*ALL, findings=(DOUBT, FAULT))
    assert decide(arrival(), doubtful, identity, (), TERMS).outcome is Outcome.REVIEW
    accepted = decide(arrival(), doubtful, identity, (), TERMS, rulings=(ACCEPT,))
    assert (accepted.outcome, accepted.reply) == (Outcome.ACKNOWLEDGED, ReplyKind.ACKNOWLEDGEMENT)
    assert set(by_code(accepted).values()) == {Severity.INFO}
    assert by_code(accepted).keys() >= {DOUBT.code, FAULT.code}
    assert accepted.versions[-1].state is Status.COMPLETE


def test_what_never_came_is_still_asked_for() -> None:
    accepted = decide(
        arrival(), reading(Role.FORM, Role.SUMMARY, findings=(DOUBT,)), KNOWN, (), TERMS, rulings=(ACCEPT,)
    )
    assert accepted.outcome is Outcome.CORRECTION
    assert [f.code for f in accepted.findings if f.severity is Severity.ERROR] == [Code.PLAN_MISSING]


@pytest.mark.parametrize("how", ["document", "link", "oversized", "unprocessable"])
def test_what_only_the_person_could_read_counts_for_what_nothing_else_is_held_for(how: str) -> None:
    came = reading(Role.FORM, Role.SUMMARY)
    where = arrival(oversized=how == "oversized")
    if how == "document":
        locked = document(key="3", finding_=finding(Code.DOCUMENT_ENCRYPTED, document="3.docx"))
        came = replace(came, documents=(*came.documents, locked))
    elif how == "link":
        link = Link(url="https://mail.qq.com/cgi-bin/ftnExs_download", filename="3.docx")
        came = replace(came, head=replace(came.head, links=(link,)))
    elif how == "unprocessable":
        came = replace(came, findings=(finding(Code.MESSAGE_UNPROCESSABLE),))
    accepted = decide(where, came, KNOWN, (), TERMS, rulings=(ACCEPT,))
    assert accepted.outcome is Outcome.ACKNOWLEDGED
    version = accepted.versions[-1]
    assert version.plan is not None
    assert version.plan.message == 1
    assert version.summary is not None
    assert version.summary.filename == "2.docx"


@pytest.mark.parametrize(
    ("changes", "where"),
    [({"authentication": Authentication.FAILED}, {}), ({}, {"junk": True})],
)
def test_a_person_vouches_for_a_mail_that_is_not_trusted(
    changes: dict[str, object], where: dict[str, object]
) -> None:
    came, at = reading(*ALL, **changes), arrival(**where)
    assert decide(at, came, KNOWN, (), TERMS).contribution is None
    accepted = decide(at, came, KNOWN, (), TERMS, rulings=(ACCEPT,))
    assert (accepted.outcome, accepted.reply) == (Outcome.ACKNOWLEDGED, ReplyKind.ACKNOWLEDGEMENT)
    assert accepted.contribution is not None


def test_an_assignment_alone_settles_no_other_doubt() -> None:
    assigned = ruling(RulingKind.ASSIGN, organization=SOCIETY.name, track=Track.SOCIETY)
    mine = Identity(organization=SOCIETY, how="person")
    assert (
        decide(arrival(), reading(*ALL), mine, (), TERMS, rulings=(assigned,)).outcome is Outcome.ACKNOWLEDGED
    )
    doubtful = decide(arrival(), reading(*ALL, findings=(DOUBT,)), mine, (), TERMS, rulings=(assigned,))
    assert (doubtful.outcome, doubtful.reply) == (Outcome.REVIEW, ReplyKind.RECEIPT)


def test_a_request_keeps_the_submission_open_until_its_document_is_replaced() -> None:
    asked = decide(arrival(), reading(*ALL, findings=(FAULT, DOUBT)), KNOWN, (), TERMS, rulings=(CORRECT,))
    assert (asked.outcome, asked.reply) == (Outcome.CORRECTION, ReplyKind.CORRECTION)
    assert asked.requests == (Request(message=1, sentence="请加盖公章。"),)
    assert by_code(asked)[FAULT.code] is Severity.ERROR
    assert asked.versions[-1].state is Status.INCOMPLETE
    assert asked.contribution is not None
    unrelated = decide(arrival(2, at=DEADLINE + HOUR), reading(), KNOWN, (asked.contribution,), TERMS)
    assert unrelated.outcome is Outcome.REVIEW
    mended = decide(arrival(2, at=DEADLINE + HOUR), reading(Role.FORM), KNOWN, (asked.contribution,), TERMS)
    assert (mended.outcome, mended.requests) == (Outcome.ACKNOWLEDGED, ())


def test_a_request_on_one_document_is_not_met_by_another() -> None:
    asked = decide(arrival(), reading(Role.SUMMARY), KNOWN, (), TERMS, rulings=(CORRECT,))
    assert asked.contribution is not None
    rest = decide(
        arrival(2, at=DEADLINE + HOUR), reading(Role.FORM, Role.PLAN), KNOWN, (asked.contribution,), TERMS
    )
    assert rest.outcome is Outcome.CORRECTION
    assert [r.sentence for r in rest.requests] == ["请加盖公章。"]


def test_a_question_that_is_answered_by_a_request_is_no_submission() -> None:
    asked = decide(arrival(), reading(), KNOWN, (), TERMS, rulings=(CORRECT,))
    assert (asked.outcome, asked.contribution, asked.versions) == (Outcome.CORRECTION, None, ())
    assert [r.sentence for r in asked.requests] == ["请加盖公章。"]


def test_no_submission_is_ignored_and_never_answered() -> None:
    spam = ruling(RulingKind.NO_SUBMISSION)
    decision = decide(arrival(), reading(*ALL, findings=(DOUBT,)), UNKNOWN, (), TERMS, rulings=(spam,))
    assert decision == Decision(outcome=Outcome.IGNORED, findings=())


def test_the_last_verdict_counts() -> None:
    spam = ruling(RulingKind.NO_SUBMISSION)
    assigned = ruling(RulingKind.ASSIGN, organization=SOCIETY.name)
    assert verdict((spam, ACCEPT, assigned)) == ACCEPT
    assert verdict((assigned,)) is None
    decision = decide(arrival(), reading(*ALL), UNKNOWN, (), TERMS, rulings=(spam, ACCEPT))
    assert decision.outcome is Outcome.ACKNOWLEDGED


def test_a_robots_mail_that_a_person_takes_in_is_answered_by_nobody() -> None:
    robot = reading(*ALL, automatic="Auto-Submitted: auto-replied")
    decision = decide(arrival(), robot, KNOWN, (), TERMS, rulings=(ACCEPT,))
    assert (decision.outcome, decision.reply) == (Outcome.ACKNOWLEDGED, None)


def test_a_complete_version_in_time_counts_still_while_a_person_asks_for_more() -> None:
    first = decide(arrival(), reading(*ALL), KNOWN, (), TERMS).contribution
    assert first is not None
    asked = decide(
        arrival(2, at=DEADLINE), reading(Role.FORM), KNOWN, (first,), TERMS, rulings=(CORRECT,)
    ).contribution
    assert asked is not None
    versions = fold((first, asked), Track.SOCIETY, TERMS)
    assert [v.state for v in versions] == [Status.COMPLETE, Status.INCOMPLETE]
    counts = counting(versions)
    assert counts is not None
    assert counts.number == 1


def test_a_late_mail_that_is_accepted_brings_nothing_that_never_came() -> None:
    came = reading(Role.FORM, Role.SUMMARY, findings=(DOUBT,))
    accepted = decide(arrival(at=DEADLINE + HOUR), came, KNOWN, (), TERMS, rulings=(ACCEPT,))
    assert [f.code for f in accepted.findings if f.severity is Severity.ERROR] == [Code.PLAN_MISSING]


def test_a_question_without_anything_stays_one_though_it_is_accepted() -> None:
    accepted = decide(arrival(), reading(text="请问什么时候截止？"), KNOWN, (), TERMS, rulings=(ACCEPT,))
    assert (accepted.contribution, accepted.versions) == (None, ())


def test_what_is_asked_for_on_a_question_stands_and_takes_nothing_in() -> None:
    came = reading(extra=(document(format=Format.IMAGE),), text="请问这样可以吗？", asks=True)
    asked = decide(arrival(), came, KNOWN, (), TERMS, rulings=(CORRECT,))
    assert (asked.outcome, asked.contribution) == (Outcome.CORRECTION, None)
    assert [request.sentence for request in asked.requests] == [CORRECT.sentence]


def test_an_empty_form_that_is_accepted_is_still_asked_for_filled_in() -> None:
    blank = finding(Code.FORM_BLANK, document="8.docx")
    came = reading(
        Role.SUMMARY, Role.PLAN, findings=(blank, DOUBT), extra=(document(key="8", role=Role.FORM),)
    )
    accepted = decide(arrival(), came, KNOWN, (), TERMS, rulings=(ACCEPT,))
    assert (accepted.outcome, by_code(accepted)[Code.FORM_BLANK]) == (Outcome.CORRECTION, Severity.ERROR)


def test_a_request_is_met_by_what_takes_the_place_of_a_piece_of_its_mail_alone() -> None:
    plan = decide(arrival(1), reading(Role.PLAN), KNOWN, (), TERMS).contribution
    asked = decide(
        arrival(2), reading(Role.FORM, Role.SUMMARY), KNOWN, (), TERMS, rulings=(CORRECT,)
    ).contribution
    assert plan is not None
    assert asked is not None
    other = decide(arrival(3), reading(Role.PLAN), KNOWN, (plan, asked), TERMS)
    assert [request.message for request in other.requests] == [2]
    own = decide(arrival(3), reading(Role.SUMMARY), KNOWN, (plan, asked), TERMS)
    assert (own.requests, own.outcome) == ((), Outcome.ACKNOWLEDGED)


def test_a_request_on_a_mail_that_brought_nothing_is_met_by_whatever_comes() -> None:
    photograph = reading(extra=(document(key="4"),))
    asked = decide(arrival(1), photograph, KNOWN, (), TERMS, rulings=(CORRECT,)).contribution
    assert asked is not None
    later = decide(arrival(2), reading(*ALL), KNOWN, (asked,), TERMS)
    assert (later.requests, later.outcome) == ((), Outcome.ACKNOWLEDGED)
