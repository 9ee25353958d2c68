"""Runs all tenants of a project on this machine, in a few processes that each serve many tenants."""

from __future__ import annotations
