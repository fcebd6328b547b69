"""What an organization's record means for the staff: what is owed, what came, the sums, late corrections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from mailbot.config import Config
from mailbot.model import (
    Assessment,
    Code,
    Finding,
    Format,
    Outcome,
    Outline,
    Piece,
    ReplyKind,
    Role,
    Status,
    Version,
)
from mailbot.records import OUR_MESSAGE_ID, MessageRecord, OrganizationRecord, ReplyRecord
from mailbot.report.labels import reason
from mailbot.rubric import Rubric
from mailbot.submission import on_time


def addresses(config: Config) -> Mapping[str, str]:
    """The mailboxes' addresses by their names: people know the address."""
    return {mailbox.name: mailbox.address for mailbox in config.mailboxes}


def folder_name(mailbox: str, folder: str, config: Config) -> str:
    """A folder as people call it."""
    names = {
        (each.name, name): word
        for each in config.mailboxes
        for name, word in ((each.imap.junk_folder, "垃圾箱"), (each.imap.folder, "收件箱"))
    }
    return names.get((mailbox, folder), folder)


def place_name(mailbox: str, folder: str, config: Config) -> str:
    """A folder of a mailbox as people call both: `societies@example.org（收件箱）`."""
    return f"{addresses(config).get(mailbox, mailbox)}（{folder_name(mailbox, folder, config)}）"


def piece(version: Version | None, role: Role) -> Piece | None:
    """What counts for a role in a version."""
    if version is None:
        return None
    pieces = {Role.FORM: version.form, Role.SUMMARY: version.summary, Role.PLAN: version.plan}
    return pieces.get(role)


def category_sums(assessment: Assessment | None, rubric: Rubric) -> tuple[Decimal | None, ...]:
    """The points claimed in each of the rubric's categories; None where no score of it could be read."""
    scores: dict[str, list[Decimal]] = {category.name: [] for category in rubric.categories}
    for item in assessment.items if assessment else ():
        if item.score is not None and item.no in rubric.by_no:
            scores[rubric.by_no[item.no].category].append(item.score)
    return tuple(sum(each, Decimal()) if each else None for each in scores.values())


def whole_form(record: OrganizationRecord) -> Assessment | None:
    """The organization's form, if it is this year's and each of its scores could be read; else None."""
    findings = record.counts.findings if record.counts else ()
    of_another_year = any(f.code is Code.FORM_WRONG_YEAR for f in findings)
    form = record.assessment
    is_whole = form is not None and form.total is not None and is_all_scored(form)
    return form if is_whole and not of_another_year else None


def is_all_scored(assessment: Assessment | None) -> bool:
    """Whether each score of a form could be read."""
    return assessment is not None and all(item.score is not None for item in assessment.items)


def late_corrections(record: OrganizationRecord) -> tuple[Outline, ...]:
    """Versions received after the deadline that do not count, because one that came in time does."""
    counts = record.counts
    if counts is None or not counts.on_time:
        return ()
    return tuple(v for v in record.versions if not v.on_time)


def newer_incomplete(record: OrganizationRecord) -> tuple[Outline, ...]:
    """Versions in time that do not count though they are newer than the one that does: they are not complete."""
    counts = record.counts
    if counts is None:
        return ()
    return tuple(v for v in record.versions if v.on_time and v.number > counts.number)


def first_in_time(record: OrganizationRecord) -> Outline | None:
    """The first version, if it came in time and the one that counts came late; else None."""
    if record.counts is None or record.counts.on_time or not record.versions:
        return None
    return record.versions[0] if record.versions[0].on_time else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many organizations stand where."""

    total: int
    by_status: Mapping[Status, int]
    late: int
    """How many of them have a version that counts and came after the deadline."""

    @property
    def complete(self) -> int:
        return self.by_status[Status.COMPLETE]


def tally(records: Sequence[OrganizationRecord]) -> Tally:
    """Count the organizations by where they stand."""
    by_status = dict.fromkeys(Status, 0)
    for record in records:
        by_status[record.status] += 1
    late = sum(1 for record in records if record.counts is not None and not record.counts.on_time)
    return Tally(total=len(records), by_status=by_status, late=late)


def in_time(message: MessageRecord, config: Config) -> bool:
    """Whether a message came by the deadline."""
    return on_time(message.received_at, config.campaign.deadline)


def in_junk(message: MessageRecord) -> bool:
    """Whether a message waits only because it lay in the Junk folder."""
    return message.waits_for_a_person and any(f.code is Code.DELIVERY_IN_JUNK for f in message.findings)


def may_hold_papers(message: MessageRecord) -> bool:
    """Whether a mail that was ignored for a robot's sign, or for its date, carries files, and nobody has looked at it.

    Letters of ours, bounces (they return these) and pictures in a signature are none. What the office hands on from one
    of its accounts to another is one: a society may have brought it there.
    """
    if not message.was_passed_over or message.rulings or _is_returned(message):
        return False
    return any(d.format is not Format.IMAGE or d.role is not Role.OTHER for d in message.documents)


def _is_returned(message: MessageRecord) -> bool:
    signs = [f.found for f in message.findings]
    ours = message.message_id.startswith(OUR_MESSAGE_ID)
    postmaster = message.sender.startswith(("mailer-daemon@", "postmaster@"))
    return ours or postmaster or any(sign.startswith(("Content-Type:", "Message-ID:")) for sign in signs)


def answers_the_office(message: MessageRecord) -> bool:
    """Whether it was ignored as an answer to what goes to the staff: a digest or an alarm."""
    return any(
        f.code is Code.MESSAGE_AUTOMATIC and f.found.startswith("In-Reply-To:") for f in message.findings
    )


def asks_beside_papers(message: MessageRecord) -> bool:
    """Whether a mail was answered by what it brings, and asks something that nobody has looked at."""
    by_its_papers = message.outcome in (Outcome.ACKNOWLEDGED, Outcome.CORRECTION)
    return message.question != "" and by_its_papers and not message.rulings


def doubts(message: MessageRecord) -> Iterator[Finding]:
    """The findings for which a message waits for a person."""
    return (f for f in message.findings if f.code.asks_a_person)


def settled_since(message: MessageRecord, records: Mapping[str, OrganizationRecord]) -> bool:
    """Whether a later mail has made the organization's submission complete; `records` are by name."""
    record = records.get(message.organization or "")
    if record is None or record.counts is None or record.status is not Status.COMPLETE:
        return False
    return record.counts.received_at > message.received_at


def why_stuck(message: MessageRecord, reply: ReplyRecord, records: Mapping[str, OrganizationRecord]) -> str:
    """Why a reply did not go out, and that a correction has been answered before it did."""
    settled = reply.kind is ReplyKind.CORRECTION and settled_since(message, records)
    return "；".join((*filter(None, [reason(reply)]), *(["该单位其后来件已齐全"] if settled else ())))
