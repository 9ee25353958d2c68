"""A contract as types: column types of DuckDB, the SELECT that flattens records, and strict types of msgspec."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Annotated, Any, Union, cast

import msgspec
from pydantic import BaseModel

from headwater.bronze.contract import check_columns
from headwater.bronze.spelling import decimal_sql, double_sql, json_sql, loose_sql
from headwater.dtypes import DUCKDB, render_dtype
from headwater.errors import DeclarationError
from headwater.model.field import Field, Node, build_nodes, flatten_nodes
from headwater.names import quote, quote_literal

_READ_TYPES = {**DUCKDB, "json": "JSON", "timestamp": "TIMESTAMPTZ"}
"""How DuckDB reads a type. Timestamps are read with their offset, then stored in UTC."""

_STRICT_TYPES: dict[str, Any] = {
    "text": str | int,
    "boolean": bool,
    "integer": Annotated[int, msgspec.Meta(ge=-(2**31), lt=2**31)],
    "bigint": Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)],
    "double": float,
    "date": date,
    "timestamp": datetime,
    "json": msgspec.Raw,
}
_DECIMAL = Union[float, Annotated[str, msgspec.Meta(pattern=r"^-?\d{1,38}(\.\d{1,38})?$")]]  # noqa: UP007 - built at run time


@dataclass(frozen=True, slots=True, kw_only=True)
class BronzeSchema:
    """How to read and store the records of a contract."""

    nodes: tuple[Node, ...]
    fields: tuple[Field, ...]
    omit: tuple[str, ...]
    """Fields (by path) that records may have and that are not stored."""
    strict: Any
    """The msgspec type of a record. DuckDB reads what it accepts without changing a value."""
    fast_type: Any
    """`strict` without plain text, which would take half of the time. Text is checked in columns, see `texts`."""
    texts: tuple[str, ...]
    """The text columns that `fast_type` does not check. See `ParquetWriter.find_suspicious_columns`."""

    def columns_sql(self) -> str:
        """The columns of a record, for `read_json` of DuckDB."""
        return columns_sql(self.nodes)

    def struct_sql(self) -> str:
        """A record as one type of DuckDB."""
        return struct_sql(self.nodes)

    def restrict_strict_type(self, columns: Collection[str]) -> Any:
        """`strict` for only these columns. Their members are m0, m1 and so on."""
        return _build_strict_object("Record", tuple(_select_nodes(self.nodes, columns, ())))

    def select_sql(self, record: str = "") -> str:
        """The select list of the flattened columns, from the columns of a record or from the struct `record`."""
        return ", ".join(self._iterate_columns(record))

    def _iterate_columns(self, record: str) -> Iterator[str]:
        for path, node in _iterate_leaves(self.nodes, ()):
            value = ".".join((*((quote(record),) if record else ()), *map(quote, path)))
            yield f"{bronze_value_sql(value, node)} AS {quote('_'.join(path))}"


def build_schema(contract: type[BaseModel], omit: Collection[str] = (), *, custom_fields: str = "") -> BronzeSchema:
    """Build the schema of a contract, without the fields (by path) in `omit`. The values of `custom_fields` are text."""
    nodes = tuple(
        _to_custom_fields(node) if node.key == custom_fields else node
        for node in _omit_nodes(build_nodes(contract), omit, "")
    )
    if not nodes:
        raise DeclarationError("The contract has no fields.", where=contract.__name__, hint="declare its fields")
    fields = flatten_nodes(nodes)
    check_columns(fields, contract.__name__)
    return BronzeSchema(
        nodes=nodes,
        fields=fields,
        omit=tuple(omit),
        strict=_build_strict_object(contract.__name__, nodes),
        fast_type=_build_strict_object(contract.__name__, tuple(_drop_plain_text(nodes))),
        texts=tuple("_".join(path) for path, node in _iterate_leaves(nodes, ()) if _is_plain_text(node)),
    )


def find_attribute(nodes: Sequence[Node], key: str) -> str:
    """The attribute of the strict type for `key`."""
    return next(f"m{index}" for index, node in enumerate(nodes) if node.key == key)


def columns_sql(nodes: Iterable[Node]) -> str:
    """The columns of `nodes`, for `read_json` of DuckDB."""
    inner = ", ".join(f"{quote_literal(node.key)}: {quote_literal(_type_sql(node, _READ_TYPES))}" for node in nodes)
    return "{" + inner + "}"


def struct_sql(nodes: Iterable[Node]) -> str:
    """An object of `nodes` as one type of DuckDB."""
    return _struct_sql(nodes, _READ_TYPES)


def bronze_value_sql(value: str, node: Node, depth: int = 0) -> str:
    """The SQL that converts `value`, as DuckDB read it, to what bronze stores for `node`. It fails if a value would change."""
    if not node.many:
        return _value_sql(value, node, depth)
    item = f"item{depth}"
    inner = _value_sql(item, replace(node, many=False), depth + 1)
    if inner == item:
        return value
    if inner.startswith(f"CAST({item} AS "):
        return f"CAST({value} AS {_type_sql(node, DUCKDB)})"
    return f"list_transform({value}, lambda {item}: {inner})"


def _value_sql(value: str, node: Node, depth: int) -> str:
    if node.nodes:
        return _object_sql(value, node, depth)
    if node.loose:
        return loose_sql(value)
    if node.dtype == "json":
        return json_sql(value)
    if node.dtype == "double":
        return double_sql(value)
    if node.dtype.startswith("decimal"):
        return decimal_sql(value, node.dtype)
    read, kept = _type_sql(node, _READ_TYPES), _type_sql(node, DUCKDB)
    return value if read == kept else f"CAST({value} AS {kept})"


def _object_sql(value: str, node: Node, depth: int) -> str:
    members = {inner.key: bronze_value_sql(f"{value}.{quote(inner.key)}", inner, depth + 1) for inner in node.nodes}
    if all(sql == f"{value}.{quote(key)}" for key, sql in members.items()):
        return value
    members_sql = ", ".join(f"{quote(key)} := {sql}" for key, sql in members.items())
    return f"CASE WHEN {value} IS NOT NULL THEN struct_pack({members_sql}) END"


def build_strict_type(node: Node) -> Any:
    """The msgspec type of the values of `node`, without null."""
    strict_type: Any = _STRICT_TYPES.get(node.dtype, _DECIMAL)
    if node.nodes:
        strict_type = _build_strict_object(node.key, node.nodes)
    elif node.loose:
        strict_type = msgspec.Raw
    return cast("Any", list)[strict_type] if node.many else strict_type


def _build_strict_object(name: str, nodes: Sequence[Node]) -> Any:
    members: list[Any] = []
    # msgspec requires required members first. The order does not matter here.
    for index, node in sorted(enumerate(nodes), key=lambda pair: not pair[1].required):
        kind = build_strict_type(node)
        optional = kind if kind is msgspec.Raw else Union[kind, None]  # noqa: UP007 - built at run time
        members.append((f"m{index}", kind) if node.required else (f"m{index}", optional, None))
    keys = {f"m{index}": node.key for index, node in enumerate(nodes)}
    return msgspec.defstruct("Record", members, rename=keys, gc=False, module=name)


def _drop_plain_text(nodes: Iterable[Node]) -> Iterator[Node]:
    for node in nodes:
        if node.nodes and not node.many:
            yield replace(node, nodes=tuple(_drop_plain_text(node.nodes)))
        elif not (_is_plain_text(node) or _is_any(node)):
            yield node


def _is_plain_text(node: Node) -> bool:
    """Whether it is optional plain text."""
    return node.dtype == "text" and not (node.many or node.required or node.loose)


def _is_any(node: Node) -> bool:
    """Whether any value is valid, or none."""
    return not (node.many or node.required) and (node.loose or node.dtype == "json")


def _select_nodes(nodes: Iterable[Node], columns: Collection[str], prefix: tuple[str, ...]) -> Iterator[Node]:
    for node in nodes:
        path = (*prefix, node.key)
        if node.nodes and not node.many:
            if inner := tuple(_select_nodes(node.nodes, columns, path)):
                yield replace(node, nodes=inner)
        elif "_".join(path) in columns:
            yield node


def _to_custom_fields(custom_fields: Node) -> Node:
    """The node of custom fields with values of any type as text. Their type is in another field of the record."""
    values = (
        replace(node, dtype="text", loose=True) if node.key == "value" and node.dtype == "json" else node
        for node in custom_fields.nodes
    )
    return replace(custom_fields, nodes=tuple(values))


def _omit_nodes(nodes: Iterable[Node], omit: Collection[str], prefix: str) -> Iterator[Node]:
    for node in nodes:
        path = f"{prefix}{node.key}"
        inner = tuple(_omit_nodes(node.nodes, omit, f"{path}."))
        if path not in omit and (inner or not node.nodes):
            yield replace(node, nodes=inner)


def _iterate_leaves(nodes: Iterable[Node], prefix: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Node]]:
    for node in nodes:
        path = (*prefix, node.key)
        if node.nodes and not node.many:
            yield from _iterate_leaves(node.nodes, path)
        else:
            yield path, node


def _type_sql(node: Node, table: dict[str, str]) -> str:
    if node.nodes:
        type_sql = _struct_sql(node.nodes, table)
    elif node.loose and table is _READ_TYPES:
        type_sql = "JSON"  # so that a text in quotes and a number remain different
    elif node.dtype in table or table is DUCKDB:
        type_sql = render_dtype(node.dtype, table)
    else:
        type_sql = "VARCHAR"  # decimals are read as text, so that all digits reach the column
    return f"{type_sql}[]" if node.many else type_sql


def _struct_sql(nodes: Iterable[Node], table: dict[str, str]) -> str:
    return "STRUCT(" + ", ".join(f"{quote(node.key)} {_type_sql(node, table)}" for node in nodes) + ")"
