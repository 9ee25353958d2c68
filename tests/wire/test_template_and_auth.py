"""Placeholders and credentials: filled in literally, complained about by name, never by value."""

from __future__ import annotations

import base64

import pytest

from headwater.errors import DeclarationError
from headwater.wire.auth import Basic, Headers, NoAuth
from headwater.wire.template import fill, find_placeholders

VALUES = {"company": "acme", "public_key": "pub", "private_key": "s3cret", "client_id": "c-1"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{company}+{public_key}", "acme+pub"),
        ("no placeholder", "no placeholder"),
        ('{"op":"gt","by":"{company}"}', '{"op":"gt","by":"acme"}'),
        ("[{company}]", "[acme]"),
        ("{}", "{}"),
    ],
)
def test_placeholders_are_filled_and_other_braces_are_text(text, expected):
    assert fill(text, VALUES, where="here") == expected


@pytest.mark.parametrize("text", ["{compny}", "{company!r}", "{company.__class__}", "{company:>10}", "{Company}"])
def test_an_unknown_or_clever_placeholder_is_refused_with_the_known_names(text):
    with pytest.raises(DeclarationError) as caught:
        fill(text, VALUES, where="here")
    assert caught.value.hint
    assert "s3cret" not in str(caught.value)


def test_a_value_that_looks_like_a_placeholder_stays_as_it_is():
    assert fill("{company}", {"company": "{private_key}"}, where="here") == "{private_key}"
    assert find_placeholders("{a}+{b}") == ("a", "b")


def test_basic_composes_the_user_and_adds_headers():
    auth = Basic(user="{company}+{public_key}", password="{private_key}", headers={"clientId": "{client_id}"})
    headers = auth.headers_for(VALUES)
    assert base64.b64decode(headers["Authorization"].removeprefix("Basic ")) == b"acme+pub:s3cret"
    assert headers["clientId"] == "c-1"


def test_headers_carry_a_token_and_nothing_is_nothing():
    assert Headers(headers={"Authorization": "Bearer {private_key}"}).headers_for(VALUES) == {
        "Authorization": "Bearer s3cret"
    }
    assert NoAuth().headers_for(VALUES) == {}


@pytest.mark.parametrize(
    "auth",
    [
        Basic(user="x", password="{private_key}"),
        Basic(user="x", password="y", headers={"clientId": "{private_key}"}),
        Headers(headers={"X-Key": "{private_key}"}),
    ],
)
def test_a_secret_with_a_line_break_is_refused_by_name_without_its_value(auth):
    with pytest.raises(DeclarationError) as caught:
        auth.headers_for({"private_key": "s3cret\n"})
    assert "private_key" in str(caught.value)
    assert "s3cret" not in str(caught.value)
