"""The guarantees of history and star schema, as checks for any warehouse. Our tests and `headwater selftest` run the same ones.

Defines the examples, the expected results (reference implementations in plain Python that share no code with the product)
and how a failing example is reduced. Does not know how a warehouse is opened, or what a project is. Does not need pytest.
Hypothesis draws the examples. It is an extra, and is imported when the first example is drawn. Tests: tests/testing/conformance.
The tests of silver and gold run the checks and the scenarios on every engine.
"""

from __future__ import annotations
