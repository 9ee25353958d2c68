"""Refresh tokens that rotate: the newest one is stored before anything else happens, and only one process spends it."""

from __future__ import annotations

import json
import threading

import pytest

from tests.e2e.builders import kill
from tests.e2e.grammar.login_service import CLIENT_SECRET, LoginService, create_login_shop, log_in, log_in_and_expire
from tests.e2e.grammar.shop import list_ids, serve

THREE_TRIES = {"requests_per_minute": 100_000, "tries": 3}


@pytest.fixture
def service():
    with serve(LoginService()) as service:
        yield service


@pytest.fixture
def shop(tmp_path, service):
    return create_login_shop(tmp_path, service, limits=THREE_TRIES)


def list_spent(service):
    return [grant["refresh_token"] for grant in service.grants if grant["grant_type"] == "refresh_token"]


def test_each_renewal_spends_the_newest_token_once(shop, service):
    log_in_and_expire(shop, service)
    service.uses_per_token = 2
    shop.run()
    assert shop.read_ids() == list_ids(service.records)
    assert list_spent(service) == [f"refresh-token-number-{number}" for number in range(1, len(service.grants) + 1)]
    assert len(service.grants) > 2
    shop.run()
    assert not service.is_revoked


def test_a_token_that_is_about_to_expire_is_renewed_before_it_is_refused(shop, service):
    service.lifetime = 1e-3
    log_in(shop)
    service.lifetime = 3600
    shop("connection", "test", "it")
    assert len(list_spent(service)) == 1
    assert not [request for request in service.requests if request.headers.get("Authorization", "").endswith("-1")]


def test_a_process_that_dies_after_a_renewal_lost_nothing(shop, service):
    log_in_and_expire(shop, service)
    # The requests are: a page that is refused, the renewal, and the page again.
    shop.kill_at_request(3)
    assert len(service.grants) == 1
    service.access["access-token-number-2"] = 100
    shop.run()
    assert not service.is_revoked
    assert shop.read_ids() == list_ids(service.records)
    assert len(service.grants) == 1, "the access token is stored, too"


def test_of_two_processes_one_renews_and_the_other_reads(shop, service):
    log_in_and_expire(shop, service)
    service.seconds = 1.0
    words = ("connection", "test", "it", "--json")
    with shop.start(*words) as first, shop.start(*words) as second:
        results = [process.communicate(timeout=60) for process in (first, second)]
    assert [json.loads(out)["records"] for out, _ in results] == [4, 4]
    assert list_spent(service) == ["refresh-token-number-1"]
    assert sum(request.headers.get("Authorization", "").endswith("-1") for request in service.requests) == 2


@pytest.mark.parametrize("plan", ["cut", 503])
def test_an_answer_that_was_lost_is_asked_for_again_with_the_old_token(shop, service, plan):
    log_in_and_expire(shop, service)
    service.plan, service.grace = [plan], True
    shop("connection", "test", "it")
    assert list_spent(service) == ["refresh-token-number-1"] * 2
    service.grace = False
    service.access.clear()
    shop("connection", "test", "it")
    assert not service.is_revoked


def test_if_the_old_token_is_not_accepted_a_person_must_log_in(shop, service):
    log_in_and_expire(shop, service)
    service.plan = ["cut"]
    error = shop("connection", "test", "it", code=1).error
    assert error["kind"] == "LoginRequired"
    assert "the answer to an earlier renewal was lost" in error["message"]
    assert "headwater connection login it --tenant acme" in error["fix"]
    assert len(service.grants) == 2, "a token that is not accepted is not sent again and again"
    assert log_in(shop)[0] == 0
    assert shop("connection", "test", "it").json["records"] == 4


def test_a_process_that_was_killed_while_it_waited_is_remembered(shop, service):
    log_in_and_expire(shop, service)
    service.plan, service.hang = ["hang"], threading.Event()
    with shop.start("connection", "test", "it") as process:
        assert service.hang.wait(60)
        assert kill(process)
    error = shop("connection", "test", "it", code=1).error
    assert "the answer to an earlier renewal was lost" in error["message"]


def test_a_revoked_login_names_the_command_and_no_token(shop, service):
    log_in_and_expire(shop, service)
    service.is_revoked = True
    result = shop("connection", "test", "it", code=1)
    assert result.error["kind"] == "LoginRequired"
    assert "was lost" not in result.error["message"]
    assert result.error["found"] == "*** is not valid"
    assert len(service.grants) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"error": "invalid_code"}),
        (400, {"status": "BAD_REFRESH_TOKEN", "message": "missing or invalid refresh token"}),
        (401, {"error": "invalid_grant"}),
    ],
)
def test_a_service_may_say_in_its_own_way_that_a_login_ended(shop, service, status, body):
    log_in_and_expire(shop, service)
    service.check_grant = lambda values: (status, {}, body)
    assert shop("connection", "test", "it", code=1).error["kind"] == "LoginRequired"
    del service.check_grant
    assert shop("connection", "test", "it").json["records"] == 4, "the token was not given up"


@pytest.mark.parametrize("error", ["invalid_request", "unsupported_grant_type", "temporarily_unavailable"])
def test_an_error_that_a_login_would_not_help_is_none(shop, service, error):
    log_in_and_expire(shop, service)
    service.check_grant = lambda values: (400, {}, {"error": error})
    assert shop("connection", "test", "it", code=1).error["kind"] == "PermanentError"


def test_a_wrong_client_secret_is_no_lost_login(shop, service):
    log_in_and_expire(shop, service)
    shop.env["CLIENT_KEY"] = "wrong-secret-of-the-client"
    result = shop("connection", "test", "it", code=1)
    assert result.error["kind"] == "PermanentError"
    assert "client_key" in result.error["fix"]
    assert "wrong-secret-of-the-client" not in result.out + result.err
    shop.env["CLIENT_KEY"] = CLIENT_SECRET
    shop("connection", "test", "it")


def test_a_service_that_does_not_rotate_keeps_its_token(tmp_path):
    with serve(LoginService(uses=2, rotates=False)) as service:
        shop = create_login_shop(tmp_path, service)
        log_in(shop)
        shop.run()
        assert shop.read_ids() == list_ids(service.records)
        assert set(list_spent(service)) == {"refresh-token-number-1"}


def test_a_login_of_another_service_is_not_sent_to_the_new_one(shop, service):
    log_in(shop)
    with serve(LoginService()) as stranger:
        document = {
            "connector": "grammar", "settings": {"base_url": stranger.url}, "secrets": {"client_key": "env:CLIENT_KEY"},
        }  # fmt: skip
        shop.declare(tenants={"acme": {"connections": {"it": document}}})
        error = shop("connection", "test", "it", code=1).error
        assert "belongs to another service" in error["message"]
        assert stranger.requests == []


def test_two_connections_of_one_client_have_logins_and_limits_of_their_own(shop, service):
    shop.connector["limits"] = {"scope": "account", "requests_per_minute": 100_000, "tries": 1}
    shop.write_connector()
    connection = {
        "connector": "grammar", "settings": {"base_url": service.url}, "secrets": {"client_key": "env:CLIENT_KEY"},
    }  # fmt: skip
    shop.declare(tenants={"acme": {"connections": {"it": connection, "her": connection}}})
    log_in(shop)
    shop("connection", "test", "it")
    assert shop("connection", "test", "her", code=1).error["kind"] == "LoginRequired"
