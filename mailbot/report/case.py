"""One message with its decision, and what the reader of the answer may know of it. Pure.

From can be forged. So a letter tells only what came with this mail, what its reader sent himself, or, at an
address registered for the organization, all of the organization's own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from mailbot.config import Config, Mailbox
from mailbot.model import (
    PAPERS,
    UNREAD,
    Assessment,
    Code,
    Decision,
    Finding,
    Format,
    Piece,
    ReplyKind,
    ReplyState,
    Role,
    Severity,
    Status,
    Track,
    Version,
)
from mailbot.reading import DocumentReading, MailReading
from mailbot.records import ReplyRecord, StoredMessage
from mailbot.report import wording
from mailbot.report.faults import OtherYear
from mailbot.report.letters import Contact, EarlierRequest, Facts, Held, SentDocument
from mailbot.rubric import Rubric
from mailbot.submission import LACKS, MISSING, counting, on_time, sides_differ

_PARTS = {
    Role.SUMMARY: {Role.SUMMARY},
    Role.PLAN: {Role.PLAN},
    Role.SUMMARY_AND_PLAN: {Role.SUMMARY, Role.PLAN},
}
_HOLDS_OTHERS = {
    **dict.fromkeys((Format.ZIP, Format.RAR, Format.SEVEN_ZIP, Format.TAR), "压缩包"),
    Format.EML: "邮件",
}
"""How a letter calls a file that only holds others, which are listed beside it."""
_PHOTOGRAPH_OCTETS = 50_000
_REACHED = frozenset({ReplyState.QUEUED, ReplyState.SENDING, ReplyState.SENT, ReplyState.DRAFTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One message with its decision, and to whom the answer goes."""

    message: StoredMessage
    reading: MailReading
    decision: Decision
    mailbox: Mailbox
    to: str
    now: datetime
    told: frozenset[int]
    """Numbers of the messages whose contents the reader may be told."""
    earlier: tuple[ReplyRecord, ...] = ()
    """Letters to this organization so far, oldest first."""
    assessment: Assessment | None = None
    """Of the form that stands, where the reader may be told of it."""

    @property
    def version(self) -> Version | None:
        """The submission as it stands; None where this message belongs to none."""
        versions = self.decision.versions
        return versions[-1] if any(v.message == self.message.id for v in versions) else None

    @property
    def registered(self) -> bool:
        """Whether the reader's address is registered for the organization."""
        organization = self.decision.organization
        return organization is not None and self.to in {e.lower() for e in organization.emails}

    @property
    def own_form(self) -> bool:
        """Whether the reader may be told of the form that stands."""
        return self.version is None or self.version.form is None or self.version.form.message in self.told

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The errors that the letter tells.

        Not those of a form that somebody else sent, nor of a form that a newer one has replaced. And no missing
        documents where the mail brought some and only its organization is not known: nobody can say what that one lacks.
        """
        hidden = set() if self.own_form else set(_of_the_form(self.version))
        if self.reading.documents and any(_is_of_several(f) for f in self.decision.findings):
            hidden |= {f for f in self.decision.findings if f.code in MISSING}
        if self._form_was_replaced and self.version is not None:
            hidden |= set(self.reading.findings) - set(self.version.findings)
        return tuple(f for f in self.decision.findings if f.severity is Severity.ERROR and f not in hidden)

    @property
    def asked(self) -> tuple[str, ...]:
        """What a person asks for on account of messages that the reader may be told of."""
        return tuple(r.sentence for r in self.decision.requests if r.message in self.told)

    @property
    def _form_was_replaced(self) -> bool:
        """Whether a newer mail, decided before this one, had replaced this mail's form already."""
        form = self.version.form if self.version else None
        return self.reading.form_key is not None and form is not None and form.message != self.message.id

    @property
    def withheld(self) -> int:
        """How many errors stand in a form that somebody else sent."""
        if self.own_form:
            return 0
        return sum(1 for f in _of_the_form(self.version) if f.severity is Severity.ERROR)


def _is_of_several(finding: Finding) -> bool:
    """Whether the finding says that no organization is named by a sender who writes for several."""
    return finding.code is Code.ORGANIZATION_MISSING and finding.wanted != ""


def _of_the_form(version: Version | None) -> tuple[Finding, ...]:
    return tuple(f for f in version.findings if f.code not in LACKS) if version else ()


def receipt_number(campaign: str, message: StoredMessage) -> str:
    """2020-000017-3fa9c2d1: the campaign, the message's number, and the beginning of its ledger hash."""
    return f"{campaign}-{message.id:06d}-{message.receipt_hash[:8]}"


def facts(case: Case, kind: ReplyKind, config: Config, rubric: Rubric) -> Facts:
    """What the letter may say."""
    campaign, head = config.campaign, case.reading.head
    zone, codes = campaign.timezone, {f.code for f in case.decision.findings}
    named = kind is not ReplyKind.RECEIPT or not any(c.value.startswith("organization.") for c in codes)
    organization = case.decision.organization
    verdict = kind is not ReplyKind.RECEIPT
    pictures = tuple(_unrecognized(case)) if verdict else ()
    return Facts(
        campaign_title=campaign.title,
        notice=campaign.notice,
        organization=organization.name if organization and named else None,
        number=receipt_number(campaign.name, case.message),
        received_at=case.message.received_at.astimezone(zone),
        on_time=on_time(case.message.received_at, campaign.deadline),
        time_disputed=_sides_differ(case, campaign.deadline),
        deadline=campaign.deadline.astimezone(zone),
        now=case.now,
        owed=config.owed[organization.track if organization else case.mailbox.track],
        documents=tuple(_sent(case.reading, pictures)),
        held=tuple(_held(case, config)) if verdict else (),
        findings=case.errors if verdict else (),
        withheld=case.withheld if verdict else 0,
        asked=case.asked if verdict else (),
        assessment=case.assessment if verdict else None,
        pictures=pictures,
        of_other_years=tuple(_of_other_years(case)) if verdict else (),
        rubric=rubric,
        earlier=_earlier_request(case, config) if verdict else None,
        counts_from=_counts_from(case, config) if verdict else None,
        inquiry=Code.MESSAGE_INQUIRY in codes,
        asks=head.question is not None and head.question.plain and bool(config.staff.digest_to),
        forgotten=head.claims_attachment and not case.reading.documents and not head.links,
        mailbox=case.mailbox.address,
        contact=_contact(case.mailbox, organization.track if organization and named else None, config),
    )


