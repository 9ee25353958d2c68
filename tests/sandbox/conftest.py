from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from headwater.sandbox.connectwise.app import connectwise
from headwater.sandbox.connectwise.auth import Access
from headwater.sandbox.connectwise.route import BASE
from headwater.sandbox.connectwise.simulation import Simulation, live
from headwater.sandbox.server import running

KEYS = {"auth": ("acme+public", "private"), "headers": {"clientId": "client"}}


class Psa:
    """A client of a running sandbox."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx2.Client(base_url=url, timeout=5, **KEYS)

    def get(self, path: str, headers: dict[str, str] | None = None, **params: Any) -> httpx2.Response:
        return self.http.get(f"{BASE}/{path}", params=params, headers=headers)

    def ids(self, path: str, **params: Any) -> list[int]:
        return [record["id"] for record in self.get(path, **{"pageSize": 1000, **params}).json()]

    def truth(self, path: str) -> list[dict[str, Any]]:
        return self.http.get(f"/_sandbox/records/{path}").json()

    def state(self) -> dict[str, Any]:
        return self.http.get("/_sandbox/state").json()

    def fault(self, kind: str, **settings: Any) -> httpx2.Response:
        return self.http.post("/_sandbox/faults", json={"kind": kind, **settings})

    def advance(self, **params: Any) -> str:
        return self.http.post("/_sandbox/advance", params=params).json()["clock"]

    def pages(self, path: str, headers: dict[str, str] | None = None, **params: Any) -> Iterator[list[dict[str, Any]]]:
        answer = self.get(path, headers, **params)
        yield answer.json()
        while "next" in answer.links:
            answer = self.http.get(answer.links["next"]["url"], headers=headers)
            yield answer.json()


@pytest.fixture(scope="session")
def company() -> Simulation:
    """A company of the default size. Nobody changes it."""
    return live()


@pytest.fixture(scope="session")
def quiet(company: Simulation) -> Iterator[Psa]:
    """The default company behind HTTP. Nobody changes it."""
    with running(connectwise(company=company)) as url:
        psa = Psa(url)
        with psa.http:
            yield psa


@pytest.fixture
def psa() -> Iterator[Psa]:
    """A small company of one's own."""
    with running(connectwise(companies=3, months=2)) as url:
        psa = Psa(url)
        with psa.http:
            yield psa


@pytest.fixture
def strict() -> Iterator[Psa]:
    """A small company that lets three requests a minute pass, with keys of its own."""
    access = Access(company="upp", public_key="a", private_key="þ:b", client_id="c", requests_per_minute=3)
    with running(connectwise(companies=1, months=1, access=access)) as url:
        psa = Psa(url)
        with psa.http:
            yield psa
