"""Queries of a tenant's warehouse, as Python rows or as an Arrow table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from headwater.errors import UnsupportedError, WarehouseError
from headwater.run.plugins import find_capabilities
from headwater.run.results import QueryResult
from headwater.run.workspace import TenantWorkspace
from headwater.warehouse.base import CanAnswerInArrow, Warehouse
from headwater.warehouse.dialect.render import check_read_only, limit_sql


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A read-only statement for a tenant's warehouse. Each fetch opens the warehouse, executes the statement, and closes it."""

    workspace: TenantWorkspace
    build_sql: Callable[[Warehouse], str]
    """Builds the statement in the dialect of the engine."""
    limit: int | None = None
    """The most rows to fetch; None means all. Only a SELECT can be limited."""

    def with_limit(self, limit: int) -> Query:
        """The same query, for the first rows only."""
        return replace(self, limit=limit)

    def fetch(self) -> QueryResult:
        """Execute the statement, and return its rows. Instants are in UTC."""
        with closing(self.workspace.open_warehouse(read_only=True)) as warehouse:
            with _explain_refusal():
                columns, rows = warehouse.answer(self._render_sql(warehouse))
            return QueryResult(columns=columns, rows=tuple(tuple(map(_to_utc, row)) for row in rows))

    def fetch_arrow(self) -> Any:
        """Execute the statement, and return a pyarrow Table. UnsupportedError if the engine has no Arrow."""
        with closing(self.workspace.open_warehouse(read_only=True)) as warehouse:
            if not isinstance(warehouse, CanAnswerInArrow):
                raise UnsupportedError("This engine cannot return Arrow.", where="query", hint="use `.rows()` instead")
            with _explain_refusal():
                return warehouse.answer_arrow(self._render_sql(warehouse))

    def _render_sql(self, warehouse: Warehouse) -> str:
        sql = self.build_sql(warehouse)
        return sql if self.limit is None else limit_sql(sql, warehouse.capabilities.dialect.name, self.limit)


def build_query(workspace: TenantWorkspace, sql: str) -> Query:
    """A query in the SQL of the warehouse. WarehouseError if it is not one read-only statement."""
    text = check_read_only(sql, find_capabilities(workspace.parent.warehouse_settings).dialect.name)
    return Query(workspace=workspace, build_sql=lambda _: text)


def run_query(workspace: TenantWorkspace, sql: str) -> QueryResult:
    """Execute one read-only statement. WarehouseError if it could write."""
    return build_query(workspace, sql).fetch()


@contextmanager
def _explain_refusal() -> Iterator[None]:
    """Give a refused statement a hint for the person who wrote it, instead of repeating the statement."""
    try:
        yield
    except WarehouseError as error:
        if not error.hint.startswith("the statement was"):
            raise
        hint = "`headwater status` lists the tables, `headwater explain NAME` the columns of one of them"
        raise WarehouseError(error.message, where=error.where, details=error.details, hint=hint) from error


def _to_utc(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
