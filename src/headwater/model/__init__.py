"""What is declared: the nouns of a project, frozen and closed, and how they are loaded and held against each other.

Knows no warehouse, no ledger and no HTTP. Tests: tests/model.
"""

from __future__ import annotations
