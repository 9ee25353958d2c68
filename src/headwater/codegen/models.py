"""Generates models from a description of records, with datamodel-code-generator."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from headwater.codegen.cdm import SYSTEM_ID
from headwater.codegen.choice import Choice, ModelStyle, load_choice
from headwater.codegen.description import Description, DescriptionFormat, load_description
from headwater.codegen.endpoints import find_endpoint_schemas
from headwater.codegen.plain import PlainWriter
from headwater.codegen.prune import Schema, prune
from headwater.codegen.write import Member, write_module
from headwater.errors import DeclarationError


def generate_models(
    spec: Path,
    out: Path,
    schemas: Sequence[str] | None = None,
    *,
    choice: Path | None = None,
    description_format: DescriptionFormat = "auto",
    base: ModelStyle | None = None,
) -> tuple[str, ...]:
    """Write models to the module `out`, and return the names of the classes.

    `spec` is a description in JSON or YAML: OpenAPI 2 or 3, or CDM. Models are written for `schemas`, or those of the
    file `choice`, or all. `base` replaces the one of the file.
    """
    given = load_choice(choice)
    description = load_description(spec, description_format)
    chosen = _complete_choice(given, description, schemas or (), base)
    pruned = prune(description.schemas, chosen, spec.name)
    if not pruned:
        raise DeclarationError(
            "The description has no schema that becomes a model.",
            where=spec.name,
            details=f"no object with a property `{chosen.key}`",
            hint="name the schemas under `schemas:`, or the key of records as `key:`, in a file for `--config`",
        )
    classes = dict(_read_classes(_generate_source(pruned)))
    text = _render_module(classes, chosen, _describe_command(choice, description_format, base), pruned)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, "utf-8")
    return tuple(classes)


def _complete_choice(
    choice: Choice, description: Description, schemas: Sequence[str], base: ModelStyle | None
) -> Choice:
    """The choice with the schemas of its endpoints, and with what the command line says."""
    names = (
        *(schemas or choice.schemas),
        *find_endpoint_schemas(description.paths, description.schemas, choice.endpoints, description.where),
    )
    update: dict[str, Any] = {"schemas": tuple(dict.fromkeys(names)), "base": base or choice.base}
    if description.format == "cdm" and "key" not in choice.model_fields_set:
        update["key"] = SYSTEM_ID
    chosen = choice.model_copy(update=update)
    if chosen.base == "contract" and (chosen.constraints or chosen.descriptions or chosen.field_case != "snake"):
        raise DeclarationError(
            "A contract has no constraints, descriptions or spellings of its own.",
            where="--config",
            details="base: contract",
            hint="set `base: pydantic` or `base: sparkdantic`, or leave `constraints`, `descriptions`, `field_case` out",
        )
    return chosen


def _describe_command(choice: Path | None, description_format: DescriptionFormat, base: ModelStyle | None) -> str:
    """The command that generates a module, without paths."""
    options = {
        "--format": None if description_format == "auto" else description_format,
        "--base": base,
        "--config": choice and choice.name,
    }
    words = [word for name, value in options.items() if value for word in (name, value)]
    return " ".join(("headwater generate models SPEC OUT", *words))


def _render_module(
    classes: Mapping[str, Sequence[Member]], choice: Choice, command: str, pruned: Mapping[str, Schema]
) -> str:
    if choice.base == "contract":
        return write_module(classes, choice, command)
    return PlainWriter(choice, command, pruned).write_module(classes)


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


def _read_classes(source: str) -> Iterator[tuple[str, list[Member]]]:
    """The classes of a generated module, with their members as (attribute, key, type, required)."""
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.ClassDef):
            yield (
                statement.name,
                [_parse_member(member) for member in statement.body if isinstance(member, ast.AnnAssign)],
            )


def _parse_member(member: ast.AnnAssign) -> Member:
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


__all__ = ["Choice", "DescriptionFormat", "ModelStyle", "generate_models"]
