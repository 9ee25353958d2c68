"""Token requests in each form, against a service that refuses everything else, and whose tokens expire."""

from __future__ import annotations

import base64
from urllib.parse import parse_qsl

import pytest

from tests.e2e.grammar.paged_services import TOKEN, TokenService
from tests.e2e.grammar.shop import GrammarShop, build_things, list_ids, read_json, serve

SECRETS = {"client_key": "client-key-nobody-may-see", "user_key": "user/key+nobody may see"}


class GrantService(TokenService):
    """Gives tokens that last for two requests, for a grant that a test states."""

    def __init__(self, *, expected, is_json=False, basic=None):
        super().__init__(build_things(18))
        self.expected, self.is_json, self.basic = expected, is_json, basic
        self.tokens, self.uses = 0, 0

    def build_answer(self, request):
        if request.path == "/token":
            return self.grant(request)
        if request.headers.get("Authorization") != f"Bearer token-{self.tokens}" or not self.uses:
            return 401, {}, {}
        self.uses -= 1
        return super().build_answer(request)

    def grant(self, request):
        values = read_json(request) if self.is_json else dict(parse_qsl(request.body.decode()))
        if values != self.expected or request.headers.get("Authorization") != self.basic:
            return 400, {}, {"error": "invalid_grant", "error_description": f"not {request.body.decode()}"}
        self.tokens, self.uses = self.tokens + 1, 2
        return 200, {}, {"access_token": f"token-{self.tokens}", "token_type": "Bearer"}


PASSWORD = {"kind": "oauth2_password", "user": "me", "password": "{user_key}"}
CLIENT = {"client_id": "app", "client_secret": "{client_key}"}
BASIC = "Basic " + base64.b64encode(f"app:{SECRETS['client_key']}".encode()).decode()
WISHES = {"audience": "https://api", "scope": "read all"}
GRANTED = {"grant_type": "password", "username": "me", "password": SECRETS["user_key"]}
APP = {"client_id": "app", "client_secret": SECRETS["client_key"]}


@pytest.mark.parametrize(
    ("auth", "service"),
    [
        (PASSWORD, GrantService(expected=GRANTED)),
        (PASSWORD | CLIENT, GrantService(expected=GRANTED | APP)),
        (PASSWORD | CLIENT | {"send": "basic"}, GrantService(expected=GRANTED, basic=BASIC)),
        (
            {
                "kind": "oauth2_client_credentials",
                **CLIENT,
                "send": "json",
                "params": {"audience": "https://api", "scope": "read all"},
            },
            GrantService(
                expected={"grant_type": "client_credentials", **APP, **WISHES},
                is_json=True,
            ),
        ),
    ],
    ids=["password", "password of an app", "password with basic", "client credentials in json"],
)
def test_a_token_is_requested_as_declared_and_again_when_it_expires(tmp_path, auth, service):
    with serve(service):
        shop = create(tmp_path, service, auth)
        shop.run()
        assert shop.read_ids() == list_ids(service.records)
        assert service.tokens == 3


def test_a_refused_grant_shows_no_secret(tmp_path):
    with serve(GrantService(expected={})) as service:
        report = create(tmp_path, service, PASSWORD | CLIENT).run_in_process("run", "--json")
        assert report.code
        assert "invalid_grant" in report.out or "not grant_type" in report.out
        for secret in SECRETS.values():
            assert secret not in report.out + report.err
            assert secret.replace("/", "%2F").replace("+", "%2B").replace(" ", "+") not in report.out + report.err


class SessionService(GrantService):
    """A login; sessions last for two requests. A wrong password is answered with 200, without a session."""

    def build_answer(self, request):
        if request.path == "/token":
            return self.grant(request)
        if request.headers.get("X-Session") != f"session-{self.tokens}" or not self.uses:
            return 401, {}, {}
        self.uses -= 1
        return TokenService.build_answer(self, request)

    def grant(self, request):
        status, headers, _ = super().grant(request)
        return 200, headers, {"data": {"sessionId": f"session-{self.tokens}"} if status == 200 else {"reason": "wrong"}}


SESSION = {
    "kind": "session", "fields": {"user": "me", "password": "{user_key}"}, "session": "data.sessionId",
    "headers": {"X-Session": "{session}"},
}  # fmt: skip
LOGIN = {"user": "me", "password": SECRETS["user_key"]}


@pytest.mark.parametrize("send", ["json", "form"])
def test_a_session_is_opened_by_a_login_and_again_when_it_ends(tmp_path, send):
    with serve(SessionService(expected=LOGIN, is_json=send == "json")) as service:
        shop = create(tmp_path, service, SESSION | {"send": send}, address="login_url")
        shop.run()
        assert shop.read_ids() == list_ids(service.records)
        assert service.tokens == 3


def test_a_login_without_a_session_is_an_error_without_a_secret(tmp_path):
    with serve(SessionService(expected={}, is_json=True)) as service:
        result = create(tmp_path, service, SESSION, address="login_url").run_in_process("run", "--json")
        assert "the response to the login has no session" in result.out
        assert SECRETS["user_key"] not in result.out + result.err
        assert {request.path for request in service.requests} == {"/token"}


def test_a_login_on_an_undeclared_host_sends_nothing(tmp_path):
    with (
        serve(SessionService(expected=LOGIN, is_json=True)) as service,
        serve(SessionService(expected=LOGIN)) as stranger,
    ):
        shop = create(tmp_path, service, SESSION, address="login_url")
        shop.connector["auth"]["login_url"] = f"{stranger.url}/token"
        shop.write_connector()
        assert "a host that is not in `hosts:`" in shop.fail()["message"]
        assert stranger.requests == []


def create(tmp_path, service, auth, *, address="token_url"):
    connector = {"auth": {**auth, address: "{base_url}/token"}}
    return GrammarShop(tmp_path / "shop", service, resource=TOKEN, connector=connector, secrets=SECRETS)
