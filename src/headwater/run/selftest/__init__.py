"""Runs the conformance suite against a warehouse of the user. Tests: tests/testing/conformance."""

from __future__ import annotations
