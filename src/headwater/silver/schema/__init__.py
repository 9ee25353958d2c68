"""The tables of an entity: their columns, and how they follow a changed declaration."""

from __future__ import annotations
