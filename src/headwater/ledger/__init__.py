"""The ledger: stores tenants, connections, committed windows, batches, pages, refused records, leases and runs.

The contract is a small set of conditional writes, so that SQL databases and key-value stores can implement it equally.
The ledger does not know the content of records. Tests: tests/ledger.
"""

from __future__ import annotations
