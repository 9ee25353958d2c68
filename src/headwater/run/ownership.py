"""To which ledger a tenant's warehouse and its part of the lake belong: no two projects write into one place.

A ledger knows which windows were read and which batches landed. Where two of them wrote into one warehouse, each would
close what only the other one's service shows. So each place has a mark of its ledger, set by the first run and looked at
before anything is written.
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

_EVERYBODY = ""
"""The tenant under which a ledger keeps what it calls itself: a tenant that is removed and comes back is the same one."""


def ensure_owner(ledger: Ledger, tenant: str, project: str) -> Owner:
    """Who writes a tenant's places. Only for whoever holds the tenant's lease: the first one gives the ledger its name."""
    name = _find_ledger_name(ledger, tenant)
    if name is None:
        name = uuid.uuid4().hex
        ledger.set_mark(_EVERYBODY, f"places:{tenant}", name)
    return Owner(ledger=name, tenant=tenant, project=project)


def claim_warehouse(warehouse: Warehouse, owner: Owner, ledger: Ledger, *, where: str, force: bool = False) -> None:
    """Nothing where the warehouse is this ledger's, or nobody's until now; DeclarationError where it is another one's.

    With `claim` it is this owner's from now on, whosever it was.
    """
    current = None if force else find_owner(warehouse)
    if current is not None:
        _check_owner(current, owner, ledger, where=where, place="warehouse")
    if current is None or current.tenant != owner.tenant:
        save_owner(warehouse, owner)


def claim_lake(lake: Lake, owner: Owner, ledger: Ledger, *, where: str, force: bool = False) -> None:
    """As `own_warehouse`, for a tenant's part of the lake."""
    path = f"{lake.tenant}/owner.json"
    current = None if force or lake.read_size(path) is None else _parse_owner(lake.read(path))
    if current is not None:
        _check_owner(current, owner, ledger, where=where, place="lake")
    if current is None or current.tenant != owner.tenant:
        lake.write(path, json.dumps(asdict(owner)).encode())


def _find_ledger_name(ledger: Ledger, tenant: str) -> str | None:
    return ledger.get_mark(_EVERYBODY, f"places:{tenant}")


def _parse_owner(body: bytes) -> Owner | None:
    """The owner in a file; None where a loss of power left no more than its name."""
    try:
        values = json.loads(body)
    except ValueError:
        return None
    return Owner(**{name: str(values.get(name, "")) for name in NAMES}) if isinstance(values, dict) else None


def _check_owner(current: Owner, owner: Owner, ledger: Ledger, *, where: str, place: str) -> None:
    # A tenant that was called otherwise is of this ledger, too: tenants of one project are held against each other elsewhere.
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
