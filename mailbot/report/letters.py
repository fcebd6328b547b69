"""The letters to an organization: facts in, text and HTML out. The prose is in `mailbot/templates/`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, TemplateError

from mailbot.errors import MailbotError
from mailbot.model import Assessment, Code, Finding, ReadBy, ReplyKind, Role, Severity
from mailbot.report import wording
from mailbot.report.faults import OtherYear, Point, for_sender
from mailbot.report.rendering import environment, inlined, template_fault, tidy
from mailbot.report.standing import category_sums
from mailbot.rubric import Rubric

_SUBJECTS = {
    ReplyKind.ACKNOWLEDGEMENT: "【接收回执】",
    ReplyKind.CORRECTION: "【请补正】",
    ReplyKind.RECEIPT: "【已收到，待人工核对】",
}
TEMPLATE_FAULTS = (
    TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What filling in a template that is not ours may raise."""
_LONGEST_NAME = 30
_CROWDED = 7
"""With so many points to mend, the rest of the letter is kept short."""
_LONGEST_FILENAME = 48


class BrokenTemplateError(MailbotError):
    """A template cannot be rendered; the text says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Whom an organization may call, and where paper goes."""

    name: str = ""
    phone: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentDocument:
    """One file of this mail, and what it was taken for ('' where nothing is said of it)."""

    filename: str
    taken_for: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One document that the submission holds; `filename` is '' where the reader did not send it himself."""

    role: Role
    filename: str = ""
    received_at: datetime | None = None
    """None for what came with this mail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierRequest:
    """The correction letter before this one."""

    number: str
    """The receipt number it bore."""
    sent_at: datetime
    count: int
    """How many correction letters there have been before this one."""
    findings: tuple[Finding, ...]
    """What stood then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything a letter may say. Times are in the campaign's time zone.

    Whoever fills this in leaves out what the reader has not sent himself: a letter says all that is here.
    """

    campaign_title: str
    notice: str
    organization: str | None
    number: str
    """Receipt number: `2020-000017-3fa9c2d1`."""
    received_at: datetime
    on_time: bool
    time_disputed: bool = False
    deadline: datetime
    now: datetime
    owed: tuple[Role, ...]
    documents: tuple[SentDocument, ...] = ()
    held: tuple[Held, ...] = ()
    findings: tuple[Finding, ...] = ()
    withheld: int = 0
    """How many errors stand in a form that somebody else sent; they were told to him."""
    asked: tuple[str, ...] = ()
    """What a person of the office asks for, in his own words."""
    assessment: Assessment | None = None
    pictures: tuple[str, ...] = ()
    """File names of pictures in which nothing of what lacks was recognized."""
    of_other_years: tuple[OtherYear, ...] = ()
    rubric: Rubric
    earlier: EarlierRequest | None = None
    counts_from: datetime | None = None
    """Receipt time of an earlier complete version in time that still counts."""
    inquiry: bool = False
    asks: bool = False
    """It certainly asks something beside its papers, and staff are told so."""
    forgotten: bool = False
    """The mail names an attachment and carries none."""
    marked_form: str = ""
    """File name of the marked form that goes with the letter."""
    blank_form: str = ""
    mailbox: str
    contact: Contact = field(default_factory=Contact)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CategorySum:
    name: str
    points: str
    score: str


def write(kind: ReplyKind, facts: Facts, templates: Path | None = None) -> Letter:
    """The letter of that kind; `templates` is a directory whose files go before our own.

    Raises BrokenTemplateError.
    """
    ours = environment(templates)
    context = _context(kind, facts)
    text = rendered(ours, f"{kind.value}.txt", context)
    html = rendered(ours, f"{kind.value}.html", context)
    return Letter(subject=subject(kind, facts), text=tidy(text), html=html)


def rendered(templates: Environment, name: str, context: Mapping[str, Any]) -> str:
    """One template with its styles written into the elements. Raises BrokenTemplateError."""
    try:
        made = templates.get_template(name).render(context)
        return inlined(made) if name.endswith(".html") else made
    except TEMPLATE_FAULTS as error:
        raise BrokenTemplateError(f"{name}: {template_fault(error)}") from error


def subject(kind: ReplyKind, facts: Facts) -> str:
    """One line that sorts by kind and then by organization: 【请补正】浙江省数学会 2020-000017-3fa9c2d1."""
    name = wording.shortened(wording.plain(facts.organization or ""), _LONGEST_NAME)
    return f"{_SUBJECTS[kind]}{name} {facts.number}" if name else f"{_SUBJECTS[kind]}{facts.number}"


def template_names() -> list[str]:
    """Every template that can be overridden."""
    return sorted(environment(None).list_templates(extensions=["txt", "html"]))


