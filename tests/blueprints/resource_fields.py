"""The fields that the connector offers, as the declarations are held against them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import headwater.connectors.connectwise as connectwise
from headwater.connectors.connectwise import schemas
from headwater.model.field import Field, build_contract, list_contract_fields
from headwater.model.load import load_connector


@cache
def read_offered_fields() -> dict[str, tuple[Field, ...]]:
    """Fields of every resource, by `connector.resource`."""
    connector = load_connector(Path(connectwise.__file__).parent / "connector.yaml")
    fields = {}
    for resource in connector.resources:
        contract = getattr(schemas, resource.contract) if resource.contract else build_contract("made", resource.fields)
        kept = [field for field in list_contract_fields(contract) if field.dotted not in resource.omit]
        fields[f"connectwise.{resource.resource}"] = tuple(kept)
    return fields
