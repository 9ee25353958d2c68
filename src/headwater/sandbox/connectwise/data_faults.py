"""What faults do to the records themselves: changes while somebody reads, late rows, circles, vanished contacts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from headwater.sandbox.connectwise.clock import stamp
from headwater.sandbox.connectwise.collection import Collection
from headwater.sandbox.connectwise.faults import Fault, FaultError
from headwater.sandbox.connectwise.records.base import Record, Stamp, attributes
from headwater.sandbox.connectwise.records.finance import Agreement
from headwater.sandbox.connectwise.simulation import Simulation
from headwater.sandbox.connectwise.state import Firm, agreement_ref

CULPRIT = "laumupuki"
"""Who is said to have changed what a fault changed."""

_TEXTS = ("summary", "notes", "description", "title", "name", "reference")


def happen(simulation: Simulation, fault: Fault) -> dict[str, Any]:
    """Do at once what the fault says; the answer tells which records it touched."""
    deeds: dict[str, Callable[[Firm, Fault], dict[str, Any]]] = {
        "late_rows": _late_rows,
        "circle": lambda firm, _: _circle(firm),
        "drop_contact": _drop_contact,
    }
    simulation.advance(timedelta(seconds=1))
    return deeds[fault.kind](simulation.firm, fault)


def mutate(simulation: Simulation, collection: Collection[Any], records: Sequence[Record], *, count: int) -> None:
    """Change some records of a page that was just served, one second later."""
    simulation.advance(timedelta(seconds=1))
    firm = simulation.firm
    kind: type[Record] = collection.kind
    known = attributes(kind).values()
    text = next((name for name in _TEXTS if name in known), None)
    for record in records[:count]:
        if text:
            before = str(getattr(record, text) or "").split(" (breytt")[0]
            setattr(record, text, f"{before} (breytt {stamp(firm.now)})")
        collection.touch(record, firm.changed(record, CULPRIT))


def _late_rows(firm: Firm, fault: Fault) -> dict[str, Any]:
    """New records that bear an old stamp, as if they had been committed days after they were stamped."""
    collection = _collection(firm, fault)
    old = stamp(firm.now - timedelta(days=int(fault.settings.get("days", 3))))
    info = Stamp(last_updated=old, updated_by=CULPRIT, date_entered=old, entered_by=CULPRIT)
    models = list(collection.rows.values())[-int(fault.settings.get("records", 1)) :]
    late = [collection.add(replace(model, id=collection.next_id(), info=info)) for model in models]
    return {"ids": [record.id for record in late], "lastUpdated": old}


def _circle(firm: Firm) -> dict[str, Any]:
    """The root of a chain of agreements gets one of its descendants as its parent."""
    rows = firm.agreements.rows
    below = next((one for one in reversed(rows.values()) if one.parent_agreement and _root(rows, one)), None)
    root = _root(rows, below) if below else None
    if below is None or root is None:
        raise FaultError("no chain of agreements is left to turn into a cycle")
    root.parent_agreement = agreement_ref(below)
    firm.agreements.touch(root, firm.changed(root, CULPRIT))
    return {"ids": [root.id, below.id]}


def _root(rows: dict[int, Agreement], agreement: Agreement) -> Agreement | None:
    """Where a chain of parents ends; None if it never does."""
    seen = set()
    while agreement.parent_agreement is not None:
        if agreement.id in seen:
            return None
        seen.add(agreement.id)
        agreement = rows[agreement.parent_agreement.id]
    return agreement


def _drop_contact(firm: Firm, fault: Fault) -> dict[str, Any]:
    """A contact vanishes: the one named, or the newest."""
    ident = fault.settings.get("id") or max(firm.contacts.rows, default=0)
    if ident not in firm.contacts.rows:
        raise FaultError(f"there is no contact {ident}")
    contact = firm.contacts.remove(ident)
    people = firm.desk.people[contact.company.id]
    if ident in people:
        people.remove(ident)
    return {"ids": [ident]}


def _collection(firm: Firm, fault: Fault) -> Collection[Any]:
    found = firm.collections.get(fault.path or "")
    if found is None:
        raise FaultError(f"{fault.kind} needs the path of a collection; known: {', '.join(firm.collections)}")
    return found
