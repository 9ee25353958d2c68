"""Complete is proved, not assumed: pages that are capped, slide, repeat or promise, through the command line."""

from __future__ import annotations

import pytest

from tests.e2e.odd_service import CHANGES, FORWARD, NUMBERED, SWEEP, OddService, OddShop, serve, stamp, things

SNAPSHOT = {"kind": "snapshot", "every": "0s"}
COUNT = {"path": "things/count"}
ALL = list(range(1, 251))


@pytest.fixture
def odd():
    with serve(OddService(things(*ALL))) as running:
        yield running


@pytest.mark.parametrize("cap", [50, 90], ids=["caps at 50", "caps at 90"])
@pytest.mark.parametrize("paging", [FORWARD, NUMBERED], ids=["forward", "numbered"])
def test_a_service_that_caps_its_pages_loses_nothing(cap, paging, odd, tmp_path):
    odd.cap = cap
    shop = OddShop(tmp_path / "shop", odd, paging=paging, deletes=SWEEP, count=COUNT)
    for _ in range(2):
        report = shop.run()
        assert shop.current() == ALL
        assert shop.findings(report) == set()


@pytest.mark.parametrize("paging", [FORWARD, NUMBERED], ids=["forward", "numbered"])
def test_a_second_page_that_alone_is_capped_loses_nothing(paging, odd, tmp_path):
    whole = odd.page

    def page(records, params):
        rows = whole(records, params)
        return rows[:30] if params.get("page") == "2" or params.get("after") == "100" else rows

    odd.page = page
    shop = OddShop(tmp_path / "shop", odd, paging=paging, deletes=SWEEP)
    shop.run()
    assert shop.current() == ALL


def test_a_last_page_that_is_exactly_full_ends_with_an_empty_one(odd, tmp_path):
    odd.records = things(*range(1, 201))
    OddShop(tmp_path / "shop", odd, paging=NUMBERED).run()
    asked = [params["page"] for path, params in odd.requests if path == "/things"]
    assert asked == ["1", "2", "3"] * 2  # twice, to see that nothing slid


def test_a_service_that_answers_404_after_its_last_page_has_ended(odd, tmp_path):
    known = odd.build_answer

    def build_answer(path, params):
        status, body = known(path, params)
        return (404, {"detail": "Invalid page."}) if body == [] and params.get("page") != "1" else (status, body)

    odd.build_answer = build_answer
    shop = OddShop(tmp_path / "shop", odd, paging=NUMBERED)
    assert shop.run()["findings"] == []
    assert shop.current() == ALL


@pytest.mark.parametrize("paging", [FORWARD, NUMBERED], ids=["forward", "numbered"])
def test_a_flag_ends_a_read_at_once_and_an_empty_page_in_the_middle_does_not(paging, odd, tmp_path):
    paged, odd.records = odd.page, things(*range(1, 151))

    def page(records, params):
        """Page 2 by number is empty; the flag says that more follows."""
        if "page" in params:
            number = int(params["page"])
            params = {**params, "page": str(number - (number > 2))}
            rows = [] if number == 2 else paged(records, params)
        else:
            rows = paged(records, params)
        return {"rows": rows, "more": not rows or rows[-1]["id"] < 150}

    odd.page = page
    shop = OddShop(tmp_path / "shop", odd, paging={**paging, "more": "more"}, records="rows")
    shop.run()
    assert shop.current() == list(range(1, 151))
    assert len(odd.requests) == (2 if paging is FORWARD else 3 * 2)  # numbered pages that nobody counts are read twice


@pytest.mark.parametrize("paging", [FORWARD, NUMBERED], ids=["forward", "numbered"])
def test_a_flag_that_promises_more_for_ever_is_refused(paging, odd, tmp_path):
    paged = odd.page
    odd.page = lambda records, params: {"rows": paged(records, params), "more": True}
    shop = OddShop(tmp_path / "shop", odd, paging={**paging, "more": "more"}, records="rows")
    report = shop.run(code=1)
    assert "reports more records" in report["steps"][0]["error"]["message"]
    assert len(odd.requests) < 20


