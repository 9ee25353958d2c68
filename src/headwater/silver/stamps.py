"""Findings about change stamps: records that have none, and records that say they are from the future."""

from __future__ import annotations

from collections.abc import Sequence

from headwater.clock import from_micros, iso
from headwater.names import literal
from headwater.silver.merged import Finding
from headwater.silver.reading import Arrival
from headwater.warehouse.base import Warehouse


def find_stamps(warehouse: Warehouse, staged: str, stamping: Sequence[Arrival]) -> list[Finding]:
    """Staged events of batches whose source promises a stamp, and that have none that can be believed.

    The read's own instant stands for it, or the end of its window where there is none at all.
    """
    if not stamping:
        return []
    ids = ", ".join(literal(arrival.batch.id) for arrival in stamping)
    among = f"FROM {staged} WHERE _unstamped AND batch_id IN ({ids})"
    counts = warehouse.rows(
        f"SELECT batch_id, COUNT(*), COUNT(stamp), MAX(stamp) {among} GROUP BY batch_id ORDER BY batch_id"
    )
    findings = []
    for batch, both, future, stamp in counts:
        if both > future:
            findings.append(Finding(finding="no change stamp", count=both - future, detail=f"batch {batch}"))
        if future:
            key = warehouse.rows(f"SELECT MIN(entity_key) {among} AND batch_id = {literal(batch)} AND stamp = {stamp}")[
                0
            ][0]
            said = f"batch {batch}: {key} says {iso(from_micros(stamp))}; such records count as of their read"
            findings.append(Finding(finding="future_stamp", count=future, detail=said))
    return findings
