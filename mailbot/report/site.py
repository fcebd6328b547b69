"""The report as pages to look at and to print: an overview, and one page an organization. Values in, HTML out.

No script and nothing fetched; everything from outside is escaped; file names come from numbers alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from mailbot.config import Config
from mailbot.model import Assessment, Finding, Outcome, Role, Ruling, Severity, Status, Version
from mailbot.records import MessageRecord, OrganizationRecord, ReminderRecord
from mailbot.report import svg
from mailbot.report.distribution import bands, by_category, how_many
from mailbot.report.figures import moment, one_line, plain_text, points_or_dash
from mailbot.report.labels import (
    READ_BY,
    REPLY_KINDS,
    REPLY_STATES,
    ROLES,
    RULINGS,
    SEVERITIES,
    STATUS_COLOURS,
    STATUSES,
    TRACKS,
    fate,
    reason,
    result,
)
from mailbot.report.rendering import environment
from mailbot.report.standing import (
    addresses,
    asks_beside_papers,
    category_sums,
    folder_name,
    in_time,
    piece,
    tally,
)
from mailbot.report.summary import Doubts, what_lacks
from mailbot.report.wording import detail, points, shortened, span
from mailbot.rubric import Rubric

INDEX = "index.html"
OTHERS = "others.html"
_LONGEST_EVIDENCE = 400
_MOST_DAYS = 31


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the report is made of. `versions` and `mails` are asked for one organization at a time; for None, the mails
    of nobody's.
    """

    config: Config
    rubric: Rubric
    organizations: Sequence[OrganizationRecord]
    versions: Callable[[str], Sequence[Version]]
    mails: Callable[[str | None], Iterable[MessageRecord]]
    reminders: Sequence[ReminderRecord]
    doubts: Doubts
    received: Sequence[datetime]
    """When each mail came that was not ignored."""
    now: datetime


def page_name(number: int) -> str:
    """File name of an organization's page."""
    return f"organization-{number:04d}.html"


def pages(site: Site) -> Iterator[tuple[str, str]]:
    """File name and HTML of each page, the overview first."""
    templates = environment(site.config.templates)
    frame = {
        "title": site.config.campaign.title,
        "now": moment(site.now, site.config.campaign.timezone),
        "index": INDEX,
    }
    yield INDEX, templates.get_template("report_index.html").render(frame | _overview(site))
    own = templates.get_template("report_organization.html")
    for number, record in enumerate(site.organizations, 1):
        yield page_name(number), own.render(frame | _organization(site, record, number))
    others = templates.get_template("report_others.html")
    yield OTHERS, others.render(frame | {"mails": [_mail(m, site) for m in site.mails(None)]})


def _overview(site: Site) -> dict[str, Any]:
    campaign, whole = site.config.campaign, tally(site.organizations)
    left = campaign.deadline - site.now
    return {
        "notice": campaign.notice,
        "deadline": moment(campaign.deadline, campaign.timezone),
        "time_left": span(abs(left)),
        "over": left < timedelta(0),
        "total": whole.total,
        "late": whole.late,
        "cards": [
            {"name": STATUSES[status], "number": whole.by_status[status], "colour": STATUS_COLOURS[status]}
            for status in Status
        ],
        "progress": svg.stacked(
            [(STATUSES[status], whole.by_status[status], STATUS_COLOURS[status]) for status in Status],
            "报送进度",
        ),
        "categories": _categories(site),
        "bands": _bands(site),
        "days": _days(site),
        **how_many(site.organizations)._asdict(),
        "rows": [_row(record, number, site) for number, record in enumerate(site.organizations, 1)],
        "others": OTHERS,
        "roles": [ROLES[role] for role in (Role.FORM, Role.SUMMARY, Role.PLAN)],
    }


def _categories(site: Site) -> str:
    rows = [
        svg.Bar(
            name=f"{shortened(each.name, 14)}（{points(each.points)}分）",
            share=each.percent / 100,
            value=f"平均{points_or_dash(each.mean)}",
        )
        for each in by_category(site.organizations, site.rubric)
    ]
    return svg.bars(rows, "各类别平均自评分")


