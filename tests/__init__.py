"""Tests of the product, a folder a room."""

from __future__ import annotations
