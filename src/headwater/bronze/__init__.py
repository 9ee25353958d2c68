"""Landing: the records of a batch, from raw to typed, flattened and checked columns; what does not fit waits apart.

Decides whether a record keeps its contract, and how it is spelled in columns. Columnar first: DuckDB types the lines
while msgspec looks for those that do not fit; only these are read row by row with the pydantic contract, which says why.
Rows in = rows kept + rows quarantined, always. It must not know services, the ledger's store or the warehouse: it takes a
batch and a lake, and returns what the ledger shall remember. Tests: tests/bronze.
"""

from __future__ import annotations
