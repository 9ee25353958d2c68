"""The reference: download every page into a file, then let DuckDB type them all into one Parquet file."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import httpx2

from bench.measure import measured
from headwater.bronze.schema import build_schema
from headwater.connectors.connectwise.schemas import Ticket
from headwater.dtypes import DUCKDB, render_dtype
from headwater.model.field import Field
from headwater.names import quote


def download_and_type(url: str, folder: Path) -> None:
    """No place kept, no raw, no check, no ledger: what a careful script of twenty lines would do."""
    base = f"{url}/v4_6_release/apis/3.0/service/tickets"
    with httpx2.Client(trust_env=False) as client:
        for number in range(100):
            body = client.get(base, params={"pageId": str(number * 1000), "pageSize": "1000"}).content
            (folder / f"{number:03d}.json").write_bytes(body)
    schema = build_schema(Ticket)
    selected = ", ".join(map(_column, schema.fields))
    duckdb.execute(
        f"COPY (SELECT {selected} FROM read_json('{folder}/*.json', format = 'array', columns = {schema.columns_sql()})) "
        f"TO '{folder}/tickets.parquet' (FORMAT parquet, COMPRESSION zstd)"
    )


def _column(field: Field) -> str:
    """A value cast to its type, as such a script would have it: no look at what a cast does to digits or spellings."""
    value = ".".join(map(quote, field.path))
    kept = None if field.many or field.dtype == "json" else render_dtype(field.dtype, DUCKDB)
    return f"{f'CAST({value} AS {kept})' if kept else value} AS {quote(field.name)}"


if __name__ == "__main__":
    measured(lambda: download_and_type(sys.argv[1], Path(sys.argv[2])))
