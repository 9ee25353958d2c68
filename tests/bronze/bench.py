"""A lake and a resource for tests of landings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import zstandard

from headwater.batch import Feed, Window, create_batch
from headwater.bronze.land import LandingOptions, LandResult, land
from headwater.clock import EPOCH
from headwater.lake.layout import open_lake
from headwater.model.field import build_contract
from headwater.model.resource import Resource

NOW = datetime(2026, 2, 1, tzinfo=UTC)
FIELDS = {
    "id": "bigint", "name": "text", "hours": "double", "done": "boolean", "at": "timestamp", "on": "date", "count": "integer",
    "price": "decimal(18,4)", "extra": "json", "company.id": "bigint", "company.name": "text", "_info.lastUpdated": "timestamp",
}  # fmt: skip


def to_instant(text: str) -> datetime:
    """An instant as DuckDB returns it: UTC, without a time zone."""
    return datetime.fromisoformat(text)


class Bench:
    """A lake, a resource and its contract, with methods that tests use."""

    def __init__(self, root: Path, contract: Any = None, **resource: Any) -> None:
        self.lake = open_lake(str(root), "acme")
        self.resource = Resource(resource="things", path="things", **resource)
        self.contract = contract or build_contract("Thing", FIELDS)
        feed = Feed(tenant="acme", connection="psa", resource="things")
        self.batch = create_batch(feed, Window(since=EPOCH, until=datetime(2026, 1, 1, tzinfo=UTC)))

    def use_sweep(self) -> None:
        self.batch = create_batch(self.batch.feed, self.batch.window, purpose="sweep")

    def write_raw(self, lines: Sequence[bytes | dict[str, Any]], page: int = 3) -> None:
        encoded = [line if isinstance(line, bytes) else json.dumps(line, ensure_ascii=False).encode() for line in lines]
        pages = [encoded[start : start + page] for start in range(0, len(encoded), page)]
        compressor = zstandard.ZstdCompressor(write_checksum=True)
        frames = (compressor.compress(b"".join(line + b"\n" for line in page)) for page in pages)
        self.lake.write(self.lake.build_batch_path("raw", self.batch, ".jsonl.zst"), b"".join(frames))

    def land(self, lines: Sequence[bytes | dict[str, Any]] | None = None, **options: Any) -> LandResult:
        if lines is not None:
            self.write_raw(lines)
        policy = {name: options.pop(name) for name in ("drift", "allow_nul") if name in options}
        result = land(
            self.batch, self.resource, self.contract, self.lake, now=NOW, options=LandingOptions(**policy), **options
        )
        if lines is not None:
            assert result.kept + len(result.refused) == len(lines)
        assert not list(Path(self.lake.store.url).rglob("*.tmp"))
        return result

    def read_rows(self, columns: str = "*", suffix: str = ".parquet") -> list[tuple[Any, ...]]:
        path = self.lake.fetch(self.lake.build_batch_path("bronze", self.batch, suffix))
        return duckdb.sql(f"SELECT {columns} FROM read_parquet('{path}') ORDER BY _line").fetchall()

    def read_columns(self) -> dict[str, str]:
        path = self.lake.fetch(self.lake.build_batch_path("bronze", self.batch, ".parquet"))
        return {row[0]: row[1] for row in duckdb.sql(f"DESCRIBE SELECT * FROM read_parquet('{path}')").fetchall()}
