"""Redshift, without a cluster: each statement that the core sends is kept, of its dialect, and right on Postgres."""

from __future__ import annotations

import re
import threading
from contextlib import closing
from datetime import datetime
from pathlib import Path

import psycopg
import pyarrow as pa
import pytest
import sqlglot

from headwater.dtypes import SIMPLE
from headwater.errors import WarehouseError
from headwater.gold import change_feed
from headwater.silver.schema import migrate as silver
from headwater.silver.schema.upgrade import upgrade_tables
from headwater.testing.conformance.history import entity
from headwater.testing.conformance.star import load
from headwater.testing.conformance.star.model import STAR
from headwater.testing.golden import compare_golden
from headwater.warehouse.as_of import select_rows_at
from headwater.warehouse.base import Table, TableColumn
from headwater.warehouse.dialect.render import render
from headwater.warehouse.duckdb.engine import DuckDB
from headwater.warehouse.redshift.connection import to_warehouse_error
from headwater.warehouse.redshift.functions import DIALECT
from headwater.warehouse.redshift.settings import RedshiftWarehouse
from tests.grid.engines import postgres_server
from tests.silver.schema.older import fill, make_older, read_tables
from tests.warehouse.redshift.builders import FUNCTIONS, WORDS, Cluster, serve_bucket
from tests.warehouse.redshift.denied import list_violations

GOLDEN = Path(__file__).parents[2] / "golden" / "redshift"


@pytest.fixture(scope="module")
def cluster():
    with pytest.MonkeyPatch.context() as patch, postgres_server() as url, serve_bucket(patch) as store:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(WORDS + FUNCTIONS)
        yield Cluster(url, store)


@pytest.fixture
def warehouse(cluster):
    warehouse = cluster.open("acme")
    yield warehouse
    warehouse.erase()


def run_history(warehouse, purpose):
    """Everything that may happen to the history of a thing."""
    purpose("silver ready")
    silver.migrate_tables(warehouse, entity.THING)
    make = entity.make_event
    purpose("silver merge, in order")
    entity.merge_events(
        warehouse, [make("A", 10, name="red", size=1, note="n"), make("B", 10, name="ash", size=2, note=None)]
    )
    entity.merge_events(
        warehouse, [make("A", 30, name="blue", size=1, note="m"), make("C", 30, name="", size=None, note="")]
    )
    purpose("silver merge, of sources that know a part")
    entity.merge_events(warehouse, [make("A", 40, name="green"), make("B", 40, size=3)])
    purpose("silver merge, late and several")
    entity.merge_events(
        warehouse, [make("A", 20, name="late", size=1, note="l"), make("B", 50, "D"), make("B", 60, name="back")]
    )
    purpose("silver merge, again")
    entity.merge_events(
        warehouse, [make("A", 20, batch="a", name="late", size=1, note="l"), make("C", 30, name="", size=None, note="")]
    )
    purpose("silver merge, absent and tied")
    entity.merge_events(warehouse, [make("C", 70, "A"), make("C", 70, name="tie", size=1, note="t")])
    purpose("silver ready, with another column and a wider one")
    silver.migrate_tables(warehouse, entity.WIDER)
    wider = entity.THING.model_dump() | {
        "columns": {name: one.model_dump() for name, one in entity.WIDER.columns.items()} | {"size": {"type": "double"}}
    }
    silver.migrate_tables(warehouse, type(entity.THING).model_validate(wider))
    return warehouse.rows('SELECT * FROM silver."thing" ORDER BY entity_key, version_number')


