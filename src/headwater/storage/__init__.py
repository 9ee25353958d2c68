"""Places for files: a folder, or a bucket of an object store behind the same few verbs.

Decides how a file comes to be there whole or not at all, and how one of two writers learns that the other was first. Knows
nothing of tables, tenants or lakes. Tests: tests/storage.
"""

from __future__ import annotations
