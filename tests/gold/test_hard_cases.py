"""The hard cases of the star, each drawn: what happened in which entity, and what a person reads in dimension and fact."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from headwater.errors import DeclarationError
from headwater.gold.build import build_dimension
from headwater.gold.load import load_fact
from headwater.model.dimension import EntityDimension
from headwater.model.fact import Fact
from headwater.names import quote
from headwater.testing.drawn import drawn, mismatch
from headwater.warehouse.base import Warehouse
from tests.gold.stand import opened, put, seen, star_of

pytestmark = pytest.mark.usefixtures("on_each_engine")

THREE = EntityDimension.model_validate(
    {
        "dimension": "company",
        "entity": "company",
        "attributes": {"segment": "T2"},
        "join": [
            {"entity": "address", "on": "company_id", "attributes": {"city": "T2"}},
            {"entity": "agreement", "on": "company_id", "attributes": {"amount": "T2"}},
        ],
    }
)
MEMBER = EntityDimension.model_validate({"dimension": "member", "entity": "member", "attributes": {"name": "T2"}})


def entries(**lookup: Any) -> Fact:
    member = {"dimension": "member", "on": "member_id", **lookup}
    return Fact.model_validate(
        {
            "fact": "entry",
            "entity": "entry",
            "grain": ["entry_id"],
            "lookups": {"member": member},
            "measures": ["hours"],
        }
    )


AT = entries(strategy="point_in_time", at="started_at")


@pytest.fixture
def warehouse():
    return opened("company", "address", "agreement", "member", "entry")


def happen(warehouse: Warehouse, entity: str, table: str) -> None:
    """Each line is an event: `id`, `at`, `op` (an update unless it says D), and what is said. Days are of 2024."""
    events = []
    for row in drawn(table):
        number, at, operation = row.pop("id"), f"2024-{row.pop('at')}", row.pop("op", "U")
        if row.get("started_at"):
            row["started_at"] = datetime.fromisoformat(f"2024-{row['started_at']}")
        events.append(seen(entity, number, at, operation, **row))
    put(warehouse, entity, *events)


def build(warehouse: Warehouse, *tables: Any) -> tuple[int, ...]:
    """Bring these tables up to date; the rows put into each."""
    star = star_of(*tables)
    return tuple(
        (load_fact if isinstance(table, Fact) else build_dimension)(warehouse, star, table).inserted for table in tables
    )


def read(warehouse: Warehouse, sql: str, picture: str) -> None:
    """Hold the rows of a query against a drawing; decimals as whole numbers, days without their year."""
    names = list(drawn(picture)[0])
    found = warehouse.rows(f"SELECT {', '.join(map(quote, names))} FROM ({sql}) AS asked")
    plain = [{name: _plain(value) for name, value in zip(names, row, strict=True)} for row in found]
    assert mismatch(picture, plain) == "", mismatch(picture, plain)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return "open" if value.year == 9999 else "ever" if value.year == 1970 else f"{value:%m-%d}"
    return int(value) if hasattr(value, "as_tuple") else value


MEMBERS = "SELECT * FROM gold.dim_company WHERE company_key > 0"
ENTRIES = """
    SELECT f.entry_id AS id, d.name, CASE WHEN d.member_key < 0 THEN d.member_key END AS reserved,
      d.valid_from AS "from", d.is_inferred AS inferred
    FROM gold.fact_entry AS f JOIN gold.dim_member AS d USING (member_key)
