"""Paging: positions are texts, variants keep nothing, and a service that repeats itself is refused."""

from __future__ import annotations

import json

import pytest

from headwater.errors import Refused
from headwater.wire.message import Page, Request, Response
from headwater.wire.paging import ForwardOnly, LinkHeader, PageNumber, Unpaged
from headwater.wire.records import as_lines, split
from headwater.wire.trail import Trail

BASE = Request(url="https://api.example.com/v1/things", params={"orderBy": "id asc"})
OWN = "https://api.example.com/v1/things?pageSize=2"


def page(*records: object, link: str = "", url: str = OWN) -> Page:
    response = Response(status=200, headers={"link": link} if link else {}, body=json.dumps(records).encode(), url=url)
    return Page(response=response, records=split(response))


def things(*ids: object) -> list[object]:
    return [{"id": ident} for ident in ids]


def test_page_numbers_go_on_until_a_short_page():
    paging = PageNumber(size=2)
    assert paging.request(BASE, paging.start()).params == {"orderBy": "id asc", "page": "1", "pageSize": "2"}
    assert paging.after("1", page(*things(1, 2))) == "2"
    assert paging.after("2", page(*things(3))) is None
    assert paging.after("2", page()) is None


def test_a_short_page_with_a_next_link_is_not_the_last():
    link = '<https://api.example.com/v1/things?pageId=1>; rel="next"'
    assert PageNumber(size=1000).after("1", page(*things(1), link=link)) == "2"
    assert ForwardOnly(size=1000).after("", page(*things(1), link=link)) == "1"
    assert ForwardOnly(size=1000).after("1", page(link=link)) is None


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
    assert paging.after("9", page(*things(11))) is None


@pytest.mark.parametrize("damaged", [{"id": None}, {}, "garbage", None, {"id": "not a number"}, {"id": True}, [1]])
def test_a_damaged_record_at_the_end_does_not_end_the_read(damaged):
    assert ForwardOnly(size=2).after("", page({"id": 4}, damaged)) == "4"


def test_keys_may_be_texts():
    assert ForwardOnly(size=2).after("", page(*things("a", "b"))) == "b"


def test_a_full_page_without_any_key_is_refused():
    with pytest.raises(Refused, match="no record of a full page has the key"):
        ForwardOnly(size=2).after("", page({}, {}))


def test_keys_that_go_back_are_refused():
    with pytest.raises(Refused, match="repeats itself"):
        ForwardOnly(size=2).after("9", page(*things(4, 9)))


def test_unpaged_is_one_page():
    assert Unpaged().after(Unpaged().start(), page(*things(1))) is None
    assert Unpaged().request(BASE, "") is BASE


def test_a_position_that_was_asked_before_is_refused_however_long_ago():
    trail = Trail(["1"])
    trail.step("2", b"a\n")
    trail.step("3", b"b\n")
    with pytest.raises(Refused, match="repeats itself"):
        trail.step("1", b"c\n")


def test_the_same_page_twice_is_refused_but_empty_ones_and_another_collections_are_not():
    trail = Trail(last=b"a\n")
    with pytest.raises(Refused, match="same page twice"):
        trail.step("2", b"a\n")
    trail = Trail()
    trail.step("1", b"")
    trail.step("2", b"")
    trail.step("3", as_lines(page(*things(1)).records))
    trail.turn()
    trail.step("4", as_lines(page(*things(1)).records))
