"""What the simulated company does: it wins customers, signs agreements, works, and sends invoices."""

from __future__ import annotations
