"""The files warehouse: Parquet, CSV or Delta tables in a folder or a bucket, with DuckDB as the query engine."""

from __future__ import annotations
