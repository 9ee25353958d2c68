"""The promises of gold (DESIGN, section 7), and those invariants that the star keeps."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from headwater.testing.conformance.history import generate
from headwater.testing.conformance.history.suite import shown as shown_history
from headwater.testing.conformance.property import Property
from headwater.testing.conformance.shrink import Batches
from headwater.testing.conformance.star import checks
from headwater.testing.conformance.star import rebuild_checks as whole
from headwater.testing.conformance.star.generate import apart, company, owners, work, work_before_members
from headwater.testing.conformance.star.load import Said
from headwater.testing.conformance.tenants import Ground
from headwater.testing.tables import draw

WHOLE = 0.06
"""The whole star has tenants of its own for each example: a few are enough."""


def shown(batches: Batches[Said]) -> str:
    """An example, drawn: a table for each entity, with the columns that anything is said of."""
    said = [(number, one) for number, batch in enumerate(batches, 1) for one in batch]
    pictures = []
    for entity in dict.fromkeys(one.entity for _, one in said):
        rows = [
            {
                "arrives": number,
                "key": one.seen.key,
                "at": one.seen.sequence,
                "op": one.seen.operation,
                **one.seen.values,
            }
            for number, one in said
            if one.entity == entity
        ]
        used = [
            name
            for name in dict.fromkeys(name for row in rows for name in row)
            if any(_given(row, name) for row in rows)
        ]
        pictures.append(f"{entity}\n{draw(used, rows)}")
    return "\n".join(pictures)


def _given(row: dict[str, object], name: str) -> bool:
    return row.get(name) is not None


def _line(
    name: str,
    promise: str,
    check: Callable[[Ground, Batches[Said]], str],
    drawn: Callable[[Random], Batches[Said]],
    part: float,
) -> Property[Said]:
    return Property(name=name, promise=promise, draw=drawn, check=check, apart=apart, show=shown, part=part)


OVERWRITTEN = Property(
    name="6",
    promise="what is overwritten is the newest value on all versions",
    draw=generate.in_any_order,
    check=checks.newest_and_first,
    apart=generate.apart,
    show=shown_history,
)

STAR: tuple[Property[Said], ...] = (
    _line("6-star", "T1 is the last value, T0 the first, T2 what the events say", checks.members, owners, 0.6),
    _line("14-star", "the same star as DuckDB in memory", whole.like_duckdb, company, WHOLE),
    _line("point-in-time", "a fact points at the version of its instant", checks.point_in_time, work, 0.6),
    _line("inferred", "a member met early keeps its key when it comes", checks.met_early, work_before_members, 0.4),
    _line("re-pointing", "late news point anew exactly the facts they change", checks.pointed_anew, work, 0.4),
    _line("stable-keys", "a star that grew is the one made at once, key for key", whole.same_keys, company, WHOLE),
    _line("star-replay", "a replay writes nothing to gold", whole.replayed, company, WHOLE),
    _line("star-rebuild", "a rebuild of gold is identical", whole.rebuilt, company, WHOLE),
    _line("reserved", "every key resolves; -1, -2 and -3 mean what they should", whole.reserved, company, WHOLE),
)
