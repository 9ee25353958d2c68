"""The ledger's statements, a module a table or two: plain functions of an open transaction.

Each does one verb of `Ledger` for `SqlLedger`, which opens the transaction and says what time it is. They decide
nothing about when to run, and keep nothing between calls. Tests: tests/ledger.
"""

from __future__ import annotations
