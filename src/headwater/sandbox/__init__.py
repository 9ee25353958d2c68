"""Simulated services on loopback, for demos, tests and the first hour of a new user.

This room decides how a service answers when nobody is looking: its authentication, filters, paging, limits and moods.
It must not know how Headwater reads: it shares no code with the rooms that do, so that it is an honest counterpart.
Its tests are in tests/sandbox/.
"""

from __future__ import annotations
