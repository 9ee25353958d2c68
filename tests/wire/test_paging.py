"""Paging: positions are texts, the variants have no state, and a paging loop is refused."""

from __future__ import annotations

import json

import pytest

from headwater.errors import PermanentError
from headwater.wire.loop_guard import LoopGuard
from headwater.wire.message import Page, Request, Response
from headwater.wire.paging.forward_only import ForwardOnly
from headwater.wire.paging.link_header import LinkHeader, Unpaged
from headwater.wire.paging.page_number import PageNumber
from headwater.wire.paging.progress import Progress
from headwater.wire.records import join_lines, split_records

BASE = Request(url="https://api.example.com/v1/things", params={"orderBy": "id asc"})
PAGE_URL = "https://api.example.com/v1/things?pageSize=2"


def build_page(*records: object, link: str = "", url: str = PAGE_URL) -> Page:
    response = Response(status=200, headers={"link": link} if link else {}, body=json.dumps(records).encode(), url=url)
    return Page(response=response, records=split_records(response))


def build_things(*ids: object) -> list[object]:
    return [{"id": ident} for ident in ids]


def test_page_numbers_continue_until_an_empty_page():
    paging = PageNumber(size=2)
    assert paging.build_request(BASE, paging.start()).params == {"orderBy": "id asc", "page": "1", "pageSize": "2"}
    assert paging.find_next_position("1", build_page(*build_things(1, 2))) == "2"
    assert paging.find_next_position("3", build_page()) is None


def test_after_a_short_page_the_next_number_follows_from_the_records():
    paging = PageNumber(size=100)
    assert paging.find_next_position("1", build_page(*build_things(*range(50)))) == "2/50"
    assert paging.build_request(BASE, "2/50").params == {"orderBy": "id asc", "page": "2", "pageSize": "50"}
    assert paging.find_next_position("2/50", build_page(*build_things(*range(50)))) == "3/50"
    # 80 records came: page 5 of 20 begins with the 81st.
    assert paging.find_next_position("2/50", build_page(*build_things(*range(30)))) == "5/20"
    assert paging.find_next_position("5/20", build_page()) is None
    # A service that sends more than was asked counts its pages by what it sends.
    assert PageNumber(size=2).find_next_position("1", build_page(*build_things(1, 2, 3))) == "2"


@pytest.mark.parametrize("kind", [PageNumber, ForwardOnly])
def test_a_short_page_is_the_last_one_if_the_service_says_so(kind):
    start, body = kind().start(), build_things(1, 2)
    after = {PageNumber: "2/2", ForwardOnly: "2"}[kind]
    assert kind().find_next_position(start, build_page(*body)) == after
    assert kind(links=True).find_next_position(start, build_page(*body)) is None
    assert kind().find_next_position(start, build_page(*body), Progress(links=True)) is None
    assert kind().find_next_position(start, build_page(*body), Progress(rows=3, count=5)) is None
    assert kind().find_next_position(start, build_page(*body), Progress(rows=3, count=6)) == after


@pytest.mark.parametrize("kind", [PageNumber, ForwardOnly])
def test_a_declared_flag_or_total_ends_the_read(kind):
    start, after = kind().start(), {PageNumber: "2/2", ForwardOnly: "2"}[kind]
    flagged, counted = kind(more="more"), kind(total="meta.total")
    assert flagged.find_next_position(start, build_wrapped_page(2, more=False)) is None
    assert flagged.find_next_position(start, build_wrapped_page(2, more="false")) is None
    assert flagged.find_next_position(start, build_wrapped_page(2, more=True)) == after
    assert flagged.find_next_position(start, build_wrapped_page(2, more=None)) == after
    assert kind(more="more", size=2).find_next_position(start, build_wrapped_page(2, more=False)) is None
    assert counted.find_next_position(start, build_wrapped_page(2, meta={"total": 2})) is None
    assert counted.find_next_position(start, build_wrapped_page(2, meta={"total": 3})) == after
    assert counted.find_next_position(start, build_wrapped_page(2, meta={"total": "2"})) == after
    # A full page goes on whatever the total says: it may be a wrong one.
    assert kind(total="meta.total", size=2).find_next_position(start, build_wrapped_page(2, meta={"total": 1})) == "2"


def test_an_empty_page_with_a_flag_for_more():
    assert PageNumber(more="more").find_next_position("3", build_wrapped_page(0, more=True)) == "4"
    with pytest.raises(PermanentError, match="sends none to continue from"):
        ForwardOnly(more="more").find_next_position("9", build_wrapped_page(0, more=True))


def test_whether_an_end_is_certain():
    assert LinkHeader(size=3).is_end_certain(build_page(*build_things(1, 2)))
    assert not LinkHeader(size=2).is_end_certain(build_page(*build_things(1, 2)))
    assert LinkHeader(size=2).is_end_certain(
        build_page(*build_things(1, 2), link='<https://api.example.com/>; rel="prev"')
    )
    assert LinkHeader(size=2).is_end_certain(build_page(*build_things(1, 2)), Progress(links=True))
    assert not ForwardOnly().is_end_certain(build_page({}, {}))


def test_keys_in_another_order_are_refused():
    ForwardOnly().check_order("3", [4, None, 4, True, "x", 9])
    ForwardOnly().check_order("abc", ["b", "a"])
    for keys in ([4, 9, 8], [2]):
        with pytest.raises(PermanentError, match="does not sort the records"):
            ForwardOnly().check_order("3", keys)


