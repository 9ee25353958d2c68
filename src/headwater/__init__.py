"""Headwater turns business SaaS APIs into a history-tracked star schema."""

from __future__ import annotations

__version__ = "0.1.0"
