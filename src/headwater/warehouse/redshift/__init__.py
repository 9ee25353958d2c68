"""The Redshift warehouse."""

from __future__ import annotations
