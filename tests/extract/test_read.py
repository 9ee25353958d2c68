"""Reading batches into a real lake and ledger: resumed, verified, never lost and never requested twice."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headwater.batch import Window
from headwater.clock import EPOCH
from headwater.errors import Cancelled, DeclarationError, LakeError, PermanentError, TransientError
from headwater.events import BatchExtracted, FindingMade, PageCommitted, ReadStarted
from headwater.extract.page_files import PageFiles, remove_finished
from headwater.extract.read import read_batch
from headwater.lake.layout import open_lake
from headwater.ledger.sql.ledger import SqlLedger
from tests.extract.service import (
    SINCE,
    UNTIL,
    WINDOW,
    Service,
    build_batch,
    build_client,
    build_read_request,
    build_ticket,
    build_tickets,
    serve,
)


def read_lines(lake, batch) -> list[bytes]:
    """The lines of a batch's raw file."""
    compressed = lake.read(lake.build_batch_path("raw", batch, ".jsonl.zst"))
    with zstandard.ZstdDecompressor().stream_reader(compressed, read_across_frames=True) as reader:
        return reader.read().split(b"\n")[:-1]


def read_ids(lake, batch) -> list[int]:
    return [json.loads(line)["id"] for line in read_lines(lake, batch)]


def list_files(lake, batch) -> list[str]:
    folder = lake.build_batch_path("raw", batch, "").rpartition("/")[0]
    return [path.rpartition("/")[2] for path in lake.list(folder)]


def test_a_window_is_read_page_by_page_and_committed(service, lake, ledger):
    service.collections["tickets"] = build_tickets(35)
    events = []
    with build_client(service) as client:
        row = read_batch(
            build_batch(),
            build_read_request(client, fields=("id", "summary")),
            client,
            lake=lake,
            ledger=ledger,
            listen=events.append,
        )
    assert (row.state, row.rows, row.pages) == ("extracted", 35, 5)
    assert read_lines(lake, build_batch()) == [json.dumps(record).encode() for record in build_tickets(35)]
    assert list_files(lake, build_batch()) == [f"{build_batch().id}.jsonl.zst"]
    assert ledger.list_windows(build_batch().feed) == (WINDOW,)
    # The last page is not full, and nothing says that it is the last: an empty one does.
    assert service.list_page_params() == ["", "10", "20", "30", "35"]
    assert [type(event) for event in events] == [ReadStarted, *[PageCommitted] * 5, BatchExtracted]
    first = service.requests[0].params
    assert first["fields"] == "id,summary,_info"
    assert first["orderBy"] == "id asc"
    assert first["conditions"] == "lastUpdated >= [2025-12-31T23:50:00Z] and lastUpdated < [2026-03-01T00:00:00Z]"


def test_a_full_last_page_is_followed_by_an_empty_one(service, lake, ledger):
    service.collections["tickets"] = build_tickets(20)
    with build_client(service) as client:
        row = read_batch(build_batch(), build_read_request(client), client, lake=lake, ledger=ledger)
    assert (row.rows, row.pages) == (20, 3)
    assert read_ids(lake, build_batch()) == list(range(1, 21))


def test_an_empty_window_leaves_no_file_but_is_committed(service, lake, ledger):
    service.collections["tickets"] = []
    with build_client(service) as client:
        row = read_batch(build_batch(), build_read_request(client), client, lake=lake, ledger=ledger)
    assert (row.state, row.rows) == ("extracted", 0)
    assert lake.list("acme") == []
    assert ledger.list_windows(build_batch().feed) == (WINDOW,)


def test_a_complete_batch_is_not_read_again(service, lake, ledger):
    service.collections["tickets"] = build_tickets(5)
    with build_client(service) as client:
        once = read_batch(build_batch(), build_read_request(client), client, lake=lake, ledger=ledger)
        again = read_batch(build_batch(), build_read_request(client), client, lake=lake, ledger=ledger)
    assert len(service.requests) == 2
    assert once == again


