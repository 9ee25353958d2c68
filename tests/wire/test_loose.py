"""A record with invalid JSON does not affect the other records of its page."""

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


def read_records(body, path=""):
    return [bytes(one) for one in split_records(Response(status=200, headers={}, body=body), path=path)]


@pytest.mark.parametrize("record", ODD)
def test_the_other_records_are_split(record):
    good = [b'{"id":1,"a":"},{\\"["}', b'{"id":2,"a":[{"b":[]}]}']
    assert read_records(b"[%s , %s,%s]" % (good[0], record, good[1])) == [good[0], record, good[1]]
    body = b' {"skip":{"items":[1]},"page":{"more":"items","items":[%s,%s],"z":[]},"next":null}' % (record, good[0])
    assert read_records(body, "page.items") == [record, good[0]]
    assert list(read_values([record, good[0]], "id"))[1] == 1
    tail = body.replace(b'"next":null', b'"next":{"token":"t"}')
    assert list(read_values([tail], "next.token")) == ["t"]


@pytest.mark.parametrize("record", ODD)
@pytest.mark.parametrize(
    "body", [b"[%s", b"[%s,", b"[%s]]", b"[%s}", b"[%s,1]", b"[%s,,{}]", b"[%s] x", b'[%s,"x"]', b"x [%s]", b"[%s][]"]
)
def test_a_truncated_body_is_a_transient_error(record, body):
    with pytest.raises(TransientError, match="truncated or is not JSON"):
        read_records(body % record)


def test_a_null_list_is_empty_and_a_missing_list_is_an_error():
    assert read_records(b'{"items":null,"total":0}', "items") == []
    assert read_records(b'{"page":{"items":null}}', "page.items") == []
    assert read_records(b'{"items":[]}', "items") == []
    for body in (b'{"total":0}', b'{"page":null}', b'{"items":{}}', b"null"):
        with pytest.raises(PermanentError, match="has no list of records"):
            read_records(body, "items" if b"page" not in body else "page.items")
    with pytest.raises(PermanentError, match="has no list of records"):
        read_records(b"null")
