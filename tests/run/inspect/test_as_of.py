"""What was so at an instant, asked for by name and day."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from headwater.clock import parse_instant
from headwater.errors import DeclarationError, WarehouseError
from headwater.run import app
from headwater.testing.tables import find_mismatch
from tests.run.inspect.builders import make_contact_event, make_project, remember

ANNA = {"contact_id": 1, "company_id": 7, "first_name": "Anna"}
BODO = {"contact_id": 2, "company_id": 8, "first_name": "Bodo", "last_name": "Berg", "title": ""}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = make_project(tmp_path_factory.mktemp("asof") / "shop")
    remember(
        root,
        make_contact_event("psa:1", "2026-01-01", **ANNA, last_name="Alt", title=None),
        make_contact_event("psa:1", "2026-03-01", **ANNA, last_name="Neu", title="boss"),
        make_contact_event("psa:2", "2026-01-01", **BODO),
        make_contact_event("psa:2", "2026-02-01", "D"),
        make_contact_event("psa:2", "2026-04-01", **BODO),
    )
    return root


def read_as_of(root, when, name="contact", **options):
    with app.open_project(root) as workspace:
        result = app.read_as_of(workspace.open_tenant("acme"), parse_instant(when), name, **options)
    return [dict(zip(result.columns, row, strict=True)) for row in result.rows]


@pytest.mark.parametrize(
    ("when", "picture"),
    [
        ("2025-12-31T23:59:59.999999", "| entity_key |\n| --- |"),
        ("2026-01-01", "| entity_key | last_name |\n| --- | --- |\n| psa:1 | Alt |\n| psa:2 | Berg |"),
        ("2026-02-01", "| entity_key | last_name |\n| --- | --- |\n| psa:1 | Alt |"),
        ("2026-02-28T23:59:59.999999", "| entity_key | last_name |\n| --- | --- |\n| psa:1 | Alt |"),
        ("2026-03-01T00:00:00Z", "| entity_key | last_name |\n| --- | --- |\n| psa:1 | Neu |"),
        ("2026-03-01T01:00:00+02:00", "| entity_key | last_name |\n| --- | --- |\n| psa:1 | Alt |"),
        ("2031-01-01", "| entity_key | last_name |\n| --- | --- |\n| psa:1 | Neu |\n| psa:2 | Berg |"),
    ],
)
def test_at_an_instant_a_key_has_the_version_that_began_at_or_before_it_and_had_not_ended(root, when, picture):
    assert find_mismatch(picture, read_as_of(root, when)) == ""


def test_rows_come_by_key_and_may_be_narrowed(root):
    rows = read_as_of(root, "2026-05-01", columns=("last_name", "first_name"))
    assert rows == [{"last_name": "Neu", "first_name": "Anna"}, {"last_name": "Berg", "first_name": "Bodo"}]
    assert read_as_of(root, "2026-05-01", columns=("contact_id",), limit=1) == [{"contact_id": 1}]
    assert read_as_of(root, "2026-05-01", where="last_name = 'Neu' OR title = 'x'", columns=("contact_id",)) == [
        {"contact_id": 1}
    ]
    assert read_as_of(root, "2026-02-15", where="last_name = 'Neu' OR TRUE -- all", columns=("contact_id",)) == [
        {"contact_id": 1}
    ]


def test_instants_are_answered_in_utc(root):
    assert read_as_of(root, "2026-05-01", limit=1)[0]["valid_from"] == datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("name", ["contact", "silver.contact"])
def test_an_entity_is_meant_before_a_dimension_of_that_name(root, name):
    assert "version_number" in read_as_of(root, "2026-05-01", name)[0]


def test_plain_sql_asks_the_same_by_a_function(root):
    with app.open_project(root) as workspace:
        sql = "SELECT last_name FROM silver.contact_asof(TIMESTAMP '2026-02-28 12:00:00') AS c"
        assert app.run_query(workspace.open_tenant("acme"), sql).rows == (("Alt",),)
        then, now = "silver.contact_asof('2026-02-01') AS a", "silver.contact_asof('2026-04-01') AS n"
        joined = f"SELECT n.last_name FROM {then} JOIN {now} USING (entity_key)"
        assert app.run_query(workspace.open_tenant("acme"), joined).rows == (("Neu",),)
        assert [table.table for table in app.read_status(workspace.open_tenant("acme")).tables] == [
            "contact",
            "contact_current",
            "contact_log",
        ]


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("contcat", "no entity or dimension"),
        ("fact_time_entry", "has no versions"),
        ("dim_date", "has no versions"),
    ],
)
def test_what_has_no_past_is_refused_with_a_hint(root, name, what):
    with pytest.raises(DeclarationError, match=what) as caught:
        read_as_of(root, "2026-01-01", name)
    assert caught.value.hint


def test_a_table_that_is_not_there_yet_names_the_command_that_makes_it(root):
    with pytest.raises(WarehouseError, match="dim_contact does not exist yet") as caught:
        read_as_of(root, "2026-01-01", "dim_contact")
    assert "headwater run" in caught.value.hint


def test_an_unknown_column_is_refused_with_the_nearest_one(root):
    with pytest.raises(DeclarationError, match="no column `lastname`") as caught:
        read_as_of(root, "2026-01-01", columns=("lastname",))
    assert caught.value.hint == "did you mean `last_name`?"
    with pytest.raises(WarehouseError, match="refused a statement") as refused:
        read_as_of(root, "2026-01-01", where="lastname = 'x'")
    assert "last_name" in refused.value.details
    assert "headwater status" in refused.value.hint


@pytest.mark.parametrize(
    "condition",
    [
        "1 = 1) OR (1 = 1",
        "1 = 1; DROP TABLE silver.contact",
        "DROP TABLE silver.contact",
        "contact_id IN (SELECT 1)",
        "EXISTS (SELECT 1 FROM gold.dim_member)",
        "TRUE UNION SELECT 1",
        "TRUE LIMIT 1",
        "TRUE ORDER BY 1",
        "TRUE GROUP BY 1",
        "contact_id = /*",
        "SELECT 1",
    ],
)
def test_a_condition_is_one_expression(root, condition):
    with pytest.raises(WarehouseError, match="a condition must be one expression") as caught:
        read_as_of(root, "2026-01-01", where=condition)
    assert caught.value.where == "--where"
