from __future__ import annotations

import builtins
import importlib.util
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import ValidationError

from headwater.codegen.models import generate_models
from headwater.errors import DeclarationError
from headwater.model.field import list_contract_fields

REF = "#/components/schemas/"
SPEC: dict[str, Any] = {
    "openapi": "3.0.1",
    "components": {
        "schemas": {
            "Thing": {
                "type": "object",
                "description": "Words of a vendor.",
                "required": ["name", "id"],
                "properties": {
                    "id": {"type": "integer", "format": "int32", "description": "More words of a vendor."},
                    "name": {"type": "string", "maxLength": 5},
                    "state": {"type": "string", "enum": ["Open", "Closed"]},
                    "kind": {"$ref": REF + "Kind"},
                    "at": {"type": "string", "format": "date-time"},
                    "on": {"type": "string", "format": "date"},
                    "closed": {"type": "string"},
                    "amount": {"type": "number", "format": "decimal"},
                    "hours": {"type": "number", "format": "double", "nullable": True},
                    "flag": {"type": ["boolean", "null"]},
                    "owner": {"$ref": REF + "OwnerReference"},
                    "wrapped": {"allOf": [{"$ref": REF + "OwnerReference"}]},
                    "inline": {"type": "object", "properties": {"a": {"type": "string"}, "deep": {"type": "object"}}},
                    "bare": {"type": "object"},
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "parts": {"type": "array", "items": {"$ref": REF + "OwnerReference"}},
                    "customFields": {"type": "array", "items": {"$ref": REF + "Bag"}},
                    "secret": {"type": "string"},
                    "class": {"type": "string"},
                    "odd-name": {"type": "string"},
                    "_info": {"type": "object", "additionalProperties": {"type": "string"}},
                },
            },
            "Kind": {"type": "string", "enum": ["A", "B"]},
            "Bag": {"type": "object", "properties": {"id": {"type": "integer"}}},
            "OwnerReference": {
                "type": "object",
                "properties": {
                    "id": {"type": "integer"}, "name": {"type": "string"}, "_info": {"type": "object"},
                    "boss": {"$ref": REF + "OwnerReference"}, "kind": {"$ref": REF + "Kind"},
                },
            },
            "Other": {"type": "object", "properties": {"x": {"type": "string"}}},
        }
    },
}  # fmt: skip
CHOICE = """
schemas: [Thing, Added]
omit: {Thing: [secret]}
types: {Thing: {closed: timestamp}, Added: {id: bigint, note: text}}
refer: {Added: {owner: [id, name]}}
unread: [_info]
objects:
  Extra: {field: customFields, many: true, keys: {id: bigint, value: json}}
  Stamps:
    field: _info
    keys: {lastUpdated: timestamp, updatedBy: text, dateEntered: timestamp, enteredBy: text}
    unread: ["*_href"]
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(SPEC))
    return path


@pytest.fixture
def choice(tmp_path: Path) -> Path:
    path = tmp_path / "contracts.yaml"
    path.write_text(CHOICE)
    return path


def load(path: Path) -> ModuleType:
    name = f"generated_{path.stem}"
    found = importlib.util.spec_from_file_location(name, path)
    assert found is not None
    assert found.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_the_fields_of_a_contract_are_those_of_the_schema(spec, choice, tmp_path):
    assert set(generate_models(spec, tmp_path / "out.py", choice=choice)) >= {"Thing", "Added", "OwnerReference"}
    made = load(tmp_path / "out.py")
    assert {field.dotted: (field.dtype, field.many) for field in list_contract_fields(made.Thing)} == {
        "id": ("bigint", False), "name": ("text", False), "state": ("text", False), "kind": ("text", False),
        "at": ("timestamp", False), "on": ("date", False), "closed": ("timestamp", False), "amount": ("decimal(38,18)", False),
        "hours": ("double", False), "flag": ("boolean", False), "inline.a": ("text", False), "bare": ("json", False),
        **{f"{one}.id": ("bigint", False) for one in ("owner", "wrapped")},
        **{f"{one}.{key}": ("text", False) for one in ("owner", "wrapped") for key in ("name", "kind")},
        "tags": ("text", True), "parts": ("json", True), "customFields": ("json", True), "class": ("text", False),
        "odd-name": ("text", False), "_info.lastUpdated": ("timestamp", False), "_info.updatedBy": ("text", False),
        "_info.dateEntered": ("timestamp", False), "_info.enteredBy": ("text", False),
    }  # fmt: skip
    assert [field.dotted for field in list_contract_fields(made.Thing) if field.required] == ["id"]
    assert [field.dotted for field in list_contract_fields(made.Added)][:4] == ["id", "note", "owner.id", "owner.name"]


def test_an_object_of_many_schemas_is_what_is_declared(spec, choice, tmp_path):
    generate_models(spec, tmp_path / "out.py", choice=choice)
    made = load(tmp_path / "out.py")
    assert (made.Stamps.unread, made.Extra.unread, made.OwnerReference.unread) == (("*_href",), ("_info",), ("_info",))
    assert {"customFields", "_info.enteredBy"} <= {field.dotted for field in list_contract_fields(made.Added)}


def test_without_a_choice_a_field_is_what_the_description_says(spec, tmp_path):
    generate_models(spec, tmp_path / "out.py")
    made = load(tmp_path / "out.py")
    fields = {field.dotted: field.dtype for field in list_contract_fields(made.Thing)}
    assert (fields["_info"], fields["customFields"]) == ("json", "json")


def test_a_contract_takes_new_values_of_an_enum_and_odd_stamps(spec, choice, tmp_path):
    generate_models(spec, tmp_path / "out.py", choice=choice)
    thing = load(tmp_path / "out.py").Thing
    read = thing.model_validate({"id": 5.0, "state": "Reopened", "name": 7, "closed": "2015-12-24T22: 08: 22Z"})
    assert (read.id, read.state, read.name) == (5, "Reopened", "7")
    assert read.closed == datetime(2015, 12, 24, 22, 8, 22, tzinfo=UTC)
    with pytest.raises(ValidationError):
        thing.model_validate({"state": "Open"})


def test_no_word_of_the_vendor_and_no_path_of_the_machine_is_written(spec, choice, tmp_path):
    generate_models(spec, tmp_path / "out.py", choice=choice)
    text = (tmp_path / "out.py").read_text()
    assert "endor" not in text
    assert str(tmp_path) not in text
    assert "secret" not in text
    assert "Enum" not in text
    assert text.startswith(
        '"""Contracts of the records. Generated by `headwater generate models SPEC OUT --config contracts.yaml`'
    )


