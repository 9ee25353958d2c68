"""Generates contracts from an OpenAPI specification, with datamodel-code-generator."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from headwater.codegen.choice import Choice, load_choice
from headwater.codegen.prune import Schema, prune
from headwater.codegen.write import write_module
from headwater.errors import DeclarationError


def generate_models(
    spec: Path, out: Path, schemas: Sequence[str] | None = None, *, choice: Path | None = None
) -> tuple[str, ...]:
    """Write contracts to the module `out`, and return the names of the classes.

    `spec` is the OpenAPI specification in JSON or YAML. Contracts are written for `schemas`, or those of the file
    `choice`, or all.
    """
    chosen = load_choice(choice)
    if schemas:
        chosen = chosen.model_copy(update={"schemas": tuple(schemas)})
    pruned = prune(_read_spec(spec), chosen, spec.name)
    if not pruned:
        raise DeclarationError(
            "The description has no schema that becomes a model.",
            where=spec.name,
            details=f"no object with a property `{chosen.key}` below components/schemas",
            hint="name the schemas under `schemas:`, or the key of records as `key:`, in a file for `--choice`",
        )
    command = " ".join(("headwater generate models SPEC OUT", *(("--choice", choice.name) if choice else ())))
    classes = dict(_read_classes(_generate_source(pruned)))
    text = write_module(classes, chosen, command)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, "utf-8")
    return tuple(classes)


def _read_spec(spec: Path) -> Mapping[str, Any]:
    try:
        text = spec.read_text("utf-8")
        read = yaml.safe_load(text) if spec.suffix in (".yaml", ".yml") else json.loads(text)
    except OSError as error:
        raise DeclarationError(
            "The description cannot be read.",
            where=spec.name,
            details=error.strerror or "",
            hint="pass the path of the OpenAPI document",
        ) from error
    except (ValueError, yaml.YAMLError) as error:
        raise DeclarationError(
            "The description is neither JSON nor YAML.",
            where=spec.name,
            details=str(error).splitlines()[0],
            hint="a file of YAML ends in `.yaml` or `.yml`, any other is JSON; both are UTF-8",
        ) from error
    if not isinstance(read, dict) or not str(read.get("openapi", "")).startswith("3"):
        details = ", ".join(list(read)[:5]) if isinstance(read, dict) else type(read).__name__
        raise DeclarationError("This is not an OpenAPI 3 description.", where=spec.name, details=details)
    return read


def _generate_source(pruned: Mapping[str, Schema]) -> str:
    try:
        import datamodel_code_generator as generator  # noqa: PLC0415 - needed at build time only
        from datamodel_code_generator import enums  # noqa: PLC0415 - needed at build time only
    except ImportError as error:
        raise DeclarationError(
            "The model generator is not installed.",
            where="headwater generate models",
            details="no module datamodel_code_generator",
            hint='pip install "headwater[codegen]"',
        ) from error
    description = {"openapi": "3.0.3", "info": {"title": "", "version": ""}, "paths": {}}
    config = generator.GenerateConfig(
        input_file_type=generator.InputFileType.OpenAPI,
        output_model_type=enums.DataModelType.PydanticV2BaseModel,
        target_python_version=generator.PythonVersion.PY_311,
        use_union_operator=True,
        use_standard_collections=True,
        disable_timestamp=True,
        keep_model_order=True,
        formatters=[],
    )
    source = generator.generate(json.dumps({**description, "components": {"schemas": dict(pruned)}}), config=config)
    return str(source)


def _read_classes(source: str) -> Iterator[tuple[str, list[tuple[str, str, str, bool]]]]:
    """The classes of a generated module, with their members as (attribute, key, type, required)."""
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.ClassDef):
            yield (
                statement.name,
                [_parse_member(member) for member in statement.body if isinstance(member, ast.AnnAssign)],
            )


def _parse_member(member: ast.AnnAssign) -> tuple[str, str, str, bool]:
    attribute = ast.unparse(member.target)
    kind = ast.unparse(member.annotation).removesuffix(" | None")
    alias = next(
        (
            str(ast.literal_eval(keyword.value))
            for call in ast.walk(member)
            if isinstance(call, ast.Call)
            for keyword in call.keywords
            if keyword.arg == "alias"
        ),
        attribute,
    )
    value = member.value
    required = value is None or (isinstance(value, ast.Call) and bool(value.args) and _is_ellipsis(value.args[0]))
    return attribute, alias, kind, required


def _is_ellipsis(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...


__all__ = ["Choice", "generate_models"]
