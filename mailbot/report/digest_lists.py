"""The digest's lists: where it stands, what came, who lacks what, times, points."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from mailbot.config import Config
from mailbot.model import UNREAD, Code, Outcome, Severity, Status, Track
from mailbot.records import NAMES_OTHERS, MessageRecord, OrganizationRecord
from mailbot.report.cut import Cut, cut
from mailbot.report.distribution import bands, by_category, how_many
from mailbot.report.figures import moment, one_line, points_or_dash, short_moment
from mailbot.report.labels import ROLES, RULINGS, STATUS_COLOURS, STATUSES, TRACKS, result
from mailbot.report.problems import problems, requested
from mailbot.report.standing import (
    answers_the_office,
    first_in_time,
    in_junk,
    in_time,
    late_corrections,
    may_hold_papers,
    tally,
)
from mailbot.report.wording import LACKING, points
from mailbot.rubric import Rubric
from mailbot.submission import sides_differ

_MOST_NEWS, _MOST_LACKING, _MOST_SILENT, _MOST_TIMES, _MOST_NUMBERS = 60, 40, 80, 40, 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One part of a bar, or a bar by itself."""

    name: str
    number: str
    percent: int
    colour: str = "#2e75b6"
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One mail that was decided since the last digest."""

    received_at: str
    on_time: bool
    who: str
    kind: str
    outcome: str
    ruled: str
    """What a person decided on it; '' where nobody did."""
    documents: str
    total: str
    errors: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An organization, and what is to be said of it."""

    name: str
    text: str
    contact: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """Who of one track has sent nothing."""

    track: str
    organizations: Cut[Line]


def where_it_stands(records: Sequence[OrganizationRecord]) -> dict[str, object]:
    """The progress bar and its figures."""
    whole = tally(records)
    return {
        "total": whole.total,
        "unlisted": _unlisted(records),
        "complete": whole.complete,
        "late_total": whole.late,
        "progress": _shares(whole.by_status, whole.total),
        "tracks": [
            {"name": TRACKS[track], "numbers": [count[status] for status in Status]}
            for track in Track
            if (count := Counter(r.status for r in records if r.track is track))
        ],
        "status_names": [STATUSES[status] for status in Status],
    }


def _unlisted(records: Sequence[OrganizationRecord]) -> int:
    """How many organizations are not in the registry; 0 where there is no registry."""
    listed = sum(1 for record in records if record.registered)
    return len(records) - listed if listed else 0


def _shares(by_status: Mapping[Status, int], total: int) -> tuple[Bar, ...]:
    """Shares that add up to 100, none of them too narrow to be seen."""
    present = [(status, number) for status, number in by_status.items() if number]
    widths = [max(1, round(number * 100 / total)) for _, number in present]
    if widths:
        widths[widths.index(max(widths))] += 100 - sum(widths)
    return tuple(
        Bar(name=STATUSES[status], number=str(number), percent=width, colour=STATUS_COLOURS[status])
        for (status, number), width in zip(present, widths, strict=True)
    )


def what_came(
    messages: Sequence[MessageRecord], records: Sequence[OrganizationRecord], config: Config
) -> dict[str, object]:
    """New and corrected since the last digest, newest first."""
    numbers = {version.message: version.number for record in records for version in record.versions}
    taken = [m for m in messages if m.outcome not in (None, Outcome.IGNORED) and not in_junk(m)]
    taken.sort(key=lambda m: (m.received_at, m.id), reverse=True)
    ignored = [m for m in messages if m.outcome is Outcome.IGNORED]
    no_submissions = [str(m.id) for m in ignored if m.rulings]
    from_staff = sum(1 for m in ignored if not m.rulings and answers_the_office(m))
    return {
        "news": cut((_news(message, numbers.get(message.id), config) for message in taken), _MOST_NEWS),
        "ignored": len(ignored) - len(no_submissions) - from_staff,
        "from_staff": from_staff,
        "no_submissions": cut(no_submissions, _MOST_NUMBERS),
    }


def _news(message: MessageRecord, number: int | None, config: Config) -> News:
    roles = dict.fromkeys(ROLES[document.role] for document in message.documents)
    return News(
        received_at=short_moment(message.received_at, config.campaign.timezone),
        on_time=in_time(message, config),
        who=one_line(message.organization or message.sender, 60) or "发件人不明",
        kind=_kind(message, number),
        outcome=result(message),
        ruled="、".join(_ruled(message)),
        documents="、".join(roles) or ("未下载" if message.stayed_on_the_server else "无附件"),
        total=points_or_dash(message.assessment.total) if message.assessment else "",
        errors=_to_mend(message),
    )


def _to_mend(message: MessageRecord) -> int:
    """In how many places; a file that was not taken is one with what lacks for it, as in the letter."""
    codes = [each.code for each in message.findings if each.severity is Severity.ERROR]
    lacks = any(code in LACKING for code in codes)
    return sum(1 for code in codes if not (lacks and (code in UNREAD or code is Code.DELIVERY_LINK_ONLY)))


def _ruled(message: MessageRecord) -> Iterator[str]:
    """The words for a person's newest decision on a message: several, where an assignment came with a verdict."""
    newest = max((each.at for each in message.rulings), default=None)
    return (RULINGS[each.kind] for each in message.rulings if each.at == newest)


def _kind(message: MessageRecord, version: int | None) -> str:
    if version is None:
        return "来件" if message.documents or message.stayed_on_the_server else "来信"
    return "新报送" if version == 1 else f"更正（第{version}版）"


