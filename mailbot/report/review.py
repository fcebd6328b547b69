"""What waits for a person, for the terminal: mails with the reason, and replies that did not go out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING

from mailbot.records import MessageRecord
from mailbot.report.figures import iso
from mailbot.report.standing import doubts
from mailbot.report.status import foreign, new_table
from mailbot.report.wording import detail
from mailbot.rubric import Rubric

if TYPE_CHECKING:
    from rich.console import Group, RenderableType


def review_view(messages: Sequence[MessageRecord], rubric: Rubric, zone: tzinfo) -> Group:
    """The list; it says so where nothing waits."""
    from rich.console import Group

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
        replies = new_table("reply", "on mail", "kind", "to", "state", "why")
        for message in messages:
            for reply in message.stuck_replies:
                replies.add_row(
                    str(reply.id),
                    str(message.id),
                    reply.kind.value,
                    foreign(reply.to),
                    reply.state.value,
                    foreign(reply.error),
                )
        parts.append(replies)
    return Group(*parts or ["nothing waits for a person"])


def _reasons(message: MessageRecord, rubric: Rubric) -> Sequence[str]:
    said = tuple(dict.fromkeys(detail(each, rubric) for each in doubts(message)))
    return said or ("an earlier mail of the organization waits",)
