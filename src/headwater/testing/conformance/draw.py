"""The random choices of an example. Hypothesis makes them, and makes simpler ones while it shrinks a failing example.

`headwater.run.app` imports the checks, and Hypothesis is an extra. So functions that draw get their choices from `Draw`, and
Hypothesis is imported only inside of functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

T = TypeVar("T")


class Draw:
    """Draws the parts of an example. Put the simplest choice first: Hypothesis shrinks to it."""

    def __init__(self, draw: DrawFn) -> None:
        from hypothesis import strategies  # noqa: PLC0415

        self._draw = draw
        self._strategies = strategies

    def choose(self, values: Sequence[T]) -> T:
        """One of the values. A value that occurs twice is twice as likely."""
        return self._draw(self._strategies.sampled_from(values))

    def choose_number(self, low: int, high: int) -> int:
        """A number from `low` to `high`, both included."""
        return self._draw(self._strategies.integers(low, high))

    def draw_list(self, draw_item: Callable[[Draw], T], *, min_size: int = 1, max_size: int) -> list[T]:
        """A list of `min_size` to `max_size` items, on average half of `max_size`.

        Each item is optional: Hypothesis leaves it out in one step. It needs more steps for an item of `strategies.lists`.
        """
        item_strategy = build_strategy(draw_item)
        optional = self._strategies.none() | item_strategy
        items = [item for item in (self._draw(optional) for _ in range(max_size)) if item is not None]
        return [*items, *(self._draw(item_strategy) for _ in range(min_size - len(items)))]


@lru_cache(maxsize=64)
def build_strategy(draw_example: Callable[[Draw], T]) -> SearchStrategy[T]:
    """The strategy for `given` and `find` of a function that draws."""
    from hypothesis import strategies  # noqa: PLC0415

    @strategies.composite
    def draw_with(draw: DrawFn) -> T:
        return draw_example(Draw(draw))

    return draw_with()
