"""A distribution of somebody else's: an engine, a ledger and a connector, all called `memo`."""

from __future__ import annotations
