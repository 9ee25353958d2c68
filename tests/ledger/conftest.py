from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from headwater.ledger.sql.ledger import SqlLedger
from tests.ledger.builders import Hands


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def ledger(tmp_path: Path, hands: Hands) -> Iterator[SqlLedger]:
    ledger = SqlLedger("sqlite:///ledger.db", root=tmp_path, clock=hands)
    yield ledger
    ledger.close()