def _bands(site: Site) -> str:
    counted = bands(site.organizations, site.rubric)
    most = max((number for _, number in counted), default=0) or 1
    rows = [svg.Bar(name=name, share=number / most, value=f"{number}家") for name, number in counted]
    return svg.bars(rows, "核算总分分布")


def _days(site: Site) -> str:
    """Mails by the day on which they came, of the last weeks."""
    zone = site.config.campaign.timezone
    counted = Counter(each.astimezone(zone).date() for each in site.received)
    if not counted:
        return ""
    first = max(min(counted), max(counted) - timedelta(days=_MOST_DAYS - 1))
    days = [first + timedelta(days=n) for n in range((max(counted) - first).days + 1)]
    return svg.columns([(f"{day.month}.{day.day}", counted[day]) for day in days], "每日来件")


def _row(record: OrganizationRecord, number: int, site: Site) -> dict[str, Any]:
    version = record.counts
    return {
        "number": number,
        "page": page_name(number),
        "name": one_line(record.name, 60),
        "track": TRACKS[record.track],
        "status": STATUSES[record.status],
        "colour": STATUS_COLOURS[record.status],
        "on_time": "" if version is None else "按时" if version.on_time else "逾期",
        "received_at": moment(version.received_at, site.config.campaign.timezone) if version else "",
        "marks": [_mark(role, record, site) for role in (Role.FORM, Role.SUMMARY, Role.PLAN)],
        "total": points_or_dash(version.total) if version and version.form else "",
        "paper": record.paper_received.isoformat() if record.paper_received else "",
        "problems": "；".join(what_lacks(record, site.rubric, site.doubts.of(record.name)))
        if record.status is not Status.NOT_RECEIVED
        else "",
    }


def _mark(role: Role, record: OrganizationRecord, site: Site) -> str:
    if piece(record.counts, role):
        return "✓"
    return "缺" if role in site.config.owed[record.track] and record.counts else ""


def _organization(site: Site, record: OrganizationRecord, number: int) -> dict[str, Any]:
    zone = site.config.campaign.timezone
    return {
        **_row(record, number, site),
        "others_page": OTHERS,
        "previous": page_name(number - 1) if number > 1 else "",
        "next": page_name(number + 1) if number < len(site.organizations) else "",
        "emails": [one_line(each, 80) for each in record.emails],
        "senders": [one_line(each, 80) for each in record.senders],
        "registered": record.registered,
        "first_received_at": moment(record.first_received_at, zone) if record.first_received_at else "",
        "sealed": record.paper_sealed,
        "staff_points": points_or_dash(record.staff_points) if record.staff_points is not None else "",
        "note": plain_text(record.note),
        "pieces": [_piece(role, record, site) for role in site.config.owed[record.track]],
        "findings": [_finding(f, site.rubric) for f in record.counts.findings] if record.counts else [],
        "form": _form(record.assessment, record.counts, site.rubric) if record.assessment else None,
        "versions": [_version(v, record, site) for v in site.versions(record.name)],
        "mails": [_mail(m, site) for m in site.mails(record.name)],
        "reminders": [
            {
                "at": moment(each.at, zone),
                "to": one_line(each.recipient),
                "state": REPLY_STATES[each.state],
            }
            for each in site.reminders
            if each.organization == record.name
        ],
    }


def _piece(role: Role, record: OrganizationRecord, site: Site) -> dict[str, str]:
    found = piece(record.counts, role)
    times = {version.message: version.received_at for version in record.versions}
    when = times.get(found.message) if found else None
    return {
        "role": ROLES[role],
        "filename": one_line(found.filename) or "（未命名）" if found else "",
        "when": moment(when, site.config.campaign.timezone) if when else "",
        "sha256": found.sha256[:16] if found else "",
    }


def _finding(each: Finding, rubric: Rubric) -> dict[str, str]:
    return {
        "severity": SEVERITIES[each.severity],
        "level": each.severity.value,
        "text": detail(each, rubric),
        "place": one_line("，".join(part for part in (each.document or "", each.place) if part)),
    }


