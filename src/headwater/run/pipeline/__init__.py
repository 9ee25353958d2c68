"""A run: its steps, their order, and its report."""

from __future__ import annotations
