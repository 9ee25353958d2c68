"""Tools for the tests of Headwater and of its extensions.

`check_connector` tests a connector in one call. It is imported on first use, because it stands on the pipeline, which this
package must not know. Has no influence on data. No package that works on data imports it. Tests: tests/house, and every
test that uses it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headwater.run.kit.check_connector import ConnectorTestReport, check_connector

__all__ = ["ConnectorTestReport", "check_connector"]

_MODULE = "headwater.run.kit.check_connector"


def __getattr__(name: str) -> Any:
    if name not in __all__:
        msg = f"module `headwater.testing` has no attribute `{name}`"
        raise AttributeError(msg)
    value = globals()[name] = getattr(importlib.import_module(_MODULE), name)
    return value
