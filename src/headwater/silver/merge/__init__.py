"""Merging new events of an entity into its log and its versions."""

from __future__ import annotations
