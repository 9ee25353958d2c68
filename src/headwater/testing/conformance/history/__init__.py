"""Conformance of history: versions against an independent oracle."""

from __future__ import annotations
