"""Record types, one class per collection. In JSON, the fields have the service's names.

Defines names and types only, and does not know how records are created. Tested by tests/sandbox/.
"""

from __future__ import annotations
