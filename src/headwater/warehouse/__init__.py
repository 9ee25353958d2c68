"""The engines that store silver and gold: one interface, one folder per engine, and capabilities for the differences.

It handles tables, columns and transactions, not entities or dimensions. Only an engine's own folder imports its driver.
Tests: tests/warehouse.
"""

from __future__ import annotations
