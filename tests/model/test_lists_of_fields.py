"""Lists in `fields:` of a manifest: of values, and of objects."""

from __future__ import annotations

from headwater.model.field import build_contract, build_nodes, flatten_nodes


def test_a_list_of_values_and_a_list_of_objects():
    contract = build_contract(
        "ticket",
        {"id": "bigint", "tags[]": "text", "custom[].id": "bigint", "custom[].value": "json", "via.steps[]": "bigint"},
    )
    fields = {field.dotted: field for field in flatten_nodes(build_nodes(contract))}
    assert list(fields) == ["id", "tags", "custom", "via.steps"]
    assert (fields["tags"].dtype, fields["tags"].many) == ("text", True)
    assert (fields["via.steps"].dtype, fields["via.steps"].many) == ("bigint", True)
    assert [(part.dotted, part.dtype) for part in fields["custom"].parts] == [("id", "bigint"), ("value", "json")]
    record = contract.model_validate(
        {"id": 1, "tags": ["a"], "custom": [{"id": 7, "value": [1]}, {"id": 8}], "via": None}
    )
    assert record.tags == ["a"]
    assert [one.id for one in record.custom] == [7, 8]
    assert contract.model_validate({"id": 1}).tags is None
