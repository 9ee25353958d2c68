"""The corpus as a whole, in the order in which it is tried and told."""

from __future__ import annotations

from headwater.corpus.history_drawn import HISTORY_DRAWN
from headwater.corpus.history_lines import HISTORY
from headwater.corpus.killed import Killed
from headwater.corpus.star_drawn import STAR_DRAWN
from headwater.corpus.star_lines import OVERWRITTEN, STAR
from headwater.corpus.verdict import Line

_PLACES = {line.name: place for place, line in enumerate(HISTORY)}

LINES: tuple[Line, ...] = (
    *HISTORY[: _PLACES["7"]],
    OVERWRITTEN,
    *HISTORY[_PLACES["7"] : _PLACES["13"]],
    Killed(),
    *HISTORY[_PLACES["13"] :],
    HISTORY_DRAWN,
    *STAR,
    STAR_DRAWN,
)
"""Every line."""
