"""What is taken from an interface description, and what is corrected in it: a small file beside a connector."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError

from headwater.declared import Declared
from headwater.dtypes import DType
from headwater.errors import DeclarationError


class SharedObject(Declared):
    """What one field holds in every schema that has it, whatever the description says of that field."""

    field: str
    """The field."""
    many: bool = False
    """Whether the field holds a list of such objects."""
    keys: dict[str, DType]
    """The keys of the object that are read, with their types."""
    unread: tuple[str, ...] = ()
    """Keys of the object, as patterns, that nobody wants; the general `unread` unless given."""


class Choice(Declared):
    """The schemas of a description that become contracts, and where the description is wrong or silent."""

    schemas: tuple[str, ...] = ()
    """The schemas that become contracts, in this order; all that have the key when none is named."""
    key: str = "id"
    """The key of every record: the one field that may not be missing."""
    omit: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Fields that are never read, by schema, e.g. passwords."""
    types: dict[str, dict[str, DType]] = Field(default_factory=dict)
    """Fields whose type the description gets wrong, by schema."""
    decimals: bool = False
    """Whether fractions are amounts (money, hours, quantities), to be kept to the last digit, and no measurements."""
    refer: dict[str, dict[str, tuple[str, ...]]] = Field(default_factory=dict)
    """References that the description lacks or that stand too deep: by schema and field, each with the keys it carries."""
    objects: dict[str, SharedObject] = Field(default_factory=dict)
    """Fields that hold the same object in every schema, e.g. who changed a record and when; by the name of its contract."""
    unread: tuple[str, ...] = ()
    """Keys of nested objects that nobody wants."""

    def object_of(self, field: str) -> tuple[str, SharedObject] | None:
        """The shared object that a field holds, with its name, if it holds one."""
        return next(((name, one) for name, one in self.objects.items() if one.field == field), None)


def load_choice(path: Path | None) -> Choice:
    """The choice in a YAML file; everything, without one."""
    if path is None:
        return Choice()
    try:
        return Choice.model_validate(yaml.safe_load(path.read_text("utf-8")) or {})
    except FileNotFoundError:
        raise DeclarationError(
            "The file does not exist.", where=str(path), hint="pass the path of a choice file"
        ) from None
    except (yaml.YAMLError, ValidationError) as error:
        raise DeclarationError(
            "The choice file is invalid.", where=str(path), details=_describe_first(error)
        ) from error


def _describe_first(error: yaml.YAMLError | ValidationError) -> str:
    if isinstance(error, ValidationError):
        reason: Any = error.errors()[0]
        return f"{'.'.join(map(str, reason['loc']))}: {reason['msg']}"
    return str(error).splitlines()[0]
