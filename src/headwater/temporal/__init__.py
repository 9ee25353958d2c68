"""SQL for temporal data: from events to versions, from versions to fewer versions, and as-of lookups. Text only.

This room defines history once, as portable SQL (CTEs, ranked and framed windows, CASE) in the dialect of DuckDB. It opens
no connection and does not know entities, engines or the origin of a relation: it gets names of relations and columns.
Tests: tests/temporal (subset, golden texts), tests/silver and tests/warehouse (results).
"""

from __future__ import annotations
