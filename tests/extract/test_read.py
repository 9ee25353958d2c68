"""Reading batches into a real lake and ledger: resumed, verified, never lost and never asked twice."""

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
    batch,
    client_of,
    question,
    serving,
    ticket,
    tickets,
)


def lines(lake, of) -> list[bytes]:
    """The lines of a batch's raw file."""
    packed = lake.read(lake.path("raw", of, ".jsonl.zst"))
    with zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True) as reader:
        return reader.read().split(b"\n")[:-1]


def ids(lake, of) -> list[int]:
    return [json.loads(line)["id"] for line in lines(lake, of)]


def files(lake, of) -> list[str]:
    folder = lake.path("raw", of, "").rpartition("/")[0]
    return [path.rpartition("/")[2] for path in lake.list(folder)]


def test_a_window_is_read_page_by_page_and_committed(service, lake, ledger):
    service.collections["tickets"] = tickets(35)
    events = []
    with client_of(service) as client:
        row = read_batch(
            batch(), question(client, fields=("id", "summary")), client, lake=lake, ledger=ledger, listen=events.append
        )
    assert (row.state, row.rows, row.pages) == ("extracted", 35, 5)
    assert lines(lake, batch()) == [json.dumps(record).encode() for record in tickets(35)]
    assert files(lake, batch()) == [f"{batch().id}.jsonl.zst"]
    assert ledger.list_windows(batch().feed) == (WINDOW,)
    # The last page is not full, and nothing says that it is the last: an empty one does.
    assert service.places() == ["", "10", "20", "30", "35"]
    assert [type(event) for event in events] == [ReadStarted, *[PageCommitted] * 5, BatchExtracted]
    first = service.asked[0].params
    assert first["fields"] == "id,summary,_info"
    assert first["orderBy"] == "id asc"
    assert first["conditions"] == "lastUpdated >= [2025-12-31T23:50:00Z] and lastUpdated < [2026-03-01T00:00:00Z]"


def test_an_exact_number_of_pages_ends_with_an_empty_one(service, lake, ledger):
    service.collections["tickets"] = tickets(20)
    with client_of(service) as client:
        row = read_batch(batch(), question(client), client, lake=lake, ledger=ledger)
    assert (row.rows, row.pages) == (20, 3)
    assert ids(lake, batch()) == list(range(1, 21))


def test_an_empty_window_leaves_no_file_but_is_committed(service, lake, ledger):
    service.collections["tickets"] = []
    with client_of(service) as client:
        row = read_batch(batch(), question(client), client, lake=lake, ledger=ledger)
    assert (row.state, row.rows) == ("extracted", 0)
    assert lake.list("acme") == []
    assert ledger.list_windows(batch().feed) == (WINDOW,)


def test_a_batch_that_was_read_is_left_alone(service, lake, ledger):
    service.collections["tickets"] = tickets(5)
    with client_of(service) as client:
        once = read_batch(batch(), question(client), client, lake=lake, ledger=ledger)
        again = read_batch(batch(), question(client), client, lake=lake, ledger=ledger)
    assert len(service.asked) == 2
    assert once == again


class Killed(BaseException):
    """The process is gone."""


class Dying:
    """A lake or ledger in front of which the process dies at the n-th call of a verb, before or after it."""

    def __init__(self, inner, bomb):
        self._inner, self._bomb = inner, bomb

    def __getattr__(self, name):
        found = getattr(self._inner, name)
        if name not in ("write", "join", "remove", "record_page", "commit_window", "begin_batch"):
            return found

        def call(*args, **kwargs):
            self._bomb.tick()
            answer = found(*args, **kwargs)
            self._bomb.tick()
            return answer

        return call


class Bomb:
    def __init__(self, at):
        self.left = at

    def tick(self):
        self.left -= 1
        if self.left == 0:
            raise Killed


