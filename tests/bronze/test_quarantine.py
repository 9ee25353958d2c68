from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from headwater.bronze.contract import with_overrides
from headwater.bronze.quarantine import list_retry_files, read_record, retry_records
from headwater.errors import LakeError
from tests.bronze.bench import NOW, Bench

LINES = [
    b'{"id":1,"hours":1}', b'{"id":2, "hours":"abc"}', b'{"id":3,"hours":2}', b'{"id":4,"done":"maybe"}', b'{"id":"\xff"}',
]  # fmt: skip


def retry(bench: Bench, rows, contract):
    return retry_records(bench.batch, rows, bench.resource, contract, bench.lake, now=NOW + timedelta(days=1))


def test_a_quarantined_record_is_read_byte_for_byte(bench):
    result = bench.land(LINES)
    assert [read_record(row, bench.lake) for row in result.refused] == [LINES[1], LINES[3], LINES[4]]
    with pytest.raises(LakeError):
        read_record(replace(result.refused[0], line=1), bench.lake)


def test_records_are_readmitted_under_a_relaxed_rule_without_the_service(bench):
    refused = bench.land(LINES).refused
    bench.lake.remove(bench.lake.build_batch_path("raw", bench.batch, ".jsonl.zst"))
    retried = retry(bench, refused, with_overrides(bench.contract, {"hours": "text"}))
    (readmitted,) = retried.readmitted
    assert (readmitted.line, readmitted.state, readmitted.tries) == (2, "readmitted", 2)
    assert readmitted.first_seen == NOW
    assert readmitted.last_tried == NOW + timedelta(days=1)
    assert [row.line for row in retried.refused] == [4, 5]
    assert bench.read_rows("_line, id, hours", ".retry-1.parquet") == [(2, 2, "abc")]


def test_nothing_is_written_when_all_stay_refused(bench):
    refused = bench.land(LINES).refused
    retried = retry(bench, refused, bench.contract)
    assert (retried.readmitted, len(retried.refused)) == ((), 3)
    assert list_retry_files(bench.batch, bench.lake) == ()


def test_a_second_retry_writes_a_second_file_and_a_repeated_one_none(bench):
    refused = bench.land(LINES).refused
    retry(bench, refused[:1], with_overrides(bench.contract, {"hours": "text"}))
    contract = with_overrides(bench.contract, {"hours": "text", "done": "text"})
    assert len(retry(bench, refused[:2], contract).readmitted) == 2
    assert len(retry(bench, refused[:2], contract).readmitted) == 2
    assert len(list_retry_files(bench.batch, bench.lake)) == 2
    assert bench.read_rows("id, done", ".retry-2.parquet") == [(4, "maybe")]


@pytest.mark.parametrize("fails", [False, True])
def test_a_retry_leaves_no_scratch_file(bench, monkeypatch, fails):
    """Neither when nothing is new, nor when the write fails."""
    refused = bench.land(LINES).refused
    contract = with_overrides(bench.contract, {"hours": "text"})
    before = set(bench.lake.store.root.rglob("*"))
    if fails:
        monkeypatch.setattr(bench.lake, "adopt", raise_full_disk)
        with pytest.raises(LakeError, match="full"):
            retry(bench, refused[:1], contract)
    else:
        retry(bench, refused[:1], bench.contract)
    assert set(bench.lake.store.root.rglob("*")) == before


def raise_full_disk(draft, path):
    del draft, path
    raise LakeError("The disk is full.")


def test_a_new_landing_removes_the_files_of_retries(bench):
    refused = bench.land(LINES).refused
    bench.contract = with_overrides(bench.contract, {"hours": "text"})
    retry(bench, refused, bench.contract)
    assert bench.land().kept == 3
    assert list_retry_files(bench.batch, bench.lake) == ()


def test_readmitted_records_have_their_parent(tmp_path):
    bench = Bench(tmp_path, parent={"resource": "owners"})
    bench.write_raw([{"id": 1}, {"id": 2, "hours": "x"}])
    bench.lake.write(bench.lake.build_batch_path("raw", bench.batch, ".parents.json"), b'[["p", 1], ["q", 1]]')
    refused = bench.land().refused
    retry(bench, refused, with_overrides(bench.contract, {"hours": "text"}))
    assert bench.read_rows("_parent, id", ".retry-1.parquet") == [("q", 2)]
