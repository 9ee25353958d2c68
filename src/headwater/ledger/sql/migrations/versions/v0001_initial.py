"""Tenants, connections, leases, batches, windows, refused records, drift and marks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables of the first version."""
    for make in (
        _create_tenant,
        _create_connection,
        _create_lease,
        _create_batch,
        _create_batch_parent,
        _create_page,
        _create_committed,
        _create_refused,
        _create_drift,
        _create_mark,
    ):
        make()


def _build_batch_key() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["tenant", "batch_id"], ["batch.tenant", "batch.id"], ondelete="CASCADE")


def _create_tenant() -> None:
    op.create_table("tenant", sa.Column("tenant", sa.String(48), primary_key=True))


def _create_connection() -> None:
    op.create_table(
        "connection",
        sa.Column("tenant", sa.String(48), primary_key=True),
        sa.Column("name", sa.String(48), primary_key=True),
        sa.Column("declaration", sa.JSON, nullable=False),
    )


def _create_lease() -> None:
    op.create_table(
        "lease",
        sa.Column("tenant", sa.String(48), primary_key=True),
        sa.Column("scope", sa.String(120), primary_key=True),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("claimed_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )


def _create_batch() -> None:
    op.create_table(
        "batch",
        sa.Column(
            "ordinal", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True
        ),
        sa.Column("tenant", sa.String(48), nullable=False),
        sa.Column("id", sa.String(120), nullable=False),
        sa.Column("connection", sa.String(48), nullable=False),
        sa.Column("resource", sa.String(48), nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("purpose", sa.String(20), nullable=False),
        sa.Column("reading", sa.Integer, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("resume", sa.String(20), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("kept", sa.BigInteger, nullable=False),
        sa.Column("quarantined", sa.BigInteger, nullable=False),
        sa.Column("pages", sa.BigInteger, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.UniqueConstraint("tenant", "id", name="batch_of_tenant"),
        sqlite_autoincrement=True,
    )
    op.create_index("batch_by_state", "batch", ["tenant", "state"])
    op.create_index("batch_by_feed", "batch", ["tenant", "connection", "resource", "purpose", "until"])


def _create_batch_parent() -> None:
    op.create_table(
        "batch_parent",
        sa.Column("tenant", sa.String(48), primary_key=True),
        sa.Column("batch_id", sa.String(120), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("parent", sa.Text, nullable=False),
        _build_batch_key(),
    )


def _create_page() -> None:
    op.create_table(
        "page",
        sa.Column("tenant", sa.String(48), primary_key=True),
        sa.Column("batch_id", sa.String(120), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("next", sa.Text),
        _build_batch_key(),
    )


def _create_committed() -> None:
    op.create_table(
        "committed",
        sa.Column("tenant", sa.String(48), primary_key=True),
        sa.Column("connection", sa.String(48), primary_key=True),
        sa.Column("resource", sa.String(48), primary_key=True),
        sa.Column("parent", sa.Text, primary_key=True),
        sa.Column("since", sa.BigInteger, primary_key=True),
        sa.Column("until", sa.BigInteger, nullable=False),
    )


def _create_refused() -> None:
    op.create_table(
        "refused",
        sa.Column("tenant", sa.String(48), primary_key=True),
        sa.Column("id", sa.String(160), primary_key=True),
        sa.Column("batch_id", sa.String(120), nullable=False),
        sa.Column("connection", sa.String(48), nullable=False),
        sa.Column("resource", sa.String(48), nullable=False),
        sa.Column("line", sa.BigInteger, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("reasons", sa.JSON, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("first_seen", sa.BigInteger, nullable=False),
        sa.Column("last_tried", sa.BigInteger, nullable=False),
        _build_batch_key(),
    )
    op.create_index("refused_by_batch", "refused", ["tenant", "batch_id"])


def _create_drift() -> None:
    op.create_table(
        "drift",
        sa.Column("tenant", sa.String(48), primary_key=True),
        sa.Column("connection", sa.String(48), primary_key=True),
        sa.Column("resource", sa.String(48), primary_key=True),
        sa.Column("field", sa.Text, primary_key=True),
        sa.Column("kind", sa.String(20), primary_key=True),
        sa.Column("ordinal", sa.BigInteger, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
    )


def _create_mark() -> None:
    op.create_table(
        "mark",
        sa.Column("tenant", sa.String(48), primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
