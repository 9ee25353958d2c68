"""The Postgres warehouse."""

from __future__ import annotations
