"""The smallest failing example: a plain loop that leaves events out for as long as it still fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

Batches = tuple[tuple[T, ...], ...]
"""An example: what arrives, batch after batch."""

Fails = Callable[[Sequence[Batches[T]]], str]
"""How some examples, tried together, fail; empty where they hold."""

TRIES = 150
"""How often a failing example is tried again in search of a smaller one."""


def shrink(examples: Sequence[Batches[T]], fails: Fails[T], *, tries: int = TRIES) -> Sequence[Batches[T]]:
    """As few events of `examples` as still fail, found by leaving out ever smaller stretches of them."""
    kept = [(number, place, one) for number, batches in enumerate(examples) for place, one in _items(batches)]
    size = len(kept) // 2
    while size and tries > 0:
        smaller = None
        for start in range(0, len(kept), size):
            without = kept[:start] + kept[start + size :]
            tries -= 1
            if without and tries >= 0 and fails(_examples(without)):
                smaller = without
                break
        if smaller is None:
            size //= 2
        else:
            kept = smaller
            size = min(size, max(1, len(kept) // 2)) if len(kept) > 1 else 0
    return _examples(kept)


def merge_examples(examples: Sequence[Batches[T]]) -> Batches[T]:
    """Examples as one: the first batches of all of them are the first batch, and so on."""
    longest = max(map(len, examples), default=0)
    joined = (tuple(one for batches in examples for one in batches[place : place + 1]) for place in range(longest))
    return tuple(batch for batch in (tuple(one for part in parts for one in part) for parts in joined) if batch)


def flatten(batches: Iterable[Iterable[T]]) -> list[T]:
    """All events of all batches."""
    return [one for batch in batches for one in batch]


def growing_counts(count: int) -> Iterator[int]:
    """1, 4, 16, … up to `count` in all: a failure is met in few examples first, and many cost little more than few."""
    size = 1
    while count > 0:
        yield min(size, count)
        count -= size
        size *= 4


def _items(batches: Batches[T]) -> Iterator[tuple[int, T]]:
    return ((place, one) for place, batch in enumerate(batches) for one in batch)


def _examples(kept: Sequence[tuple[int, int, T]]) -> list[Batches[T]]:
    """The examples and batches that are left."""
    found: dict[int, dict[int, list[T]]] = {}
    for number, place, one in kept:
        found.setdefault(number, {}).setdefault(place, []).append(one)
    return [tuple(tuple(batch) for batch in batches.values()) for batches in found.values()]
