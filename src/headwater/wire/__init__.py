"""How services speak: requests, answers, auth, paging, budgets, verdicts. Decides, never does.

Nothing here opens a socket, reads a clock or knows a warehouse or a ledger; each variant of a manifest is one frozen
class that is grammar, reference page and behaviour at once. Tests: tests/wire.
"""

from __future__ import annotations
