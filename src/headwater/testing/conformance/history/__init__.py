"""Checks of the history: the versions of a warehouse, compared with a reference implementation."""

from __future__ import annotations
