"""SQL for several engines: one statement, rendered in the dialect of each."""

from __future__ import annotations
