"""The Python API: `headwater.open(".")` returns a project with the verbs of the command line, for notebooks and scripts.

It calls `run.app`, as the command line does, and decides nothing about data. Results are the values of `run.results`; a query
is a `Relation`. Tests: tests/api, and docs/guides/python.md, whose code is executed.
"""

from __future__ import annotations
