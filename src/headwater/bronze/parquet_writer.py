"""DuckDB at work: from lines of JSON to Parquet, in little memory and without changing a value."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from headwater.bronze.schema import BronzeSchema, columns_sql, kept_sql, struct_sql
from headwater.bronze.spelling import UNSETTLED
from headwater.errors import LakeError
from headwater.model.field import Node
from headwater.names import literal, quote

_MEMORY = 256
"""Megabytes."""
_FOLD = 12
"""How many times its own length a long line may need."""
_ROW_GROUP = 16_384
_LONGEST = 4 << 20
_NO_TEXT = r"^([{\[]|(true|false|-?[0-9]+(\.[0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+))$)"
"""How DuckDB spells an object, a list, a boolean or a fraction where text is due. A whole number is welcome there."""
# A record of millions of values takes more memory than there is: read row by row, it is refused.
_UNFIT = (
    duckdb.ConversionException, duckdb.InvalidInputException, duckdb.OutOfRangeException, duckdb.OutOfMemoryException,
)  # fmt: skip


class TypeMismatch(Exception):
    """DuckDB could not read some line as declared."""


class UnsettledJson(TypeMismatch):
    """Some line has a JSON value that must be written canonically before DuckDB reads it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """A file of lines: records as they came, or `staged` as {n: line, p: parent, r: record}."""

    url: str
    staged: bool = False
    longest: int = 0
    parents: bool = False
    """Whether `_parent` is kept."""

    def rows_sql(self, nodes: tuple[Node, ...]) -> str:
        """The table function that reads `nodes` of each record."""
        columns = columns_sql(nodes)
        if self.staged:
            columns = f"{{'n': 'BIGINT', 'p': 'VARCHAR', 'r': {literal(struct_sql(nodes))}}}"
        size = max(_LONGEST, 2 * self.longest)
        options = f"format='newline_delimited', compression='zstd', columns={columns}, maximum_object_size={size}"
        return f"read_json({literal(self.url)}, {options})"

    @property
    def record(self) -> str:
        """The column that holds the record; empty where its fields are the columns."""
        return "r" if self.staged else ""


