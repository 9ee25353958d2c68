"""The client against a real server: budgets, waiting, retries, and where no token ever goes."""

from __future__ import annotations

import base64
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Literal

import pytest

from headwater.clock import SystemClock
from headwater.errors import DeclarationError, PermanentError, TransientError
from headwater.events import RequestRetried
from headwater.extract.credentials import Credentials
from headwater.extract.rate_limit import RateLimiter, RateLimiters
from headwater.wire.auth import Auth
from headwater.wire.limits import Limits
from tests.extract.service import SECRETS, FastClock, Service, client_of, serving, tickets


def status(code, body=b"{}", **headers):
    return lambda asked, reply: (code, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def no_secret_in(text: str) -> bool:
    pair = base64.b64encode(f"acme+{SECRETS['public_key']}:{SECRETS['private_key']}".encode()).decode()
    return not any(secret in text for secret in (*SECRETS.values(), pair))


def test_credentials_headers_and_parameters_are_sent(service):
    service.collections["tickets"] = tickets(2)
    with client_of(service, headers={"Accept": "application/x; for={company}"}) as client:
        client.fetch(client.build_request("tickets").with_params({"conditions": "a = [b] and þ"}))
    asked = service.asked[0]
    assert base64.b64decode(asked.headers["authorization"].split()[1]) == b"acme+pub-4711:priv-0815-hush"
    assert asked.headers["clientid"] == "client-0042"
    assert asked.headers["accept"] == "application/x; for=acme"
    assert asked.params == {"orderBy": "id asc", "conditions": "a = [b] and þ"}


def test_compressed_answers_are_read(service):
    service.collections["tickets"] = tickets(500)
    service.compress = True
    with client_of(service) as client:
        body = client.fetch(client.build_request("tickets").with_params({"pageSize": "500"})).body
    assert body.startswith(b'[{"id": 1,')
    assert "gzip" in service.asked[0].headers["accept-encoding"]


@pytest.mark.parametrize("spelling", ["seconds", "date", "epoch", "epoch_ms"])
def test_retry_after_is_obeyed_in_every_spelling(service, spelling):
    service.collections["tickets"] = tickets(1)
    then = datetime.now(UTC) + timedelta(seconds=30)
    text = {
        "seconds": "30",
        "date": format_datetime(then, usegmt=True),
        "epoch": str(int(then.timestamp())),
        "epoch_ms": str(int(then.timestamp() * 1000)),
    }[spelling]
    service.faults = [status(429, b'{"message":"too many"}', Retry_After=text)]
    clock, events = FastClock(), []
    with client_of(service, clock=clock, listen=events.append) as client:
        assert client.fetch(client.build_request("tickets")).status == 200
    assert len(service.asked) == 2
    assert sum(clock.slept) == pytest.approx(30, abs=2.5)
    (retried,) = events
    assert isinstance(retried, RequestRetried)
    assert retried.after == pytest.approx(30, abs=2.5)
    assert "429" in retried.why
    assert no_secret_in(str(retried))


def test_a_wait_that_is_too_long_fails_and_says_so(service):
    service.collections["tickets"] = tickets(1)
    service.faults = [status(429, Retry_After="7200")]
    clock = FastClock()
    with client_of(service, clock=clock) as client, pytest.raises(TransientError) as caught:
        client.fetch(client.build_request("tickets"))
    assert "max_wait" in caught.value.hint
    assert clock.slept == []


def test_errors_back_off_and_then_fail_in_four_slots(service):
    service.collections["tickets"] = tickets(1)
    service.always = status(500, b'{"message":"oops priv-0815-hush"}')
    clock = FastClock()
    with client_of(service, clock=clock) as client, pytest.raises(TransientError) as caught:
        client.fetch(client.build_request("tickets"))
    assert clock.slept == [0.5, 1, 2, 4, 8]
    error = caught.value
    assert error.where.startswith("GET http://127.0.0.1:")
    assert error.where.endswith("/v1/tickets, connection acme/psa")
    assert error.details == "oops *** (6 attempts)"
    assert no_secret_in(str(error) + repr(error) + str(error.as_dict()))


def truncated(asked, reply):
    return reply[0], {**reply[1], "X-Claimed-Length": str(len(reply[2]))}, reply[2][: len(reply[2]) // 2]


def hung(asked, reply):
    time.sleep(1.2)
    return reply


def reset(asked, reply):
    raise ConnectionResetError


@pytest.mark.parametrize("fault", [truncated, hung, reset])
def test_a_broken_line_is_tried_again(service, fault):
    service.collections["tickets"] = tickets(3)
    service.faults = [fault]
    with client_of(service, limits={"timeout": "1s"}) as client:
        assert client.fetch(client.build_request("tickets")).body.endswith(b"]")
    assert len(service.asked) == 2


@pytest.mark.parametrize("code", [401, 403])
def test_a_wrong_key_is_refused_at_once_and_names_the_secrets(service, code):
    service.collections["tickets"] = []
    service.always = status(code, b'{"message":"key priv-0815-hush is unknown"}')
    with client_of(service) as client, pytest.raises(PermanentError) as caught:
        client.fetch(client.build_request("tickets"))
    assert len(service.asked) == 1
    assert "public_key, private_key, client_id" in caught.value.hint
    assert caught.value.details == "key *** is unknown"


def test_a_rotated_secret_is_resolved_once_more(service):
    service.collections["tickets"] = tickets(1)

    def guard(asked, reply):
        known = base64.b64encode(b"acme+pub-4711:fresh").decode()
        return reply if known in asked.headers["authorization"] else (401, {}, b"{}")

    service.always = guard
    access = Credentials(
        tenant="acme",
        connection="psa",
        settings={"base_url": service.url},
        secrets=SECRETS,
        renew=lambda: {**SECRETS, "private_key": "fresh"},
    )
    with client_of(service, access=access) as client:
        assert client.fetch(client.build_request("tickets")).status == 200
        assert client.fetch(client.build_request("tickets")).status == 200
    assert len(service.asked) == 3
    assert "hush" not in repr(access)


def test_nobody_there_is_said_soon():
    service = Service(url="http://127.0.0.1:9")
    clock = FastClock()
    with client_of(service, clock=clock) as client, pytest.raises(TransientError) as caught:
        client.fetch(client.build_request("tickets"))
    assert caught.value.message == "connection refused"
    assert "base URL" in caught.value.hint
    assert len(clock.slept) == 2


def test_a_host_without_an_address_is_said_soon():
    service = Service(url="https://nobody.invalid")
    with client_of(service) as client, pytest.raises(TransientError) as caught:
        client.fetch(client.build_request("tickets"))
    assert "cannot be resolved" in caught.value.message or "broke" in caught.value.message


def test_where_no_tls_is_spoken_nothing_is_sent():
    with serving(Service()) as plain:
        service = Service(url=plain.url.replace("http:", "https:"))
        with client_of(service) as client, pytest.raises(TransientError, match="the connection was lost"):
            client.fetch(client.build_request("tickets"))
        assert plain.asked == []


def test_no_token_goes_to_a_stranger(service):
    with serving(Service(collections={"tickets": []})) as stranger:
        service.collections["tickets"] = tickets(1)
        service.always = status(302, b"", Location=f"{stranger.url}/v1/tickets")
        with client_of(service) as client:
            with pytest.raises(PermanentError, match="redirect"):
                client.fetch(client.build_request("tickets"))
            with pytest.raises(PermanentError, match="host that the connector does not allow"):
                client.fetch(client.build_request("tickets").with_url(f"{stranger.url}/v1/tickets"))
        assert stranger.asked == []


def test_a_web_page_is_no_data(service):
    service.collections["tickets"] = []
    service.always = status(200, b"<html>", Content_Type="text/html")
    with client_of(service) as client, pytest.raises(PermanentError, match="web page"):
        client.fetch(client.build_request("tickets"))


@pytest.mark.parametrize(
    ("settings", "secrets", "word"),
    [
        ({"base_url": "http://api.example.com"}, SECRETS, "https"),
        ({}, SECRETS, "base_url"),
        ({"base_url": "https://x.example"}, {"public_key": "a", "client_id": "b"}, "private_key"),
        ({"base_url": "https://x.example"}, {**SECRETS, "client_id": "hush\n"}, "clientId"),
    ],
)
def test_what_is_missing_or_wrong_is_a_declaration_error(settings, secrets, word):
    access = Credentials(tenant="acme", connection="psa", settings=settings, secrets=secrets)
    with pytest.raises(DeclarationError) as caught:
        client_of(Service(), access=access)
    assert word in str(caught.value)
    assert "hush" not in str(caught.value)


def test_the_services_time_is_its_date_header(service):
    service.always = lambda asked, reply: (200, {"Date": "Sun, 01 Mar 2026 08:00:00 GMT"}, b"{}")
    with client_of(service) as client:
        assert client.read_source_time() == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert [asked.path for asked in service.asked] == ["/v1/info"]


def test_without_a_clock_of_its_own_this_machines_time_counts(service):
    with client_of(service, without=("clock",)) as client:
        assert abs(client.read_source_time() - datetime.now(UTC)) < timedelta(seconds=5)
    assert service.asked == []


def test_two_clients_of_one_scope_share_a_budget(service):
    service.collections["tickets"] = tickets(1)
    clock, budgets = FastClock(), RateLimiters()
    limits = {"requests_per_minute": 10, "scope": "account"}
    started = clock.monotonic()
    others = Credentials(tenant="beta", connection="psa", settings={"base_url": service.url}, secrets=SECRETS)
    one = client_of(service, clock=clock, budgets=budgets, limits=limits)
    two = client_of(service, clock=clock, budgets=budgets, limits=limits, access=others)
    with one, two:
        for client in (one, two) * 12:
            client.fetch(client.build_request("tickets"))
    assert len(service.asked) == 24
    assert clock.monotonic() - started >= 119


def test_connections_of_their_own_do_not_share():
    budgets = RateLimiters()
    assert budgets.get("a", Limits()) is budgets.get("a", Limits())
    assert budgets.get("a", Limits()) is not budgets.get("b", Limits())


def test_no_more_requests_at_once_than_allowed():
    budget, clock = RateLimiter(Limits(concurrency=2, requests_per_minute=10_000)), SystemClock()
    inside, most, lock = [0], [0], threading.Lock()

    def ask():
        with budget.request_slot(clock):
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            time.sleep(0.01)
            with lock:
                inside[0] -= 1

    threads = [threading.Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == 2


def test_a_pause_holds_everyone_in_the_scope():
    budget, clock = RateLimiter(Limits()), FastClock()
    budget.pause(clock.monotonic() + 25)
    with budget.request_slot(clock):
        pass
    assert sum(clock.slept) == pytest.approx(25, abs=1)


OAUTH = {
    "kind": "oauth2_client_credentials",
    "token_url": "{base_url}/token",
    "client_id": "{public_key}",
    "client_secret": "{private_key}",
}


class TokenService(Service):
    """Gives out tokens, and refuses whoever comes without the newest one."""

    tokens = 0

    def answer(self, asked):
        if asked.path == "/token":
            self.asked.append(asked)
            self.tokens += 1
            return 200, {}, b'{"access_token":"token-number-%d"}' % self.tokens
        known = asked.headers.get("authorization") == f"Bearer token-number-{self.tokens}"
        reply = super().answer(asked)
        return reply if known else (401, {}, b'{"message":"no such token"}')


def test_a_token_is_fetched_kept_and_renewed():
    with (
        serving(TokenService(collections={"tickets": tickets(1)})) as service,
        client_of(service, auth=OAUTH) as client,
    ):
        for _ in range(2):
            assert client.fetch(client.build_request("tickets")).status == 200
        service.tokens += 1
        assert client.fetch(client.build_request("tickets")).status == 200
    paths = [asked.path for asked in service.asked]
    assert paths == ["/token", "/v1/tickets", "/v1/tickets", "/v1/tickets", "/token", "/v1/tickets"]


def test_a_refused_client_says_where_and_shows_no_secret():
    with serving(Service(collections={"tickets": []})) as service:
        service.always = status(401, b'{"error_description":"client pub-4711 with priv-0815-hush is unknown"}')
        with client_of(service, auth=OAUTH) as client, pytest.raises(PermanentError) as caught:
            client.fetch(client.build_request("tickets"))
    assert caught.value.where == f"POST {service.url}/token, connection acme/psa"
    assert caught.value.details == "client *** with *** is unknown"
    assert [asked.path for asked in service.asked] == ["/token"]


def test_a_token_is_not_asked_for_at_a_host_that_is_not_declared(service):
    with serving(TokenService()) as login:
        auth = {**OAUTH, "token_url": f"{login.url}/token"}
        with client_of(service, auth=auth) as client, pytest.raises(PermanentError, match="auth of the connector"):
            client.fetch(client.build_request("tickets"))
        assert login.asked == []
        service.collections["tickets"] = tickets(1)
        hosts = [login.url.removeprefix("http://")]
        with client_of(service, auth=auth, hosts=hosts) as client:
            assert client.fetch(client.build_request("tickets")).status == 200
        assert len(login.asked) == 1


def test_a_flow_without_an_end_is_stopped(service):
    class Endless(Auth):
        kind: Literal["endless"] = "endless"

        def flow(self, request):
            while True:
                yield request

    service.collections["tickets"] = []
    with client_of(service, auth=Endless()) as client, pytest.raises(PermanentError, match="sent too many requests"):
        client.fetch(client.build_request("tickets"))
    assert len(service.asked) == 8


def test_a_flow_that_sends_nothing_is_refused_before_anything_is_asked(service):
    class Silent(Auth):
        kind: Literal["silent"] = "silent"

        def flow(self, request):
            yield from ()

    with pytest.raises(DeclarationError, match="sends no request"):
        client_of(service, auth=Silent())
