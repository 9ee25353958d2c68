"""A warehouse that is named on the command line: `duckdb:PATH`, `postgresql://user@host/db`, `env:NAME`, `spark:local[2]` …

The same settings as under `warehouse:`, in one word, which the settings class of the engine reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pydantic import ValidationError

from headwater.declared import Origin
from headwater.errors import DeclarationError
from headwater.run.plugins import find_warehouse_settings, list_warehouse_kinds, list_warehouse_settings
from headwater.warehouse.settings import WarehouseSettings

_WHERE = "--warehouse"


def url_examples() -> str:
    """How warehouses are named, for help and errors."""
    return ", ".join(example for one in list_warehouse_settings() for example in one.url_examples)


def settings_from_url(text: str) -> WarehouseSettings:
    """The settings of a warehouse named in one word; DeclarationError where it cannot be meant."""
    scheme, colon, _ = text.partition(":")
    with _translate_errors():
        found = _find_by_scheme(scheme) if colon else None
        if found:
            return found.from_url(text).with_origin(Origin(_WHERE))
    raise _error(text)


def settings_from_options(options: Mapping[str, Any]) -> WarehouseSettings:
    """The settings that a mapping declares; DeclarationError where it does not."""
    with _translate_errors():
        return find_warehouse_settings(options["kind"]).model_validate(dict(options)).with_origin(Origin(_WHERE))


def dump_settings(settings: WarehouseSettings) -> dict[str, Any]:
    """The settings as JSON can hold them; secrets are references in them."""
    return settings.model_dump(mode="json", exclude_unset=True) | {"kind": settings.kind}


def _find_by_scheme(scheme: str) -> type[WarehouseSettings] | None:
    if scheme in list_warehouse_kinds():
        return find_warehouse_settings(scheme)
    return next((one for one in list_warehouse_settings() if scheme in one.schemes), None)


@contextmanager
def _translate_errors() -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        # The text itself stays out of sight: where it does not hold, it may well be a password.
        raise _error("; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())) from error
    except ValueError as error:
        raise _error(str(error)) from error


def _error(saw: str) -> DeclarationError:
    hint = f"use one of: {url_examples()}"
    return DeclarationError("This is not the URL of a warehouse.", where=_WHERE, details=saw, hint=hint)
