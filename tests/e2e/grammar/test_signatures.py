"""Signed requests, against services that compute the signature from what they received."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from urllib.parse import parse_qsl, quote, unquote

import pytest

from headwater.wire.message import Request
from headwater.wire.signature.oauth1 import build_base_string, compute_signature
from headwater.wire.signature.signed_request import fix_query, split_request
from tests.e2e.grammar.paged_services import TOKEN, TokenService
from tests.e2e.grammar.shop import GrammarShop, build_things, list_ids, serve

SECRET, TOKEN_SECRET = "shared-secret-nobody/may+see", "token-secret&nobody=may see"
ODD = {"filter": "a b+c/d=e&f~g%h", "list[]": "{x}|'y'"}


class SignedService(TokenService):
    """Answers a request once, if its signature is right. `compute` is a function of the test."""

    def __init__(self, compute):
        super().__init__(build_things(10))
        self.compute, self.nonces, self.refusals = compute, set(), 0

    def build_answer(self, request):
        if self.refusals:
            self.refusals -= 1
            return 503, {}, {}
        expected, received, nonce = self.compute(request)
        if not hmac.compare_digest(expected, received) or nonce in self.nonces:
            return 401, {}, {"message": f"signature {received} is wrong"}
        self.nonces.add(nonce)
        return super().build_answer(request)


def sign(key, text, digest="sha256"):
    return hmac.new(key, text.encode(), digest).digest()


def compute_plain(request):
    query, now = request.target.partition("?")[2], request.headers["X-Time"]
    assert abs(time.time() - int(now)) < 60
    body = hashlib.sha256(request.body).hexdigest()
    host = request.headers["Host"]
    text = f"{request.method}\n{host}\n{request.path}\n{query}\n{body}\n{now}\n{request.headers['X-Nonce']}"
    word, _, received = request.headers["Authorization"].partition(" app:")
    assert word == "HMAC"
    return base64.b64encode(sign(SECRET.encode(), text)).decode(), received, request.headers["X-Nonce"]


PLAIN = {
    "kind": "hmac", "key": "{shared}",
    "sign": "{method}\n{host}\n{path}\n{query}\n{body_hash}\n{timestamp}\n{nonce}",
    "headers": {"Authorization": "HMAC {app}:{signature}", "X-Time": "{timestamp}", "X-Nonce": "{nonce}"},
}  # fmt: skip


def compute_sorted(request):
    """Sorted parameters, milliseconds, hex, a key in hex, and the signature in the query."""
    pairs = request.target.partition("?")[2].split("&")
    own = [pair for pair in pairs if pair.startswith(("sig=", "ts="))]
    values = dict(parse_qsl("&".join(own)))
    text = f"{'&'.join(sorted(set(pairs) - set(own)))}|{values['ts']}"
    return sign(b"\x00\xff-key", text, "sha512").hex(), values["sig"], values["ts"] + request.target


SORTED = {
    "kind": "hmac", "key": "{shared}", "key_encoding": "hex", "digest": "sha512", "encoding": "hex", "query": "sorted",
    "timestamp": "epoch_ms", "sign": "{query}|{timestamp}", "params": {"sig": "{signature}", "ts": "{timestamp}"},
}  # fmt: skip


def compute_oauth1(request):
    fields = dict(re.findall(r'(\w+)="([^"]*)"', request.headers["Authorization"]))
    fields = {name: unquote(value) for name, value in fields.items()}
    assert fields.pop("realm") == "1234_SB1"
    received = fields.pop("oauth_signature")
    assert (fields["oauth_consumer_key"], fields["oauth_token"]) == ("consumer", "token")
    assert fields["oauth_signature_method"] == "HMAC-SHA256"

    def escape(text):
        return quote(text, safe="-._~")

    query = parse_qsl(request.target.partition("?")[2], keep_blank_values=True)
    if request.headers.get("Content-Type") == "application/x-www-form-urlencoded":
        query += parse_qsl(request.body.decode(), keep_blank_values=True)
    pairs = sorted((escape(name), escape(value)) for name, value in [*fields.items(), *query])
    params = "&".join("=".join(pair) for pair in pairs)
    text = "&".join(map(escape, (request.method, f"http://{request.headers['Host']}{request.path}", params)))
    key = f"{escape(SECRET)}&{escape(TOKEN_SECRET)}".encode()
    return base64.b64encode(sign(key, text)).decode(), received, fields["oauth_nonce"]


OAUTH1 = {
    "kind": "oauth1", "consumer_key": "consumer", "consumer_secret": "{shared}", "token": "token",
    "token_secret": "{token_key}", "realm": "{account}",
}  # fmt: skip

KINDS = {
    "plain": (PLAIN, compute_plain, SECRET),
    "sorted": (SORTED, compute_sorted, b"\x00\xff-key".hex()),
    "oauth1": (OAUTH1, compute_oauth1, SECRET),
}


def create(tmp_path, service, auth, secret=SECRET, **resource):
    return GrammarShop(
        tmp_path / "shop", service, resource={**TOKEN, "params": ODD, **resource},
        connector={"auth": auth, "limits": {"requests_per_minute": 100_000, "tries": 2}},
        settings={"app": "app", "account": "1234_SB1"}, secrets={"shared": secret, "token_key": TOKEN_SECRET},
    )  # fmt: skip


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]


def use_settings(shop):
    """Settings and secrets of the shop have values."""
    connection = {
        "connector": "grammar", "settings": {"base_url": shop.service.url, "app": "app", "account": "1234_SB1"},
        "secrets": {"shared": "env:SHARED", "token_key": "env:TOKEN_KEY"},
    }  # fmt: skip
    shop.declare(tenants={"acme": {"connections": {"it": connection}}})
    return shop


def test_each_request_is_signed_as_it_is_sent_and_anew_when_it_is_repeated(tmp_path, kind):
    auth, compute, secret = kind
    with serve(SignedService(compute)) as service:
        service.refusals = 1
        shop = use_settings(create(tmp_path, service, auth, secret))
        shop.run()
        assert shop.read_ids() == list_ids(service.records)
        assert len(service.nonces) == 3
        sent = dict(parse_qsl(service.requests[-1].target.partition("?")[2]))
        assert ODD.items() <= sent.items()


@pytest.mark.parametrize(
    ("auth", "compute"), [(PLAIN, compute_plain), (OAUTH1, compute_oauth1)], ids=["hmac", "oauth1"]
)
def test_a_form_is_signed(tmp_path, auth, compute):
    body = {"kind": "form", "fields": {"filter": "{filter}", "more": "x y"}}
    with serve(SignedService(compute)) as service:
        use_settings(create(tmp_path, service, auth, body=body))("connection", "test", "it")
        assert service.requests[0].method == "POST"
        assert b"more=x+y" in service.requests[0].body


def test_a_wrong_secret_is_refused_and_no_signature_is_shown(tmp_path, kind):
    auth, compute, _ = kind
    wrong = "ab" * 20
    with serve(SignedService(compute)) as service:
        result = use_settings(create(tmp_path, service, auth, wrong))("connection", "test", "it", code=1)
        assert "rejected the credentials" in result.error["message"]
        assert wrong not in result.out + result.err
        assert TOKEN_SECRET not in result.out + result.err
        assert result.error["found"] == "signature *** is wrong"


@pytest.mark.parametrize(
    ("auth", "message"),
    [
        (PLAIN | {"headers": {"X-Time": "{timestamp}"}}, "requests would not be signed"),
        (PLAIN | {"sign": "{signature}"}, "cannot contain `{signature}`"),
        (PLAIN | {"sign": "{metod}"}, "`auth` uses `{metod}`"),
    ],
)
def test_a_manifest_that_would_not_sign_is_refused(tmp_path, auth, message):
    with serve(SignedService(compute_plain)) as service:
        assert message in create(tmp_path, service, auth)("check", code=2).out


def test_a_setting_with_the_name_of_a_part_is_refused(tmp_path):
    with serve(SignedService(compute_plain)) as service:
        shop = create(tmp_path, service, PLAIN)
        shop.connector["settings"]["path"] = {"default": "x"}
        shop.write_connector()
        assert "sets `{path}` itself" in shop("check", code=2).out


def test_a_key_that_is_not_hex_is_refused_before_anything_is_sent(tmp_path):
    with serve(SignedService(compute_sorted)) as service:
        result = use_settings(create(tmp_path, service, SORTED))("connection", "test", "it", code=2)
        assert result.error["message"] == "The key of the signature is not hex."
        assert SECRET not in result.out + result.err
        assert service.requests == []


def test_the_signature_of_the_example_in_the_standard():
    request = Request(url="http://photos.example.net/photos?file=vacation.jpg&size=original")
    params = {
        "oauth_consumer_key": "dpf43f3p2l4k3l03", "oauth_token": "nnch734d00sl2jdk", "oauth_timestamp": "137131202",
        "oauth_signature_method": "HMAC-SHA1", "oauth_nonce": "chapoH",
    }  # fmt: skip
    key = "kd94hf93k423kf44&pfkkdhi9sl3r4s00"
    assert compute_signature(build_base_string(request, params), key, "HMAC-SHA1") == "MdpQcU8iPSUjWoN/UDMsK2sui9I="


@pytest.mark.parametrize(
    ("url", "params", "expected"),
    [
        ("HTTPS://API.example.com:443/a/b", {}, ("https://api.example.com", "/a/b", "")),
        ("https://api.example.com:8443", {"q": "x y"}, ("https://api.example.com:8443", "/", "q=x+y")),
        ("http://api.example.com:80/?a=%2f&b", {"c": ""}, ("http://api.example.com", "/", "a=%2f&b&c=")),
        ('https://api.example.com/?a="{b}"', {}, ("https://api.example.com", "/", "a=%22%7Bb%7D%22")),
    ],
)
def test_parts_are_those_that_are_sent(url, params, expected):
    parts = split_request(fix_query(Request(url=url, params=params)))
    assert (parts.origin, parts.path, parts.query) == expected