class Killed(BaseException):
    """The process is gone."""


class DyingProxy:
    """A proxy of a lake or ledger: the process dies at the n-th call of a method, before or after it."""

    def __init__(self, inner, bomb):
        self._inner, self._bomb = inner, bomb

    def __getattr__(self, name):
        attribute = getattr(self._inner, name)
        if name not in ("write", "join", "remove", "record_page", "commit_window", "begin_batch"):
            return attribute

        def call(*args, **kwargs):
            self._bomb.tick()
            result = attribute(*args, **kwargs)
            self._bomb.tick()
            return result

        return call


class Bomb:
    def __init__(self, at):
        self.left = at

    def tick(self):
        self.left -= 1
        if self.left == 0:
            raise Killed


@pytest.mark.parametrize("resource", ["tickets", "numbered", "linked"])
def test_a_killed_read_resumes_at_the_next_page(resource, service, lake, ledger):
    service.collections["tickets"] = build_tickets(45)
    raw, died, at = None, True, 0
    with build_client(service) as client:
        while died and at < 60:
            at += 1
            batch = build_batch(resource, window=Window(since=SINCE, until=UNTIL + timedelta(minutes=at)))
            died = read_until_killed(at, batch, client, lake, ledger)
            row_before = ledger.find_batch("acme", batch.id)
            page_count = {"tickets": 6, "numbered": 5, "linked": 5}[resource]
            left = (
                page_count
                if row_before is None
                else 0
                if row_before.state == "extracted"
                else page_count - row_before.pages
            )
            service.requests.clear()
            row = read_batch(batch, build_read_request(client, resource), client, lake=lake, ledger=ledger)
            pages = sum(not request.path.endswith("/count") for request in service.requests)
            # Without a count, all pages are read twice. The process may have died in the first read or in the second one.
            is_read_twice = resource == "linked" and (row_before is None or row_before.state != "extracted")
            assert pages in ({left, left + page_count} if is_read_twice else {left})
            assert row.rows == 45
            assert read_ids(lake, batch) == list(range(1, 46))
            assert [name for name in list_files(lake, batch) if name.startswith(batch.id)] == [f"{batch.id}.jsonl.zst"]
            compressed = lake.read(lake.build_batch_path("raw", batch, ".jsonl.zst"))
            raw = raw or compressed
            assert compressed == raw
    assert not died
    assert at > 15


def read_until_killed(at, batch, client, lake, ledger) -> bool:
    """Read until the process dies at call number `at` to the lake or ledger. Return whether it died."""
    bomb = Bomb(at)
    read_request = build_read_request(client, batch.feed.resource)
    try:
        read_batch(batch, read_request, client, lake=DyingProxy(lake, bomb), ledger=DyingProxy(ledger, bomb))
    except Killed:
        return True
    return False


def test_a_lost_or_damaged_page_file_is_read_again(service, lake, ledger):
    service.collections["tickets"] = build_tickets(45)
    with build_client(service) as client:
        with pytest.raises(Killed):
            read_batch(build_batch(), build_read_request(client), client, lake=lake, ledger=DyingProxy(ledger, Bomb(8)))
        pages = ledger.list_pages(build_batch())
        assert len(pages) == 3
        lake.write(pages[1].path, b"torn")
        service.requests.clear()
        row = read_batch(build_batch(), build_read_request(client), client, lake=lake, ledger=ledger)
    assert service.list_page_params() == ["10", "20", "30", "40", "45"]
    assert row.rows == 45
    assert read_ids(lake, build_batch()) == list(range(1, 46))


