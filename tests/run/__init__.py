"""Tests of the room where all others meet."""

from __future__ import annotations