def _context(kind: ReplyKind, facts: Facts) -> dict[str, Any]:
    """The names that templates may use; all values are words, ready to be shown."""
    request = _about_the_request(facts)
    crowded = len(request["points"]) >= _CROWDED
    return {
        **_about_the_mail(kind, facts, most_documents=3 if crowded else 6),
        **_about_the_deadline(facts),
        **_about_the_score(facts, by_category=not crowded),
        **request,
        "contact": facts.contact,
        "mailbox": facts.mailbox,
        "paper": wording.listed(wording.ROLE_NAMES[role] for role in facts.owed),
    }


def _organization(facts: Facts) -> str:
    return wording.plain(facts.organization or "") or "贵单位"


def _about_the_mail(kind: ReplyKind, facts: Facts, *, most_documents: int) -> dict[str, Any]:
    shown = facts.documents[:most_documents]
    named = kind is not ReplyKind.RECEIPT
    return {
        "organization": _organization(facts),
        "organization_is_known": bool(facts.organization),
        "campaign_title": facts.campaign_title,
        "notice": facts.notice,
        "number": facts.number,
        "received_at": wording.second(facts.received_at),
        "documents": [
            {"filename": _filename(d.filename), "taken_for": d.taken_for if named else ""} for d in shown
        ],
        "documents_in_all": len(facts.documents),
        "inquiry": facts.inquiry,
        "asks": facts.asks,
        "forgotten": facts.forgotten,
        "holds": bool(facts.held),
        "held": [] if all(h.received_at is None for h in facts.held) else [_held(h) for h in facts.held],
    }


def _filename(name: str) -> str:
    cleaned = wording.plain(name)
    if len(cleaned) <= _LONGEST_FILENAME:
        return cleaned or "（未命名文件）"
    return f"{cleaned[: _LONGEST_FILENAME - 11]}…{cleaned[-10:]}"


def _held(held: Held) -> dict[str, str]:
    when = "本次来件" if held.received_at is None else "此前已收到"
    if held.received_at is not None and held.filename:
        when = f"{wording.minute(held.received_at)}收到"
    return {
        "role": wording.ROLE_NAMES[held.role],
        "filename": _filename(held.filename) if held.filename else "",
        "when": when,
    }


def _about_the_deadline(facts: Facts) -> dict[str, Any]:
    open_still = facts.now <= facts.deadline
    return {
        "deadline": wording.exact(facts.deadline),
        "on_time": facts.on_time,
        "time_disputed": facts.time_disputed,
        "time_left": wording.span(facts.deadline - facts.now) if open_still else "",
        "counts_from": wording.second(facts.counts_from) if facts.counts_from else "",
    }


def _about_the_score(facts: Facts, *, by_category: bool) -> dict[str, Any]:
    assessment = facts.assessment
    of_another_year = any(f.code is Code.FORM_WRONG_YEAR for f in facts.findings)
    if assessment is None or assessment.total is None or of_another_year:
        return {
            "total": "",
            "stated_total": "",
            "categories": [],
            "recognized": False,
            "not_counted": 0,
            "maximum": "",
        }
    stated = assessment.stated_total
    return {
        "total": wording.points(assessment.total),
        "stated_total": "" if stated is None else wording.points(stated),
        "maximum": wording.points(facts.rubric.total),
        "categories": list(sums_in_words(assessment, facts.rubric)) if by_category else [],
        "recognized": assessment.read_by is ReadBy.OCR,
        "not_counted": sum(1 for item in assessment.items if item.score is None),
    }


def sums_in_words(assessment: Assessment, rubric: Rubric) -> Iterator[CategorySum]:
    """The scores as claimed, added up by category, in words."""
    for category, claimed in zip(rubric.categories, category_sums(assessment, rubric), strict=True):
        score = "未填" if claimed is None else wording.points(claimed)
        yield CategorySum(name=category.name, points=wording.points(category.points), score=score)


def _about_the_request(facts: Facts) -> dict[str, Any]:
    errors = [f for f in facts.findings if f.severity is Severity.ERROR]
    earlier = facts.earlier
    return {
        "points": (
            *(Point(text=sentence) for sentence in facts.asked),
            *for_sender(
                errors,
                facts.rubric,
                form_came=facts.assessment is not None,
                forgotten=facts.forgotten,
                pictures=facts.pictures,
                of_other_years=facts.of_other_years,
            ),
        ),
        "withheld": facts.withheld,
        "marked_form": facts.marked_form,
        "blank_form": facts.blank_form,
        "earlier": None
        if earlier is None
        else {
            "number": earlier.number,
            "sent_at": wording.minute(earlier.sent_at),
            "ordinal": earlier.count + 1,
            "mended": wording.mended(earlier.findings, errors),
        },
    }
