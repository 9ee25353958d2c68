"""A ledger is moved to another database, with all that it knows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from headwater.errors import LeaseHeld, StateError
from headwater.ledger.sql.ledger import SqlLedger
from tests.ledger.builders import Hands, extract_batch, land_batch, make_batch, make_feed


@pytest.fixture(params=["to postgres", "from postgres"])
def urls(request: pytest.FixtureRequest, postgres_url: str) -> tuple[str, str]:
    pair = ("sqlite:///other.db", postgres_url)
    return pair if request.param == "to postgres" else (pair[1], pair[0])


@pytest.fixture
def pair(urls: tuple[str, str], tmp_path: Path) -> Iterator[tuple[SqlLedger, SqlLedger]]:
    clock = Hands()
    with (
        closing(SqlLedger(urls[0], root=tmp_path, clock=clock)) as old,
        closing(SqlLedger(urls[1], root=tmp_path, clock=clock)) as new,
    ):
        land_batch(old, make_batch(0, 1))
        extract_batch(old, make_batch(1, 2))
        old.set_mark("", "places:acme", "an\x00id")
        old.start_run("acme", "r1")
        yield old, new


def test_the_new_ledger_knows_the_same_and_goes_on(pair: tuple[SqlLedger, SqlLedger]) -> None:
    old, new = pair
    known = (old.list_batches("acme"), old.list_windows(make_feed()), old.list_refused("acme"), old.list_drift("acme"))
    counts = old.count_rows()
    assert old.move_to(new) == counts == new.count_rows()
    assert (
        new.list_batches("acme"),
        new.list_windows(make_feed()),
        new.list_refused("acme"),
        new.list_drift("acme"),
    ) == known
    assert new.get_mark("", "places:acme") == "an\x00id"
    extract_batch(new, make_batch(2, 3))
    new.start_run("acme", "r2")
    assert [row.batch for row in new.list_batches("acme")] == [make_batch(0, 1), make_batch(1, 2), make_batch(2, 3)]
    assert [run.id for run in new.list_runs("acme")] == ["r2", "r1"]


def test_no_run_uses_the_old_ledger_any_more(pair: tuple[SqlLedger, SqlLedger]) -> None:
    old, new = pair
    old.move_to(new)
    with pytest.raises(StateError, match="was moved") as caught:
        old.claim("acme", "run", "far-away:4711:b-s-1-x", seconds=60)
    assert caught.value.details == f"moved to {new.where}"
    assert new.claim("acme", "run", "far-away:4711:b-s-1-x", seconds=60)


def test_a_target_that_is_not_empty_is_left_alone(pair: tuple[SqlLedger, SqlLedger]) -> None:
    old, new = pair
    new.add_tenant("globex")
    with pytest.raises(StateError, match="not empty") as caught:
        old.move_to(new)
    assert caught.value.details == "tenant: 1"
    assert new.count_rows()["batch"] == 0
    assert old.claim("acme", "run", "far-away:4711:b-s-1-x", seconds=60)


def test_a_run_in_progress_stops_a_move(pair: tuple[SqlLedger, SqlLedger]) -> None:
    old, new = pair
    old.claim("acme", "run", "far-away:4711:b-s-1-x", seconds=60)
    with pytest.raises(LeaseHeld, match="nothing was changed"):
        old.move_to(new)
    assert sum(new.count_rows().values()) == 0


def test_a_ledger_is_not_moved_onto_itself(pair: tuple[SqlLedger, SqlLedger]) -> None:
    with pytest.raises(StateError, match="there already"):
        pair[0].move_to(pair[0])


def test_a_ledger_moves_to_another_schema_of_its_database(
    postgres_url: str, other_postgres_url: str, tmp_path: Path
) -> None:
    """Both are one database for the driver, which took them for one ledger."""
    with (
        closing(SqlLedger(postgres_url, root=tmp_path, clock=Hands())) as old,
        closing(SqlLedger(other_postgres_url, root=tmp_path, clock=Hands())) as new,
    ):
        land_batch(old, make_batch(0, 1))
        counts = old.count_rows()
        assert old.where != new.where
        assert old.move_to(new) == counts == new.count_rows()
        with pytest.raises(StateError, match="was moved") as caught:
            old.claim("acme", "run", "far-away:4711:b-s-1-x", seconds=60)
        assert caught.value.details == f"moved to {new.where}"


def test_a_login_moves_and_is_renewed_in_the_new_ledger_alone(pair: tuple[SqlLedger, SqlLedger]) -> None:
    old, new = pair
    old.save_token("acme", "psa", "encrypted")
    old.claim_token("acme", "psa", "far-away:4711:b-s-1-x", seconds=60)
    with pytest.raises(LeaseHeld, match="renews the login of `acme/psa`"):
        old.move_to(new)
    old.release_token("acme", "psa", "far-away:4711:b-s-1-x")
    old.move_to(new)
    for write in (
        lambda: old.claim_token("acme", "psa", "far-away:4711:b-s-1-x", seconds=60),
        lambda: old.save_token("acme", "psa", "newer"),
    ):
        with pytest.raises(StateError, match="was moved"):
            write()
    assert new.claim_token("acme", "psa", "far-away:4711:b-s-1-x", seconds=60).value == "encrypted"
