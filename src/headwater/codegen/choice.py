"""The choice file of a connector: what to take from a description, what to correct in it, and what classes to write."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError

from headwater.declared import Declared
from headwater.dtypes import DType
from headwater.errors import DeclarationError
from headwater.model.reason import describe_reason

ModelStyle = Literal["contract", "pydantic", "sparkdantic"]


class SharedObject(Declared):
    """The object that one field contains in every schema, regardless of the specification."""

    field: str
    """The field."""
    many: bool = False
    """Whether the field contains a list of such objects."""
    keys: dict[str, DType]
    """The keys of the object to read, with their types."""
    unread: tuple[str, ...] = ()
    """Keys of the object to ignore, as patterns. Default: `unread` of the choice file."""


class Choice(Declared):
    """The schemas of a specification that become contracts, and corrections of the specification."""

    schemas: tuple[str, ...] = ()
    """The schemas that become contracts, in this order. Default: all schemas with the key."""
    endpoints: tuple[str, ...] = ()
    """Paths of the service, e.g. `/company/companies`. The schemas of their records become contracts, too."""
    key: str = "id"
    """The key of every record, the only required field. Default for CDM: `systemId-2000000000`, if it is there."""
    omit: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Fields that are never read, e.g. passwords, by schema."""
    types: dict[str, dict[str, DType]] = Field(default_factory=dict)
    """The correct types of fields whose type is wrong in the specification, by schema."""
    decimals: bool = False
    """Whether fractions are exact amounts (money, hours, quantities). Otherwise they are floating-point numbers."""
    refer: dict[str, dict[str, tuple[str, ...]]] = Field(default_factory=dict)
    """References that the specification lacks or nests too deeply: by schema and field, each with its keys."""
    objects: dict[str, SharedObject] = Field(default_factory=dict)
    """Fields that contain the same object in every schema, e.g. who changed a record and when; by the name of its contract."""
    unread: tuple[str, ...] = ()
    """Keys of nested objects to ignore."""

    base: ModelStyle = "contract"
    """What the classes are: contracts of Headwater, plain classes of pydantic, or classes of sparkdantic."""
    field_case: Literal["snake", "preserve"] = "snake"
    """How attributes of plain classes are spelled: as Python does, or as far as possible as the service does."""
    constraints: bool = False
    """Whether plain classes have the maximum lengths of the description. A contract checks types only."""
    descriptions: bool = False
    """Whether plain classes have the descriptions of fields. They may be under the copyright of the service."""

    def find_shared_object(self, field: str) -> tuple[str, SharedObject] | None:
        """The shared object of a field, with its name; None if it has none."""
        return next(((name, item) for name, item in self.objects.items() if item.field == field), None)


def load_choice(path: Path | None) -> Choice:
    """Load a choice file, YAML or TOML. Without a path, all schemas are chosen."""
    if path is None:
        return Choice()
    try:
        return Choice.model_validate(_parse(path))
    except FileNotFoundError:
        raise DeclarationError(
            "The file does not exist.", where=str(path), hint="pass the path of a choice file"
        ) from None
    except OSError as error:
        raise DeclarationError(
            "The choice file cannot be read.", where=str(path), details=error.strerror or ""
        ) from error
    except (yaml.YAMLError, ValidationError, ValueError) as error:
        raise DeclarationError(
            "The choice file is invalid.", where=str(path), details=_describe_first(error)
        ) from error


def _parse(path: Path) -> Any:
    text = path.read_text("utf-8-sig")
    return tomllib.loads(text) if path.suffix == ".toml" else yaml.safe_load(text) or {}


def _describe_first(error: Exception) -> str:
    if isinstance(error, ValidationError):
        reason: Any = error.errors()[0]
        return f"{'.'.join(map(str, reason['loc']))}: {describe_reason(reason)}"
    return str(error).splitlines()[0]