"""


def test_a_dimension_over_three_entities_has_a_version_wherever_any_of_them_changes(warehouse):
    happen(
        warehouse,
        "company",
        """
    | id | at    | segment |
    | -- | ----- | ------- |
    | 1  | 01-01 | small   |
    | 1  | 05-01 | large   |
    """,
    )
    happen(
        warehouse,
        "address",
        """
    | id | at    | op | company_id | city      |
    | -- | ----- | -- | ---------- | --------- |
    | 7  | 02-01 | U  | 1          | Akureyri  |
    | 7  | 04-01 | U  | 1          | Reykjavik |
    | 7  | 06-01 | D  | ...        | ...       |
    """,
    )
    happen(
        warehouse,
        "agreement",
        """
    | id | at    | company_id | amount |
    | -- | ----- | ---------- | ------ |
    | 9  | 03-01 | 1          | 100    |
    | 9  | 05-01 | 1          | 200    |
    """,
    )
    build(warehouse, THREE)
    whole = """
    | segment | city      | amount | valid_from | valid_to | is_current |
    | ------- | --------- | ------ | ---------- | -------- | ---------- |
    | small   | NULL      | NULL   | 01-01      | 02-01    | false      |
    | small   | Akureyri  | NULL   | 02-01      | 03-01    | false      |
    | small   | Akureyri  | 100    | 03-01      | 04-01    | false      |
    | small   | Reykjavik | 100    | 04-01      | 05-01    | false      |
    | large   | Reykjavik | 200    | 05-01      | 06-01    | false      |
    | large   | NULL      | 200    | 06-01      | open     | true       |
    """
    read(warehouse, MEMBERS, whole)
    happen(
        warehouse,
        "agreement",
        """
    | id | at    | company_id | amount |
    | -- | ----- | ---------- | ------ |
    | 9  | 04-15 | 1          | 150    |
    """,
    )
    assert build(warehouse, THREE) == (2,)
    read(
        warehouse,
        MEMBERS,
        whole.replace(
            "| small   | Reykjavik | 100    | 04-01      | 05-01    | false      |",
            "| small   | Reykjavik | 100    | 04-01      | 04-15    | false      |\n"
            "    | small   | Reykjavik | 150    | 04-15      | 05-01    | false      |",
        ),
    )


def test_what_is_joined_before_the_first_and_after_the_last_version_of_its_owner_makes_none(warehouse):
    happen(
        warehouse,
        "company",
        """
    | id | at    | op | segment |
    | -- | ----- | -- | ------- |
    | 1  | 03-01 | U  | small   |
    | 1  | 05-01 | D  | ...     |
    """,
    )
    happen(
        warehouse,
        "address",
        """
    | id | at    | company_id | city      |
    | -- | ----- | ---------- | --------- |
    | 7  | 01-01 | 1          | Akureyri  |
    | 7  | 06-01 | 1          | Reykjavik |
    """,
    )
    build(warehouse, THREE)
    read(
        warehouse,
        MEMBERS,
        """
    | segment | city     | valid_from | valid_to | is_current |
    | ------- | -------- | ---------- | -------- | ---------- |
    | small   | Akureyri | 03-01      | 05-01    | false      |
    """,
    )


PEOPLE = """
    | id | at    | op | name  |
    | -- | ----- | -- | ----- |
    | 1  | 02-01 | U  | Anna  |
    | 1  | 03-01 | U  | Anne  |
    | 1  | 04-01 | D  | ...   |
    | 1  | 06-01 | U  | Annie |
"""


def test_a_day_before_all_versions_in_one_at_its_border_in_a_gap_and_no_day_at_all(warehouse):
    happen(warehouse, "member", PEOPLE)
    happen(
        warehouse,
        "entry",
        """
    | id | at    | member_id | started_at       |
    | -- | ----- | --------- | ---------------- |
    | 1  | 07-01 | 1         | 01-15            |
    | 2  | 07-01 | 1         | 02-01            |
    | 3  | 07-01 | 1         | 02-29T23:59:59   |
    | 4  | 07-01 | 1         | 03-01            |
    | 5  | 07-01 | 1         | 05-01            |
    | 6  | 07-01 | 1         | 06-01            |
    | 7  | 07-01 | 1         | NULL             |
    | 8  | 07-01 | NULL      | 03-01            |
    | 9  | 07-01 | NULL      | NULL             |
    """,
    )
    build(warehouse, MEMBER, AT)
    read(
        warehouse,
        ENTRIES,
        """
    | id | name    | reserved | from  | inferred |
    | -- | ------- | -------- | ----- | -------- |
    | 1  | Anna    | NULL     | 02-01 | false    |
    | 2  | Anna    | NULL     | 02-01 | false    |
    | 3  | Anna    | NULL     | 02-01 | false    |
    | 4  | Anne    | NULL     | 03-01 | false    |
    | 5  | Anne    | NULL     | 03-01 | false    |
    | 6  | Annie   | NULL     | 06-01 | false    |
    | 7  | Annie   | NULL     | 06-01 | false    |
    | 8  | Unknown | -1       | ever  | false    |
    | 9  | Unknown | -1       | ever  | false    |
    """,
    )


FACTS = """
    | id | at    | member_id | started_at | hours |
    | -- | ----- | --------- | ---------- | ----- |
    | 1  | 07-01 | 1         | 02-15      | 1     |
    | 2  | 07-01 | 1         | 03-15      | 2     |
    | 3  | 07-01 | 2         | 03-15      | 3     |
