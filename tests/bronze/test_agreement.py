from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headwater.bronze import scan
from headwater.bronze.contract import with_required
from headwater.bronze.exact import format_number
from tests.bronze.bench import FIELDS, Bench, to_instant

_TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=6)
_INSTANTS = st.datetimes(to_instant("1000-01-01"), to_instant("9000-01-01")).map(lambda instant: instant.isoformat())
_ZONES = st.sampled_from(["", "Z", "+00:00", "-05:30", "+0200", "+02", " Z", "z"])
_ODD = st.sampled_from([
    "abc", "12", " 12 ", "1.5", "0x1F", "1_000", "1,000", "true", "t", "yes", "maybe", "", "NaN", "infinity", "epoch",
    "2015-12-24T22: 08: 22Z", "1800-01-01T08:00:00Z", "2015-12-24", "2015-1-4", "2015-13-24", "24:00:00", "null",
    "2015-12-24T22:08", "2015-12-24T22:08:22 UTC", "2015-12-24T24:00:00Z", "2015-12-24T22:08:60Z", "0001-01-01T00:00:00",
])  # fmt: skip
_VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.integers(-10, 10),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-5, 5).map(float), st.decimals(-1000, 1000, places=5).map(str), _TEXT, _ODD,
    st.tuples(_INSTANTS, _ZONES).map("".join), st.dates().map(str), st.just({"a": 1}), st.just([1]), st.just({}),
)  # fmt: skip
_RECORDS = st.fixed_dictionaries(
    {"id": st.integers(0, 99)},
    optional={
        **{key: _VALUES for key in FIELDS if "." not in key and key not in ("id", "extra")},
        "company": st.one_of(_VALUES, st.fixed_dictionaries({}, optional={"id": _VALUES, "name": _VALUES})),
    },
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(_RECORDS, min_size=1, max_size=12), st.booleans())
def test_kept_values_equal_those_of_the_contract_row_by_row(records, is_small):
    with TemporaryDirectory() as root, pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan, "SMALL_FILE", scan.SMALL_FILE if is_small else 0)
        bench = Bench(Path(root))
        result = bench.land(records)
        contract = with_required(bench.contract, ("id",))
        expected = {}
        for line, record in enumerate(records, 1):
            try:
                expected[line] = contract.model_validate(_to_canonical(record))
            except ValueError:
                continue
        names = [name for name in bench.read_columns() if name not in ("extra", "_line")]
        selected = ", ".join(f'"{name}"' for name in names)
        rows = {row[0]: dict(zip(names, row[1:], strict=True)) for row in bench.read_rows(f"_line, {selected}")}
        assert sorted(rows) == sorted(expected)
        assert [row.line for row in result.refused] == [n for n in range(1, len(records) + 1) if n not in expected]
        for line, model in expected.items():
            assert rows[line] == _flatten(model.model_dump(by_alias=True), names)


def _to_canonical(record: dict[str, Any]) -> dict[str, Any]:
    """The record with numbers in text fields as canonical text: 1.0 is `1`."""
    read = json.loads(json.dumps(record))
    for one in (read, read.get("company")):
        if isinstance(one, dict) and isinstance(one.get("name"), float):
            one["name"] = format_number(one["name"])
    return read


def _flatten(dumped: dict[str, Any], names: list[str]) -> dict[str, Any]:
    company, info = dumped.get("company") or {}, dumped.get("_info") or {}
    flat = {**dumped, "company_id": company.get("id"), "company_name": company.get("name")}
    flat["_info_lastUpdated"] = info.get("lastUpdated")
    return {name: _to_bronze(flat[name]) for name in names}


def _to_bronze(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None)
    return value


def test_the_oracle_does_not_change_dates_and_decimals():
    assert _to_bronze(date(2026, 1, 1)) == date(2026, 1, 1)
    assert _to_bronze(Decimal("1.10")) == Decimal("1.1")
