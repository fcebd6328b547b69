"""The reminder before the deadline: facts in, subject, text and HTML out. The prose is in `mailbot/templates/`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from mailbot.model import Finding, Role
from mailbot.report import wording
from mailbot.report.faults import for_sender
from mailbot.report.letters import Contact, Letter, rendered
from mailbot.report.rendering import environment, tidy
from mailbot.rubric import Rubric

_LONGEST_NAME = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderFacts:
    """Everything a reminder may say. It goes to registered addresses alone. Times are in the campaign's time zone."""

    campaign_title: str
    notice: str
    organization: str
    deadline: datetime
    now: datetime
    owed: tuple[Role, ...]
    held: tuple[Role, ...] = ()
    """What has come already."""
    received_at: datetime | None = None
    """When the organization's last mail came; None where nothing has."""
    findings: tuple[Finding, ...] = ()
    """What stands against the submission, and why documents that came were not taken."""
    rubric: Rubric
    blank_form: str = ""
    """Name of the blank form that goes with the letter."""
    mailbox: str
    contact: Contact = field(default_factory=Contact)


def write_reminder(facts: ReminderFacts, templates: Path | None = None) -> Letter:
    """The reminder; `templates` is a directory whose files go before our own. Raises BrokenTemplateError."""
    ours = environment(templates)
    context = _context(facts)
    return Letter(
        subject=_subject(facts),
        text=tidy(rendered(ours, "reminder.txt", context)),
        html=rendered(ours, "reminder.html", context),
    )


def _subject(facts: ReminderFacts) -> str:
    name = wording.shortened(wording.plain(facts.organization), _LONGEST_NAME)
    until = f"{facts.deadline.month}月{facts.deadline.day}日{facts.deadline.hour}:{facts.deadline:%M}"
    days = (facts.deadline.date() - facts.now.date()).days
    left = f"还有{days}天" if days > 0 else "今天截止"
    return f"【报送提醒】{name} 材料报送{until}截止（{left}）"


def _context(facts: ReminderFacts) -> dict[str, Any]:
    """The names that the template may use; all values are words, ready to be shown."""
    return {
        "organization": wording.plain(facts.organization),
        "organization_is_known": True,
        "campaign_title": facts.campaign_title,
        "notice": facts.notice,
        "deadline": wording.exact(facts.deadline),
        "time_left": wording.span(facts.deadline - facts.now),
        "now": wording.minute(facts.now),
        "received_at": wording.second(facts.received_at) if facts.received_at else "",
        "held": wording.listed(wording.ROLE_NAMES[role] for role in facts.held),
        "paper": wording.listed(wording.ROLE_NAMES[role] for role in facts.owed),
        "points": for_sender(facts.findings, facts.rubric, form_came=Role.FORM in facts.held),
        "blank_form": facts.blank_form,
        "mailbox": facts.mailbox,
        "contact": facts.contact,
    }
