"""Where the corpus works: tenants of its own in somebody's warehouse, made when they are needed and erased at the end."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Callable
from contextlib import suppress

from headwater.errors import HeadwaterError, SafetyCheckError
from headwater.warehouse.base import LAYERS, Warehouse
from headwater.warehouse.duckdb.engine import DuckDB

Open = Callable[[str], Warehouse]
"""Opens a tenant's warehouse."""

Start = Callable[[str, int], "subprocess.Popen[str]"]
"""Starts a process that merges into a tenant's warehouse, for us to kill; the number says what it merges."""


class SelfTestTenants:
    """Tenants `name`, `name-2`, `name-3` … of one warehouse, and whatever of them is open.

    Nothing is ever emptied: examples have keys of their own (`next_number`), so that many of them share a tenant.
    """

    def __init__(self, name: str, opens: Open, *, start: Start | None = None, alone: str = "") -> None:
        self.name = name
        self.start = start
        self.alone = alone
        """Why no other process can open this warehouse, where none can."""
        self._opens = opens
        self._made: list[str] = []
        self._open: dict[str, Warehouse] = {}
        self._shared: dict[str, str] = {}
        self._numbers = itertools.count(1)
        self._places = itertools.count(1)
        self._judge: Warehouse | None = None
        self._notes: dict[str, None] = {}

    @property
    def tenants(self) -> tuple[str, ...]:
        """The tenants that are there now because of us."""
        return tuple(self._made)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the warehouses that were open lack and do without."""
        return tuple(self._notes)

    def next_number(self) -> int:
        """A number that no example had before."""
        return next(self._numbers)

    def check_reachable(self) -> None:
        """Nothing when the warehouse opens and has room for a tenant of ours; the error that says why it does not."""
        self.erase(self.create_tenant().tenant)

    def create_tenant(self) -> Warehouse:
        """The warehouse of a tenant that nobody has used; GuardError where something is there already."""
        place = next(self._places)
        tenant = self.name if place == 1 else f"{self.name}-{place}"
        self._made.append(tenant)
        warehouse = self.reopen(tenant)
        there = [f"{layer}.{name}" for layer in LAYERS for name in warehouse.tables(layer)]
        if there:
            self._made.remove(tenant)
            self.close_tenant(tenant)
            raise SafetyCheckError(
                "A new tenant already has tables in its location, so the self-test does not run here.",
                where=tenant,
                details=", ".join(there[:5]),
                hint="give each tenant its own location: put {tenant} into the path",
            )
        return warehouse

    def shared_tenant(self, role: str, prepare: Callable[[Warehouse], object]) -> Warehouse:
        """The warehouse of the tenant that plays `role`, prepared when it is first asked for."""
        tenant = self._shared.get(role)
        if tenant is not None:
            return self._open.get(tenant) or self.reopen(tenant)
        warehouse = self.create_tenant()
        prepare(warehouse)
        self._shared[role] = warehouse.tenant
        return warehouse

    def reopen(self, tenant: str) -> Warehouse:
        """A tenant's warehouse, opened."""
        self._open[tenant] = self._opens(tenant)
        return self._open[tenant]

    def close_tenant(self, tenant: str) -> None:
        """Close a tenant's warehouse, in whatever state it is."""
        warehouse = self._open.pop(tenant, None)
        if warehouse is not None:
            self._notes |= dict.fromkeys(warehouse.notes)
            with suppress(HeadwaterError):
                warehouse.close()

    def abandon(self) -> None:
        """Erase what is there so far: after an error nobody knows in what state it is. Roles get new tenants."""
        self._shared.clear()
        for tenant in self.tenants:
            with suppress(HeadwaterError):
                self.erase(tenant)

    def shared_reference(self, prepare: Callable[[Warehouse], object]) -> Warehouse:
        """DuckDB in memory, which other engines are held against."""
        if self._judge is None:
            self._judge = self.new_reference()
            prepare(self._judge)
        return self._judge

    def new_reference(self) -> Warehouse:
        """Another one, with nothing in it; whoever asks for it closes it."""
        return DuckDB("judge", ":memory:", threads=1)

    def erase(self, tenant: str) -> None:
        """Remove a tenant of ours, and all that it has."""
        self.close_tenant(tenant)
        self._opens(tenant).erase()
        self._made.remove(tenant)

    def close(self, *, keep: bool = False) -> None:
        """Close everything, and erase every tenant of ours unless they are to be kept.

        What cannot be erased is still among `tenants` afterwards.
        """
        for tenant in self.tenants:
            self.close_tenant(tenant)
        if not keep:
            self.abandon()
        if self._judge is not None:
            self._judge.close()
