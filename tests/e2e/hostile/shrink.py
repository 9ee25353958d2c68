"""The smallest life that goes wrong as a drawn one does: `python -m tests.e2e.hostile.shrink SEED`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

from tests.e2e.hostile.lives import Life, live
from tests.e2e.hostile.ways import QUIET, Drawn, draw


def attempt(drawn: Drawn) -> Life:
    """Live that life in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return live(drawn, Path(folder) / "project")


def list_smaller(drawn: Drawn) -> Iterator[Drawn]:
    """Lives with one thing less."""
    weathers = drawn.weathers
    for place in range(len(weathers)):
        yield replace(drawn, weathers=weathers[:place] + weathers[place + 1 :])
    for place, weather in enumerate(weathers):
        if weather != QUIET:
            yield replace(drawn, weathers=(*weathers[:place], QUIET, *weathers[place + 1 :]))
    for kind in drawn.kinds:
        if len(drawn.kinds) > 1:
            yield replace(drawn, kinds=tuple(one for one in drawn.kinds if one != kind))
    if drawn.changes > 1:
        yield replace(drawn, changes=drawn.changes // 2)
    if drawn.records > 4:
        yield replace(drawn, records=drawn.records // 2)
    for place, weather in enumerate(weathers):
        for name in (one.name for one in fields(weather)):
            if getattr(weather, name) != getattr(QUIET, name):
                calmer = replace(weather, **{name: getattr(QUIET, name)})
                yield replace(drawn, weathers=(*weathers[:place], calmer, *weathers[place + 1 :]))


def shrink(life: Life) -> Life:
    """The smallest life that still goes wrong in the way of the first fault."""
    kind = life.faults[0].partition(":")[0]
    again = True
    while again:
        again = False
        for drawn in list_smaller(life.drawn):
            found = attempt(drawn)
            if any(fault.startswith(kind) for fault in found.faults):
                life, again = found, True
                break
    return life


if __name__ == "__main__":
    first = attempt(draw(int(sys.argv[1])))
    print(shrink(first) if first.faults else "nothing is wrong")