def test_a_short_page_with_a_next_link_is_not_the_last():
    link = '<https://api.example.com/v1/things?pageId=1>; rel="next"'
    assert PageNumber(size=1000).find_next_position("1", build_page(*build_things(1), link=link)) == "2"
    assert ForwardOnly(size=1000).find_next_position("", build_page(*build_things(1), link=link)) == "1"
    assert ForwardOnly(size=1000).find_next_position("1", build_page(link=link)) is None


def build_wrapped_page(count: int, **more: object) -> Page:
    body = {"records": build_things(*range(1, count + 1)), **more}
    response = Response(status=200, headers={}, body=json.dumps(body).encode(), url=PAGE_URL)
    return Page(response=response, records=split_records(response, path="records"))


def test_a_link_to_the_same_host_is_stored_without_the_host():
    paging = LinkHeader(size=2)
    link = '<https://api.example.com/v1/things?page=2&x=1>; rel="next"'
    position = paging.find_next_position("", build_page(*build_things(1), link=link))
    assert position == "/v1/things?page=2&x=1"
    moved = Request(url="https://other.example.com/v1/things")
    request = paging.build_request(moved, position)
    assert (request.url, request.params) == ("https://other.example.com/v1/things?page=2&x=1", {})
    assert paging.find_next_position(position, build_page(*build_things(2))) is None
    assert paging.build_request(BASE, paging.start()).params["pageSize"] == "2"


def test_a_link_to_another_host_is_stored_with_the_host():
    link = '<https://evil.example/x>; rel="next"'
    assert LinkHeader().find_next_position("", build_page(*build_things(1), link=link)) == "https://evil.example/x"


def test_links_are_followed_if_forward_only_is_not_supported():
    paging = ForwardOnly(size=2, headers={"pagination-type": "forward-only"})
    link = '<https://api.example.com/v1/things?page=2&pageSize=2>; rel="next"'
    position = paging.find_next_position("", build_page(*build_things(1, 2), link=link))
    assert position == "/v1/things?page=2&pageSize=2"
    request = paging.build_request(BASE, position)
    assert (request.url, request.params) == ("https://api.example.com/v1/things?page=2&pageSize=2", {})
    assert paging.find_next_position(position, build_page(*build_things(3))) is None


def test_forward_only_ignores_a_link_to_another_host():
    link = '<https://evil.example/x>; rel="next"'
    assert ForwardOnly(size=2).find_next_position("", build_page(*build_things(1, 2), link=link)) == "2"


def test_forward_only_requests_keys_above_the_last_one():
    paging = ForwardOnly(size=2, headers={"pagination-type": "forward-only"})
    first = paging.build_request(BASE, paging.start())
    assert "pageId" not in first.params
    assert first.headers == {"pagination-type": "forward-only"}
    assert paging.find_next_position("", build_page(*build_things(4, 9))) == "9"
    assert paging.build_request(BASE, "9").params["pageId"] == "9"
    assert paging.find_next_position("9", build_page(*build_things(11))) == "11"
    assert paging.find_next_position("11", build_page()) is None


@pytest.mark.parametrize("damaged", [{"id": None}, {}, "garbage", None, {"id": "not a number"}, {"id": True}, [1]])
def test_a_damaged_record_at_the_end_does_not_end_the_read(damaged):
    assert ForwardOnly(size=2).find_next_position("", build_page({"id": 4}, damaged)) == "4"


def test_keys_may_be_texts():
    assert ForwardOnly(size=2).find_next_position("", build_page(*build_things("a", "b"))) == "b"


def test_a_full_page_without_any_key_is_refused():
    with pytest.raises(PermanentError, match="no record of a full page has the key"):
        ForwardOnly(size=2).find_next_position("", build_page({}, {}))


def test_decreasing_keys_are_refused():
    with pytest.raises(PermanentError, match="paging loop"):
        ForwardOnly(size=2).find_next_position("9", build_page(*build_things(4, 9)))


def test_unpaged_is_one_page():
    assert Unpaged().find_next_position(Unpaged().start(), build_page(*build_things(1))) is None
    assert Unpaged().build_request(BASE, "") is BASE


def test_a_next_link_of_an_unpaged_response_is_followed():
    link = '<https://api.example.com/v1/things?page=2>; rel="next"'
    position = Unpaged().find_next_position("", build_page(*build_things(1), link=link))
    assert Unpaged().build_request(BASE, position).url == "https://api.example.com/v1/things?page=2"


def test_a_repeated_position_is_refused():
    guard = LoopGuard(["1"])
    guard.add_page("2", b"a\n")
    guard.add_page("3", b"b\n")
    with pytest.raises(PermanentError, match="paging loop"):
        guard.add_page("1", b"c\n")


def test_a_repeated_page_is_refused_unless_it_is_empty_or_of_another_collection():
    guard = LoopGuard(last=b"a\n")
    with pytest.raises(PermanentError, match="same page twice"):
        guard.add_page("2", b"a\n")
    guard = LoopGuard()
    guard.add_page("1", b"")
    guard.add_page("2", b"")
    guard.add_page("3", join_lines(build_page(*build_things(1)).records))
    guard.reset()
    guard.add_page("4", join_lines(build_page(*build_things(1)).records))
