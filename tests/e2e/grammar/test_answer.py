"""A base URL in the token answer: the token goes to it only if the manifest allows its host."""

from __future__ import annotations

import pytest

from headwater.errors import PermanentError
from headwater.wire.hosts import check_found_base, check_target
from tests.e2e.grammar.login_service import CLIENT_SECRET, LoginService, create_login_shop, log_in
from tests.e2e.grammar.paged_services import TOKEN, TokenService
from tests.e2e.grammar.shop import GrammarShop, Service, build_things, list_ids, serve

SECRET = "client-secret-nobody-may-see"


class Login(Service):
    """Says where the account is."""

    answer = None

    def build_answer(self, request):
        if self.broken:
            self.broken -= 1
            return 503, {}, {}
        return 200, {}, {"access_token": "token-of-the-account", "account": {"url": self.answer}}

    broken = 0


class Account(TokenService):
    def build_answer(self, request):
        if request.headers.get("Authorization") != "Bearer token-of-the-account":
            return 401, {}, {}
        return super().build_answer(request)


@pytest.fixture
def login():
    with serve(Login()) as login:
        yield login


@pytest.fixture
def account():
    with serve(Account(build_things(10))) as account:
        yield account


def create(tmp_path, login, *hosts, **connector):
    declared = {
        "base_url": "{account_url}/rest", "hosts": [host.removeprefix("http://") for host in hosts],
        "auth": {
            "kind": "oauth2_client_credentials", "token_url": "{base_url}/token", "client_id": "app",
            "client_secret": "{client_key}", "answer": {"account_url": "account.url"},
        },
        "limits": {"requests_per_minute": 100_000, "tries": 2}, **connector,
    }  # fmt: skip
    return GrammarShop(tmp_path / "shop", login, resource=TOKEN, connector=declared, secrets={"client_key": SECRET})


def test_requests_go_to_the_account_that_the_answer_names(tmp_path, login, account):
    login.answer, login.broken = f"{account.url}/", 1
    shop = create(tmp_path, login, login.url, account.url)
    shop.run()
    assert shop.read_ids() == list_ids(account.records)
    assert {request.path for request in account.requests} == {"/rest/things"}
    assert [request.path for request in login.requests] == ["/token", "/token"], "the first one was answered with 503"
    assert shop("connection", "test", "it").json["url"] == f"{account.url}/rest"


def test_an_account_on_a_host_that_is_not_declared_gets_nothing(tmp_path, login, account):
    login.answer = account.url
    shop = create(tmp_path, login, login.url)
    assert "a base URL that the connector does not allow" in shop.fail()["message"]
    assert account.requests == []


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "has no `account_url`"),
        ("", "has no `account_url`"),
        (17, "has no `account_url`"),
        ("not a URL", "the base URL cannot be used"),
        ("ftp://files.example.com", "the base URL cannot be used"),
        ("http://files.example.com", "the base URL must be https"),
    ],
)
def test_an_answer_without_a_usable_account_is_an_error(tmp_path, login, answer, message):
    login.answer = answer
    error = create(tmp_path, login, login.url).fail()
    assert message in error["message"]
    assert SECRET not in str(error)


def test_a_token_url_on_a_host_that_is_not_declared_gets_nothing(tmp_path, login, account):
    shop = create(tmp_path, login, account.url)
    assert "does not allow" in shop("connection", "test", "it", code=1).error["message"]
    assert login.requests == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hosts": []}, "`hosts:` allows no host"),
        ({"base_url": "{base_url}"}, "`base_url` does not use `{account_url}`"),
        ({"base_url": "{acount_url}/rest"}, "`base_url` uses `{acount_url}`, which is not a setting"),
    ],
)
def test_a_manifest_that_cannot_work_is_refused(tmp_path, login, change, message):
    shop = create(tmp_path, login, login.url, **change)
    assert message in shop("check", code=2).out


def test_a_login_keeps_the_account_for_later_runs(tmp_path, account):
    with serve(LoginService()) as service:
        service.extra = {"account": {"url": account.url}}
        service.create_tokens = lambda: create_fixed_token(service)
        hosts = [url.removeprefix("http://") for url in (service.url, account.url)]
        shop = create_login_shop(
            tmp_path, service, auth={"answer": {"account_url": "account.url"}}, base_url="{account_url}", hosts=hosts
        )
        log_in(shop)
        shop.run()
        assert shop.read_ids() == list_ids(account.records)
        assert [grant["grant_type"] for grant in service.grants] == ["authorization_code"]
        assert CLIENT_SECRET not in str([dict(request.headers) for request in account.requests])


def create_fixed_token(service):
    answer = {"access_token": "token-of-the-account", "refresh_token": "refresh-token-of-the-account"}
    return 200, {}, {**answer, **service.extra}


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("https://acme.my.example.com/x", True),
        ("https://acme.my.example.com:443", True),
        ("https://acme.my.example.com:8443", False),
        ("https://my.example.com", False),
        ("https://acmemy.example.com", False),
        ("https://acme.my.example.com.evil.example", False),
        ("http://acme.my.example.com", False),
        ("https://acme.my.example.com@evil.example", False),
    ],
)
def test_a_pattern_allows_the_hosts_below_it_alone(url, is_allowed):
    hosts = ("*.my.example.com",)
    for check in (
        lambda: check_found_base(url, hosts=hosts, where="here"),
        lambda: check_target(url, base="https://api.example.com", hosts=hosts),
    ):
        if is_allowed:
            assert check()
        else:
            with pytest.raises(PermanentError):
                check()
