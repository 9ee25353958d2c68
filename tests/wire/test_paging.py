"""Paging: positions are texts, variants keep nothing, and a service that paging loop is refused."""

from __future__ import annotations

import json

import pytest

from headwater.errors import PermanentError
from headwater.wire.loop_guard import LoopGuard
from headwater.wire.message import Page, Request, Response
from headwater.wire.paging import ForwardOnly, LinkHeader, PageNumber, Progress, Unpaged
from headwater.wire.records import join_lines, split_records

BASE = Request(url="https://api.example.com/v1/things", params={"orderBy": "id asc"})
OWN = "https://api.example.com/v1/things?pageSize=2"


def page(*records: object, link: str = "", url: str = OWN) -> Page:
    response = Response(status=200, headers={"link": link} if link else {}, body=json.dumps(records).encode(), url=url)
    return Page(response=response, records=split_records(response))


def things(*ids: object) -> list[object]:
    return [{"id": ident} for ident in ids]


def test_page_numbers_go_on_until_an_empty_page():
    paging = PageNumber(size=2)
    assert paging.request(BASE, paging.start()).params == {"orderBy": "id asc", "page": "1", "pageSize": "2"}
    assert paging.after("1", page(*things(1, 2))) == "2"
    assert paging.after("3", page()) is None


def test_after_a_short_page_the_next_one_is_asked_for_by_what_came():
    paging = PageNumber(size=100)
    assert paging.after("1", page(*things(*range(50)))) == "2/50"
    assert paging.request(BASE, "2/50").params == {"orderBy": "id asc", "page": "2", "pageSize": "50"}
    assert paging.after("2/50", page(*things(*range(50)))) == "3/50"
    # 80 records came: page 5 of 20 begins with the 81st.
    assert paging.after("2/50", page(*things(*range(30)))) == "5/20"
    assert paging.after("5/20", page()) is None
    # A service that sends more than was asked counts its pages by what it sends.
    assert PageNumber(size=2).after("1", page(*things(1, 2, 3))) == "2"


@pytest.mark.parametrize("kind", [PageNumber, ForwardOnly])
def test_a_short_page_is_the_last_one_if_the_service_says_so(kind):
    start, body = kind().start(), things(1, 2)
    after = {PageNumber: "2/2", ForwardOnly: "2"}[kind]
    assert kind().after(start, page(*body)) == after
    assert kind(links=True).after(start, page(*body)) is None
    assert kind().after(start, page(*body), Progress(links=True)) is None
    assert kind().after(start, page(*body), Progress(rows=3, count=5)) is None
    assert kind().after(start, page(*body), Progress(rows=3, count=6)) == after


@pytest.mark.parametrize("kind", [PageNumber, ForwardOnly])
def test_a_flag_and_a_total_are_believed_where_they_are_declared(kind):
    start, after = kind().start(), {PageNumber: "2/2", ForwardOnly: "2"}[kind]
    flagged, counted = kind(more="more"), kind(total="meta.total")
    assert flagged.after(start, wrapped(2, more=False)) is None
    assert flagged.after(start, wrapped(2, more="false")) is None
    assert flagged.after(start, wrapped(2, more=True)) == after
    assert flagged.after(start, wrapped(2, more=None)) == after
    assert kind(more="more", size=2).after(start, wrapped(2, more=False)) is None
    assert counted.after(start, wrapped(2, meta={"total": 2})) is None
    assert counted.after(start, wrapped(2, meta={"total": 3})) == after
    assert counted.after(start, wrapped(2, meta={"total": "2"})) == after
    # A full page goes on whatever the total says: it may be a wrong one.
    assert kind(total="meta.total", size=2).after(start, wrapped(2, meta={"total": 1})) == "2"


def test_an_empty_page_that_promises_more():
    assert PageNumber(more="more").after("3", wrapped(0, more=True)) == "4"
    with pytest.raises(PermanentError, match="sends none to continue from"):
        ForwardOnly(more="more").after("9", wrapped(0, more=True))


def test_whether_an_end_is_certain():
    assert LinkHeader(size=3).end_is_certain(page(*things(1, 2)))
    assert not LinkHeader(size=2).end_is_certain(page(*things(1, 2)))
    assert LinkHeader(size=2).end_is_certain(page(*things(1, 2), link='<https://api.example.com/>; rel="prev"'))
    assert LinkHeader(size=2).end_is_certain(page(*things(1, 2)), Progress(links=True))
    assert not ForwardOnly().end_is_certain(page({}, {}))


def test_keys_in_another_order_are_refused_where_another_page_follows():
    ForwardOnly().check_order("3", [4, None, 4, True, "x", 9])
    ForwardOnly().check_order("abc", ["b", "a"])
    for keys in ([4, 9, 8], [2]):
        with pytest.raises(PermanentError, match="does not sort the records"):
            ForwardOnly().check_order("3", keys)


