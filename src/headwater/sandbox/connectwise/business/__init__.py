"""The business events of the simulated company: new customers, agreements, work and invoices."""

from __future__ import annotations
