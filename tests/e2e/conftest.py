from __future__ import annotations

import pytest

from tests.e2e.stand import Service, shop


@pytest.fixture
def service():
    """A small service of one's own."""
    made = Service()
    yield made
    made.close()


@pytest.fixture
def small(tmp_path, service):
    """A small project that reads it."""
    return shop(tmp_path / "shop", service)


@pytest.fixture
def serve():
    """Makes services of one's own kind."""
    made = []

    def start(**options):
        made.append(Service(**options))
        return made[-1]

    yield start
    for one in made:
        one.close()
