"""Which sets are long: all of them on Spark, and those of whole batches on files, too."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark them."""
    for item in items:
        if HERE not in item.path.parents:
            continue
        engine = item.callspec.params.get("engine") if hasattr(item, "callspec") else None
        batches = item.path.name == "test_conform.py" and engine == "files"
        if engine == "spark" or batches:
            item.add_marker("long")
