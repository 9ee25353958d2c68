"""The star: dimensions and facts, made from silver's versions.

This room decides what a member of a dimension is, which key it has, which member a fact points at, and which rows a
change in silver touches. A build of changed keys and a rebuild give the same rows, and a replay writes none; every
table is written in one transaction together with how far it has consumed the changes. It must not know services, batches
on their way, the lake or the ledger: it sees silver's tables, `meta` and declarations, and speaks to the warehouse through
`warehouse.base` alone. Its tests are in `tests/gold/`, its SQL texts in `tests/golden/gold/`.
"""

from __future__ import annotations
