"""The `Link` header of RFC 8288."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.wire.link import find_next_link, parse_links

URL = "https://api.example.com/things?page=1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('<https://api.example.com/things?page=2>; rel="next"', "https://api.example.com/things?page=2"),
        ("<https://api.example.com/things?page=2>;rel=next", "https://api.example.com/things?page=2"),
        ('</things?page=2>; rel="next", </things?page=9>; rel="last"', "https://api.example.com/things?page=2"),
        ('</things?page=9>; rel="last", </things?page=2>; rel="next"', "https://api.example.com/things?page=2"),
        ('<?page=2>; title="a, b; rel=\\"next\\""; rel="prev next"', "https://api.example.com/things?page=2"),
        ("</things?ids=1,2,3>; REL=NEXT", "https://api.example.com/things?ids=1,2,3"),
        (' , </things?page=2> ; rel = "next" ,', "https://api.example.com/things?page=2"),
        ('</a>; rel="last"; rel="next"', None),
        ('</a>; rel="next"; anchor="#foo"', None),
        ('</a>; rel="nextish"', None),
        ('</a>; title="rel=next"', None),
        ("</a", None),
        ("nonsense", None),
        ("", None),
        ('</a>; rel="next', "https://api.example.com/a"),
        ("</a>; rel", None),
    ],
)
def test_the_next_link_is_found(text, expected):
    assert find_next_link({"link": text}, url=URL) == expected


@given(st.text(alphabet='<>;,="\\ relnxta/\t', max_size=60))
def test_no_header_raises(text):
    parse_links(text)


tokens = st.text(alphabet="abcdefg-*", min_size=1, max_size=6).filter(lambda name: name not in ("rel", "anchor"))
values = st.text(alphabet='ab ,;<>="\\é', max_size=8)


@given(st.lists(st.tuples(st.text(alphabet="abc/?,;=", max_size=8), st.dictionaries(tokens, values)), max_size=4))
def test_valid_links_are_parsed(links):
    def quote(value: str) -> str:
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

    text = ", ".join(
        f"<{target}>" + "".join(f"; {name}={quote(value)}" for name, value in params.items())
        for target, params in links
    )
    assert [(link.target, dict(link.params)) for link in parse_links(text)] == links
