"""The fields of a contract: as a tree, nested as in the record, and flattened, as in bronze."""

from __future__ import annotations

import keyword
import re
import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin
from uuid import UUID

import pydantic
from pydantic import BaseModel, create_model
from pydantic.fields import FieldInfo

from headwater.model.field_types import AnyText, ColumnType, Day, Instant, Number, Record, Small, Whole, build_decimal
from headwater.wire.records import split_path

_SCALARS: dict[Any, str] = {
    str: "text",
    bool: "boolean",
    int: "bigint",
    float: "double",
    Decimal: "decimal(18,4)",
    date: "date",
    datetime: "timestamp",
    UUID: "text",
}
_ANNOTATIONS: dict[str, Any] = {
    "text": str,
    "boolean": bool,
    "integer": Small,
    "bigint": Whole,
    "double": Number,
    "date": Day,
    "timestamp": Instant,
    "json": Any,
}
_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")

LIST_MARK = "[]"
"""What follows a key of `fields:` that contains a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One key of a record: a value, an object of further keys, or a list of either."""

    key: str
    """The key in the record, as the service spells it."""
    dtype: str = ""
    """A type of `headwater.dtypes`; empty for an object."""
    required: bool = False
    """Whether an object without this key is refused."""
    many: bool = False
    """Whether it is a list."""
    loose: bool = False
    """Whether it is text that accepts any value."""
    nodes: tuple[Node, ...] = ()
    """The keys of the object, or of one element of a list of objects."""
    unread: tuple[str, ...] = ()
    """Other keys of the object to ignore, as patterns."""
    doc: str = ""
    """The description."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One column of bronze: its path in the record and its type."""

    path: tuple[str, ...]
    """The keys from the record down to the value, as the service spells them."""
    dtype: str
    """A type of `headwater.dtypes`. If `many`, the type of one element. `json` for a list of objects."""
    required: bool = False
    """Whether a record without this value is refused."""
    many: bool = False
    """Whether it is a list."""
    parts: tuple[Field, ...] = ()
    """The fields of one element, for a list of objects."""
    doc: str = ""
    """The description."""

    @property
    def name(self) -> str:
        """The name of the column in bronze: the path joined with `_`."""
        return "_".join(self.path)

    @property
    def dotted(self) -> str:
        """The path with dots, as in messages and declarations."""
        return ".".join(self.path)


def list_contract_fields(contract: type[BaseModel], prefix: tuple[str, ...] = ()) -> tuple[Field, ...]:
    """The flattened fields of a contract, in its order."""
    return flatten_nodes(build_nodes(contract), prefix)


def flatten_nodes(nodes: Iterable[Node], prefix: tuple[str, ...] = ()) -> tuple[Field, ...]:
    """The flattened fields of `nodes`, in their order."""
    return tuple(_flatten(nodes, prefix))


