"""Parquet of the lake as views in Spark, with the types that DuckDB reads from the footers."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlglot import exp

from headwater.dtypes import PORTABLE_SQL
from headwater.errors import WarehouseError
from headwater.names import quote, quote_literal
from headwater.warehouse.dialect.annotate import Columns
from headwater.warehouse.dialect.render import render
from headwater.warehouse.dialect.types import to_kind
from headwater.warehouse.duckdb.engine import DuckDB
from headwater.warehouse.spark.functions import DIALECT

_TEXT = r"'(?:[^']|'')*'"
_READ = re.compile(rf"read_parquet\(\[({_TEXT}(?:, {_TEXT})*)\], union_by_name = true\)")
_MAX_VIEWS = 500
"""The maximum number of open views; the oldest are dropped first."""

_TYPE = exp.DataType.Type
_UNREADABLE = (*exp.DataType.UNSIGNED_INTEGER_TYPES, _TYPE.INT128, _TYPE.TIMESTAMP_NS, _TYPE.TIMESTAMP_MS)


class LakeViews:
    """Files of the lake as temporary views of a session, in place of `read_parquet([...])`."""

    def __init__(self, spark: Any, prefix: str) -> None:
        self._spark = spark
        self._prefix = prefix
        self._footers: DuckDB | None = None
        self._open: dict[str, tuple[tuple[str, str], ...]] = {}

    def close(self) -> None:
        """Drop the views."""
        for view in self._open:
            self._spark.catalog.dropTempView(view)
        self._open.clear()
        if self._footers:
            self._footers.close()

    def replace_reads(self, statement: str) -> tuple[str, Columns]:
        """Replace the reads of files in a portable statement by views; return it with the types of their columns."""
        used: dict[str, None] = {}

        def replace_read(match: re.Match[str]) -> str:
            name = self._ensure_view(match)
            used[name] = None
            return quote(name)

        text = _READ.sub(replace_read, statement)
        return text, tuple((name, self._open[name]) for name in used)

    def _ensure_view(self, match: re.Match[str]) -> str:
        files = [text[1:-1].replace("''", "'") for text in re.findall(_TEXT, match[1])]
        stamps = [_read_stat_token(file) for file in files]
        view = f"{self._prefix}lake_{hashlib.md5(repr(stamps).encode(), usedforsecurity=False).hexdigest()}"
        if view not in self._open:
            types = self._read_types(files)
            self._read(files, types).createOrReplaceTempView(view)
            self._open[view] = tuple(types.items())
            if len(self._open) > _MAX_VIEWS:
                oldest = next(iter(self._open))
                del self._open[oldest]
                self._spark.catalog.dropTempView(oldest)
        return view

    def _read(self, files: Sequence[str], wanted: Mapping[str, str]) -> Any:
        """Return the records of all files. A missing column is NULL; a column of another type is converted."""
        files_by_types: dict[tuple[tuple[str, str], ...], list[str]] = {}
        for file in files:
            types = self._read_types([file]) if len(files) > 1 else wanted
            files_by_types.setdefault(tuple((name, types.get(name, kind)) for name, kind in wanted.items()), []).append(
                file
            )
        parts = [self._read_part(dict(types), wanted, paths) for types, paths in files_by_types.items()]
        whole = parts[0]
        for part in parts[1:]:
            whole = whole.unionAll(part)
        return whole

    def _read_types(self, files: Sequence[str]) -> dict[str, str]:
        if self._footers is None:
            self._footers = DuckDB("lake", ":memory:", threads=1)
        literals = ", ".join(map(quote_literal, files))
        rows = self._footers.rows(f"DESCRIBE SELECT * FROM read_parquet([{literals}], union_by_name = true)")
        return {row[0]: row[1] for row in rows}

    def _read_part(self, types: Mapping[str, str], wanted: Mapping[str, str], files: Sequence[str]) -> Any:
        schema = ", ".join(f"{_quote_name(name)} {_to_spark_type(name, kind, files)}" for name, kind in types.items())
        reader = self._spark.read.option("__globPaths__", "false").schema(schema)
        return reader.parquet(*map(_to_hadoop_path, files)).selectExpr(
            *(_convert_sql(name, types[name], kind, files) for name, kind in wanted.items())
        )


def _convert_sql(name: str, kind: str, wanted: str, files: Sequence[str]) -> str:
    if kind == wanted:
        return _quote_name(name)
    if "nested" in (to_kind(_parse_type(kind)), to_kind(_parse_type(wanted))):
        raise _build_unreadable_error(name, f"{kind} in one file, {wanted} in another", files)
    cast = f"CAST(CAST({quote(name)} AS {kind}) AS {wanted}) AS {quote(name)}"
    return render(f"SELECT {cast}", DIALECT).removeprefix("SELECT ")


def _to_spark_type(name: str, kind: str, files: Sequence[str]) -> str:
    dtype = _parse_type(kind)
    for inner in dtype.find_all(exp.DataType):
        if inner.this in _UNREADABLE or to_kind(inner) == "unknown":
            raise _build_unreadable_error(name, kind, files)
    return dtype.sql(dialect=DIALECT.name)


def _parse_type(kind: str) -> exp.DataType:
    return exp.DataType.build(kind, dialect=PORTABLE_SQL)


def _build_unreadable_error(name: str, kind: str, files: Sequence[str]) -> WarehouseError:
    hint = "`headwater rebuild` lands the batch again from raw, with the types of the current contract"
    return WarehouseError("Spark cannot read a column of bronze", where=files[0], details=f"{name}: {kind}", hint=hint)


def _read_stat_token(file: str) -> tuple[Any, ...]:
    """Return a value that changes when the file is replaced."""
    path = Path(file.removeprefix("file://"))
    if not path.is_absolute():
        return (file,)
    try:
        stat = path.stat()
    except OSError as error:
        raise WarehouseError(
            "a file of the lake cannot be read", where=file, details=str(error), hint="`headwater rebuild`"
        ) from error
    return (file, stat.st_mtime_ns, stat.st_size)


def _to_hadoop_path(file: str) -> str:
    """Return the URL of a file for Hadoop."""
    if file.startswith("s3://"):
        return f"s3a://{file.removeprefix('s3://')}"
    return f"file://{file}" if file.startswith("/") else file


def _quote_name(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