def test_a_short_page_with_a_next_link_is_not_the_last():
    link = '<https://api.example.com/v1/things?pageId=1>; rel="next"'
    assert PageNumber(size=1000).after("1", page(*things(1), link=link)) == "2"
    assert ForwardOnly(size=1000).after("", page(*things(1), link=link)) == "1"
    assert ForwardOnly(size=1000).after("1", page(link=link)) is None


def wrapped(count: int, **more: object) -> Page:
    body = {"records": things(*range(1, count + 1)), **more}
    response = Response(status=200, headers={}, body=json.dumps(body).encode(), url=OWN)
    return Page(response=response, records=split_records(response, path="records"))


def test_a_link_on_the_same_host_is_kept_without_it():
    paging = LinkHeader(size=2)
    link = '<https://api.example.com/v1/things?page=2&x=1>; rel="next"'
    position = paging.after("", page(*things(1), link=link))
    assert position == "/v1/things?page=2&x=1"
    moved = Request(url="https://other.example.com/v1/things")
    asked = paging.request(moved, position)
    assert (asked.url, asked.params) == ("https://other.example.com/v1/things?page=2&x=1", {})
    assert paging.after(position, page(*things(2))) is None
    assert paging.request(BASE, paging.start()).params["pageSize"] == "2"


def test_a_link_to_another_host_stays_whole_so_that_it_is_seen():
    link = '<https://evil.example/x>; rel="next"'
    assert LinkHeader().after("", page(*things(1), link=link)) == "https://evil.example/x"


def test_a_service_that_does_not_know_forward_only_is_followed_by_its_links():
    paging = ForwardOnly(size=2, headers={"pagination-type": "forward-only"})
    link = '<https://api.example.com/v1/things?page=2&pageSize=2>; rel="next"'
    position = paging.after("", page(*things(1, 2), link=link))
    assert position == "/v1/things?page=2&pageSize=2"
    asked = paging.request(BASE, position)
    assert (asked.url, asked.params) == ("https://api.example.com/v1/things?page=2&pageSize=2", {})
    assert paging.after(position, page(*things(3))) is None


def test_forward_only_does_not_mind_a_link_to_a_stranger():
    link = '<https://evil.example/x>; rel="next"'
    assert ForwardOnly(size=2).after("", page(*things(1, 2), link=link)) == "2"


def test_forward_only_asks_above_the_last_key():
    paging = ForwardOnly(size=2, headers={"pagination-type": "forward-only"})
    first = paging.request(BASE, paging.start())
    assert "pageId" not in first.params
    assert first.headers == {"pagination-type": "forward-only"}
    assert paging.after("", page(*things(4, 9))) == "9"
    assert paging.request(BASE, "9").params["pageId"] == "9"
    assert paging.after("9", page(*things(11))) == "11"
    assert paging.after("11", page()) is None


@pytest.mark.parametrize("damaged", [{"id": None}, {}, "garbage", None, {"id": "not a number"}, {"id": True}, [1]])
def test_a_damaged_record_at_the_end_does_not_end_the_read(damaged):
    assert ForwardOnly(size=2).after("", page({"id": 4}, damaged)) == "4"


def test_keys_may_be_texts():
    assert ForwardOnly(size=2).after("", page(*things("a", "b"))) == "b"


def test_a_full_page_without_any_key_is_refused():
    with pytest.raises(PermanentError, match="no record of a full page has the key"):
        ForwardOnly(size=2).after("", page({}, {}))


def test_keys_that_go_back_are_refused():
    with pytest.raises(PermanentError, match="paging loop"):
        ForwardOnly(size=2).after("9", page(*things(4, 9)))


def test_unpaged_is_one_page():
    assert Unpaged().after(Unpaged().start(), page(*things(1))) is None
    assert Unpaged().request(BASE, "") is BASE


def test_an_answer_that_was_to_be_everything_and_names_a_next_page_is_followed():
    link = '<https://api.example.com/v1/things?page=2>; rel="next"'
    position = Unpaged().after("", page(*things(1), link=link))
    assert Unpaged().request(BASE, position).url == "https://api.example.com/v1/things?page=2"


def test_a_position_that_was_asked_before_is_refused_however_long_ago():
    trail = LoopGuard(["1"])
    trail.add_page("2", b"a\n")
    trail.add_page("3", b"b\n")
    with pytest.raises(PermanentError, match="paging loop"):
        trail.add_page("1", b"c\n")


def test_the_same_page_twice_is_refused_but_empty_ones_and_another_collections_are_not():
    trail = LoopGuard(last=b"a\n")
    with pytest.raises(PermanentError, match="same page twice"):
        trail.add_page("2", b"a\n")
    trail = LoopGuard()
    trail.add_page("1", b"")
    trail.add_page("2", b"")
    trail.add_page("3", join_lines(page(*things(1)).records))
    trail.reset()
    trail.add_page("4", join_lines(page(*things(1)).records))
