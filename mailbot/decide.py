"""What is to become of a message. Pure: the same facts always give the same decision.

The order of the rules is policy and is meant to be read aloud: what is ignored comes first, then what only a
person can decide, then what the organization must correct; all else is acknowledged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mailbot.model import (
    Code,
    Contribution,
    Decision,
    Finding,
    Outcome,
    Piece,
    ReplyKind,
    Role,
    Severity,
    Status,
    Track,
    Version,
    finding,
)
from mailbot.reading import Authentication, DocumentReading, MailHead, MailReading
from mailbot.registry import Identity

_MISSING = {
    Role.FORM: Code.FORM_MISSING,
    Role.SUMMARY: Code.SUMMARY_MISSING,
    Role.PLAN: Code.PLAN_MISSING,
}
_DISTRUSTED = frozenset({Code.SENDER_UNAUTHENTICATED, Code.DELIVERY_IN_JUNK, Code.ORGANIZATION_MISMATCH})
"""Where one of these stands, nothing of the mail may touch anybody's submission."""
_NO_VERSION = _DISTRUSTED | {Code.MESSAGE_INQUIRY}
_UNANSWERABLE = frozenset({Code.SENDER_UNAUTHENTICATED, Code.DELIVERY_IN_JUNK})


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the campaign asks for."""

    opens: datetime
    deadline: datetime
    requires: Mapping[Track, tuple[Role, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """How a message came in."""

    message: int
    """Row number."""
    received_at: datetime
    mailbox_track: Track
    junk: bool = False
    duplicate_of: int | None = None
    """Row number of the copy that counts."""
    time_disputed: bool = False
    oversized: bool = False
    """It stayed on the server because it is larger than limits.message_mb."""


def on_time(received_at: datetime, deadline: datetime) -> bool:
    """Whether a mail came in time: 17:30:00 does, 17:30:01 does not (whole seconds)."""
    return received_at.replace(microsecond=0) <= deadline


def decide(
    arrival: Arrival,
    reading: MailReading,
    identity: Identity,
    earlier: Sequence[Contribution],
    terms: Terms,
) -> Decision:
    """The decision on one message.

    `earlier` are the organization's other contributions, in any order.
    """
    ignored = _why_ignored(arrival, reading.head, terms)
    if ignored is not None:
        return Decision(outcome=Outcome.IGNORED, findings=(ignored,))
    noticed = (
        *_on_delivery(arrival, reading.head, identity, terms),
        *identity.findings,
        *_on_contents(arrival, reading),
    )
    organization = identity.organization
    track = organization.track if organization else arrival.mailbox_track
    contribution = _contribution(arrival, reading, noticed)
    versions = fold((*earlier, contribution), track, terms)
    counted = any(v.message == arrival.message for v in versions)
    current = versions[-1] if counted else None
    findings = _all_findings(noticed, reading, current)
    outcome = _outcome(arrival, findings, current)
    return Decision(
        outcome=outcome,
        findings=findings,
        organization=organization,
        reply=_reply(outcome, findings),
        contribution=contribution if organization and counted else None,
        versions=versions if organization else (),
    )


def _why_ignored(arrival: Arrival, head: MailHead, terms: Terms) -> Finding | None:
    if head.automatic:
        return finding(Code.MESSAGE_AUTOMATIC, found=head.automatic)
    if arrival.duplicate_of is not None:
        return finding(Code.MESSAGE_DUPLICATE, found=str(arrival.duplicate_of))
    if arrival.received_at < terms.opens:
        return finding(Code.MESSAGE_OUT_OF_CAMPAIGN)
    return None


def _on_delivery(arrival: Arrival, head: MailHead, identity: Identity, terms: Terms) -> Iterable[Finding]:
    if arrival.junk:
        yield finding(Code.DELIVERY_IN_JUNK)
    if head.authentication is Authentication.FAILED:
        yield finding(Code.SENDER_UNAUTHENTICATED, found="dmarc=fail")
    elif len(head.from_) > 1:
        yield finding(Code.SENDER_UNAUTHENTICATED, found=", ".join(a.address for a in head.from_))
    if arrival.oversized:
        yield finding(Code.DOCUMENT_TOO_LARGE, severity=Severity.WARNING)
    if not on_time(arrival.received_at, terms.deadline):
        yield finding(Code.DELIVERY_LATE)
    if arrival.time_disputed:
        yield finding(Code.DELIVERY_TIME_DISPUTED, found=head.received.isoformat() if head.received else "")
    if identity.organization and identity.organization.track is not arrival.mailbox_track:
        yield finding(Code.DELIVERY_WRONG_MAILBOX)


def _on_contents(arrival: Arrival, reading: MailReading) -> Iterable[Finding]:
    head = reading.head
    for link in head.links:
        yield finding(Code.DELIVERY_LINK_ONLY, found=link.filename or link.url, wanted=link.expires)
    nothing_came = not (reading.documents or head.links or reading.findings)
    if nothing_came and not head.claims_attachment and not arrival.oversized:
        yield finding(Code.MESSAGE_INQUIRY)


def _contribution(arrival: Arrival, reading: MailReading, noticed: Sequence[Finding]) -> Contribution:
    form = next((d for d in reading.documents if d.key == reading.form_key), None)
    blank = next((f for f in reading.findings if f.code is Code.FORM_BLANK), None)
    about_form = () if form is None else tuple(f for f in reading.findings if f.code is not Code.FORM_BLANK)
    apart_from_form = () if form is not None else reading.findings
    noticed = (*noticed, *_document_findings(reading), *apart_from_form)
    return Contribution(
        message=arrival.message,
        received_at=arrival.received_at,
        form=_piece(form, arrival.message),
        summary=_first_that_covers(reading, Role.SUMMARY, arrival.message),
        plan=_first_that_covers(reading, Role.PLAN, arrival.message),
        form_findings=about_form,
        total=reading.assessment.total if reading.assessment else None,
        review=tuple(f for f in noticed if f.code.asks_a_person),
        blank_form=(blank.document or "") if blank and form is None else None,
    )


def _document_findings(reading: MailReading) -> tuple[Finding, ...]:
    return tuple(f for document in reading.documents for f in document.findings)


def _first_that_covers(reading: MailReading, role: Role, message: int) -> Piece | None:
    return _piece(next((d for d in reading.documents if role in d.covers), None), message)


def _piece(document: DocumentReading | None, message: int) -> Piece | None:
    if document is None:
        return None
    return Piece(filename=document.filename, sha256=document.sha256, message=message)


def fold(contributions: Iterable[Contribution], track: Track, terms: Terms) -> tuple[Version, ...]:
    """The versions of a submission: what was held after each message, by receipt time, oldest first.

    A newer document replaces the older one of its role. Mails that are not trusted add no version. While
    something lacks and an earlier mail waits for a person, that mail may hold it: the state is `review`.
    """
    versions: list[Version] = []
    held: dict[Role, Piece] = {}
    form_findings: tuple[Finding, ...] = ()
    waiting: tuple[Finding, ...] = ()
    total = None
    for one in sorted(contributions, key=lambda c: (c.received_at, c.message)):
        if any(f.code in _NO_VERSION for f in one.review):
            continue
        pieces = {Role.FORM: one.form, Role.SUMMARY: one.summary, Role.PLAN: one.plan}
        held.update({role: piece for role, piece in pieces.items() if piece is not None})
        if one.form is not None:
            form_findings, total = one.form_findings, one.total
        lacking = [role for role in terms.requires[track] if role not in held]
        waiting = (*waiting, *one.review) if lacking else ()
        against = (*_lacks(lacking, one), *form_findings)
        versions.append(
            Version(
                number=len(versions) + 1,
                message=one.message,
                received_at=one.received_at,
                on_time=on_time(one.received_at, terms.deadline),
                state=_state(against, (*waiting, *one.review)),
                form=held.get(Role.FORM),
                summary=held.get(Role.SUMMARY),
                plan=held.get(Role.PLAN),
                total=total,
                findings=against,
            )
        )
    return tuple(versions)


def _lacks(lacking: Sequence[Role], newest: Contribution) -> Iterable[Finding]:
    for role in lacking:
        if role is Role.FORM and newest.blank_form is not None:
            yield finding(Code.FORM_BLANK, document=newest.blank_form or None)
        else:
            yield finding(_MISSING[role])


def _state(against: Sequence[Finding], waiting: Sequence[Finding]) -> Status:
    if waiting or any(f.code.asks_a_person for f in against):
        return Status.REVIEW
    if any(f.severity is Severity.ERROR for f in against):
        return Status.INCOMPLETE
    return Status.COMPLETE


def counting(versions: Sequence[Version]) -> Version | None:
    """The version that counts: the last complete one received by the deadline, without one the newest."""
    in_time = [v for v in versions if v.on_time and v.state is Status.COMPLETE]
    if in_time:
        return in_time[-1]
    return versions[-1] if versions else None


def _all_findings(
    noticed: Sequence[Finding], reading: MailReading, current: Version | None
) -> tuple[Finding, ...]:
    """What staff see: all that was noticed in the message and all that stands against the submission."""
    standing = current.findings if current else ()
    lacking = any(f.code in _MISSING.values() or f.code is Code.FORM_BLANK for f in standing)
    documents = (
        f if lacking or f.severity is not Severity.ERROR else replace(f, severity=Severity.INFO)
        for f in _document_findings(reading)
    )
    own_form = (f for f in reading.findings if f.code is not Code.FORM_BLANK)
    return tuple(dict.fromkeys((*noticed, *documents, *standing, *own_form)))


def _outcome(arrival: Arrival, findings: Sequence[Finding], current: Version | None) -> Outcome:
    if arrival.oversized or any(f.code.asks_a_person for f in findings):
        return Outcome.REVIEW
    if current is not None and current.state is Status.REVIEW:
        return Outcome.REVIEW
    if any(f.severity is Severity.ERROR for f in findings):
        return Outcome.CORRECTION
    return Outcome.ACKNOWLEDGED


def _reply(outcome: Outcome, findings: Sequence[Finding]) -> ReplyKind | None:
    if any(f.code in _UNANSWERABLE for f in findings):
        return None
    match outcome:
        case Outcome.ACKNOWLEDGED:
            return ReplyKind.ACKNOWLEDGEMENT
        case Outcome.CORRECTION:
            return ReplyKind.CORRECTION
        case Outcome.REVIEW:
            return ReplyKind.RECEIPT
        case Outcome.IGNORED:
            return None


def unprocessable(reason: str) -> Decision:
    """The decision on a message whose processing failed after its retries: a person looks at it."""
    return Decision(outcome=Outcome.REVIEW, findings=(finding(Code.MESSAGE_UNPROCESSABLE, found=reason),))


def status(versions: Sequence[Version]) -> Status:
    """Where an organization stands, by the version that counts."""
    version = counting(versions)
    return version.state if version else Status.NOT_RECEIVED
