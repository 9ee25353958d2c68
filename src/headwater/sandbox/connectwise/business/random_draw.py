"""Dice. They use nothing but `Random.random`, whose sequence Python promises to keep."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


def pick(rng: Random, options: Sequence[T]) -> T:
    """One of the options."""
    return options[int(rng.random() * len(options))]


def chance(rng: Random, probability: float) -> bool:
    """Whether something of this probability happens."""
    return rng.random() < probability


def between(rng: Random, low: int, high: int) -> int:
    """A whole number from `low` to `high`, both included."""
    return low + int(rng.random() * (high - low + 1))


def times(rng: Random, mean: float) -> int:
    """How often something happens that happens `mean` times on average."""
    return int(mean + rng.random())


def shuffled(rng: Random, options: Sequence[T]) -> list[T]:
    """All the options in another order."""
    return [option for _, _, option in sorted((rng.random(), at, option) for at, option in enumerate(options))]
