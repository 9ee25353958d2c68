"""The oracle's batches as landed ones: Parquet files, arrivals, readings."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from headwater.batch import Batch as Parcel
from headwater.batch import Feed, Window, create_batch
from headwater.clock import EPOCH, to_micros
from headwater.silver.mapping import LandedBatch, SourceMapping
from tests.silver.oracle.batch import Batch, Record, Source

START = datetime(2026, 1, 1, tzinfo=UTC)
FIELDS = {
    "_line": pa.int64(),
    "id": pa.string(),
    "name": pa.string(),
    "size": pa.string(),
    "note": pa.string(),
    "changed": pa.string(),
    "gone": pa.bool_(),
    "fits": pa.bool_(),
}


def to_instant(number: float) -> datetime:
    return START + timedelta(hours=number)


def to_hour_micros(number: float) -> int:
    """An hour as the oracle counts instants."""
    return to_micros(to_instant(number))


def build_parcel(connection: str, source: str, purpose: str, until: float, reading: int) -> Parcel:
    feed = Feed(tenant="acme", connection=connection, resource=source.partition(".")[2])
    return create_batch(feed, Window(since=EPOCH, until=to_instant(until)), purpose=purpose, attempt=reading)


def parse_number(key: str | None) -> str | None:
    return None if key is None else key.partition(":")[2]


def build_line(place: int, record: Record) -> dict[str, object]:
    """A record as bronze has it."""
    size = record.values.get("size")
    moment = None if record.stamp is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=record.stamp)
    return {
        "_line": place,
        "id": parse_number(record.key),
        "name": record.values.get("name"),
        "size": None if size is None else str(size),
        "note": record.values.get("note"),
        "changed": moment and moment.isoformat(),
        "gone": record.deleted,
        "fits": record.fits,
    }


def write_parquet(path: Path, lines: Iterable[Mapping[str, object]], names: Iterable[str]) -> str:
    lines = list(lines)
    arrays = {name: pa.array([line[name] for line in lines], FIELDS[name]) for name in names}
    pq.write_table(pa.table(arrays), path)
    return str(path)


def land_batch(batch: Batch, parcel: Parcel, folder: Path) -> LandedBatch:
    """The batch, landed."""
    names = ("_line", "id") if batch.purpose == "sweep" else tuple(FIELDS)
    stem = f"{parcel.feed.connection}-{parcel.feed.resource}-{parcel.id}"
    lines = itertools.starmap(build_line, enumerate(batch.records))
    refused = (
        {**dict.fromkeys(FIELDS), "_line": 100 + place, "id": parse_number(key)}
        for place, key in enumerate(batch.refused)
    )
    return LandedBatch(
        source=batch.source,
        batch=parcel,
        files=(write_parquet(folder / f"{stem}.parquet", lines, names),),
        refused=len(batch.refused),
        refused_file=write_parquet(folder / f"{stem}.refused.parquet", refused, names) if batch.refused else None,
        is_proved=batch.proved,
        observed_at=datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=batch.read_at),
    )


def build_mapping(source: Source) -> SourceMapping:
    """The source, compiled."""
    return SourceMapping(
        source=source.name,
        columns={"widget_id": "id", **{name: name for name in source.columns}},
        changed_at="changed",
        where="fits" if source.has_where else None,
        deleted="gone" if source.has_deleted else None,
        has_deletes=source.deletes != "none",
        max_drop=source.max_drop,
    )