def test_a_stop_finishes_the_page_and_requests_no_other(service, lake, ledger):
    service.collections["tickets"] = build_tickets(45)
    answers = iter([False, True])
    with build_client(service) as client:
        with pytest.raises(Cancelled):
            read_batch(
                build_batch(), build_read_request(client), client, lake=lake, ledger=ledger, stop=lambda: next(answers)
            )
        assert len(ledger.list_pages(build_batch())) == 2
        assert len(service.requests) == 2
        assert read_batch(build_batch(), build_read_request(client), client, lake=lake, ledger=ledger).rows == 45
    assert service.list_page_params() == ["", "10", "20", "30", "40", "45"]


def test_a_full_disk_loses_nothing(service, lake, ledger):
    service.collections["tickets"] = build_tickets(25)

    class Full:
        def __getattr__(self, name):
            return getattr(lake, name)

        def write(self, path, body):
            if "000002" in path:
                raise LakeError("A file of the lake cannot be written.", where=path, details="No space left on device")
            lake.write(path, body)

    with build_client(service) as client:
        with pytest.raises(LakeError):
            read_batch(build_batch(), build_read_request(client), client, lake=Full(), ledger=ledger)
        assert len(ledger.list_pages(build_batch())) == 1
        assert read_batch(build_batch(), build_read_request(client), client, lake=lake, ledger=ledger).rows == 25


def test_a_broken_body_is_retried_and_then_fails(service, lake, ledger):
    service.collections["tickets"] = build_tickets(15)
    service.faults = [None, lambda request, reply: (200, {}, reply[2][:-20])]
    with build_client(service) as client:
        assert read_batch(build_batch(), build_read_request(client), client, lake=lake, ledger=ledger).rows == 15
    assert service.list_page_params() == ["", "10", "10", "15"]
    service.always = lambda request, reply: (200, {}, reply[2][:-20])
    later = build_batch(window=Window(since=UNTIL, until=UNTIL + timedelta(days=1)))
    with build_client(service) as client, pytest.raises(TransientError) as caught:
        read_batch(later, build_read_request(client), client, lake=lake, ledger=ledger)
    assert caught.value.where.startswith("acme/psa/tickets, page 1, GET http")
    assert ledger.list_windows(build_batch().feed) == (WINDOW,)


@pytest.mark.parametrize("resource", ["tickets", "numbered", "linked"])
def test_a_repeated_page_is_refused_and_nothing_advances(resource, service, lake, ledger):
    service.collections["tickets"] = build_tickets(45)
    first = {}

    def repeat(request, reply):
        first.setdefault("reply", reply)
        return first["reply"]

    service.faults = [*([None] if resource == "numbered" else []), None, *[repeat] * 8]
    with build_client(service) as client, pytest.raises(PermanentError, match="paging loop") as caught:
        read_batch(build_batch(resource), build_read_request(client, resource), client, lake=lake, ledger=ledger)
    assert "page 3" in caught.value.where
    assert ledger.list_windows(build_batch(resource).feed) == ()
    assert len(ledger.list_pages(build_batch(resource))) == 2


def test_a_link_to_a_previous_page_is_refused(service, lake, ledger):
    service.collections["tickets"] = build_tickets(45)
    back = lambda request, reply: (200, {"Link": "</v1/tickets?page=2&pageSize=10>; rel=next"}, reply[2])  # noqa: E731
    service.faults = [None, None, back]
    with build_client(service) as client, pytest.raises(PermanentError, match="already read"):
        read_batch(build_batch("linked"), build_read_request(client, "linked"), client, lake=lake, ledger=ledger)


def test_a_next_link_to_an_undeclared_host_is_not_followed_or_stored(service, lake, ledger):
    with serve(Service(collections={"tickets": []})) as stranger:
        service.collections["tickets"] = build_tickets(45)
        link = f"<{stranger.url}/v1/tickets?page=2>; rel=next"
        service.faults = [lambda request, reply: (200, {"Link": link}, reply[2])]
        with build_client(service) as client:
            with pytest.raises(PermanentError, match="host that the connector does not allow"):
                read_batch(
                    build_batch("linked"), build_read_request(client, "linked"), client, lake=lake, ledger=ledger
                )
            assert ledger.list_pages(build_batch("linked")) == ()
            assert (
                read_batch(
                    build_batch("linked"), build_read_request(client, "linked"), client, lake=lake, ledger=ledger
                ).rows
                == 45
            )
        assert stranger.requests == []


