"""Headwater turns business SaaS APIs into a history-tracked star schema.

From Python: `project = headwater.open(".")`, then `project.run()`, `project.query(sql)` and the other verbs of the command
line. The names are imported on first use, so that `import headwater` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headwater.api.project import HeadwaterProject, RunFailedError
    from headwater.api.project import open_project as open  # noqa: A004 - it is used as `headwater.open`
    from headwater.api.relation import Relation
    from headwater.errors import (
        DeclarationError,
        DeclarationErrors,
        HeadwaterError,
        ServiceError,
        StateError,
        WarehouseError,
    )
    from headwater.plan.explain import render_plan
    from headwater.plan.step import Plan
    from headwater.run.results import CheckReport, History, RunReport, Status

from headwater.version import __version__

_EXPORTS = {
    "CheckReport": "headwater.run.results",
    "DeclarationError": "headwater.errors",
    "DeclarationErrors": "headwater.errors",
    "HeadwaterError": "headwater.errors",
    "HeadwaterProject": "headwater.api.project",
    "History": "headwater.run.results",
    "Plan": "headwater.plan.step",
    "Relation": "headwater.api.relation",
    "RunFailedError": "headwater.api.project",
    "RunReport": "headwater.run.results",
    "ServiceError": "headwater.errors",
    "StateError": "headwater.errors",
    "Status": "headwater.run.results",
    "WarehouseError": "headwater.errors",
    "open": "headwater.api.project:open_project",
    "render_plan": "headwater.plan.explain",
}
"""The public names, and the module of each; after a colon its name there, if it differs."""

__all__ = [
    "CheckReport",
    "DeclarationError",
    "DeclarationErrors",
    "HeadwaterError",
    "HeadwaterProject",
    "History",
    "Plan",
    "Relation",
    "RunFailedError",
    "RunReport",
    "ServiceError",
    "StateError",
    "Status",
    "WarehouseError",
    "__version__",
    "open",
    "render_plan",
]


def __getattr__(name: str) -> Any:
    module, _, inner = _EXPORTS.get(name, "").partition(":")
    if not module:
        msg = f"module `headwater` has no attribute `{name}`"
        raise AttributeError(msg)
    value = getattr(importlib.import_module(module), inner or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
