"""Generated models: from a published interface description to the contracts of a connector, in the style of this house.

Decides what of a description becomes part of a contract, and how it is spelled. It must not know a service by name (what
is particular to one is said in a file beside its connector), nor be needed at run time. Tests: tests/codegen.
"""

from __future__ import annotations
