"""The client against a real server: rate limits, waits, retries, and hosts that never receive credentials."""

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
from tests.extract.service import SECRETS, FastClock, Service, build_client, build_tickets, serve


def build_fault(code, body=b"{}", **headers):
    return lambda request, reply: (code, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def has_no_secret(text: str) -> bool:
    pair = base64.b64encode(f"acme+{SECRETS['public_key']}:{SECRETS['private_key']}".encode()).decode()
    return not any(secret in text for secret in (*SECRETS.values(), pair))


def test_credentials_headers_and_parameters_are_sent(service):
    service.collections["tickets"] = build_tickets(2)
    with build_client(service, headers={"Accept": "application/x; for={company}"}) as client:
        client.fetch(client.build_request("tickets").with_params({"conditions": "a = [b] and þ"}))
    request = service.requests[0]
    assert base64.b64decode(request.headers["authorization"].split()[1]) == b"acme+pub-4711:priv-0815-hush"
    assert request.headers["clientid"] == "client-0042"
    assert request.headers["accept"] == "application/x; for=acme"
    assert request.params == {"orderBy": "id asc", "conditions": "a = [b] and þ"}


def test_compressed_responses_are_read(service):
    service.collections["tickets"] = build_tickets(500)
    service.compress = True
    with build_client(service) as client:
        body = client.fetch(client.build_request("tickets").with_params({"pageSize": "500"})).body
    assert body.startswith(b'[{"id": 1,')
    assert "gzip" in service.requests[0].headers["accept-encoding"]


@pytest.mark.parametrize("spelling", ["seconds", "date", "epoch", "epoch_ms"])
def test_retry_after_is_obeyed_in_every_spelling(service, spelling):
    service.collections["tickets"] = build_tickets(1)
    then = datetime.now(UTC) + timedelta(seconds=30)
    text = {
        "seconds": "30",
        "date": format_datetime(then, usegmt=True),
        "epoch": str(int(then.timestamp())),
        "epoch_ms": str(int(then.timestamp() * 1000)),
    }[spelling]
    service.faults = [build_fault(429, b'{"message":"too many"}', Retry_After=text)]
    clock, events = FastClock(), []
    with build_client(service, clock=clock, listen=events.append) as client:
        assert client.fetch(client.build_request("tickets")).status == 200
    assert len(service.requests) == 2
    assert sum(clock.slept) == pytest.approx(30, abs=2.5)
    (event,) = [event for event in events if isinstance(event, RequestRetried)]
    assert isinstance(event, RequestRetried)
    assert event.after == pytest.approx(30, abs=2.5)
    assert "429" in event.why
    assert has_no_secret(str(event))


def test_a_retry_after_above_max_wait_fails(service):
    service.collections["tickets"] = build_tickets(1)
    service.faults = [build_fault(429, Retry_After="7200")]
    clock = FastClock()
    with build_client(service, clock=clock) as client, pytest.raises(TransientError) as caught:
        client.fetch(client.build_request("tickets"))
    assert "max_wait" in caught.value.hint
    assert clock.slept == []


def test_errors_back_off_and_then_fail_with_a_location(service):
    service.collections["tickets"] = build_tickets(1)
    service.always = build_fault(500, b'{"message":"oops priv-0815-hush"}')
    clock = FastClock()
    with build_client(service, clock=clock) as client, pytest.raises(TransientError) as caught:
        client.fetch(client.build_request("tickets"))
    assert clock.slept == [0.5, 1, 2, 4, 8]
    error = caught.value
    assert error.where.startswith("GET http://127.0.0.1:")
    assert error.where.endswith("/v1/tickets, connection acme/psa")
    assert error.details == "oops *** (6 attempts)"
    assert has_no_secret(str(error) + repr(error) + str(error.as_dict()))


def truncate_body(request, reply):
    return reply[0], {**reply[1], "X-Claimed-Length": str(len(reply[2]))}, reply[2][: len(reply[2]) // 2]


def delay_reply(request, reply):
    time.sleep(1.2)
    return reply


def reset_connection(request, reply):
    raise ConnectionResetError


@pytest.mark.parametrize("fault", [truncate_body, delay_reply, reset_connection])
def test_a_broken_connection_is_retried(service, fault):
    service.collections["tickets"] = build_tickets(3)
    service.faults = [fault]
    with build_client(service, limits={"timeout": "1s"}) as client:
        assert client.fetch(client.build_request("tickets")).body.endswith(b"]")
    assert len(service.requests) == 2


@pytest.mark.parametrize("code", [401, 403])
def test_rejected_credentials_are_not_retried_and_the_hint_names_the_secrets(service, code):
    service.collections["tickets"] = []
    service.always = build_fault(code, b'{"message":"key priv-0815-hush is unknown"}')
    with build_client(service) as client, pytest.raises(PermanentError) as caught:
        client.fetch(client.build_request("tickets"))
    assert len(service.requests) == 1
    assert "public_key, private_key, client_id" in caught.value.hint
    assert caught.value.details == "key *** is unknown"


def test_a_rotated_secret_is_resolved_again(service):
    service.collections["tickets"] = build_tickets(1)

    def check_token(request, reply):
        known = base64.b64encode(b"acme+pub-4711:fresh").decode()
        return reply if known in request.headers["authorization"] else (401, {}, b"{}")

    service.always = check_token
    credentials = Credentials(
        tenant="acme",
        connection="psa",
        settings={"base_url": service.url},
        secrets=SECRETS,
        renew=lambda: {**SECRETS, "private_key": "fresh"},
    )
    with build_client(service, credentials=credentials) as client:
        assert client.fetch(client.build_request("tickets")).status == 200
        assert client.fetch(client.build_request("tickets")).status == 200
    assert len(service.requests) == 3
    assert "hush" not in repr(credentials)


def test_a_refused_connection_fails_after_three_tries():
    service = Service(url="http://127.0.0.1:9")
    clock = FastClock()
    with build_client(service, clock=clock) as client, pytest.raises(TransientError) as caught:
        client.fetch(client.build_request("tickets"))
    assert caught.value.message == "connection refused"
    assert "base URL" in caught.value.hint
    assert len(clock.slept) == 2


def test_an_unknown_host_fails():
    service = Service(url="https://nobody.invalid")
    with build_client(service) as client, pytest.raises(TransientError) as caught:
        client.fetch(client.build_request("tickets"))
    assert "cannot be resolved" in caught.value.message or "broke" in caught.value.message


def test_nothing_is_sent_without_tls():
    with serve(Service()) as plain:
        service = Service(url=plain.url.replace("http:", "https:"))
        with build_client(service) as client, pytest.raises(TransientError, match="the connection was lost"):
            client.fetch(client.build_request("tickets"))
        assert plain.requests == []


def test_no_credentials_are_sent_to_an_undeclared_host(service):
    with serve(Service(collections={"tickets": []})) as stranger:
        service.collections["tickets"] = build_tickets(1)
        service.always = build_fault(302, b"", Location=f"{stranger.url}/v1/tickets")
        with build_client(service) as client:
            with pytest.raises(PermanentError, match="redirect"):
                client.fetch(client.build_request("tickets"))
            with pytest.raises(PermanentError, match="host that the connector does not allow"):
                client.fetch(client.build_request("tickets").with_url(f"{stranger.url}/v1/tickets"))
        assert stranger.requests == []


def test_a_web_page_is_an_error(service):
    service.collections["tickets"] = []
    service.always = build_fault(200, b"<html>", Content_Type="text/html")
    with build_client(service) as client, pytest.raises(PermanentError, match="web page"):
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
def test_a_missing_or_invalid_setting_is_a_declaration_error(settings, secrets, word):
    credentials = Credentials(tenant="acme", connection="psa", settings=settings, secrets=secrets)
    with pytest.raises(DeclarationError) as caught:
        build_client(Service(), credentials=credentials)
    assert word in str(caught.value)
    assert "hush" not in str(caught.value)


def test_the_services_time_is_its_date_header(service):
    service.always = lambda request, reply: (200, {"Date": "Sun, 01 Mar 2026 08:00:00 GMT"}, b"{}")
    with build_client(service) as client:
        assert client.read_source_time() == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert [request.path for request in service.requests] == ["/v1/info"]


def test_without_a_clock_the_time_of_this_machine_is_used(service):
    with build_client(service, without=("clock",)) as client:
        assert abs(client.read_source_time() - datetime.now(UTC)) < timedelta(seconds=5)
    assert service.requests == []


def test_two_clients_of_one_scope_share_a_rate_limit(service):
    service.collections["tickets"] = build_tickets(1)
    clock, rate_limiters = FastClock(), RateLimiters()
    limits = {"requests_per_minute": 10, "scope": "account"}
    started = clock.monotonic()
    others = Credentials(tenant="beta", connection="psa", settings={"base_url": service.url}, secrets=SECRETS)
    one = build_client(service, clock=clock, rate_limiters=rate_limiters, limits=limits)
    two = build_client(service, clock=clock, rate_limiters=rate_limiters, limits=limits, credentials=others)
    with one, two:
        for client in (one, two) * 12:
            client.fetch(client.build_request("tickets"))
    assert len(service.requests) == 24
    assert clock.monotonic() - started >= 119


def test_other_scopes_do_not_share_a_rate_limit():
    rate_limiters = RateLimiters()
    assert rate_limiters.get("a", Limits()) is rate_limiters.get("a", Limits())
    assert rate_limiters.get("a", Limits()) is not rate_limiters.get("b", Limits())


def test_concurrent_requests_are_limited():
    rate_limiter, clock = RateLimiter(Limits(concurrency=2, requests_per_minute=10_000)), SystemClock()
    inside, most, lock = [0], [0], threading.Lock()

    def take_slot():
        with rate_limiter.reserve_slot(clock):
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            time.sleep(0.01)
            with lock:
                inside[0] -= 1

    threads = [threading.Thread(target=take_slot) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == 2


def test_a_pause_applies_to_the_whole_scope():
    rate_limiter, clock = RateLimiter(Limits()), FastClock()
    rate_limiter.pause(25, clock)
    with rate_limiter.reserve_slot(clock):
        pass
    assert sum(clock.slept) == pytest.approx(25, abs=1)


OAUTH = {
    "kind": "oauth2_client_credentials",
    "token_url": "{base_url}/token",
    "client_id": "{public_key}",
    "client_secret": "{private_key}",
}


class TokenService(Service):
    """Issues tokens, and rejects requests without the newest one."""

    tokens = 0

    def respond(self, request):
        if request.path == "/token":
            self.requests.append(request)
            self.tokens += 1
            return 200, {}, b'{"access_token":"token-number-%d"}' % self.tokens
        known = request.headers.get("authorization") == f"Bearer token-number-{self.tokens}"
        reply = super().respond(request)
        return reply if known else (401, {}, b'{"message":"no such token"}')


def test_a_token_is_requested_reused_and_renewed():
    with (
        serve(TokenService(collections={"tickets": build_tickets(1)})) as service,
        build_client(service, auth=OAUTH) as client,
    ):
        for _ in range(2):
            assert client.fetch(client.build_request("tickets")).status == 200
        service.tokens += 1
        assert client.fetch(client.build_request("tickets")).status == 200
    paths = [request.path for request in service.requests]
    assert paths == ["/token", "/v1/tickets", "/v1/tickets", "/v1/tickets", "/token", "/v1/tickets"]


def test_a_rejected_token_request_has_a_location_and_no_secret():
    with serve(Service(collections={"tickets": []})) as service:
        service.always = build_fault(401, b'{"error_description":"client pub-4711 with priv-0815-hush is unknown"}')
        with build_client(service, auth=OAUTH) as client, pytest.raises(PermanentError) as caught:
            client.fetch(client.build_request("tickets"))
    assert caught.value.where == f"POST {service.url}/token, connection acme/psa"
    assert caught.value.details == "client *** with *** is unknown"
    assert [request.path for request in service.requests] == ["/token"]


def test_a_token_is_not_requested_from_an_undeclared_host(service):
    with serve(TokenService()) as login:
        auth = {**OAUTH, "token_url": f"{login.url}/token"}
        with build_client(service, auth=auth) as client, pytest.raises(PermanentError, match="auth of the connector"):
            client.fetch(client.build_request("tickets"))
        assert login.requests == []
        service.collections["tickets"] = build_tickets(1)
        hosts = [login.url.removeprefix("http://")]
        with build_client(service, auth=auth, hosts=hosts) as client:
            assert client.fetch(client.build_request("tickets")).status == 200
        assert len(login.requests) == 1


def test_an_endless_flow_is_stopped(service):
    class Endless(Auth):
        kind: Literal["endless"] = "endless"

        def flow(self, request):
            while True:
                yield request

    service.collections["tickets"] = []
    with build_client(service, auth=Endless()) as client, pytest.raises(PermanentError, match="sent too many requests"):
        client.fetch(client.build_request("tickets"))
    assert len(service.requests) == 8


def test_a_flow_without_requests_is_refused_before_any_request(service):
    class Silent(Auth):
        kind: Literal["silent"] = "silent"

        def flow(self, request):
            yield from ()

    with pytest.raises(DeclarationError, match="sends no request"):
        build_client(service, auth=Silent())
