"""A lake, a resource and what a test asks of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import zstandard

from headwater.batch import Feed, Window, create_batch
from headwater.bronze.land import LandingTerms, LandResult, land
from headwater.clock import EPOCH
from headwater.lake.layout import open_lake
from headwater.model.field import build_contract
from headwater.model.resource import Resource

NOW = datetime(2026, 2, 1, tzinfo=UTC)
FIELDS = {
    "id": "bigint", "name": "text", "hours": "double", "done": "boolean", "at": "timestamp", "on": "date", "count": "integer",
    "price": "decimal(18,4)", "extra": "json", "company.id": "bigint", "company.name": "text", "_info.lastUpdated": "timestamp",
}  # fmt: skip


def at(text: str) -> datetime:
    """An instant as DuckDB returns it: UTC, without saying so."""
    return datetime.fromisoformat(text)


class Bench:
    """A lake, a resource and its contract, and what a test asks of them."""

    def __init__(self, root: Path, contract: Any = None, **resource: Any) -> None:
        self.lake = open_lake(str(root), "acme")
        self.resource = Resource(resource="things", path="things", **resource)
        self.contract = contract or build_contract("Thing", FIELDS)
        feed = Feed(tenant="acme", connection="psa", resource="things")
        self.batch = create_batch(feed, Window(since=EPOCH, until=datetime(2026, 1, 1, tzinfo=UTC)))

    def sweep(self) -> None:
        self.batch = create_batch(self.batch.feed, self.batch.window, purpose="sweep")

    def raw(self, lines: Sequence[bytes | dict[str, Any]], page: int = 3) -> None:
        packed = [line if isinstance(line, bytes) else json.dumps(line, ensure_ascii=False).encode() for line in lines]
        pages = [packed[at : at + page] for at in range(0, len(packed), page)]
        compressor = zstandard.ZstdCompressor(write_checksum=True)
        frames = (compressor.compress(b"".join(line + b"\n" for line in one)) for one in pages)
        self.lake.write(self.lake.path("raw", self.batch, ".jsonl.zst"), b"".join(frames))

    def land(self, lines: Sequence[bytes | dict[str, Any]] | None = None, **options: Any) -> LandResult:
        if lines is not None:
            self.raw(lines)
        terms = LandingTerms(**{name: options.pop(name) for name in ("drift", "nul") if name in options})
        landed = land(self.batch, self.resource, self.contract, self.lake, now=NOW, terms=terms, **options)
        if lines is not None:
            assert landed.kept + len(landed.refused) == len(lines)
        assert not list(Path(self.lake.store.url).rglob("*.tmp"))
        return landed

    def rows(self, columns: str = "*", suffix: str = ".parquet") -> list[tuple[Any, ...]]:
        path = self.lake.url(self.lake.path("bronze", self.batch, suffix))
        return duckdb.sql(f"SELECT {columns} FROM read_parquet('{path}') ORDER BY _line").fetchall()

    def columns(self) -> dict[str, str]:
        path = self.lake.url(self.lake.path("bronze", self.batch, ".parquet"))
        return {row[0]: row[1] for row in duckdb.sql(f"DESCRIBE SELECT * FROM read_parquet('{path}')").fetchall()}
