"""Runs and what they found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Upgrade a ledger from the previous version."""
    op.create_table(
        "run",
        sa.Column("ordinal", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("tenant", sa.String(48), nullable=False),
        sa.Column("id", sa.String(120), nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("counts", sa.JSON, nullable=False),
        sa.UniqueConstraint("tenant", "id", name="run_of_tenant"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "finding",
        sa.Column("tenant", sa.String(48), primary_key=True),
        sa.Column("table_name", sa.String(120), primary_key=True),
        sa.Column("finding", sa.Text, primary_key=True),
        sa.Column("detail", sa.Text, primary_key=True),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("run", sa.String(120), nullable=False),
    )
