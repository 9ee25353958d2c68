"""Makes a case that disagrees smaller, as long as it still disagrees: whole reads first, then their records."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.silver.oracle.generate import Case, Pack


def shrink(pack: Pack, case: Case, disagrees: Callable[[Pack], bool]) -> Pack:
    """The case by itself, with nothing in it that may go; the whole pack, where the case agrees by itself."""
    smallest = replace(pack, cases=(case,))
    if not disagrees(smallest):
        return pack
    while less := next((one for one in list_smaller(smallest) if disagrees(one)), None):
        smallest = less
    return smallest


def list_smaller(pack: Pack) -> Iterator[Pack]:
    """A pack of one case, with one thing less in it."""
    (case,) = pack.cases
    for one in (*drop_a_read(case), *drop_an_arrival(case), *drop_a_record(case)):
        yield replace(pack, cases=(one,))


def drop_a_read(case: Case) -> Iterator[Case]:
    for place in range(len(case.groups)):
        order = tuple(one - (one > place) for one in case.order if one != place)
        yield replace(case, groups=case.groups[:place] + case.groups[place + 1 :], order=order)
    for place, group in enumerate(case.groups):
        if len(group) > 1:
            yield with_group(case, place, group[:1])


def drop_an_arrival(case: Case) -> Iterator[Case]:
    for place, one in enumerate(case.order):
        if case.order.count(one) > 1:
            yield replace(case, order=case.order[:place] + case.order[place + 1 :])


def drop_a_record(case: Case) -> Iterator[Case]:
    for place, group in enumerate(case.groups):
        for at, batch in enumerate(group):
            less = [
                *(replace(batch, records=drop(batch.records, line)) for line in range(len(batch.records))),
                *(replace(batch, refused=drop(batch.refused, line)) for line in range(len(batch.refused))),
            ]
            for one in less:
                yield with_group(case, place, (*group[:at], one, *group[at + 1 :]))


def with_group(case: Case, place: int, group: tuple) -> Case:
    return replace(case, groups=(*case.groups[:place], group, *case.groups[place + 1 :]))


def drop(items: tuple, place: int) -> tuple:
    return items[:place] + items[place + 1 :]