def test_generating_twice_gives_the_same_text(spec, choice, tmp_path):
    generate_models(spec, tmp_path / "a.py", choice=choice)
    generate_models(spec, tmp_path / "b.py", choice=choice)
    assert (tmp_path / "a.py").read_bytes() == (tmp_path / "b.py").read_bytes()


def test_without_a_choice_every_schema_with_a_key_is_taken(spec, tmp_path):
    assert "Thing" in generate_models(spec, tmp_path / "out.py")
    assert not hasattr(load(tmp_path / "out.py"), "Other")


def test_a_schema_that_is_not_there_is_told_with_the_nearest(spec, tmp_path):
    with pytest.raises(DeclarationError) as told:
        generate_models(spec, tmp_path / "out.py", ["Thin"])
    assert told.value.details == "Thin"
    assert "Thing" in told.value.hint


@pytest.mark.parametrize("body", ["{", "[]", '{"swagger": "2.0"}'])
def test_what_is_no_description_is_told(tmp_path, body):
    path = tmp_path / "spec.json"
    path.write_text(body)
    with pytest.raises(DeclarationError):
        generate_models(path, tmp_path / "out.py")
    with pytest.raises(DeclarationError):
        generate_models(tmp_path / "absent.json", tmp_path / "out.py")


def test_a_choice_that_cannot_be_meant_is_told(spec, tmp_path):
    (tmp_path / "c.yaml").write_text("schemata: [Thing]")
    with pytest.raises(DeclarationError, match="choice"):
        generate_models(spec, tmp_path / "out.py", choice=tmp_path / "c.yaml")
    with pytest.raises(DeclarationError):
        generate_models(spec, tmp_path / "out.py", choice=tmp_path / "absent.yaml")


def test_a_missing_generator_says_how_to_install_it(spec, tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name.startswith("datamodel_code_generator"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DeclarationError) as told:
        generate_models(spec, tmp_path / "out.py", ["Thing"])
    assert told.value.hint == 'pip install "headwater[codegen]"'


@pytest.mark.parametrize(
    ("choice", "at", "unknown", "fix"),
    [
        ("omit: {Member: [pasword]}", "omit.Member", "pasword", "password"),
        ("omit: {Membr: [password]}", "omit", "Membr", "Member"),
        ("types: {Member: {passwort: text}}", "types.Member", "passwort", "password"),
        ("types: {Membr: {password: text}}", "types", "Membr", "Member"),
        ("refer: {Membr: {team: [id]}}", "refer", "Membr", "Member"),
    ],
)
def test_a_correction_of_what_does_not_exist_is_refused(tmp_path, choice, at, unknown, fix):
    member = {"type": "object", "properties": {"id": {"type": "integer"}, "password": {"type": "string"}}}
    spec = {"openapi": "3.0.3", "info": {}, "paths": {}, "components": {"schemas": {"Member": member}}}
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    (tmp_path / "choice.yaml").write_text(choice)
    with pytest.raises(DeclarationError) as caught:
        generate_models(tmp_path / "spec.json", tmp_path / "out.py", choice=tmp_path / "choice.yaml")
    assert (caught.value.where, caught.value.details) == (at, unknown)
    assert fix in caught.value.hint
    assert not (tmp_path / "out.py").exists()


def test_a_file_that_was_not_generated_is_not_replaced(tmp_path):
    member = {"type": "object", "properties": {"id": {"type": "integer"}}}
    spec = {"openapi": "3.0.3", "info": {}, "paths": {}, "components": {"schemas": {"Member": member}}}
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    for base in ("contract", "pydantic", "sparkdantic"):
        out = tmp_path / f"{base}.py"
        for _ in range(2):
            assert generate_models(tmp_path / "spec.json", out, base=base) == ("Member",)
    (tmp_path / "mine.py").write_text("mine = 1\n")
    for name in ("mine.py", "."):
        with pytest.raises(DeclarationError, match="was not generated"):
            generate_models(tmp_path / "spec.json", tmp_path / name)
    assert (tmp_path / "mine.py").read_text() == "mine = 1\n"
