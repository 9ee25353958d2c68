"""Loads declarations from files. An error contains the file, the line, the value and a fix."""

from __future__ import annotations

import difflib
import importlib.util
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from headwater.declared import Declared, Origin
from headwater.errors import DeclarationError, DeclarationErrors
from headwater.model.address import ClearSecretError, has_secret
from headwater.model.check.connector import check_connector
from headwater.model.connector import Connector
from headwater.model.dimension import DateDimension, EntityDimension, EnumDimension
from headwater.model.entity import Entity, Rules
from headwater.model.fact import Fact
from headwater.model.project import CONTEXT, Declarations, FindSettings, Project, WarehouseOptions
from headwater.model.reason import describe_reason
from headwater.model.yaml_document import Document, read_documents
from headwater.names import did_you_mean

D = TypeVar("D", bound=Declared)

PROJECT_FILE = "headwater.yaml"
"""The file at the root of a project."""

_NOUNS: tuple[tuple[str, tuple[tuple[str, type[Declared]], ...]], ...] = (
    ("fact", (("", Fact),)),
    ("dimension", (("values_of", EnumDimension), ("calendar", DateDimension), ("", EntityDimension))),
    ("rules", (("", Rules),)),
    ("entity", (("", Entity),)),  # last: facts and dimensions have an `entity` key too
)
_COLLECTIONS = {
    Entity: ("entities", "entity"),
    Fact: ("facts", "fact"),
    Rules: ("rules", "rules"),
    EntityDimension: ("dimensions", "dimension"),
    EnumDimension: ("dimensions", "dimension"),
    DateDimension: ("dimensions", "dimension"),
}


def load_project(root: Path, find_settings: FindSettings | None = None) -> Project:
    """Load the project in `root`. Raise DeclarationError if it is missing or invalid.

    With `find_settings`, also validate the options of its warehouses.
    """
    path = root / PROJECT_FILE
    if not path.is_file():
        raise DeclarationError(
            "No project found.",
            where=PROJECT_FILE,
            details=f"no {PROJECT_FILE} in {root}",
            hint="create one with `headwater init DIR`, or pass another folder with `--project DIR`",
        )
    documents = read_documents(path, shown=PROJECT_FILE)
    if not documents:
        raise DeclarationError(
            "The project file is empty.", where=PROJECT_FILE, hint="create one with `headwater init DIR`"
        )
    return _locate_warehouses(validate_document(Project, documents[0], find_settings))


def _locate_warehouses(project: Project) -> Project:
    """Record in each warehouse where it is declared, because warehouses are opened separately."""
    origin = project.origin
    environments = {
        name: environment.model_copy(
            update={"warehouse": _locate(environment.warehouse, origin.find_origin("environments", name, "warehouse"))}
        )
        for name, environment in project.environments.items()
    }
    warehouse = _locate(project.warehouse, origin.find_origin("warehouse"))
    return project.model_copy(update={"warehouse": warehouse, "environments": environments})


def _locate(warehouse: WarehouseOptions | None, origin: Origin) -> WarehouseOptions | None:
    return warehouse.model_copy().with_origin(origin) if warehouse else None


def load_connector(path: Path) -> Connector:
    """Load a connector from a `connector.yaml`."""
    documents = read_documents(path, shown=f"{path.parent.name}/{path.name}")
    if not documents:
        raise DeclarationError("The connector's manifest is empty.", where=str(path.name))
    connector = validate_document(Connector, documents[0])
    check_connector(connector)
    return connector


def load_declarations(folder: Path, *, shown: str = "models") -> Declarations:
    """Load all declarations below `folder`, from YAML and Python files. All errors are reported together."""
    collections: dict[str, dict[str, Any]] = {"entities": {}, "dimensions": {}, "facts": {}, "rules": {}}
    errors: list[DeclarationError] = []
    for path in sorted(folder.rglob("*")):
        name = f"{shown}/{path.relative_to(folder).as_posix()}"
        try:
            for noun in _load_file(path, name):
                _add_to_collection(noun, collections)
        except DeclarationError as error:
            errors.extend(error.errors if isinstance(error, DeclarationErrors) else [error])
    if errors:
        raise DeclarationErrors(errors)
    return Declarations.model_construct(None, **collections)


