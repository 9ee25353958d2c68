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
from tests.silver.oracle.history import build_history

RECORD = re.compile(r"(?P<key>\w+)@(?P<stamp>-?\d+|-)(?P<mark>[!/]*)(?P<values>( \w+=\S+)*)$")


def parse_rows(table: str) -> list[list[str]]:
    lines = [line for line in table.strip().splitlines() if line.strip()]
    return [[cell.strip() for cell in line.split("|")] for line in lines]


def parse_values(text: str) -> dict[str, object]:
    pairs = (pair.split("=") for pair in text.split())
    return {name: None if value == "~" else value for name, value in pairs}


def parse_record(text: str) -> Record:
    match = RECORD.match(text)
    assert match, text
    stamp = None if match["stamp"] == "-" else int(match["stamp"]) * SECOND
    mark = match["mark"]
    return Record(match["key"], stamp, parse_values(match["values"]), deleted="!" in mark, fits="/" not in mark)


def parse_batches(table: str) -> list[Batch]:
    return [_parse_batch(*cells) for cells in parse_rows(table)]


def _parse_batch(name: str, source: str, purpose: str, until: str, read_at: str, text: str = "") -> Batch:
    parts = [part.strip() for part in text.split(";") if part.strip()]
    refused = tuple(None if part == "#?" else part[1:] for part in parts if part.startswith("#"))
    return Batch(
        id=name,
        source=source,
        purpose=purpose.rstrip("?"),
        proved=not purpose.endswith("?"),
        until=int(until) * SECOND,
        read_at=int(read_at) * SECOND,
        records=tuple(parse_record(part) for part in parts if not part.startswith("#")),
        refused=refused,
    )


def render_versions(versions: Iterable[Version]) -> list[list[str]]:
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


def index_sources(*sources: Source) -> Mapping[str, Source]:
    return {source.name: source for source in sources}


def check(reads: str, expected: str, *sources: Source, over: tuple[str, ...] = (), allow_drop: bool = False) -> None:
    """Reads give that history, in whatever order they come."""
    names = sorted({name for source in sources for name in source.columns})
    batches = parse_batches(reads)
    for order in (batches, batches[::-1], batches + batches):
        assert render_versions(
            build_history(order, index_sources(*sources), names, over, allow_drop=allow_drop)
        ) == parse_rows(expected)
