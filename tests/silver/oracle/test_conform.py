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
from tests.silver.oracle.generate import TOGETHER, Case, Pack, draw_pack
from tests.silver.oracle.history import build_history
from tests.silver.oracle.landing import build_mapping, land_batch
from tests.silver.oracle.shrink import shrink
from tests.silver.oracle.stage import NAMES, OVERWRITTEN, WIDGET, open_warehouse, read_stored, to_stored_rows

EXAMPLES = int(os.environ.get("HEADWATER_EXAMPLES", "30"))
MANY = settings(
    derandomize="HEADWATER_EXAMPLES" not in os.environ,
    max_examples=-(-EXAMPLES // TOGETHER),
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

pytestmark = pytest.mark.timeout(max(300, 30 * EXAMPLES))


def conform_pack(warehouse, pack: Pack) -> None:
    """Take the batches as they come."""
    readings = {name: build_mapping(source) for name, source in pack.sources.items()}
    come: dict[tuple[str, str, str], LandedBatch] = {}
    with tempfile.TemporaryDirectory() as folder:
        for call in pack.calls:
            here = [land_batch(batch, case.parcels[batch.id], Path(folder)) for case, batch in call]
            come.update({(one.batch.feed.connection, one.source, one.batch.id): one for one in here})
            conform(warehouse, WIDGET, readings, here, load_landed=lambda: tuple(come.values()))


def build_expected(case: Case, pack: Pack) -> list[tuple]:
    return to_stored_rows(build_history(case.batches, pack.sources, NAMES, OVERWRITTEN))


def find_mismatches(engine, pack: Pack) -> list[tuple[Case, object]]:
    """The sets whose history is another than the oracle's, with what is stored of them."""
    with open_warehouse(engine) as warehouse:
        try:
            conform_pack(warehouse, pack)
        except Exception as error:
            if len(pack.cases) > 1:
                return [
                    one
                    for case in pack.cases
                    for one in find_mismatches(engine, Pack(pack.sources, (case,), pack.mode))
                ]
            return [(pack.cases[0], error)]
        histories = [(case, read_stored(warehouse, case.connection)) for case in pack.cases]
        return [(case, rows) for case, rows in histories if rows != build_expected(case, pack)]


@MANY
@given(pack=draw_pack())
def test_batches_are_the_history_of_the_oracle_however_they_come(engine, pack):
    if not (mismatches := find_mismatches(engine, pack)):
        return
    less = shrink(pack, mismatches[0][0], lambda one: bool(find_mismatches(engine, one)))
    case, rows = find_mismatches(engine, less)[0]
    pytest.fail(f"{less}\nstored: {rows}\noracle: {build_expected(case, less)}")