def test_an_ignored_filter_is_an_error(service, lake, ledger):
    service.collections["tickets"] = [
        *build_tickets(12),
        build_ticket(13, _info={"lastUpdated": "2019-05-05T05:05:05Z"}),
    ]
    with build_client(service) as client, pytest.raises(PermanentError, match="ignored the filter") as caught:
        read_batch(build_batch(), build_read_request(client), client, lake=lake, ledger=ledger)
    assert "id 13" in caught.value.details
    assert "2019-05-05T05:05:05Z" in caught.value.details
    assert ledger.list_windows(build_batch().feed) == ()


def test_records_without_an_object_or_a_stamp_are_stored_for_quarantine(service, lake, ledger):
    records = ["text", 7, None, {"id": 3}, {"id": 4, "_info": "?"}]
    service.collections["tickets"] = records
    with build_client(service) as client:
        assert read_batch(build_batch(), build_read_request(client), client, lake=lake, ledger=ledger).rows == 5
    assert [json.loads(line) for line in read_lines(lake, build_batch())] == records


def test_all_of_history_a_snapshot_and_a_sweep_are_read(service, lake, ledger):
    service.collections["tickets"] = build_tickets(12)
    history = build_batch(window=Window(since=EPOCH, until=UNTIL))
    with build_client(service) as client:
        read_batch(history, build_read_request(client, fields=("id",)), client, lake=lake, ledger=ledger)
        read_batch(
            build_batch(purpose="sweep"),
            build_read_request(client, fields=("id", "summary")),
            client,
            lake=lake,
            ledger=ledger,
        )
        read_batch(
            build_batch("whole", purpose="snapshot"),
            build_read_request(client, "whole"),
            client,
            lake=lake,
            ledger=ledger,
        )
    past, _, _, sweep, _, _, snapshot = (request.params for request in service.requests)
    assert "0001-01-01T00:00:00Z" in past["conditions"]
    assert (sweep["fields"], "conditions" in sweep) == ("id", False)
    assert "pageSize" not in snapshot


def test_records_are_read_for_each_parent(service, lake, ledger):
    notes = {"7": build_tickets(12), "a/b": [], "9": [], "8": build_tickets(3), "x": []}
    for parent, records in notes.items():
        service.collections[f"tickets/{parent.replace('/', '%2F')}/notes"] = records
    batch = build_batch("notes")
    with build_client(service) as client:
        for _ in range(40):
            bomb = Bomb(3)
            try:
                row = read_batch(
                    batch,
                    build_read_request(client, "notes", parents=tuple(notes)),
                    client,
                    lake=lake,
                    ledger=DyingProxy(ledger, bomb),
                )
                break
            except Killed:
                continue
        else:
            row = read_batch(
                batch, build_read_request(client, "notes", parents=("other",)), client, lake=lake, ledger=ledger
            )
    assert row.rows == 15
    assert json.loads(lake.read(lake.build_batch_path("raw", batch, ".parents.json"))) == [["7", 12], ["8", 3]]
    assert read_ids(lake, batch) == [*range(1, 13), 1, 2, 3]
    assert set(ledger.list_windows_by_parent(batch.feed)) == set(notes)


def test_without_parents_nothing_is_read(service, lake, ledger):
    with build_client(service) as client:
        row = read_batch(build_batch("notes"), build_read_request(client, "notes"), client, lake=lake, ledger=ledger)
    assert (row.state, row.rows) == ("extracted", 0)
    assert service.requests == []