def build_nodes(contract: type[BaseModel]) -> tuple[Node, ...]:
    """The keys of a contract, nested as in the record, in its order."""
    return tuple(_build_node(attribute, info) for attribute, info in contract.model_fields.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedType:
    """The required type of a value."""

    dtype: str
    """A type of `headwater.dtypes`."""
    required: bool = False
    """Whether a record without this value is refused."""
    loose: bool = False
    """Whether it is text that accepts any value."""


def build_contract(name: str, fields: Mapping[str, str], required: Iterable[str] = ()) -> type[BaseModel]:
    """Build a contract from paths and types, for a resource that declares its fields itself. `name[]` is a list."""
    needed = set(required)
    wanted = {path: WantedType(dtype=dtype, required=path in needed) for path, dtype in fields.items()}
    return with_fields(_create_contract(name, Record, {}), wanted)


def with_fields(contract: type[BaseModel], wanted: Mapping[str, WantedType]) -> type[BaseModel]:
    """A copy of `contract` with the types of `wanted`. Missing paths are added.

    Each object is built once, regardless of the number of its fields. One class for each field would take quadratic time.
    """
    known = {info.alias or attribute: (attribute, info) for attribute, info in contract.model_fields.items()}
    members: dict[str, Any] = {}
    for step, wanted_type in _group_by_key(wanted).items():
        key = strip_list_mark(step)
        attribute, info = known.get(key, (to_attribute_name(key), None))
        if isinstance(wanted_type, WantedType):
            kind, required = AnyText if wanted_type.loose else build_annotation(wanted_type.dtype), wanted_type.required
        else:
            inner = _find_object(info) or _create_contract(f"{contract.__name__}_{key}", Record, {})
            kind, required = with_fields(inner, wanted_type), any(below.required for below in wanted_type.values())
        members[attribute] = _build_member(
            key, kind if key == step else types.GenericAlias(list, (kind,)), required=required
        )
    return _create_contract(contract.__name__, contract, members) if members else contract


def _group_by_key(wanted: Mapping[str, WantedType]) -> dict[str, WantedType | dict[str, WantedType]]:
    """The wanted types by first key: of a value, or of the keys of an object. If a key has both, the later one applies."""
    by_key: dict[str, WantedType | dict[str, WantedType]] = {}
    for path, wanted_type in wanted.items():
        key, rest = split_first_step(path)
        before = by_key.get(key)
        if not rest:
            by_key[key] = wanted_type
        elif isinstance(before, dict):
            before[rest] = wanted_type
        else:
            by_key[key] = {rest: wanted_type}
    return by_key


def strip_list_mark(step: str) -> str:
    """A key of a path without the mark `[]` of a list."""
    return step.removesuffix(LIST_MARK)


def split_first_step(path: str) -> tuple[str, str]:
    r"""The first key of a path, and the path below it. `\.` is a dot inside of a key."""
    steps = split_path(path)
    return steps[0], ".".join(step.replace(".", r"\.") for step in steps[1:])


def build_annotation(dtype: str) -> Any:
    """The annotation for a value of `dtype` in a contract."""
    match = _DECIMAL.fullmatch(dtype)
    return build_decimal(int(match[1]), int(match[2])) if match else _ANNOTATIONS[dtype]


def to_attribute_name(key: str) -> str:
    """The attribute for `key` in a contract: the key itself if it is a valid and unused Python name."""
    name = re.sub(r"\W", "_", key.lstrip("_"))
    if name == key and not hasattr(Record, key) and not keyword.iskeyword(key):
        return key
    return f"field_{name}"


def _create_contract(name: str, parent: type[BaseModel], members: Mapping[str, Any]) -> type[BaseModel]:
    # A cast, because the stubs of create_model do not allow members as keyword arguments.
    return cast("type[BaseModel]", cast("Any", create_model)(name, __base__=parent, **members))


def _build_member(key: str, kind: Any, *, required: bool) -> tuple[Any, Any]:
    optional = Any if kind is Any else kind | None
    option = pydantic.Field(alias=key) if required else pydantic.Field(default=None, alias=key)
    return kind if required else optional, option


def _find_object(info: FieldInfo | None) -> type[BaseModel] | None:
    kind = _unwrap(info.annotation)[0] if info else None
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _build_node(attribute: str, info: FieldInfo) -> Node:
    key, required, doc = info.alias or attribute, info.is_required(), info.description or ""
    kind, mark = _unwrap(info.annotation)
    mark = mark or _find_mark(info.metadata)
    many = get_origin(kind) in (list, tuple, set)
    if many:
        kind, mark = _unwrap(get_args(kind)[0])
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        unread = getattr(kind, "unread", ())
        return Node(key=key, required=required, many=many, nodes=build_nodes(kind), unread=unread, doc=doc)
    dtype, loose = (mark.dtype, mark.loose) if mark else (_to_dtype(kind), False)
    return Node(key=key, dtype=dtype, required=required, many=many, loose=loose, doc=doc)


def _flatten(nodes: Iterable[Node], prefix: tuple[str, ...]) -> Iterator[Field]:
    for node in nodes:
        path = (*prefix, node.key)
        if node.dtype:
            yield Field(path=path, dtype=node.dtype, required=node.required, many=node.many, doc=node.doc)
        elif node.many:
            yield Field(path=path, dtype="json", many=True, parts=tuple(_flatten(node.nodes, ())), doc=node.doc)
        else:
            yield from _flatten(node.nodes, path)


def _unwrap(kind: Any, mark: ColumnType | None = None) -> tuple[Any, ColumnType | None]:
    """An annotation without Optional and Annotated, and its column type."""
    origin = get_origin(kind)
    if origin is Annotated:
        inner, *metadata = get_args(kind)
        return _unwrap(inner, mark or _find_mark(metadata))
    if origin in (Union, types.UnionType):
        members = [member for member in get_args(kind) if member is not type(None)]
        return _unwrap(members[0], mark) if len(members) == 1 else (Any, mark)
    return kind, mark


def _find_mark(metadata: Iterable[Any]) -> ColumnType | None:
    return next((mark for mark in metadata if isinstance(mark, ColumnType)), None)


def _to_dtype(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return "text"
    return _SCALARS.get(kind, "text" if isinstance(kind, type) and issubclass(kind, str) else "json")
