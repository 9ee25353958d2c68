"""The protocols of services, without I/O: requests, responses, auth, paging, limits and checks of the status.

Nothing here opens a socket, reads a clock or knows a warehouse or a ledger. Each variant of a manifest is one frozen
class that defines syntax, documentation and behaviour. Tests: tests/wire.
"""

from __future__ import annotations
