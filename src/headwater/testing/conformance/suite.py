"""The corpus as a whole, in the order in which it is tried and told."""

from __future__ import annotations

from headwater.testing.conformance.check import Check
from headwater.testing.conformance.history.crash import CrashCheck
from headwater.testing.conformance.history.scenarios import HISTORY_DRAWN
from headwater.testing.conformance.history.suite import HISTORY
from headwater.testing.conformance.star.scenarios import STAR_DRAWN
from headwater.testing.conformance.star.suite import OVERWRITTEN, STAR

_PLACES = {line.name: place for place, line in enumerate(HISTORY)}

LINES: tuple[Check, ...] = (
    *HISTORY[: _PLACES["7"]],
    OVERWRITTEN,
    *HISTORY[_PLACES["7"] : _PLACES["13"]],
    CrashCheck(),
    *HISTORY[_PLACES["13"] :],
    HISTORY_DRAWN,
    *STAR,
    STAR_DRAWN,
)
"""Every line."""
