"""Sets of batches, conformed in any order, batching and repetition, against the oracle; every column, on every engine.

HEADWATER_EXAMPLES raises how many sets are drawn.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings

from headwater.silver.conform import conform
from headwater.silver.reading import Arrival
from tests.silver.oracle.chance import TOGETHER, Pack, packs
from tests.silver.oracle.landing import arrival_of, reading_of
from tests.silver.oracle.stage import NAMES, OVERWRITTEN, WIDGET, expected, opened, stored
from tests.silver.oracle.taken import history

EXAMPLES = int(os.environ.get("HEADWATER_EXAMPLES", "30"))
MANY = settings(
    derandomize="HEADWATER_EXAMPLES" not in os.environ,
    max_examples=-(-EXAMPLES // TOGETHER),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def conformed(warehouse, pack: Pack) -> None:
    """Take the batches as they come."""
    readings = {name: reading_of(source) for name, source in pack.sources.items()}
    come: dict[tuple[str, str, str], Arrival] = {}
    with tempfile.TemporaryDirectory() as folder:
        for call in pack.calls:
            here = [arrival_of(batch, case.parcels[batch.id], Path(folder)) for case, batch in call]
            come.update({(one.batch.feed.connection, one.source, one.batch.id): one for one in here})
            conform(warehouse, WIDGET, readings, here, everything=lambda: tuple(come.values()))


@MANY
@given(pack=packs())
def test_batches_are_the_history_of_the_oracle_however_they_come(engine, pack):
    with opened(engine) as warehouse:
        conformed(warehouse, pack)
        for case in pack.cases:
            said = expected(history(case.batches, pack.sources, NAMES, OVERWRITTEN))
            assert stored(warehouse, case.connection) == said, f"{pack.mode}\n{case}"
