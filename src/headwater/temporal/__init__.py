"""Relational algebra of time: events to versions, versions to fewer or joined versions, as-of lookups. Text only.

This room decides what history means, once, as portable SQL (CTEs, ranked and framed windows, CASE) in DuckDB's
spelling. It opens no connection and must not know entities, engines or where a relation came from: it is given names
of relations and columns. Tests: tests/temporal (subset, golden texts), tests/silver and tests/warehouse (meaning).
"""

from __future__ import annotations
