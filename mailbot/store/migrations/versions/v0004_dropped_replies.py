"""That a reply was dropped is said beside its state: the states are the contract's"""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_STATES = ("queued", "sending", "sent", "drafted", "held", "failed", "uncertain")


def upgrade() -> None:
    op.add_column("replies", sa.Column("dropped", sa.Text(), nullable=False, server_default=""))
    connection = op.get_bind()
    dropped = sa.text("SELECT message_id FROM replies WHERE state = 'dropped'")
    names = set(connection.execute(dropped).scalars())
    for name, (state, words) in _by_the_ledger(connection, names).items():
        connection.execute(
            sa.text("UPDATE replies SET state = :state, dropped = :words WHERE message_id = :name"),
            {"state": state, "words": words, "name": name},
        )


def _by_the_ledger(connection: sa.Connection, names: set[str]) -> dict[str, tuple[str, str]]:
    """The state of each before it was dropped, and by whom and why."""
    before: dict[str, tuple[str, str]] = {}
    if not names:
        return before
    ledger = sa.table("ledger", sa.column("seq"), sa.column("kind"), sa.column("payload"))
    links = sa.select(ledger.c.kind, ledger.c.payload).where(ledger.c.kind.in_((*_STATES, "dropped")))
    for kind, payload in connection.execute(links.order_by(ledger.c.seq)):
        said = json.loads(payload)
        if said["reply"] not in names:
            continue
        if kind == "dropped":
            state = before[said["reply"]][0].replace("queued", "held")
            words = f"{said['by']}：{said['why']}" if "by" in said else said["why"]
            before[said["reply"]] = (state, words)
        else:
            before[said["reply"]] = (kind, "")
    return before