def _contact(mailbox: Mailbox, track: Track | None, config: Config) -> Contact:
    """The contact of the organization's own track, whichever mailbox it wrote to: its paper copy goes there too."""
    right = (m.contact for m in config.mailboxes if m.track is track and mailbox.track is not track)
    given = next(filter(None, right), mailbox.contact)
    return Contact(name=given.name, phone=given.phone, address=given.address) if given else Contact()


def _held(case: Case, config: Config) -> Iterator[Held]:
    version = case.version
    if version is None:
        return
    received = {v.message: v.received_at for v in case.decision.versions}
    pieces = {Role.FORM: version.form, Role.SUMMARY: version.summary, Role.PLAN: version.plan}
    for role, piece in pieces.items():
        if piece is not None:
            when = received.get(piece.message, version.received_at).astimezone(config.campaign.timezone)
            yield _held_piece(case, role, piece, when)


def _held_piece(case: Case, role: Role, piece: Piece, when: datetime) -> Held:
    if piece.message == case.message.id:
        return Held(role=role, filename=piece.filename)
    return Held(role=role, filename=piece.filename if piece.message in case.told else "", received_at=when)


def _counts_from(case: Case, config: Config) -> datetime | None:
    """Receipt time of the earlier version that counts in place of this one: complete, and by the deadline. None where
    this one counts, or the reader may not know of that one."""
    counts = counting(case.decision.versions)
    if counts is None or counts.message == case.message.id or counts.message not in case.told:
        return None
    if counts.state is not Status.COMPLETE or not counts.on_time:
        return None
    return counts.received_at.astimezone(config.campaign.timezone)


def _earlier_request(case: Case, config: Config) -> EarlierRequest | None:
    """The last correction letter that this reader may know of; None where another letter has followed it."""
    letters = [
        r
        for r in case.earlier
        if r.state in _REACHED and r.message in case.told and r.message != case.message.id
    ]
    if not letters or letters[-1].kind is not ReplyKind.CORRECTION:
        return None
    last = letters[-1]
    then = next((v for v in case.decision.versions if v.message == last.message), None)
    if then is None:
        return None
    return EarlierRequest(
        number=last.subject.rpartition(" ")[2],
        sent_at=last.queued_at.astimezone(config.campaign.timezone),
        count=sum(1 for r in letters if r.kind is ReplyKind.CORRECTION),
        findings=then.findings if then.form is None or then.form.message in case.told else (),
    )


def _sides_differ(case: Case, deadline: datetime) -> bool:
    """Whether INTERNALDATE and the topmost Received header disagree on whether the mail was in time."""
    disputed = any(f.code is Code.DELIVERY_TIME_DISPUTED for f in case.decision.findings)
    return disputed and sides_differ(case.reading.head.received, case.message.received_at, deadline)


def _unrecognized(case: Case) -> Iterator[str]:
    """File names of pictures that may be a missing document, of which nothing was recognized. They are larger than the
    logos in signatures."""
    if any(f.code in MISSING for f in case.errors):
        for document in case.reading.documents:
            is_photograph = document.format is Format.IMAGE and document.size >= _PHOTOGRAPH_OCTETS
            told = document.covers or document.year or document.role in (Role.FORM, Role.EVIDENCE)
            if is_photograph and not told and not document.findings:
                yield document.filename


def _of_other_years(case: Case) -> Iterator[OtherYear]:
    """Summaries and plans of another year, where that of the wanted year is missing."""
    lacking = {MISSING[f.code] for f in case.errors if f.code in MISSING}
    for document in case.reading.documents:
        if document.year is not None and not document.covers and lacking & _PARTS.get(document.role, set()):
            yield OtherYear(filename=document.filename, role=document.role, year=document.year)


def _sent(reading: MailReading, pictures: Collection[str]) -> Iterator[SentDocument]:
    for document in reading.documents:
        if document.filename:
            taken_for = "未能识读" if document.filename in pictures else _taken_for(document, reading)
            yield SentDocument(filename=document.filename, taken_for=taken_for)


def _taken_for(document: DocumentReading, reading: MailReading) -> str:
    if any(f.code in UNREAD for f in document.findings):
        return "未能读取"
    blank = any(f.code is Code.FORM_BLANK and f.document == document.filename for f in reading.findings)
    if blank and document.role is Role.FORM:
        return "自评表，空白"
    if document.role is Role.OTHER and document.format in _HOLDS_OTHERS:
        return _HOLDS_OTHERS[document.format]
    if set(PAPERS) <= set(document.covers):
        return wording.ROLE_NAMES[Role.SUMMARY_AND_PLAN]
    name = wording.ROLE_NAMES[document.role]
    is_dated = document.role in _PARTS and not document.covers and document.year is not None
    return f"{document.year}年度{name.removeprefix('下一年度')}" if is_dated else name
