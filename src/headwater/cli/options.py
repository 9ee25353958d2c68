"""Options that several commands share, in groups. Each group is a frozen dataclass.

The function of a command takes groups as parameters, but typer needs one parameter for each option. `expand_options` converts
the first form to the second, so that each option is declared once and functions have few parameters.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputOptions:
    """The output of a command."""

    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectOptions:
    """The project of a command."""

    project: Annotated[
        Path, typer.Option("--project", metavar="DIR", help="The folder with headwater.yaml.", show_default=True)
    ] = Path()
    environment: Annotated[
        str,
        typer.Option("--env", metavar="NAME", envvar="HEADWATER_ENV", help="An environment in headwater.yaml."),
    ] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantOption:
    """The tenant of a command."""

    tenant: Annotated[
        str | None,
        typer.Option("--tenant", metavar="NAME", help="The tenant. Not required if the project has only one."),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedOptions:
    """The feeds of a command."""

    connection: Annotated[str | None, typer.Option("--connection", metavar="NAME", help="Only this connection.")] = None
    resource: Annotated[str | None, typer.Option("--resource", metavar="NAME", help="Only this resource.")] = None


def expand_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Replace each parameter of `function` that is a dataclass with the fields of the dataclass."""
    hints = get_type_hints(function, include_extras=True)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if dataclasses.is_dataclass(hint)}

    @wraps(function)
    def call_with_options(**values: Any) -> Any:
        groups_of_values = {
            name: kind(**{field.name: values.pop(field.name) for field in dataclasses.fields(kind)})
            for name, kind in groups.items()
        }
        return function(**values, **groups_of_values)

    signature = inspect.signature(function)
    # The command's own options come first, then the groups in their order, as on its help page.
    own_first = sorted(signature.parameters.values(), key=lambda parameter: parameter.name in groups)
    parameters = [new for old in own_first for new in _list_options(old, hints)]
    call_with_options.__dict__["__signature__"] = signature.replace(parameters=parameters, return_annotation=Any)
    call_with_options.__annotations__ = {}
    del call_with_options.__dict__["__wrapped__"]
    return call_with_options


def _list_options(parameter: inspect.Parameter, hints: dict[str, Any]) -> Iterator[inspect.Parameter]:
    kind = hints[parameter.name]
    if not dataclasses.is_dataclass(kind):
        yield parameter.replace(annotation=kind, kind=inspect.Parameter.KEYWORD_ONLY)
        return
    fields = get_type_hints(kind, include_extras=True)
    for field in dataclasses.fields(kind):
        yield inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=_get_default(field), annotation=fields[field.name]
        )


def _get_default(field: dataclasses.Field[Any]) -> Any:
    return inspect.Parameter.empty if field.default is dataclasses.MISSING else field.default