def validate_document(kind: type[D], document: Document, find_settings: FindSettings | None = None) -> D:
    """Validate a document as a declaration. Raise DeclarationErrors with all its errors."""
    origin = Origin(document.file, document.line, document.lines)
    try:
        return kind.model_validate(document.values, context={CONTEXT: find_settings}).with_origin(origin)
    except ValidationError as error:
        fields = _Fields(kind, document.values, find_settings)
        raise DeclarationErrors([_to_declaration_error(item, origin, fields) for item in error.errors()]) from error


def _load_file(path: Path, shown: str) -> Iterator[Declared]:
    if path.suffix in (".yaml", ".yml"):
        documents = read_documents(path, shown=shown, keep=True)
        if not documents:
            raise _build_empty_error(shown)
        for document in documents:
            yield validate_document(_find_kind(document), document)
    elif path.suffix == ".py" and not path.name.startswith("_"):
        yield from _load_python(path, shown)


def _find_kind(document: Document) -> type[Declared]:
    values = document.values if isinstance(document.values, dict) else {}
    _check_first_key(document, next(iter(values), ""))
    for noun, kinds in _NOUNS:
        if noun in values:
            return next(kind for mark, kind in kinds if not mark or mark in values)
    details = ", ".join(map(str, values)) or "nothing"
    hint = "start the file with one of: entity, dimension, fact, rules"
    raise DeclarationError(
        "No `entity:`, `dimension:`, `fact:` or `rules:` key found.",
        where=f"{document.file}:{document.line}",
        details=details,
        hint=hint,
    )


def _check_first_key(document: Document, key: object) -> None:
    """Refuse a misspelled noun. Otherwise `fakt:` of a fact would be reported as an entity that lacks its keys."""
    nouns = [noun for noun, _ in _NOUNS]
    # A high cutoff, because a file may start with `description:`, which resembles `dimension:`.
    similar = difflib.get_close_matches(str(key), nouns, n=1, cutoff=0.75)
    if similar and key not in nouns:
        raise DeclarationError(
            f"`{key}` is not a known key.",
            where=f"{document.file}:{document.lines.get(str(key), document.line)}",
            details=str(key),
            hint=f"did you mean `{similar[0]}`?",
        )


def _load_python(path: Path, shown: str) -> Iterator[Declared]:
    spec = importlib.util.spec_from_file_location(f"headwater_models_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise DeclarationError(
            "This file cannot be imported.", where=shown, hint="give it a name such as `models/shop.py`"
        )
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise DeclarationError(
            "This file raises an error when it is imported.",
            where=f"{shown}{_find_line(error, path)}",
            details=f"{type(error).__name__}: {error}",
            hint="correct this line; `--debug` shows the traceback",
        ) from error
    if not any(not name.startswith("__") for name in vars(module)):
        raise _build_empty_error(shown)
    for value in vars(module).values():
        if type(value) in _COLLECTIONS:
            yield value.with_origin(Origin(shown))


