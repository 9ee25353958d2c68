"""Random draws. They use only `Random.random`, whose sequence does not change between Python versions."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


def choose(rng: Random, options: Sequence[T]) -> T:
    """Return one of the options."""
    return options[int(rng.random() * len(options))]


def draw_bool(rng: Random, probability: float) -> bool:
    """Return True with this probability."""
    return rng.random() < probability


def draw_int(rng: Random, low: int, high: int) -> int:
    """Return an integer from `low` to `high`, inclusive."""
    return low + int(rng.random() * (high - low + 1))


def draw_count(rng: Random, mean: float) -> int:
    """Return an integer whose average is `mean`: one of the two nearest to it."""
    return int(mean + rng.random())


def shuffle(rng: Random, options: Sequence[T]) -> list[T]:
    """Return the options in random order."""
    return [option for _, _, option in sorted((rng.random(), at, option) for at, option in enumerate(options))]