@pytest.mark.parametrize("resource", ["tickets", "numbered", "linked"])
def test_killed_anywhere_it_goes_on_at_the_next_page(resource, service, lake, ledger):
    service.collections["tickets"] = tickets(45)
    whole, died, at = None, True, 0
    with client_of(service) as client:
        while died and at < 60:
            at += 1
            of = batch(resource, window=Window(since=SINCE, until=UNTIL + timedelta(minutes=at)))
            died = dies(at, of, client, lake, ledger)
            known = ledger.find_batch("acme", of.id)
            every = {"tickets": 6, "numbered": 5, "linked": 5}[resource]
            left = every if known is None else 0 if known.state == "extracted" else every - known.pages
            service.asked.clear()
            row = read_batch(of, question(client, resource), client, lake=lake, ledger=ledger)
            pages = sum(not asked.path.endswith("/count") for asked in service.asked)
            # Where nobody counts, all is read once more: it may have died in the first reading or in the second one.
            twice = resource == "linked" and (known is None or known.state != "extracted")
            assert pages in ({left, left + every} if twice else {left})
            assert row.rows == 45
            assert ids(lake, of) == list(range(1, 46))
            assert [name for name in files(lake, of) if name.startswith(of.id)] == [f"{of.id}.jsonl.zst"]
            packed = lake.read(lake.path("raw", of, ".jsonl.zst"))
            whole = whole or packed
            assert packed == whole
    assert not died
    assert at > 15


def dies(at, of, client, lake, ledger) -> bool:
    """Read, with the process dying at the `at`-th touch of lake or ledger; whether it came to that."""
    bomb = Bomb(at)
    asking = question(client, of.feed.resource)
    try:
        read_batch(of, asking, client, lake=Dying(lake, bomb), ledger=Dying(ledger, bomb))
    except Killed:
        return True
    return False


def test_a_lost_or_torn_part_is_read_again(service, lake, ledger):
    service.collections["tickets"] = tickets(45)
    with client_of(service) as client:
        with pytest.raises(Killed):
            read_batch(batch(), question(client), client, lake=lake, ledger=Dying(ledger, Bomb(8)))
        pages = ledger.list_pages(batch())
        assert len(pages) == 3
        lake.write(pages[1].path, b"torn")
        service.asked.clear()
        row = read_batch(batch(), question(client), client, lake=lake, ledger=ledger)
    assert service.places() == ["10", "20", "30", "40", "45"]
    assert row.rows == 45
    assert ids(lake, batch()) == list(range(1, 46))


def test_asked_to_stop_it_finishes_the_page_and_asks_no_further(service, lake, ledger):
    service.collections["tickets"] = tickets(45)
    answers = iter([False, True])
    with client_of(service) as client:
        with pytest.raises(Cancelled):
            read_batch(batch(), question(client), client, lake=lake, ledger=ledger, stop=lambda: next(answers))
        assert len(ledger.list_pages(batch())) == 2
        assert len(service.asked) == 2
        assert read_batch(batch(), question(client), client, lake=lake, ledger=ledger).rows == 45
    assert service.places() == ["", "10", "20", "30", "40", "45"]


def test_a_full_disk_loses_nothing(service, lake, ledger):
    service.collections["tickets"] = tickets(25)

    class Full:
        def __getattr__(self, name):
            return getattr(lake, name)

        def write(self, path, body):
            if "000002" in path:
                raise LakeError("A file of the lake cannot be written.", where=path, details="No space left on device")
            lake.write(path, body)

    with client_of(service) as client:
        with pytest.raises(LakeError):
            read_batch(batch(), question(client), client, lake=Full(), ledger=ledger)
        assert len(ledger.list_pages(batch())) == 1
        assert read_batch(batch(), question(client), client, lake=lake, ledger=ledger).rows == 25


def test_a_broken_body_is_asked_for_again_and_then_fails(service, lake, ledger):
    service.collections["tickets"] = tickets(15)
    service.faults = [None, lambda asked, reply: (200, {}, reply[2][:-20])]
    with client_of(service) as client:
        assert read_batch(batch(), question(client), client, lake=lake, ledger=ledger).rows == 15
    assert service.places() == ["", "10", "10", "15"]
    service.always = lambda asked, reply: (200, {}, reply[2][:-20])
    later = batch(window=Window(since=UNTIL, until=UNTIL + timedelta(days=1)))
    with client_of(service) as client, pytest.raises(TransientError) as caught:
        read_batch(later, question(client), client, lake=lake, ledger=ledger)
    assert caught.value.where.startswith("acme/psa/tickets, page 1, GET http")
    assert ledger.list_windows(batch().feed) == (WINDOW,)


