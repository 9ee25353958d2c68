"""Checks of the star schema: dimensions, facts and lookups, compared with a reference implementation."""

from __future__ import annotations
