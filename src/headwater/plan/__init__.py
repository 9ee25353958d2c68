"""Builds the plan of a run: a pure function of declarations, ledger state and request.

A plan is a tuple of frozen steps. `explain` renders it, and `run/` or an orchestrator executes it without further
decisions. This package opens no file, sends no request and reads no clock: the caller passes the times of the services.
Tests: tests/plan.
"""

from __future__ import annotations
