"""Whatever is done for one tenant, another one sees nothing of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.errors import StateError
from headwater.events import Finding
from headwater.ledger.base import ConnectionRow, RunOutcome
from headwater.ledger.sql.ledger import SqlLedger
from headwater.ledger.sql.schema import metadata
from tests.ledger.builders import DRIFT, extract_batch, make_batch, make_feed, make_page, make_refusal


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlLedger]:
    ledger = SqlLedger("sqlite:///ledger.db", root=tmp_path_factory.mktemp("tenants"))
    yield ledger
    ledger.close()


Write = Callable[[SqlLedger, str, int], object]


def _land(ledger: SqlLedger, tenant: str, hour: int) -> None:
    parcel = make_batch(hour, hour + 1, tenant=tenant)
    rows = ledger.begin_batch(parcel).rows
    refusals = [make_refusal(parcel)] if rows else []
    ledger.record_landing(parcel, kept=rows - len(refusals), refused=refusals, drift=[DRIFT])


WRITES: dict[str, Write] = {
    "begin": lambda ledger, tenant, hour: ledger.begin_batch(
        make_batch(hour, hour + 1, tenant=tenant), parents=["1"][: hour % 2]
    ),
    "record": lambda ledger, tenant, hour: ledger.record_page(make_batch(hour, hour + 1, tenant=tenant), make_page(1)),
    "forget": lambda ledger, tenant, hour: ledger.discard_pages(make_batch(hour, hour + 1, tenant=tenant), after=0),
    "advance": lambda ledger, tenant, hour: ledger.commit_window(make_batch(hour, hour + 1, tenant=tenant)),
    "extract": lambda ledger, tenant, hour: extract_batch(ledger, make_batch(hour, hour + 1, tenant=tenant)),
    "land": _land,
    "complete": lambda ledger, tenant, hour: ledger.complete_batches([make_batch(hour, hour + 1, tenant=tenant)]),
    "fail": lambda ledger, tenant, hour: ledger.fail_batch(make_batch(hour, hour + 1, tenant=tenant), f"no {hour}"),
    "reopen": lambda ledger, tenant, hour: ledger.reopen_batches(
        tenant, make_feed(tenant=tenant) if hour % 2 else None
    ),
    "settle": lambda ledger, tenant, hour: ledger.update_quarantine(
        tenant, [replace(row, state="discarded", tries=hour) for row in ledger.list_refused(tenant)]
    ),
    "mark": lambda ledger, tenant, hour: ledger.set_mark(tenant, "swept", str(hour)),
    "tenant": lambda ledger, tenant, hour: ledger.add_tenant(tenant),
    "connection": lambda ledger, tenant, hour: ledger.add_connection(
        ConnectionRow(tenant=tenant, name="psa", declaration={"hour": hour})
    ),
    "token": lambda ledger, tenant, hour: ledger.save_token(tenant, "psa", str(hour)),
    "claim token": lambda ledger, tenant, hour: ledger.claim_token(tenant, "psa", f"elsewhere:{hour}:x", seconds=60),
    "claim": lambda ledger, tenant, hour: ledger.claim(tenant, "run", f"elsewhere:{hour}:x", seconds=3600),
    "release": lambda ledger, tenant, hour: [ledger.release(lease) for lease in ledger.list_leases(tenant)],
    "start": lambda ledger, tenant, hour: ledger.start_run(tenant, f"r{hour}"),
    "end": lambda ledger, tenant, hour: ledger.end_run(
        tenant, f"r{hour}", outcome=RunOutcome.SUCCEEDED, counts={"hour": hour}
    ),
    "note": lambda ledger, tenant, hour: ledger.save_findings(
        tenant, "dim_a", [Finding(table="dim_a", finding="ancestor_cycle", count=hour)]
    ),
    "remove": lambda ledger, tenant, hour: ledger.remove_tenant(tenant),
}


def view(ledger: SqlLedger, tenant: str) -> object:
    return (
        tenant in ledger.list_tenants(),
        ledger.list_connections(tenant),
        ledger.list_batches(tenant),
        [ledger.list_pages(row.batch) for row in ledger.list_batches(tenant)],
        ledger.list_windows(make_feed(tenant=tenant)),
        ledger.list_windows_by_parent(make_feed(tenant=tenant)),
        ledger.count_attempts(make_feed(tenant=tenant)),
        ledger.list_refused(tenant, states=()),
        ledger.list_drift(tenant),
        ledger.get_mark(tenant, "swept"),
        ledger.list_leases(tenant),
        ledger.find_token(tenant, "psa"),
        ledger.list_runs(tenant),
        ledger.list_findings(tenant),
    )


FRESH = count()
STEPS = st.lists(st.tuples(st.sampled_from(sorted(WRITES)), st.booleans(), st.integers(0, 2)), max_size=25)


@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
def test_what_one_tenant_does_another_never_sees(shared: SqlLedger, steps: list[tuple[str, bool, int]]) -> None:
    pair = (f"t{next(FRESH)}", f"t{next(FRESH)}")
    for name, first, hour in steps:
        mine, other = pair if first else pair[::-1]
        before = view(shared, other)
        with suppress(StateError):
            WRITES[name](shared, mine, hour)
        assert view(shared, other) == before, name


def test_every_table_begins_with_the_tenant() -> None:
    for table in metadata.sorted_tables:
        assert "tenant" in table.columns, table.name


def test_a_removed_tenant_leaves_no_row(ledger: SqlLedger) -> None:
    for name in ("tenant", "connection", "extract", "land", "mark", "token", "claim", "start", "note"):
        WRITES[name](ledger, "acme", 1)
    ledger.remove_tenant("acme")
    with ledger._database.read() as tx:
        for table in metadata.sorted_tables:
            assert tx.execute(table.select()).all() == [], table.name
