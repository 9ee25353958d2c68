"""Landing: converts the records of a batch from raw to typed, flattened and validated columns. Quarantines the others.

Decides whether a record satisfies its contract, and how it is stored in columns. Columnar first: DuckDB converts the lines
while msgspec searches for those that do not fit. Only these are read row by row with the pydantic contract, which says why.
Rows in = rows kept + rows quarantined, always. This room knows no services, no ledger and no warehouse: it takes a batch
and a lake, and returns what the ledger stores. Tests: tests/bronze.
"""

from __future__ import annotations
