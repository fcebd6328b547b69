"""What a mail asks beside the papers that it brings, for whoever answers it"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("messages", sa.Column("question", sa.Text(), nullable=False, server_default=""))
