"""How a ledger of one version becomes one of the next: Alembic's scripts, numbered without a gap.

They ship inside the package and are run when a ledger is opened that is older than the program. A script never
changes once it was released. Tests: tests/ledger/test_migrations.py.
"""

from __future__ import annotations
