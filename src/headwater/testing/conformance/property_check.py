"""A guarantee that holds for all examples, tested with random ones. Reports the smallest failing example."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from headwater.testing.conformance.batches import Batches, count_events, generate_group_sizes, merge_examples
from headwater.testing.conformance.check import CheckResult, Outcome, SelfTestOptions
from headwater.testing.conformance.draw import Draw
from headwater.testing.conformance.sample import Sample
from headwater.testing.conformance.tenants import SelfTestTenants

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyCheck(Generic[T]):
    """A check that draws examples, and tests many of them together, each with its own keys."""

    name: str
    promise: str
    draw_example: Callable[[Draw], Batches[T]]
    find_difference: Callable[[SelfTestTenants, Batches[T]], str]
    """The expected and the actual result of an example; empty if they are the same."""
    relabel: Callable[[Batches[T], int], Batches[T]]
    """The same example with other keys."""
    render: Callable[[Batches[T]], str]
    """An example as a table."""
    part: float = 1.0
    """The part of the examples that this check draws: less than 1 if each one is expensive."""

    def run(self, tenants: SelfTestTenants, options: SelfTestOptions) -> CheckResult:
        """Draw examples and test them, few of them first and then many together."""
        start, count = options.clock.monotonic(), 0
        for number, size in enumerate(generate_group_sizes(options.scale_examples(self.part))):
            if options.stop():
                break
            sample = self._sample(options, number, size)
            examples = sample.draw()[-size:]
            count += len(examples)
            if difference := self._test(tenants, examples):
                example, difference = self._reduce(tenants, options, sample, examples, difference)
                return self._build_result("failed", count, options, start, example=example, difference=difference)
        if not count:
            return self._build_result("skipped", 0, options, start, reason="stopped before its turn")
        return self._build_result("passed", count, options, start)

    def _sample(self, options: SelfTestOptions, number: int, size: int) -> Sample[Batches[T]]:
        # A sample starts with the simplest example. The first group has tested it, so others draw one more.
        seed = f"{options.seed} {self.name} {number}"
        return Sample(draw_example=self.draw_example, seed=seed, size=size + (number > 0))

    def _reduce(
        self,
        tenants: SelfTestTenants,
        options: SelfTestOptions,
        sample: Sample[Batches[T]],
        examples: Sequence[Batches[T]],
        difference: str,
    ) -> tuple[str, str]:
        """The smallest failing example and its difference, rendered. `difference` is the one of all examples."""
        limit = ReductionLimit(options)

        def has_failed(candidates: Sequence[Batches[T]]) -> bool:
            return limit.can_test() and limit.count(has_failed=bool(self._test(tenants, candidates)))

        failing = find_failing(sorted(examples, key=count_events), has_failed)
        if len(failing) == 1:
            failing = [sample.shrink(failing[0], lambda example: has_failed([example]))]
        smallest = self._merge(tenants, failing)
        return self.render(smallest), self._test_merged(tenants, smallest) or f"{_UNSTABLE}\n{difference}"

    def _test(self, tenants: SelfTestTenants, examples: Sequence[Batches[T]]) -> str:
        return self._test_merged(tenants, self._merge(tenants, examples))

    def _merge(self, tenants: SelfTestTenants, examples: Sequence[Batches[T]]) -> Batches[T]:
        return merge_examples([self.relabel(batches, tenants.take_number()) for batches in examples])

    def _test_merged(self, tenants: SelfTestTenants, batches: Batches[T]) -> str:
        return tenants.describe_failure(lambda: self.find_difference(tenants, batches))

    def _build_result(
        self, outcome: Outcome, count: int, options: SelfTestOptions, start: float, **texts: str
    ) -> CheckResult:
        seconds = round(options.clock.monotonic() - start, 3)
        return CheckResult(
            name=self.name, promise=self.promise, outcome=outcome, examples=count, seconds=seconds, **texts
        )


MAX_TESTS = 60
"""The maximum number of tests to reduce a failing example."""
STALLED = 15
"""The number of successive tests without a failure that ends the reduction: later ones seldom find a smaller example."""
_UNSTABLE = "The example did not fail when it was tested again: the engine gives different results. The first result:"


def find_failing(examples: Sequence[T], fails: Callable[[Sequence[T]], bool]) -> Sequence[T]:
    """The first failing example of a group; several examples if they fail only together."""
    while len(examples) > 1:
        middle = len(examples) // 2
        failing = next((half for half in (examples[:middle], examples[middle:]) if fails(half)), None)
        if failing is None:
            break
        examples = failing
    return examples


class ReductionLimit:
    """Ends the reduction of a failing example, so that a slow warehouse does not run for hours.

    The limit counts tests and not only seconds, so that a seed gives the same example on another machine.
    """

    def __init__(self, options: SelfTestOptions) -> None:
        self._options = options
        self._end = options.clock.monotonic() + options.max_seconds
        self._tests = 0
        self._tests_without_failure = 0

    def can_test(self) -> bool:
        """Whether another test may run."""
        return (
            self._tests < MAX_TESTS
            and self._tests_without_failure < STALLED
            and self._options.clock.monotonic() < self._end
            and not self._options.stop()
        )

    def count(self, *, has_failed: bool) -> bool:
        """Count a test. Returns `has_failed`."""
        self._tests += 1
        self._tests_without_failure = 0 if has_failed else self._tests_without_failure + 1
        return has_failed
