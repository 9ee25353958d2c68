"""Writes tables as Parquet, CSV or Delta to a folder or a bucket, for readers outside the warehouse.

Decides which tables have changed, and publishes atomically: a reader sees the new state or the previous one. Knows
neither the ledger nor runs. Tests: tests/publish.
"""

from __future__ import annotations