def run_star(warehouse, purpose):
    """A whole star, and late news of it."""
    make = load.make_event
    purpose("gold, silver of it")
    load.create_tables(warehouse)
    load.merge_events(warehouse, "company", make("company", 1, "2024-01-01", name="A", segment="small", number="7", parent_id=2),
             make("company", 2, "2024-01-01", name="B", segment="large", number="1", parent_id=3),
             make("company", 3, "2024-01-01", name="C", segment="large", number=None, parent_id=2))  # fmt: skip
    load.merge_events(warehouse, "address", make("address", 1, "2024-02-01", company_id=1, city="Akureyri", phone="1"))
    load.merge_events(warehouse, "member", make("member", 1, "2024-01-01", name="Jon", cost=10),
             make("member", 1, "2024-03-01", name="Jon", cost=20))  # fmt: skip
    when = datetime(2024, 2, 15, 10)  # noqa: DTZ001  # as DuckDB holds it
    entry = {"member_id": 1, "company_id": 1, "hours": 2, "rate": 100, "option": "Billable", "started_at": when}
    load.merge_events(warehouse, "entry", make("entry", 1, "2024-02-20", **entry),
             make("entry", 2, "2024-02-20", **entry | {"member_id": 9, "option": "NoCharge", "approver_id": None}))  # fmt: skip
    load.merge_events(warehouse, "product", make("product", 5, "2024-02-20", company_id=1, amount=3))
    load.merge_events(warehouse, "agreement", make("agreement", 1, "2024-01-01", company_id=1, amount=3))
    purpose("gold, first build")
    load.build_star(warehouse, STAR)
    purpose("gold, late news")
    load.merge_events(warehouse, "member", make("member", 9, "2024-01-15", batch="b3", name="Gunna", cost=5),
             make("member", 1, "2024-02-01", batch="b3", name="Jon", cost=15))  # fmt: skip
    load.merge_events(
        warehouse, "address", make("address", 1, "2024-04-01", batch="b3", company_id=2, city="Vik", phone="2")
    )
    load.merge_events(warehouse, "entry", make("entry", 2, "2024-04-01", "D", batch="b3"))
    load.build_star(warehouse, STAR)
    purpose("gold, again")
    load.build_star(warehouse, STAR)
    purpose("gold, rebuild")
    load.build_star(warehouse, STAR, rebuild=True)
    star = load.read_star(warehouse)
    purpose("gold, trim and drop")
    change_feed.prune_changes(warehouse)
    warehouse.drop_columns("gold", "fact_entry", ["work_date_key", "cost"])
    change_feed.drop_table(warehouse, "dim_company")
    silver.drop_entity(warehouse, STAR.declarations.entities["address"])
    return star


def ignore_purpose(_purpose):
    """Nobody listens."""


@pytest.fixture(scope="module")
def flow(cluster):
    """What was said, by purpose, and what came out, here and on DuckDB."""
    with closing(DuckDB("acme", ":memory:", threads=1)) as duckdb:
        wanted = run_history(duckdb, ignore_purpose), run_star(duckdb, ignore_purpose)
    warehouse = cluster.open("acme")
    recorder = cluster.connections[-1]

    def set_purpose(name):
        recorder.purpose = name

    rows = run_history(warehouse, set_purpose), run_star(warehouse, set_purpose)
    set_purpose("asking")
    warehouse.answer_arrow("SELECT entity_key, valid_from FROM silver.thing WHERE is_current ORDER BY 1")
    warehouse.answer_arrow(
        select_rows_at(
            warehouse,
            "silver",
            "thing",
            columns=["entity_key", "name"],
            instant=load.to_read_time("b3"),
            where="size > 1",
        )
    )
    warehouse.describe("silver", "thing_current")
    set_purpose("erasing")
    warehouse.erase()
    return recorder.statements, rows, wanted


_PASSING = (
    (r"/[0-9a-f]{32}/", "/<unguessable>/"),
    (r"(change_id (?:>|<=|>=) )\d+", r"\g<1>0"),
    (r"(sequence >= )\d+", r"\g<1>0"),
    (r"SELECT (DISTINCT )?\d+, (?=CAST\('\w+' AS VARCHAR)", r"SELECT \g<1>0, "),
)
"""Numbers that differ from one statement to the next, which is otherwise the same."""


def group_by_purpose(statements):
    """Statements by the first purpose they served, each once, sorted; what is random or passing has a name."""
    first: dict[str, str] = {}
    for purpose, text in statements:
        plain = text.strip()
        for pattern, instead in _PASSING:
            plain = re.sub(pattern, instead, plain)
        first.setdefault(plain, purpose)
    by_purpose: dict[str, list[str]] = {}
    for text, purpose in first.items():
        by_purpose.setdefault(purpose, []).append(text)
    return {purpose: sorted(texts) for purpose, texts in by_purpose.items()}


def break_clauses(text):
    """A statement on lines that a person can read beside each other: the clauses of its SELECTs begin new ones."""
    return re.sub(r" (FROM|LEFT JOIN|FULL OUTER JOIN|JOIN|WHERE|UNION ALL|UNION|EXCEPT|GROUP BY) ", r"\n\1 ", text)


@pytest.mark.golden
@pytest.mark.slow
def test_every_statement_is_kept(flow):
    said_by_purpose, _, _ = flow
    texts = group_by_purpose(said_by_purpose)
    for purpose, statements in texts.items():
        name = re.sub(r"\W+", "_", purpose)
        compare_golden(GOLDEN / f"{name}.sql", ";\n\n".join(map(break_clauses, statements)) + ";\n")
    assert {path.stem for path in GOLDEN.glob("*.sql")} == {re.sub(r"\W+", "_", purpose) for purpose in texts}


