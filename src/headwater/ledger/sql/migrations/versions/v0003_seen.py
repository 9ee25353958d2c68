"""When and how a batch was read, whether it is proved complete, and how many records a service counts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Upgrade a ledger from the previous version."""
    op.add_column("batch", sa.Column("read_at", sa.BigInteger))
    op.add_column("batch", sa.Column("fingerprint", sa.Text, nullable=False, server_default=""))
    op.add_column("batch", sa.Column("proved", sa.Boolean))
    op.add_column("batch", sa.Column("disowned", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_index("batch_by_read", "batch", ["tenant", "connection", "read_at"])
    op.create_table(
        "record_count",
        sa.Column("tenant", sa.String(48), primary_key=True),
        sa.Column("connection", sa.String(48), primary_key=True),
        sa.Column("resource", sa.String(48), primary_key=True),
        sa.Column("entity", sa.String(48), primary_key=True),
        sa.Column("counted_at", sa.BigInteger, nullable=False),
        sa.Column("differs_since", sa.BigInteger),
        sa.Column("numbers", sa.JSON, nullable=False),
    )
