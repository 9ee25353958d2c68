"""How late a stamp of each batch can be and be true."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Bring a ledger of the version before to this one."""
    op.add_column("batch", sa.Column("credible_until", sa.BigInteger))
