from __future__ import annotations

import inspect

from headwater.ledger.base import Ledger, MovableLedger
from headwater.ledger.sql.ledger import SqlLedger


def _list_methods(kind: type) -> dict[str, str]:
    return {
        name: str(inspect.signature(member))
        for name, member in vars(kind).items()
        if inspect.isfunction(member) and not name.startswith("_")
    }


def test_the_sql_ledger_has_exactly_the_verbs_of_the_protocol() -> None:
    assert _list_methods(SqlLedger) == _list_methods(Ledger) | _list_methods(MovableLedger)