def _find_line(error: Exception, path: Path) -> str:
    """The line of the file that raised an error, as `:7`; empty if the error does not say."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f":{error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f":{lines[-1]}" if lines else ""


def _build_empty_error(shown: str) -> DeclarationError:
    return DeclarationError(
        "This file declares nothing.",
        where=shown,
        details="no text besides comments",
        hint="declare an entity, a dimension, a fact or rules in it, or delete it",
    )


def _add_to_collection(noun: Declared, collections: dict[str, dict[str, Any]]) -> None:
    collection, attribute = _COLLECTIONS[type(noun)]
    name = getattr(noun, attribute)
    if name in collections[collection]:
        other = collections[collection][name].origin
        raise DeclarationError(
            f"`{name}` is declared twice.",
            where=str(noun.origin),
            details=f"first declared in {other}",
            hint="keep one",
        )
    collections[collection][name] = noun


def _to_declaration_error(error: Any, origin: Origin, fields: _Fields) -> DeclarationError:
    tagged = tuple(str(step) for step in error["loc"])
    path = _strip_tags(tagged, fields.values)
    last = path[-1] if path else ""
    where = origin.find_location(*path)
    if error["type"] == "extra_forbidden":
        known = error.get("ctx", {}).get("known") or fields.list_names(tagged[:-1])
        return DeclarationError(
            f"`{'.'.join(path)}` is not a known key.", where=where, details=last, hint=did_you_mean(last, known)
        )
    if error["type"] == "missing":
        return DeclarationError(
            f"`{'.'.join(path)}` is missing.", where=where, details="nothing", hint=f"add `{last}:`"
        )
    message = f"`{'.'.join(path)}` is invalid." if path else "This is invalid."
    return DeclarationError(message, where=where, details=_describe_input(error), hint=describe_reason(error))


def _strip_tags(path: tuple[str, ...], values: Any) -> tuple[str, ...]:
    """`path` as in the document. Pydantic adds the `kind` of an object, which is not a key of the document."""
    kept: list[str] = []
    for number, step in enumerate(path):
        if isinstance(values, dict) and step not in values and values.get("kind") == step and number + 1 < len(path):
            continue
        kept.append(step)
        if isinstance(values, dict):
            values = values.get(step)
        elif isinstance(values, list) and step.isdigit() and int(step) < len(values):
            values = values[int(step)]
    return tuple(kept)


def _describe_input(error: Any) -> str:
    """The rejected value, unless it may contain a secret."""
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, ClearSecretError) or "secrets" in error["loc"]:
        return "a value that is not a reference (not shown)"
    value = error["input"]
    if isinstance(value, dict):
        return str(error.get("ctx", {}).get("tag") or f"{{{', '.join(map(str, value))}}}"[:120])
    shown = repr(value)
    return "a value that contains a secret (not shown)" if has_secret(shown) else shown[:120]


@dataclass(frozen=True, slots=True)
class _Fields:
    """The known fields in each part of a document, as far as they can be determined."""

    kind: type[BaseModel]
    values: Any
    find_settings: FindSettings | None

    def list_names(self, path: tuple[str, ...]) -> list[str]:
        """The known fields at `path`."""
        kind, values = self.kind, self.values
        for step in path:
            kind, values = _find_part(kind, step), values.get(step) if isinstance(values, dict) else None
        if _is_warehouse(kind) and self.find_settings and isinstance(values, dict):
            kind = self.find_settings(WarehouseOptions.model_validate(values).kind)
        # `LakeSettings | None` has one class
        models = [
            part for part in getattr(kind, "__args__", ()) if isinstance(part, type) and issubclass(part, BaseModel)
        ]
        kind = models[0] if len(models) == 1 else kind
        return sorted(kind.model_fields) if isinstance(kind, type) and issubclass(kind, BaseModel) else []


def _is_warehouse(kind: Any) -> bool:
    return WarehouseOptions in (kind, *getattr(kind, "__args__", ()))


def _find_part(kind: Any, step: str) -> Any:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        info = kind.model_fields.get(step)
        return info.annotation if info else _find_tagged(kind, step)
    members = [member for member in getattr(kind, "__args__", ()) if member is not type(None) and member is not str]
    for member in members:
        if isinstance(member, type) and issubclass(member, BaseModel):
            return member if member.model_fields.get("kind") is None else _find_part(member, step)
    return members[-1] if members else None


def _find_tagged(kind: type[BaseModel], step: str) -> Any:
    tag = kind.model_fields.get("kind")
    return kind if tag is not None and tag.default == step else None
