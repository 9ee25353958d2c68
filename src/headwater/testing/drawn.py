"""Tables drawn in Markdown, for tests of those who extend Headwater: what `headwater.corpus.drawn` has."""

from __future__ import annotations

from headwater.corpus.drawn import ABSENT, Unknown, draw, drawn, mismatch

__all__ = ["ABSENT", "Unknown", "draw", "drawn", "mismatch"]
