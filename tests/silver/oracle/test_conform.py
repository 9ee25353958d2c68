"""Sets of batches, conformed in any order, batching and repetition, against the oracle; every column, on every engine.

HEADWATER_EXAMPLES raises how many sets are drawn, `--hypothesis-seed` says which. A set that disagrees is made smaller
before it is shown.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from headwater.silver.conform import conform
from headwater.silver.mapping import LandedBatch
from tests.silver.oracle.chance import TOGETHER, Case, Pack, packs
from tests.silver.oracle.landing import arrival_of, reading_of
from tests.silver.oracle.smaller import smallest
from tests.silver.oracle.stage import NAMES, OVERWRITTEN, WIDGET, expected, opened, stored
from tests.silver.oracle.taken import history

EXAMPLES = int(os.environ.get("HEADWATER_EXAMPLES", "30"))
MANY = settings(
    derandomize="HEADWATER_EXAMPLES" not in os.environ,
    max_examples=-(-EXAMPLES // TOGETHER),
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

pytestmark = pytest.mark.timeout(max(300, 30 * EXAMPLES))


def conformed(warehouse, pack: Pack) -> None:
    """Take the batches as they come."""
    readings = {name: reading_of(source) for name, source in pack.sources.items()}
    come: dict[tuple[str, str, str], LandedBatch] = {}
    with tempfile.TemporaryDirectory() as folder:
        for call in pack.calls:
            here = [arrival_of(batch, case.parcels[batch.id], Path(folder)) for case, batch in call]
            come.update({(one.batch.feed.connection, one.source, one.batch.id): one for one in here})
            conform(warehouse, WIDGET, readings, here, load_landed=lambda: tuple(come.values()))


def said_of(case: Case, pack: Pack) -> list[tuple]:
    return expected(history(case.batches, pack.sources, NAMES, OVERWRITTEN))


def disagreeing(engine, pack: Pack) -> list[tuple[Case, object]]:
    """The sets whose history is another than the oracle's, with what is stored of them."""
    with opened(engine) as warehouse:
        try:
            conformed(warehouse, pack)
        except Exception as error:
            if len(pack.cases) > 1:
                return [
                    one for case in pack.cases for one in disagreeing(engine, Pack(pack.sources, (case,), pack.mode))
                ]
            return [(pack.cases[0], error)]
        found = [(case, stored(warehouse, case.connection)) for case in pack.cases]
        return [(case, rows) for case, rows in found if rows != said_of(case, pack)]


@MANY
@given(pack=packs())
def test_batches_are_the_history_of_the_oracle_however_they_come(engine, pack):
    if not (found := disagreeing(engine, pack)):
        return
    less = smallest(pack, found[0][0], lambda one: bool(disagreeing(engine, one)))
    case, rows = disagreeing(engine, less)[0]
    pytest.fail(f"{less}\nstored: {rows}\noracle: {said_of(case, less)}")
