"""Conformance of the star: dimensions, facts and lookups against an independent oracle."""

from __future__ import annotations