def test_a_record_that_moves_between_numbered_pages_is_read(service, lake, ledger):
    service.collections["tickets"] = build_tickets(30)

    def reply_with_fault(request, reply):
        # The first record leaves the filter after page 1: record 11 moves to page 1, which was already read.
        service.collections["tickets"] = service.collections["tickets"][1:]
        return reply

    service.faults = [None, reply_with_fault]
    with build_client(service) as client:
        row = read_batch(
            build_batch("numbered"), build_read_request(client, "numbered"), client, lake=lake, ledger=ledger
        )
    assert row.rows == 29
    assert read_ids(lake, build_batch("numbered")) == list(range(2, 31))
    assert sum(request.path.endswith("/count") for request in service.requests) == 2


@pytest.mark.parametrize("counted", [16, 14, 0])
def test_a_wrong_count_is_a_finding(counted, service, lake, ledger):
    service.collections["tickets"] = build_tickets(15)
    body = b'{"count": %d}' % counted
    service.always = lambda request, reply: (200, {}, body) if request.path.endswith("/count") else reply
    events = []
    with build_client(service) as client:
        row = read_batch(
            build_batch("numbered"),
            build_read_request(client, "numbered"),
            client,
            lake=lake,
            ledger=ledger,
            listen=events.append,
        )
    assert row.rows == 15
    (finding,) = (event.finding for event in events if isinstance(event, FindingMade))
    assert (finding.table, finding.finding, finding.count) == ("psa.numbered", "changes_unproved", abs(15 - counted))
    assert f"15 records were read, but the service counts {counted}" in finding.detail


def test_a_parameter_set_twice_is_a_declaration_error(service, lake, ledger):
    with build_client(service) as client:
        request = build_read_request(client)
        read_request = replace(
            request, resource=request.resource.model_copy(update={"params": {"conditions": "a = 1"}})
        )
        with pytest.raises(DeclarationError, match="overwrite the other"):
            read_batch(build_batch(), read_request, client, lake=lake, ledger=ledger)


def test_page_files_of_complete_batches_are_removed(service, lake, ledger):
    service.collections["tickets"] = build_tickets(5)
    with build_client(service) as client:
        read_batch(build_batch(), build_read_request(client), client, lake=lake, ledger=ledger)
    PageFiles(build_batch(), lake).save_note("000001.jsonl.zst", "left over")
    unfinished = build_batch(window=Window(since=UNTIL, until=UNTIL + timedelta(days=1)))
    ledger.begin_batch(unfinished)
    PageFiles(unfinished, lake).save_note("000001.jsonl.zst", "still needed")
    # A batch can also fail after its window was committed, for example when the lake refuses to delete the page files.
    ledger.fail_batch(build_batch(), "access denied")
    assert remove_finished(build_batch().feed, lake, ledger) == 1
    assert [path for path in lake.list("acme") if ".parts/" in path] == [
        f"{lake.build_batch_path('raw', unfinished, '.parts')}/000001.jsonl.zst"
    ]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_records_that_change_during_the_read_are_never_lost(data, service, tmp_path_factory):
    """A record either comes with this window, or has by then a stamp that belongs to the next one."""
    root = tmp_path_factory.mktemp("read")
    records = {record["id"]: record for record in build_tickets(40)}
    leaving = data.draw(st.lists(st.tuples(st.integers(1, 4), st.sampled_from(sorted(records))), max_size=8))
    asked_pages = [0]
    removed: set[int] = set()

    def change(request, reply):
        asked_pages[0] += 1
        for page, ident in leaving:
            if page == asked_pages[0]:
                removed.add(ident)
        service.collections["tickets"] = [record for ident, record in records.items() if ident not in removed]
        return reply

    service.collections["tickets"] = list(records.values())
    service.always = change
    service.requests.clear()
    lake, ledger = open_lake(str(root / "lake"), "acme"), SqlLedger("sqlite:///ledger.db", root=root)
    with build_client(service) as client:
        read_batch(build_batch(), build_read_request(client), client, lake=lake, ledger=ledger)
    ledger.close()
    assert set(read_ids(lake, build_batch())) | removed == set(records)
