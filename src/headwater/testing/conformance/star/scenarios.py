"""The drawn cases of the star: what entities say, which tables are built, and what a person reads in them. Days are of 2024."""

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
from headwater.testing.conformance.star.model import MEMBER, star_of
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
"""What a sheet calls a table."""

_ENTRIES = (
    "SELECT f.entry_id AS id, d.name, CASE WHEN d.member_key < 0 THEN d.member_key END AS reserved, "
    'd.valid_from AS "from", d.is_inferred AS inferred '
    "FROM gold.fact_entry AS f JOIN gold.dim_member AS d USING (member_key)"
)
_READ = {
    "companies are": "SELECT * FROM gold.dim_company WHERE company_key > 0",
    "work is": _ENTRIES,
    "work of the first two entries is": f"{_ENTRIES} WHERE f.entry_id < 3",
    "work by member is": "SELECT * FROM gold.fact_entry",
}
_REMEMBERED = {
    "keys of work": "SELECT entry_id, member_key FROM gold.fact_entry ORDER BY 1",
    "first key of member 1": (
        "SELECT member_key FROM gold.dim_member WHERE entity_key = 'desk:1' ORDER BY valid_from LIMIT 1"
    ),
}

SHEET = load_scenarios("star")
"""The cases."""


class _Case:
    """A case under way."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.remembered: dict[str, list[tuple[Any, ...]]] = {}

    def add_events(self, entity: str, table: str) -> str:
        """Each line is an event: `id`, `at`, `op` (an update unless it says D), and what is said."""
        events = []
        for row in parse_table(table):
            number, when, operation = row.pop("id"), f"2024-{row.pop('at')}", row.pop("op", "U")
            if row.get("started_at"):
                row["started_at"] = datetime.fromisoformat(f"2024-{row['started_at']}")
            events.append(make_event(entity.lower(), number, when, operation, **row))
        merge_events(self.warehouse, entity.lower(), *events)
        return ""

    def build(self, names: str, counts: str, _: str) -> str:
        """Bring tables up to date, and hold the rows put into each against the numbers."""
        tables = [TABLES[name] for name in names.split(", ")]
        star = star_of(*tables)
        found = [build_table(self.warehouse, star, table).inserted for table in tables]
        wanted = [int(number) for number in re.findall(r"\d+", counts)]
        return "" if found == wanted else f"put in {found} rows"

    def expect_refusal(self, name: str, details: str, _: str) -> str:
        """A table cannot be built, and the complaint names these rows."""
        table = TABLES[name]
        try:
            build_table(self.warehouse, star_of(table), table)
        except DeclarationError as error:
            return "" if error.details.endswith(details) else f"refused for another reason\n{error}"
        return "it was built"

    def expect_rows(self, what: str, picture: str) -> str:
        """Hold rows against a drawing; decimals as whole numbers, days without their year."""
        names = list(parse_table(picture)[0])
        found = self.warehouse.rows(f"SELECT {', '.join(map(quote, names))} FROM ({_READ[what]}) AS asked")
        return find_mismatch(
            picture, [{name: _plain_value(value) for name, value in zip(names, row, strict=True)} for row in found]
        )

    def remember(self, what: str, _: str) -> str:
        """Keep an answer for later."""
        self.remembered[what] = self.warehouse.rows(_REMEMBERED[what])
        return ""

    def expect_unchanged(self, what: str, _: str) -> str:
        """An answer is what it was."""
        found = self.warehouse.rows(_REMEMBERED[what])
        return "" if found == self.remembered[what] else f"were {self.remembered[what]}, are {found}"


_SENTENCES: tuple[tuple[re.Pattern[str], Callable[..., str]], ...] = (
    (re.compile(r"(\w+) says:"), _Case.add_events),
    (re.compile(r"Build ([\w, ]+): ([\d and]+) rows?\."), _Case.build),
    (re.compile(r"Building ([\w ]+) is refused: (.*)"), _Case.expect_refusal),
    (re.compile(r"Then ([\w ]+):"), _Case.expect_rows),
    (re.compile(r"Remember the ([\w ]+)\."), _Case.remember),
    (re.compile(r"The ([\w ]+) (?:is that|are those) remembered\."), _Case.expect_unchanged),
)


def run_scenario(warehouse: Warehouse, drawing: Scenario) -> str:
    """How a case comes out otherwise than it is drawn, on a warehouse that holds nothing yet."""
    case = _Case(warehouse)
    for step in drawing.steps:
        if wrong := _run_step(case, step):
            return f"{step.says}\n{wrong}"
    return ""


def _run_step(case: _Case, step: Step) -> str:
    for sentence, means in _SENTENCES:
        if found := sentence.fullmatch(step.says):
            return means(case, *found.groups(), step.table)
    raise step.unknown()


def _plain_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return "open" if value.year == 9999 else "ever" if value.year == 1970 else f"{value:%m-%d}"
    return int(value) if hasattr(value, "as_tuple") else value


def _run_in_own_tenant(ground: SelfTestTenants, drawing: Scenario) -> str:
    warehouse = ground.create_tenant()
    wrong = run_scenario(warehouse, drawing)
    if not wrong:
        ground.erase(warehouse.tenant)
    return wrong


STAR_DRAWN = ScenarioCheck(
    name="drawn-star", promise="the hard cases of the star, drawn", scenarios=SHEET, run_scenario=_run_in_own_tenant
)
"""The line that runs them."""
