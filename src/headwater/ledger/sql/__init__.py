"""The ledger on a SQL database, through SQLAlchemy: SQLite or Postgres."""

from __future__ import annotations
