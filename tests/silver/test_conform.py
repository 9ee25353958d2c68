"""From landed batches to history, on Parquet files."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from headwater.batch import Feed, Window, create_batch
from headwater.clock import EPOCH, to_micros
from headwater.model.entity import Entity
from headwater.silver.conform import conform
from headwater.silver.mapping import LandedBatch, SourceMapping

CONTACT = Entity.model_validate(
    {
        "entity": "contact",
        "key": "contact_id",
        "columns": {"contact_id": "bigint", "name": "text", "born": "date", "seen_at": "timestamp"},
        "sources": {"shop.contacts": {"map": {}}, "shop.archive": {"map": {}}},
    }
)
STAMPED = SourceMapping(
    source="shop.contacts",
    columns={"contact_id": "id", "name": "name", "born": "born", "seen_at": "seen"},
    changed_at="changed",
    deleted="gone",
)
PLAIN = SourceMapping(
    source="shop.contacts", columns={"contact_id": "id", "name": "name", "born": "born", "seen_at": "seen"}
)
FIELDS = ("id", "name", "born", "seen", "changed", "gone")


def make_day(number: int) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number - 1)


@pytest.fixture
def warehouse(engine):
    return engine.open()


class Lake:
    """Writes records to Parquet files, and gives the arrivals of the batches that hold them."""

    def __init__(self, folder):
        self.folder = folder
        self.landed = {}

    def __call__(
        self,
        until,
        *records,
        purpose="changes",
        resource="contacts",
        connection="psa",
        refused=(),
        read_at=None,
        proved=None,
    ):
        feed = Feed(tenant="acme", connection=connection, resource=resource)
        batch = create_batch(feed, Window(since=EPOCH, until=until), purpose=purpose)
        names = ("id",) if purpose == "sweep" else FIELDS
        path = self._write(f"{connection}-{resource}-{batch.id}.parquet", names, records)
        beside = (
            self._write(f"{connection}-{resource}-{batch.id}.refused.parquet", names, refused, line=500)
            if refused
            else None
        )
        arrival = LandedBatch(
            source=f"shop.{resource}",
            batch=batch,
            files=(path,),
            refused=len(refused),
            refused_file=beside,
            observed_at=read_at,
            is_proved=proved,
        )
        self.landed[batch.id, connection, resource] = arrival
        return arrival

    def readmit(self, landed, *records):
        """The batch with a file of records that were readmitted."""
        more = self._write(f"{landed.batch.id}.retry-1.parquet", FIELDS, records, line=900)
        feed = landed.batch.feed
        landed = replace(landed, files=(*landed.files, more), refused=0, refused_file=None)
        self.landed[landed.batch.id, feed.connection, feed.resource] = landed
        return landed

    def _write(self, name, names, records, *, line=0):
        path = self.folder / name
        columns = ", ".join(f"{name} {'BOOLEAN' if name == 'gone' else 'VARCHAR'}" for name in names)
        with duckdb.connect() as duck:
            duck.execute(f"CREATE TABLE r ({columns})")
            for record in records:
                marks = ", ".join("?" for _ in names)
                duck.execute(f"INSERT INTO r VALUES ({marks})", [record.get(name) for name in names])
            duck.execute(f"COPY (SELECT *, {line} + row_number() OVER () AS _line FROM r) TO '{path}'")
        return str(path)


@pytest.fixture
def land(tmp_path):
    return Lake(tmp_path)


@pytest.fixture
def take(warehouse, land):
    """Takes batches into the history, with all that landed at hand."""

    def take_batches(where, *batches, reading=STAMPED, **options):
        assert where is warehouse
        readings = {reading.source: reading} if isinstance(reading, SourceMapping) else reading
        everything = lambda: list(land.landed.values())  # noqa: E731
        return conform(where, CONTACT, readings, batches, load_landed=everything, **options)

    return take_batches


def read_history(warehouse):
    return warehouse.rows(
        "SELECT entity_key, name, strftime(valid_from, '%d %H'), CASE WHEN is_current THEN '' "
        "ELSE strftime(valid_to, '%d %H') END FROM silver.contact ORDER BY 1, version_number"
    )


def count_log(warehouse):
    return warehouse.rows("SELECT count(*) FROM silver.contact_log")[0][0]


def test_records_become_versions_keyed_by_connection(warehouse, land, take):
    one = land(make_day(3), {"id": "1", "name": "Ann", "changed": "2026-01-02T08:00:00Z"})
    two = land(make_day(4), {"id": "1", "name": "Anna", "changed": "2026-01-03T09:00:00+02:00"})
    result = take(warehouse, one, two)
    assert read_history(warehouse) == [("psa:1", "Ann", "02 08", "03 07"), ("psa:1", "Anna", "03 07", "")]
    assert (result.events, result.inserted, result.deleted) == (2, 2, 0)
    assert warehouse.rows("SELECT connection, resource, source, read_at FROM meta.batch ORDER BY read_at")[1] == (
        "psa", "contacts", "shop.contacts", datetime(2026, 1, 4),  # noqa: DTZ001
    )  # fmt: skip


def test_a_replay_writes_nothing(warehouse, land, take):
    one = land(make_day(3), {"id": "1", "name": "Ann", "changed": "2026-01-02"})
    take(warehouse, one)
    again = take(warehouse, one)
    assert (again.events, again.inserted, again.deleted) == (0, 0, 0)
    assert warehouse.rows("SELECT count(*) FROM meta.change_feed") == [(1,)]


def test_a_flag_deletes_and_a_later_update_reopens(warehouse, land, take):
    take(warehouse, land(make_day(3), {"id": "1", "name": "Ann", "changed": "2026-01-01"}))
    take(warehouse, land(make_day(4), {"id": "1", "name": "Ann", "changed": "2026-01-03", "gone": True}))
    take(warehouse, land(make_day(6), {"id": "1", "name": "Ann", "changed": "2026-01-05"}))
    assert read_history(warehouse) == [("psa:1", "Ann", "01 00", "03 00"), ("psa:1", "Ann", "05 00", "")]


def test_what_has_no_key_or_does_not_fit_or_has_no_stamp_is_told(warehouse, land, take):
    records = (
        {"id": None, "name": "nobody", "changed": "2026-01-02"},
        {"id": "1", "name": "Ann", "born": "the third of May", "changed": "2026-01-02"},
        {"id": "2", "name": "Bob", "born": "1980-05-03", "changed": "soon"},
    )
    result = take(warehouse, land(make_day(3), *records))
    counts = {finding.finding: finding.count for finding in result.findings}
    assert counts == {"missing_key": 1, "type_mismatch": 1, "missing_stamp": 1}
    assert "contact.born is date" in next(f.detail for f in result.findings if f.finding == "type_mismatch")
    assert read_history(warehouse) == [("psa:1", "Ann", "02 00", ""), ("psa:2", "Bob", "03 00", "")]


def test_an_instant_with_an_offset_keeps_its_offset(warehouse, land, take):
    take(warehouse, land(make_day(3), {"id": "1", "seen": "2026-01-01T02:00:00+02:00", "changed": "2026-01-02"}))
    assert warehouse.rows("SELECT epoch_us(seen_at) FROM silver.contact") == [(to_micros(make_day(1)),)]


def test_reading_a_snapshot_again_adds_nothing(warehouse, land, take):
    people = ({"id": "1", "name": "Ann"}, {"id": "2", "name": "Bob"})
    take(warehouse, land(make_day(3), *people, purpose="snapshot"), reading=PLAIN)
    again = take(warehouse, land(make_day(4), *people, purpose="snapshot"), reading=PLAIN)
    assert (again.events, again.inserted, count_log(warehouse)) == (0, 0, 2)
    take(warehouse, land(make_day(5), people[0], {"id": "2", "name": "Bobby"}, purpose="snapshot"), reading=PLAIN)
    assert read_history(warehouse)[1:] == [("psa:2", "Bob", "03 00", "05 00"), ("psa:2", "Bobby", "05 00", "")]


def test_an_older_snapshot_than_the_one_that_is_in_enters_history_where_it_belongs(warehouse, land, take):
    take(warehouse, land(make_day(5), {"id": "1", "name": "Ann"}, purpose="snapshot"), reading=PLAIN)
    take(
        warehouse,
        land(make_day(4), {"id": "1", "name": "Old"}, {"id": "2", "name": "x"}, purpose="snapshot"),
        reading=PLAIN,
    )
    assert read_history(warehouse) == [
        ("psa:1", "Old", "04 00", "05 00"),
        ("psa:1", "Ann", "05 00", ""),
        ("psa:2", "x", "04 00", "05 00"),
    ]


def test_what_a_complete_snapshot_lacks_is_gone_and_may_come_back(warehouse, land, take):
    everyone = [{"id": str(number), "name": "x"} for number in range(1, 7)]
    take(warehouse, land(make_day(3), *everyone, purpose="snapshot"), reading=PLAIN)
    take(warehouse, land(make_day(4), *everyone[1:], purpose="snapshot"), reading=PLAIN)
    take(warehouse, land(make_day(5), *everyone, purpose="snapshot"), reading=PLAIN)
    assert read_history(warehouse)[:2] == [("psa:1", "x", "03 00", "04 00"), ("psa:1", "x", "05 00", "")]


def make_records(count, changed="2026-01-01"):
    return [{"id": str(number), "name": "x", "changed": changed} for number in range(1, count + 1)]


def test_a_sweep_deletes_what_it_does_not_show(warehouse, land, take):
    take(warehouse, land(make_day(3), *make_records(10)))
    sweep = land(make_day(4), *make_records(9), purpose="sweep")
    result = take(warehouse, sweep)
    assert (result.events, result.inserted, result.deleted) == (1, 1, 1)
    assert read_history(warehouse)[1] == ("psa:10", "x", "01 00", "04 00")
    assert take(warehouse, sweep).inserted == 0


def count_current(warehouse):
    return len(warehouse.rows("SELECT 1 FROM silver.contact_current"))


def test_a_sweep_that_would_delete_too_much_lets_its_deletes_wait_and_may_be_allowed(warehouse, land, take):
    take(warehouse, land(make_day(3), *make_records(10)))
    sweep = land(make_day(4), *make_records(5), purpose="sweep")
    result = take(warehouse, sweep)
    assert [(one.finding, one.count) for one in result.findings] == [("deletes_waiting", 5)]
    assert "psa:10, psa:6, psa:7, psa:8, psa:9;" in result.findings[0].detail
    assert (result.waiting, count_current(warehouse)) == ((sweep.batch.id,), 10)
    assert take(warehouse, sweep).waiting == (sweep.batch.id,), "it goes on asking"
    result = take(warehouse, sweep, allow_drop=True)
    assert (result.waiting, result.findings, count_current(warehouse)) == ((), (), 5)
    assert take(warehouse, sweep).inserted == 0


def test_a_guard_that_trips_lets_the_news_of_its_own_snapshot_in(warehouse, land, take):
    take(warehouse, land(make_day(3), *make_records(30), purpose="snapshot"), reading=PLAIN)
    news = [{"id": "1", "name": "y"}, *make_records(20)[1:], {"id": "99", "name": "new"}]
    result = take(warehouse, land(make_day(4), *news, purpose="snapshot"), reading=PLAIN)
    assert [(one.finding, one.count) for one in result.findings] == [("deletes_waiting", 10)]
    assert {("psa:1", "y", "04 00", ""), ("psa:99", "new", "04 00", "")} <= set(read_history(warehouse))
    assert count_current(warehouse) == 31


@pytest.mark.parametrize(("known", "left", "declared", "waits"), [
    (4, 3, None, False), (9, 1, None, False), (10, 7, None, True), (10, 8, None, False), (4, 2, 0.25, True),
    (4, 3, 0.25, False), (1, 0, 0.0, True),
])  # fmt: skip
def test_the_guard_counts_from_ten_things_on_unless_declared(warehouse, land, take, known, left, declared, waits):
    reading = replace(STAMPED, max_drop=declared)
    take(warehouse, land(make_day(3), *make_records(known)))
    result = take(warehouse, land(make_day(4), *make_records(left), purpose="sweep"), reading=reading)
    assert (bool(result.waiting), count_current(warehouse)) == (waits, known if waits else left)


def test_a_newer_complete_read_takes_the_place_of_one_whose_deletes_wait(warehouse, land, take):
    take(warehouse, land(make_day(3), *make_records(10)))
    older = land(make_day(4), *make_records(5), purpose="sweep")
    take(warehouse, older)
    newer = land(make_day(5), *make_records(9), purpose="sweep")
    result = take(warehouse, older, newer, allow_drop=True)
    assert result.waiting == ()
    assert count_current(warehouse) == 9
    assert read_history(warehouse)[1] == ("psa:10", "x", "01 00", "05 00")


def test_a_guard_that_trips_does_not_hold_up_other_batches(warehouse, land, take):
    take(warehouse, land(make_day(3), *make_records(10)))
    later = land(make_day(5), {"id": "99", "name": "new", "changed": "2026-01-04"})
    assert take(warehouse, land(make_day(4), purpose="sweep"), later).waiting
    assert ("psa:99", "new", "04 00", "") in read_history(warehouse)


def test_a_sweep_spares_what_bronze_refused_and_what_changed_since_it_began(warehouse, land, take):
    take(warehouse, land(make_day(3), *make_records(10)))
    take(warehouse, land(make_day(6), {"id": "11", "name": "y", "changed": "2026-01-05"}))
    result = take(warehouse, land(make_day(4), *make_records(9), purpose="sweep", refused=({"id": "10"},)))
    assert result.events == 0


def test_a_sweep_looks_only_at_its_own_connection_and_feed(warehouse, land, take):
    take(warehouse, land(make_day(3), *make_records(5)), land(make_day(3), *make_records(5), connection="other"))
    archive = SourceMapping(source="shop.archive", columns=STAMPED.columns, changed_at="changed")
    readings = {"shop.contacts": STAMPED, "shop.archive": archive}
    old = {"id": "77", "name": "old", "changed": "2026-01-01"}
    take(warehouse, land(make_day(3), old, resource="archive"), reading=readings)
    take(warehouse, land(make_day(4), *make_records(4), purpose="sweep"), reading=readings)
    assert count_current(warehouse) == 10


def test_an_unreadable_key_among_the_refused_forbids_conclusions(warehouse, land, take):
    take(warehouse, land(make_day(3), *make_records(10)))
    result = take(warehouse, land(make_day(4), *make_records(9), purpose="sweep", refused=({"name": "x"},)))
    assert [finding.finding for finding in result.findings] == ["sweep_skipped"]


def test_parts_of_a_composite_key_cannot_run_into_each_other(warehouse, land, take):
    pair = Entity.model_validate(
        {
            "entity": "pair",
            "key": ["a", "b"],
            "columns": {"a": "text", "b": "text"},
            "sources": {"s.pairs": {"map": {}}},
        }
    )
    reading = SourceMapping(source="s.pairs", columns={"a": "id", "b": "name"}, changed_at="changed")
    records = [
        {"id": "x|y", "name": "z", "changed": "2026-01-01"},
        {"id": "x", "name": "y|z", "changed": "2026-01-01"},
        {"id": "x\\", "name": "|z", "changed": "2026-01-01"},
    ]
    conform(
        warehouse,
        pair,
        {"s.pairs": reading},
        [replace(land(make_day(2), *records, resource="pairs"), source="s.pairs")],
    )
    keys = {row[0] for row in warehouse.rows("SELECT entity_key FROM silver.pair")}
    assert keys == {"psa:x\\|y|z", "psa:x|y\\|z", "psa:x\\\\|\\|z"}
