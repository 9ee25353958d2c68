"""Commands that create, change or remove projects, connectors, tenants, connections and quarantined records."""

from __future__ import annotations
