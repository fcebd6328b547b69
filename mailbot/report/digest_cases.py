"""What needs a person, each case with its reason and all that is needed to decide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from itertools import islice

from mailbot.config import Config
from mailbot.model import SURE, Code, Finding, ItemReading, Severity, doubted
from mailbot.records import STUCK, Counts, MessageRecord, OrganizationRecord, ReplyRecord
from mailbot.report.cut import Cut, cut
from mailbot.report.figures import one_line, points_or_dash, short_moment
from mailbot.report.labels import READ_BY, REPLY_KINDS, REPLY_STATES, ROLES, answer, short, step
from mailbot.report.problems import problems
from mailbot.report.standing import (
    addresses,
    asks_beside_papers,
    doubts,
    in_junk,
    may_hold_papers,
    settled_since,
    why_stuck,
)
from mailbot.report.wording import detail, points
from mailbot.rubric import Rubric

_MOST_CASES, _MOST_JUNK, _MOST_UNSENT, _MOST_ASKED = 30, 15, 30, 30
_MOST_REASONS, _MOST_DOCUMENTS, _MOST_CELLS, _MOST_FAULTS = 6, 8, 6, 8
_LONGEST_TEXT = 300
_UNSEEN = "（未下载）"
_MOST_PICTURES, _LARGEST_PICTURE = 20, 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A PNG that the digest shows."""

    content_id: str
    filename: str
    data: bytes


@dataclass(slots=True)
class Pictures:
    """The pictures of one digest, as many as a mail should carry."""

    _taken: list[Picture] = field(default_factory=list)

    def show(self, message: int, item: ItemReading) -> str:
        """The content id under which a doubtful cell is shown; '' where there is no picture of it."""
        too_large = item.picture is None or len(item.picture) > _LARGEST_PICTURE
        if item.picture is None or too_large or len(self._taken) >= _MOST_PICTURES:
            return ""
        name = f"cell-{message}-{item.no}"
        self._taken.append(Picture(content_id=f"{name}@mailbot", filename=f"{name}.png", data=item.picture))
        return f"{name}@mailbot"

    @property
    def all(self) -> tuple[Picture, ...]:
        return tuple(self._taken)


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtfulCell:
    """A score that recognition was not sure of."""

    item: int
    text: str
    note: str
    """Why it is doubtful, where that can be said."""
    content_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One mail that waits for a person."""

    number: int
    """By which `mailbot review` takes a decision on it."""
    who: str
    reasons: tuple[str, ...]
    more_reasons: int
    to_do: tuple[str, ...]
    received_at: str
    mailbox: str
    sender: str
    subject: str
    documents: tuple[str, ...]
    more_documents: int
    read: str
    faults: str
    """What the organization would have been asked to correct."""
    cells: tuple[DoubtfulCell, ...]
    text: str
    """What its writer wrote, where he asks something or it may hold a paper."""
    reply: str
    settled: bool
    """The organization's later mails made its submission complete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JunkMail:
    """A mail in the Junk folder."""

    number: int
    received_at: str
    sender: str
    subject: str
    mailbox: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedOver:
    """A mail that was not taken and carries files."""

    number: int
    received_at: str
    why: str
    sender: str
    subject: str
    files: str
    more_files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A mail that was answered by what it brings, and asks something that only a person can answer."""

    number: int
    received_at: str
    who: str
    sender: str
    words: str
    reply: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsent:
    """A reply that did not go out, or of which nobody knows."""

    number: int
    message: int
    organization: str
    to: str
    kind: str
    state: str
    queued_at: str
    error: str


def waiting(
    messages: Sequence[MessageRecord],
    organizations: Sequence[OrganizationRecord],
    rubric: Rubric,
    config: Config,
    pictures: Pictures,
) -> Cut[Case]:
    """The mails that only a person can decide, newest first; what lies in Junk is listed by itself."""
    records = {record.name: record for record in organizations}
    open_ones = [m for m in messages if m.waits_for_a_person and not in_junk(m)]
    open_ones.sort(key=lambda m: (settled_since(m, records), -m.received_at.timestamp(), m.id))
    shown = (
        _case(
            message, settled=settled_since(message, records), rubric=rubric, config=config, pictures=pictures
        )
        for message in open_ones[:_MOST_CASES]
    )
    return Cut(shown=tuple(shown), total=len(open_ones))


def junk(messages: Sequence[MessageRecord], config: Config) -> Cut[JunkMail]:
    """What lies in Junk and may have been put there by mistake."""
    found = (
        JunkMail(
            number=m.id,
            received_at=short_moment(m.received_at, config.campaign.timezone),
            sender=one_line(m.sender),
            subject=one_line(m.subject) or "（无主题）",
            mailbox=addresses(config).get(m.mailbox, m.mailbox),
        )
        for m in sorted(messages, key=lambda m: m.received_at, reverse=True)
        if in_junk(m)
    )
    return cut(found, _MOST_JUNK)


def passed_over(messages: Iterable[MessageRecord], config: Config) -> Cut[PassedOver]:
    """What was not taken and may hold somebody's papers, newest first: a robot's sign can stand on a person's mail."""
    found = (
        PassedOver(
            number=m.id,
            received_at=short_moment(m.received_at, config.campaign.timezone),
            why="、".join(map(short, m.findings)),
            sender=one_line(m.sender) or "不明",
            subject=one_line(m.subject) or "（无主题）",
            files="、".join(_documents(m)[:_MOST_DOCUMENTS]),
            more_files=max(0, len(m.documents) - _MOST_DOCUMENTS),
        )
        for m in sorted(messages, key=lambda m: m.received_at, reverse=True)
        if may_hold_papers(m)
    )
    return cut(found, _MOST_JUNK)


