"""`run --all`: its options, its progress, and its report."""

from __future__ import annotations
