"""The tenants that the checks use: created in the user's warehouse when they are needed, and erased at the end."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Callable
from contextlib import suppress

from headwater.errors import HeadwaterError, SafetyCheckError
from headwater.warehouse.base import LAYERS, Warehouse
from headwater.warehouse.duckdb.engine import DuckDB

OpenWarehouse = Callable[[str], Warehouse]
"""Opens the warehouse of a tenant."""

StartMerge = Callable[[str, int], "subprocess.Popen[str]"]
"""Starts a process that merges into the warehouse of a tenant, so that it can be killed. The number selects the events."""


class SelfTestTenants:
    """The tenants `name`, `name-2`, `name-3` … of one warehouse, and their open warehouses.

    Tables are never emptied. Each example has its own keys (`take_number`), so that many examples share a tenant.
    """

    def __init__(
        self,
        name: str,
        open_warehouse: OpenWarehouse,
        *,
        start_merge: StartMerge | None = None,
        exclusive_reason: str = "",
    ) -> None:
        self.name = name
        self.start_merge = start_merge
        self.exclusive_reason = exclusive_reason
        """Why no other process can open this warehouse; empty if one can."""
        self._open_warehouse = open_warehouse
        self._tenants: list[str] = []
        self._warehouses: dict[str, Warehouse] = {}
        self._roles: dict[str, str] = {}
        self._numbers = itertools.count(1)
        self._suffixes = itertools.count(1)
        self._reference: Warehouse | None = None
        self._notes: dict[str, None] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The tenants that were created and still exist."""
        return tuple(self._tenants)

    @property
    def notes(self) -> tuple[str, ...]:
        """The features that the opened warehouses lack."""
        return tuple(self._notes)

    def take_number(self) -> int:
        """A number that no other example has."""
        return next(self._numbers)

    def check_reachable(self) -> None:
        """Create a tenant and erase it. The errors are those of `create_tenant`."""
        self.erase(self.create_tenant().tenant)

    def create_tenant(self) -> Warehouse:
        """The empty warehouse of a new tenant; SafetyCheckError if it already has tables."""
        number = next(self._suffixes)
        tenant = self.name if number == 1 else f"{self.name}-{number}"
        self._tenants.append(tenant)
        warehouse = self.reopen(tenant)
        tables = [f"{layer}.{name}" for layer in LAYERS for name in warehouse.tables(layer)]
        if tables:
            self._tenants.remove(tenant)
            self.close_tenant(tenant)
            raise SafetyCheckError(
                "A new tenant already has tables in its location, so the self-test does not run here.",
                where=tenant,
                details=", ".join(tables[:5]),
                hint="give each tenant its own location: put {tenant} into the path",
            )
        return warehouse

    def open_shared_tenant(self, role: str, prepare: Callable[[Warehouse], object]) -> Warehouse:
        """The warehouse of the tenant with this role. The first call creates the tenant and prepares its warehouse."""
        tenant = self._roles.get(role)
        if tenant is not None:
            return self._warehouses.get(tenant) or self.reopen(tenant)
        warehouse = self.create_tenant()
        prepare(warehouse)
        self._roles[role] = warehouse.tenant
        return warehouse

    def reopen(self, tenant: str) -> Warehouse:
        """The warehouse of a tenant, opened again."""
        self._warehouses[tenant] = self._open_warehouse(tenant)
        return self._warehouses[tenant]

    def close_tenant(self, tenant: str) -> None:
        """Close the warehouse of a tenant. Errors are ignored."""
        warehouse = self._warehouses.pop(tenant, None)
        if warehouse is not None:
            self._notes |= dict.fromkeys(warehouse.notes)
            with suppress(HeadwaterError):
                warehouse.close()

    def describe_failure(self, find_difference: Callable[[], str]) -> str:
        """The difference that a check finds, or the error that it meets; empty if it finds none.

        A failure can leave tables in any state. The next example must not find them, so the tenants are abandoned.
        """
        try:
            difference = find_difference()
        except HeadwaterError as error:
            difference = str(error)
        except Exception as error:  # noqa: BLE001 - any error of an engine or its driver breaks the guarantee
            difference = f"{type(error).__name__}: {error}"
        if difference:
            self.abandon()
        return difference

    def abandon(self) -> None:
        """Erase all tenants, because a failure left them in an unknown state. Roles get new tenants. Errors are ignored."""
        self._roles.clear()
        for tenant in self.names:
            with suppress(HeadwaterError):
                self.erase(tenant)

    def open_shared_reference(self, prepare: Callable[[Warehouse], object]) -> Warehouse:
        """The in-memory DuckDB that all examples share. The first call prepares it."""
        if self._reference is None:
            self._reference = self.open_reference()
            prepare(self._reference)
        return self._reference

    def open_reference(self) -> Warehouse:
        """A new, empty in-memory DuckDB, to compare other engines with. The caller closes it."""
        return DuckDB("judge", ":memory:", threads=1)

    def erase(self, tenant: str) -> None:
        """Erase one of the tenants and all its data."""
        self.close_tenant(tenant)
        self._open_warehouse(tenant).erase()
        self._tenants.remove(tenant)

    def close(self, *, keep: bool = False) -> None:
        """Close all warehouses, and erase the tenants unless `keep` is set. `names` has those that could not be erased."""
        for tenant in self.names:
            self.close_tenant(tenant)
        if not keep:
            self.abandon()
        if self._reference is not None:
            self._reference.close()
