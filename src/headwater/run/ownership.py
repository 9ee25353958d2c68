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


def owner_of(ledger: Ledger, tenant: str, project: str) -> Owner:
    """Who writes a tenant's places. Only for whoever holds the tenant's lease: the first one gives the ledger its name."""
    known = _name_of(ledger, tenant)
    if known is None:
        known = uuid.uuid4().hex
        ledger.set_mark(_EVERYBODY, f"places:{tenant}", known)
    return Owner(ledger=known, tenant=tenant, project=project)


def own_warehouse(warehouse: Warehouse, owner: Owner, ledger: Ledger, *, where: str, claim: bool = False) -> None:
    """Nothing where the warehouse is this ledger's, or nobody's until now; DeclarationError where it is another one's.

    With `claim` it is this owner's from now on, whosever it was.
    """
    known = None if claim else find_owner(warehouse)
    if known is not None:
        _check(known, owner, ledger, where=where, place="warehouse")
    if known is None or known.tenant != owner.tenant:
        save_owner(warehouse, owner)


def own_lake(lake: Lake, owner: Owner, ledger: Ledger, *, where: str, claim: bool = False) -> None:
    """As `own_warehouse`, for a tenant's part of the lake."""
    path = f"{lake.tenant}/owner.json"
    known = None if claim or lake.size(path) is None else _read(lake.read(path))
    if known is not None:
        _check(known, owner, ledger, where=where, place="lake")
    if known is None or known.tenant != owner.tenant:
        lake.write(path, json.dumps(asdict(owner)).encode())


def _name_of(ledger: Ledger, tenant: str) -> str | None:
    return ledger.get_mark(_EVERYBODY, f"places:{tenant}")


def _read(body: bytes) -> Owner | None:
    """The owner in a file; None where a loss of power left no more than its name."""
    try:
        told = json.loads(body)
    except ValueError:
        return None
    return Owner(**{name: str(told.get(name, "")) for name in NAMES}) if isinstance(told, dict) else None


def _check(known: Owner, owner: Owner, ledger: Ledger, *, where: str, place: str) -> None:
    # A tenant that was called otherwise is of this ledger, too: tenants of one project are held against each other elsewhere.
    if known.ledger == (owner.ledger if known.tenant == owner.tenant else _name_of(ledger, known.tenant)):
        return
    raise DeclarationError(
        f"This {place} belongs to another project, or to another ledger of this project; nothing was written.",
        where=where,
        details=f"it belongs to tenant `{known.tenant}` of the project `{known.project}`, with another ledger",
        hint=f"give each project its own location. If the other ledger no longer exists: `headwater tenant claim {owner.tenant}`",
    )
