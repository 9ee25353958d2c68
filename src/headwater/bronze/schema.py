"""A contract as machines read it: DuckDB's column types, the SELECT that flattens them, and msgspec's strict types."""

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
from headwater.names import literal, quote

_READ = {**DUCKDB, "json": "JSON", "timestamp": "TIMESTAMPTZ"}
"""How DuckDB reads a type. Instants are read with their offset, then kept in UTC."""

_STRICT: dict[str, Any] = {
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
    """How the records of a contract are read and kept."""

    nodes: tuple[Node, ...]
    fields: tuple[Field, ...]
    omit: tuple[str, ...]
    """Fields (by path) that records may carry and that are not kept."""
    strict: Any
    """The msgspec type of a record: what it accepts, DuckDB reads without changing a value."""
    fast_type: Any
    """`strict` without the plain text, which is half of the work: that is looked at in columns, see `texts`."""
    texts: tuple[str, ...]
    """The columns that `fast_type` does not look at. For texts see `ParquetWriter.find_suspicious`."""

    def columns(self) -> str:
        """The columns of a record, as DuckDB's `read_json` takes them."""
        return columns_sql(self.nodes)

    def struct(self) -> str:
        """A record as one DuckDB type."""
        return struct_sql(self.nodes)

    def strict_type_of(self, columns: Collection[str]) -> Any:
        """`strict` for these columns only; their members are m0, m1 and so on."""
        return _strict_object("Record", tuple(_select_nodes(self.nodes, columns, ())))

    def select_sql(self, record: str = "") -> str:
        """The flattened columns, from the columns of a record or from the struct `record`."""
        return ", ".join(self._columns(record))

    def _columns(self, record: str) -> Iterator[str]:
        for path, node in _leaves(self.nodes, ()):
            value = ".".join((*((quote(record),) if record else ()), *map(quote, path)))
            yield f"{kept_sql(value, node)} AS {quote('_'.join(path))}"


def build_schema(contract: type[BaseModel], omit: Collection[str] = (), *, bag: str = "") -> BronzeSchema:
    """The shape of a contract, without the fields (by path) of `omit`. The values of `bag`, custom fields, are text."""
    nodes = tuple(
        _to_custom_fields(node) if node.key == bag else node for node in _omit_nodes(build_nodes(contract), omit, "")
    )
    if not nodes:
        raise DeclarationError("The contract has no fields.", where=contract.__name__, hint="declare its fields")
    fields = flatten_nodes(nodes)
    check_columns(fields, contract.__name__)
    return BronzeSchema(
        nodes=nodes,
        fields=fields,
        omit=tuple(omit),
        strict=_strict_object(contract.__name__, nodes),
        fast_type=_strict_object(contract.__name__, tuple(_fast_nodes(nodes))),
        texts=tuple("_".join(path) for path, node in _leaves(nodes, ()) if _is_plain_text(node)),
    )


def attribute_of(nodes: Sequence[Node], key: str) -> str:
    """The attribute of the strict type that holds `key`."""
    return next(f"m{index}" for index, node in enumerate(nodes) if node.key == key)


def columns_sql(nodes: Iterable[Node]) -> str:
    """The columns of `nodes`, as DuckDB's `read_json` takes them."""
    inner = ", ".join(f"{literal(node.key)}: {literal(_type_sql(node, _READ))}" for node in nodes)
    return "{" + inner + "}"


def struct_sql(nodes: Iterable[Node]) -> str:
    """An object of `nodes` as one DuckDB type."""
    return _struct_sql(nodes, _READ)


def kept_sql(value: str, node: Node, depth: int = 0) -> str:
    """The SQL that makes of `value`, as DuckDB read it, what bronze keeps of `node`. An error where that would change it."""
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
    read, kept = _type_sql(node, _READ), _type_sql(node, DUCKDB)
    return value if read == kept else f"CAST({value} AS {kept})"


def _object_sql(value: str, node: Node, depth: int) -> str:
    members = {inner.key: kept_sql(f"{value}.{quote(inner.key)}", inner, depth + 1) for inner in node.nodes}
    if all(sql == f"{value}.{quote(key)}" for key, sql in members.items()):
        return value
    packed = ", ".join(f"{quote(key)} := {sql}" for key, sql in members.items())
    return f"CASE WHEN {value} IS NOT NULL THEN struct_pack({packed}) END"


def strict_type(node: Node) -> Any:
    """What msgspec accepts as a value of `node`, null apart."""
    one: Any = _STRICT.get(node.dtype, _DECIMAL)
    if node.nodes:
        one = _strict_object(node.key, node.nodes)
    elif node.loose:
        one = msgspec.Raw
    return cast("Any", list)[one] if node.many else one


def _strict_object(name: str, nodes: Sequence[Node]) -> Any:
    members: list[Any] = []
    # msgspec wants the required members first; the order has no meaning here.
    for index, node in sorted(enumerate(nodes), key=lambda pair: not pair[1].required):
        kind = strict_type(node)
        optional = kind if kind is msgspec.Raw else Union[kind, None]  # noqa: UP007 - built at run time
        members.append((f"m{index}", kind) if node.required else (f"m{index}", optional, None))
    keys = {f"m{index}": node.key for index, node in enumerate(nodes)}
    return msgspec.defstruct("Record", members, rename=keys, gc=False, module=name)


def _fast_nodes(nodes: Iterable[Node]) -> Iterator[Node]:
    for node in nodes:
        if node.nodes and not node.many:
            yield replace(node, nodes=tuple(_fast_nodes(node.nodes)))
        elif not (_is_plain_text(node) or _is_any(node)):
            yield node


def _is_plain_text(node: Node) -> bool:
    """Whether it is text, and nothing else, that may be absent."""
    return node.dtype == "text" and not (node.many or node.required or node.loose)


def _is_any(node: Node) -> bool:
    """Whether it may be anything, or absent."""
    return not (node.many or node.required) and (node.loose or node.dtype == "json")


def _select_nodes(nodes: Iterable[Node], columns: Collection[str], prefix: tuple[str, ...]) -> Iterator[Node]:
    for node in nodes:
        path = (*prefix, node.key)
        if node.nodes and not node.many:
            if inner := tuple(_select_nodes(node.nodes, columns, path)):
                yield replace(node, nodes=inner)
        elif "_".join(path) in columns:
            yield node


def _to_custom_fields(bag: Node) -> Node:
    """A bag of custom fields, in which a value of any kind is text: what it means is said beside it, in the record."""
    values = (
        replace(node, dtype="text", loose=True) if node.key == "value" and node.dtype == "json" else node
        for node in bag.nodes
    )
    return replace(bag, nodes=tuple(values))


def _omit_nodes(nodes: Iterable[Node], omit: Collection[str], prefix: str) -> Iterator[Node]:
    for node in nodes:
        path = f"{prefix}{node.key}"
        inner = tuple(_omit_nodes(node.nodes, omit, f"{path}."))
        if path not in omit and (inner or not node.nodes):
            yield replace(node, nodes=inner)


def _leaves(nodes: Iterable[Node], prefix: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Node]]:
    for node in nodes:
        path = (*prefix, node.key)
        if node.nodes and not node.many:
            yield from _leaves(node.nodes, path)
        else:
            yield path, node


def _type_sql(node: Node, table: dict[str, str]) -> str:
    if node.nodes:
        one = _struct_sql(node.nodes, table)
    elif node.loose and table is _READ:
        one = "JSON"  # a text in quotes and a number are told apart by that
    elif node.dtype in table or table is DUCKDB:
        one = render_dtype(node.dtype, table)
    else:
        one = "VARCHAR"  # decimals are read as text, so that their digits reach the column exactly
    return f"{one}[]" if node.many else one


def _struct_sql(nodes: Iterable[Node], table: dict[str, str]) -> str:
    return "STRUCT(" + ", ".join(f"{quote(node.key)} {_type_sql(node, table)}" for node in nodes) + ")"
