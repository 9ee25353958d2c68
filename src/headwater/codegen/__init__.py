"""Generates the contracts of a connector from an API specification.

Decides which parts of a specification become part of a contract, and how to write them. It knows no service by name
(what is specific to a service is in the choice file of its connector), and is not needed at run time. Tests:
tests/codegen.
"""

from __future__ import annotations
