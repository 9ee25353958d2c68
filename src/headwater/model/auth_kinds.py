"""`auth:` of a manifest, validated by the class of its kind. A kind is imported when a manifest names it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from importlib.metadata import EntryPoint, entry_points
from operator import or_
from typing import Annotated, Any

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter, ValidationError
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

from headwater.names import did_you_mean
from headwater.wire.auth import Auth

GROUP = "headwater.auth"
"""The entry point group of auth kinds: the name is the `kind`, the value a subclass of `headwater.wire.auth.Auth`."""


def list_auth_kinds() -> tuple[str, ...]:
    """The installed auth kinds, sorted."""
    return tuple(sorted({point.name for point in entry_points(group=GROUP)}))


def validate_auth(value: Any) -> Auth:
    """Validate `auth:` with the class of its kind. A ValidationError locates each mistake below `auth`."""
    if isinstance(value, Auth):
        return value
    if not isinstance(value, dict):
        raise PydanticCustomError("auth_form", "use `auth: {kind: ...}`")
    kind = _load_kind(value.get("kind"))
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        raise ValidationError.from_exception_data(error.title, list(_explain(kind, error))) from None


def _load_kind(name: Any) -> type[Auth]:
    """Load the class of a kind. Raise a ValidationError at `kind` if that is not possible."""
    point = _find_point(name)
    if point is None:
        message = f"installed: {', '.join(list_auth_kinds())}"
        if isinstance(name, str) and (hint := did_you_mean(name, list_auth_kinds())):
            message = f"{hint}; {message}"
        raise _build_kind_error(name, f"the auth kind does not exist; {message}")
    try:
        kind = point.load()
    except Exception as error:
        raise _build_kind_error(name, f"{point.value} cannot be imported: {type(error).__name__}: {error}") from error
    if not (isinstance(kind, type) and issubclass(kind, Auth)):
        raise _build_kind_error(name, f"{point.value} is not a subclass of headwater.wire.auth.Auth")
    return kind


def _find_point(name: Any) -> EntryPoint | None:
    return next(iter(entry_points(group=GROUP, name=name)), None) if isinstance(name, str) else None


def _build_kind_error(name: Any, message: str) -> ValidationError:
    problem = PydanticCustomError("auth_kind", "{message}", {"message": message})
    return ValidationError.from_exception_data("auth", [InitErrorDetails(type=problem, loc=("kind",), input=name)])


def _explain(kind: type[Auth], error: ValidationError) -> Iterator[InitErrorDetails]:
    """Describe the mistakes in `auth:`. For an unknown key, list the keys of the kind."""
    for item in error.errors():
        context = dict(item.get("ctx", {}))
        if item["type"] == "extra_forbidden":
            context["known"] = sorted(kind.model_fields)
        # The text is a value of the template, because pydantic would take a brace in it for a placeholder.
        problem = PydanticCustomError(item["type"], "{message}", {**context, "message": item["msg"]})
        yield InitErrorDetails(type=problem, loc=item["loc"], input=item["input"])


class _AuthKinds:
    """Makes pydantic validate with `validate_auth`, and describe all installed kinds in a JSON Schema."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        del source, handler
        return core_schema.no_info_plain_validator_function(validate_auth)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        del schema
        kinds = [_load_kind(name) for name in list_auth_kinds()]
        union: Any = Annotated[reduce(or_, kinds), Field(discriminator="kind")]
        return handler(TypeAdapter(union).core_schema)


DeclaredAuth = Annotated[Auth, _AuthKinds]
"""The `auth` of a manifest."""
