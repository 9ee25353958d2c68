"""The contract that a batch is held to: the resource's, as a project relaxed it, with the key demanded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel

from headwater.errors import DeclarationError
from headwater.model.field import Field, WantedType, build_contract, list_contract_fields, with_fields


def with_overrides(contract: type[BaseModel], fields: Mapping[str, str]) -> type[BaseModel]:
    """`contract`, in which the fields (by path) have other types; `text` takes anything. New paths are added."""
    wanted = {path: WantedType(dtype=dtype, loose=dtype == "text") for path, dtype in fields.items()}
    return with_fields(contract, wanted)


def with_required(contract: type[BaseModel], key: Sequence[str]) -> type[BaseModel]:
    """`contract`, in which the fields of the key must be there and not be null."""
    types = {field.dotted: field for field in list_contract_fields(contract)}
    wanted: dict[str, WantedType] = {}
    for path in key:
        field = types.get(path)
        if field is None or field.many:
            details = ", ".join(list(types)[:20])
            raise DeclarationError(
                "The contract has no field for the key.", where=f"{contract.__name__}.{path}", details=details
            )
        if not field.required:
            dtype = "text" if field.dtype == "json" else field.dtype
            wanted[path] = WantedType(dtype=dtype, required=True)
    return with_fields(contract, wanted)


def keys_only(contract: type[BaseModel], key: Sequence[str]) -> type[BaseModel]:
    """The contract of a sweep: nothing but the key."""
    types = {field.dotted: field.dtype for field in list_contract_fields(with_required(contract, key))}
    return build_contract(contract.__name__, {path: types[path] for path in key}, required=key)


def check_columns(fields: Sequence[Field], where: str) -> None:
    """Refuse a contract of which two fields would share a column."""
    seen: dict[str, str] = {}
    for field in fields:
        folded = field.name.lower()
        if folded in seen or folded in ("_line", "_parent"):
            details = f"{seen.get(folded, 'a column of Headwater')} and {field.dotted}"
            raise DeclarationError(
                "Two fields have the same column name.", where=where, details=details, hint="omit one of them"
            )
        seen[folded] = field.dotted
