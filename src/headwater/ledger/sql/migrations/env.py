"""The Alembic environment: runs the migrations of this folder on the given connection, in its open transaction."""

from __future__ import annotations

from alembic import context

from headwater.ledger.sql.schema import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
context.run_migrations()
