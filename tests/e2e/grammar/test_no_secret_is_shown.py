"""Known secrets in every slot, a service that repeats them in its errors, and a search of everything that is written."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

import pytest

from tests.e2e.grammar.login_service import CLIENT_SECRET, KEY, LoginService, create_login_shop, log_in
from tests.e2e.grammar.paged_services import TOKEN, TokenService
from tests.e2e.grammar.shop import GrammarShop, build_things, serve
from tests.e2e.grammar.test_assertions import CLAIMS, AssertionService, create_key, to_pem
from tests.e2e.grammar.test_signatures import KINDS, TOKEN_SECRET, SignedService


def list_forms(secret):
    """How a secret may be spelled: as it is, in a URL, in JSON, in base64."""
    forms = {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}
    return {form.encode() for form in forms} | {base64.b64encode(secret.encode()).rstrip(b"=")}


def search(folder, texts, secrets):
    """Where a secret is: in a file of the folder, or in a text."""
    assert all(len(secret) > 8 for secret in secrets), "a search for a short word proves nothing"
    places = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    places |= {f"text {number}": text.encode() for number, text in enumerate(texts)}
    assert any(name.endswith("ledger.db") for name in places)
    return [
        (name, secret)
        for name, content in places.items()
        for secret in secrets
        if any(form in content for form in list_forms(secret))
    ]


class Talkative:
    """A mixin: a service that repeats each request in its errors, with its headers and its body."""

    failing = False

    def build_answer(self, request):
        status, headers, body = super().build_answer(request)
        if status >= 400 or self.failing:
            words = [request.target, *map(str, request.headers.values()), request.body.decode()]
            return max(status, 400), headers, {"error": (body or {}).get("error", "failed"), "message": " ".join(words)}
        return status, headers, body


class TalkativeLogin(Talkative, LoginService):
    pass


class TalkativeAssertion(Talkative, AssertionService):
    pass


class TalkativeSigned(Talkative, SignedService):
    pass


class TalkativeTokens(Talkative, TokenService):
    pass


def run_commands(shop):
    """What a person does, on the way to a failure. Return all that was printed."""
    words = (
        ("check",), ("connection", "list"), ("connection", "test", "it"), ("run", "--json"), ("run",), ("status", "--json"),
        ("plan", "--json"), ("connector", "show", "grammar", "--json"), ("connection", "test", "it", "--json", "--debug"),
    )  # fmt: skip
    results = [shop.run_in_process(*one) for one in words]
    return [result.out + result.err for result in results]


def test_a_login_leaves_no_secret_in_clear(tmp_path):
    with serve(TalkativeLogin(uses=3)) as service:
        shop = create_login_shop(tmp_path, service)
        code, *texts = log_in(shop)
        assert code == 0
        texts += run_commands(shop)
        service.is_revoked, service.failing = True, True
        service.access.clear()
        texts += run_commands(shop)
        assert any("LoginRequired" in text for text in texts)
        secrets = service.list_secrets()
        assert {CLIENT_SECRET, KEY, "access-token-number-1", "refresh-token-number-1"} <= set(secrets)
        assert {"code", "code_verifier"} <= service.grants[0].keys()
        assert search(shop.root, texts, secrets) == []


def test_a_login_that_fails_leaves_no_secret_in_clear(tmp_path):
    with serve(TalkativeLogin()) as service:
        shop = create_login_shop(tmp_path, service)
        service.plan = [400]
        code, *texts = log_in(shop, "--debug")
        assert code == 1
        assert "***" in texts[0]
        assert search(shop.root, texts, service.list_secrets()) == []


@pytest.mark.parametrize("works", [True, False])
def test_an_assertion_leaves_no_secret_in_clear(tmp_path, works):
    key = to_pem(create_key("rsa"))
    with serve(TalkativeAssertion(create_key("rsa") if works else create_key("ec"), "RS256")) as service:
        if not works:
            service.verify = refuse
        shop = GrammarShop(
            tmp_path / "shop", service, resource=TOKEN, settings={"user": "me"}, secrets={"private_key": key},
            connector={"auth": {
                "kind": "oauth2_jwt", "token_url": "{base_url}/token", "private_key": "{private_key}",
                "claims": CLAIMS | {"sub": "me"},
            }},
        )  # fmt: skip
        texts = run_commands(shop)
        service.failing = True
        texts += run_commands(shop)
        assertions = [assertion for _, _, assertion in service.assertions]
        assert bool(assertions) == works
        lines = [line for line in key.splitlines() if len(line) > 30 and "PRIVATE" not in line]
        assert (
            search(shop.root, texts, [key, *lines, *assertions, *(one.rpartition(".")[2] for one in assertions)]) == []
        )
        assert not [text for text in texts if "eyJ" in text], "no part of an assertion either"


def refuse(signature, text):
    raise AssertionError


@pytest.mark.parametrize("name", KINDS)
def test_a_signature_leaves_no_secret_in_clear(tmp_path, name):
    auth, compute, secret = KINDS[name]
    bases = []

    def note(request):
        result = compute(request)
        bases.append(result[1])
        return result

    with serve(TalkativeSigned(note)) as service:
        shop = GrammarShop(
            tmp_path / "shop", service, resource=TOKEN, connector={"auth": auth},
            settings={"app": "app", "account": "1234_SB1"}, secrets={"shared": secret, "token_key": TOKEN_SECRET},
        )  # fmt: skip
        shop.connector["settings"] = {"base_url": {}, "app": {"default": "app"}, "account": {"default": "1234_SB1"}}
        shop.write_connector()
        texts = run_commands(shop)
        service.failing = True
        texts += run_commands(shop)
        assert len(bases) > 3
        assert search(shop.root, texts, [secret, TOKEN_SECRET, *bases]) == []


SLOTS = {
    "basic": {"kind": "basic", "user": "me", "password": "{planted}"},
    "headers": {"kind": "headers", "headers": {"X-Key": "{planted}"}},
    "query": {"kind": "query", "params": {"key": "{planted}"}},
    "client": {
        "kind": "oauth2_client_credentials", "token_url": "{base_url}/token", "client_id": "app", "client_secret": "{planted}",
    },
    "password": {"kind": "oauth2_password", "token_url": "{base_url}/token", "user": "me", "password": "{planted}"},
    "session": {
        "kind": "session", "login_url": "{base_url}/token", "fields": {"password": "{planted}"}, "session": "access_token",
        "headers": {"X-Session": "{session}"},
    },
}  # fmt: skip


@pytest.mark.parametrize("slot", SLOTS)
@pytest.mark.parametrize("planted", ["planted/secret+nobody may&see", 'planted "secret" \\ nobody'])
def test_a_planted_secret_is_nowhere(tmp_path, slot, planted):
    with serve(TalkativeTokens(build_things(10))) as service:
        answer = service.build_answer
        service.build_answer = lambda request: (
            (200, {}, {"access_token": "access-token-of-the-test"})
            if request.path == "/token" and not service.failing
            else answer(request)
        )
        shop = GrammarShop(
            tmp_path / "shop", service, resource=TOKEN, connector={"auth": SLOTS[slot]}, secrets={"planted": planted}
        )
        texts = run_commands(shop)
        service.failing = True
        texts += run_commands(shop)
        assert any("***" in text for text in texts)
        assert search(shop.root, texts, [planted, "access-token-of-the-test"]) == []
