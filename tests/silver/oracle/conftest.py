"""Which sets the ordinary suite tries: all of them take long on Spark, and those of whole batches on files, too."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    if os.environ.get("HEADWATER_LONG"):
        return
    for item in items:
        if HERE not in item.path.parents:
            continue
        batches = item.path.name == "test_conform.py" and "files" in item.name
        if "spark" in item.name or batches:
            item.add_marker(pytest.mark.skip(reason="takes long: HEADWATER_LONG=1 tries it"))
