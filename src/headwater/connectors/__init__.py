"""What services offer: a folder a service, each with its manifest, its contracts and, rarely, hooks.

A connector is found by the entry point group `headwater.connectors`, a stranger's like a shipped one; no central file
names them. Nothing here opens a socket. Tests: tests/connectors, and
tests/extract/test_connectwise_manifest.py.
"""

from __future__ import annotations