def who_lacks(
    records: Sequence[OrganizationRecord],
    nameless: Iterable[MessageRecord],
    undecided: Iterable[MessageRecord],
    rubric: Rubric,
) -> dict[str, object]:
    """Who has sent nothing, and whose submission has to be corrected, be it nobody knows whose; `undecided` are mails that
    wait for a person or were passed over."""
    lacking = (
        Line(
            name=one_line(record.name, 60),
            text="；".join(
                (
                    *problems((*(record.counts.findings if record.counts else ()), *record.unread), rubric),
                    *requested(record.counts),
                )
            ),
            contact="、".join(one_line(address, 60) for address in record.senders[-2:]),
        )
        for record in records
        if record.status is Status.INCOMPLETE
    )
    waiting = [m for m in undecided if (m.waits_for_a_person and m.documents) or may_hold_papers(m)]
    return {
        "lacking": cut((*lacking, *map(_nameless, nameless)), _MOST_LACKING),
        "silent": tuple(_silent(records, waiting)),
    }


def _nameless(message: MessageRecord) -> Line:
    text = f"看不出报送单位，已去信请其写明；来件编号{message.id}"
    return Line(name="单位不明", text=text, contact=one_line(message.sender, 60))


def _silent(records: Sequence[OrganizationRecord], waiting: Sequence[MessageRecord]) -> Iterator[Silent]:
    """`waiting` are the mails with papers that wait for a person or were passed over."""
    for track in Track:
        lines = [
            Line(
                name=one_line(record.name, 60),
                text=_waits(record, waiting),
                contact="、".join(one_line(address, 60) for address in record.emails[:3]) or "未登记邮箱",
            )
            for record in records
            if record.track is track and record.status is Status.NOT_RECEIVED
        ]
        if lines:
            yield Silent(track=TRACKS[track], organizations=cut(lines, _MOST_SILENT))


def _waits(record: OrganizationRecord, waiting: Sequence[MessageRecord]) -> str:
    addresses = [address.lower() for address in record.emails]
    for mail in waiting:
        if mail.sender in addresses:
            stands = "未处理，请看是否漏收" if mail.was_passed_over else "待核对"
            return f"该邮箱有来件{stands}（来件编号{mail.id}）"
        if any(record.name in f.found for f in mail.findings if f.code in NAMES_OTHERS):
            return f"其材料可能在待核对的来件中（来件编号{mail.id}）"
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Late submissions and corrections, and mails of which two clocks say different times."""

    late: Cut[Line]
    late_corrections: Cut[Line]
    disputed: Cut[Line]
    to_verify: int
    """How many of the disputed were in time by one clock and late by the other."""


def times(records: Sequence[OrganizationRecord], messages: Iterable[MessageRecord], config: Config) -> Times:
    """What there is to say of times."""
    zone = config.campaign.timezone
    disputed = [
        message
        for message in {m.id: m for m in messages}.values()
        if any(each.code is Code.DELIVERY_TIME_DISPUTED for each in message.findings)
    ]
    return Times(
        late=cut(_late(records, zone), _MOST_TIMES),
        late_corrections=cut(_late_corrections(records, zone), _MOST_TIMES),
        disputed=cut((_disputed(message, config) for message in disputed), _MOST_TIMES),
        to_verify=sum(1 for message in disputed if _sides_differ(message, config)),
    )


def _late(records: Sequence[OrganizationRecord], zone: tzinfo) -> Iterator[Line]:
    for record in records:
        if record.counts is not None and not record.counts.on_time:
            first = first_in_time(record)
            before = (
                f"；{moment(first.received_at, zone)}按时收到第{first.number}版，当时尚不齐全"
                if first
                else ""
            )
            text = f"{moment(record.counts.received_at, zone)}收到{before}"
            yield Line(name=one_line(record.name, 60), text=text)


def _late_corrections(records: Sequence[OrganizationRecord], zone: tzinfo) -> Iterator[Line]:
    for record in records:
        for version in late_corrections(record):
            text = f"{moment(version.received_at, zone)}收到第{version.number}版，仍以按时的版本计"
            yield Line(name=one_line(record.name, 60), text=text)


def _disputed(message: MessageRecord, config: Config) -> Line:
    zone = config.campaign.timezone
    other = short_moment(message.header_received, zone) if message.header_received else "不明"
    ask = "；一在截止前，一在截止后，请核对邮箱网页上的收信时间" if _sides_differ(message, config) else ""
    return Line(
        name=one_line(message.organization or message.sender, 60),
        text=f"来件编号{message.id}：进入邮箱{short_moment(message.received_at, zone)}（以此为准），服务器标注{other}{ask}",
    )


def _sides_differ(message: MessageRecord, config: Config) -> bool:
    return sides_differ(message.header_received, message.received_at, config.campaign.deadline)


def scores(records: Sequence[OrganizationRecord], rubric: Rubric) -> dict[str, object]:
    """The means by category and the totals in bands, as bars."""
    counted = bands(records, rubric)
    most = max((number for _, number in counted), default=0)
    return {
        **how_many(records)._asdict(),
        "categories": [
            Bar(
                name=one_line(spread.name, 40),
                number=f"{points_or_dash(spread.mean)} / {points(spread.points)}",
                percent=spread.percent,
                note=f"{points_or_dash(spread.least)}–{points_or_dash(spread.most)}",
            )
            for spread in by_category(records, rubric)
        ],
        "bands": [
            Bar(name=name, number=f"{number}家", percent=number * 100 // most if most else 0)
            for name, number in counted
        ],
    }
