"""The tables of the ledger. Instants are microseconds since 1970 UTC, which every database stores and orders alike."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    false,
)

from headwater.ledger.sql.column_types import LedgerText

HEAD = 7
"""The version of these tables: the number of the newest migration."""

VERSION_TABLE = "ledger_version"
"""The table with the version of the ledger."""

metadata = MetaData()

_SERIAL = BigInteger().with_variant(Integer(), "sqlite")


def _build_batch_key() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["tenant", "batch_id"], ["batch.tenant", "batch.id"], ondelete="CASCADE")


tenant = Table("tenant", metadata, Column("tenant", String(48), primary_key=True))

connection = Table(
    "connection",
    metadata,
    Column("tenant", String(48), primary_key=True),
    Column("name", String(48), primary_key=True),
    Column("declaration", JSON, nullable=False),
)

lease = Table(
    "lease",
    metadata,
    Column("tenant", String(48), primary_key=True),
    Column("scope", String(120), primary_key=True),
    Column("holder", LedgerText, nullable=False),
    Column("claimed_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

batch = Table(
    "batch",
    metadata,
    Column("ordinal", _SERIAL, primary_key=True, autoincrement=True),
    Column("tenant", String(48), nullable=False),
    Column("id", String(120), nullable=False),
    Column("connection", String(48), nullable=False),
    Column("resource", String(48), nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("purpose", String(20), nullable=False),
    Column("reading", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("resume", String(20), nullable=False),
    Column("reason", LedgerText, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("kept", BigInteger, nullable=False),
    Column("quarantined", BigInteger, nullable=False),
    Column("pages", BigInteger, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("read_at", BigInteger),
    Column("fingerprint", LedgerText, nullable=False, server_default=""),
    Column("proved", Boolean),
    Column("credible_until", BigInteger),
    Column("disowned", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("tenant", "id", name="batch_of_tenant"),
    Index("batch_by_state", "tenant", "state"),
    Index("batch_by_feed", "tenant", "connection", "resource", "purpose", "until"),
    Index("batch_by_read", "tenant", "connection", "read_at"),
    sqlite_autoincrement=True,
)

batch_parent = Table(
    "batch_parent",
    metadata,
    Column("tenant", String(48), primary_key=True),
    Column("batch_id", String(120), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("parent", LedgerText, nullable=False),
    _build_batch_key(),
)

page = Table(
    "page",
    metadata,
    Column("tenant", String(48), primary_key=True),
    Column("batch_id", String(120), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("path", LedgerText, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("next", LedgerText),
    _build_batch_key(),
)

committed = Table(
    "committed",
    metadata,
    Column("tenant", String(48), primary_key=True),
    Column("connection", String(48), primary_key=True),
    Column("resource", String(48), primary_key=True),
    Column("parent", LedgerText, primary_key=True),
    Column("since", BigInteger, primary_key=True),
    Column("until", BigInteger, nullable=False),
)

refused = Table(
    "refused",
    metadata,
    Column("tenant", String(48), primary_key=True),
    Column("id", String(160), primary_key=True),
    Column("batch_id", String(120), nullable=False),
    Column("connection", String(48), nullable=False),
    Column("resource", String(48), nullable=False),
    Column("line", BigInteger, nullable=False),
    Column("key", LedgerText, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("state", String(20), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_tried", BigInteger, nullable=False),
    _build_batch_key(),
    Index("refused_by_batch", "tenant", "batch_id"),
)

drift = Table(
    "drift",
    metadata,
    Column("tenant", String(48), primary_key=True),
    Column("connection", String(48), primary_key=True),
    Column("resource", String(48), primary_key=True),
    Column("field", LedgerText, primary_key=True),
    Column("kind", String(20), primary_key=True),
    Column("ordinal", BigInteger, nullable=False),
    Column("detail", LedgerText, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Index("drift_by_feed", "tenant", "connection", "resource"),
)

mark = Table(
    "mark",
    metadata,
    Column("tenant", String(48), primary_key=True),
    Column("name", LedgerText, primary_key=True),
    Column("value", LedgerText, nullable=False),
)

token = Table(
    "token",
    metadata,
    Column("tenant", String(48), primary_key=True),
    Column("connection", String(48), primary_key=True),
    Column("value", LedgerText, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("saved_at", BigInteger, nullable=False),
    Column("holder", LedgerText, nullable=False, server_default=""),
    Column("claimed_until", BigInteger, nullable=False, server_default="0"),
    Column("interrupted", Boolean, nullable=False, server_default=false()),
)

run = Table(
    "run",
    metadata,
    Column("ordinal", _SERIAL, primary_key=True, autoincrement=True),
    Column("tenant", String(48), nullable=False),
    Column("id", String(120), nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("outcome", String(20), nullable=False),
    Column("counts", JSON, nullable=False),
    UniqueConstraint("tenant", "id", name="run_of_tenant"),
    Index("run_by_outcome", "outcome", "tenant", "ended_at"),
    sqlite_autoincrement=True,
)

finding = Table(
    "finding",
    metadata,
    Column("tenant", String(48), primary_key=True),
    Column("table_name", String(120), primary_key=True),
    Column("finding", LedgerText, primary_key=True),
    Column("detail", LedgerText, primary_key=True),
    Column("count", BigInteger, nullable=False),
    Index("finding_by_table", "tenant", "table_name"),
)

record_count = Table(
    "record_count",
    metadata,
    Column("tenant", String(48), primary_key=True),
    Column("connection", String(48), primary_key=True),
    Column("resource", String(48), primary_key=True),
    Column("entity", String(48), primary_key=True),
    Column("counted_at", BigInteger, nullable=False),
    Column("differs_since", BigInteger),
    Column("numbers", JSON, nullable=False),
)
