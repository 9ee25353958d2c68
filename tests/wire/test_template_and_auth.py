"""Placeholders and credentials. Errors contain their names, never their values."""

from __future__ import annotations

import base64

import pytest

from headwater.errors import DeclarationError, PermanentError
from headwater.wire.auth import (
    Basic,
    ClientCredentials,
    Headers,
    NoAuth,
    QueryKey,
    encode_basic,
)
from headwater.wire.message import Request, Response
from headwater.wire.sent_credentials import find_credentials, strip_credentials
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
def test_placeholders_are_replaced_and_other_braces_are_text(text, expected):
    assert fill(text, VALUES, where="here") == expected


@pytest.mark.parametrize("text", ["{compny}", "{company!r}", "{company.__class__}", "{company:>10}", "{Company}"])
def test_an_unknown_placeholder_is_refused_with_the_known_names(text):
    with pytest.raises(DeclarationError) as caught:
        fill(text, VALUES, where="here")
    assert caught.value.hint
    assert "s3cret" not in str(caught.value)


def test_a_value_that_looks_like_a_placeholder_is_not_replaced():
    assert fill("{company}", {"company": "{private_key}"}, where="here") == "{private_key}"
    assert find_placeholders("{a}+{b}") == ("a", "b")


REQUEST = Request(url="https://api.example.com/v1/tickets", headers={"Accept": "application/json"})


def find_first_request(auth, values=VALUES, request=REQUEST):
    """The first request that the flow of an auth sends."""
    return next(auth.bind(values).flow(request))


def test_basic_composes_the_user_and_adds_headers():
    auth = Basic(user="{company}+{public_key}", password="{private_key}", headers={"clientId": "{client_id}"})
    headers = find_first_request(auth).headers
    assert base64.b64decode(headers["Authorization"].removeprefix("Basic ")) == b"acme+pub:s3cret"
    assert headers["clientId"] == "c-1"
    assert headers["Accept"] == "application/json"


def test_headers_add_a_token_and_no_auth_adds_nothing():
    sent = find_first_request(Headers(headers={"Authorization": "Bearer {private_key}"}))
    assert sent.headers["Authorization"] == "Bearer s3cret"
    assert find_first_request(NoAuth()) == REQUEST


def test_a_query_key_is_added_to_parameters_and_to_the_url():
    auth = QueryKey(params={"api_token": "{private_key}"})
    assert find_first_request(auth).params == {"api_token": "s3cret"}
    assert find_first_request(auth, request=REQUEST.with_params({"page": "2"})).params == {
        "page": "2",
        "api_token": "s3cret",
    }
    link = find_first_request(auth, request=REQUEST.with_url("https://api.example.com/v1/tickets?page=2"))
    assert (link.url, link.params) == ("https://api.example.com/v1/tickets?page=2&api_token=s3cret", {})


def test_a_flow_adds_credentials_that_messages_hide():
    sent = find_first_request(Basic(user="{company}", password="{private_key}", headers={"X-Key": "a-longer-key"}))
    assert set(find_credentials(REQUEST, sent)) == {"a-longer-key", base64.b64encode(b"acme:s3cret").decode()}
    assert "s3cret" in set(find_credentials(REQUEST, find_first_request(QueryKey(params={"key": "{private_key}"}))))


def test_the_identity_of_an_account_is_its_auth_without_placeholders():
    auth = Basic(user="{company}", password="{private_key}", headers={"clientId": "{client_id}"})
    assert auth.bind(VALUES).identity == {".user": "acme", ".password": "s3cret", ".headers.clientId": "c-1"}
    assert NoAuth().bind(VALUES).identity == {}


def build_response(status, body=b"{}"):
    return Response(status=status, headers={}, body=body)


OAUTH = ClientCredentials(
    token_url="https://login.example.com/token",
    client_id="{client_id}",
    client_secret="{private_key}",
    params={"scope": "all"},
)


@pytest.mark.parametrize(
    ("send", "kind", "body"),
    [
        ("form", "form", b"grant_type=client_credentials&scope=all&client_id=c-1&client_secret=s3cret"),
        (
            "json",
            "json",
            b'{"grant_type":"client_credentials","scope":"all","client_id":"c-1","client_secret":"s3cret"}',
        ),
        ("basic", "form", b"grant_type=client_credentials&scope=all"),
    ],
)
def test_a_token_is_used_until_it_is_rejected(send, kind, body):
    auth = OAUTH.model_copy(update={"send": send}).bind(VALUES)
    flow = auth.flow(REQUEST)
    request = next(flow)
    assert (request.method, request.url, request.body) == ("POST", "https://login.example.com/token", body)
    assert kind in request.headers["Content-Type"]
    assert ("Authorization" in request.headers) == (send == "basic")
    assert flow.send(build_response(200, b'{"access_token":"one"}')).headers["Authorization"] == "Bearer one"
    again = auth.flow(REQUEST)
    assert next(again).headers["Authorization"] == "Bearer one"
    assert again.send(build_response(401)) == request
    assert again.send(build_response(200, b'{"access_token":"two"}')).headers["Authorization"] == "Bearer two"
    assert next(auth.flow(REQUEST)).headers["Authorization"] == "Bearer two"