"""


def test_facts_before_their_member_keep_their_key_when_it_comes(warehouse):
    happen(warehouse, "entry", FACTS)
    build(warehouse, MEMBER, AT)
    read(
        warehouse,
        ENTRIES,
        """
    | id | name | reserved | from | inferred |
    | -- | ---- | -------- | ---- | -------- |
    | 1  | NULL | NULL     | ever | true     |
    | 2  | NULL | NULL     | ever | true     |
    | 3  | NULL | NULL     | ever | true     |
    """,
    )
    keys = "SELECT entry_id, member_key FROM gold.fact_entry ORDER BY 1"
    before = warehouse.rows(keys)
    happen(
        warehouse,
        "member",
        """
    | id | at    | name |
    | -- | ----- | ---- |
    | 1  | 05-01 | Anna |
    """,
    )
    assert build(warehouse, MEMBER, AT) == (1, 0)
    assert warehouse.rows(keys) == before
    read(
        warehouse,
        ENTRIES,
        """
    | id | name | reserved | from  | inferred |
    | -- | ---- | -------- | ----- | -------- |
    | 1  | Anna | NULL     | 05-01 | false    |
    | 2  | Anna | NULL     | 05-01 | false    |
    | 3  | NULL | NULL     | ever  | true     |
    """,
    )


def test_late_news_before_all_versions_take_over_the_first_ones_key_and_the_facts_that_are_theirs(warehouse):
    happen(
        warehouse,
        "member",
        """
    | id | at    | name |
    | -- | ----- | ---- |
    | 1  | 03-01 | Anne |
    | 2  | 01-01 | Bodo |
    """,
    )
    happen(warehouse, "entry", FACTS)
    build(warehouse, MEMBER, AT)
    first = "SELECT member_key FROM gold.dim_member WHERE entity_key = 'psa:1' ORDER BY valid_from LIMIT 1"
    key = warehouse.rows(first)
    happen(
        warehouse,
        "member",
        """
    | id | at    | name |
    | -- | ----- | ---- |
    | 1  | 02-01 | Anna |
    """,
    )
    # Entry 1 stands on the first version still, now Anna; only entry 2 is pointed anew, at what has become the second.
    assert build(warehouse, MEMBER, AT)[1] == 1
    assert warehouse.rows(first) == key
    read(
        warehouse,
        ENTRIES,
        """
    | id | name | from  |
    | -- | ---- | ----- |
    | 1  | Anna | 02-01 |
    | 2  | Anne | 03-01 |
    | 3  | Bodo | 01-01 |
    """,
    )


def test_a_late_delete_points_the_facts_of_the_gap_at_the_version_before(warehouse):
    happen(
        warehouse,
        "member",
        """
    | id | at    | name |
    | -- | ----- | ---- |
    | 1  | 01-01 | Anna |
    | 1  | 03-01 | Anne |
    | 2  | 01-01 | Bodo |
    """,
    )
    happen(warehouse, "entry", FACTS)
    build(warehouse, MEMBER, AT)
    happen(
        warehouse,
        "member",
        """
    | id | at    | op | name |
    | -- | ----- | -- | ---- |
    | 1  | 02-01 | D  | ...  |
    """,
    )
    assert build(warehouse, MEMBER, AT)[1] == 0
    read(
        warehouse,
        ENTRIES,
        """
    | id | name | from  |
    | -- | ---- | ----- |
    | 1  | Anna | 01-01 |
    | 2  | Anne | 03-01 |
    | 3  | Bodo | 01-01 |
    """,
    )


def test_a_fact_whose_own_record_changes_its_day_is_pointed_anew(warehouse):
    happen(warehouse, "member", PEOPLE)
    happen(warehouse, "entry", FACTS)
    build(warehouse, MEMBER, AT)
    happen(
        warehouse,
        "entry",
        """
    | id | at    | member_id | started_at | hours |
    | -- | ----- | --------- | ---------- | ----- |
    | 1  | 08-01 | 1         | 06-15      | 1     |
    """,
    )
    assert build(warehouse, MEMBER, AT) == (0, 1)
    read(
        warehouse,
        f"{ENTRIES} WHERE f.entry_id < 3",
        """
    | id | name  |
    | -- | ----- |
    | 1  | Annie |
    | 2  | Anne  |
    """,
    )


def test_a_duplicate_grain_stops_the_load_names_both_and_leaves_what_was_there(warehouse):
    by_member = Fact.model_validate({"fact": "entry", "entity": "entry", "grain": ["member_id"], "measures": ["hours"]})
    happen(
        warehouse,
        "entry",
        """
    | id | at    | member_id | hours |
    | -- | ----- | --------- | ----- |
    | 1  | 01-01 | 1         | 1     |
    | 2  | 01-01 | 2         | 2     |
    """,
    )
    build(warehouse, by_member)
    happen(
        warehouse,
        "entry",
        """
    | id | at    | member_id | hours |
    | -- | ----- | --------- | ----- |
    | 2  | 02-01 | 2         | 9     |
    | 3  | 02-01 | 1         | 3     |
    """,
    )
    with pytest.raises(DeclarationError, match="share their grain; nothing was written") as caught:
        build(warehouse, by_member)
    assert caught.value.saw == "2 rows with member_id = 1, made from psa:1 and psa:3"
    there = """
    | member_id | hours | entity_key |
    | --------- | ----- | ---------- |
    | 1         | 1     | psa:1      |
    | 2         | 2     | psa:2      |
    """
    read(warehouse, "SELECT * FROM gold.fact_entry", there)
    happen(
        warehouse,
        "entry",
        """
    | id | at    | op | member_id |
    | -- | ----- | -- | --------- |
    | 3  | 03-01 | D  | ...       |
    """,
    )
    build(warehouse, by_member)
    read(warehouse, "SELECT * FROM gold.fact_entry", there.replace("| 2         | 2     |", "| 2         | 9     |"))


def test_rows_without_a_value_in_their_grain_are_told_apart_like_any_others(warehouse):
    by_member = Fact.model_validate({"fact": "entry", "entity": "entry", "grain": ["member_id"], "measures": ["hours"]})
    happen(
        warehouse,
        "entry",
        """
    | id | at    | member_id | hours |
    | -- | ----- | --------- | ----- |
    | 1  | 01-01 | NULL      | 1     |
    | 2  | 01-01 | NULL      | 2     |
    """,
    )
    with pytest.raises(DeclarationError, match="share their grain"):
        build(warehouse, by_member)
