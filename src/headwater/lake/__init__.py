"""The folder or bucket that holds raw and bronze: where each file of a tenant belongs. `storage` reads and writes it.

Knows paths and bytes; what is in them is the business of extract and bronze. It must not know the ledger: whether a
file counts is decided there. Tests: tests/lake.
"""

from __future__ import annotations
