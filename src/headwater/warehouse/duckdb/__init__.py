"""The DuckDB warehouse: one file per tenant."""

from __future__ import annotations
