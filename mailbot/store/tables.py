"""The tables. Times are UTC to the second; sums are text, so that no binary fraction creeps in."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)
from sqlalchemy import Text as PlainText
from sqlalchemy.types import TypeDecorator

from mailbot.model import Assessment, Finding

FINDINGS = msgspec.json.Decoder(tuple[Finding, ...])
ASSESSMENT = msgspec.json.Decoder(Assessment)
"""What the columns of these names hold."""


class UtcTime(TypeDecorator[datetime]):
    """An aware time, kept in UTC to the second; a naive one is refused (SQLite would drop the offset silently)."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without its offset")
        return value.astimezone(UTC).replace(microsecond=0, tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.replace(tzinfo=UTC)


class Text(TypeDecorator[str]):
    """Text that every database takes: without NUL (PostgreSQL) and halves of characters (no UTF-8 has them)."""

    impl = PlainText
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:  # noqa: ARG002
        return None if value is None else _UNSTORABLE.sub("\ufffd", value)


_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

metadata = MetaData()

_Id = BigInteger().with_variant(Integer, "sqlite")

messages = Table(
    "messages",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("mailbox", String(100), nullable=False),
    Column("folder", Text, nullable=False),
    Column("uidvalidity", BigInteger, nullable=False),
    Column("uid", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False, index=True),
    Column("size", BigInteger, nullable=False),
    Column("received_at", UtcTime, nullable=False),
    Column("recorded_at", UtcTime, nullable=False),
    Column("receipt_hash", String(64), nullable=False),
    Column("junk", Boolean, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("retry_at", UtcTime),
    Column("last_error", Text, nullable=False, default=""),
    Column("outcome", String(20)),
    Column("decided_at", UtcTime, index=True),
    Column("fingerprint", String(64), nullable=False, default="", index=True),
    Column("message_id", Text, nullable=False, default=""),
    Column("sender", Text, nullable=False, default=""),
    Column("subject", Text, nullable=False, default=""),
    Column("text", Text, nullable=False, default="", server_default=""),
    Column("question", Text, nullable=False, default="", server_default=""),
    Column("header_received", UtcTime),
    Column("header_date", UtcTime),
    Column("organization", Text),
    Column("assessment", Text),
    Column("contribution", Text),
    Column("findings", Text),
    Column("documents", Text),
    Column("anew", String(20), index=True),
    UniqueConstraint("mailbox", "folder", "uidvalidity", "uid"),
    Index("messages_waiting", "outcome", "received_at", "id"),
    Index("messages_by_copy", "mailbox", "sha256"),
    Index("messages_by_organization", "organization", "sender", "outcome", "received_at"),
    # Only where there is a contribution, as its migration says; said here, it would import PostgreSQL's dialect.
    Index("messages_that_contribute", "sender"),
)

organizations = Table(
    "organizations",
    metadata,
    Column("name", Text, primary_key=True),
    Column("track", String(20), nullable=False),
    Column("versions", Text),
    Column("paper_received", Date),
    Column("paper_sealed", Boolean),
    Column("staff_points", Text),
    Column("note", Text, nullable=False, default=""),
)

replies = Table(
    "replies",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("message", _Id, ForeignKey("messages.id"), nullable=False, index=True),
    Column("mailbox", String(100), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("recipient", Text, nullable=False),
    Column("organization", Text),
    Column("message_id", Text, nullable=False, unique=True),
    Column("subject", Text, nullable=False),
    Column("octets", LargeBinary, nullable=False),
    Column("state", String(20), nullable=False),
    Column("queued_at", UtcTime, nullable=False, index=True),
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_attempt_at", UtcTime),
    Column("sent_at", UtcTime),
    Column("error", Text, nullable=False, default=""),
    Column("dropped", Text, nullable=False, default="", server_default=""),
    Index("replies_due", "mailbox", "state", "id"),
    Index("replies_by_state", "state", "message"),
    Index("replies_by_recipient", "recipient", "queued_at"),
    Index("replies_by_organization", "organization", "queued_at"),
)

rulings = Table(
    "rulings",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("message", _Id, ForeignKey("messages.id"), nullable=False, index=True),
    Column("kind", String(20), nullable=False),
    Column("ruled_by", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("organization", Text),
    Column("track", String(20)),
    Column("sentence", Text, nullable=False, default=""),
)

reminders = Table(
    "reminders",
    metadata,
    Column("organization", Text, primary_key=True),
    Column("recipient", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("mailbox", String(100), nullable=False),
    Column("subject", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("error", Text, nullable=False, default=""),
)

folders = Table(
    "folders",
    metadata,
    Column("mailbox", String(100), primary_key=True),
    Column("folder", String(400), primary_key=True),
    Column("uidvalidity", BigInteger),
    Column("last_uid", BigInteger, nullable=False, default=0),
    Column("last_good_round", UtcTime),
    Column("last_error", Text, nullable=False, default=""),
    Column("last_error_at", UtcTime),
    Column("on_server", BigInteger),
)

skipped = Table(
    "skipped",
    metadata,
    Column("mailbox", String(100), primary_key=True),
    Column("folder", String(400), primary_key=True),
    Column("uidvalidity", BigInteger, primary_key=True),
    Column("uid", BigInteger, primary_key=True),
    Column("reason", String(20), nullable=False),
    Column("at", UtcTime, nullable=False),
)

ledger = Table(
    "ledger",
    metadata,
    Column("seq", _Id, primary_key=True, autoincrement=False),
    Column("at", UtcTime, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("payload", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

flags = Table(
    "flags",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("value", Text, nullable=False),
)