def test_a_total_ends_a_read_without_a_further_page_and_a_wrong_one_costs_no_record(odd, tmp_path):
    paged = odd.page
    odd.page = lambda records, params: {"rows": paged(records, params), "total": odd.total}
    odd.total = 250
    shop = OddShop(tmp_path / "shop", odd, paging={**NUMBERED, "total": "total"}, records="rows", cursor=SNAPSHOT)
    assert shop.run()["findings"] == []
    assert len(odd.requests) == 3
    for wrong in (251, 100):
        # One was deleted, and the total tells what was there before; or it is capped.
        odd.total = wrong
        odd.records = things(*range(2, 251))
        report = shop.run(code=None)
        assert shop.findings(report) >= {"snapshot_unproved"}
        assert shop.current() == ALL, "a read that is not proved makes nothing absent"
    odd.total = 249
    shop.run()
    assert shop.current() == ALL[1:]


@pytest.mark.parametrize("paging", [FORWARD, NUMBERED], ids=["forward", "numbered"])
@pytest.mark.parametrize("count", [200, 249, 251, 10_000], ids=str)
def test_a_sweep_that_the_count_does_not_agree_with_deletes_nothing(paging, count, odd, tmp_path):
    shop = OddShop(tmp_path / "shop", odd, paging=paging, deletes=SWEEP, count=COUNT)
    shop.run()
    odd.records, odd.count = things(*range(1, 241)), count
    report = shop.run(code=None)
    (records,) = (one for one in report["findings"] if one["finding"] == "sweep_unproved")
    assert (records["count"], str(count) in records["detail"]) == (abs(count - 240), True)
    assert shop.current() == ALL
    odd.count = None
    shop.run()
    assert shop.current() == list(range(1, 241))


def test_a_sweep_in_which_one_page_misses_a_record_is_read_again(odd, tmp_path):
    paged, bad = odd.page, [7]

    def page(records, params):
        rows = paged(records, params)
        if "since" not in params and bad and any(one["id"] == bad[0] for one in rows):
            missed = bad.pop()
            rows = [one for one in rows if one["id"] != missed]
        return rows

    shop = OddShop(tmp_path / "shop", odd, deletes=SWEEP, count=COUNT)
    shop.run()
    odd.page, bad[:] = page, [7]
    assert shop.findings(shop.run()) == set()
    assert (bad, shop.current()) == ([], ALL)


@pytest.mark.parametrize("count", [None, COUNT], ids=["nobody counts", "counted"])
def test_records_that_slide_over_numbered_pages_are_not_taken_for_gone(count, odd, tmp_path):
    more = {"count": count} if count else {}
    shop = OddShop(tmp_path / "shop", odd, paging=NUMBERED, cursor=SNAPSHOT, **more)
    shop.run()
    paged, gone = odd.page, [5]

    def page(records, params):
        rows = paged(records, params)
        if gone and params["page"] == "1":
            # Record 5 goes after page 1 was read: record 101 moves to page 1, where nobody will look for it.
            gone.pop()
            odd.records = [one for one in odd.records if one["id"] != 5]
        return rows

    odd.page = page
    report = shop.run()
    assert shop.current() == [one for one in ALL if one != 5]
    assert shop.findings(report) == set()


@pytest.mark.parametrize("how", ["deleted", "changed again"])
def test_a_change_that_slides_to_a_page_that_was_read_is_not_lost(how, odd, tmp_path):
    """A record of page 1 goes, or changes anew and leaves the window: record 101 moves to where nobody will look for it."""
    paged, moves = odd.page, [5]

    def page(records, params):
        rows = paged(records, params)
        if moves and params["page"] == "1":
            moves.pop()
            odd.records = [one for one in odd.records if one["id"] != 5]
            if how == "changed again":
                odd.records += things(5, changed=stamp(60 * 24 * 2 + 60))
        return rows

    odd.page = page
    shop = OddShop(tmp_path / "shop", odd, paging=NUMBERED)
    assert shop.findings(shop.run()) == set()
    assert shop.current() == [one for one in ALL if one != 5]


def test_changes_that_never_stop_sliding_are_told(odd, tmp_path):
    paged = odd.page

    def page(records, params):
        rows = paged(records, params)
        if params["page"] == "1":
            odd.records = odd.records[1:]
        return rows

    odd.page = page
    shop = OddShop(tmp_path / "shop", odd, paging=NUMBERED)
    report = shop.run(code=3)
    assert "changes_unproved" in shop.findings(report)


