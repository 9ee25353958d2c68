"""Classes without Headwater: pydantic with what the description says, sparkdantic with the types of the contract."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from pydantic import ValidationError

from headwater.codegen.models import generate_models
from headwater.dtypes import DUCKDB, render_dtype
from headwater.errors import DeclarationError
from headwater.model.field import list_contract_fields
from headwater.names import quote
from tests.codegen.test_formats import ENTITY, write_json
from tests.codegen.test_models import REF, load

SPEC: dict[str, Any] = {
    "openapi": "3.0.1",
    "components": {
        "schemas": {
            "Thing": {
                "type": "object",
                "properties": {
                    "id": {"type": "integer", "format": "int32"},
                    "displayName": {"type": "string", "maxLength": 5, "description": 'A "name"\nof two lines'},
                    "class": {"type": "string"},
                    "json": {"type": "string"},
                    "model_kind": {"type": "string"},
                    "odd-name": {"type": "string"},
                    "oddName": {"type": "string"},
                    "at": {"type": "string", "format": "date-time"},
                    "on": {"type": "string", "format": "date"},
                    "amount": {"type": "number", "format": "decimal"},
                    "hours": {"type": "number"},
                    "flag": {"type": "boolean"},
                    "bare": {"type": "object"},
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "numbers": {"type": "array", "items": {"type": "integer"}},
                    "owner": {"$ref": REF + "Owner"},
                    "parts": {"type": "array", "items": {"$ref": REF + "Owner"}},
                },
            },
            "Owner": {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}},
        }
    },
}

SPARK_TYPES = {
    "text": "string", "json": "string", "boolean": "boolean", "bigint": "long", "double": "double", "date": "date",
    "timestamp": "timestamp", "decimal(38,18)": "decimal(38,18)",
}  # fmt: skip
ARROW_TYPES = {
    "string": pa.string(), "boolean": pa.bool_(), "long": pa.int64(), "double": pa.float64(), "date": pa.date32(),
    "timestamp": pa.timestamp("us"), "decimal(38,18)": pa.decimal128(38, 18),
}  # fmt: skip


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return write_json(tmp_path / "spec.json", SPEC)


def flatten_spark(struct: dict[str, Any], prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """The leaves of a Spark schema, as bronze flattens a record: a list of objects is JSON there."""
    for field in struct["fields"]:
        path, kind = (*prefix, field["name"]), field["type"]
        if isinstance(kind, str):
            yield ".".join(path), kind
        elif kind["type"] == "struct":
            yield from flatten_spark(kind, path)
        else:
            element = kind["elementType"]
            yield ".".join(path), element if isinstance(element, str) else "string"


@pytest.mark.parametrize("content", [SPEC, ENTITY], ids=["openapi", "cdm"])
def test_the_schemas_of_spark_arrow_and_duckdb_agree(tmp_path, content):
    spec = write_json(tmp_path / "spec.json", content)
    name = generate_models(spec, tmp_path / "contract.py")[0]
    generate_models(spec, tmp_path / "spark.py", base="sparkdantic")
    fields = list_contract_fields(getattr(load(tmp_path / "contract.py"), name))
    spark = dict(flatten_spark(getattr(load(tmp_path / "spark.py"), name).model_json_spark_schema()))
    # A list of whole numbers is a string for Spark, and one value here: sparkdantic cannot say 64 bits in a list.
    assert spark.pop("numbers", "string") == "string"
    fields = tuple(field for field in fields if field.dotted != "numbers")
    assert spark == {field.dotted: SPARK_TYPES[field.dtype] for field in fields}
    columns = ", ".join(
        f"CAST(NULL AS {render_dtype(field.dtype, DUCKDB)}) AS {quote(field.dotted)}" for field in fields
    )
    arrow = duckdb.sql(f"SELECT {columns}").to_arrow_table().schema
    assert {field.name: field.type for field in arrow} == {path: ARROW_TYPES[kind] for path, kind in spark.items()}


def test_spark_requires_what_the_contract_requires(spec, tmp_path):
    generate_models(spec, tmp_path / "spark.py", base="sparkdantic")
    fields = load(tmp_path / "spark.py").Thing.model_json_spark_schema()["fields"]
    assert [field["name"] for field in fields if not field["nullable"]] == ["id"]


def test_a_plain_class_takes_a_record_by_the_keys_of_the_service(spec, tmp_path):
    generate_models(spec, tmp_path / "plain.py", base="pydantic")
    thing = load(tmp_path / "plain.py").Thing
    record = {
        "id": 1, "displayName": "n", "class": "c", "json": "j", "model_kind": "k", "odd-name": "a", "oddName": "b",
        "owner": {"id": 2}, "at": "2026-01-01T00:00:00Z", "unknown": 1,
    }  # fmt: skip
    read = thing.model_validate(record)
    assert (read.display_name, read.field_class, read.field_json, read.field_model_kind) == ("n", "c", "j", "k")
    assert (read.odd_name, read.odd_name_2, read.owner.id) == ("a", "b", 2)
    assert read.model_dump(by_alias=True, exclude_unset=True)["odd-name"] == "a"


def test_the_spelling_the_limits_and_the_texts_of_the_description_are_kept_if_wanted(spec, tmp_path):
    config = tmp_path / "generation.toml"
    config.write_text('base = "pydantic"\nfield_case = "preserve"\nconstraints = true\ndescriptions = true\n')
    generate_models(spec, tmp_path / "kept.py", choice=config)
    thing = load(tmp_path / "kept.py").Thing
    assert thing.model_fields["displayName"].description == 'A "name" of two lines'
    assert thing.model_validate({"id": 1, "displayName": "12345"}).displayName == "12345"
    with pytest.raises(ValidationError):
        thing.model_validate({"id": 1, "displayName": "123456"})


@pytest.mark.parametrize("base", ["pydantic", "sparkdantic"])
def test_without_a_wish_no_text_of_the_vendor_is_written(spec, tmp_path, base):
    generate_models(spec, tmp_path / "plain.py", base=base)
    text = (tmp_path / "plain.py").read_text()
    assert "two lines" not in text
    assert "max_length" not in text
    generate_models(spec, tmp_path / "again.py", base=base)
    assert (tmp_path / "again.py").read_text() == text


def test_a_contract_refuses_what_it_would_not_check(spec, tmp_path):
    config = tmp_path / "generation.yaml"
    config.write_text("constraints: true\n")
    with pytest.raises(DeclarationError, match="constraints"):
        generate_models(spec, tmp_path / "out.py", choice=config)
    assert json.loads(spec.read_text()) == SPEC
