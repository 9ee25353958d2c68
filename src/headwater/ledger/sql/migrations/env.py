"""What Alembic runs: the scripts of this folder, on the connection and in the transaction it is handed."""

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
