"""Tests of the room of that name."""

from __future__ import annotations
