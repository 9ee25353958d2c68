from __future__ import annotations

import pytest

from tests.e2e.builders import KEYS, Service, create_shop
from tests.e2e.conftest import database, postgres  # noqa: F401 - fixtures


@pytest.fixture(scope="module")
def service():
    """A small simulated service."""
    service = Service()
    yield service
    service.close()


@pytest.fixture
def shop(tmp_path, service, monkeypatch):
    """A small project that reads it. Its folder is the current one."""
    shop = create_shop(tmp_path / "shop", service)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(shop.root)
    return shop
