"""What we remember: tenants, connections, committed windows, batches, pages, refused records, leases.

The contract is a few conditional writes, so that SQLite, Postgres and DynamoDB are equal citizens. Nothing here
knows what a record holds. Tests: tests/ledger.
"""

from __future__ import annotations
