"""A campaign that never was, for trying the templates of the digest and of the report."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from mailbot.config import Config
from mailbot.model import (
    Code,
    Format,
    Outcome,
    ReplyKind,
    ReplyState,
    Role,
    Status,
    Track,
    Version,
    finding,
)
from mailbot.records import Counts, DocumentRecord, MessageRecord, OrganizationRecord, ReplyRecord
from mailbot.report.digest import DigestFacts, digest
from mailbot.report.letters import TEMPLATE_FAULTS
from mailbot.report.rendering import template_fault
from mailbot.report.site import Site, pages
from mailbot.report.summary import Doubts
from mailbot.rubric import Rubric


def page_faults(config: Config, rubric: Rubric) -> Iterator[str]:
    """What is wrong with the office's templates of the digest and the report; nothing where all is well."""
    deadline = config.campaign.deadline
    mails, records = (_mail(config),), (_organization(config),)
    facts = DigestFacts(
        config=config,
        rubric=rubric,
        organizations=records,
        news=mails,
        for_a_person=mails,
        counts=Counts(messages=1, waiting=0, by_outcome={Outcome.REVIEW: 1}, replies={ReplyState.FAILED: 1}),
        folders=(),
        now=deadline,
        alarms=("示例",),
    )
    site = Site(
        config=config,
        rubric=rubric,
        organizations=records,
        versions=lambda _: (_version(config),),
        mails=lambda _: mails,
        reminders=(),
        doubts=Doubts(),
        received=(deadline,),
        now=deadline,
    )
    for name, made in (("digest", lambda: digest(facts)), ("report", lambda: list(pages(site)))):
        try:
            made()
        except TEMPLATE_FAULTS as error:
            yield f"{name}{_overridden(config, name)}: {template_fault(error)}"


def _overridden(config: Config, name: str) -> str:
    """Which of its templates are the office's own."""
    files = sorted(config.templates.glob(f"*{name}*")) if config.templates else []
    return f" ({', '.join(file.name for file in files)})" if files else ""


def _organization(config: Config) -> OrganizationRecord:
    version = _version(config)
    return OrganizationRecord(
        name="示例学会", track=Track.SOCIETY, status=version.state, versions=(version,), counts=version
    )


def _version(config: Config) -> Version:
    return Version(
        number=1,
        message=1,
        received_at=config.campaign.deadline,
        on_time=True,
        state=Status.INCOMPLETE,
        findings=(finding(Code.PLAN_MISSING),),
    )


def _mail(config: Config) -> MessageRecord:
    received, mailbox = config.campaign.deadline, config.mailboxes[0].name
    document = DocumentRecord(
        filename="示例.docx", format=Format.DOCX, role=Role.OTHER, sha256="0" * 64, size=1, container=None
    )
    reply = ReplyRecord(
        id=1,
        message=1,
        mailbox=mailbox,
        kind=ReplyKind.RECEIPT,
        to="office@example.org",
        message_id="<1@example.org>",
        subject="示例",
        state=ReplyState.FAILED,
        queued_at=received,
    )
    return MessageRecord(
        id=1,
        message_id="<1@example.org>",
        mailbox=mailbox,
        folder="INBOX",
        uid=1,
        sha256="0" * 64,
        size=1,
        received_at=received,
        header_received=received - timedelta(minutes=9),
        header_date=received,
        sender="office@example.org",
        subject="示例",
        organization="示例学会",
        outcome=Outcome.REVIEW,
        decided_at=received,
        documents=(document,),
        findings=(finding(Code.FORM_CONFLICTING), finding(Code.MESSAGE_INQUIRY)),
        replies=(reply,),
        text="示例",
    )