def test_records_that_never_stop_sliding_prove_nothing(odd, tmp_path):
    shop = OddShop(tmp_path / "shop", odd, paging=NUMBERED, cursor=SNAPSHOT)
    shop.run()
    paged = odd.page

    def page(records, params):
        rows = paged(records, params)
        if params["page"] == "1":
            odd.records = odd.records[1:]
        return rows

    odd.page = page
    report = shop.run(code=None)
    assert "snapshot_unproved" in shop.findings(report)
    assert shop.current() == ALL


def test_a_collection_that_fits_one_page_is_not_read_twice(odd, tmp_path):
    odd.records = things(1, 2, 3)
    shop = OddShop(tmp_path / "shop", odd, paging=NUMBERED, cursor=SNAPSHOT)
    assert shop.run()["findings"] == []
    assert [params["page"] for _, params in odd.requests] == ["1", "2"]


def link_pages(odd, *, tokens=False, circle=False, links=True):
    """Pages that the service links; with tokens that are others each time, or that lead in a circle."""
    paged, turn = OddService(odd.records).page, iter(range(10_000))

    def page(records, params):
        number = int(params.get("page", "1"))
        rows = paged(records, {**params, "page": str(number)})
        following = 1 if circle and number == 2 else number + 1
        if links and len(rows) == int(params["size"]):
            token = f"&token={next(turn)}" if tokens else ""
            odd.headers["Link"] = f'<{odd.url}/things?page={following}&size={params["size"]}{token}>; rel="next"'
        return rows

    odd.page = page


def test_a_link_that_leads_in_a_circle_under_other_tokens_is_refused(odd, tmp_path):
    link_pages(odd, tokens=True, circle=True)
    shop = OddShop(tmp_path / "shop", odd, paging={"kind": "link_header", "size_param": "size", "size": 100})
    report = shop.run(code=1)
    assert "paging loop" in report["steps"][0]["error"]["message"]
    assert len(odd.requests) < 6


def test_a_full_page_without_any_link_proves_nothing(odd, tmp_path):
    link_pages(odd)
    paging = {"kind": "link_header", "size_param": "size", "size": 100}
    shop = OddShop(tmp_path / "shop", odd, paging=paging, cursor=SNAPSHOT)
    assert shop.run()["findings"] == []
    assert shop.current() == ALL
    # Something on the way takes the links off: 100 of 250 come.
    link_pages(odd, links=False)
    report = shop.run(code=None)
    assert "snapshot_unproved" in shop.findings(report)
    assert shop.current() == ALL


def test_an_answer_that_was_to_be_everything_is_followed_where_it_names_a_next_page(odd, tmp_path):
    paged = odd.page

    def page(records, params):
        number = int(params.get("page", "1"))
        if number < 3:
            odd.headers["Link"] = f'<{odd.url}/things?page={number + 1}>; rel="next"'
        return paged(records, {"page": str(number), "size": "100"})

    odd.page = page
    shop = OddShop(tmp_path / "shop", odd, paging={"kind": "unpaged"}, cursor=SNAPSHOT)
    shop.run()
    assert shop.current() == ALL


def test_records_in_another_order_than_that_of_the_key_are_refused(odd, tmp_path):
    paged = odd.page
    odd.page = lambda records, params: sorted(paged(records, params), key=lambda one: (one["id"] * 7919) % 251)
    shop = OddShop(tmp_path / "shop", odd)
    report = shop.run(code=1)
    assert "does not sort the records" in report["steps"][0]["error"]["message"]
    # What fits one page, and is said to be all, may come in any order.
    odd.records = things(3, 1, 2)
    shop.write_connector(paging={**FORWARD, "links": True})
    shop.run()
    assert shop.current() == [1, 2, 3]


def test_a_rolling_list_that_deletes_nothing_is_read_once(odd, tmp_path):
    shop = OddShop(tmp_path / "shop", odd, paging=NUMBERED, cursor=SNAPSHOT, deletes={"kind": "none"})
    shop.run()
    assert len(odd.requests) == 4


def test_changes_are_not_counted_where_keys_never_move(odd, tmp_path):
    shop = OddShop(tmp_path / "shop", odd, count=COUNT, cursor=CHANGES)
    shop.run()
    read, counted = odd.requests[:4], odd.requests[4:]
    assert [path for path, _ in read] == ["/things"] * 4
    assert [path for path, _ in counted] == ["/things/count"], "once a day, for the line of the report"
