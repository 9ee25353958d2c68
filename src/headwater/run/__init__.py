"""Opens projects, loads plug-ins and executes plans. `run.app` has the functions for callers.

Decides nothing about records, history or the star schema: it opens what a project declares, executes the plan and
reports events. The command line and orchestrators import only `run.app` and `run.results`. Tests: tests/run.
"""

from __future__ import annotations
