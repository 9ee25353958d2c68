"""ConnectWise PSA: `connector.yaml` says what it offers, `schemas.py` (generated) what its records look like."""

from __future__ import annotations