@pytest.mark.parametrize("resource", ["tickets", "numbered", "linked"])
def test_a_page_that_is_sent_twice_is_refused_and_nothing_advances(resource, service, lake, ledger):
    service.collections["tickets"] = tickets(45)
    first = {}

    def repeat(asked, reply):
        first.setdefault("reply", reply)
        return first["reply"]

    service.faults = [*([None] if resource == "numbered" else []), None, *[repeat] * 8]
    with client_of(service) as client, pytest.raises(PermanentError, match="paging loop") as caught:
        read_batch(batch(resource), question(client, resource), client, lake=lake, ledger=ledger)
    assert "page 3" in caught.value.where
    assert ledger.list_windows(batch(resource).feed) == ()
    assert len(ledger.list_pages(batch(resource))) == 2


def test_a_link_that_leads_back_is_refused(service, lake, ledger):
    service.collections["tickets"] = tickets(45)
    back = lambda asked, reply: (200, {"Link": "</v1/tickets?page=2&pageSize=10>; rel=next"}, reply[2])  # noqa: E731
    service.faults = [None, None, back]
    with client_of(service) as client, pytest.raises(PermanentError, match="already read"):
        read_batch(batch("linked"), question(client, "linked"), client, lake=lake, ledger=ledger)


def test_a_foreign_next_link_gets_no_request_and_leaves_no_trace(service, lake, ledger):
    with serving(Service(collections={"tickets": []})) as stranger:
        service.collections["tickets"] = tickets(45)
        link = f"<{stranger.url}/v1/tickets?page=2>; rel=next"
        service.faults = [lambda asked, reply: (200, {"Link": link}, reply[2])]
        with client_of(service) as client:
            with pytest.raises(PermanentError, match="host that the connector does not allow"):
                read_batch(batch("linked"), question(client, "linked"), client, lake=lake, ledger=ledger)
            assert ledger.list_pages(batch("linked")) == ()
            assert read_batch(batch("linked"), question(client, "linked"), client, lake=lake, ledger=ledger).rows == 45
        assert stranger.asked == []


def test_an_ignored_filter_is_noticed_and_named(service, lake, ledger):
    service.collections["tickets"] = [*tickets(12), ticket(13, _info={"lastUpdated": "2019-05-05T05:05:05Z"})]
    with client_of(service) as client, pytest.raises(PermanentError, match="ignored the filter") as caught:
        read_batch(batch(), question(client), client, lake=lake, ledger=ledger)
    assert "id 13" in caught.value.details
    assert "2019-05-05T05:05:05Z" in caught.value.details
    assert ledger.list_windows(batch().feed) == ()


def test_what_is_no_object_or_has_no_stamp_is_kept_for_the_quarantine(service, lake, ledger):
    odd = ["text", 7, None, {"id": 3}, {"id": 4, "_info": "?"}]
    service.collections["tickets"] = odd
    with client_of(service) as client:
        assert read_batch(batch(), question(client), client, lake=lake, ledger=ledger).rows == 5
    assert [json.loads(line) for line in lines(lake, batch())] == odd


def test_a_whole_past_and_a_snapshot_and_a_sweep(service, lake, ledger):
    service.collections["tickets"] = tickets(12)
    whole = batch(window=Window(since=EPOCH, until=UNTIL))
    with client_of(service) as client:
        read_batch(whole, question(client, fields=("id",)), client, lake=lake, ledger=ledger)
        read_batch(batch(purpose="sweep"), question(client, fields=("id", "summary")), client, lake=lake, ledger=ledger)
        read_batch(batch("whole", purpose="snapshot"), question(client, "whole"), client, lake=lake, ledger=ledger)
    past, _, _, sweep, _, _, snapshot = (asked.params for asked in service.asked)
    assert "0001-01-01T00:00:00Z" in past["conditions"]
    assert (sweep["fields"], "conditions" in sweep) == ("id", False)
    assert "pageSize" not in snapshot


def test_records_are_read_for_each_parent_and_keep_it(service, lake, ledger):
    notes = {"7": tickets(12), "a/b": [], "9": [], "8": tickets(3), "x": []}
    for parent, records in notes.items():
        service.collections[f"tickets/{parent.replace('/', '%2F')}/notes"] = records
    of = batch("notes")
    with client_of(service) as client:
        for _ in range(40):
            bomb = Bomb(3)
            try:
                row = read_batch(
                    of, question(client, "notes", parents=tuple(notes)), client, lake=lake, ledger=Dying(ledger, bomb)
                )
                break
            except Killed:
                continue
        else:
            row = read_batch(of, question(client, "notes", parents=("other",)), client, lake=lake, ledger=ledger)
    assert row.rows == 15
    assert json.loads(lake.read(lake.path("raw", of, ".parents.json"))) == [["7", 12], ["8", 3]]
    assert ids(lake, of) == [*range(1, 13), 1, 2, 3]
    assert set(ledger.list_windows_by_parent(of.feed)) == set(notes)


