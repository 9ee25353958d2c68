"""The shapes of the records, one class a collection, spelled on the wire as the service spells them.

Decides names and types only; knows nothing of how the records come about. Tested through tests/sandbox/.
"""

from __future__ import annotations
