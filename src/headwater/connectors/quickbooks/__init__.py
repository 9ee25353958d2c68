"""QuickBooks Online: `connector.yaml` says what it offers and what its records look like."""

from __future__ import annotations
