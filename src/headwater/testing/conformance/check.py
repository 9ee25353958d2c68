"""What came of a line of the corpus, and what was asked of all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from headwater.clock import Clock, SystemClock
from headwater.testing.conformance.tenants import SelfTestTenants

Outcome = Literal["held", "failed", "skipped"]
"""How a line ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """How one promise fared."""

    name: str
    """What the line is called: `5` is the fifth invariant, `star-3` the third promise of gold."""
    promise: str
    """What is promised, in words."""
    outcome: Outcome
    examples: int
    """How many were tried."""
    seconds: float = 0.0
    reason: str = ""
    """Why it was skipped."""
    example: str = ""
    """The smallest failing example that was found, drawn."""
    difference: str = ""
    """What should have come of it and what did, drawn."""


def never_stop() -> bool:
    """Nobody asks to stop."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTestOptions:
    """How hard the corpus tries."""

    examples: int = 100
    """How many examples a line draws; lines that cost much draw a part of them."""
    seed: int = 0
    """The chance that draws: the same seed draws the same."""
    max_seconds: float = 60.0
    """For how many seconds a smaller failing example is searched."""
    stop: Callable[[], bool] = never_stop
    """Asked between two examples: whether to leave."""
    clock: Clock = field(default_factory=SystemClock)

    def share(self, part: float) -> int:
        """A part of the examples, one at least."""
        return max(1, round(self.examples * part))


class Check(Protocol):
    """One promise, and how it is tried."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def promise(self) -> str:
        """What is promised."""
        ...

    def run(self, ground: SelfTestTenants, trial: SelfTestOptions) -> CheckResult:
        """Try it."""
        ...
