"""The declarations of a project: frozen classes, and how they are loaded and checked against each other.

Knows no warehouse, no ledger and no HTTP. Tests: tests/model.
"""

from __future__ import annotations
