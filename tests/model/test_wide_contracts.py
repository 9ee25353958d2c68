"""A wide contract costs what its fields cost: a class an object of the record, whatever the number of its fields."""

from __future__ import annotations

import pytest

from headwater.bronze.contract import with_overrides, with_required
from headwater.model import field
from headwater.model.field import build_contract, list_contract_fields


@pytest.fixture
def class_names(monkeypatch):
    """The names of the classes that were made, one an entry."""
    names = []
    create = field.create_model

    def record_and_create(name, /, **options):
        names.append(name)
        return create(name, **options)

    monkeypatch.setattr(field, "create_model", record_and_create)
    return names


def make_fields(count):
    return {
        "id": "bigint",
        **{f"f{n}": "decimal(18,4)" for n in range(count)},
        "company.id": "bigint",
        "company.name": "text",
    }


@pytest.mark.parametrize("count", [10, 2000])
def test_a_contract_of_any_width_is_made_of_a_class_an_object(class_names, count):
    contract = with_required(build_contract("Wide", make_fields(count)), ("id",))
    assert class_names == ["Wide", "Wide_company", "Wide_company", "Wide", "Wide"]
    assert len(list_contract_fields(contract)) == count + 3
    class_names.clear()
    with_overrides(contract, {f"f{n}": "text" for n in range(count)})
    assert class_names == ["Wide"]


def test_of_a_value_and_an_object_at_one_place_the_later_one_counts():
    assert [one.name for one in list_contract_fields(build_contract("T", {"a": "text", "a.b": "bigint"}))] == ["a_b"]
    assert [one.name for one in list_contract_fields(build_contract("T", {"a.b": "bigint", "a": "text"}))] == ["a"]


def test_objects_keep_the_fields_that_nobody_changes():
    contract = with_overrides(
        build_contract("T", {"a.b": "bigint", "a.c": "text", "d.e.f": "date"}), {"a.b": "text", "d.e.g": "date"}
    )
    assert {one.dotted: one.dtype for one in list_contract_fields(contract)} == {
        "a.b": "text", "a.c": "text", "d.e.f": "date", "d.e.g": "date",
    }  # fmt: skip
