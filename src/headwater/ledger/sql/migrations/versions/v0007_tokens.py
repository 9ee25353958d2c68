"""Tokens of the logins of connections, encrypted, and who renews them at the moment."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Upgrade a ledger from the previous version."""
    op.create_table(
        "token",
        sa.Column("tenant", sa.String(48), primary_key=True),
        sa.Column("connection", sa.String(48), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("saved_at", sa.BigInteger, nullable=False),
        sa.Column("holder", sa.Text, nullable=False, server_default=""),
        sa.Column("claimed_until", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("interrupted", sa.Boolean, nullable=False, server_default=sa.false()),
    )
