"""The latest credible stamp of each batch."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Upgrade a ledger from the previous version."""
    op.add_column("batch", sa.Column("credible_until", sa.BigInteger))
