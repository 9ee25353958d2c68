"""Checks of declarations against each other: entities against connectors, the star against entities."""

from __future__ import annotations