class ParquetWriter:
    """A DuckDB of its own, for one landing."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def reserve_memory(self, longest: int) -> None:
        """Take as much memory as lines of so many bytes need."""
        if longest > _LONGEST:
            self._connection.execute(f"SET memory_limit = '{_MEMORY + _FOLD * (longest >> 20)}MB'")

    def read_field_names(self, lines: Lines, bag: Node) -> dict[str, str]:
        """The ids of a bag of custom fields in `lines`, each with its caption."""
        value = f"{lines.record}.{quote(bag.key)}" if lines.record else quote(bag.key)
        return self._select_names(f"SELECT unnest({value}) AS field FROM {lines.rows_sql((bag,))}", bag)

    def read_stored_names(self, path: str, bag: Node) -> dict[str, str]:
        """The ids of a bag of custom fields in a bronze file, each with its caption."""
        return self._select_names(f"SELECT unnest({quote(bag.key)}) AS field FROM read_parquet({literal(path)})", bag)

    def find_suspicious(self, path: str, texts: Sequence[str]) -> set[str]:
        """Those of the columns `texts` of a bronze file in which some text may have been something else in the record."""
        if not texts:
            return set()
        looks = ", ".join(f"bool_or({_suspicious_sql(quote(name))})" for name in texts)
        found = self._run(f"SELECT {looks} FROM read_parquet({literal(path)})").fetchone()
        return {name for name, odd in zip(texts, found, strict=True) if odd}

    def write(self, lines: Lines, shape: BronzeSchema, target: str, *, bag: Node | None, ids: Iterable[str]) -> int:
        """Type the records of `lines` into the Parquet file `target`; how many."""
        columns = ["n AS _line" if lines.staged else "row_number() OVER () AS _line"]
        if lines.parents:
            columns.append("p AS _parent")
        columns.append(shape.select_sql(lines.record))
        if bag is not None:
            columns += [_pivot_sql(bag, key, lines.record) for key in ids]
        query = f"SELECT {', '.join(columns)} FROM {lines.rows_sql(shape.nodes)}"
        options = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROW_GROUP}"
        written = self._run(f"COPY ({query}) TO {literal(target)} ({options})").fetchone()
        return int(written[0]) if written else 0

    def write_empty(self, lines: Lines, shape: BronzeSchema, target: str) -> int:
        """A Parquet file at `target` with the columns of `lines` and no row."""
        empty = ", ".join(f"NULL::{one}" for one in ("BIGINT", "VARCHAR", struct_sql(shape.nodes)))
        columns = ["n AS _line", *(("p AS _parent",) if lines.parents else ()), shape.select_sql("r")]
        query = f"SELECT {', '.join(columns)} FROM (SELECT {empty}) AS nothing(n, p, r) WHERE n IS NOT NULL"
        self._run(f"COPY ({query}) TO {literal(target)} (FORMAT parquet)")
        return 0

    def _select_names(self, fields: str, bag: Node) -> dict[str, str]:
        caption = "max(field.caption)" if any(node.key == "caption" for node in bag.nodes) else "NULL"
        statement = (
            f"SELECT CAST(field.id AS VARCHAR), {caption} FROM ({fields}) WHERE field.id IS NOT NULL GROUP BY field.id"
        )
        return sort_field_names((key, caption or "") for key, caption in self._run(statement).fetchall())

    def read_line_numbers(self, path: str) -> set[int]:
        """The line numbers in a bronze file."""
        return {line for (line,) in self._run(f"SELECT _line FROM read_parquet({literal(path)})").fetchall()}

    def _run(self, statement: str) -> Any:
        try:
            return self._connection.execute(statement)
        except _UNFIT as error:
            kind = UnsettledJson if UNSETTLED in str(error) else TypeMismatch
            raise kind(_first_line(error)) from error
        except duckdb.Error as error:
            hint = "check disk space, permissions and memory, then run again; committed data is safe"
            raise LakeError(
                "A bronze file cannot be written.", where="bronze", details=_first_line(error), hint=hint
            ) from error


@contextmanager
def open_writer(scratch: str) -> Iterator[ParquetWriter]:
    """A DuckDB that spills beside `scratch`, and cleans up after itself."""
    spill = Path(f"{scratch}.spill.tmp")
    # One thread: numbering lines makes the pipeline serial, and the survey has another core meanwhile.
    config: dict[str, Any] = {"memory_limit": f"{_MEMORY}MB", "temp_directory": str(spill), "threads": 1}
    with duckdb.connect(":memory:", config=config) as connection:
        connection.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = true; SET enable_progress_bar = false")
        try:
            yield ParquetWriter(connection)
        finally:
            shutil.rmtree(spill, ignore_errors=True)


def find_custom_fields(shape: BronzeSchema, name: str) -> Node | None:
    """The bag of custom fields `name`, if the contract has one with ids and values."""
    bag = next((node for node in shape.nodes if node.key == name and node.many), None)
    kinds = {node.key: node.dtype for node in bag.nodes} if bag else {}
    return bag if kinds.get("id") in ("text", "integer", "bigint") and kinds.get("value") else None


def sort_field_names(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Custom fields, each an id and a caption, in the order of their ids, numbers as numbers."""
    return dict(sorted(fields, key=lambda pair: (len(pair[0]), pair[0])))


def _suspicious_sql(text: str) -> str:
    # Nearly all text is told by its first letter, at half of what the pattern costs.
    begins = (
        f"{text} < ':' OR {text} BETWEEN '[' AND '\\' OR {text} BETWEEN '{{' AND '|' OR {text} IN ('true', 'false')"
    )
    return f"CASE WHEN {begins} THEN regexp_matches({text}, {literal(_NO_TEXT)}) END"


def _pivot_sql(bag: Node, key: str, record: str) -> str:
    value = f"{record}.{quote(bag.key)}" if record else quote(bag.key)
    kinds = {node.key: node.dtype for node in bag.nodes}
    number = kinds["id"] in ("bigint", "integer")
    found = f"list_filter({value}, lambda field: field.id = {int(key) if number else literal(key)})[1].value"
    values = next(node for node in bag.nodes if node.key == "value")
    text = f"CAST({kept_sql(found, values)} AS VARCHAR)"
    return f"{text} AS {quote(f'{bag.key}_{key}')}"


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
