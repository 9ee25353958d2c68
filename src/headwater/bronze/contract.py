"""The contract of a batch: that of the resource, with the overrides of the project and with a required key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel

from headwater.errors import DeclarationError
from headwater.model.field import Field, WantedType, build_contract, list_contract_fields, with_fields


def with_overrides(contract: type[BaseModel], fields: Mapping[str, str]) -> type[BaseModel]:
    """Return `contract` with other types for fields (by path). `text` accepts any value. New paths are added."""
    field_types = {path: WantedType(dtype=dtype, loose=dtype == "text") for path, dtype in fields.items()}
    return with_fields(contract, field_types)


def with_required(contract: type[BaseModel], key: Sequence[str]) -> type[BaseModel]:
    """Return `contract` with the fields of the key required and not nullable."""
    types = {field.dotted: field for field in list_contract_fields(contract)}
    field_types: dict[str, WantedType] = {}
    for path in key:
        field = types.get(path)
        if field is None or field.many:
            details = ", ".join(list(types)[:20])
            raise DeclarationError(
                "The contract has no field for the key.", where=f"{contract.__name__}.{path}", details=details
            )
        if not field.required:
            dtype = "text" if field.dtype == "json" else field.dtype
            field_types[path] = WantedType(dtype=dtype, required=True)
    return with_fields(contract, field_types)


def with_keys_only(contract: type[BaseModel], key: Sequence[str]) -> type[BaseModel]:
    """Return the contract of a sweep: only the key."""
    types = {field.dotted: field.dtype for field in list_contract_fields(with_required(contract, key))}
    return build_contract(contract.__name__, {path: types[path] for path in key}, required=key)


def check_columns(fields: Sequence[Field], where: str) -> None:
    """Raise DeclarationError if two fields of a contract would have the same column."""
    columns: dict[str, str] = {}
    for field in fields:
        folded = field.name.lower()
        if folded in columns or folded in ("_line", "_parent"):
            details = f"{columns.get(folded, 'a column of Headwater')} and {field.dotted}"
            raise DeclarationError(
                "Two fields have the same column name.", where=where, details=details, hint="omit one of them"
            )
        columns[folded] = field.dotted