def _documents(message: MessageRecord) -> tuple[str, ...]:
    return tuple(f"{one_line(d.filename, 60) or '（未命名）'}（{ROLES[d.role]}）" for d in message.documents)


def asked(messages: Sequence[MessageRecord], zone: tzinfo) -> Cut[Asked]:
    """Mails with a question beside their papers, newest first; those that wait for a person are listed as that."""
    found = (
        Asked(
            number=m.id,
            received_at=short_moment(m.received_at, zone),
            who=one_line(m.organization or "", 60) or "单位不明",
            sender=one_line(m.sender) or "不明",
            words=one_line(m.question, _LONGEST_TEXT),
            reply=_replied(m),
        )
        for m in sorted(messages, key=lambda m: (m.received_at, m.id), reverse=True)
        if asks_beside_papers(m)
    )
    return cut(found, _MOST_ASKED)


def unsent(
    messages: Iterable[MessageRecord],
    organizations: Sequence[OrganizationRecord],
    counts: Counts,
    zone: tzinfo,
) -> Cut[Unsent]:
    """Replies that did not go out. There may be more than `messages` name: the counts know of all."""
    records = {record.name: record for record in organizations}
    found = {
        reply.id: _unsent(message, reply, why_stuck(message, reply, records), zone)
        for message in messages
        for reply in message.stuck_replies
    }
    total = sum(counts.replies.get(state, 0) for state in STUCK)
    return Cut(shown=tuple(found.values())[:_MOST_UNSENT], total=max(total, len(found)))


def _case(
    message: MessageRecord, *, settled: bool, rubric: Rubric, config: Config, pictures: Pictures
) -> Case:
    faults = problems((f for f in message.findings if f.severity is Severity.ERROR), rubric)
    why = reasons(message, rubric)
    documents = _documents(message)
    asks = message.question or any(map(_is_about_the_words, message.findings))
    unseen = message.stayed_on_the_server
    return Case(
        number=message.id,
        who=one_line(message.organization or "", 60) or "单位不明",
        reasons=why[:_MOST_REASONS],
        more_reasons=max(0, len(why) - _MOST_REASONS),
        to_do=to_do(message),
        received_at=short_moment(message.received_at, config.campaign.timezone),
        mailbox=addresses(config).get(message.mailbox, message.mailbox),
        sender=one_line(message.sender) or "不明",
        subject=one_line(message.subject) or (_UNSEEN if unseen else "（无主题）"),
        documents=(_UNSEEN,) if unseen else documents[:_MOST_DOCUMENTS],
        more_documents=max(0, len(documents) - _MOST_DOCUMENTS),
        read=_read(message),
        faults="；".join(faults[:_MOST_FAULTS]) + ("…" if len(faults) > _MOST_FAULTS else ""),
        cells=tuple(_cells(message, rubric, pictures)),
        text=one_line(message.text, _LONGEST_TEXT) if asks else "",
        reply=_replied(message),
        settled=settled,
    )


