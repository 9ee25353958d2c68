"""The DuckDB warehouse: one file for each tenant."""

from __future__ import annotations
