"""Silver: from the records of bronze to events, from events to history that cannot be wrong.

This room decides what a record says about an entity, what a complete read proves absent, and which stored versions
a batch changes; what history means is `temporal`'s business. It must not know services, bronze's making or gold.
Tests: tests/silver, held against an independent oracle (headwater.testing.conformance.history.oracle).
"""

from __future__ import annotations
