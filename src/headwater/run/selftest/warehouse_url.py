"""The URL of a warehouse on the command line: `duckdb:PATH`, `postgresql://user@host/db`, `env:NAME`, `spark:local[2]` …

A URL has the same settings as `warehouse:`. The settings class of the engine parses it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pydantic import ValidationError

from headwater.declared import Origin
from headwater.errors import DeclarationError
from headwater.model.reason import describe_reason
from headwater.run.plugins import find_warehouse_settings, list_warehouse_kinds, list_warehouse_settings
from headwater.warehouse.settings import WarehouseSettings

_WHERE = "--warehouse"


def list_url_examples() -> str:
    """The examples of the engines, for help and errors."""
    return ", ".join(example for settings in list_warehouse_settings() for example in settings.url_examples)


def parse_warehouse_url(text: str) -> WarehouseSettings:
    """The settings of a warehouse URL; DeclarationError if it is invalid."""
    scheme, colon, _ = text.partition(":")
    with _translate_errors():
        settings = _find_by_scheme(scheme) if colon else None
        if settings:
            return settings.from_url(text).with_origin(Origin(_WHERE))
    raise _build_url_error(text)


def load_settings(options: Mapping[str, Any]) -> WarehouseSettings:
    """The settings of a mapping, as `dump_settings` returns it; DeclarationError if it is invalid."""
    with _translate_errors():
        return find_warehouse_settings(options["kind"]).model_validate(dict(options)).with_origin(Origin(_WHERE))


def dump_settings(settings: WarehouseSettings) -> dict[str, Any]:
    """The settings as JSON values. Secrets are references."""
    return settings.model_dump(mode="json", exclude_unset=True) | {"kind": settings.kind}


def _find_by_scheme(scheme: str) -> type[WarehouseSettings] | None:
    if scheme in list_warehouse_kinds():
        return find_warehouse_settings(scheme)
    return next((settings for settings in list_warehouse_settings() if scheme in settings.schemes), None)


@contextmanager
def _translate_errors() -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        # Without the text itself: an invalid URL can contain a password.
        messages = (f"{'.'.join(map(str, item['loc']))}: {describe_reason(item)}" for item in error.errors())
        raise _build_url_error("; ".join(messages)) from error
    except ValueError as error:
        raise _build_url_error(str(error)) from error


def _build_url_error(details: str) -> DeclarationError:
    hint = f"use one of: {list_url_examples()}"
    return DeclarationError("This is not the URL of a warehouse.", where=_WHERE, details=details, hint=hint)
