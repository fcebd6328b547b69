"""What a person's verdict settles of the findings on a message. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from mailbot.model import Code, Finding, Ruling, RulingKind, Severity
from mailbot.reading import MailReading


def left_by(ruled: Ruling | None, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings on a message that a person's verdict leaves standing; all of them where there is none.

    Each verdict settles what asks a person; one that accepts what came settles its faults as well.
    """
    return tuple(f for f in findings if ruled is None or not _settles(ruled, f))


def _settles(ruled: Ruling, each: Finding) -> bool:
    if each.code.asks_a_person:
        return True
    fault = each.severity is Severity.ERROR and each.code is not Code.FORM_BLANK
    return fault and ruled.kind is RulingKind.ACCEPT


def reading_left_by(ruled: Ruling | None, reading: MailReading) -> MailReading:
    """The reading with only those findings that the verdict leaves standing."""
    return replace(
        reading,
        findings=left_by(ruled, reading.findings),
        documents=tuple(replace(d, findings=left_by(ruled, d.findings)) for d in reading.documents),
    )


def settled(left: Sequence[Finding], noticed: Iterable[Finding], reading: MailReading) -> tuple[Finding, ...]:
    """The findings that the verdict has settled, as information: staff see them, and nothing is asked for.

    `left` are those that stand. `noticed` and `reading` are as they were before the verdict.
    """
    on_documents = (f for document in reading.documents for f in document.findings)
    before = (replace(f, severity=Severity.INFO) for f in (*noticed, *on_documents, *reading.findings))
    kept = {replace(f, severity=Severity.INFO) for f in left}
    return tuple(f for f in dict.fromkeys(before) if f not in kept)
