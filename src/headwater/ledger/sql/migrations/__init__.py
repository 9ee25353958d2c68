"""Alembic migrations of the ledger, numbered without gaps.

They ship with the package and run when Headwater opens an older ledger. A released migration never changes. Tests:
tests/ledger/test_migrations.py.
"""

from __future__ import annotations
