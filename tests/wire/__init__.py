"""Tests of `headwater.wire`."""

from __future__ import annotations
