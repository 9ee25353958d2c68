"""The conformance suite, run against a warehouse of the user."""

from __future__ import annotations
