"""`connection login`: what a person sees, what is stored, and what goes wrong in a browser."""

from __future__ import annotations

import json
import socket
import sqlite3
import sys
from contextlib import closing
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.e2e.grammar.login_service import LoginService, agree, create_login_shop, log_in
from tests.e2e.grammar.shop import list_ids, serve


@pytest.fixture
def service():
    with serve(LoginService()) as service:
        yield service


@pytest.fixture
def shop(tmp_path, service):
    return create_login_shop(tmp_path, service)


def read_token_rows(shop):
    with closing(sqlite3.connect(shop.data / "ledger.db")) as ledger:
        return ledger.execute("SELECT tenant, connection, value FROM token").fetchall()


def test_a_login_stores_tokens_that_runs_use(shop, service):
    code, out, err = log_in(shop)
    assert code == 0, err
    login = json.loads(out)
    assert (login["tenant"], login["connection"], login["connector"]) == ("acme", "it", "grammar")
    assert shop("connection", "test", "it").json["records"] == 4
    shop.run()
    assert shop.read_ids() == list_ids(service.records)
    assert [grant["grant_type"] for grant in service.grants] == ["authorization_code"]


def test_the_page_gets_a_challenge_a_state_and_the_declared_parameters(shop, service):
    seen = {}

    def browse(address):
        seen.update({name: value for name, (value,) in parse_qs(urlsplit(address).query).items()})
        assert "You can close this page" in agree(address)

    log_in(shop, browse=browse)
    assert seen["scope"] == "read offline_access"
    assert seen["response_type"] == "code"
    assert seen["code_challenge_method"] == "S256"
    assert len(seen["state"]) > 30
    (grant,) = service.grants
    assert seen["code_challenge"] not in grant["code_verifier"]
    assert seen["redirect_uri"].startswith("http://127.0.0.1:")


def test_the_browser_is_opened(shop, service, tmp_path):
    browser = tmp_path / "browser.py"
    browser.write_text(
        "import sys, urllib.request as r\nr.build_opener(r.ProxyHandler({})).open(sys.argv[1], timeout=20).read()\n"
    )
    shop.env["BROWSER"] = f"{sys.executable} {browser} %s"
    shop.run_in_subprocess("connection", "login", "it")
    assert len(service.grants) == 1


def test_without_a_login_a_test_and_a_run_name_the_command(shop, service):
    error = shop("connection", "test", "it", code=1).error
    assert error["kind"] == "LoginRequired"
    assert "headwater connection login it --tenant acme" in error["fix"]
    error = shop("run", code=1).error
    assert (error["kind"], "connection login it" in error["fix"]) == ("LoginRequired", True)
    assert service.requests == []
    assert any("nobody has logged in" in line for line in shop("check").json["warnings"])


def test_another_state_is_refused_and_nothing_is_stored(shop, service):
    def browse(address):
        back = parse_qs(urlsplit(address).query)["redirect_uri"][0]
        agree(f"{back}?{urlencode({'code': 'of-somebody-else', 'state': 'of-somebody-else'})}")

    code, out, _ = log_in(shop, browse=browse)
    assert code == 1
    assert "does not belong to this login" in json.loads(out)["error"]["message"]
    assert service.grants == []
    assert read_token_rows(shop) == []


def test_a_person_who_refuses_ends_the_login(shop, service):
    def browse(address):
        params = parse_qs(urlsplit(address).query)
        answer = {"error": "access_denied", "error_description": "not\x1b[31m today", "state": params["state"][0]}
        agree(f"{params['redirect_uri'][0]}?{urlencode(answer)}")

    code, out, _ = log_in(shop, browse=browse)
    error = json.loads(out)["error"]
    assert code == 1
    assert "access_denied" in error["message"]
    assert error["found"] == "not [31m today"


def test_nobody_answers(shop):
    error = shop("connection", "login", "it", "--no-browser", "--timeout", "0.2", code=1).error
    assert "nobody agreed" in error["message"]
    assert "0.2 seconds" in error["found"]


def test_a_port_in_use_is_said_before_the_page_is_shown(shop, service):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = shop("connection", "login", "it", "--no-browser", "--port", port, code=1)
    assert result.error["at"] == f"127.0.0.1:{port}"
    assert "--port" in result.error["fix"]
    assert "/authorize" not in result.err


