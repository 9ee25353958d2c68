"""Questions about a project that change nothing."""

from __future__ import annotations
