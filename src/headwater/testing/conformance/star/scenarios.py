"""The scenarios of the star schema: events of entities, builds of tables, and expected rows. Days are in 2024."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from headwater.errors import DeclarationError
from headwater.model.dimension import Dimension, EntityDimension
from headwater.model.fact import Fact
from headwater.names import quote
from headwater.testing.conformance.scenario import Scenario, ScenarioCheck, Step, load_scenarios
from headwater.testing.conformance.star.load import build_table, make_event, merge_events
from headwater.testing.conformance.star.model import MEMBER, make_star
from headwater.testing.conformance.tenants import SelfTestTenants
from headwater.testing.tables import find_mismatch, parse_table
from headwater.warehouse.base import Warehouse

_COMPANY = EntityDimension.model_validate(
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
_WORK = Fact.model_validate(
    {
        "fact": "entry",
        "entity": "entry",
        "grain": ["entry_id"],
        "lookups": {
            "member": {"dimension": "member", "on": "member_id", "strategy": "point_in_time", "at": "started_at"}
        },
        "measures": ["hours"],
    }
)
_BY_MEMBER = Fact.model_validate({"fact": "entry", "entity": "entry", "grain": ["member_id"], "measures": ["hours"]})

TABLES: dict[str, Dimension | Fact] = {
    "company": _COMPANY,
    "member": MEMBER,
    "work": _WORK,
    "work by member": _BY_MEMBER,
}
"""The tables, by their names in the scenarios."""

_ENTRIES = (
    "SELECT f.entry_id AS id, d.name, CASE WHEN d.member_key < 0 THEN d.member_key END AS reserved, "
    'd.valid_from AS "from", d.is_inferred AS inferred '
    "FROM gold.fact_entry AS f JOIN gold.dim_member AS d USING (member_key)"
)
_ROW_QUERIES = {
    "companies are": "SELECT * FROM gold.dim_company WHERE company_key > 0",
    "work is": _ENTRIES,
    "work of the first two entries is": f"{_ENTRIES} WHERE f.entry_id < 3",
    "work by member is": "SELECT * FROM gold.fact_entry",
}
_KEY_QUERIES = {
    "keys of work": "SELECT entry_id, member_key FROM gold.fact_entry ORDER BY 1",
    "first key of member 1": (
        "SELECT member_key FROM gold.dim_member WHERE entity_key = 'desk:1' ORDER BY valid_from LIMIT 1"
    ),
}

SCENARIOS = load_scenarios("star")
"""The scenarios, in their order."""


class _Case:
    """A scenario that runs."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.answers: dict[str, list[tuple[Any, ...]]] = {}

    def add_events(self, entity: str, table: str) -> str:
        """Merge events. Each row has `id`, `at`, `op` (default: an update), and values."""
        events = []
        for row in parse_table(table):
            number, when, operation = row.pop("id"), f"2024-{row.pop('at')}", row.pop("op", "U")
            if row.get("started_at"):
                row["started_at"] = datetime.fromisoformat(f"2024-{row['started_at']}")
            events.append(make_event(entity.lower(), number, when, operation, **row))
        merge_events(self.warehouse, entity.lower(), *events)
        return ""

    def build(self, names: str, counts: str, _: str) -> str:
        """Update tables, and compare the numbers of inserted rows."""
        tables = [TABLES[name] for name in names.split(", ")]
        star = make_star(*tables)
        inserted = [build_table(self.warehouse, star, table).inserted for table in tables]
        expected = [int(number) for number in re.findall(r"\d+", counts)]
        return "" if inserted == expected else f"inserted {inserted} rows"

    def expect_refusal(self, name: str, details: str, _: str) -> str:
        """A table cannot be built, and the details of the error name these rows."""
        table = TABLES[name]
        try:
            build_table(self.warehouse, make_star(table), table)
        except DeclarationError as error:
            return "" if error.details.endswith(details) else f"refused for another reason\n{error}"
        return "it was built"

    def expect_rows(self, query: str, table: str) -> str:
        """Compare rows with a table. Decimals are whole numbers, days have no year."""
        names = list(parse_table(table)[0])
        rows = self.warehouse.rows(f"SELECT {', '.join(map(quote, names))} FROM ({_ROW_QUERIES[query]}) AS asked")
        return find_mismatch(
            table, [{name: _to_plain(value) for name, value in zip(names, row, strict=True)} for row in rows]
        )

    def remember(self, query: str, _: str) -> str:
        """Store the keys, to compare them later."""
        self.answers[query] = self.warehouse.rows(_KEY_QUERIES[query])
        return ""

    def expect_unchanged(self, query: str, _: str) -> str:
        """The keys are the stored ones."""
        keys = self.warehouse.rows(_KEY_QUERIES[query])
        return "" if keys == self.answers[query] else f"were {self.answers[query]}, are {keys}"


_SENTENCES: tuple[tuple[re.Pattern[str], Callable[..., str]], ...] = (
    (re.compile(r"(\w+) says:"), _Case.add_events),
    (re.compile(r"Build ([\w, ]+): ([\d and]+) rows?\."), _Case.build),
    (re.compile(r"Building ([\w ]+) is refused: (.*)"), _Case.expect_refusal),
    (re.compile(r"Then ([\w ]+):"), _Case.expect_rows),
    (re.compile(r"Remember the ([\w ]+)\."), _Case.remember),
    (re.compile(r"The ([\w ]+) (?:is that|are those) remembered\."), _Case.expect_unchanged),
)


def run_scenario(warehouse: Warehouse, scenario: Scenario) -> str:
    """The difference from the expected result, on an empty warehouse; empty if there is none."""
    case = _Case(warehouse)
    for step in scenario.steps:
        if difference := _run_step(case, step):
            return f"{step.sentence}\n{difference}"
    return ""


def _run_step(case: _Case, step: Step) -> str:
    for sentence, run in _SENTENCES:
        if match := sentence.fullmatch(step.sentence):
            return run(case, *match.groups(), step.table)
    raise step.build_unknown_error()


def _to_plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return "open" if value.year == 9999 else "ever" if value.year == 1970 else f"{value:%m-%d}"
    return int(value) if hasattr(value, "as_tuple") else value


def _run_in_own_tenant(tenants: SelfTestTenants, scenario: Scenario) -> str:
    warehouse = tenants.create_tenant()
    difference = run_scenario(warehouse, scenario)
    if not difference:
        tenants.erase(warehouse.tenant)
    return difference


STAR_SCENARIOS = ScenarioCheck(
    name="drawn-star", promise="the hard cases of the star, drawn", scenarios=SCENARIOS, run_scenario=_run_in_own_tenant
)
"""The check that runs them."""
