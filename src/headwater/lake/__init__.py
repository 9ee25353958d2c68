"""The folder or bucket with raw and bronze. This room decides the path of each file of a tenant; `storage` does the I/O.

It handles paths and bytes. Extract and bronze decide what the files contain. It does not know the ledger, which decides
whether a file is valid. Tests: tests/lake.
"""

from __future__ import annotations
