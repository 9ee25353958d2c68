"""A service, a lake and a ledger, all real."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from headwater.lake.layout import TenantLake, open_lake
from headwater.ledger.sql.ledger import SqlLedger
from tests.extract.service import Service, serving


@pytest.fixture
def service() -> Iterator[Service]:
    with serving(Service()) as running:
        yield running


@pytest.fixture
def lake(tmp_path: Path) -> TenantLake:
    return open_lake(str(tmp_path / "lake"), "acme")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqlLedger]:
    opened = SqlLedger("sqlite:///ledger.db", root=tmp_path)
    yield opened
    opened.close()
