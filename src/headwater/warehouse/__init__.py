"""The engines that hold silver and gold: few verbs, one file an engine, differences as facts.

Knows tables, columns and transactions, not entities or dimensions. A driver is imported in its own file only.
Tests: tests/warehouse.
"""

from __future__ import annotations
