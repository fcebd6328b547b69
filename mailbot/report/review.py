"""What waits for a person, for the terminal: mails with the reason, and replies that did not go out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING

from mailbot.config import Config
from mailbot.records import MessageRecord, OrganizationRecord
from mailbot.report.figures import iso
from mailbot.report.standing import doubts, may_hold_papers, why_stuck
from mailbot.report.status import foreign, new_table
from mailbot.report.wording import detail
from mailbot.rubric import Rubric

if TYPE_CHECKING:
    from rich.console import Group, RenderableType
    from rich.table import Table


def review_view(
    messages: Sequence[MessageRecord],
    ignored: Sequence[MessageRecord],
    organizations: Sequence[OrganizationRecord],
    rubric: Rubric,
    config: Config,
) -> Group:
    """What waits, and what was ignored and may hold somebody's papers; it says so where there is nothing."""
    from rich.console import Group

    zone = config.campaign.timezone
    waiting = [message for message in messages if message.waits_for_a_person]
    parts: list[RenderableType] = []
    if waiting:
        mails = new_table("mail", "received", "from, subject", "organization", "reason")
        for message in waiting:
            mails.add_row(
                str(message.id),
                iso(message.received_at, zone).replace("T", "\n"),
                foreign(f"{message.sender}\n{message.subject}"),
                foreign(message.organization or "?"),
                foreign("\n".join(_reasons(message, rubric))),
            )
        parts.append(mails)
    if any(message.stuck_replies for message in messages):
        records = {record.name: record for record in organizations}
        replies = new_table("reply", "on mail", "kind", "to", "state", "why")
        for message in messages:
            for reply in message.stuck_replies:
                replies.add_row(
                    str(reply.id),
                    str(message.id),
                    reply.kind.value,
                    foreign(reply.to),
                    reply.state.value,
                    foreign(why_stuck(message, reply, records)),
                )
        parts.append(replies)
    if not parts:
        parts.append("nothing waits for a person")
    papers = [message for message in ignored if may_hold_papers(message)]
    return Group(*parts, *([_ignored(papers, zone)] if papers else []))


def _ignored(messages: Sequence[MessageRecord], zone: tzinfo) -> Table:
    """Mails that nobody waits for, and that a person may take in all the same."""
    table = new_table("ignored", "received", "from, subject", "files", "because")
    for message in messages:
        table.add_row(
            str(message.id),
            iso(message.received_at, zone).replace("T", "\n"),
            foreign(f"{message.sender}\n{message.subject}"),
            foreign("\n".join(" ".join(d.filename.split()) for d in message.documents)),
            foreign("\n".join(f"{f.code.value}\n{f.found}" for f in message.findings)),
        )
    return table


def _reasons(message: MessageRecord, rubric: Rubric) -> Sequence[str]:
    said = tuple(dict.fromkeys(detail(each, rubric) for each in doubts(message)))
    return said or ("an earlier mail of the organization waits",)
