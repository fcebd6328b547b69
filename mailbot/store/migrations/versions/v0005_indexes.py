"""Indexes that answer what rounds and reports ask, however many messages there are"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    contributing = sa.text("contribution IS NOT NULL")
    op.create_index(
        "messages_that_contribute",
        "messages",
        ["sender"],
        sqlite_where=contributing,
        postgresql_where=contributing,
    )
    op.create_index(
        "messages_by_organization", "messages", ["organization", "sender", "outcome", "received_at"]
    )
    op.create_index("replies_by_state", "replies", ["state", "message"])
    op.drop_index("ix_messages_sender", "messages")
    op.drop_index("ix_messages_organization", "messages")
