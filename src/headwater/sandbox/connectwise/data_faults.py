"""Faults that change records: changes during paging, late rows, cycles and deleted contacts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from headwater.sandbox.connectwise.clock import format_timestamp
from headwater.sandbox.connectwise.collection import Collection
from headwater.sandbox.connectwise.faults import Fault, FaultError
from headwater.sandbox.connectwise.records.base import ChangeStamp, Record, map_wire_names
from headwater.sandbox.connectwise.records.finance import Agreement
from headwater.sandbox.connectwise.simulation import Simulation
from headwater.sandbox.connectwise.state import PsaState, build_agreement_ref

FAULT_USER = "laumupuki"
"""The user in `_info.updatedBy` of records that a fault changed."""

_TEXTS = ("summary", "notes", "description", "title", "name", "reference")


def apply_fault(simulation: Simulation, fault: Fault) -> dict[str, Any]:
    """Apply a fault immediately. Return the ids of the records that it changed."""
    actions: dict[str, Callable[[PsaState, Fault], dict[str, Any]]] = {
        "late_rows": _add_late_rows,
        "circle": lambda state, _: _create_cycle(state),
        "drop_contact": _drop_contact,
    }
    simulation.advance(timedelta(seconds=1))
    return actions[fault.kind](simulation.state, fault)


def change_records(
    simulation: Simulation, collection: Collection[Any], records: Sequence[Record], *, count: int
) -> None:
    """Advance the clock by one second and change the first `count` of `records`, a page that was just served."""
    simulation.advance(timedelta(seconds=1))
    state = simulation.state
    kind: type[Record] = collection.kind
    names = map_wire_names(kind).values()
    text = next((name for name in _TEXTS if name in names), None)
    for record in records[:count]:
        if text:
            before = str(getattr(record, text) or "").split(" (breytt")[0]
            setattr(record, text, f"{before} (breytt {format_timestamp(state.now)})")
        collection.touch(record, state.build_change_stamp(record, FAULT_USER))


def _add_late_rows(state: PsaState, fault: Fault) -> dict[str, Any]:
    """Add records with an old `lastUpdated`, as if they had been committed days after that time."""
    collection = _find_collection(state, fault)
    timestamp = format_timestamp(state.now - timedelta(days=int(fault.settings.get("days", 3))))
    info = ChangeStamp(last_updated=timestamp, updated_by=FAULT_USER, date_entered=timestamp, entered_by=FAULT_USER)
    templates = list(collection.rows.values())[-int(fault.settings.get("records", 1)) :]
    records = [collection.add(replace(model, id=collection.issue_id(), info=info)) for model in templates]
    return {"ids": [record.id for record in records], "lastUpdated": timestamp}


def _create_cycle(state: PsaState) -> dict[str, Any]:
    """Make a descendant the parent of the root of a chain of agreements."""
    rows = state.agreements.rows
    descendant = next(
        (
            agreement
            for agreement in reversed(rows.values())
            if agreement.parent_agreement and _find_root(rows, agreement)
        ),
        None,
    )
    root = _find_root(rows, descendant) if descendant else None
    if descendant is None or root is None:
        raise FaultError("no chain of agreements is left to turn into a cycle")
    root.parent_agreement = build_agreement_ref(descendant)
    state.agreements.touch(root, state.build_change_stamp(root, FAULT_USER))
    return {"ids": [root.id, descendant.id]}


def _find_root(rows: dict[int, Agreement], agreement: Agreement) -> Agreement | None:
    """Return the last agreement of a chain of parents, or None if the chain is a cycle."""
    ancestors = set()
    while agreement.parent_agreement is not None:
        if agreement.id in ancestors:
            return None
        ancestors.add(agreement.id)
        agreement = rows[agreement.parent_agreement.id]
    return agreement


def _drop_contact(state: PsaState, fault: Fault) -> dict[str, Any]:
    """Delete a contact: the one with the `id` of the fault, or the newest one."""
    ident = fault.settings.get("id") or max(state.contacts.rows, default=0)
    if ident not in state.contacts.rows:
        raise FaultError(f"there is no contact {ident}")
    contact = state.contacts.remove(ident)
    contact_ids = state.indexes.contacts_by_company[contact.company.id]
    if ident in contact_ids:
        contact_ids.remove(ident)
    return {"ids": [ident]}


def _find_collection(state: PsaState, fault: Fault) -> Collection[Any]:
    collection = state.collections.get(fault.path or "")
    if collection is None:
        raise FaultError(f"{fault.kind} needs the path of a collection; known: {', '.join(state.collections)}")
    return collection
