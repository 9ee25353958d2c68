"""Benchmarks: ratios to a reference, measured in one run. `python -m bench` runs them all."""

from __future__ import annotations
