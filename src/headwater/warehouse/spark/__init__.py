"""The Spark warehouse: Delta or Parquet tables, local or in a catalog."""

from __future__ import annotations
