"""What a connection still needs: the settings and secrets that its connector declares and nobody gave."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from headwater.model.connector import Connector
from headwater.run.workspace import TenantWorkspace


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingValue:
    """A setting or a secret without a value."""

    name: str
    kind: Literal["setting", "secret"]
    description: str
    reference: str = ""
    """For a secret: the reference that a new project would have."""
    is_in_environment: bool = False
    """Whether that reference has a value now, and the project has no other tenant that it could belong to."""


def list_missing_values(workspace: TenantWorkspace, connector: str, names: Collection[str]) -> tuple[MissingValue, ...]:
    """The settings without a default and the secrets of a connector that are not in `names`."""
    is_alone = len(workspace.parent.list_tenants()) == 1
    declared = workspace.find_connector(connector, where="--connector").connector
    settings = (
        MissingValue(name=name, kind="setting", description=setting.description)
        for name, setting in declared.settings.items()
        if name not in names and setting.default is None
    )
    secrets = (
        _describe_secret(declared, name, description, is_alone=is_alone)
        for name, description in declared.secrets.items()
        if name not in names
    )
    return (*settings, *secrets)


def name_variable(connector: Connector, secret: str) -> str:
    """The environment variable of a secret: connector and name, in upper case."""
    return f"{connector.connector}_{secret}".upper()


def _describe_secret(connector: Connector, name: str, description: str, *, is_alone: bool) -> MissingValue:
    variable = name_variable(connector, name)
    return MissingValue(
        name=name,
        kind="secret",
        description=description,
        reference=f"env:{variable}",
        is_in_environment=is_alone and bool(os.environ.get(variable)),
    )
