"""What the scale benchmark works on: a history of so many keys, and batches of 10,000 changes to it.

Every tenth key has two versions. The key is a whole number (`psa:123`), or a text like Salesforce's ids. What changes is
spread over all keys (`uniform`) or, as in real life, mostly recent (`recent`: 95 % of it among the newest 2 % of the keys);
one change in twenty is a new key.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from headwater.gold.star import Star
from headwater.model.dimension import DateDimension, EntityDimension, EnumDimension
from headwater.model.entity import Entity
from headwater.model.fact import Fact
from headwater.model.project import Declarations
from headwater.warehouse.duckdb.engine import DuckDB

CHANGES = 10_000
START = 1_704_067_200_000_000
SECOND = 1_000_000
DAY = 86_400 * SECOND


@dataclass(frozen=True, slots=False, kw_only=True)
class State:
    """A history of `keys` things whose key is a number or a text."""

    keys: int
    kind: str

    @cached_property
    def entity(self) -> Entity:
        """Its declaration."""
        columns = {
            "ticket_id": "bigint" if self.kind == "number" else "text",
            "summary": "text",
            "status": "text",
            "priority": "text",
            "company_id": "bigint",
            "owner": "text",
            "actual_hours": "double",
            "closed": "boolean",
            "entered_at": "timestamp",
            "updated_at": "timestamp",
        }
        sources: dict[str, dict[str, dict[str, str]]] = {"connectwise.tickets": {"map": {}}}
        return Entity.model_validate({"entity": "ticket", "key": "ticket_id", "columns": columns, "sources": sources})

    def key(self, number: str) -> str:
        """SQL of the key that is called `number`."""
        if self.kind == "number":
            return f"CAST({number} AS BIGINT)"
        return f"'5005g00000' || printf('%05x', {number}) || SUBSTRING(MD5(CAST({number} AS VARCHAR)), 1, 3)"

    def entity_key(self, number: str) -> str:
        """SQL of its entity key."""
        return f"'psa:' || {self.key(number)}"

    def values(self, number: str, state: str, at: str) -> str:
        """SQL of the declared columns of a thing in a state."""
        return (
            f"{self.key(number)} AS ticket_id, 'Ticket ' || {number} || ' about ' || "
            f"SUBSTRING(MD5(CAST({number} AS VARCHAR)), 1, 12) AS summary, '{state}' || ({number} % 7) AS status, "
            f"'Priority ' || {number} % 4 AS priority, CAST({number} % 1000 AS BIGINT) AS company_id, "
            f"'owner' || {number} % 50 AS owner, CAST(({number} % 97) / 4.0 AS DOUBLE) AS actual_hours, "
            f"{number} % 7 = 0 AS closed, TIMESTAMP '2023-01-01' + to_seconds({number}) AS entered_at, "
            f"make_timestamp({at}) AS updated_at"
        )

    def write(self, warehouse: DuckDB) -> None:
        """Put the state into the tables of silver (they are ready), as merges would have left them."""
        warehouse.execute("SET preserve_insertion_order = true")
        first, second = f"{START} + i * {SECOND}", f"{START + self.keys * SECOND} + i * {SECOND // 10}"
        for step, at, state, number in ((1, first, "Old", 1), (10, second, "New", 2)):
            numbers = f"(SELECT CAST(i AS BIGINT) AS i FROM range(0, {self.keys}, {step}) AS t(i)) AS t"
            ends = f"CASE WHEN i % 10 = 0 THEN make_timestamp({second}) ELSE TIMESTAMP '9999-12-31' END"
            last = "TIMESTAMP '9999-12-31'"
            warehouse.execute(
                f"INSERT INTO silver.ticket SELECT {self.entity_key('i')}, {self.values('i', state, at)}, "
                f"make_timestamp({at}), {ends if number == 1 else last}, {'i % 10 <> 0' if number == 1 else 'TRUE'}, "
                f"{number}, 'load-{number}' FROM {numbers}"
            )
            warehouse.execute(
                f"INSERT INTO silver.ticket_log BY NAME SELECT {self.entity_key('i')} AS entity_key, {at} AS sequence, "
                f"'U' AS operation, 'connectwise.tickets' AS source, {self.values('i', state, at)}, NULL AS known_columns, "
                f"MD5('{state}' || i) AS hash, {at} AS stamp, {at} AS observed, 0 AS place, {at} AS first_observed, "
                f"'load-{number}' AS batch_id, "
                f"CAST('0x' || SUBSTRING(MD5({self.entity_key('i')}), 1, 15) AS BIGINT) AS key_hash FROM {numbers}"
            )
            batch = f"'load-{number}', 'psa', 'tickets', 'connectwise.tickets', TIMESTAMP '2024-01-0{number}'"
            warehouse.execute(f"INSERT INTO meta.batch VALUES ({batch})")
        warehouse.execute("CHECKPOINT")
        warehouse.execute("SET preserve_insertion_order = false")

    def arriving(self, moment: int, spread: str, *, late: bool = False) -> str:
        """SELECT of a batch of changes as silver takes them; of another `moment`, other keys and later instants.

        Late ones lie between the first and the second version of their keys.
        """
        step = self.keys // CHANGES
        old = f"i * {step} + (i * 7919 + {moment} * 104729) % {step}"
        if spread == "recent":
            recent = f"{self.keys} - 1 - (i * 3 + {moment}) % {self.keys // 50}"
            old = f"CASE WHEN i % 20 = 0 THEN {old} ELSE {recent} END"
        number = f"CASE WHEN i % 20 = 7 THEN {self.keys} + {moment} * {CHANGES} + i ELSE {old} END"
        at = f"{START + self.keys * 2 * SECOND + moment * DAY} + i"
        if late:
            number, at = old, f"{START + SECOND // 2 + moment} + n * {SECOND}"
        numbers = f"SELECT CAST({number} AS BIGINT) AS n, MIN(i) AS i FROM range({CHANGES}) AS t(i) GROUP BY 1"
        return (
            f"SELECT {self.entity_key('n')} AS entity_key, instant AS sequence, 'U' AS operation, "
            f"'connectwise.tickets' AS source, {self.values('n', f'M{moment}-', 'instant')}, "
            f"CAST(NULL AS VARCHAR) AS known_columns, MD5('{moment}' || n) AS hash, "
            f"instant AS stamp, {START + self.keys * 2 * SECOND + (moment + 1) * DAY} AS observed, CAST(n AS BIGINT) AS place, "
            f"'batch-{moment:04}' AS batch_id FROM (SELECT n, {at} AS instant FROM ({numbers}) AS numbered) AS stamped"
        )

    @cached_property
    def star(self) -> Star:
        """A dimension of all things, and a fact with a row for each that points at the version of its instant."""
        ticket = EntityDimension.model_validate(
            {
                "dimension": "ticket",
                "entity": "ticket",
                "attributes": {"ticket_id": "T1", "summary": "T1", "status": "T2", "priority": "T2", "owner": "T1"},
            }
        )
        priority = EnumDimension.model_validate(
            {"dimension": "priority", "values_of": {"entity": "ticket", "column": "priority"}}
        )
        date = DateDimension.model_validate({"dimension": "date", "first": "2022-01-01", "last": "2026-12-31"})
        fact = Fact.model_validate(
            {
                "fact": "ticket",
                "entity": "ticket",
                "grain": ["ticket_id"],
                "degenerate": ["entered_at"],
                "measures": {"hours": "actual_hours"},
                "lookups": {
                    "ticket": {
                        "dimension": "ticket", "on": "ticket_id", "at": "updated_at", "strategy": "point_in_time"
                    },
                    "priority": {"dimension": "priority", "on": "priority", "strategy": "direct"},
                    "entered": {"dimension": "date", "on": "cast(entered_at as date)", "strategy": "direct"},
                },
            }
        )  # fmt: skip
        return Star(
            declarations=Declarations(
                entities={"ticket": self.entity},
                dimensions={"ticket": ticket, "priority": priority, "date": date},
                facts={"ticket": fact},
            )
        )
