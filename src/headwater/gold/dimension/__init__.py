"""Dimensions: from an entity, from the distinct values of a column, or of dates."""

from __future__ import annotations
