"""Indexes for the newest success of each tenant, and details of any length in Postgres."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Upgrade a ledger from the previous version."""
    op.create_index("run_by_outcome", "run", ["outcome", "tenant", "ended_at"])
    op.create_index("finding_by_table", "finding", ["tenant", "table_name"])
    op.create_index("drift_by_feed", "drift", ["tenant", "connection", "resource"])
    if op.get_bind().dialect.name == "postgresql":
        # An entry of an index has at most 2.7 kB there, and a detail or a field name of a service may be longer.
        for table in ("finding", "drift"):
            op.drop_constraint(f"{table}_pkey", table, type_="primary")
