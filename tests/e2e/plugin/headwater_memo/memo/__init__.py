"""The connector: `connector.yaml` beside this file."""

from __future__ import annotations
