"""The ConnectWise manifest: what it offers, and that the simulated service can be read by it, faults and all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import zstandard

import headwater.connectors.connectwise
from headwater.batch import Feed, Window, create_batch
from headwater.clock import EPOCH
from headwater.errors import PermanentError
from headwater.extract.client import Client
from headwater.extract.credentials import Credentials
from headwater.extract.rate_limit import RateLimiters
from headwater.extract.read import read_batch
from headwater.extract.request_params import ReadRequest
from headwater.model.connector import Connector
from headwater.model.load import load_connector
from headwater.sandbox.connectwise.app import build_connectwise_app
from headwater.sandbox.server import serve_in_thread
from headwater.wire.cursor import IdSweep
from headwater.wire.limits import Limits
from headwater.wire.paging.forward_only import ForwardOnly
from headwater.wire.paging.page_number import PageNumber
from tests.extract.service import FastClock

RESOURCES = [
    "companies",
    "contacts",
    "boards",
    "tickets",
    "project_tickets",
    "projects",
    "time_entries",
    "expense_entries",
    "agreements",
    "agreement_types",
    "agreement_additions",
    "invoices",
    "products",
    "members",
    "work_types",
    "work_roles",
    "departments",
    "locations",
    "schedule_entries",
    "opportunities",
]


@pytest.fixture(scope="module")
def manifest() -> Connector:
    folder = Path(headwater.connectors.connectwise.__file__).parent
    return load_connector(folder / "connector.yaml")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serve_in_thread(build_connectwise_app(companies=2, months=2)) as base:
        yield base


@pytest.fixture
def client(manifest, url) -> Iterator[Client]:
    httpx2.delete(f"{url}/_sandbox/faults")
    credentials = Credentials(
        tenant="acme",
        connection="psa",
        settings={"base_url": f"{url}/", "company": "acme"},
        secrets={"public_key": "public", "private_key": "private", "client_id": "client"},
        limits=Limits(requests_per_minute=100_000),
    )
    with Client(manifest, credentials, rate_limiters=RateLimiters(), clock=FastClock()) as client:
        yield client


def test_the_manifest_declares_the_resources(manifest):
    assert [resource.resource for resource in manifest.resources] == RESOURCES
    for resource in map(manifest.with_defaults, manifest.resources):
        assert resource.key == ("id",)
        assert resource.contract or resource.fields
        assert resource.cursor.field == "_info.lastUpdated"
        assert resource.count.path == f"{resource.path}/count"
        assert resource.fields_param == "fields"
        assert isinstance(resource.paging, PageNumber if resource.resource == "expense_entries" else ForwardOnly)
    assert manifest.limits.requests_per_minute == 200
    assert manifest.hold_back == "5m"
    assert manifest.settings["base_url"].default == "https://api-na.myconnectwise.net"


def test_no_password_is_requested(manifest):
    assert "portalPassword" in manifest.find_resource("contacts").omit
    assert {"password", "token"} <= set(manifest.find_resource("members").omit)


def test_resources_with_deletes_are_swept(manifest):
    swept = {resource.resource for resource in manifest.resources if isinstance(resource.deletes, IdSweep)}
    assert swept >= {
        "contacts", "time_entries", "tickets", "companies", "agreements", "agreement_additions", "invoices", "products",
        "expense_entries",
    }  # fmt: skip


def read_records(lake, batch) -> list[dict]:
    compressed = lake.read(lake.build_batch_path("raw", batch, ".jsonl.zst"))
    with zstandard.ZstdDecompressor().stream_reader(compressed, read_across_frames=True) as reader:
        return [json.loads(line) for line in reader.read().splitlines()]


def build_batch(resource: str, client: Client, *, purpose: str = "changes"):
    feed = Feed(tenant="acme", connection="psa", resource=resource)
    return create_batch(feed, Window(since=EPOCH, until=client.read_source_time()), purpose=purpose)


def build_read_request(
    client: Client, resource: str, *, size: int = 1000, parents: tuple[str, ...] = ()
) -> ReadRequest:
    resource = client.connector.with_defaults(client.connector.find_resource(resource))
    paging = resource.paging.model_copy(update={"size": size})
    return ReadRequest(resource=resource.model_copy(update={"paging": paging}), parents=parents)


@pytest.mark.parametrize("resource", RESOURCES)
@pytest.mark.parametrize("purpose", ["changes", "sweep"])
def test_every_resource_is_read_completely(resource, purpose, client, url, lake, ledger):
    path = client.connector.find_resource(resource).path
    parents: tuple[str, ...] = ()
    if "{parent}" in path:
        agreements = httpx2.get(f"{url}/_sandbox/records/finance/agreements").json()
        parents = tuple(str(agreement["id"]) for agreement in agreements)
    batch = build_batch(resource, client, purpose=purpose)
    row = read_batch(
        batch, build_read_request(client, resource, size=7, parents=parents), client, lake=lake, ledger=ledger
    )
    records = read_records(lake, batch)
    assert row.rows == len(records) == len({record["id"] for record in records}) > 0
    if not parents:
        truth = httpx2.get(f"{url}/_sandbox/records/{path}").json()
        assert {record["id"] for record in records} == {record["id"] for record in truth}
    deletes = client.connector.find_resource(resource).deletes
    if purpose == "sweep" and deletes is not None and deletes.kind == "sweep":
        assert all(set(record) == {"id"} for record in records)


def add_fault(sandbox: str, kind: str, **settings: object) -> None:
    assert httpx2.post(f"{sandbox}/_sandbox/faults", json={"kind": kind, **settings}).is_success


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("error", {"status": 503, "times": 2}),
        ("truncated", {"times": 2}),
        ("reset", {"times": 1}),
        ("rate_limit", {"retry_after": 3, "as": "seconds", "times": 1}),
        ("rate_limit", {"retry_after": 3, "as": "date", "times": 1}),
        ("repeated_link", {"times": 1}),
        ("foreign_next", {"times": 1, "url": "https://evil.example/x"}),
    ],
)
def test_transient_faults_lose_nothing(kind, settings, client, url, lake, ledger):
    add_fault(url, kind, path="service/tickets", after=1, **settings)
    batch = build_batch("tickets", client)
    row = read_batch(batch, build_read_request(client, "tickets", size=20), client, lake=lake, ledger=ledger)
    assert row.rows == len(httpx2.get(f"{url}/_sandbox/records/service/tickets").json())


@pytest.mark.parametrize(("kind", "says"), [("repeated_page", "paging loop"), ("ignored_filter", "ignored the filter")])
def test_a_wrong_response_is_refused_and_nothing_advances(kind, says, client, url, lake, ledger):
    add_fault(url, kind, path="service/tickets", **({"after": 1} if kind == "repeated_page" else {}))
    full = build_batch("tickets", client)
    window = Window(since=full.window.until.replace(day=1, month=10), until=full.window.until)
    batch = create_batch(full.feed, window)
    with pytest.raises(PermanentError, match=says):
        read_batch(batch, build_read_request(client, "tickets", size=20), client, lake=lake, ledger=ledger)
    assert ledger.list_windows(batch.feed) == ()
    httpx2.delete(f"{url}/_sandbox/faults")


def test_rejected_credentials_give_a_complete_error(manifest, url):
    credentials = Credentials(
        tenant="acme",
        connection="psa",
        settings={"base_url": url, "company": "acme"},
        secrets={"public_key": "public", "private_key": "wrong-0815", "client_id": "client"},
    )
    with (
        Client(manifest, credentials, rate_limiters=RateLimiters(), clock=FastClock()) as wrong,
        pytest.raises(PermanentError) as caught,
    ):
        wrong.read_source_time()
    error = caught.value
    assert "401" in error.message
    assert error.where.endswith("/system/info, connection acme/psa")
    assert error.details
    assert (
        error.hint == "check the secrets public_key, private_key, client_id and the settings company of this connection"
    )
    assert "0815" not in str(error)
