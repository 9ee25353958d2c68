"""All checks, in the order in which they run."""

from __future__ import annotations

from headwater.testing.conformance.check import Check
from headwater.testing.conformance.history.crash import CrashCheck
from headwater.testing.conformance.history.scenarios import HISTORY_SCENARIOS
from headwater.testing.conformance.history.suite import HISTORY
from headwater.testing.conformance.star.scenarios import STAR_SCENARIOS
from headwater.testing.conformance.star.suite import STAR

_PLACES = {check.name: place for place, check in enumerate(HISTORY)}

CHECKS: tuple[Check, ...] = (
    *HISTORY[: _PLACES["13"]],
    CrashCheck(),
    *HISTORY[_PLACES["13"] :],
    HISTORY_SCENARIOS,
    *STAR,
    STAR_SCENARIOS,
)
"""All checks: the invariants of history by number, then the guarantees of the star schema."""
