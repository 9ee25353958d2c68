"""Examples: the events that arrive, batch by batch, and how several examples are tested together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import TypeVar

T = TypeVar("T")

Batches = tuple[tuple[T, ...], ...]
"""An example: the events that arrive, batch by batch."""

LARGEST_GROUP = 256
"""The maximum number of examples that are drawn before they are tested. It limits memory and the time until a stop."""


def group_by_batch(pairs: Iterable[tuple[int, T]]) -> Batches[T]:
    """The events of each batch number, in the order of the numbers."""
    batches: dict[int, list[T]] = {}
    for number, event in pairs:
        batches.setdefault(number, []).append(event)
    return tuple(tuple(batches[number]) for number in sorted(batches))


def merge_examples(examples: Sequence[Batches[T]]) -> Batches[T]:
    """Several examples as one: the first batches of all examples are the first batch, and so on."""
    merged = (tuple(flatten(batches)) for batches in zip_longest(*examples, fillvalue=()))
    return tuple(batch for batch in merged if batch)


def count_events(batches: Iterable[Sequence[T]]) -> int:
    """The number of events of an example."""
    return sum(map(len, batches))


def flatten(batches: Iterable[Iterable[T]]) -> list[T]:
    """The events of all batches."""
    return [event for batch in batches for event in batch]


def generate_group_sizes(count: int) -> Iterator[int]:
    """1, 4, 16, 64, 256, 256 … up to `count` in total.

    So a common failure occurs in a small group, and a slow engine needs few queries for many examples.
    """
    size = 1
    while count > 0:
        yield min(size, count)
        count -= size
        size = min(4 * size, LARGEST_GROUP)