def _form(assessment: Assessment, version: Version | None, rubric: Rubric) -> dict[str, Any]:
    read = {item.no: item for item in assessment.items}
    about: dict[int, list[Finding]] = {}
    for each in version.findings if version else ():
        if each.item is not None:
            about.setdefault(each.item, []).append(each)
    items = []
    for item in rubric.items:
        reading = read.get(item.no)
        items.append(
            {
                "no": item.no,
                "category": item.category,
                "criterion": item.criterion,
                "points": points(item.points),
                "score": _score(reading.score, reading.score_text) if reading else "缺此项",
                "evidence": shortened(plain_text(reading.evidence), _LONGEST_EVIDENCE) if reading else "",
                "faults": [detail(f, rubric) for f in about.get(item.no, ())],
                "error": any(f.severity is Severity.ERROR for f in about.get(item.no, ())),
            }
        )
    return {
        "name": one_line(assessment.organization or "") or "未填",
        "year": assessment.year or "未写明",
        "read_by": READ_BY[assessment.read_by],
        "document": one_line(assessment.document or ""),
        "stated": points_or_dash(assessment.stated_total),
        "total": points_or_dash(assessment.total),
        "maximum": points(rubric.total),
        "items": items,
        "chart": _sums(assessment, rubric),
    }


def _score(score: Decimal | None, text: str) -> str:
    return points(score) if score is not None else one_line(text, 20) or "（空）"


def _sums(assessment: Assessment, rubric: Rubric) -> str:
    sums = category_sums(assessment, rubric)
    rows = [
        svg.Bar(
            name=shortened(category.name, 16),
            share=float((value or Decimal()) / category.points),
            value=f"{points_or_dash(value)} / {points(category.points)}",
        )
        for category, value in zip(rubric.categories, sums, strict=True)
    ]
    return svg.bars(rows, "各类别自评分")


def _version(version: Version, record: OrganizationRecord, site: Site) -> dict[str, Any]:
    held = [ROLES[role] for role in (Role.FORM, Role.SUMMARY, Role.PLAN) if piece(version, role)]
    return {
        "number": version.number,
        "received_at": moment(version.received_at, site.config.campaign.timezone),
        "on_time": "按时" if version.on_time else "逾期",
        "state": STATUSES[version.state],
        "held": "、".join(held) or "无",
        "total": points_or_dash(version.total) if version.form else "",
        "counts": record.counts is not None and version.number == record.counts.number,
    }


def _mail(message: MessageRecord, site: Site) -> dict[str, Any]:
    zone = site.config.campaign.timezone
    return {
        "number": message.id,
        "received_at": moment(message.received_at, zone),
        "on_time": in_time(message, site.config),
        "mailbox": addresses(site.config).get(message.mailbox, message.mailbox),
        "folder": one_line(folder_name(message.mailbox, message.folder, site.config), 40),
        "sender": one_line(message.sender) or "不明",
        "subject": one_line(message.subject) or "（无主题）",
        "text": shortened(plain_text(message.text), _LONGEST_EVIDENCE),
        "question": one_line(message.question, 300) if asks_beside_papers(message) else "",
        "outcome": result(message) or "等待处理",
        "ignored": message.outcome is Outcome.IGNORED,
        "documents": [
            f"{one_line(d.filename, 60) or '（未命名）'}（{ROLES[d.role]}）" for d in message.documents
        ],
        "findings": [_finding(f, site.rubric) for f in message.findings],
        "replies": [
            f"编号{r.id}　{REPLY_KINDS[r.kind]}：{fate(r)}，{moment(r.sent_at or r.queued_at, zone)}，至{one_line(r.to)}"
            + (f"（{one_line(why)}）" if (why := reason(r)) and not r.dropped else "")
            for r in message.replies
        ],
        "rulings": [_ruling(each, zone) for each in message.rulings],
        "hash": message.receipt_hash[:16],
    }


def _ruling(each: Ruling, zone: tzinfo) -> dict[str, str]:
    said = each.organization or each.sentence
    return {
        "at": moment(each.at, zone),
        "what": RULINGS[each.kind] + (f"：{plain_text(said)}" if said else ""),
        "by": one_line(each.by),
        "why": plain_text(each.why),
    }
