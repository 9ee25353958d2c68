"""A record that is no JSON does not keep the others of its page from being read."""

from __future__ import annotations

import pytest

from headwater.errors import PermanentError, TransientError
from headwater.wire.message import Response
from headwater.wire.records import read_values, split_records

DEEP = b'{"id":3,"x":' + b'{"a":[' * 5000 + b"]}" * 5000 + b"}"
ODD = [
    b'{"id":3,"name":"\\ud800"}',
    b'{"id":3,"a":NaN}',
    b'{"id":3,"a":0012}',
    b'{"id":3,"a":tru}',
    b'{"id":3,"b":"\xff,]}"}',
    DEEP,
]


def records(body, path=""):
    return [bytes(one) for one in split_records(Response(status=200, headers={}, body=body), path=path)]


@pytest.mark.parametrize("odd", ODD)
def test_the_records_beside_it_are_told_apart(odd):
    good = [b'{"id":1,"a":"},{\\"["}', b'{"id":2,"a":[{"b":[]}]}']
    assert records(b"[%s , %s,%s]" % (good[0], odd, good[1])) == [good[0], odd, good[1]]
    body = b' {"skip":{"items":[1]},"page":{"more":"items","items":[%s,%s],"z":[]},"next":null}' % (odd, good[0])
    assert records(body, "page.items") == [odd, good[0]]
    assert list(read_values([odd, good[0]], "id"))[1] == 1
    tail = body.replace(b'"next":null', b'"next":{"token":"t"}')
    assert list(read_values([tail], "next.token")) == ["t"]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(
    "body", [b"[%s", b"[%s,", b"[%s]]", b"[%s}", b"[%s,1]", b"[%s,,{}]", b"[%s] x", b'[%s,"x"]', b"x [%s]", b"[%s][]"]
)
def test_a_body_that_is_not_whole_is_asked_for_again(odd, body):
    with pytest.raises(TransientError, match="truncated or is not JSON"):
        records(body % odd)


def test_a_list_that_is_null_is_empty_and_one_that_is_missing_is_said():
    assert records(b'{"items":null,"total":0}', "items") == []
    assert records(b'{"page":{"items":null}}', "page.items") == []
    assert records(b'{"items":[]}', "items") == []
    for body in (b'{"total":0}', b'{"page":null}', b'{"items":{}}', b"null"):
        with pytest.raises(PermanentError, match="has no list of records"):
            records(body, "items" if b"page" not in body else "page.items")
    with pytest.raises(PermanentError, match="has no list of records"):
        records(b"null")
