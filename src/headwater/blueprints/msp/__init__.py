"""The blueprint of a managed service provider: customers, tickets, time, agreements and invoices, from its PSA.

What it declares is documented in docs/reference/msp.md, table by table.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

FOLDER = Path(str(files("headwater.blueprints.msp") / "models"))
"""Where its declarations stand."""
