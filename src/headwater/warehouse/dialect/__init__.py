"""Renders one portable SQL statement in the dialect of each engine."""

from __future__ import annotations
