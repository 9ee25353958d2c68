"""Facts: their rows, lookups and inferred members."""

from __future__ import annotations
