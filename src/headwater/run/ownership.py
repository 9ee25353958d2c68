"""Records which ledger owns the warehouse and the lake of a tenant, so that no two projects write to the same location.

A ledger knows which windows were read and which batches landed. If two ledgers wrote to one warehouse, each would delete
records that only the service of the other one has. So the first run stores the id of its ledger in the warehouse and in
the lake, and each run checks it before it writes.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict

from headwater.errors import DeclarationError
from headwater.lake.base import Lake
from headwater.ledger.base import Ledger
from headwater.silver.owner import NAMES, Owner, find_owner, save_owner
from headwater.warehouse.base import Warehouse

_ALL_TENANTS = ""
"""The tenant of the marks with the ledger id, so that a tenant that is removed and added again keeps its id."""


def ensure_owner(ledger: Ledger, tenant: str, project: str) -> Owner:
    """The owner of the locations of a tenant. The caller must hold the tenant's lease; the first call creates the ledger id."""
    name = _find_ledger_name(ledger, tenant)
    if name is None:
        name = uuid.uuid4().hex
        ledger.set_mark(_ALL_TENANTS, f"places:{tenant}", name)
    return Owner(ledger=name, tenant=tenant, project=project)


def claim_warehouse(warehouse: Warehouse, owner: Owner, ledger: Ledger, *, where: str, force: bool = False) -> None:
    """Claim the warehouse for `owner`. DeclarationError if it belongs to another ledger.

    With `force`, take it over from any owner.
    """
    current = None if force else find_owner(warehouse)
    if current is not None:
        _check_owner(current, owner, ledger, where=where, place="warehouse")
    if current is None or current.tenant != owner.tenant:
        save_owner(warehouse, owner)


def claim_lake(lake: Lake, owner: Owner, ledger: Ledger, *, where: str, force: bool = False) -> None:
    """Claim the tenant's part of the lake, like `claim_warehouse`."""
    path = f"{lake.tenant}/owner.json"
    current = None if force or lake.read_size(path) is None else _parse_owner(lake.read(path))
    if current is not None:
        _check_owner(current, owner, ledger, where=where, place="lake")
    if current is None or current.tenant != owner.tenant:
        lake.write(path, json.dumps(asdict(owner)).encode())


def _find_ledger_name(ledger: Ledger, tenant: str) -> str | None:
    return ledger.get_mark(_ALL_TENANTS, f"places:{tenant}")


def _parse_owner(body: bytes) -> Owner | None:
    """Parse the owner file. None if it is incomplete, as after a power failure."""
    try:
        values = json.loads(body)
    except ValueError:
        return None
    return Owner(**{name: str(values.get(name, "")) for name in NAMES}) if isinstance(values, dict) else None


def _check_owner(current: Owner, owner: Owner, ledger: Ledger, *, where: str, place: str) -> None:
    # A renamed tenant also belongs to this ledger. Tenants of one project are compared in `run.isolation`.
    if current.ledger == (
        owner.ledger if current.tenant == owner.tenant else _find_ledger_name(ledger, current.tenant)
    ):
        return
    raise DeclarationError(
        f"This {place} belongs to another project, or to another ledger of this project; nothing was written.",
        where=where,
        details=f"it belongs to tenant `{current.tenant}` of the project `{current.project}`, with another ledger",
        hint=f"give each project its own location. If the other ledger no longer exists: `headwater tenant claim {owner.tenant}`",
    )
