"""The SQL statements of the ledger, in a module for each table or two: functions of an open transaction.

Each implements one method of `Ledger` for `SqlLedger`, which opens the transaction and passes the time. They keep no
state between calls. Tests: tests/ledger.
"""

from __future__ import annotations
