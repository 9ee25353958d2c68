"""Tests of `headwater.extract`."""

from __future__ import annotations
