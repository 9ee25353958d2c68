"""The fields of a record's contract, flattened as bronze keeps them."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel, create_model

_SCALARS: dict[Any, str] = {
    str: "text",
    bool: "boolean",
    int: "bigint",
    float: "double",
    Decimal: "decimal(18,4)",
    date: "date",
    datetime: "timestamp",
    UUID: "text",
    Any: "json",
    object: "json",
}
_PYTHON = {"text": str, "boolean": bool, "integer": int, "bigint": int, "double": float, "date": date}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One column of bronze: where it stands in a record and what type it has."""

    path: tuple[str, ...]
    """Keys from the record down to the value, in the service's spelling."""
    dtype: str
    """A type of `headwater.dtypes`; of one element where `many`."""
    required: bool = False
    """Whether a record without it is refused."""
    many: bool = False
    """Whether it is a list."""
    parts: tuple[Field, ...] = ()
    """The fields of one element, for a list of objects."""
    doc: str = ""
    """What it is."""

    @property
    def name(self) -> str:
        """Its column in bronze: the path joined with `_`."""
        return "_".join(self.path)

    @property
    def dotted(self) -> str:
        """Its path with dots, as messages and declarations write it."""
        return ".".join(self.path)


def fields_of(contract: type[BaseModel], prefix: tuple[str, ...] = ()) -> tuple[Field, ...]:
    """The flattened fields of a contract, in its order."""
    return tuple(_walk(contract, prefix))


def contract_of(name: str, fields: Mapping[str, str]) -> type[BaseModel]:
    """A contract from plain paths and types, for a resource that declares its fields by hand."""
    tree: dict[str, Any] = {}
    for path, dtype in fields.items():
        *branches, leaf = path.split(".")
        node = tree
        for branch in branches:
            node = node.setdefault(branch, {})
        node[leaf] = dtype
    return _model(name, tree)


def _model(name: str, tree: Mapping[str, Any]) -> type[BaseModel]:
    members: dict[str, Any] = {}
    for key, value in tree.items():
        kind = _model(f"{name}_{key}", value) if isinstance(value, dict) else _python(value)
        members[key if not key.startswith("_") else f"field{key}"] = (
            Annotated[kind | None, _alias(key)],
            None,
        )
    made: type[BaseModel] = create_model(name, **members)
    return made


def _alias(key: str) -> Any:
    from pydantic import Field as PydanticField  # noqa: PLC0415 - the name is taken in this module

    return PydanticField(alias=key)


def _python(dtype: str) -> Any:
    if dtype == "timestamp":
        return datetime
    if dtype == "json":
        return Any
    return _PYTHON.get(dtype, Decimal)


def _walk(contract: type[BaseModel], prefix: tuple[str, ...]) -> Iterator[Field]:
    for attribute, info in contract.model_fields.items():
        key = info.alias or attribute
        path = (*prefix, key)
        kind = _bare(info.annotation)
        required = info.is_required()
        doc = info.description or ""
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _walk(kind, path)
        elif get_origin(kind) in (list, tuple, set):
            yield _list(path, _bare(get_args(kind)[0] if get_args(kind) else Any), doc)
        else:
            yield Field(path=path, dtype=_scalar(kind), required=required, doc=doc)


def _list(path: tuple[str, ...], element: Any, doc: str) -> Field:
    if isinstance(element, type) and issubclass(element, BaseModel):
        return Field(path=path, dtype="json", many=True, parts=fields_of(element), doc=doc)
    return Field(path=path, dtype=_scalar(element), many=True, doc=doc)


def _bare(kind: Any) -> Any:
    origin = get_origin(kind)
    if origin is Annotated:
        return _bare(get_args(kind)[0])
    if origin in (Union, types.UnionType):
        members = [member for member in get_args(kind) if member is not type(None)]
        return _bare(members[0]) if len(members) == 1 else Any
    return kind


def _scalar(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return "text"
    if get_origin(kind) is dict or kind is dict:
        return "json"
    return _SCALARS.get(kind, "text" if isinstance(kind, type) and issubclass(kind, str) else "json")
