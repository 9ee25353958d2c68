"""Tests of Headwater."""

from __future__ import annotations