def test_a_key_is_needed_before_the_page_is_shown(shop, service):
    del shop.env["HEADWATER_TOKEN_KEY"]
    result = shop("connection", "login", "it", "--no-browser", code=2)
    assert "HEADWATER_TOKEN_KEY" in result.error["message"]
    assert "generate_key" in result.error["fix"]
    shop.env["HEADWATER_TOKEN_KEY"] = "no-key-at-all"
    result = shop("connection", "login", "it", "--no-browser", code=2)
    assert "not a key" in result.error["message"]
    assert "no-key-at-all" not in result.out + result.err
    assert service.requests == []


@pytest.mark.parametrize("key", ["authorize_url", "token_url"])
def test_a_page_on_an_undeclared_host_is_refused(shop, service, key):
    shop.connector["auth"][key] = "https://login.example.com/x"
    shop.write_connector()
    error = shop("connection", "login", "it", "--no-browser", code=2).error
    assert f"`{key}` has a host that is not in `hosts:`" in error["message"]
    assert error["found"] == "login.example.com"


def test_a_service_that_gives_no_refresh_token_is_refused(shop, service):
    service.extra = {"refresh_token": None}
    service.rotates, service.number = False, 5
    code, out, _ = log_in(shop)
    assert code == 1
    assert "no refresh token" in json.loads(out)["error"]["message"]
    assert read_token_rows(shop) == []


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1:1/x", "http://example.com/x", "http://[::1]:1/x", "http://127.0.0.1/?a"]
)
def test_an_answer_goes_to_this_machine_alone(shop, url):
    shop.connector["auth"]["redirect_url"] = url
    shop.write_connector()
    assert "use an address of this machine" in shop("check", code=2).out


def test_the_port_of_the_answer_can_be_a_setting(shop, service):
    shop.connector["auth"]["redirect_url"] = "http://localhost:{port}/back"
    shop.connector["settings"]["port"] = {"default": "0"}
    shop.write_connector()
    assert log_in(shop)[0] == 0
    assert service.grants[0]["redirect_uri"].startswith("http://localhost:")
    shop.connector["settings"]["port"] = {"default": "some"}
    shop.write_connector()
    assert "is not a number" in shop("connection", "login", "it", "--no-browser", code=2).error["message"]


def test_a_connection_without_a_login_says_so(shop):
    shop.connector["auth"] = {"kind": "none"}
    shop.write_connector()
    assert "needs no login" in shop("connection", "login", "it", code=2).error["message"]
    assert "has no connection `its`" in shop("connection", "login", "its", code=2).error["message"]


def test_a_logout_and_a_removal_forget_the_tokens(shop, service):
    log_in(shop)
    assert len(read_token_rows(shop)) == 1
    assert shop("connection", "logout", "it").json["deleted"] is True
    assert shop("connection", "logout", "it").json["deleted"] is False
    assert read_token_rows(shop) == []
    declaration = [
        "--connector",
        "grammar",
        "--set",
        f"base_url={service.url}",
        "--secret",
        "client_key=env:CLIENT_KEY",
    ]
    shop.declare(tenants={"acme": {}})
    shop("connection", "add", "it", *declaration)
    log_in(shop)
    shop("connection", "remove", "it", "--yes")
    assert read_token_rows(shop) == []
    shop("connection", "add", "it", *declaration)
    log_in(shop)
    shop.declare(tenants={})
    shop("tenant", "remove", "acme", "--yes")
    assert read_token_rows(shop) == []


def test_a_row_that_was_copied_to_another_connection_is_refused(shop, service):
    log_in(shop)
    with closing(sqlite3.connect(shop.data / "ledger.db")) as ledger:
        ledger.execute("UPDATE token SET connection = 'its'")
        ledger.commit()
    shop.declare(
        tenants={
            "acme": {
                "connections": {
                    "its": {
                        "connector": "grammar",
                        "settings": {"base_url": service.url},
                        "secrets": {"client_key": "env:CLIENT_KEY"},
                    }
                }
            }
        }
    )
    assert "belongs to another connection" in shop("connection", "test", "its", code=1).error["message"]


def test_another_key_cannot_read_the_tokens_and_an_older_one_still_can(shop):
    log_in(shop)
    former = shop.env["HEADWATER_TOKEN_KEY"]
    newer = "A" * 43 + "="
    shop.env["HEADWATER_TOKEN_KEY"] = newer
    assert "cannot be decrypted" in shop("connection", "test", "it", code=1).error["message"]
    shop.env["HEADWATER_TOKEN_KEY"] = f"{newer} {former}"
    shop("connection", "test", "it")
