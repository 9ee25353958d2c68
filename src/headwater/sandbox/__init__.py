"""Simulated services on loopback, for demos, tests and tutorials.

This package decides how a simulated service responds: its authentication, filters, paging, rate limits and faults.
It must not know how Headwater reads. It shares no code with the packages that read, so that it is an independent test.
Its tests are in tests/sandbox/.
"""

from __future__ import annotations