@pytest.mark.slow
def test_every_statement_is_of_redshifts_dialect_and_uses_nothing_that_it_lacks(flow):
    statements, _, _ = flow
    wrong = {}
    for text in {text for _, text in statements}:
        tree = sqlglot.parse_one(text, read="redshift")
        if violations := list_violations(text, tree):
            wrong[text] = violations
    assert not wrong, "\n\n".join(f"{violations}\n{text}" for text, violations in list(wrong.items())[:5])


@pytest.mark.slow
def test_history_and_star_are_those_that_duckdb_gives(flow):
    _, actual, wanted = flow
    assert actual[0] == wanted[0]
    assert sorted(actual[1]) == sorted(wanted[1])
    for name, rows in wanted[1].items():
        assert actual[1][name] == rows, name


@pytest.mark.slow
def test_nothing_is_left_in_the_bucket(flow, cluster):
    assert cluster.list_files() == []
    copies = [text for _, text in flow[0] if text.startswith("COPY")]
    assert copies
    assert all("/rows/acme/" in text for text in copies)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("SELECT a IS DISTINCT FROM b FROM t", "NULL-safe"),
        ("SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a < t.a)", "correlation"),
        ("SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a OR u.b = t.b)", "correlation"),
        ("SELECT a FROM t WHERE b OR a IN (SELECT a FROM u)", "IN or EXISTS"),
        ("SELECT a IN (SELECT a FROM u) FROM t", "IN or EXISTS"),
        ("SELECT SUM(a) OVER (PARTITION BY b ORDER BY c) FROM t", "no frame"),
        ("SELECT * FROM (VALUES (1)) AS v(a)", "VALUES"),
        ("SELECT t.a FROM t FULL JOIN u ON t.a < u.a", "FULL JOIN"),
        ("SELECT CAST(a AS VARCHAR) FROM t", "256"),
        ("SELECT a AS tag FROM t", "reserved"),
    ],
)
def test_what_redshift_lacks_is_noticed(text, says):
    assert says in " ".join(list_violations(text, sqlglot.parse_one(text, read="redshift")))


def make_table(**columns):
    return pa.table(columns)


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"note": ["ok", "é" * 32_768]}, "65,535 bytes"),
        ({"note": ["a\0b"]}, "U+0000"),
        ({"entity_key": ["psa:1", "psa:1 "]}, "ends in a blank"),
    ],
)
def test_a_text_that_redshift_cannot_hold_as_it_is_is_refused(warehouse, cluster, columns, says):
    with pytest.raises(WarehouseError, match=re.escape(says)):
        warehouse.stage("arrived", make_table(**columns))
    assert cluster.list_files() == []


def test_a_text_of_the_greatest_length_and_a_microsecond_arrive_as_they_were(warehouse):
    instant = pa.array([253402214400000000 - 1, -1, None], pa.timestamp("us"))
    text = ["é" * 32_767, "", None]
    ref = warehouse.stage("arrived", make_table(note=text, at=instant))
    rows = warehouse.rows(f"SELECT note, at FROM {ref}")
    assert sorted(rows, key=str) == sorted(zip(text, instant.to_pylist(), strict=True), key=str)


def test_files_go_even_when_they_cannot_be_loaded(warehouse, cluster, monkeypatch):
    def raise_refusal(*_):
        raise psycopg.errors.InternalError_("no")

    monkeypatch.setattr(cluster.connections[-1], "_copy", raise_refusal)
    with pytest.raises(WarehouseError, match="check that the role can read the stage"):
        warehouse.stage("arrived", make_table(note=["a"]))
    assert cluster.list_files() == []


def test_values_that_differ_by_blanks_at_their_end_differ(warehouse):
    sql = warehouse._to_sql("SELECT a IS DISTINCT FROM b FROM silver.x")
    assert "FNV_HASH(a) = FNV_HASH(b)" in sql


def test_writers_wait_for_each_other_by_locking_a_table_first(warehouse, cluster):
    recorder = cluster.connections[-1]
    with warehouse.transaction(), warehouse.transaction():
        warehouse.rows("SELECT 1")
    *_, begin, lock, _, commit = [text for _, text in recorder.statements]
    assert (begin, lock, commit) == ("BEGIN", 'LOCK TABLE "acme_meta"."writer"', "COMMIT")
    assert warehouse.tables("meta") == ()


