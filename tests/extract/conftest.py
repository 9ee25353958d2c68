"""A service, a lake and a ledger, all real."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from headwater.lake.layout import TenantLake, open_lake
from headwater.ledger.sql.ledger import SqlLedger
from tests.extract.service import Service, serve


@pytest.fixture
def service() -> Iterator[Service]:
    with serve(Service()) as service:
        yield service


@pytest.fixture
def lake(tmp_path: Path) -> TenantLake:
    return open_lake(str(tmp_path / "lake"), "acme")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqlLedger]:
    ledger = SqlLedger("sqlite:///ledger.db", root=tmp_path)
    yield ledger
    ledger.close()
