"""The interface of a check, its options and its result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from headwater.clock import Clock, SystemClock
from headwater.testing.conformance.tenants import SelfTestTenants

Outcome = Literal["passed", "failed", "skipped"]
"""How a check ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """The result of one check."""

    name: str
    """The name of the check: `5` is the fifth invariant."""
    promise: str
    """What the check proves, in words."""
    outcome: Outcome
    examples: int
    """The number of examples that were tested."""
    seconds: float = 0.0
    reason: str = ""
    """Why the check was skipped."""
    example: str = ""
    """The smallest failing example that was found, as a table."""
    difference: str = ""
    """The expected and the actual result of this example."""


def never_stop() -> bool:
    """False: nothing requests a stop."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTestOptions:
    """How much the checks test."""

    examples: int = 100
    """The number of examples for each check. Expensive checks draw a part of them."""
    seed: int = 0
    """The random seed. The same seed draws the same examples."""
    max_seconds: float = 60.0
    """How long a failing example is reduced, in seconds."""
    stop: Callable[[], bool] = never_stop
    """Whether to stop. Called between two groups of examples."""
    clock: Clock = field(default_factory=SystemClock)

    def scale_examples(self, part: float) -> int:
        """The number of examples of a check that draws this part of them, at least 1."""
        return max(1, round(self.examples * part))


class Check(Protocol):
    """One guarantee, and how it is tested."""

    @property
    def name(self) -> str:
        """The name for `--only`."""
        ...

    @property
    def promise(self) -> str:
        """What the check proves, in words."""
        ...

    def run(self, tenants: SelfTestTenants, options: SelfTestOptions) -> CheckResult:
        """Test the guarantee. Errors of the warehouse are failures, not exceptions."""
        ...