def test_a_second_writer_sees_what_the_first_has_done(warehouse, cluster):
    other, order = cluster.open("acme"), []

    def list_tables():
        with other.transaction():
            order.append(other.tables("gold"))

    with warehouse.transaction():
        thread = threading.Thread(target=list_tables)
        thread.start()
        thread.join(timeout=0.3)
        assert order == []
        warehouse.ensure(Table(layer="gold", name="t", columns=(TableColumn(name="a", dtype="bigint"),)))
    thread.join(timeout=10)
    other.close()
    assert order == [("t",)]


def test_a_transaction_that_fails_leaves_nothing_and_the_next_one_works(warehouse):
    table = Table(layer="gold", name="t", columns=(TableColumn(name="a", dtype="bigint"),))

    def run_failing_transaction():
        with warehouse.transaction():
            warehouse.ensure(table)
            warehouse.stage("s", "SELECT 1 AS a")
            warehouse.rows("SELECT nothing FROM gold.t")

    with pytest.raises(WarehouseError):
        run_failing_transaction()
    assert warehouse.tables("gold") == ()
    assert warehouse.rows(f"SELECT * FROM {warehouse.stage('s', 'SELECT 2 AS a')}") == [(2,)]


def test_who_only_looks_can_do_nothing_else(warehouse, cluster):
    warehouse.ensure(Table(layer="gold", name="t", columns=(TableColumn(name="a", dtype="bigint"),)))
    looking = cluster.open("acme", read_only=True)
    assert looking.rows("SELECT COUNT(*) FROM gold.t") == [(0,)]
    with pytest.raises(WarehouseError):
        looking.delete("gold", "t", "TRUE")
    looking.close()


def test_columns_are_described_as_they_were_declared(warehouse):
    columns = tuple(
        TableColumn(name=f"c{number}", dtype=dtype) for number, dtype in enumerate((*SIMPLE, "decimal(18,4)"))
    )
    warehouse.ensure(Table(layer="gold", name="t", columns=columns))
    rows = [column.dtype for column in warehouse.describe("gold", "t")]
    assert rows == [column.dtype.replace("json", "text") for column in columns]


def test_a_circle_of_ancestors_comes_to_an_end(warehouse):
    statement = (
        "WITH RECURSIVE chain AS (SELECT 1 AS a UNION SELECT CASE WHEN a = 3 THEN 1 ELSE a + 1 END AS a FROM chain) "
        "SELECT a FROM chain ORDER BY a"
    )
    assert warehouse.rows(statement) == [(1,), (2,), (3,)]


def test_a_query_among_other_conditions_becomes_a_join(warehouse):
    lifted = warehouse._to_sql("SELECT a, b IN (SELECT x FROM t) AS there FROM s WHERE a > 1 OR b IN (SELECT x FROM t)")
    assert not list_violations(lifted, sqlglot.parse_one(lifted, read="redshift"))


def test_a_transaction_that_was_overtaken_says_to_run_again():
    error = psycopg.errors.InternalError_("1023 DETAIL: Serializable isolation violation on table - 1")
    assert "run again" in str(to_warehouse_error(error, "redshift", "INSERT"))


def test_the_role_is_not_shown():
    error = psycopg.errors.InternalError_("no")
    assert "arn:" not in str(
        to_warehouse_error(error, "redshift", "COPY x FROM 's3://b/' IAM_ROLE 'arn:aws:iam::1:role/x'")
    )


def test_settings_hold_no_password_and_name_a_bucket():
    RedshiftWarehouse(kind="redshift", url="env:REDSHIFT_URL", stage="s3://bucket/prefix", iam_role="env:REDSHIFT_ROLE")
    for wrong in ({"stage": "folder"}, {"stage": "s3://b", "url": "redshift://me:word@host/dev"}):
        with pytest.raises(ValueError, match=r"password|bucket"):
            RedshiftWarehouse(kind="redshift", **wrong)


def test_texts_that_are_written_out_are_as_long_as_any_text(warehouse):
    assert "CAST('U' AS VARCHAR(65535)) AS operation" in warehouse._to_sql("SELECT 'U' AS operation")
    assert "VARCHAR(256)" not in render("SELECT CAST(a AS VARCHAR) FROM t", DIALECT)


def test_tables_of_version_0_1_get_their_names_and_no_row_changes(warehouse):
    silver.migrate_tables(warehouse, entity.THING)
    fill(warehouse)
    before, tables = read_tables(warehouse), warehouse.tables("meta")
    make_older(warehouse)
    upgrade_tables(warehouse)
    assert warehouse.tables("meta") == tables
    assert read_tables(warehouse) == before
    assert "known_columns" in [column.name for column in warehouse.describe("silver", "thing_log")]
