"""Tests a connector: runs its manifest through the pipeline against a simulated service, and replays recorded pages.

It works in a temporary folder, and never sends a request to the real service. Tests: tests/run/kit.
"""

from __future__ import annotations
