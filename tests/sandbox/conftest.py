from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from headwater.sandbox.connectwise.app import build_connectwise_app
from headwater.sandbox.connectwise.auth import Credentials
from headwater.sandbox.connectwise.route import BASE
from headwater.sandbox.connectwise.simulation import Simulation, build_simulation
from headwater.sandbox.server import serve_in_thread

KEYS = {"auth": ("acme+public", "private"), "headers": {"clientId": "client"}}


class Psa:
    """A client of a running sandbox."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx2.Client(base_url=url, timeout=5, **KEYS)

    def get(self, path: str, headers: dict[str, str] | None = None, **params: Any) -> httpx2.Response:
        return self.http.get(f"{BASE}/{path}", params=params, headers=headers)

    def read_ids(self, path: str, **params: Any) -> list[int]:
        return [record["id"] for record in self.get(path, **{"pageSize": 1000, **params}).json()]

    def read_truth(self, path: str) -> list[dict[str, Any]]:
        return self.http.get(f"/_sandbox/records/{path}").json()

    def read_state(self) -> dict[str, Any]:
        return self.http.get("/_sandbox/state").json()

    def add_fault(self, kind: str, **settings: Any) -> httpx2.Response:
        return self.http.post("/_sandbox/faults", json={"kind": kind, **settings})

    def advance(self, **params: Any) -> str:
        return self.http.post("/_sandbox/advance", params=params).json()["clock"]

    def read_pages(
        self, path: str, headers: dict[str, str] | None = None, **params: Any
    ) -> Iterator[list[dict[str, Any]]]:
        response = self.get(path, headers, **params)
        yield response.json()
        while "next" in response.links:
            response = self.http.get(response.links["next"]["url"], headers=headers)
            yield response.json()


@pytest.fixture(scope="session")
def company() -> Simulation:
    """A company of the default size. Tests do not change it."""
    return build_simulation()


@pytest.fixture(scope="session")
def quiet(company: Simulation) -> Iterator[Psa]:
    """The default company over HTTP. Tests do not change it."""
    with serve_in_thread(build_connectwise_app(simulation=company)) as url:
        psa = Psa(url)
        with psa.http:
            yield psa


@pytest.fixture
def psa() -> Iterator[Psa]:
    """A small company for one test."""
    with serve_in_thread(build_connectwise_app(companies=3, months=2)) as url:
        psa = Psa(url)
        with psa.http:
            yield psa


@pytest.fixture
def strict() -> Iterator[Psa]:
    """A small company with a limit of three requests per minute and other credentials."""
    credentials = Credentials(company="upp", public_key="a", private_key="þ:b", client_id="c", requests_per_minute=3)
    with serve_in_thread(build_connectwise_app(companies=1, months=1, credentials=credentials)) as url:
        psa = Psa(url)
        with psa.http:
            yield psa
