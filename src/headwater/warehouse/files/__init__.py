"""The files warehouse: Parquet or Delta tables in a folder or a bucket, computed by DuckDB."""

from __future__ import annotations
