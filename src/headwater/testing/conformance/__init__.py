"""What history and star promise, as cases that any warehouse can be held against: one corpus for our tests and our users.

Decides what is tried, what must come out (an oracle in plain Python that shares no code with the product) and how the
smallest failing case is found. Must not know how a warehouse is opened, what a project is, nor who asks; needs neither pytest
nor hypothesis. Tests: tests/testing/conformance; tests/silver and tests/gold run its drawn cases on every engine.
"""

from __future__ import annotations
