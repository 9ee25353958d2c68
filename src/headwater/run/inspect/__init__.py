"""Commands that only read: check, plan, status, query, as-of, history, explain."""

from __future__ import annotations
