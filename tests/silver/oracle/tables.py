"""Reads and histories drawn as tables, so that a case fits on a screen. Instants are small whole numbers (seconds).

A row of reads: batch | source | purpose | until | read_at | records, and records are
    k@5 n=A      live, stamp 5, column n is A (`n=~` is NULL; a column that is not named is NULL, where the source knows it)
    k@-          no stamp            k@5! deleted        k@5/ does not fit `where`
    #k  #?       refused, its key known or not
A purpose with `?` behind it was not proved complete.
A row of history: key | from | to | values | batch; `to` is empty where it is open.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from tests.silver.oracle.batch import SECOND, Batch, Record, Source
from tests.silver.oracle.fold import Version
from tests.silver.oracle.taken import history

RECORD = re.compile(r"(?P<key>\w+)@(?P<stamp>-?\d+|-)(?P<mark>[!/]*)(?P<values>( \w+=\S+)*)$")


def rows(table: str) -> list[list[str]]:
    lines = [line for line in table.strip().splitlines() if line.strip()]
    return [[cell.strip() for cell in line.split("|")] for line in lines]


def values_of(text: str) -> dict[str, object]:
    pairs = (pair.split("=") for pair in text.split())
    return {name: None if value == "~" else value for name, value in pairs}


def record_of(text: str) -> Record:
    found = RECORD.match(text)
    assert found, text
    stamp = None if found["stamp"] == "-" else int(found["stamp"]) * SECOND
    mark = found["mark"]
    return Record(found["key"], stamp, values_of(found["values"]), deleted="!" in mark, fits="/" not in mark)


def batches_of(table: str) -> list[Batch]:
    return [_batch_of(*cells) for cells in rows(table)]


def _batch_of(name: str, source: str, purpose: str, until: str, read_at: str, text: str = "") -> Batch:
    parts = [part.strip() for part in text.split(";") if part.strip()]
    refused = tuple(None if part == "#?" else part[1:] for part in parts if part.startswith("#"))
    return Batch(
        id=name,
        source=source,
        purpose=purpose.rstrip("?"),
        proved=not purpose.endswith("?"),
        until=int(until) * SECOND,
        read_at=int(read_at) * SECOND,
        records=tuple(record_of(part) for part in parts if not part.startswith("#")),
        refused=refused,
    )


def drawn(versions: Iterable[Version]) -> list[list[str]]:
    """A history as rows of text."""
    return [
        [
            version.key,
            str(version.valid_from // SECOND),
            "" if version.valid_to is None else str(version.valid_to // SECOND),
            " ".join(f"{name}={'~' if value is None else value}" for name, value in version.values),
            version.batch,
        ]
        for version in versions
    ]


def sources_of(*sources: Source) -> Mapping[str, Source]:
    return {source.name: source for source in sources}


def check(reads: str, expected: str, *sources: Source, over: tuple[str, ...] = (), allow_drop: bool = False) -> None:
    """Reads give that history, in whatever order they come."""
    names = sorted({name for source in sources for name in source.columns})
    found = batches_of(reads)
    for order in (found, found[::-1], found + found):
        assert drawn(history(order, sources_of(*sources), names, over, allow_drop=allow_drop)) == rows(expected)