def _is_about_the_words(each: Finding) -> bool:
    """Whether a person has to read what the mail itself says."""
    return each.code is Code.MESSAGE_INQUIRY or (doubted(each) != () and not each.document)


def reasons(message: MessageRecord, rubric: Rubric) -> tuple[str, ...]:
    """Why a mail waits for a person."""
    said = dict.fromkeys(detail(f, rubric) for f in _asked(message))
    return tuple(said) or ("该单位此前有来件待核对，材料尚不齐全",)


def to_do(message: MessageRecord) -> tuple[str, ...]:
    """What that person is asked to do."""
    return tuple(dict.fromkeys(filter(None, map(step, _asked(message)))))


def _asked(message: MessageRecord) -> Sequence[Finding]:
    """What is asked of a person. A mail beyond the limit is not taken in: only its size and time are known."""
    too_large = (f for f in message.findings if f.code is Code.DOCUMENT_TOO_LARGE)
    return tuple(doubts(message)) or tuple(too_large)


def _read(message: MessageRecord) -> str:
    """What was read from the form, in one sentence."""
    form = message.assessment
    if form is None:
        return ""
    name = one_line(form.organization or "", 60) or "未填"
    return (
        f"填报单位：{name}；填报总分{points_or_dash(form.stated_total)}，核算总分{points_or_dash(form.total)}"
        f"；按{READ_BY[form.read_by]}读取"
    )


def _cells(message: MessageRecord, rubric: Rubric, pictures: Pictures) -> Iterable[DoubtfulCell]:
    """The scores in doubt; a doubt of what stands as evidence is none of the score beside it."""
    read = message.assessment.items if message.assessment else ()
    doubted = {f.item: f.found for f in message.findings if f.code is Code.FORM_LOW_CONFIDENCE}
    shown = (each for each in read if each.picture or each.no in doubted)
    in_doubt = (each for each in shown if not _is_evidence(doubted.get(each.no, ""), each))
    for item in islice(in_doubt, _MOST_CELLS):
        yield DoubtfulCell(
            item=item.no,
            text=one_line(item.score_text, 20) or "（空）",
            note="".join(_notes(item, rubric)),
            content_id=pictures.show(message.id, item),
        )


def _is_evidence(found: str, item: ItemReading) -> bool:
    """Whether the quoted text is from the item's evidence, and not from its score."""
    start = found.removesuffix("…")
    is_score = start == " ".join(item.score_text.split())
    return start != "" and not is_score and " ".join(item.evidence.split()).startswith(start)


def _notes(item: ItemReading, rubric: Rubric) -> Iterable[str]:
    known = rubric.by_no.get(item.no)
    if known and item.score is not None and item.score > known.points:
        yield f"，超过分值{points(known.points)}"
    if item.confidence is not None and item.confidence < SURE:
        yield f"，把握{item.confidence:.0%}"


def _replied(message: MessageRecord) -> str:
    if not message.replies:
        return "未答复"
    return "、".join(map(answer, message.replies))


def _unsent(message: MessageRecord, reply: ReplyRecord, why: str, zone: tzinfo) -> Unsent:
    return Unsent(
        number=reply.id,
        message=message.id,
        organization=one_line(message.organization or "", 60) or "单位不明",
        to=one_line(reply.to),
        kind=REPLY_KINDS[reply.kind],
        state=REPLY_STATES[reply.state],
        queued_at=short_moment(reply.queued_at, zone),
        error=one_line(why),
    )
