"""Fixtures for the guide of the Python API."""

from __future__ import annotations

from tests.api.conftest import service, shop  # noqa: F401 - fixtures
