"""Storage of files: a folder, or a bucket of an object store, with the same methods.

Writes each file as a whole or not at all, and tells one of two concurrent writers that the other was first. It knows no
tables, tenants or lakes. Tests: tests/storage.
"""

from __future__ import annotations
