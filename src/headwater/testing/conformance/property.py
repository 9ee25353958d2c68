"""A promise that must hold for whatever chance draws, and the smallest example found where it does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Generic, TypeVar

from headwater.errors import HeadwaterError
from headwater.testing.conformance.check import CheckResult, Outcome, SelfTestOptions
from headwater.testing.conformance.shrink import Batches, growing_counts, merge_examples, shrink
from headwater.testing.conformance.tenants import SelfTestTenants

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyCheck(Generic[T]):
    """A line of the corpus that draws examples and tries many of them together, each with keys of its own."""

    name: str
    promise: str
    draw: Callable[[Random], Batches[T]]
    check: Callable[[SelfTestTenants, Batches[T]], str]
    """How an example fails; empty where it holds."""
    relabel: Callable[[Batches[T], int], Batches[T]]
    """The same example with keys of its own."""
    show: Callable[[Batches[T]], str]
    """An example, drawn."""
    part: float = 1.0
    """What part of the examples it draws: less than one where each costs much."""

    def run(self, ground: SelfTestTenants, trial: SelfTestOptions) -> CheckResult:
        """Draw examples and try them, a few at first and then many at once."""
        chance, began, tried = Random(f"{trial.seed} {self.name}"), trial.clock.monotonic(), 0
        for size in growing_counts(trial.share(self.part)):
            if trial.stop():
                break
            examples = [self.draw(chance) for _ in range(size)]
            tried += size
            if first := self._find_difference(ground, examples):
                example, difference = self._shrink(ground, trial, examples, first)
                return self._make_result("failed", tried, trial, began, example=example, difference=difference)
        if not tried:
            return self._make_result("skipped", 0, trial, began, reason="stopped before its turn")
        return self._make_result("held", tried, trial, began)

    def _shrink(
        self, ground: SelfTestTenants, trial: SelfTestOptions, examples: Sequence[Batches[T]], first: str
    ) -> tuple[str, str]:
        """The smallest failing example and how it fails, both drawn."""
        until = trial.clock.monotonic() + trial.max_seconds

        def fails(some: Sequence[Batches[T]]) -> str:
            enough = trial.stop() or trial.clock.monotonic() > until
            return "" if enough else self._find_difference(ground, some)

        found = shrink(examples, fails)
        own = self._relabel_examples(ground, found)
        return self.show(own), self._check_batches(ground, own) or f"{_WAVERING}\n{first}"

    def _find_difference(self, ground: SelfTestTenants, examples: Sequence[Batches[T]]) -> str:
        return self._check_batches(ground, self._relabel_examples(ground, examples))

    def _relabel_examples(self, ground: SelfTestTenants, examples: Sequence[Batches[T]]) -> Batches[T]:
        return merge_examples([self.relabel(batches, ground.next_number()) for batches in examples])

    def _check_batches(self, ground: SelfTestTenants, batches: Batches[T]) -> str:
        try:
            difference = self.check(ground, batches)
        except HeadwaterError as error:
            difference = str(error)
        except Exception as error:  # noqa: BLE001 - an engine's own error, of whatever kind: it broke the promise
            difference = f"{type(error).__name__}: {error}"
        if difference:
            # What failed may have left anything behind: the next example must not meet it.
            ground.abandon()
        return difference

    def _make_result(
        self, outcome: Outcome, tried: int, trial: SelfTestOptions, began: float, **said: str
    ) -> CheckResult:
        seconds = round(trial.clock.monotonic() - began, 3)
        return CheckResult(
            name=self.name,
            promise=self.promise,
            outcome=outcome,
            examples=tried,
            seconds=seconds,
            **said,
        )


_WAVERING = "The example held when it was tried once more: the engine wavers. What was seen first:"