@pytest.mark.parametrize(
    ("expires_in", "lasts"),
    [("3600", 3540), ('"3600"', 3540), ("100", 90), ("0", 10**9), ("null", 10**9), ('"soon"', 10**9), ("-5", 10**9)],
)
def test_a_token_is_renewed_before_it_expires(expires_in, lasts):
    now = [7.0]
    auth = OAUTH.bind(VALUES, monotonic=lambda: now[0])
    flow = auth.flow(REQUEST)
    next(flow)
    flow.send(build_response(200, b'{"access_token":"one","expires_in":%s}' % expires_in.encode()))
    now[0] += lasts - 1
    assert next(auth.flow(REQUEST)).headers["Authorization"] == "Bearer one"
    now[0] += 1
    assert (next(auth.flow(REQUEST)).method == "POST") == (lasts < 10**9)


@pytest.mark.parametrize(
    ("address", "stripped"),
    [
        ("/things?page=2&api_key=K%2B1&size=2", "/things?page=2&size=2"),
        ("/things?token=hidden%20word&page=2", "/things?page=2"),
        ("/things?api_key=K", "/things"),
        ("/things?page=2&odd=%7e&empty=", "/things?page=2&odd=%7e&empty="),
        ("/api_key=K/things", "/api_key=K/things"),
        ("12", "12"),
    ],
)
def test_credentials_are_removed_from_a_url(address, stripped):
    assert strip_credentials(address, {"api_key"}, {"hidden word", ""}) == stripped


def test_a_rejected_token_request_ends_the_flow_and_releases_the_lock():
    auth = OAUTH.bind(VALUES)
    for _ in range(2):
        flow = auth.flow(REQUEST)
        next(flow)
        with pytest.raises(StopIteration):
            flow.send(build_response(401))
    abandoned = auth.flow(REQUEST)
    next(abandoned)
    abandoned.close()
    assert next(auth.flow(REQUEST)).method == "POST"


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"access_token":7}', b'{"access_token":"a\\nb"}', b"<html>"])
def test_a_response_without_a_token_is_an_error_that_does_not_show_it(body):
    flow = OAUTH.bind(VALUES).flow(REQUEST)
    next(flow)
    with pytest.raises(PermanentError, match="access_token"):
        flow.send(build_response(200, body))


@pytest.mark.parametrize(
    "auth",
    [
        Basic(user="x", password="{private_key}"),
        Basic(user="x", password="y", headers={"clientId": "{private_key}"}),
        Headers(headers={"X-Key": "{private_key}"}),
        QueryKey(params={"key": "{private_key}"}),
    ],
)
def test_a_secret_with_a_line_break_is_refused_by_name_without_its_value(auth):
    with pytest.raises(DeclarationError) as caught:
        find_first_request(auth, {"private_key": "s3cret\n"})
    assert "private_key" in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "body", ["client_id=me&client_secret=hush-hush", '{"client_id": "me", "client_secret": "hush-hush"}']
)
def test_a_client_in_a_body_is_also_hidden_as_basic(body):
    request = Request(url="https://api.example.com/things")
    sent = Request(url="https://api.example.com/token", method="POST", body=body.encode())
    assert encode_basic("me", "hush-hush").partition(" ")[2] in set(find_credentials(request, sent))


@pytest.mark.parametrize("kind", ["mac", "DPoP", ""])
def test_a_token_of_another_kind_is_refused(kind):
    flow = OAUTH.bind(VALUES).flow(REQUEST)
    next(flow)
    with pytest.raises(PermanentError, match="kind"):
        flow.send(build_response(200, f'{{"access_token":"one","token_type":"{kind}"}}'.encode()))


@pytest.mark.parametrize("kind", ['"bearer"', '"Bearer"', '"BearerToken"', "null"])
def test_a_bearer_token_is_accepted_in_every_spelling(kind):
    flow = OAUTH.bind(VALUES).flow(REQUEST)
    next(flow)
    request = flow.send(build_response(200, f'{{"access_token":"one","token_type":{kind}}}'.encode()))
    assert request.headers["Authorization"] == "Bearer one"


def test_a_token_is_sent_after_the_declared_word():
    flow = OAUTH.model_copy(update={"scheme": "Token"}).bind(VALUES).flow(REQUEST)
    next(flow)
    sent = flow.send(Response(status=200, headers={}, body=b'{"access_token": "abc"}'))
    assert sent.headers["Authorization"] == "Token abc"
