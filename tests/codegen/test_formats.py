"""Descriptions of other formats: told apart by their content, and read to the same models."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headwater.cli.main import run_command
from headwater.codegen.models import generate_models
from headwater.errors import DeclarationError
from headwater.model.field import list_contract_fields
from tests.codegen.test_models import REF, load

ENTITY = {
    "jsonSchemaSemanticVersion": "1.0.0",
    "definitions": [
        {
            "entityName": "Customer-18",
            "description": "A customer of the books.",
            "hasAttributes": [
                {"name": "No-1", "dataFormat": "String", "displayName": "No.", "maximumLength": 20},
                {"name": "Balance-58", "dataFormat": "Decimal", "displayName": "Balance"},
                {"name": "Blocked-39", "dataFormat": "Boolean"},
                {"name": "Since-40", "dataFormat": "Date"},
                {"name": "Count-41", "dataFormat": "Int64"},
                {"name": "Odd-42", "dataFormat": "Hologram"},
                {"name": "systemId-2000000000", "dataFormat": "Guid", "maximumLength": 16},
                {"name": "SystemModifiedAt-2000000003", "dataFormat": "DateTime"},
            ],
        }
    ],
}
SWAGGER = {
    "swagger": "2.0",
    "paths": {
        "/things": {"get": {"responses": {"200": {"schema": {"$ref": "#/definitions/ThingPage"}}}}},
        "/things/{id}": {"get": {"responses": {"200": {"schema": {"$ref": "#/definitions/Thing"}}}}},
        "/ping": {"get": {"responses": {"204": {}}}},
    },
    "definitions": {
        "ThingPage": {
            "type": "object",
            "properties": {
                "next": {"type": "string"},
                "items": {"type": "array", "items": {"$ref": "#/definitions/Thing"}},
            },
        },
        "Thing": {
            "type": "object",
            "properties": {"id": {"type": "integer"}, "owner": {"$ref": "#/definitions/Owner"}},
        },
        "Owner": {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}},
    },
}


def write_json(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def list_fields(module: Path, name: str) -> dict[str, str]:
    return {field.dotted: field.dtype for field in list_contract_fields(getattr(load(module), name))}


def test_an_entity_of_cdm_becomes_a_contract_whose_key_is_the_system_id(tmp_path):
    spec, out = write_json(tmp_path / "Customer-18.cdm.json", ENTITY), tmp_path / "entity.py"
    assert generate_models(spec, out) == ("Customer18",)
    assert list_fields(out, "Customer18") == {
        "No-1": "text", "Balance-58": "decimal(38,18)", "Blocked-39": "boolean", "Since-40": "date", "Count-41": "bigint",
        "Odd-42": "json", "systemId-2000000000": "text", "SystemModifiedAt-2000000003": "timestamp",
    }  # fmt: skip
    required = [field.dotted for field in list_contract_fields(load(out).Customer18) if field.required]
    assert required == ["systemId-2000000000"]


def test_a_manifest_of_cdm_brings_its_entities(tmp_path):
    write_json(tmp_path / "tables" / "Customer-18.cdm.json", ENTITY)
    manifest = {
        "manifestName": "books",
        "entities": [{"entityName": "Customer-18", "entityPath": "tables/Customer-18.cdm.json/Customer-18"}],
    }
    spec = write_json(tmp_path / "default.manifest.cdm.json", manifest)
    assert generate_models(spec, tmp_path / "manifest.py") == ("Customer18",)


@pytest.mark.parametrize(
    ("entity_path", "message"),
    [
        ("tables/Customer-18.cdm.json/Other", "no such entity"),
        ("tables/Missing.cdm.json/Customer-18", "cannot be read"),
        ("cdm:/core/Customer.cdm.json/Customer-18", "no file here"),
        ("", "no file here"),
    ],
)
def test_an_entity_that_the_manifest_names_and_that_is_not_there_is_an_error(tmp_path, entity_path, message):
    write_json(tmp_path / "tables" / "Customer-18.cdm.json", ENTITY)
    spec = write_json(tmp_path / "m.manifest.cdm.json", {"entities": [{"entityName": "x", "entityPath": entity_path}]})
    with pytest.raises(DeclarationError, match=message):
        generate_models(spec, tmp_path / "out.py")
    assert not (tmp_path / "out.py").exists()


def test_openapi_2_gives_the_same_text_as_openapi_3(tmp_path):
    text = json.dumps(SWAGGER["definitions"]).replace("#/definitions/", "#/components/schemas/")
    newer = {"openapi": "3.1.0", "components": {"schemas": json.loads(text)}}
    generate_models(write_json(tmp_path / "two.json", SWAGGER), tmp_path / "two.py")
    generate_models(write_json(tmp_path / "three.json", newer), tmp_path / "three.py")
    assert (tmp_path / "two.py").read_text() == (tmp_path / "three.py").read_text()
    assert list_fields(tmp_path / "two.py", "Thing") == {"id": "bigint", "owner.id": "bigint", "owner.name": "text"}


@pytest.mark.parametrize("endpoint", ["/things", "/things/{id}"])
def test_an_endpoint_chooses_the_schema_of_its_records(tmp_path, endpoint):
    config = tmp_path / "generation.toml"
    config.write_text(f'endpoints = ["{endpoint}"]\n')
    names = generate_models(write_json(tmp_path / "two.json", SWAGGER), tmp_path / "out.py", choice=config)
    assert set(names) == {"Thing", "Owner"}


@pytest.mark.parametrize(("endpoint", "message"), [("/thing", "no such endpoint"), ("/ping", "describes no records")])
def test_an_endpoint_without_records_is_an_error(tmp_path, endpoint, message):
    config = tmp_path / "generation.toml"
    config.write_text(f'endpoints = ["{endpoint}"]\n')
    with pytest.raises(DeclarationError, match=message):
        generate_models(write_json(tmp_path / "two.json", SWAGGER), tmp_path / "out.py", choice=config)


@pytest.mark.parametrize(
    ("content", "wanted", "actual"), [(ENTITY, "openapi", "cdm"), (SWAGGER, "cdm", "openapi"), ({"a": 1}, "auto", "a")]
)
def test_another_format_than_the_wanted_one_is_an_error(tmp_path, content, wanted, actual, capsys):
    spec, out = write_json(tmp_path / "spec.json", content), tmp_path / "out.py"
    assert run_command(["generate", "models", str(spec), str(out), "--format", wanted, "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["found"] == actual
    assert not out.exists()


@pytest.mark.parametrize("text", ["schemas = [", 'unknown = "x"', "base = 'spark'"])
def test_a_config_that_is_wrong_is_an_error(tmp_path, text):
    config = tmp_path / "generation.toml"
    config.write_text(text)
    with pytest.raises(DeclarationError, match="choice file is invalid"):
        generate_models(write_json(tmp_path / "two.json", SWAGGER), tmp_path / "out.py", choice=config)


def test_no_field_is_lost_to_the_way_in_which_a_schema_is_spelled(tmp_path):
    """Parts of an `allOf`, a type beside null, an object that does not say so, and a schema that contains itself."""
    spec = {
        "openapi": "3.1.0",
        "components": {
            "schemas": {
                "Base": {"properties": {"id": {"type": ["integer", "null"]}, "self": {"$ref": REF + "Thing"}}},
                "Thing": {
                    "allOf": [{"$ref": REF + "Base"}, {"type": "object", "properties": {"name": {"type": "string"}}}],
                    "properties": {
                        "owner": {"anyOf": [{"$ref": REF + "Owner"}, {"type": "null"}]},
                        "tags": {"type": ["array", "null"], "items": {"type": "string"}},
                        "mixed": {"type": ["string", "integer"]},
                    },
                },
                "Owner": {
                    "allOf": [
                        {"$ref": REF + "Base"},
                        {"$ref": REF + "Owner"},
                        {"properties": {"x": {"type": "string"}}},
                    ]
                },
            }
        },
    }
    generate_models(write_json(tmp_path / "spec.json", spec), tmp_path / "out.py")
    assert list_fields(tmp_path / "out.py", "Thing") == {
        "id": "bigint", "self.id": "bigint", "self.name": "text", "self.mixed": "json", "name": "text",
        "owner.id": "bigint", "owner.x": "text", "tags": "text", "mixed": "json",
    }  # fmt: skip


def test_the_endpoints_of_a_description_may_refer_to_their_responses(tmp_path):
    listing = {"content": {"application/json": {"schema": {"$ref": REF + "Page"}}}}
    properties = {name: {"type": "string"} for name in ("next", "previous", "first", "last", "total")}
    spec = {
        "openapi": "3.0.0",
        "paths": {"/things": {"get": {"responses": {"200": {"$ref": "#/components/responses/Listing"}}}}},
        "components": {
            "responses": {"Listing": {"$ref": "#/components/responses/Again"}, "Again": listing},
            "schemas": {
                "Page": {"properties": {**properties, "data": {"type": "array", "items": {"$ref": REF + "Thing"}}}},
                "Thing": {
                    "properties": {
                        "id": {"type": "integer"},
                        "parts": {"type": "array", "items": {"$ref": REF + "Page"}},
                    }
                },
            },
        },
    }
    config = tmp_path / "generation.toml"
    config.write_text('endpoints = ["/things"]\n')
    assert "Thing" in generate_models(write_json(tmp_path / "spec.json", spec), tmp_path / "out.py", choice=config)
    spec["components"]["responses"]["Again"] = {"$ref": "#/components/responses/Listing"}  # a circle
    with pytest.raises(DeclarationError, match="describes no records"):
        generate_models(write_json(tmp_path / "spec.json", spec), tmp_path / "out.py", choice=config)
