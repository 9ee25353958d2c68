"""Tests of the declarations."""

from __future__ import annotations
