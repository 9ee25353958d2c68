"""Samples of random examples, and the smallest failing example. Hypothesis draws and shrinks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Generic, TypeVar

from headwater.testing.conformance.draw import Draw, build_strategy

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample(Generic[T]):
    """Random examples. Two equal samples have the same examples, with the same version of Hypothesis."""

    draw_example: Callable[[Draw], T]
    seed: str
    size: int
    """The maximum number of examples. The sample has fewer if no more exist."""

    def draw(self) -> list[T]:
        """The examples, the simplest first."""
        examples: list[T] = []

        def collect(example: T) -> bool:
            examples.append(example)
            return False

        self._find(collect)
        return examples

    def shrink(self, example: T, fails: Callable[[T], bool]) -> T:
        """The smallest failing example that Hypothesis makes from `example`, which is of this sample and fails.

        Hypothesis shrinks the first example that fails. So this draws the sample again, and calls `fails` only for examples after
        `example`. It calls `fails` once for each example, because an engine that gives two answers would stop Hypothesis.
        """
        outcomes: dict[str, bool] = {}

        def has_failed(candidate: T) -> bool:
            key = repr(candidate)
            if not outcomes and candidate != example:
                return False
            if key not in outcomes:
                outcomes[key] = candidate == example or fails(candidate)
            return outcomes[key]

        smallest = self._find(has_failed)
        return example if smallest is None else smallest

    def _find(self, condition: Callable[[T], bool]) -> T | None:
        """The smallest example that meets the condition; None if no example of the sample does."""
        import hypothesis  # noqa: PLC0415
        from hypothesis.errors import NoSuchExample  # noqa: PLC0415

        settings = hypothesis.settings(
            max_examples=self.size,
            phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
            database=None,
            deadline=None,
            verbosity=hypothesis.Verbosity.quiet,
        )
        with _disable_storage():
            try:
                example: T = hypothesis.find(
                    build_strategy(self.draw_example), condition, settings=settings, random=Random(self.seed)
                )
            except NoSuchExample:
                return None
        return example


@contextmanager
def _disable_storage() -> Iterator[None]:
    """Keep Hypothesis from writing a folder `.hypothesis` in the working directory: it ignores a location that is no folder."""
    from hypothesis.configuration import set_hypothesis_home_dir  # noqa: PLC0415

    set_hypothesis_home_dir(os.devnull)
    try:
        yield
    finally:
        set_hypothesis_home_dir(None)
