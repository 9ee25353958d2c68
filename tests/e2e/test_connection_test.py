"""`connection test` always requests something that needs the right to read, with and without `clock:`."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field

import pytest
import yaml

from tests.e2e.builders import Shop
from tests.e2e.http_server import serve_http

TOKEN = "token-that-the-service-knows"


@dataclass
class GuardedService:
    """A service whose collections need a token. The time and the root need none."""

    url: str = ""
    body: object = field(default_factory=lambda: [{"id": 1}])
    paths: list = field(default_factory=list)

    def respond(self, request):
        self.paths.append(request.path)
        if request.path in ("/", "/time"):
            return 200, {}, {}
        is_allowed = request.headers.get("Authorization") == f"Bearer {TOKEN}"
        return (200, {}, self.body) if is_allowed else (401, {}, {"error": "who are you?"})


@pytest.fixture
def service():
    service = GuardedService()
    with serve_http(service.respond) as service.url:
        yield service


def build_shop(root, url, *, clock, token=TOKEN, **resource):
    shop = Shop(root)
    shop.env["SHELF_TOKEN"] = token
    manifest = {
        "connector": "shelf", "base_url": "{base_url}", "settings": {"base_url": {}}, "secrets": {"token": "a token"},
        "auth": {"kind": "headers", "headers": {"Authorization": "Bearer {token}"}}, "limits": {"tries": 1},
        "resources": [{"resource": "things", "path": "things", "fields": {"id": "bigint"}, **resource}],
    }  # fmt: skip
    if clock:
        manifest["clock"] = {"path": "time"}
    connection = {"connector": "shelf", "settings": {"base_url": url}, "secrets": {"token": "env:SHELF_TOKEN"}}
    project = {"version": 1, "name": "shelf", "tenants": {"acme": {"connections": {"psa": connection}}}}
    (root / "connectors" / "shelf").mkdir(parents=True)
    (root / "connectors" / "shelf" / "connector.yaml").write_text(yaml.safe_dump(manifest))
    (root / "headwater.yaml").write_text(yaml.safe_dump(project))
    return shop


@pytest.mark.parametrize("clock", [True, False])
def test_a_valid_token_reads_a_page(tmp_path, service, clock):
    result = build_shop(tmp_path, service.url, clock=clock)("connection", "test", "psa").json
    assert (result["resource"], result["records"]) == ("things", 1)
    assert "/things" in service.paths


@pytest.mark.parametrize("clock", [True, False])
def test_a_wrong_token_fails_although_the_time_needs_none(tmp_path, service, clock):
    shop = build_shop(tmp_path, service.url, clock=clock, token="wrong-token-of-somebody")
    error = shop("connection", "test", "psa", code=1).error
    assert "401" in error["message"]
    assert "/things" in error["at"]


@pytest.mark.parametrize("clock", [True, False])
def test_a_closed_port_fails(tmp_path, clock):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        shop = build_shop(tmp_path, f"http://127.0.0.1:{held.getsockname()[1]}", clock=clock)
        assert shop("connection", "test", "psa", code=1).error["kind"] == "TransientError"


def test_a_page_that_holds_no_records_fails(tmp_path, service):
    service.body = b"<html>Please sign in</html>"
    build_shop(tmp_path, service.url, clock=False)("connection", "test", "psa", code=1)


def test_recent_changes_are_requested_if_the_service_filters_them(tmp_path, service):
    cursor = {"kind": "changes", "params": {"since": "{since}"}, "field": "changed"}
    shop = build_shop(tmp_path, service.url, clock=False, cursor=cursor)
    assert shop("connection", "test", "psa").json["records"] == 1


def test_nothing_is_stored(tmp_path, service):
    shop = build_shop(tmp_path, service.url, clock=False)
    shop("connection", "test", "psa")
    assert not (shop.data / "lake").exists()
    assert shop("status").json["feeds"] == []
