"""A service that is simulated from a manifest, and what it may do wrong. `run/kit` runs a connector against it.

It knows declarations and how services speak, and no warehouse, no ledger and no run. Tests: tests/testing/kit.
"""

from __future__ import annotations