def test_no_parents_is_nothing_to_read(service, lake, ledger):
    with client_of(service) as client:
        row = read_batch(batch("notes"), question(client, "notes"), client, lake=lake, ledger=ledger)
    assert (row.state, row.rows) == ("extracted", 0)
    assert service.asked == []


def test_a_record_that_slips_between_two_numbered_pages_is_noticed_and_read(service, lake, ledger):
    service.collections["tickets"] = tickets(30)

    def slip(asked, reply):
        # The first record leaves the filter after page 1: record 11 moves to page 1, which was already read.
        service.collections["tickets"] = service.collections["tickets"][1:]
        return reply

    service.faults = [None, slip]
    with client_of(service) as client:
        row = read_batch(batch("numbered"), question(client, "numbered"), client, lake=lake, ledger=ledger)
    assert row.rows == 29
    assert ids(lake, batch("numbered")) == list(range(2, 31))
    assert sum(asked.path.endswith("/count") for asked in service.asked) == 2


@pytest.mark.parametrize("counted", [16, 14, 0])
def test_a_service_that_never_sends_what_it_counts_is_a_finding(counted, service, lake, ledger):
    service.collections["tickets"] = tickets(15)
    answer = b'{"count": %d}' % counted
    service.always = lambda asked, reply: (200, {}, answer) if asked.path.endswith("/count") else reply
    events = []
    with client_of(service) as client:
        row = read_batch(
            batch("numbered"), question(client, "numbered"), client, lake=lake, ledger=ledger, listen=events.append
        )
    assert row.rows == 15
    (found,) = (event.finding for event in events if isinstance(event, FindingMade))
    assert (found.table, found.finding, found.count) == ("psa.numbered", "changes_unproved", abs(15 - counted))
    assert f"15 records were read, but the service counts {counted}" in found.detail


def test_a_parameter_set_twice_is_a_declaration_error(service, lake, ledger):
    with client_of(service) as client:
        asked = question(client)
        both = replace(asked, resource=asked.resource.model_copy(update={"params": {"conditions": "a = 1"}}))
        with pytest.raises(DeclarationError, match="overwrite the other"):
            read_batch(batch(), both, client, lake=lake, ledger=ledger)


def test_parts_of_a_batch_that_was_read_are_tidied_away(service, lake, ledger):
    service.collections["tickets"] = tickets(5)
    with client_of(service) as client:
        read_batch(batch(), question(client), client, lake=lake, ledger=ledger)
    PageFiles(batch(), lake).save_note("000001.jsonl.zst", "left over")
    going = batch(window=Window(since=UNTIL, until=UNTIL + timedelta(days=1)))
    ledger.begin_batch(going)
    PageFiles(going, lake).save_note("000001.jsonl.zst", "still needed")
    assert remove_finished(batch().feed, lake, ledger) == 1
    assert [path for path in lake.list("acme") if ".parts/" in path] == [
        f"{lake.path('raw', going, '.parts')}/000001.jsonl.zst"
    ]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_records_that_change_while_being_paged_are_never_lost(data, service, tmp_path_factory):
    """A record either comes with this window, or has by then a stamp that belongs to the next one."""
    root = tmp_path_factory.mktemp("read")
    records = {record["id"]: record for record in tickets(40)}
    leaving = data.draw(st.lists(st.tuples(st.integers(1, 4), st.sampled_from(sorted(records))), max_size=8))
    asked_pages = [0]
    gone: set[int] = set()

    def change(asked, reply):
        asked_pages[0] += 1
        for page, ident in leaving:
            if page == asked_pages[0]:
                gone.add(ident)
        service.collections["tickets"] = [record for ident, record in records.items() if ident not in gone]
        return reply

    service.collections["tickets"] = list(records.values())
    service.always = change
    service.asked.clear()
    lake, ledger = open_lake(str(root / "lake"), "acme"), SqlLedger("sqlite:///ledger.db", root=root)
    with client_of(service) as client:
        read_batch(batch(), question(client), client, lake=lake, ledger=ledger)
    ledger.close()
    assert set(ids(lake, batch())) | gone == set(records)
