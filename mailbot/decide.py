"""What is to become of a message. Pure: the same facts always give the same decision.

The order of the rules is policy and is meant to be read aloud: what is ignored comes first, then what only a
person can decide, then what the organization must correct; all else is acknowledged.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from mailbot.model import (
    Code,
    Contribution,
    Decision,
    Finding,
    Format,
    Organization,
    Outcome,
    Piece,
    ReplyKind,
    Request,
    Role,
    Ruling,
    RulingKind,
    Severity,
    Status,
    Track,
    Version,
    finding,
    verdict,
)
from mailbot.reading import Authentication, DocumentReading, MailHead, MailReading
from mailbot.records import PASSED_OVER
from mailbot.ruled import left_by, reading_left_by, settled
from mailbot.submission import LACKS, Terms, fold, left_open, on_time, on_what_is_owed

if TYPE_CHECKING:
    from mailbot.registry import Identity

_A_PAPERS_NAME = re.compile("自评|总结|计划|更正|改正|修改|补正|修订")
_OF_AN_EMPTY_FORM = frozenset({Code.FORM_BLANK, Code.FORM_WRONG_YEAR})
_UNANSWERABLE = frozenset({Code.SENDER_UNAUTHENTICATED, Code.DELIVERY_IN_JUNK, Code.MESSAGE_AUTOMATIC})


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


def decide(
    arrival: Arrival,
    reading: MailReading,
    identity: Identity,
    earlier: Sequence[Contribution],
    terms: Terms,
    *,
    rulings: Sequence[Ruling] = (),
    names_papers: bool = False,
) -> Decision:
    """The decision on one message.

    `earlier`: the organization's other contributions, in any order. `rulings`: what persons decided on this message.
    Any ruling takes in a message that was ignored as automatic or too early; what a verdict settles stays visible to
    staff as information and asks for nothing any more. `names_papers`: an earlier mail with papers named no
    organization, and this one says which: that is an answer to us and no mere inquiry, though it carries nothing.
    """
    ruled = verdict(rulings)
    if ruled is not None and ruled.kind is RulingKind.NO_SUBMISSION:
        return Decision(outcome=Outcome.IGNORED, findings=())
    ignored = _why_ignored(arrival, reading.head, terms)
    if ignored is not None and not (rulings and ignored.code in PASSED_OVER):
        return Decision(outcome=Outcome.IGNORED, findings=(ignored,))
    organization = identity.organization
    track = organization.track if organization else arrival.mailbox_track
    whole, reading = reading, _of_what_is_owed(reading, terms.requires[track])
    nothing = _only_writes(reading, earlier, track, terms, names_papers=names_papers)
    as_noticed = (
        *(() if ignored is None else (ignored,)),
        *_on_delivery(arrival, reading, identity, terms),
        *_on_contents(arrival, reading, identity, nothing=nothing),
    )
    noticed = left_by(ruled, as_noticed)
    as_read, reading = reading, reading_left_by(ruled, reading)
    by_itself = _contribution(arrival, reading_left_by(ruled, whole), noticed, organization)
    contribution = _ruled_contribution(ruled, by_itself, arrival, as_read, as_noticed)
    versions = fold((*earlier, contribution), track, terms)
    counted = any(v.message == arrival.message for v in versions)
    current = versions[-1] if counted else None
    standing = noticed
    if ruled or not arrival.oversized:
        standing = (*noticed, *_standing(reading, contribution, current, terms.requires[track]))
    outcome = _outcome(arrival, standing, current, ruled)
    findings = _for_staff(standing, reading, current)
    return Decision(
        outcome=outcome,
        findings=(*findings, *settled(findings, as_noticed, as_read)) if ruled else findings,
        organization=organization,
        reply=_reply(outcome, findings),
        contribution=contribution if counted else None,
        versions=versions if organization else (),
        requests=current.requests if current else _own(contribution.request),
    )


def _of_what_is_owed(reading: MailReading, required: Collection[Role]) -> MailReading:
    """The reading, in which no fault is found with a form that is not owed; the contribution keeps the faults."""
    return replace(reading, findings=on_what_is_owed(reading.findings, required))


def _ruled_contribution(
    ruled: Ruling | None,
    contribution: Contribution,
    arrival: Arrival,
    as_read: MailReading,
    as_noticed: Sequence[Finding],
) -> Contribution:
    """The contribution with what the person adds: a document read by hand, or a request to the organization.

    A mail that was a mere inquiry goes on adding no version, whatever the verdict, unless it carried documents and
    these are accepted.
    """
    if ruled is None:
        return contribution
    questions = tuple(f for f in as_noticed if f.code is Code.MESSAGE_INQUIRY)
    if questions and as_read.documents and ruled.kind is RulingKind.ACCEPT:
        return replace(contribution, read_by_hand=_piece(as_read.documents[0], arrival.message))
    contribution = replace(contribution, review=(*contribution.review, *questions))
    if ruled.kind is RulingKind.CORRECT:
        return replace(contribution, request=Request(message=arrival.message, sentence=ruled.sentence))
    return replace(contribution, read_by_hand=_read_by_hand(arrival, as_read))


def _read_by_hand(arrival: Arrival, as_read: MailReading) -> Piece | None:
    """What came and only a person could read: the mail itself, else its first document with a finding, else its link."""
    if not _was_read(arrival, as_read):
        return Piece(filename="", sha256="", message=arrival.message)
    document = next((d for d in as_read.documents if d.findings), None)
    if document is not None:
        return _piece(document, arrival.message)
    links = as_read.head.links
    return Piece(filename=links[0].filename, sha256="", message=arrival.message) if links else None


def _own(request: Request | None) -> tuple[Request, ...]:
    return () if request is None else (request,)


def _why_ignored(arrival: Arrival, head: MailHead, terms: Terms) -> Finding | None:
    if head.automatic:
        return finding(Code.MESSAGE_AUTOMATIC, found=head.automatic)
    if arrival.duplicate_of is not None:
        return finding(Code.MESSAGE_DUPLICATE, found=str(arrival.duplicate_of))
    if arrival.received_at < terms.opens:
        return finding(Code.MESSAGE_OUT_OF_CAMPAIGN)
    return None


def _on_delivery(
    arrival: Arrival, reading: MailReading, identity: Identity, terms: Terms
) -> Iterable[Finding]:
    head = reading.head
    if arrival.junk:
        yield finding(Code.DELIVERY_IN_JUNK)
    if head.authentication is Authentication.FAILED:
        yield finding(Code.SENDER_UNAUTHENTICATED, found="dmarc=fail")
    elif len(head.from_) != 1 and _was_read(arrival, reading):
        yield finding(Code.SENDER_UNAUTHENTICATED, found=", ".join(a.address for a in head.from_))
    if arrival.oversized:
        yield finding(Code.DOCUMENT_TOO_LARGE, severity=Severity.WARNING)
    if not on_time(arrival.received_at, terms.deadline):
        yield finding(Code.DELIVERY_LATE)
    if arrival.time_disputed:
        yield finding(Code.DELIVERY_TIME_DISPUTED, found=head.received.isoformat() if head.received else "")
    if identity.organization and identity.organization.track is not arrival.mailbox_track:
        yield finding(Code.DELIVERY_WRONG_MAILBOX)


def _was_read(arrival: Arrival, reading: MailReading) -> bool:
    return not arrival.oversized and all(f.code is not Code.MESSAGE_UNPROCESSABLE for f in reading.findings)


def _on_contents(
    arrival: Arrival, reading: MailReading, identity: Identity, *, nothing: bool
) -> Iterable[Finding]:
    """Findings on the mail's contents, where these were seen. Of a mere inquiry (`nothing`) it is not asked which
    organization sent it."""
    if arrival.oversized:
        return
    if nothing:
        yield finding(Code.MESSAGE_INQUIRY)
        return
    yield from identity.findings
    for link in reading.head.links:
        yield finding(Code.DELIVERY_LINK_ONLY, found=link.filename or link.url, wanted=link.expires)


def _only_writes(
    reading: MailReading,
    earlier: Sequence[Contribution],
    track: Track,
    terms: Terms,
    *,
    names_papers: bool,
) -> bool:
    """Whether the mail is a mere inquiry: nothing came that could count, and it does not answer a question of ours.

    That answer (`names_papers`) does not count where the mail asks something as well.
    """
    if names_papers and not reading.head.asks:
        return False
    return _hands_in_nothing(reading) or _forgets_a_correction(reading, earlier, track, terms)


def _hands_in_nothing(reading: MailReading) -> bool:
    """Whether a mail holds words alone.

    It has no link and no form with scores; and either nothing is attached, nor said to be; or it asks (or announces
    papers) and what is attached is none of them, such as the notice, an empty form or a picture; or it says something
    else than that a file is attached, and holds pictures alone.
    """
    head, documents = reading.head, reading.documents
    if head.links or reading.form_key or any(f.code not in _OF_AN_EMPTY_FORM for f in reading.findings):
        return False
    if not documents:
        return not head.claims_attachment
    if head.asks:
        return all(map(_counts_for_nothing, documents))
    return (
        not head.claims_attachment
        and head.text != ""
        and all(d.format is Format.IMAGE and d.role is Role.OTHER and not d.findings for d in documents)
    )


def _forgets_a_correction(
    reading: MailReading, earlier: Sequence[Contribution], track: Track, terms: Terms
) -> bool:
    """Whether a correction was left out of a mail to a submission that is complete already.

    The mail says that a file is attached, and holds none, or nothing but an empty form.
    """
    came = reading.head.links or not all(map(_is_empty_form, reading.documents))
    if came or not reading.head.claims_attachment:
        return False
    versions = fold(earlier, track, terms)
    return bool(versions) and versions[-1].state is Status.COMPLETE


def _counts_for_nothing(document: DocumentReading) -> bool:
    """Whether a document is none of the papers that are collected.

    One that could not be read may be such a paper, unless it is a picture.
    """
    read = not document.findings or document.format is Format.IMAGE
    return read and (_is_empty_form(document) or document.role is Role.OTHER)


def _is_empty_form(document: DocumentReading) -> bool:
    return document.role is Role.FORM and not document.covers


def _contribution(
    arrival: Arrival, reading: MailReading, noticed: Sequence[Finding], organization: Organization | None
) -> Contribution:
    form = next((d for d in reading.documents if d.key == reading.form_key), None)
    blank = next((f for f in reading.findings if f.code is Code.FORM_BLANK), None)
    about_form = () if form is None else tuple(f for f in reading.findings if f.code is not Code.FORM_BLANK)
    apart_from_form = () if form is not None else reading.findings
    noticed = (*noticed, *_document_findings(reading), *apart_from_form)
    return Contribution(
        message=arrival.message,
        received_at=arrival.received_at,
        form=_piece(form, arrival.message),
        summary=_piece(_that_covers(reading, Role.SUMMARY, organization), arrival.message),
        plan=_piece(_that_covers(reading, Role.PLAN, organization), arrival.message),
        form_findings=about_form,
        total=reading.assessment.total if reading.assessment else None,
        review=tuple(f for f in noticed if f.code.asks_a_person),
        blank_form=(blank.document or "") if blank and form is None else None,
    )


def _document_findings(reading: MailReading) -> tuple[Finding, ...]:
    return tuple(f for document in reading.documents for f in document.findings)


def _that_covers(
    reading: MailReading, role: Role, organization: Organization | None
) -> DocumentReading | None:
    """The document that counts for a role, where several may.

    The first file that names the organization, since another organization's may lie beside it; else the first of all.
    The mail's own words come last in the reading: they may only sum up what the files say.
    """
    found = [d for d in reading.documents if role in d.covers]
    own = (d for d in found if organization is not None and d.filename and _names(d, organization))
    return next(own, found[0] if found else None)


def _names(document: DocumentReading, organization: Organization) -> bool:
    said = "\n".join((document.title, *document.organizations, document.filename))
    return any(name in said for name in (organization.name, *organization.aliases))


def _piece(document: DocumentReading | None, message: int) -> Piece | None:
    if document is None:
        return None
    return Piece(filename=document.filename, sha256=document.sha256, message=message)


def _standing(
    reading: MailReading, contribution: Contribution, current: Version | None, required: Sequence[Role]
) -> Iterable[Finding]:
    """The findings that stand after this message: on its documents, on the submission, and on its own form unless a newer
    form has replaced that.

    A document that could not be read is the organization's error only while a required document is missing, or where
    its file name says that it was meant to replace one; else it is information.
    """
    pieces = {Role.FORM: contribution.form, Role.SUMMARY: contribution.summary, Role.PLAN: contribution.plan}
    against = current.findings if current else ()
    if current is None:
        lacking = {role for role in required if pieces[role] is None}
    else:
        lacking = {LACKS[f.code] for f in against if f.code in LACKS}
    for each in left_open(_document_findings(reading), lacking):
        replaces = not any(pieces.values()) and _A_PAPERS_NAME.search(each.document or "")
        harmless = each.severity is Severity.ERROR and not lacking and not replaces
        yield replace(each, severity=Severity.INFO) if harmless else each
    yield from against
    if current is None or contribution.form is None:
        yield from _of_own_form(reading, current)


def _of_own_form(reading: MailReading, current: Version | None) -> Iterable[Finding]:
    """The findings on the message's own form. That it is blank is left out where the submission's findings (`current`)
    say so already.
    """
    return (f for f in reading.findings if current is None or f.code is not Code.FORM_BLANK)


def _for_staff(
    standing: Sequence[Finding], reading: MailReading, current: Version | None
) -> tuple[Finding, ...]:
    """What staff see: all findings that stand, and as information those on a form that a newer one has replaced."""
    gone = (f for f in _of_own_form(reading, current) if f not in standing)
    return tuple(dict.fromkeys((*standing, *(replace(f, severity=Severity.INFO) for f in gone))))


def _outcome(
    arrival: Arrival, standing: Sequence[Finding], current: Version | None, ruled: Ruling | None
) -> Outcome:
    if ruled is not None and ruled.kind is RulingKind.CORRECT:
        return Outcome.CORRECTION
    if (arrival.oversized and ruled is None) or any(f.code.asks_a_person for f in standing):
        return Outcome.REVIEW
    if current is not None and current.state is Status.REVIEW:
        return Outcome.REVIEW
    requested = current is not None and bool(current.requests)
    if requested or any(f.severity is Severity.ERROR for f in standing):
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
