"""Cases that chance once found, drawn: the oracle says what is right, and conform agrees however the batches come."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headwater.silver.conform import conform
from tests.silver.oracle.batch import SECOND, Batch, Source
from tests.silver.oracle.history import build_history
from tests.silver.oracle.landing import build_mapping, build_parcel, land_batch, to_hour_micros
from tests.silver.oracle.stage import NAMES, OVERWRITTEN, WIDGET, open_warehouse, read_stored, to_stored_rows
from tests.silver.oracle.tables import parse_batches

A = Source("shop.a", ("name", "size"), deletes="none")
B = Source("shop.b", ("size", "note"), deletes="none")
FILTERS = {"has_where": True, "has_deleted": True}

FOUND = {
    "a future stamp that repeats, and an older instant in order": (
        """
        1 | shop.a | changes | 2  | 7  | 1@2 name=b
        2 | shop.a | changes | 11 | 19 | 1@900 name=b
        3 | shop.a | changes | 18 | 22 | 1@17 name=~
        """,
        (A, B),
        [(2, 17, "b"), (17, 19, None), (19, None, "b")],
    ),
    "a record that does not fit, of a thing that nobody knows yet": (
        """
        1 | shop.b | changes | 6 | 7 | 1@4/
        2 | shop.b | changes | 8 | 8 | 1@2
        """,
        (A, replace(B, has_where=True)),
        [(2, 4, None)],
    ),
    "an unstamped record, and a stamped one of the same read between": (
        """
        1 | shop.a | changes | 4  | 10 | 1@4 name=~
        2 | shop.a | changes | 12 | 16 | 1@- name=~ ; 1@11 name=a
        """,
        (A, B),
        [(4, 11, None), (11, 12, "a"), (12, None, None)],
    ),
    "a delete, and then a record of the same read that no longer fits": (
        """
        1 | shop.b | changes | 13 | 13 | 1@8!
        2 | shop.a | changes | 24 | 24 | 1@23 ; 1@-/
        """,
        (replace(A, **FILTERS), replace(B, **FILTERS)),
        [(23, 24, None)],
    ),
    "a record that is not the snapshot's last word, where nothing deletes": (
        "1 | shop.a | snapshot | 17 | 17 | 1@11/ ; 1@6",
        (replace(A, has_where=True), B),
        [(6, 11, None)],
    ),
    "a snapshot that shows a thing as deleted only, after a newer record": (
        """
        1 | shop.b | snapshot | 20 | 21 | 1@15 ; 1@20
        2 | shop.b | snapshot | 15 | 23 | 1@12! ; 1@13!
        """,
        (A, Source("shop.b", ("size", "note"), has_deleted=True)),
        [(20, None, None)],
    ),
    "a record that was asked for by id, of a thing that is deleted": (
        """
        1 | shop.a | changes | 4  | 4  | 1@3 name=a ; 1@4!
        2 | shop.b | sweep   | 14 | 14 | 1@-
        3 | shop.b | verify  | 14 | 15 | 1@2
        """,
        (replace(A, has_deleted=True), Source("shop.b", ("size", "note"), deletes="sweep")),
        [(2, 3, None), (3, 4, "a")],
    ),
    "an unstamped repetition that another source contradicts": (
        """
        1 | shop.a | changes | 10 | 10 | 1@- name=a
        2 | shop.b | changes | 15 | 15 | 1@-
        3 | shop.a | changes | 20 | 20 | 1@- name=a
        4 | shop.a | changes | 25 | 25 | 1@12 name=b
        """,
        (A, B),
        [(10, 12, "a"), (12, 20, "b"), (20, None, "a")],
    ),
    "a snapshot that shows again what it had missed and another source shows": (
        """
        1 | shop.b | snapshot | 6  | 6  | 1@5 size=0
        2 | shop.a | changes  | 12 | 12 | 1@12 name=b size=~
        3 | shop.b | snapshot | 17 | 18 |
        4 | shop.b | snapshot | 24 | 24 | 1@5 size=0
        """,
        (A, Source("shop.b", ("size", "note"))),
        [(5, 12, None), (12, None, "b")],
    ),
    "a sweep that shows what another source deleted after this one had missed it": (
        """
        1 | shop.a | changes  | 2  | 2  | 1@2 name=b
        2 | shop.a | sweep    | 5  | 5  |
        3 | shop.b | changes  | 8  | 8  | 1@7!
        4 | shop.a | sweep    | 10 | 10 | 1@-
        5 | shop.b | snapshot | 12 | 12 | 1@11 size=0
        6 | shop.b | snapshot | 15 | 15 |
        """,
        (replace(A, deletes="sweep"), Source("shop.b", ("size", "note"), has_deleted=True)),
        [(2, 5, "b"), (11, None, "b")],
    ),
    "a snapshot that shows what another source deleted after a presence": (
        """
        1 | shop.a | snapshot | 2  | 2  | 1@2 name=b
        2 | shop.a | snapshot | 5  | 5  |
        3 | shop.b | changes  | 8  | 8  | 1@7!
        4 | shop.a | snapshot | 10 | 10 | #1
        5 | shop.a | snapshot | 12 | 12 | 1@2 name=b
        """,
        (replace(A, deletes="snapshot"), replace(B, has_deleted=True)),
        [(2, 5, "b"), (12, None, "b")],
    ),
    "a refused record of what the last snapshot had missed": (
        """
        1 | shop.a | snapshot | 2 | 2 | 1@2 name=b
        2 | shop.a | snapshot | 5 | 5 |
        3 | shop.a | snapshot | 8 | 8 | #1
        """,
        (replace(A, deletes="snapshot"), B),
        [(2, 5, "b"), (8, None, "b")],
    ),
    "an id that a sweep shows again, where the last record of it fitted": (
        """
        1 | shop.a | changes | 2 | 2 | 1@2 name=b
        2 | shop.a | sweep   | 5 | 5 |
        3 | shop.a | sweep   | 8 | 8 | 1@-
        """,
        (replace(A, deletes="sweep", **FILTERS), B),
        [(2, 5, "b"), (8, None, "b")],
    ),
    "an id that a sweep shows again, where the last record of it did not fit": (
        """
        1 | shop.a | changes | 2 | 2 | 1@2 name=b
        2 | shop.a | sweep   | 5 | 5 |
        3 | shop.a | changes | 6 | 6 | 1@4/
        4 | shop.a | sweep   | 8 | 8 | 1@-
        """,
        (replace(A, deletes="sweep", **FILTERS), B),
        [(2, 4, "b")],
    ),
    "a record that was asked for by id says that it is there, and not what is newest": (
        """
        1 | shop.b | changes | 6  | 6  | 1@5 size=0
        2 | shop.a | changes | 12 | 12 | 1@12 name=b size=1
        3 | shop.b | sweep   | 15 | 15 |
        4 | shop.a | changes | 17 | 17 | 1@16/
        5 | shop.b | sweep   | 20 | 20 | 1@-
        6 | shop.b | verify  | 20 | 21 | 1@5 size=0
        """,
        (replace(A, **FILTERS), Source("shop.b", ("size", "note"), deletes="sweep", has_where=True)),
        [(5, 12, None), (12, 16, "b"), (20, None, "b")],
    ),
}


def land_parsed_batch(batch: Batch, connection: str, reading: int, folder):
    """A drawn batch as it lands; a second is an hour there."""
    until = batch.until // SECOND
    parcel = build_parcel(connection, batch.source, batch.purpose, until, reading)
    records = tuple(
        replace(
            one,
            key=f"{connection}:{one.key}",
            stamp=None if one.stamp is None else to_hour_micros(one.stamp // SECOND),
            values={name: int(str(value)) if name == "size" and value else value for name, value in one.values.items()},
        )
        for one in batch.records
    )
    batch_as_landed = replace(
        batch,
        id=parcel.id,
        until=to_hour_micros(until),
        read_at=to_hour_micros(batch.read_at // SECOND),
        records=records,
        refused=tuple(key and f"{connection}:{key}" for key in batch.refused),
    )
    return batch_as_landed, land_batch(batch_as_landed, parcel, folder)


@pytest.mark.parametrize("order", ["as read", "twice", "backwards"])
@pytest.mark.parametrize("name", FOUND)
def test_what_chance_found_stays_right(engine, tmp_path, name, order):
    table, sources, spans = FOUND[name]
    declared = {source.name: source for source in sources}
    landed_batches = [
        land_parsed_batch(one, "p", place, tmp_path) for place, one in enumerate(parse_batches(table), start=1)
    ]
    come = [arrival for _, arrival in landed_batches]
    calls = {
        "as read": [[one] for one in come],
        "twice": [[*come, *come]],
        "backwards": [[one] for one in come[::-1]],
    }[order]
    readings = {source.name: build_mapping(source) for source in sources}
    with open_warehouse(engine) as warehouse:
        here = []
        for call in calls:
            here += call
            conform(warehouse, WIDGET, readings, call, load_landed=lambda here=here: tuple(here))
        versions = build_history([batch for batch, _ in landed_batches], declared, NAMES, OVERWRITTEN)
        assert read_stored(warehouse, "p") == to_stored_rows(versions)
        periods = [(one.valid_from, one.valid_to, dict(one.values).get("name")) for one in versions]
        assert periods == [
            (to_hour_micros(since), None if to is None else to_hour_micros(to), value) for since, to, value in spans
        ]
