"""Bodies are split into the bytes of their records: unchanged, complete, one line each."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.errors import PermanentError, TransientError
from headwater.wire.message import Response
from headwater.wire.records import join_lines, read_value, read_values, split_lines, split_records


def build_response(text: bytes, status: int = 200) -> Response:
    return Response(status=status, headers={}, body=text)


def test_records_keep_their_bytes():
    text = b'[{"a": 1.50, "b":"\\u00fe"} ,{"b" :2},\t[3], "x", null, 7]'
    assert [bytes(record) for record in split_records(build_response(text))] == [
        b'{"a": 1.50, "b":"\\u00fe"}', b'{"b" :2}', b"[3]", b'"x"', b"null", b"7",
    ]  # fmt: skip


def test_line_breaks_between_tokens_become_spaces():
    records = split_records(build_response(b'[\r\n {\n  "a": 1\r\n }\n]'))
    assert join_lines(records) == b'{   "a": 1   }\n'


def test_a_wrapped_list_is_found_by_its_path():
    text = b'{"PageNumber":1,"Data":{"rows":[{"a":1},2]}}'
    assert split_lines(join_lines(split_records(build_response(text), path="Data.rows"))) == [b'{"a":1}', b"2"]


@pytest.mark.parametrize("text", [b"", b'[{"a":1},{"a"', b"[1,]", b'["\xff"]', b"[1] x"])
def test_a_broken_body_is_a_transient_error(text):
    with pytest.raises(TransientError, match="truncated or is not JSON"):
        split_records(build_response(text))


@pytest.mark.parametrize(
    ("text", "path"),
    [(b'{"message":"no"}', ""), (b'{"data":[]}', "Data"), (b'"x"', ""), (b"[]", "Data")],
)
def test_json_without_a_list_is_refused(text, path):
    with pytest.raises(PermanentError, match="has no list"):
        split_records(build_response(text), path=path)


def test_no_content_has_no_records_and_a_byte_order_mark_is_ignored():
    assert split_records(build_response(b"", 204)) == []
    assert len(split_records(build_response(b"\xef\xbb\xbf[1]"))) == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(json_values, max_size=6), st.sampled_from([None, 1]), st.booleans())
def test_every_record_becomes_one_equal_line(sent, indent, escaped):
    text = json.dumps(sent, indent=indent, ensure_ascii=escaped).encode(errors="surrogatepass")
    try:
        text.decode()
    except UnicodeDecodeError:
        return
    lines = split_lines(join_lines(split_records(build_response(text))))
    assert [json.loads(line) for line in lines] == sent
    assert all(b"\r" not in line for line in lines)


def test_values_are_read_by_path_and_missing_ones_are_none():
    records = split_records(
        build_response(b'[{"_info":{"lastUpdated":"x"}},{"_info":null},{"_info":3},{},5,"y",null,{"_info":{}}]')
    )
    assert list(read_values(records, "_info.lastUpdated")) == ["x", None, None, None, None, None, None, None]
    assert read_value(b'{"id":7}', "id") == 7
