"""Everything for other programs: the contract's JSON, one message after the other, and the 汇总表 as csv."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import IO

import msgspec

from mailbot.config import Config
from mailbot.model import Assessment, Finding, Role, Ruling, Status, Version
from mailbot.reading import DocumentReading
from mailbot.records import DocumentRecord, MessageRecord, OrganizationRecord, ReplyRecord
from mailbot.report.figures import iso, plain_text
from mailbot.report.standing import in_time, piece
from mailbot.report.summary import Doubts, Value, columns, rows
from mailbot.report.wording import detail, points
from mailbot.rubric import Rubric

_json = msgspec.json.Encoder(decimal_format="number")
_RISKY = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""What spreadsheet programs take for the beginning of a formula in csv, also after blanks; those set to Chinese or
Japanese take the full-width signs too."""


def write_json(
    stream: IO[bytes],
    *,
    config: Config,
    rubric: Rubric,
    messages: Iterable[MessageRecord],
    organizations: Sequence[OrganizationRecord],
) -> None:
    """Write one object, UTF-8, a line for each message and organization; messages are not held in memory."""
    zone = config.campaign.timezone
    campaign, deadline = config.campaign.name, iso(config.campaign.deadline, zone)
    stream.write(b'{"campaign": %b, "deadline": %b,\n' % (_json.encode(campaign), _json.encode(deadline)))
    stream.write(b'"messages": [')
    _write_all(stream, (_message(message, config, rubric) for message in messages))
    stream.write(b'],\n"organizations": [')
    _write_all(stream, (_organization(record, zone) for record in organizations))
    stream.write(b"]}\n")


def _write_all(stream: IO[bytes], values: Iterable[dict[str, object]]) -> None:
    for number, value in enumerate(values):
        stream.write(b",\n" if number else b"\n")
        stream.write(_json.encode(value))


def _message(message: MessageRecord, config: Config, rubric: Rubric) -> dict[str, object]:
    zone = config.campaign.timezone
    return {
        "message_id": message.message_id,
        "mailbox": message.mailbox,
        "folder": message.folder,
        "uid": message.uid,
        "sha256": message.sha256,
        "size": message.size,
        "received_at": iso(message.received_at, zone),
        "header_received_at": _time(message.header_received, zone),
        "header_date": _time(message.header_date, zone),
        "on_time": in_time(message, config),
        "sender": message.sender,
        "subject": message.subject,
        "organization": message.organization,
        "outcome": message.outcome,
        "documents": [document_json(document) for document in message.documents],
        "assessment": assessment_json(message.assessment),
        "findings": [finding_json(each, rubric) for each in message.findings],
        "replies": [_reply(reply) for reply in message.replies],
        "rulings": [_ruling(each, zone) for each in message.rulings],
        "receipt_hash": message.receipt_hash,
    }


def document_json(document: DocumentRecord | DocumentReading) -> dict[str, object]:
    """One document, with the contract's keys."""
    return {
        "filename": document.filename,
        "format": document.format,
        "role": document.role,
        "sha256": document.sha256,
        "container": document.container,
    }


def assessment_json(assessment: Assessment | None) -> dict[str, object] | None:
    """What was read from a form; a number is null where none could be read."""
    if assessment is None:
        return None
    return {
        "organization": assessment.organization,
        "year": assessment.year,
        "read_by": assessment.read_by,
        "items": [
            {"no": item.no, "score": item.score, "evidence": item.evidence} for item in assessment.items
        ],
        "stated_total": assessment.stated_total,
        "total": assessment.total,
    }


def finding_json(each: Finding, rubric: Rubric) -> dict[str, object]:
    """One finding, with where it was found."""
    return {
        "code": each.code,
        "severity": each.severity,
        "item": each.item,
        "detail": detail(each, rubric),
        "document": each.document,
        "place": each.place or None,
    }


def _reply(reply: ReplyRecord) -> dict[str, object]:
    return {
        "kind": reply.kind,
        "message_id": reply.message_id,
        "to": reply.to,
        "state": reply.state,
        "dropped": reply.dropped or None,
    }


def _ruling(each: Ruling, zone: tzinfo) -> dict[str, object]:
    return {
        "kind": each.kind,
        "by": each.by,
        "why": each.why,
        "at": iso(each.at, zone),
        "organization": each.organization,
        "sentence": each.sentence,
    }


def _organization(record: OrganizationRecord, zone: tzinfo) -> dict[str, object]:
    counts = record.counts
    complete = counts is not None and counts.state is Status.COMPLETE
    return {
        "name": record.name,
        "track": record.track,
        "status": record.status,
        "on_time": counts.on_time if counts else None,
        "completed_at": iso(counts.received_at, zone) if counts and complete else None,
        "total": counts.total if counts else None,
        "documents": {role.value: _filename(counts, role) for role in (Role.FORM, Role.SUMMARY, Role.PLAN)},
        "versions": len(record.versions),
    }


def _filename(version: Version | None, role: Role) -> str | None:
    held = piece(version, role)
    return held.filename if held else None


def _time(value: datetime | None, zone: tzinfo) -> str | None:
    return iso(value, zone) if value else None


def write_csv(
    stream: IO[bytes],
    *,
    config: Config,
    rubric: Rubric,
    organizations: Sequence[OrganizationRecord],
    messages: Iterable[MessageRecord] = (),
) -> None:
    """Write the 汇总表 as csv (RFC 4180) in UTF-8 with BOM. From `messages`, those that wait, come the reasons."""
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="", write_through=True)
    try:
        writer = csv.writer(text)
        writer.writerow(columns(rubric))
        for row in rows(config, rubric, organizations, Doubts(messages)):
            writer.writerow([_field(value) for value in row])
    finally:
        text.detach()


def _field(value: Value) -> str:
    match value:
        case None:
            return ""
        case Decimal():
            return points(value)
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case date():
            return value.isoformat()
        case int():
            return str(value)
        case str():
            text = plain_text(value)
            return f"'{text}" if text.lstrip().startswith(_RISKY) or text.startswith("\t") else text
